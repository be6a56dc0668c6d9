//! What holds of policy sets whatever their policies are.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use engine::ports::{Action, Policy as _, Question};
use kernel::units::Tenant;
use kernel::verdict::{Trust, Verdict};
use policy::{Asked, Outcome, Policies, PolicySet, Posed, TenantSet, template};

fn pose(text: &str) -> Posed {
    Asked::read(text, "question").unwrap().pose().unwrap()
}

/// A set that permits everything, with one more policy.
fn with(policy: &str) -> PolicySet {
    let text = format!(
        "policies: |\n  @id(\"all\") @reason(\"all may\") permit (principal, action, resource);\n  {policy}\n"
    );
    PolicySet::load(&text, "site").unwrap()
}

#[test]
fn a_policy_that_cannot_be_evaluated_denies_by_its_name() {
    let failing = "(principal, action, resource) when { 9223372036854775807 + 1 > 0 };";
    for head in ["permit", "forbid", "@verdict(\"ask\") forbid"] {
        let set = with(&format!("@id(\"broken\") @reason(\"r\") {head} {failing}"));
        let judgement = set.judge(&pose("{tool: read, effect: read}").question());
        assert_eq!(judgement.verdict, Verdict::Deny, "{head}");
        assert_eq!(judgement.by, ["site/broken"], "{head}");
        assert!(judgement.reasons[0].contains("overflow"), "{judgement:?}");
        let explanation = set.explain(&pose("{tool: read, effect: read}").question());
        let broken = explanation.policies.iter().find(|told| told.id == "site/broken").unwrap();
        assert!(matches!(broken.outcome, Outcome::Failed(_)), "{explanation}");
        assert_eq!(explanation.judgement, judgement);
    }
}

#[test]
fn what_no_policy_speaks_of_is_denied() {
    let policies = Policies::new(template("default").unwrap().set(), BTreeMap::new());
    let posed = pose("{action: nobody.knows, resource: this}");
    let judgement = policies.judge(&posed.question());
    assert_eq!((judgement.verdict, judgement.by), (Verdict::Deny, vec!["default".to_owned()]));
    // An operator's action that is named like another one is still an operator's action.
    let question = Question {
        action: Action::Administer { name: "tool.call", resource: "read" },
        ..posed.question()
    };
    assert_eq!(policies.judge(&question).verdict, Verdict::Deny);
}

#[test]
fn an_empty_set_denies_everything() {
    let set = PolicySet::load("policies: |\n  // nothing\n", "empty").unwrap();
    for question in ["{tool: read, effect: read}", "{action: run.start, agent: helper}"] {
        assert_eq!(set.judge(&pose(question).question()).verdict, Verdict::Deny);
    }
}

#[test]
fn what_is_not_permitted_is_not_asked_for_either() {
    let ask = "@id(\"ask\") @reason(\"r\") @verdict(\"ask\") forbid (principal, action, resource);";
    let set = PolicySet::load(&format!("policies: |\n  {ask}\n"), "asks").unwrap();
    let posed = pose("{tool: read, effect: read}");
    let judgement = set.judge(&posed.question());
    assert_eq!((judgement.verdict, judgement.by), (Verdict::Deny, vec!["asks".to_owned()]));
    let judgement = with(ask).judge(&posed.question());
    assert_eq!((judgement.verdict, judgement.by), (Verdict::Ask, vec!["site/ask".to_owned()]));
}

#[test]
fn at_most_a_hundred_mistakes_are_told() {
    let text = format!("policies: |\n{}", "  permit (principal, action, resource);\n".repeat(300));
    let problems = PolicySet::load(&text, "site").unwrap_err();
    assert_eq!(problems.len(), 100);
    assert_eq!((problems[0].line, problems[99].line), (2, 51));
}

#[test]
fn namesakes_of_two_tenants_are_two_people() {
    let set = with(
        "@id(\"not-ada\") @reason(\"r\") forbid (principal == User::\"acme/ada\", action, resource);",
    );
    let judged = |tenant: &str| {
        let posed = pose(&format!("{{tool: read, effect: read, user: ada, tenant: {tenant}}}"));
        set.judge(&posed.question()).verdict
    };
    assert_eq!(judged("acme"), Verdict::Deny);
    assert_eq!(judged("globex"), Verdict::Allow);
    let posed = pose("{tool: read, effect: read, user: x/ada, tenant: acme}");
    assert_eq!(set.judge(&posed.question()).verdict, Verdict::Allow);
    // `a/b` with `c` would be `a` with `b/c`.
    assert_eq!(judged("a/b"), Verdict::Deny);
}

#[test]
fn labels_are_tags_and_a_team_and_a_key_are_parents() {
    let set = with(
        "@id(\"eu\") @reason(\"r\") forbid (principal, action, resource)
  unless { principal.hasTag(\"region\") && principal.getTag(\"region\") == \"eu\" };
  @id(\"core\") @reason(\"r\") forbid (principal in Team::\"local/core\", action, resource);
  @id(\"ci\") @reason(\"r\") forbid (principal in Key::\"local/ci\", action, resource);",
    );
    let by = |more: &str| {
        let posed = pose(&format!("{{tool: read, effect: read{more}}}"));
        set.judge(&posed.question()).by
    };
    assert_eq!(by(", labels: {region: eu}"), ["site/all"]);
    assert_eq!(by(", labels: {region: us}"), ["site/eu"]);
    assert_eq!(by(""), ["site/eu"]);
    assert_eq!(by(", labels: {region: eu}, team: core"), ["site/core"]);
    assert_eq!(by(", labels: {region: eu}, key: ci"), ["site/ci"]);
}

#[test]
fn groups_speak_of_some_and_of_all() {
    let text = "groups:
  hosts: { ours: [example.com, '*.example.com'] }
  paths: { drafts: [drafts] }
  commands: { build: ['cargo*', make] }
  models: { small: ['*-mini'] }
policies: |
  @id(\"hosts\") @reason(\"r\")
  permit (principal, action == Action::\"tool.call\", resource)
  when { context.all_hosts.contains(Hosts::\"ours\") };
  @id(\"commands\") @reason(\"r\")
  permit (principal, action == Action::\"tool.call\", resource)
  when { context.all_commands.contains(Commands::\"build\") };
  @id(\"drafts\") @reason(\"r\")
  forbid (principal, action == Action::\"tool.call\", resource)
  when { context.any_path.contains(Paths::\"drafts\") };
  @id(\"small\") @reason(\"r\")
  permit (principal, action == Action::\"model.call\", resource in Models::\"small\");
";
    let set = PolicySet::load(text, "site").unwrap();
    let check = |question: &str, verdict: Verdict| {
        let judgement = set.judge(&pose(question).question());
        assert_eq!(judgement.verdict, verdict, "{question}: {judgement:?}");
    };
    check("{tool: f, effect: read, hosts: [a.example.com, example.com]}", Verdict::Allow);
    check("{tool: f, effect: read, hosts: [a.example.com, evil.com]}", Verdict::Deny);
    check("{tool: f, effect: read}", Verdict::Deny);
    check("{tool: bash, trust: elevated, commands: [make, cargo-nextest]}", Verdict::Allow);
    check("{tool: bash, trust: elevated, commands: [make, curl]}", Verdict::Deny);
    check("{tool: f, effect: read, hosts: [example.com], paths: [a, ./drafts/b]}", Verdict::Deny);
    check("{action: model.call, model: gpt-mini}", Verdict::Allow);
    check("{action: model.call, model: gpt}", Verdict::Deny);
}

#[test]
fn the_stricter_layer_wins_and_tells_why() {
    let tenant = TenantSet::load(
        "policies: |
  @id(\"quiet\")
  @reason(\"we fetch nothing\")
  forbid (principal, action == Action::\"tool.call\", resource == Tool::\"web_fetch\");

  @id(\"careful\")
  @verdict(\"ask\")
  @reason(\"we look at every change\")
  forbid (principal, action == Action::\"tool.call\", resource)
  when { context.effect != Effect::\"read\" };
examples:
  - when: { tool: web_fetch, effect: read }
    then: deny
    by: [quiet]
  - when: { tool: read, effect: read }
    then: allow
  - when: { tool: write }
    then: ask
    by: [careful]
",
        "acme",
    )
    .unwrap();
    assert_eq!(tenant.alone().warnings(), []);
    let tenants = BTreeMap::from([(Tenant("acme".into()), tenant)]);
    let policies = Policies::new(template("full").unwrap().set(), tenants);
    let by = |question: &str| {
        let judgement = policies.judge(&pose(question).question());
        (judgement.verdict, judgement.by.join(", "))
    };
    let all = |verdict, by: &str| (verdict, by.to_owned());
    assert_eq!(
        by("{tool: web_fetch, effect: read, tenant: acme}"),
        all(Verdict::Deny, "acme/quiet")
    );
    assert_eq!(by("{tool: web_fetch, effect: read}"), all(Verdict::Allow, "full/tools"));
    assert_eq!(by("{tool: write, tenant: acme}"), all(Verdict::Ask, "acme/careful"));
    assert_eq!(
        by("{tool: write, tenant: acme, paths: [/x]}"),
        all(Verdict::Ask, "full/outside-asks, acme/careful")
    );
    assert_eq!(by("{tool: bash, tenant: acme}"), all(Verdict::Deny, "laws/shell-needs-elevated"));
}

#[test]
fn a_thousand_policies_load_and_each_is_found() {
    let mut text =
        "policies: |\n  @id(\"all\") @reason(\"r\") permit (principal, action, resource);\n"
            .to_owned();
    for at in 0..1_000 {
        writeln!(
            text,
            "  @id(\"no-{at}\") @reason(\"not {at}\") forbid (principal in Team::\"local/t{at}\", action == Action::\"tool.call\", resource);"
        )
        .unwrap();
    }
    let set = PolicySet::load(&text, "large").unwrap();
    assert_eq!(set.len(), 1_001 + policy::laws().len());
    for at in [0, 1, 499, 999] {
        let posed = pose(&format!("{{tool: read, effect: read, team: t{at}}}"));
        assert_eq!(set.judge(&posed.question()).by, [format!("large/no-{at}")]);
    }
    let posed = pose("{tool: read, effect: read, team: t1000}");
    assert_eq!(set.judge(&posed.question()).by, ["large/all"]);
}

#[test]
fn a_set_is_not_named_like_the_laws() {
    let text = "policies: |\n  // nothing\n";
    for name in ["laws", "", "a/b", "a b"] {
        let problems = TenantSet::load(text, name).unwrap_err();
        assert_eq!(problems[0].words, format!("a set cannot be named `{name}`"));
        assert!(PolicySet::load(text, name).is_err());
    }
    for name in ["acme", "Acme_Corp.eu", "a-b"] {
        assert!(TenantSet::load(text, name).is_ok());
    }
}

#[test]
fn a_slip_is_not_taken_for_what_operators_do() {
    let kind = |action: &str| {
        let asked = Asked::read(&format!("{{action: {action}, resource: all}}"), "ask").unwrap();
        asked.pose().map(|posed| posed.question().action.name().to_owned())
    };
    for action in ["cap.list", "run.read", "audit.read", "key.create", "policy.change"] {
        assert_eq!(kind(action).as_deref(), Ok(action));
    }
    for slip in ["tool.cal", "tools.call", "runstart", "Cap.Raise", "administer", "a.b.c"] {
        assert_eq!(kind(slip).unwrap_err().words, format!("`{slip}` is no action"));
    }
}

#[test]
fn a_question_takes_defaults_and_refuses_slips() {
    let posed = pose("{\"tool\": \"read\"}");
    let question = posed.question();
    assert_eq!((question.trust, question.tainted), (Trust::Standard, false));
    assert_eq!(question.environment, "development");
    assert_eq!(question.who.role, "member");
    let problems = Asked::read("tool: read\ntrsut: standard\n", "ask.yaml").unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "ask.yaml:2:1: no field `trsut` is known here\n  hint: did you mean `trust`?"
    );
}
