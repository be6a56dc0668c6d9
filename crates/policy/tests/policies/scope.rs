//! What a session gets of its agent's tools, and why not the others.

use std::collections::{BTreeMap, BTreeSet};

use engine::ports::Principal;
use kernel::agent::{Effect, EffectRule, ToolSpec};
use kernel::units::Tenant;
use kernel::verdict::Trust;
use policy::scope::{Composed, ScopeRules, Wanted, compose};
use policy::{Policies, PolicySet, TenantSet, template};

fn tool(name: &str, effect: EffectRule) -> ToolSpec {
    ToolSpec {
        name: name.into(),
        description: String::new(),
        input_schema: serde_json::json!({}),
        effect,
        deadline_ms: 1_000,
        output_bytes_max: 1_000,
        untrusted: false,
        sensitive: false,
    }
}

fn tools() -> Vec<ToolSpec> {
    let reads = ["read", "grep", "web_fetch", "end_task"];
    let changes = ["write", "edit", "bash", "github__create_issue"];
    let notes = EffectRule::ByField { field: "action".into(), reads: vec!["list".into()] };
    let reads = reads.map(|name| tool(name, EffectRule::Always(Effect::Read)));
    let changes = changes.map(|name| tool(name, EffectRule::Always(Effect::Effect)));
    let delegate = tool("delegate", EffectRule::Always(Effect::Idempotent));
    reads.into_iter().chain(changes).chain([tool("notes", notes), delegate]).collect()
}

const RULES: &str = "
task_types:
  research: { tools: [read, grep, 'web_*'], trust: read_only }
  coding: { trust: elevated }
roles:
  guest: { trust: read_only }
tenants:
  acme: { trust: standard }
  globex: { tools: [read] }
";

fn rules() -> ScopeRules {
    serde_saphyr::from_str(RULES).unwrap()
}

fn scope(
    policies: &Policies,
    tenant: &str,
    role: &str,
    task_type: Option<&str>,
    trust: Trust,
) -> Composed {
    let who = Principal {
        tenant: Tenant(tenant.into()),
        user: "ada".into(),
        role: role.into(),
        labels: BTreeMap::new(),
        agent: Some("helper".into()),
    };
    let wanted = Wanted {
        who: &who,
        environment: "development",
        tools: &tools(),
        sensitive: &BTreeSet::new(),
        trust,
        task_type,
    };
    compose(&wanted, &rules(), policies).unwrap()
}

fn of(name: &str) -> Policies {
    Policies::new(template(name).unwrap().set(), BTreeMap::new())
}

#[track_caller]
fn check(composed: &Composed, trust: Trust, kept: &[&str]) {
    let names = composed.tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>();
    assert_eq!(composed.trust, trust);
    assert_eq!(names, kept, "dropped: {:?}", composed.dropped);
    assert_eq!(composed.tools.len() + composed.dropped.len(), tools().len());
    for dropped in &composed.dropped {
        assert!(!dropped.by.is_empty() && !dropped.reason.is_empty(), "{dropped:?}");
    }
}

const READS: [&str; 6] = ["read", "grep", "web_fetch", "end_task", "notes", "delegate"];
const INSIDE: [&str; 8] =
    ["read", "grep", "web_fetch", "end_task", "write", "edit", "notes", "delegate"];

#[test]
fn trust_decides_which_tools_there_are() {
    let policies = of("default");
    let at = |trust| scope(&policies, "local", "member", None, trust);
    check(&at(Trust::ReadOnly), Trust::ReadOnly, &READS);
    check(&at(Trust::Standard), Trust::Standard, &INSIDE);
    let all = tools().into_iter().map(|tool| tool.name).collect::<Vec<_>>();
    let all = all.iter().map(String::as_str).collect::<Vec<_>>();
    check(&at(Trust::Elevated), Trust::Elevated, &all);
}

#[test]
fn a_dropped_tool_has_its_reason() {
    let composed = scope(&of("default"), "local", "member", None, Trust::Standard);
    let told = composed.dropped.iter().map(|one| (one.tool.as_str(), one.by.clone()));
    let told = told.collect::<BTreeMap<_, _>>();
    assert_eq!(told["github__create_issue"], ["laws/standard-stays-inside"]);
    assert_eq!(told["bash"], ["laws/shell-needs-elevated"]);
    let composed = scope(&of("read-only"), "local", "member", None, Trust::Elevated);
    check(&composed, Trust::Elevated, &READS);
    let write = composed.dropped.iter().find(|one| one.tool == "write").unwrap();
    assert_eq!(write.by, ["read-only"]);
    assert!(write.reason.starts_with("no policy permits"), "{}", write.reason);
}

#[test]
fn task_role_and_tenant_only_take_away() {
    let policies = of("full");
    let at = |tenant, role, task| scope(&policies, tenant, role, task, Trust::Elevated);
    let research = at("local", "member", Some("research"));
    check(&research, Trust::ReadOnly, &["read", "grep", "web_fetch", "end_task", "delegate"]);
    let write = research.dropped.iter().find(|one| one.tool == "write").unwrap();
    assert_eq!(write.by, ["task_type"]);
    check(&at("local", "guest", Some("coding")), Trust::ReadOnly, &READS);
    check(&at("acme", "member", Some("coding")), Trust::Standard, &INSIDE);
    check(&at("globex", "member", None), Trust::Elevated, &["read", "end_task", "delegate"]);
    // An elevated kind of task raises nothing.
    let low = scope(&policies, "local", "member", Some("coding"), Trust::ReadOnly);
    check(&low, Trust::ReadOnly, &READS);
}

#[test]
fn an_unknown_kind_of_task_is_refused() {
    let policies = of("default");
    let who = Principal {
        tenant: Tenant("local".into()),
        user: "ada".into(),
        role: "member".into(),
        labels: BTreeMap::new(),
        agent: None,
    };
    let wanted = Wanted {
        who: &who,
        environment: "development",
        tools: &tools(),
        sensitive: &BTreeSet::new(),
        trust: Trust::Standard,
        task_type: Some("reserch"),
    };
    let refused = compose(&wanted, &rules(), &policies).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "no task type is named `reserch`\n  hint: did you mean `research`?"
    );
}

#[test]
fn what_hangs_on_the_call_is_left_to_the_call() {
    let text = "groups:
  hosts: { ours: ['*.example.com'] }
policies: |
  @id(\"ours\")
  @reason(\"our hosts may be asked\")
  permit (principal, action == Action::\"tool.call\", resource == Tool::\"web_fetch\")
  when { context.trust != Trust::\"read_only\" && context.all_hosts.contains(Hosts::\"ours\") };

  @id(\"programs\")
  @reason(\"cargo may run\")
  permit (principal, action == Action::\"tool.call\", resource == Tool::\"bash\")
  when { context.commands == [\"cargo\"] && context.tainted };

  @id(\"hosts-only\")
  @reason(\"nothing else\")
  forbid (principal, action == Action::\"tool.call\", resource)
  unless { context.all_hosts.contains(Hosts::\"ours\") };
";
    let set = PolicySet::load(text, "ours").unwrap();
    let policies = Policies::new(set, BTreeMap::new());
    let at = |trust| scope(&policies, "local", "member", None, trust);
    check(&at(Trust::ReadOnly), Trust::ReadOnly, &[]);
    check(&at(Trust::Standard), Trust::Standard, &["web_fetch"]);
    check(&at(Trust::Elevated), Trust::Elevated, &["web_fetch", "bash"]);
}

#[test]
fn a_tenant_takes_tools_away() {
    let text = "policies: |
  @id(\"no-notes\")
  @reason(\"we keep no notes\")
  forbid (principal, action == Action::\"tool.call\", resource == Tool::\"notes\");
";
    let tenants =
        BTreeMap::from([(Tenant("local".into()), TenantSet::load(text, "local").unwrap())]);
    let policies = Policies::new(template("default").unwrap().set(), tenants);
    let composed = scope(&policies, "local", "member", None, Trust::Standard);
    let notes = composed.dropped.iter().find(|one| one.tool == "notes").unwrap();
    assert_eq!(
        (notes.by.as_slice(), notes.reason.as_str()),
        (["local/no-notes".to_owned()].as_slice(), "we keep no notes")
    );
    let other = scope(&policies, "other", "member", None, Trust::Standard);
    check(&other, Trust::Standard, &INSIDE);
}
