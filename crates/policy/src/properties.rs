//! Properties of every policy set, tried on generated ones.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cedar_policy::{Authorizer, Decision, PolicySet as Cedar};
use engine::ports::Policy as _;
use kernel::units::Tenant;
use kernel::verdict::{Trust, Verdict};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::asked::{Asked, Posed};
use crate::layers::Policies;
use crate::set::{PolicySet, TenantSet};

const PRINCIPALS: [&str; 7] = [
    "principal",
    "principal == User::\"acme/ada\"",
    "principal in Role::\"admin\"",
    "principal in Tenant::\"acme\"",
    "principal in Team::\"acme/core\"",
    "principal in Agent::\"helper\"",
    "principal is User in Tenant::\"globex\"",
];

/// Actions with the resources and conditions that they can have.
const ACTIONS: [(&str, &[&str], &[&str]); 4] = [
    (
        "action == Action::\"tool.call\"",
        &[
            "resource",
            "resource == Tool::\"write\"",
            "resource == Tool::\"bash\"",
            "resource in Tools::\"workspace\"",
            "resource is Tool in Tools::\"shell\"",
        ],
        &[
            "",
            "when { context.effect == Effect::\"read\" }",
            "when { context.outside }",
            "unless { context.paths.contains(\"a\") }",
            "when { context.tainted && context.trust == Trust::\"elevated\" }",
        ],
    ),
    (
        "action == Action::\"run.start\"",
        &["resource", "resource == Agent::\"helper\""],
        &["", "when { context.tainted }"],
    ),
    (
        "action in [Action::\"run.start\", Action::\"tool.call\"]",
        &["resource"],
        &["", "when { context.environment == \"production\" }"],
    ),
    ("action", &["resource"], &["", "when { context.tainted }", "unless { principal.by_agent }"]),
];

/// A scope with conditions.
fn body() -> impl Strategy<Value = String> {
    (select(PRINCIPALS.to_vec()), select(ACTIONS.to_vec())).prop_flat_map(
        |(principal, (action, resources, conditions))| {
            (select(resources.to_vec()), select(conditions.to_vec())).prop_map(
                move |(resource, condition)| {
                    format!("({principal}, {action}, {resource}) {condition};")
                },
            )
        },
    )
}

/// A policy without its name: `permit`, `forbid`, or a `forbid` that asks.
fn policy(heads: &[&'static str]) -> impl Strategy<Value = String> + use<> {
    (select(heads.to_vec()), body()).prop_map(|(head, body)| format!("{head} {body}"))
}

const PERMIT: &str = "permit";
const FORBID: &str = "forbid";
const ASK: &str = "@verdict(\"ask\") forbid";

fn file(policies: &[String]) -> String {
    let mut text = "policies: |\n".to_owned();
    for (at, policy) in policies.iter().enumerate() {
        writeln!(text, "  @id(\"p{at}\") @reason(\"r\") {policy}").unwrap();
    }
    text + "\n"
}

fn base(policies: &[String]) -> PolicySet {
    PolicySet::read(&file(policies), "base").unwrap()
}

fn question() -> impl Strategy<Value = Posed> {
    let who = (select(vec!["acme", "globex"]), select(vec!["ada", "bert"]));
    let more = (select(vec!["member", "admin"]), select(vec![None, Some("core"), Some("edge")]));
    let agent = select(vec![None, Some("helper"), Some("other")]);
    let tool = select(vec![None, Some("write"), Some("bash"), Some("read"), Some("mcp__x")]);
    let trust = select(vec![Trust::ReadOnly, Trust::Standard, Trust::Elevated]);
    let effects = vec![kernel::agent::Effect::Read, kernel::agent::Effect::Effect];
    let facts = (trust, select(effects), any::<bool>(), any::<bool>(), any::<bool>());
    let path = select(vec![None, Some("a"), Some("/etc")]);
    (who, more, agent, tool, facts, path).prop_map(
        |((tenant, user), (role, team), agent, tool, facts, path)| {
            let (trust, effect, tainted, sensitive, production) = facts;
            let mut asked = Asked {
                tenant: tenant.into(),
                user: user.into(),
                role: role.into(),
                team: team.map(str::to_owned),
                agent: agent.map(str::to_owned),
                environment: if production { "production" } else { "development" }.into(),
                trust,
                tainted,
                ..Asked::default()
            };
            match tool {
                Some(tool) => {
                    asked.tool = Some(tool.into());
                    asked.effect = Some(effect);
                    asked.sensitive = sensitive;
                    asked.paths.extend(path.map(str::to_owned));
                }
                None => {
                    asked.action = "run.start".into();
                    asked.agent.get_or_insert("helper".into());
                }
            }
            asked.pose().unwrap()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn an_added_forbid_never_widens(
        before in vec(policy(&[PERMIT, PERMIT, FORBID, ASK]), 0..8),
        added in policy(&[FORBID, ASK]),
        questions in vec(question(), 1..12),
    ) {
        let (small, large) = (base(&before), base(&[before, vec![added]].concat()));
        for posed in questions {
            let (was, is) = (small.judge(&posed.question()), large.judge(&posed.question()));
            prop_assert!(is.verdict >= was.verdict, "{was:?} became {is:?} for {posed:?}");
        }
    }

    #[test]
    fn a_tenant_never_widens(
        of_base in vec(policy(&[PERMIT, PERMIT, FORBID, ASK]), 0..6),
        of_tenant in vec(policy(&[FORBID, ASK]), 0..4),
        questions in vec(question(), 1..12),
    ) {
        let alone = base(&of_base);
        let tenant = TenantSet::read(&file(&of_tenant), "acme").unwrap();
        let tenants = BTreeMap::from([(Tenant("acme".into()), tenant)]);
        let layered = Policies::new(base(&of_base), tenants);
        for posed in questions {
            let question = posed.question();
            let (was, is) = (alone.judge(&question), layered.judge(&question));
            prop_assert!(is.verdict >= was.verdict, "{was:?} became {is:?} for {posed:?}");
            if question.who.tenant.0 != "acme" {
                prop_assert_eq!(&is, &was, "another tenant's policies were heard");
            }
            prop_assert_eq!(&layered.explain(&question).judgement, &is);
        }
    }

    #[test]
    fn filing_loses_nothing(
        policies in vec(policy(&[PERMIT, PERMIT, FORBID]), 0..12),
        questions in vec(question(), 1..12),
    ) {
        let set = base(&policies);
        let every = set.rules().iter().map(|rule| rule.policy.clone());
        let every = Cedar::from_policies(every).unwrap();
        for posed in questions {
            let question = posed.question();
            let case = set.case(&question).unwrap();
            let plain = Authorizer::new().is_authorized(&case.request, &every, &case.entities);
            // Cedar knows no ask: there it is a `forbid` like the others.
            let allowed = set.judge(&question).verdict == Verdict::Allow;
            prop_assert_eq!(allowed, plain.decision() == Decision::Allow, "{:?}", posed);
        }
    }

    #[test]
    fn a_tool_without_hope_has_no_call_that_is_not_denied(
        policies in vec(policy(&[PERMIT, PERMIT, FORBID, ASK]), 0..8),
        questions in vec(question(), 1..12),
    ) {
        let set = base(&policies);
        for posed in questions {
            let question = posed.question();
            if matches!(question.action, engine::ports::Action::ToolCall(_))
                && set.hopeless(&question).is_some()
            {
                prop_assert_eq!(set.judge(&question).verdict, Verdict::Deny, "{:?}", posed);
            }
        }
    }

    #[test]
    fn what_is_asked_fits_the_schema(posed in question()) {
        let set = base(&[]);
        let question = posed.question();
        let case = set.case(&question).unwrap();
        let schema = crate::schema::with(crate::set::laws().groups());
        let request = cedar_policy::Request::new(
            case.request.principal().unwrap().clone(),
            case.request.action().unwrap().clone(),
            case.request.resource().unwrap().clone(),
            case.request.context().unwrap().clone(),
            Some(&schema),
        );
        prop_assert!(request.is_ok(), "{:?}", request.err());
    }
}
