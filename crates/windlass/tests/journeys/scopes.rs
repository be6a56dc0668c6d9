//! What a session gets is composed before its first call and frozen: no flag, restart,
//! resume or changed configuration widens it, and stricter policies hold at once.

use crate::place::{FINISHED, PARKED, Place, REFUSED, USAGE};

const READER: &str = "agent_id: tested
model: script:turns.yaml
system_prompt: You work.
allowed_tools: [read, write, calculator, end_task]
";

const TURNS: &str = "turns:
  - tools: [{name: calculator, input: {expression: 1 + 1}}]
  - text: One sum is done.
  - tools: [{name: write, input: {path: out.txt, content: five}}]
  - either:
      - when: (4 bytes)
        tools: [{name: end_task, input: {result: written}}]
      - tools: [{name: end_task, input: {result: not written}}]
";

const HOUSE: &str = "environment: staging
people: {roles: {guest: guest}}
task_types:
  research: {tools: [read, grep], trust: read_only}
roles:
  guest: {trust: read_only}
";

fn place(installation: &str) -> Place {
    let place = Place::new();
    place.write("agent.yaml", READER);
    place.write("turns.yaml", TURNS);
    place.write("windlass.yaml", installation);
    place
}

fn opened(place: &Place) -> serde_json::Value {
    let log = place.run(&["log", "last", "--json"]).code(FINISHED);
    log.json()[0]["fact"]["session_opened"]["scope"].clone()
}

#[test]
fn each_of_task_role_and_flag_only_takes_away() {
    let place = place(HOUSE);
    let run = |more: &[&str]| {
        let mut all = vec!["run", "--agent", "agent.yaml", "--turns", "2", "work"];
        all.extend(more);
        place.run(&all)
    };
    run(&[]).code(PARKED).does_not_say("without");
    assert_eq!(opened(&place)["trust"], "standard");
    assert_eq!(opened(&place)["environment"], "staging");

    run(&["--task-type", "research"]).code(PARKED).says("trust read_only instead of standard").says("without calculator: the tools of the task type do not include it (task_type) · write: ");
    let scope = opened(&place);
    assert_eq!((&scope["trust"], &scope["task_type"]), (&"read_only".into(), &"research".into()));
    assert_eq!(scope["dropped"].as_array().map(Vec::len), Some(2), "{scope}");

    run(&["--user", "guest"]).code(PARKED).says("without write: ").says("laws/read-only-reads");
    assert_eq!(
        (&opened(&place)["role"], &opened(&place)["trust"]),
        (&"guest".into(), &"read_only".into())
    );
    run(&["--trust", "read_only"]).code(PARKED).says("without write: ");

    run(&["--trust", "elevated"]).code(USAGE).says("`--trust` only lowers it");
    run(&["--task-type", "reserch"]).code(USAGE).says("did you mean `research`?");
    run(&["--session", "last", "--trust", "read_only"]).code(USAGE).says("cannot be used with");
}

#[test]
fn an_elevated_session_says_so_and_is_in_the_audit() {
    let place = place("");
    place.write("agent.yaml", format!("{READER}trust: elevated\ntask_type: chores\n"));
    let run = ["run", "--agent", "agent.yaml", "--turns", "2", "work"];
    place.run(&run).code(USAGE).says("no kind of task is named `chores`");
    place.write("windlass.yaml", "task_types: {chores: {}}\n");
    place.run(&run).code(PARKED).says("elevated: tools reach as far as policies allow");
    let opened = place.run(&["audit", "search", "--action", "session.open", "--json"]);
    let entry = opened.code(FINISHED).json().pop().expect("there is one");
    assert_eq!(
        (&entry["outcome"], &entry["content"]["trust"]),
        (&"elevated".into(), &"elevated".into())
    );
    place.run(&[&run[..], &["--task-type", "other"]].concat()).code(USAGE).says("leave out");
}

#[test]
fn a_wider_configuration_widens_no_session_that_was_begun() {
    let place = place(HOUSE);
    let run = ["run", "--agent", "agent.yaml", "--turns", "2", "work", "--trust", "read_only"];
    place.run(&run).code(PARKED);
    let before = opened(&place);
    place.write("windlass.yaml", "policy: full\npeople: {role: admin}\nenvironment: development\n");
    place.write("agent.yaml", format!("{READER}trust: elevated\n"));
    let resumed = place.run(&["resume", "last", "--agent", "agent.yaml", "--turns", "9"]);
    resumed.answers("not written");
    assert!(!place.path("out.txt").exists());
    assert_eq!(opened(&place), before);
}

#[test]
fn a_child_gets_no_more_than_its_parent() {
    let place = place(HOUSE);
    place.write("agent.yaml", READER.replace("[read,", "[delegate, read,"));
    place.write(
        "turns.yaml",
        "turns:
  - either:
      - when: write five
        tools: [{name: write, input: {path: out.txt, content: five}}]
      - tools:
          - {name: delegate, input: {task: \"write five\", tools: [write, read]}}
          - {name: delegate, input: {task: \"write five\"}}
  - tools: [{name: end_task, input: {result: done}}]
",
    );
    let run = ["run", "--agent", "agent.yaml", "begin", "--trust", "read_only"];
    let ended = place.run(&run).code(FINISHED).answers("done");
    ended.says("you have no tool `write` to give").says("there is no tool `write`");
    let all = ["audit", "search", "--action", "session.open", "--json"];
    let people = "people: {role: admin}\n";
    place.write("windlass.yaml", people);
    let opened = place.run(&all).code(FINISHED).json();
    let of = |one: &serde_json::Value| (one["content"]["trust"].clone(), one["role"].clone());
    assert_eq!(opened.len(), 2, "{opened:?}");
    assert_eq!(of(&opened[0]), ("read_only".into(), "member".into()));
    assert_eq!(of(&opened[1]), of(&opened[0]));
    assert!(!place.path("out.txt").exists());
}

#[test]
fn a_stricter_policy_holds_at_once_and_roots_too() {
    let place = place("");
    let run = ["run", "--agent", "agent.yaml", "--turns", "2", "work"];
    place.run(&run).code(PARKED);
    place.write("windlass.yaml", "roots: [elsewhere]\n");
    place.run(&["resume", "last"]).code(REFUSED).says("lies under no root").says("elsewhere");
    place.run(&run).code(REFUSED).says("lies under no root");
    place.write("windlass.yaml", "policy: read-only\nroots: [.]\n");
    place.run(&["resume", "last", "--turns", "9"]).answers("not written");
    assert!(!place.path("out.txt").exists());
}

#[test]
fn a_changed_configuration_is_in_the_audit_once() {
    let place = place(HOUSE);
    let changes = || {
        let found = place.run(&["audit", "search", "--action", "config.change", "--json"]);
        found.code(FINISHED).json().len()
    };
    let run = ["run", "What is 2 + 3?"];
    let people = "people: {role: admin}\n";
    place.write("windlass.yaml", people);
    place.run(&run).code(FINISHED);
    place.run(&run).code(FINISHED);
    assert_eq!(changes(), 1);
    place.write("windlass.yaml", format!("{people}environment: production\n"));
    std::fs::remove_file(place.path(".windlass/configuration.json")).expect("it is there");
    place.run(&run).code(FINISHED);
    assert_eq!(changes(), 2, "what the audit says counts, not what is remembered");
    place.write("windlass.yaml", format!("{people}policy: full\n"));
    place.run(&["resume", "last"]).code(REFUSED);
    assert_eq!(changes(), 3);
    std::fs::remove_file(place.path("windlass.yaml")).expect("it is there");
    place.run(&run).code(FINISHED);
    place.run(&run).code(FINISHED);
    assert_eq!(changes(), 4);
}

#[test]
fn without_a_configuration_nothing_of_it_is_told() {
    let place = Place::new();
    place.run(&["run", "What is 2 + 3?"]).code(FINISHED).answers("2 + 3 = 5");
    let told = place.run(&["audit", "search", "--action", "config.change"]).code(FINISHED);
    told.says("no entry fits");
}
