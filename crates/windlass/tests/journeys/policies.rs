//! The desk work with policies: shown, checked, tried, explained; and told what is wrong
//! with them wherever they are named.

use crate::place::{FINISHED, Place, USAGE};

const NARROW: &str = r#"policies: |
  @id("no-programs")
  @reason("nobody here has agents run programs")
  forbid (principal, action == Action::"tool.call", resource in Tools::"shell");

examples:
  - when: { tool: bash, trust: elevated, tenant: acme }
    then: deny
    by: [no-programs]
  - when: { tool: read, effect: read, tenant: acme }
    then: allow
"#;

#[test]
fn policies_are_shown_and_templates_are_beginnings() {
    let place = Place::new();
    let shown = place.run(&["policy", "show"]).code(FINISHED);
    shown
        .says("laws/caps-need-a-role")
        .says("default/outside-asks")
        .says("role admin, in development");
    let template = place.run(&["policy", "show", "approvals"]).code(FINISHED);
    place.write("mine.yaml", &template.out);
    let checked = place.run(&["policy", "check", "mine.yaml"]).code(FINISHED);
    checked.says("mine.yaml: ok").says("policies on 6 laws");
    place.run(&["config", "check", "mine.yaml"]).code(FINISHED).says("mine.yaml: ok");
    let tried = place.run(&["policy", "test", "mine.yaml", "full"]).code(FINISHED);
    tried.says("ok     mine:").says("template full: ").says(" examples, 0 failed");
    place.run(&["policy", "show", "aprovals"]).code(USAGE).says("there is no template");
    let all = place.run(&["policy", "show", "--json"]).code(FINISHED).json();
    assert!(all.iter().all(|one| one["reason"].is_string() && one["id"].is_string()));
}

#[test]
fn a_tenants_file_narrows_and_is_read_as_one() {
    let place = Place::new();
    std::fs::create_dir(place.path("policies")).expect("the folder takes one");
    place.write("policies/acme.yaml", NARROW);
    let alone = place.run(&["policy", "test", "policies/acme.yaml"]).code(USAGE);
    alone.says("1 failed");
    place.run(&["policy", "test", "--narrows", "policies/acme.yaml"]).code(FINISHED);
    place.write("windlass.yaml", "policy: {use: full, tenants: {acme: policies/acme.yaml}}\n");
    place.run(&["policy", "check", "policies/acme.yaml"]).code(FINISHED).says("that narrow");
    let bash = ["policy", "explain", "--tool", "bash", "--command", "ls", "--on-trust", "elevated"];
    place.run(&bash).code(FINISHED).says("allow by full/");
    let acme = place.run(&[&["--tenant", "acme"][..], &bash[..]].concat()).code(FINISHED);
    acme.says("deny by acme/no-programs");
}

#[test]
fn questions_are_answered_as_the_policies_here_do() {
    let place = Place::new();
    let explain = |more: &[&str]| place.run(&[&["policy", "explain"][..], more].concat());
    explain(&["--tool", "write", "--path", "src/main.rs"])
        .code(FINISHED)
        .says("allow by default/tools");
    explain(&["--tool", "write", "--path", "/etc/hosts"])
        .code(FINISHED)
        .says("ask by default/outside-asks")
        .says("near");
    explain(&["--action", "cap.raise", "--scope", "task"]).code(FINISHED).says("allow by");
    let member = ["--action", "cap.raise", "--scope", "task", "--as-role", "member"];
    explain(&member).code(FINISHED).says("deny by laws/caps-need-a-role");
    explain(&["--tool", "write", "--action", "tool.cal"])
        .code(USAGE)
        .says("did you mean `tool.call`?");
    explain(&[]).code(USAGE).says("is about a `tool`, and there is none");
    place.write("question.yaml", "{ tool: bash, trust: elevated, commands: [ls] }\n");
    let asked = explain(&["--file", "question.yaml", "--json"]).code(FINISHED).json();
    assert_eq!(asked[0]["judgement"]["verdict"], "ask");
    let piped = place
        .feed(&["policy", "explain", "--file", "-"], "{\"tool\": \"read\", \"effect\": \"read\"}");
    piped.code(FINISHED).says("allow by");
    place.write("question.yaml", "{ tol: bash }\n");
    explain(&["--file", "question.yaml"]).code(USAGE).says("question.yaml:1:3: ");
}

#[test]
fn what_is_wrong_with_a_policy_stops_every_command_at_its_place() {
    let place = Place::new();
    place.write("windlass.yaml", "policy: ./mine.yaml\n");
    let run = ["run", "What is 2 + 3?"];
    place
        .run(&run)
        .code(USAGE)
        .says("cannot read `")
        .says("mine.yaml")
        .says("give the path of a policy file");
    place.write("mine.yaml", NARROW.replace("Tools::\"shell\"", "Tools::\"shel\""));
    for words in [&run[..], &["sessions", "list"], &["config", "check", "windlass.yaml"]] {
        place.run(words).code(USAGE).says("mine.yaml:4:");
    }
    place.write("mine.yaml", NARROW);
    let lying = place.run(&run).code(USAGE);
    lying.says("mine.yaml:10:").says("an example does not hold");
    place.write("windlass.yaml", "policy: aprovals\n");
    place
        .run(&run)
        .code(USAGE)
        .says("windlass.yaml:1:9: there is no policy template `aprovals`")
        .says("did you mean `approvals`?");
    assert!(!place.path(".windlass").exists(), "nothing was begun");
}
