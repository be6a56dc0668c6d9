//! What people do to a session, at any moment. Refusals are lawful; damage is not.

use std::collections::BTreeMap;

use kernel::event::SessionScope;
use kernel::ledger::Allowance;
use kernel::run::Given;
use kernel::units::{Money, SessionId, Tenant};

use crate::Engine;
use crate::door::Task;
use crate::error::EngineError;
use crate::ports::{Principal, StoreError};

/// One thing that somebody does.
pub(super) enum Deed {
    Nothing,
    Cancel,
    Say,
    Wake { turns_more: Option<u32>, cap: Option<Money> },
    Fork { at: u64 },
    Raise { which: usize, by: u64 },
    Answer { approve: bool },
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
            11 => Deed::Raise { which: chance.usize(0..4), by: chance.u64(1..1_000_000) },
            12..=14 => Deed::Answer { approve: chance.u32(0..3) > 0 },
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
            Deed::Answer { approve } => answer(engine, tenant, session, approve).await,
            Deed::Raise { which, by } => raise(engine, tenant, which, by).await,
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

/// Answers the first thing that is asked about the session.
async fn answer(
    engine: &Engine,
    tenant: &Tenant,
    session: SessionId,
    approve: bool,
) -> Result<(), EngineError> {
    let asked = engine.approvals_of(tenant, session).await?;
    let Some(first) = asked.into_iter().next() else { return Ok(()) };
    let who = somebody(tenant);
    let (call, arguments) = (first.call, first.ask.arguments);
    let by = who.user.clone();
    let given = Given { call, arguments, approve, by, words: String::new() };
    engine.answer(&who, session, given).await
}

fn somebody(tenant: &Tenant) -> Principal {
    Principal {
        tenant: tenant.clone(),
        user: "sim".to_owned(),
        role: "operator".to_owned(),
        labels: BTreeMap::new(),
        agent: None,
    }
}

/// Raises the money cap of one of the shared scopes, in this window or in all of them.
async fn raise(engine: &Engine, tenant: &Tenant, which: usize, by: u64) -> Result<(), EngineError> {
    let caps = engine.caps(tenant, "").await?;
    let Some((scope, balance)) = caps.get(which) else { return Ok(()) };
    let scope = if by.is_multiple_of(2) { scope.clone() } else { scope.lasting() };
    let same = caps.iter().filter(|(each, _)| *each == scope || each.lasting() == scope);
    let highest = same.filter_map(|(_, balance)| balance.cap.money).max();
    let money = highest.map(|cap| cap.plus(Money(by)));
    let cap = Some(Allowance { money, ..balance.cap });
    engine.set_cap(&somebody(tenant), &SessionScope::default(), &scope, cap).await.map(drop)
}
