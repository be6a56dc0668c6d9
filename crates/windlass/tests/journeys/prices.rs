//! Prices: what is listed, what a file changes, and that nothing unpriced is called under
//! a money cap.

use crate::place::{FINISHED, Place, REFUSED, USAGE};

const OWN: &str = "version: mine-1
vendors:
  - name: house
    rows:
      - {models: [claude-sonnet-5-5], input: 1.50, output: 7.50, cache_read: 0.075}
      - {models: [acme-1], input: 2, output: 10}
";

const AGENT: &str = "agent_id: tested\nsystem_prompt: You work.\nallowed_tools: [end_task]\n";

#[test]
fn the_list_is_a_table_with_its_version_tiers_and_marks() {
    let place = Place::new();
    let listed = place.run(&["prices", "list"]).code(FINISHED);
    let line = |model: &str| {
        let found = listed.out.lines().find(|line| line.contains(model));
        found.unwrap_or_else(|| panic!("no {model}: {listed}")).to_owned()
    };
    for cell in ["anthropic", "2026-11-09", "$8.00", "$40.00", "$0.20?", "$0.01?", "-50%"] {
        assert!(line("claude-fable-5-2").contains(cell), "{cell}: {listed}");
    }
    assert!(line("claude-haiku-5-5").contains("≤ 100,000"), "{listed}");
    let listed = listed.says("> 100,000").says("prices 2026-11-21, in dollars per million tokens");
    listed.says("verify it");

    for (columns, shown, left_out) in [("104", "SEARCH", "VENDOR"), ("90", "READ", "SEARCH")] {
        let mut narrow = place.command(&["prices", "list"]);
        narrow.env("COLUMNS", columns);
        let narrow = crate::place::Running::of(narrow, Vec::new()).end().code(FINISHED);
        assert!(narrow.out.contains(shown) && !narrow.out.contains(left_out), "{narrow}");
        let width = narrow.out.lines().map(|line| line.chars().count()).max();
        assert!(width.is_some_and(|width| width <= columns.parse().unwrap()), "{narrow}");
    }

    let json = place.run(&["prices", "list", "--json"]).code(FINISHED).json();
    let haiku = json.iter().find(|row| row["model"] == "claude-haiku-5-5").expect("it is listed");
    assert_eq!(haiku["tiers"][1]["prompt_tokens_over"], 100_000);
    assert_eq!(haiku["tiers"][1]["usd_per_million"]["cache_write_5m"], "0.625");
    assert_eq!((&haiku["version"], &haiku["in_force"]), (&"2026-11-21".into(), &true.into()));
    assert_eq!(haiku["usd_per_web_search"], "0.01");
    assert!(!place.path(".windlass").exists(), "looking at prices makes no store");
}

#[test]
fn a_models_prices_over_time_are_listed_and_a_slip_is_recognised() {
    let place = Place::new();
    let sonnet = ["prices", "list", "--model", "claude-sonnet-5-5"];
    let old = place.run(&[&sonnet[..], &["--at", "2026-10-06"]].concat()).code(FINISHED);
    let in_force = |line: &&str| line.contains("on 2026-10-06");
    let line = old.out.lines().find(in_force).expect("one is in force");
    assert!(line.contains("always") && line.contains("$0.20"), "{old}");
    assert_eq!(old.out.lines().count(), 3, "{old}");

    let dated = ["prices", "list", "--model", "claude-haiku-4-5-20251001"];
    place.run(&dated).code(FINISHED).says("claude-haiku-4-5");
    let slip = place.run(&["prices", "list", "--model", "claude-sonet-5-5"]).code(USAGE);
    slip.says("does not know the model `claude-sonet-5-5`\ndid you mean `claude-sonnet-5-5`?");
    let none = place.run(&["prices", "list", "--model", "x"]).code(USAGE);
    none.says("`windlass prices list` shows those that it knows");
    place.run(&["prices", "list", "--at", "1969-12-31"]).code(USAGE).says("before 1970");
    place.run(&["prices", "list", "--at", "soon"]).code(USAGE).says("'soon'");
}

#[test]
fn a_price_file_is_checked_with_what_it_changes() {
    let place = Place::new();
    place.run(&["prices", "check"]).code(FINISHED).says("the built-in prices 2026-11-21 hold");
    place.write("own.yaml", OWN);
    let checked = place.run(&["prices", "check", "--prices", "own.yaml"]).code(FINISHED);
    checked
        .says("own.yaml: ok\n  prices 2026-11-21+mine-1, 2 rows")
        .says("adds      acme-1: input $2.00, output $10.00")
        .says("replaces  claude-sonnet-5-5: input $2.00 → $1.50, output $10.00 → $7.50")
        .says("cache_read $0.10 → $0.075");
    place.run(&["config", "check", "own.yaml"]).code(FINISHED).says("own.yaml: ok");

    place.write("wrong.yaml", "vendors:\n  - name: a\n    rows: [{models: [m], input: 1e3}]\n");
    let wrong = place.run(&["prices", "check", "--prices", "wrong.yaml"]).code(USAGE);
    let wrong = wrong.says("wrong.yaml:3:33: `1e3` is not an amount of dollars");
    wrong.says("wrong.yaml:3:12: a row lacks `output`\n  add a line `output: …`");
    let gone = place.run(&["prices", "list", "--prices", "gone.yaml"]).code(USAGE);
    gone.says("cannot read `gone.yaml`").says("give the path of a price file");
}

/// L13, before anything runs: `prices check` and `config check` name the agents that would
/// be refused, by the prices that would hold for them.
#[test]
fn l13_agents_without_a_price_are_found_before_they_run() {
    let place = Place::new();
    place.write("own.yaml", OWN);
    let remote = "provider: {kind: openai, base_url: \"http://127.0.0.1:1\"}\n";
    place.write("priced.yaml", format!("{AGENT}model: acme-1\n{remote}"));
    place.write("unpriced.yaml", format!("{AGENT}model: acme-2\n{remote}"));
    place.write("uncapped.yaml", format!("{AGENT}model: acme-2\nbudget_usd: none\n{remote}"));
    let files = ["priced.yaml", "unpriced.yaml", "uncapped.yaml"];
    let own = ["prices", "check", "--prices", "own.yaml"];
    let checked = place.run(&[&own[..], &files[..]].concat()).code(USAGE);
    checked
        .says("priced.yaml: model `acme-1` has its price from the list 2026-11-21+mine-1")
        .says("`unpriced.yaml`: model `acme-2` has no price, and its runs have a budget")
        .says("did you mean `acme-1`?")
        .says("uncapped.yaml: model `acme-2` has no price; its runs have no budget either");
    place.run(&["config", "check", "priced.yaml"]).code(USAGE).says("has no price");
    place.run(&["config", "check", "--prices", "own.yaml", "priced.yaml"]).code(FINISHED);
}

/// L13 for those who only step in: a fallback without a price is found before the outage.
#[test]
fn l13_a_fallback_without_a_price_is_refused_before_anybody_is_called() {
    let place = Place::new();
    let provider = place.provider(&[]);
    let address = &provider.address;
    let fallback = format!(
        "fallbacks:\n  - model: acme-2\n    provider: {{kind: openai, base_url: \"http://{address}/v1\"}}\n"
    );
    place.agent("openai", address, &fallback);
    let run = ["run", "--agent", "agent.yaml", "What is 2 + 3?"];
    for arguments in
        [&["config", "check", "agent.yaml"][..], &["prices", "check", "agent.yaml"], &run]
    {
        let refused = place.run(arguments).code(USAGE);
        assert!(refused.err.contains("`acme-2`") && refused.err.contains("price"), "{refused}");
    }
    assert_eq!(provider.meter()["total"]["requests"], 0, "nobody was called");
    place.write("own.yaml", OWN.replace("acme-1", "acme-2"));
    let priced = ["prices", "check", "--prices", "own.yaml", "agent.yaml"];
    let words = "model `acme-2` has its price from the list 2026-11-21+mine-1";
    place.run(&priced).code(FINISHED).says(words);
    place.run(&[&["--prices", "own.yaml"], &run[..]].concat()).code(FINISHED).answers("2 + 3 = 5");
}

/// L13 under caps that runs share.
#[test]
fn l13_a_shared_cap_on_money_refuses_what_has_no_price() {
    let place = Place::new();
    let provider = place.provider(&[]);
    place.write(
        "windlass.yaml",
        "limits: {plans: {free: {user_day: {usd: 1}}}, default_plan: free}\n",
    );
    let remote =
        format!("provider: {{kind: openai, base_url: \"http://{}/v1\"}}\n", provider.address);
    place.write("agent.yaml", format!("{AGENT}model: acme-1\nbudget_usd: none\n{remote}"));
    let run = ["run", "--agent", "agent.yaml", "What is 2 + 3?"];
    place.run(&run).code(REFUSED).says("model `acme-1` has no price");
    assert_eq!(provider.meter()["total"]["requests"], 0, "nobody was called");
    place
        .run(&["prices", "check", "agent.yaml"])
        .code(USAGE)
        .says("has no price, and plans cap money");
    place.write(
        "windlass.yaml",
        "limits: {plans: {free: {user_day: {tokens: 100000}}}, default_plan: free}\n",
    );
    place.run(&run).code(FINISHED);
}

/// L13 at the door: the run is refused and nobody is called; with a price it is held for
/// and charged, by whichever way the price file is named.
#[test]
fn l13_an_unpriced_model_is_called_only_once_it_has_a_price() {
    let script = "turns:\n  - tools: [{name: end_task, input: {result: two}}]\n    \
                  usage: {input: 4000, output: 200}\n";
    let ways: [(&[&str], &str); 3] =
        [(&["--prices", "own.yaml"], ""), (&[], "own.yaml"), (&["--config", "here.yaml"], "")];
    for (flags, variable) in ways {
        let place = Place::new();
        place.write("script.yaml", script);
        place.write("own.yaml", OWN);
        place.write("here.yaml", "prices: own.yaml\n");
        let provider = place.provider(&["--brain", "script:script.yaml"]);
        let address = &provider.address;
        let remote = format!("provider: {{kind: openai, base_url: \"http://{address}/v1\"}}\n");
        place.write("agent.yaml", format!("{AGENT}model: acme-1\n{remote}"));
        let asked = ["run", "--agent", "agent.yaml", "add"];
        let refused = place.run(&asked).code(REFUSED);
        refused.says("model `acme-1` has no price, and the run has a money cap");
        assert_eq!(provider.meter()["total"]["requests"], 0, "nobody was called");

        let mut command = place.command(&[flags, &asked].concat());
        if !variable.is_empty() {
            command.env("WINDLASS_PRICES", variable);
        }
        let ended = crate::place::Running::of(command, Vec::new()).end().code(FINISHED);
        ended.says("1 turn, $0.01");
        let booked = place.run(&["spend", "--json"]).code(FINISHED).json();
        assert_eq!(booked[0]["prices"], "2026-11-21+mine-1", "the books tell which prices held");
    }
}

#[test]
fn the_installations_file_beside_the_store_is_found() {
    let place = Place::new();
    place.write("own.yaml", OWN);
    place.write("windlass.yaml", "prices: own.yaml\n");
    place.run(&["prices", "list"]).code(FINISHED).says("2026-11-21+mine-1").says("acme-1");
    place.write("windlass.yaml", "price: own.yaml\n");
    let wrong = place.run(&["run", "What is 2 + 3?"]).code(USAGE);
    wrong.says("windlass.yaml:1:1: unknown key `price` in the file").says("`prices`?");
    assert!(!place.path(".windlass").exists(), "nothing was begun");
    place.run(&["--config", "gone.yaml", "run", "x"]).code(USAGE).says("`examples/windlass.yaml`");
}

#[test]
fn tenants_do_not_see_each_other_and_printed_commands_name_theirs() {
    let place = Place::new();
    place.run(&["--tenant", "acme", "--user", "ada", "run", "What is 2 + 3?"]).code(FINISHED);
    place.run(&["sessions", "list"]).code(FINISHED).says("no sessions here yet");
    let fork = ["--tenant", "acme", "sessions", "fork", "last", "--at", "3"];
    let fork = place.run(&fork).code(FINISHED);
    assert!(fork.resume_command().starts_with("windlass --tenant acme resume "), "{fork}");
    place.type_in(&fork.resume_command()).code(FINISHED).answers("2 + 3 = 5");
    let spend = place.run(&["--tenant", "acme", "spend", "--json"]).code(FINISHED).json();
    assert_eq!(spend[0]["user"], "ada");
    for wrong in ["", " ", "a\nb"] {
        place.run(&["--tenant", wrong, "sessions", "list"]).code(USAGE).says("a name is one line");
    }
}
