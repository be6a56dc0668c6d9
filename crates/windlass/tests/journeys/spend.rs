//! The books: summed by anything, drawn for people, and exported to the last nano-dollar.

use crate::place::{FINISHED, Place, USAGE};

/// At two dollars for a million tokens in and ten out, each run costs a cent.
const SCRIPT: &str = "turns:
  - tools: [{name: end_task, input: {result: two}}]
    usage: {input: 4000, output: 200}
";

/// Three runs: two of acme's Ada, one of zoo's Bob.
fn place() -> Place {
    let place = Place::new();
    place.write("script.yaml", SCRIPT);
    let provider = place.provider(&["--brain", "script:script.yaml"]);
    place.agent("openai", &provider.address, "");
    for (tenant, user) in [("acme", "ada"), ("acme", "ada"), ("zoo", "bob, \"the\" boss")] {
        let flags = ["--tenant", tenant, "--user", user, "run", "--agent", "agent.yaml", "add"];
        place.run(&flags).code(FINISHED);
    }
    place
}

#[test]
fn spend_is_summed_by_what_is_asked_for() {
    let place = place();
    let json = |arguments: &[&str]| {
        let ended = place.run(&[&["spend", "--json"], arguments].concat()).code(FINISHED);
        let row = |row: &serde_json::Value| {
            let key = ["tenant", "user"].map(|key| row[key].as_str().unwrap_or("-").to_owned());
            (key.join(" "), row["calls"].as_u64().unwrap(), row["usd"].as_str().unwrap().to_owned())
        };
        ended.json().iter().map(row).collect::<Vec<_>>()
    };
    let cents = |key: &str, calls: u64, usd: &str| (key.to_owned(), calls, usd.to_owned());
    let acme = cents("acme -", 2, "0.02");
    let zoo = cents("zoo -", 1, "0.01");
    assert_eq!(json(&["--by", "tenant"]), [acme.clone(), zoo.clone()]);
    assert_eq!(json(&["--by", "month", "--all-tenants"]), [acme.clone(), zoo]);
    assert_eq!(json(&["--tenant", "acme", "--by", "agent,model"]), [acme]);
    assert_eq!(json(&["--tenant", "zoo"]), [cents("zoo bob, \"the\" boss", 1, "0.01")]);
    assert_eq!(json(&["--tenant", "nobody"]), []);

    let table = place.run(&["--tenant", "acme", "spend", "--by", "user"]).code(FINISHED);
    let table = table.says("USER").says("ada").says("8,000").says("$0.02").says("from 20");
    assert!(table.out.contains('█') && !table.out.contains('\u{1b}'), "a bar, no colour: {table}");
    let mut narrow = place.command(&["--tenant", "acme", "spend", "--by", "user"]);
    narrow.env("COLUMNS", "50");
    let narrow = crate::place::Running::of(narrow, Vec::new()).end().code(FINISHED);
    assert!(!narrow.out.contains('█'), "no room for a bar: {narrow}");
}

#[test]
fn a_bill_is_exact_has_its_prices_and_stable_columns() {
    let place = place();
    let month = ["spend", "--by", "tenant", "--by", "month", "--csv", "--from", "2026-01"];
    let bill = place.run(&month).code(FINISHED);
    let lines: Vec<&str> = bill.out.lines().collect();
    assert_eq!(
        lines[0],
        "tenant,month,day,user,agent,model,prices,calls,input_tokens,output_tokens,usd,\
         estimated_usd"
    );
    let cells: Vec<&str> = lines[1].split(',').collect();
    let [tenant, prices, calls, input, output] = [0, 6, 7, 8, 9].map(|at| cells[at]);
    assert_eq!([tenant, prices, calls, input, output], ["acme", "2026-11-21", "2", "8000", "400"]);
    assert_eq!(cells[10..], ["0.02", "0.00"], "{bill}");
    assert_eq!(lines.len(), 3, "{bill}");

    let whole = place.run(&["--tenant", "zoo", "spend", "--csv"]).code(FINISHED);
    whole.says(",\"bob, \"\"the\"\" boss\",tested,claude-sonnet-5-5,2026-11-21,1,4000,200,0.01,");
}

#[test]
fn nothing_spent_is_said_in_words_and_wrong_days_are_refused() {
    let place = place();
    let old = ["spend", "--from", "2020-02", "--to", "2020-02"];
    let none = place.run(&old).code(FINISHED);
    let none = none.says("nothing was spent from 2020-02-01 to 2020-02-29");
    assert_eq!(none.out, "");
    let csv = place.run(&[&old[..], &["--csv"]].concat()).code(FINISHED).says("nothing was spent");
    assert_eq!(csv.out.lines().count(), 1, "{csv}");
    for (arguments, words) in [
        (&["--from", "2026-13"][..], "write a day like `2026-11-21` or a month"),
        (&["--from", "1969-12"], "from before 1970"),
        (
            &["--from", "2026-11", "--to", "2026-10"],
            "`--from` 2026-11-01 is after `--to` 2026-10-31",
        ),
        (&["--from", "2026-11", "--days", "3"], "cannot be used with"),
        (&["--csv", "--json"], "cannot be used with"),
        (&["--by", "colour"], "possible values: tenant, user, agent, model, day, month, prices"),
    ] {
        place.run(&[&["spend"], arguments].concat()).code(USAGE).says(words);
    }
}
