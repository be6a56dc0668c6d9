//! Caps that runs share: they park a run with a typed reason, are listed, set and raised,
//! and a run goes on when there is room.

use crate::place::{Ended, FINISHED, PARKED, Place, Provider, USAGE};

/// At two dollars for a million tokens in and ten out, each run costs two cents.
const SCRIPT: &str = "turns:
  - tools: [{name: calculator, input: {expression: 1 + 1}}]
    usage: {input: 4000, output: 200}
  - tools: [{name: end_task, input: {result: two}}]
    usage: {input: 4000, output: 200}
";

/// Room for one run and not for two.
const LIMITS: &str = "limits:
  plans:
    free:
      user_day: {usd: 0.03, requests: 100}
      team_month: {usd: 50}
      tenant_ever: {tokens: 1000000}
  default_plan: free
";

fn place() -> (Place, Provider) {
    let place = Place::new();
    place.write("script.yaml", SCRIPT);
    place.write("windlass.yaml", LIMITS);
    let provider = place.provider(&["--brain", "script:script.yaml"]);
    place.agent("openai", &provider.address, "max_tokens: 1000\n");
    (place, provider)
}

const RUN: [&str; 4] = ["run", "--agent", "agent.yaml", "add"];

fn today(place: &Place) -> String {
    let listed = place.run(&["caps", "list", "--json"]).code(FINISHED).json();
    let scope = |row: &serde_json::Value| row["scope"].as_str().unwrap_or_default().to_owned();
    listed
        .iter()
        .map(scope)
        .find(|scope| scope.starts_with("user-day/local/"))
        .expect("it is there")
}

/// The second run of the day, which finds the user's cap reached.
fn parked(place: &Place) -> Ended {
    place.run(&RUN).code(FINISHED).says("2 turns, $0.02");
    place.run(&RUN).code(PARKED)
}

#[test]
fn a_shared_cap_parks_the_run_and_says_which_when_and_how_to_go_on() {
    let (place, provider) = place();
    let parked = parked(&place);
    let scope = today(&place);
    let parked = parked.says(&format!("cost cap $0.03 of {scope} reached: $0.02 spent"));
    let parked = parked
        .says("(wakes 20")
        .says(&format!("raise it with: windlass caps raise {scope} --usd 0.06"));
    let words = parked.resume_command();
    assert!(!words.contains("--budget"), "a shared cap is not the run's: {words}");
    let again = place.type_in(&words).code(PARKED);
    again.says(&format!("cost cap $0.03 of {scope} reached"));
    assert_eq!(provider.meter()["total"]["requests"], 2, "nobody was called for the second run");

    let json = place.run(&[&RUN[..], &["--json"]].concat()).code(PARKED).json();
    let result = json.last().expect("there is a result");
    assert_eq!(result["code"], "cost_cap_exceeded");
    place.type_in(result["raise"].as_str().expect("it can be raised")).code(FINISHED);
    place.run(&["sessions", "show", "last"]).code(FINISHED).says("raise with  windlass caps raise");
    let cap = &result["cap"];
    assert_eq!(
        (&cap["scope"], &cap["cap"], &cap["settled"]),
        (&scope.into(), &"0.03".into(), &"0.02".into())
    );
    assert!(cap["turns"].as_str().is_some_and(|turns| turns.ends_with("T00:00:00.000Z")), "{cap}");
}

#[test]
fn a_raised_cap_wakes_what_waited_and_only_for_this_window() {
    let (place, _provider) = place();
    let parked = parked(&place);
    let scope = today(&place);
    let too_little = place.run(&["caps", "raise", "user-day/local", "--usd", "0.031"]);
    too_little
        .code(FINISHED)
        .says("$0.031, 100 requests, was $0.03, 100 requests")
        .says("no parked run");
    let raised = place.run(&["caps", "raise", "user-day/local", "--usd", "0.10"]).code(FINISHED);
    let raised = raised.says(&format!("{scope}: $0.10, 100 requests, was $0.031, 100 requests"));
    let words = raised.says("a parked run has room again").resume_command();
    assert_eq!(words, parked.resume_command());
    place.type_in(&words).code(FINISHED).answers("two");
    let lower = place.run(&["caps", "raise", "user-day/local", "--usd", "0.05"]).code(USAGE);
    lower.says("has a cap of $0.10, and `raise` only raises").says("`windlass caps set");
    let rows = place.run(&["caps", "list", "--json"]).code(FINISHED).json();
    let row = rows.iter().find(|row| row["scope"] == *scope).expect("it is listed");
    assert_eq!((&row["cap"]["usd"], &row["settled"]["usd"]), (&"0.10".into(), &"0.04".into()));
    assert_eq!((&row["by_hand"], &row["free"]["requests"]), (&true.into(), &96.into()));
    assert!(rows.iter().all(|row| row["window"] != "lasting"), "no other window changed");
}

#[test]
fn a_cap_that_is_set_lasts_until_it_is_given_back() {
    let (place, _provider) = place();
    parked(&place);
    let set = ["caps", "set", "user-day/local", "--usd", "none", "--requests", "200", "--json"];
    let set = place.run(&set).code(FINISHED).json();
    assert_eq!(set[0]["scope"], "user-day/local");
    assert_eq!(set[0]["cap"], serde_json::json!({"requests": 200}));
    assert_eq!(set[0]["woken"].as_array().map(Vec::len), Some(1), "{set:?}");
    let listed = place.run(&["caps", "list"]).code(FINISHED);
    listed.says("every window").says("hand").says("200 requests");
    place
        .run(&["caps", "set", "user-day/local", "--reset"])
        .code(FINISHED)
        .says("configuration decides");
    place.run(&RUN).code(PARKED).says("cost cap $0.03 of user-day/local/");
}

#[test]
fn caps_are_listed_before_and_after_they_are_used() {
    let (place, _provider) = place();
    place.run(&["sessions", "list"]).code(USAGE);
    place.run(&["run", "What is 2 + 3?"]).code(FINISHED);
    let listed = place.run(&["caps", "list"]).code(FINISHED);
    for words in
        ["user-day/local/", "$0.03", "tenant-ever/local", "1,000,000 tokens", "never", "plan"]
    {
        assert!(listed.out.contains(words), "{words}: {listed}");
    }
    assert!(!listed.out.contains("team-month"), "nobody has that label: {listed}");
    let team = [&["--user", "ada"], &RUN[..], &["--label", "team=red"]].concat();
    place.run(&team).code(FINISHED);
    let listed =
        place.run(&["caps", "list"]).code(FINISHED).says("team-month/red/20").says("$0.02");
    listed.says("66%").does_not_say("66%!");
    place.write("windlass.yaml", LIMITS.replace("limits:", "limits:\n  warn_at: [0.6]"));
    place.run(&["caps", "list"]).code(FINISHED).says("66%!");
}

#[test]
fn without_plans_there_is_nothing_to_list() {
    let place = Place::new();
    place.run(&["run", "What is 2 + 3?"]).code(FINISHED);
    let none = place.run(&["caps", "list"]).code(FINISHED).says("no caps are shared here");
    assert_eq!(none.out, "");
    place.run(&["caps", "set", "user-day/x", "--usd", "1"]).code(USAGE).says("no plan has any");
}

#[test]
fn wrong_scopes_and_caps_are_refused() {
    let (place, _provider) = place();
    parked(&place);
    let task = "task/0198c0de-0000-7000-8000-000000000001/1";
    for (arguments, words) in [
        (&["set", "user-day", "--usd", "1"][..], "`user-day` names no scope"),
        (&["set", "user-dya/local", "--usd", "1"], "did you mean `user-day`?"),
        (&["set", "colour/local", "--usd", "1"], "`windlass caps list` shows those"),
        (&["set", "user-day/local"], "required"),
        (&["set", "user-day/local", "--usd", "-1"], "unexpected argument"),
        (&["set", "user-day/local", "--usd", "much"], "`much` is not an amount in dollars"),
        (&["set", "user-day/local", "--tokens", "1.5"], "write a whole number, or `none`"),
        (&["set", "user-day/local", "--usd", "1", "--reset"], "cannot be used with"),
        (&["raise", "user-day/local", "--reset"], "unexpected argument '--reset'"),
        (&["raise", "tenant-ever/local", "--usd", "9"], "`tenant-ever/local` has no cap"),
        (&["set", "tenant-ever/local", "--usd", "9"], "models without a price would pass"),
        (
            &["set", task, "--usd", "9"],
            "windlass resume 0198c0de-0000-7000-8000-000000000001 --budget USD",
        ),
    ] {
        place.run(&[&["caps"], arguments].concat()).code(USAGE).says(words);
    }
}
