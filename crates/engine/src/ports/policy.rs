//! Deciding who may do what.
//!
//! A function of the question: no waiting, no outside. What an answer rests on is in the
//! question, so that the log can say later why it was given.

use std::collections::BTreeMap;

use kernel::agent::Effect;
use kernel::units::{SessionId, Tenant};
use kernel::verdict::{Examined, Judgement, Trust};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The tenant.
    pub tenant: Tenant,
    /// The tenant's user, or the person at the command line.
    pub user: String,
    /// The user's role: `member`, `operator`, `admin`, or one of the tenant's own.
    pub role: String,
    /// What else they belong to: `team`, `key`, ….
    pub labels: BTreeMap<String, String>,
    /// The agent on whose behalf, where it is one.
    pub agent: Option<String>,
}

/// What somebody wants to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action<'a> {
    /// Begin a session with an agent: the resource is the agent.
    RunStart {
        /// The agent's name.
        agent: &'a str,
        /// The kind of task, where it was told.
        task_type: Option<&'a str>,
    },
    /// Call a model.
    ModelCall {
        /// The model's name.
        model: &'a str,
    },
    /// Call a tool.
    ToolCall(ToolQuestion<'a>),
    /// Answer an ask.
    ApprovalDecide {
        /// The tool that was asked for.
        tool: &'a str,
        /// Who asked.
        asked_by: &'a str,
    },
    /// Set or raise a cap.
    CapRaise {
        /// The scope, as in the ledger.
        scope: &'a str,
    },
    /// Read or change what operators see and set: `audit.read`, `key.create`,
    /// `policy.change`, `secret.set`, `session.erase`, ….
    Administer {
        /// The action's name.
        name: &'a str,
        /// What it is done to.
        resource: &'a str,
    },
}

impl Action<'_> {
    /// The action's name in policies, log and audit.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Action::RunStart { .. } => "run.start",
            Action::ModelCall { .. } => "model.call",
            Action::ToolCall(_) => "tool.call",
            Action::ApprovalDecide { .. } => "approval.decide",
            Action::CapRaise { .. } => "cap.raise",
            Action::Administer { name, .. } => name,
        }
    }
}

/// A call of a tool, as a policy sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolQuestion<'a> {
    /// The tool's name.
    pub tool: &'a str,
    /// What running it twice would mean.
    pub effect: Effect,
    /// Whether the tool is marked as one that must not run on untrusted words.
    pub sensitive: bool,
    /// What the tool found out about the call.
    pub examined: &'a Examined,
}

/// A question with everything that its answer may rest on.
#[derive(Clone, Debug, PartialEq)]
pub struct Question<'a> {
    /// Who asks.
    pub who: &'a Principal,
    /// The session, where it is about one.
    pub session: Option<SessionId>,
    /// What they want.
    pub action: Action<'a>,
    /// Where: `development`, `staging`, `production`, ….
    pub environment: &'a str,
    /// How far the session's tools may reach.
    pub trust: Trust,
    /// Whether untrusted content came into the session.
    pub tainted: bool,
}

/// Who may do what.
pub trait Policy: Send + Sync {
    /// The verdict on a question. What no policy speaks of is denied.
    fn judge(&self, question: &Question<'_>) -> Judgement;
}
