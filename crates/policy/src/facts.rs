//! A question in Cedar's words: who asks, what for, and what is known about it.
//!
//! Only what can matter is built: the person with their parents, and the thing that is
//! asked for. Whatever a tenant names itself (users, teams, keys) carries the tenant's
//! name, so that two tenants' `ada` are two people.

mod context;

pub(crate) use context::OF_THE_CALL;

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
};
use engine::ports::{Action, Principal, Question};

use crate::groups::Groups;
use crate::kind::Kind;

/// A question, ready for Cedar.
pub(crate) struct Case {
    pub(crate) kind: Kind,
    pub(crate) request: Request,
    pub(crate) entities: Entities,
    /// What policies may be filed under that can apply: the principal, the resource, and
    /// the parents of both.
    pub(crate) keys: Vec<EntityUid>,
}

/// Why a question cannot be put to Cedar.
#[derive(Debug, thiserror::Error)]
#[error("the question cannot be put to the policies: {0}")]
pub(crate) struct NotACase(String);

/// The names of Cedar types, read once.
pub(crate) struct Types {
    pub(crate) action: EntityTypeName,
    pub(crate) user: EntityTypeName,
    pub(crate) tenant: EntityTypeName,
    pub(crate) role: EntityTypeName,
    pub(crate) team: EntityTypeName,
    pub(crate) key: EntityTypeName,
    pub(crate) agent: EntityTypeName,
    pub(crate) model: EntityTypeName,
    pub(crate) tool: EntityTypeName,
    pub(crate) cap: EntityTypeName,
    pub(crate) target: EntityTypeName,
    pub(crate) tools: EntityTypeName,
    pub(crate) models: EntityTypeName,
    pub(crate) hosts: EntityTypeName,
    pub(crate) paths: EntityTypeName,
    pub(crate) commands: EntityTypeName,
    pub(crate) trust: EntityTypeName,
    pub(crate) effect: EntityTypeName,
    pub(crate) verdict: EntityTypeName,
}

/// The types of the schema.
pub(crate) static TYPES: LazyLock<Types> = LazyLock::new(|| {
    let name = |name: &str| {
        name.parse::<EntityTypeName>().expect("INVARIANT: types of the schema have plain names")
    };
    Types {
        action: name("Action"),
        user: name("User"),
        tenant: name("Tenant"),
        role: name("Role"),
        team: name("Team"),
        key: name("Key"),
        agent: name("Agent"),
        model: name("Model"),
        tool: name("Tool"),
        cap: name("Cap"),
        target: name("Target"),
        tools: name("Tools"),
        models: name("Models"),
        hosts: name("Hosts"),
        paths: name("Paths"),
        commands: name("Commands"),
        trust: name("Trust"),
        effect: name("Effect"),
        verdict: name("Verdict"),
    }
});

/// One entity's name.
pub(crate) fn uid(of_type: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(of_type.clone(), EntityId::new(id))
}

impl Case {
    /// Puts a question into Cedar's words.
    pub(crate) fn of(question: &Question<'_>, groups: &Groups) -> Result<Case, NotACase> {
        let kind = Kind::of(&question.action);
        let (principal, who) = person(question.who)?;
        let (resource, what) = thing(&question.action, groups)?;
        let mut keys = Vec::with_capacity(8);
        keys.extend([principal.clone(), resource.clone()]);
        keys.extend(who.1.iter().chain(&what.1).cloned());
        // An agent that begins itself is a parent and the resource.
        keys.sort();
        keys.dedup();
        let context = Context::from_pairs(context::pairs(question, groups)).map_err(not)?;
        let entities = [entity(who.0, who.1)?, entity(what.0, what.1)?];
        Ok(Case {
            kind,
            request: Request::new(principal, kind.uid(), resource, context, None).map_err(not)?,
            entities: Entities::from_entities(entities, None).map_err(not)?,
            keys,
        })
    }
}

/// An entity without its parents: name, attributes, tags.
type Bare = (EntityUid, HashMap<String, RestrictedExpression>, Vec<(String, RestrictedExpression)>);

fn entity(bare: Bare, parents: HashSet<EntityUid>) -> Result<Entity, NotACase> {
    Entity::new_with_tags(bare.0, bare.1, parents, bare.2).map_err(not)
}

fn not(error: impl std::fmt::Display) -> NotACase {
    NotACase(error.to_string())
}

/// What a tenant names itself. A slash in the tenant's name would make two names one.
fn within(tenant: &str, name: &str) -> Result<String, NotACase> {
    if tenant.contains('/') {
        return Err(NotACase(format!("the tenant's name `{tenant}` holds a `/`")));
    }
    Ok(format!("{tenant}/{name}"))
}

fn person(who: &Principal) -> Result<(EntityUid, (Bare, HashSet<EntityUid>)), NotACase> {
    let tenant = who.tenant.0.as_str();
    let principal = uid(&TYPES.user, &within(tenant, &who.user)?);
    let mut parents = HashSet::with_capacity(5);
    parents.insert(uid(&TYPES.tenant, tenant));
    parents.insert(uid(&TYPES.role, &who.role));
    if let Some(team) = who.labels.get("team") {
        parents.insert(uid(&TYPES.team, &within(tenant, team)?));
    }
    if let Some(key) = who.labels.get("key") {
        parents.insert(uid(&TYPES.key, &within(tenant, key)?));
    }
    parents.extend(who.agent.as_ref().map(|agent| uid(&TYPES.agent, agent)));
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    let attributes = HashMap::from([
        ("name".to_owned(), text(&who.user)),
        ("tenant".to_owned(), text(tenant)),
        ("by_agent".to_owned(), RestrictedExpression::new_bool(who.agent.is_some())),
    ]);
    let tags = who.labels.iter().map(|(key, value)| (key.clone(), text(value))).collect();
    Ok((principal.clone(), ((principal, attributes, tags), parents)))
}

fn thing(
    action: &Action<'_>,
    groups: &Groups,
) -> Result<(EntityUid, (Bare, HashSet<EntityUid>)), NotACase> {
    let types = &*TYPES;
    let grouped = |of_type: &EntityTypeName, names: std::collections::BTreeSet<&str>| {
        names.into_iter().map(|name| uid(of_type, name)).collect::<HashSet<_>>()
    };
    let tool = |tool: &str| grouped(&types.tools, groups.of_tool(tool));
    let (of_type, name, parents) = match action {
        Action::RunStart { agent, .. } => (&types.agent, *agent, HashSet::new()),
        Action::ModelCall { model } => {
            (&types.model, *model, grouped(&types.models, groups.of_model(model)))
        }
        Action::ToolCall(call) => (&types.tool, call.tool, tool(call.tool)),
        Action::ApprovalDecide { tool: name, .. } => (&types.tool, *name, tool(name)),
        Action::CapRaise { scope } => (&types.cap, *scope, HashSet::new()),
        Action::Administer { resource, .. } => (&types.target, *resource, HashSet::new()),
    };
    let resource = uid(of_type, name);
    let attributes =
        HashMap::from([("name".to_owned(), RestrictedExpression::new_string(name.to_owned()))]);
    Ok((resource.clone(), ((resource, attributes, Vec::new()), parents)))
}
