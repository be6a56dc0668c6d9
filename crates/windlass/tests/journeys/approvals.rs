//! Calls that somebody is asked about: the run parks, somebody entitled answers or nobody
//! does in time, and the run goes on either way. The audit has all of it.

use rusqlite::Connection;

use crate::place::{BROKEN, Ended, FINISHED, PARKED, Place, REFUSED, database};

/// An agent that writes a file and says how that went.
const WRITER: &str = "agent_id: writer
model: script:write.yaml
system_prompt: You write.
allowed_tools: [read, write, end_task]
";

const WRITE: &str = "turns:
  - tools: [{name: write, id: w1, input: {path: out.txt, content: \"five\\n\"}}]
  - either:
      - when: (5 bytes)
        tools: [{name: end_task, input: {result: it is written}}]
      - when: accountants
        tools: [{name: end_task, input: {result: the accountants are asked}}]
      - tools: [{name: end_task, input: {result: it was not to be}}]
";

/// Policies that ask about `write`, and let members answer nothing.
const ASKING: &str = r#"about: agents of this house ask before they write
policies: |
  @id("work")
  @reason("everybody works with agents")
  permit (principal, action in [Action::"run.start", Action::"model.call", Action::"tool.call"], resource);

  @id("writing-asks")
  @verdict("ask")
  @reason("somebody looks before a file is written")
  forbid (principal, action == Action::"tool.call", resource == Tool::"write");

  @id("answers")
  @reason("approvers answer")
  permit (principal in Role::"approver", action == Action::"approval.decide", resource);

  @id("audit")
  @reason("approvers read the audit")
  permit (principal in Role::"approver", action == Action::"administer", resource)
  when { context.name == "audit.read" };

examples:
  - when: { tool: write }
    then: ask
    by: [writing-asks]
"#;

const HOUSE: &str = "policy: ./asking.yaml
environment: staging
people:
  roles: {ann: approver, local: approver}
";

/// A folder with that agent, and these sections of the installation's file.
fn place(installation: &str) -> Place {
    let place = Place::new();
    place.write("agent.yaml", WRITER);
    place.write("write.yaml", WRITE);
    place.write("asking.yaml", ASKING);
    place.write("windlass.yaml", installation);
    place
}

const RUN: [&str; 4] = ["run", "--agent", "agent.yaml", "write"];

fn search(place: &Place, action: &str) -> Vec<serde_json::Value> {
    place.run(&["audit", "search", "--action", action, "--json"]).code(FINISHED).json()
}

#[test]
fn an_ask_parks_and_an_approval_lets_the_call_run() {
    let place = place(HOUSE);
    let parked = place.run(&RUN).code(PARKED).says("somebody must say whether write may run");
    assert!(!place.path("out.txt").exists(), "{parked}");
    let listed = place.run(&["approvals", "list"]).code(FINISHED);
    listed.says("writer for local asks for write").says("somebody looks before").says("out.txt");
    place.run(&["resume", "last"]).code(REFUSED).says("windlass approvals list");
    place.run(&["--user", "bob", "approvals", "approve", "last"]).code(REFUSED);
    assert!(!place.path("out.txt").exists());

    let approved = place.run(&["--user", "ann", "approvals", "approve", "last"]).code(FINISHED);
    approved.says("the run goes on with: windlass resume ");
    place.run(&["resume", "last"]).code(FINISHED).answers("it is written");
    assert_eq!(place.read("out.txt"), "five\n");

    let decided = search(&place, "approval.decide");
    assert_eq!(decided.len(), 1, "{decided:?}");
    assert_eq!((&decided[0]["user"], &decided[0]["subject"]), (&"ann".into(), &"write".into()));
    assert_eq!(decided[0]["environment"], "staging", "{decided:?}");
    let called = search(&place, "tool.call");
    let write = called.iter().find(|one| one["subject"] == "write").expect("it was called");
    assert_eq!(write["verdict"], "ask", "{write}");
    assert_eq!(write["by"], serde_json::json!(["asking/writing-asks"]), "{write}");
    assert_eq!(search(&place, "approval.ask").len(), 1);
}

#[test]
fn a_denial_is_told_to_the_model_in_words_and_the_run_goes_on() {
    let place = place(HOUSE);
    place.run(&RUN).code(PARKED);
    let words = ["approvals", "deny", "last", "--say", "ask the accountants first"];
    place.run(&words).code(FINISHED).says("denied: write");
    place.run(&["resume", "last"]).code(FINISHED).answers("the accountants are asked");
    assert!(!place.path("out.txt").exists());
    place.run(&["approvals", "list"]).code(FINISHED).says("nothing is asked");
    place.run(&["approvals", "approve", "last"]).says("nothing is asked in this session");
}

#[test]
fn nobodys_answer_in_time_means_no() {
    let place = place(HOUSE);
    place.write("agent.yaml", format!("{WRITER}approval_minutes: 0.02\n"));
    // The command waits out what is short by itself.
    let ended = place.run(&RUN).code(FINISHED).answers("it was not to be");
    ended.says("nobody has answered yet").does_not_say("provider");
    assert!(!place.path("out.txt").exists());
}

#[test]
fn four_eyes_are_two_people() {
    let people = "people: {roles: {local: approver, ann: approver, bob: member}}\n";
    let place = place(&format!("policy: approvals\n{people}"));
    place.run(&RUN).code(PARKED);
    let own = place.run(&["approvals", "approve", "last"]).code(REFUSED);
    own.says("nobody approves what they asked for themselves").says("`approvals/four-eyes`");
    let member = place.run(&["--user", "bob", "approvals", "approve", "last"]).code(REFUSED);
    member.says("no policy permits").says("role `member`").says("nothing was changed");
    place.run(&["--user", "ann", "approvals", "approve", "last"]).code(FINISHED);
    place.run(&["resume", "last"]).code(FINISHED).answers("it is written");
}

#[test]
fn an_answer_about_a_childs_call_wakes_its_parent() {
    let place = place(HOUSE);
    let agent = WRITER.replace("[read, write,", "[delegate, write,");
    place.write("agent.yaml", agent);
    place.write(
        "write.yaml",
        "turns:
  - either:
      - when: write five
        tools: [{name: write, id: w1, input: {path: out.txt, content: \"five\\n\"}}]
      - tools: [{name: delegate, id: d1, input: {task: \"write five, please\"}}]
  - either:
      - when: (5 bytes)
        tools: [{name: end_task, input: {result: the child wrote}}]
      - tools: [{name: end_task, input: {result: the parent is done}}]
",
    );
    let parked = place.run(&["run", "--agent", "agent.yaml", "begin", "--json"]).code(PARKED);
    let parent = parked.json().pop().expect("there is a result")["session"].clone();
    let asked = place.run(&["approvals", "list", "--json"]).code(FINISHED).json();
    assert_eq!(asked.len(), 1, "{parked}");
    let child = asked[0]["session"].as_str().expect("it has a session").to_owned();
    assert_ne!(parent, serde_json::json!(child), "the child's call is asked about");
    place.run(&["--user", "ann", "approvals", "approve", &child]).code(FINISHED);
    let parent = parent.as_str().expect("it is an id");
    place.run(&["resume", parent]).answers("the parent is done");
    assert_eq!(place.read("out.txt"), "five\n");
}

#[test]
fn the_audit_is_searched_verified_and_exported_and_tampering_is_found() {
    let place = place(HOUSE);
    place.run(&RUN).code(PARKED);
    place.run(&["approvals", "approve", "last"]).code(FINISHED);
    place.run(&["resume", "last"]).code(FINISHED);
    place.run(&["audit", "verify"]).code(FINISHED).says("whole: ");
    place.run(&["audit", "export", "--out", "audit.jsonl"]).code(FINISHED);
    let lines = place.read("audit.jsonl");
    for action in ["config.change", "session.open", "approval.ask", "approval.decide"] {
        assert!(lines.contains(action), "{action} is not in\n{lines}");
    }
    place.run(&["audit", "verify", "audit.jsonl"]).code(FINISHED).says("signed by");
    place.write(
        "cut.jsonl",
        lines.replace("\\\"user\\\":\\\"local\\\"", "\\\"user\\\":\\\"loca1\\\""),
    );
    altered(place.run(&["audit", "verify", "cut.jsonl"]));

    let store = Connection::open(database(&place)).expect("it is SQLite");
    let change = "update audit set body = cast(replace(cast(body as text), '\"local\"', '\"loca1\"') as blob) where seq = 3";
    assert_eq!(store.execute(change, []).expect("the store takes it"), 1);
    altered(place.run(&["audit", "verify"]));
    altered(place.run(&["audit", "search"]));
    let stranger = place.run(&["--user", "bob", "audit", "verify"]).code(REFUSED);
    stranger.says("`asking` says so");
}

#[track_caller]
fn altered(ended: Ended) {
    ended.code(BROKEN).says("altered");
}
