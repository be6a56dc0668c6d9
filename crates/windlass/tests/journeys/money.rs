//! Caps hold whichever protocol the money is spent through, and our books never show less
//! than the provider's own.

use crate::place::{FINISHED, PARKED, Place, REFUSED};

/// At two dollars for a million tokens in and ten out, each turn costs a cent.
const SCRIPT: &str = "turns:
  - tools: [{name: calculator, input: {expression: 1 + 1}}]
    usage: {input: 4000, output: 200}
  - tools: [{name: end_task, input: {result: two}}]
    usage: {input: 4000, output: 200}
";

const LIMITS: &str = "budget_usd: 0.028\nmax_tokens: 1000\n";

#[test]
fn a_cap_parks_the_run_until_it_is_raised() {
    for kind in ["openai", "anthropic"] {
        let place = Place::new();
        place.write("script.yaml", SCRIPT);
        let provider = place.provider(&["--brain", "script:script.yaml"]);
        place.agent(kind, &provider.address, LIMITS);

        let capped = place.run(&["run", "--agent", "agent.yaml", "add"]).code(PARKED);
        let capped = capped.says("cost cap $0.028 reached: $0.01 spent").says("1 turn, $0.01");
        let refused = place.run(&["resume", "last"]).code(REFUSED);
        refused.says("raise the cap to go on").says("`windlass resume SESSION --budget USD`");
        let too_low = place.run(&["resume", "last", "--budget", "0.0281"]);
        too_low.code(REFUSED).says("needs");

        let typed = capped.resume_command();
        assert!(typed.contains(" --budget 0.0"), "{kind}: {typed}");
        place.type_in(&typed).code(FINISHED).answers("two").says("2 turns, $0.02");

        let spend = place.run(&["spend", "--json"]).code(FINISHED).json();
        let ours: u64 = spend.iter().filter_map(|row| row["amount_nano_usd"].as_u64()).sum();
        let meter = provider.meter();
        let theirs = meter["total"]["nano_usd"].as_u64().expect("the meter counts money");
        assert_eq!(theirs, 20_000_000, "{kind}: {meter}");
        assert!(ours >= theirs, "{kind}: we booked {ours}, they charge {theirs}");
        let table = place.run(&["spend"]).code(FINISHED);
        table.says("$0.02").says("tested").says("claude-sonnet-5-5").says("8,000");
    }
}

#[test]
fn the_json_result_of_a_capped_run_has_its_code_and_a_command_that_works() {
    let place = Place::new();
    place.write("script.yaml", SCRIPT);
    let provider = place.provider(&["--brain", "script:script.yaml"]);
    place.agent("openai", &provider.address, LIMITS);
    let ended = place.run(&["run", "--agent", "agent.yaml", "--json", "add"]).code(PARKED);
    let result = ended.json().pop().expect("there is a result");
    assert_eq!(result["code"], "cost_cap_exceeded", "{ended}");
    assert_eq!(result["spent_nano_usd"], 10_000_000, "{ended}");
    place.type_in(result["resume"].as_str().expect("it can be resumed")).code(FINISHED);
}
