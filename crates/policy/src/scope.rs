//! The scope of a session: its tool list and trust, composed before the first call from
//! the agent, the kind of task, the role, the tenant and the policies.
//!
//! Each of them can only take away. A tool stays if some call of it could be allowed or
//! asked for; every call is judged again when it is made.

mod rules;

use std::collections::BTreeSet;

use engine::ports::{Action, Principal, Question, ToolQuestion};
use kernel::agent::{DELEGATE, END_TASK, Effect, EffectRule, MORE, ToolSpec};
use kernel::verdict::{Examined, Judgement, Trust};

use crate::layers::Policies;

pub use rules::{Limit, ScopeRules, UnknownTask};

/// Tools that reach nothing outside the session: no list needs to name them.
const OF_THE_SESSION: [&str; 3] = [END_TASK, MORE, DELEGATE];

/// What a session's scope is composed from.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Who begins it.
    pub who: &'a Principal,
    /// Where.
    pub environment: &'a str,
    /// The agent's tools, in the order in which the model is shown them.
    pub tools: &'a [ToolSpec],
    /// Those that are marked as not to be run on untrusted words.
    pub sensitive: &'a BTreeSet<String>,
    /// The agent's trust.
    pub trust: Trust,
    /// The kind of task, where it was told.
    pub task_type: Option<&'a str>,
}

/// A session's scope.
#[derive(Clone, Debug, PartialEq)]
pub struct Composed {
    /// How far its tools may reach: the least of what agent, task, role and tenant allow.
    pub trust: Trust,
    /// The tools that stay, in their order.
    pub tools: Vec<ToolSpec>,
    /// The tools that do not, and why.
    pub dropped: Vec<Dropped>,
}

/// A tool that a session does not get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Its name.
    pub tool: String,
    /// Who took it away: a policy's name, `task_type`, `role` or `tenant`.
    pub by: Vec<String>,
    /// Why, in words.
    pub reason: String,
}

/// Composes a session's scope.
///
/// # Errors
/// The kind of task is not configured. Nothing is guessed for it.
pub fn compose(
    wanted: &Wanted<'_>,
    rules: &ScopeRules,
    policies: &Policies,
) -> Result<Composed, UnknownTask> {
    let limits = rules.limits(wanted.who, wanted.task_type)?;
    let trust = limits.iter().filter_map(|(_, limit)| limit.trust).fold(wanted.trust, Trust::min);
    let mut composed = Composed { trust, tools: Vec::new(), dropped: Vec::new() };
    for tool in wanted.tools {
        match unlisted(tool, &limits).or_else(|| hopeless(tool, trust, wanted, policies)) {
            Some(dropped) => composed.dropped.push(dropped),
            None => composed.tools.push(tool.clone()),
        }
    }
    Ok(composed)
}

/// The list that a tool is missing in, if one is.
fn unlisted(tool: &ToolSpec, limits: &[(&'static str, &Limit)]) -> Option<Dropped> {
    if OF_THE_SESSION.contains(&tool.name.as_str()) {
        return None;
    }
    let (by, _) = limits.iter().find(|(_, limit)| !limit.lists(&tool.name))?;
    Some(Dropped {
        tool: tool.name.clone(),
        by: vec![(*by).to_owned()],
        reason: format!("the tools of the {} do not include it", by.replace('_', " ")),
    })
}

/// Why no call of a tool has a hope, if none has. A tool whose calls differ in effect
/// stays if one kind of them has.
fn hopeless(
    tool: &ToolSpec,
    trust: Trust,
    wanted: &Wanted<'_>,
    policies: &Policies,
) -> Option<Dropped> {
    let effects: &[Effect] = match &tool.effect {
        EffectRule::Always(effect) => &[*effect],
        EffectRule::ByField { .. } => &[Effect::Read, Effect::Effect],
    };
    let judge = |effect: &Effect| judge(tool, *effect, trust, wanted, policies);
    // All effects are without hope, or one of them stops the search.
    let judgements = effects.iter().map(judge).collect::<Option<Vec<_>>>()?;
    let judgement = judgements.into_iter().next()?;
    Some(Dropped {
        tool: tool.name.clone(),
        by: judgement.by,
        reason: judgement.reasons.join("; "),
    })
}

fn judge(
    tool: &ToolSpec,
    effect: Effect,
    trust: Trust,
    wanted: &Wanted<'_>,
    policies: &Policies,
) -> Option<Judgement> {
    let examined = Examined::nothing();
    policies.hopeless(&Question {
        who: wanted.who,
        session: None,
        action: Action::ToolCall(ToolQuestion {
            tool: &tool.name,
            effect,
            sensitive: wanted.sensitive.contains(&tool.name),
            examined: &examined,
        }),
        environment: wanted.environment,
        trust,
        tainted: false,
    })
}
