//! What to do next about an error, in the words of this command line. The floors below
//! know laws, not flags: they say what is wrong, and this says what to type.

use engine::error::EngineError;
use engine::ports::StoreError;
use kernel::run::Refusal;
use kernel::verdict::{Judgement, Verdict};

/// One line of advice, where there is any beyond what the error says itself.
pub(crate) fn of(error: &anyhow::Error) -> Option<String> {
    match error.downcast_ref::<EngineError>() {
        Some(EngineError::Denied(judgement)) => Some(of_denial(judgement)),
        Some(_) | None => plain(error).map(str::to_owned),
    }
}

/// Who denied it: a policy's name leads to its text.
fn of_denial(judgement: &Judgement) -> String {
    let by: Vec<String> = judgement.by.iter().map(|name| format!("`{name}`")).collect();
    let asked = match judgement.verdict {
        Verdict::Ask => "; it asks, and there is nobody to be asked",
        Verdict::Allow | Verdict::Deny => "",
    };
    format!(
        "the policy {} says so{asked}; nothing was changed\n\
         `windlass policy explain` shows why, and `people` in the installation's file says who \
         has which role",
        by.join(", ")
    )
}

fn plain(error: &anyhow::Error) -> Option<&'static str> {
    match error.downcast_ref::<EngineError>() {
        Some(EngineError::Refused(refusal)) => of_refusal(refusal),
        Some(EngineError::Store(store)) => of_store(store),
        Some(EngineError::Damaged { .. }) => Some(
            "nothing was changed; leave the store as it is and restore it from a backup\n\
             `windlass log SESSION` shows the events before the damage",
        ),
        Some(
            EngineError::Denied(_)
            | EngineError::Agent(_)
            | EngineError::Contended { .. }
            | EngineError::Unfit(_)
            | EngineError::Crashed { .. },
        ) => None,
        None => error.downcast_ref::<StoreError>().and_then(of_store),
    }
}

fn of_refusal(refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::NotParked => Some(
            "nothing is left to resume; `windlass run --session SESSION \"…\"` gives it \
             another task",
        ),
        Refusal::NothingToCancel => Some("`windlass sessions show SESSION` tells how it ended"),
        Refusal::CostCapExceeded(_) => {
            Some("`windlass resume SESSION --budget USD` gives the run a new cap")
        }
        Refusal::NoPrice { .. } => {
            Some("an agent's file has `price` for the one and `budget_usd: none` for the other")
        }
        Refusal::RunActive { .. } | Refusal::RunParked { .. } => {
            Some("`windlass resume SESSION` or `windlass sessions cancel SESSION`")
        }
        Refusal::AwaitsApproval { .. } => {
            Some("`windlass approvals list` shows what is asked and how to answer")
        }
        Refusal::NotAsked { .. } => Some("`windlass approvals list` shows what is asked"),
        Refusal::Delegated { .. } => {
            Some("`windlass sessions fork SESSION` makes one that is yours")
        }
        Refusal::NotOpen
        | Refusal::EmptyTask
        | Refusal::NotDue
        | Refusal::UncappedChild { .. }
        | Refusal::NotAwaited
        | Refusal::Answered { .. }
        | Refusal::MidAct => None,
    }
}

fn of_store(error: &StoreError) -> Option<&'static str> {
    match error {
        StoreError::Missing(_) => Some("`windlass sessions list` shows what there is"),
        StoreError::Fenced { .. } => {
            Some("another process took the session over; `windlass log SESSION --follow` shows it")
        }
        StoreError::Full(_) => {
            Some("what was committed is safe; `windlass resume last` goes on once there is room")
        }
        StoreError::Erased(_) => Some(
            "what it cost is still in `windlass spend`, what was done in `windlass audit search`",
        ),
        StoreError::Locked { .. }
        | StoreError::Stale { .. }
        | StoreError::Held { .. }
        | StoreError::Cap(_)
        | StoreError::Damaged(_)
        | StoreError::Unavailable(_)
        | StoreError::Misused(_) => None,
    }
}
