//! The kinds of questions: Cedar's actions.
//!
//! What operators do is an open list and one action, `administer`, so that a new command
//! needs no new schema; its name is in the context.

use std::sync::LazyLock;

use cedar_policy::{ActionConstraint, EntityUid, Policy};
use engine::ports::Action;

use crate::facts::{TYPES, uid};

/// A kind of question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    RunStart,
    ModelCall,
    ToolCall,
    ApprovalDecide,
    CapRaise,
    Administer,
}

/// Every kind, in the order of the enum.
pub(crate) const KINDS: [Kind; 6] = [
    Kind::RunStart,
    Kind::ModelCall,
    Kind::ToolCall,
    Kind::ApprovalDecide,
    Kind::CapRaise,
    Kind::Administer,
];

static UIDS: LazyLock<[EntityUid; 6]> =
    LazyLock::new(|| KINDS.map(|kind| uid(&TYPES.action, kind.name())));

impl Kind {
    /// The kind of an action.
    pub(crate) fn of(action: &Action<'_>) -> Kind {
        match action {
            Action::RunStart { .. } => Kind::RunStart,
            Action::ModelCall { .. } => Kind::ModelCall,
            Action::ToolCall(_) => Kind::ToolCall,
            Action::ApprovalDecide { .. } => Kind::ApprovalDecide,
            Action::CapRaise { .. } => Kind::CapRaise,
            Action::Administer { .. } => Kind::Administer,
        }
    }

    /// Its name in policies.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::RunStart => "run.start",
            Kind::ModelCall => "model.call",
            Kind::ToolCall => "tool.call",
            Kind::ApprovalDecide => "approval.decide",
            Kind::CapRaise => "cap.raise",
            Kind::Administer => "administer",
        }
    }

    /// Its name in requests.
    pub(crate) fn uid(self) -> EntityUid {
        UIDS[self as usize].clone()
    }

    /// The kinds that a policy can apply to.
    pub(crate) fn of_policy(policy: &Policy) -> Vec<Kind> {
        let named = |uids: &[EntityUid]| {
            KINDS.into_iter().filter(|kind| uids.contains(&UIDS[*kind as usize])).collect()
        };
        match policy.action_constraint() {
            ActionConstraint::Any => KINDS.to_vec(),
            ActionConstraint::In(uids) => named(&uids),
            ActionConstraint::Eq(uid) => named(&[uid]),
        }
    }
}
