//! What people do to a session, at any moment. Refusals are lawful; damage is not.

use kernel::units::{Money, SessionId, Tenant};

use crate::Engine;
use crate::door::Task;
use crate::error::EngineError;
use crate::ports::StoreError;

/// One thing that somebody does.
pub(super) enum Deed {
    Nothing,
    Cancel,
    Say,
    Wake { turns_more: Option<u32>, cap: Option<Money> },
    Fork { at: u64 },
}

impl Deed {
    pub(super) fn draw(chance: &mut fastrand::Rng, may_fork: bool) -> Self {
        match chance.u32(0..20) {
            0 => Deed::Cancel,
            1..=4 => Deed::Say,
            5..=9 => Deed::Wake {
                turns_more: chance.bool().then(|| chance.u32(1..6)),
                cap: chance.bool().then(|| Money(chance.u64(0..2_000_000))),
            },
            10 if may_fork => Deed::Fork { at: chance.u64(1..30) },
            _ => Deed::Nothing,
        }
    }

    pub(super) async fn done(
        self,
        engine: &Engine,
        tenant: &Tenant,
        session: SessionId,
    ) -> Result<(), String> {
        let done = match self {
            Deed::Nothing => Ok(()),
            Deed::Cancel => engine.cancel(tenant, session, "sim").await,
            Deed::Say => engine.say(tenant, session, Task::of("and now more")).await,
            Deed::Wake { turns_more, cap } => {
                engine.wake(tenant, session, "sim", turns_more, cap).await
            }
            Deed::Fork { at } => engine.fork(tenant, session, Some(at)).await.map(|_fork| ()),
        };
        match done {
            Ok(()) | Err(EngineError::Refused(_)) => Ok(()),
            Err(EngineError::Store(
                StoreError::Unavailable(_) | StoreError::Full(_) | StoreError::Missing(_),
            )) => Ok(()),
            Err(error) => Err(format!("interfere: {error}")),
        }
    }
}
