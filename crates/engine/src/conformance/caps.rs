//! Shared caps: every scope of a hold or none, caps by configuration and by hand, and
//! sessions that wait for room.

use std::sync::Arc;

use kernel::ledger::{Allowance, Amount, Balance, Measure, Move, MoveKind, Scope};
use kernel::units::{Money, SessionId, Tenant, UnixMs};

use super::audit::record;
use super::sample::{Pen, brief, dollars, scope, session, shared};
use super::{Broken, Kept, fails, same, works};
use crate::audit::Record;
use crate::ports::{Brief, Commit, Status, Store, StoreError, Waits};

fn day(name: &str) -> Scope {
    shared("user-day", "ada", Some(name))
}

fn hold(scope: &Scope, money: u64, cap: Allowance) -> Move {
    let amount = Amount { money: Money(money), tokens: 10, requests: 1 };
    Move { scope: scope.clone(), kind: MoveKind::Hold { amount, cap: Some(cap) } }
}

fn settle(scope: &Scope, held: u64, spent: u64) -> Move {
    let amount = |money| Amount { money: Money(money), tokens: 10, requests: 1 };
    let kind = MoveKind::Settle { held: amount(held), spent: amount(spent) };
    Move { scope: scope.clone(), kind }
}

async fn balance(store: &dyn Store, tenant: &Tenant, scope: &Scope) -> Result<Balance, Broken> {
    let found = works("a balance reads", store.balance(tenant, scope).await)?;
    Ok(found.unwrap_or_default())
}

/// Each measure has its own cap, and one scope without room refuses all of them.
pub async fn every_scope_or_none(store: &Arc<dyn Store>) -> Kept {
    let mut pen = Pen::opened(&**store, "t", 1).await?;
    let (today, month) = (day("2026-11-21"), shared("tenant-month", "t", Some("2026-11")));
    let tokens = Allowance { tokens: Some(25), ..Allowance::NONE };
    let both = |money| vec![hold(&today, money, dollars(100)), hold(&month, money, tokens)];
    pen.write(&**store, Commit { moves: both(40), ..pen.notes(1) }).await?;
    pen.write(&**store, Commit { moves: both(40), ..pen.notes(1) }).await?;
    let full = |error: &StoreError| {
        matches!(error, StoreError::Cap(cap) if cap.scope == month
            && (cap.measure, cap.cap, cap.held, cap.needed) == (Measure::Tokens, 25, 20, 10))
    };
    let third = store.commit(Commit { moves: both(1), ..pen.notes(1) }).await;
    fails("tokens are capped beside money", third, full)?;
    let held = Amount { money: Money(80), tokens: 20, requests: 2 };
    for (scope, cap) in [(&today, dollars(100)), (&month, tokens)] {
        let expected = Balance { held, ..Balance::with_cap(cap) };
        let found = balance(&**store, &pen.tenant, scope).await?;
        same("L8: all scopes are held, or none", found, expected)?;
    }
    Ok(())
}

/// The cap of the last hold goes, until somebody sets one on the scope itself.
pub async fn caps_by_configuration_and_by_hand(store: &Arc<dyn Store>) -> Kept {
    let mut pen = Pen::opened(&**store, "t", 1).await?;
    let (today, tomorrow) = (day("2026-11-21"), day("2026-11-22"));
    let no_room = |error: &StoreError| matches!(error, StoreError::Cap(_));
    let with = |scope: &Scope, money, cap| vec![hold(scope, money, dollars(cap))];

    pen.write(&**store, Commit { moves: with(&today, 50, 50), ..pen.notes(1) }).await?;
    let refused = store.commit(Commit { moves: with(&today, 10, 50), ..pen.notes(1) }).await;
    fails("a hold without room is refused", refused, no_room)?;
    pen.write(&**store, Commit { moves: with(&today, 10, 60), ..pen.notes(1) }).await?;

    works("a cap is set", store.set_cap(&pen.tenant, &today, Some(dollars(61)), told()).await)?;
    let refused = store.commit(Commit { moves: with(&today, 2, 999), ..pen.notes(1) }).await;
    fails("a cap that was set goes before configuration", refused, no_room)?;
    pen.write(&**store, Commit { moves: with(&tomorrow, 90, 90), ..pen.notes(1) }).await?;

    let lasting = today.lasting();
    works(
        "a lasting cap is set",
        store.set_cap(&pen.tenant, &lasting, Some(dollars(70)), told()).await,
    )?;
    for scope in [&today, &tomorrow] {
        let found = balance(&**store, &pen.tenant, scope).await?;
        same("a lasting cap goes for the windows that are there", found.cap, dollars(70))?;
    }
    let later = day("2026-11-23");
    let refused = store.commit(Commit { moves: with(&later, 71, 999), ..pen.notes(1) }).await;
    fails("a lasting cap goes for windows to come", refused, no_room)?;
    pen.write(&**store, Commit { moves: with(&later, 70, 999), ..pen.notes(1) }).await?;

    works("a cap is given back", store.set_cap(&pen.tenant, &lasting, None, told()).await)?;
    pen.write(&**store, Commit { moves: with(&later, 20, 90), ..pen.notes(1) }).await?;
    let misused = |error: &StoreError| matches!(error, StoreError::Misused(_));
    let own = store.set_cap(&pen.tenant, &scope(1), Some(dollars(1)), told()).await;
    fails("a run's own cap is a fact of its log", own, misused)
}

/// Shared scopes are listed in the order of their keys, page by page, runs left out.
pub async fn shared_balances_are_listed(store: &Arc<dyn Store>) -> Kept {
    let mut pen = Pen::opened(&**store, "t", 1).await?;
    let scopes = [
        shared("agent", "a/b", None),
        shared("tenant-month", "t", Some("2026-11")),
        day("2026-11-21"),
    ];
    let held = scopes.iter().rev().map(|scope| hold(scope, 1, dollars(9)));
    let moves = held.chain([super::sample::grant(&scope(1), 5)]).collect();
    pen.write(&**store, Commit { moves, ..pen.notes(1) }).await?;
    let page = |after: String, rows_max| {
        let tenant = pen.tenant.clone();
        async move {
            let rows = store.shared_balances(&tenant, &after, rows_max).await;
            let rows = works("shared balances list", rows)?;
            Ok::<_, Broken>(rows.into_iter().map(|(scope, _)| scope).collect::<Vec<_>>())
        }
    };
    same("in the order of keys", page(String::new(), 9).await?, scopes.to_vec())?;
    same("a page", page(String::new(), 2).await?, scopes[..2].to_vec())?;
    same("the next page", page(scopes[0].to_string(), 9).await?, scopes[1..].to_vec())?;
    let other = Tenant("other".into());
    let foreign = works("list", store.shared_balances(&other, "", 9).await)?;
    same("L27: caps are each tenant's own", foreign.len(), 0)?;
    let tenants = works("tenants list", store.tenants().await)?;
    same("tenants with a session are listed", tenants, vec![pen.tenant.clone()])
}

/// L15: a session that waits for room is due as soon as it is there: others settled,
/// somebody raised the cap; and not before.
pub async fn waiting_for_room(store: &Arc<dyn Store>) -> Kept {
    let today = day("2026-11-21");
    let mut spender = Pen::opened(&**store, "t", 1).await?;
    let moves = vec![hold(&today, 80, dollars(100))];
    spender.write(&**store, Commit { moves, ..spender.notes(1) }).await?;
    let mut waiter = Pen::opened(&**store, "t", 2).await?;
    let waits = Some(Waits { scope: today.clone(), measure: Measure::Money, needed: 30 });
    waiter.brief = Brief { waits, ..brief(Status::Parked, Some(9_000)) };
    waiter.write(&**store, waiter.notes(1)).await?;
    let due = async |now| {
        let due = works("due sessions list", store.due(UnixMs(now), 9).await)?;
        Ok::<Vec<SessionId>, Broken>(due.into_iter().map(|(_, session)| session).collect())
    };
    same("without room a session is not due", due(1_000).await?, vec![])?;
    same("its due time stays", due(9_000).await?, vec![session(2)])?;
    works(
        "a cap is raised",
        store.set_cap(&waiter.tenant, &today, Some(dollars(110)), told()).await,
    )?;
    same("room by a raised cap makes it due", due(1_000).await?, vec![session(2)])?;
    works(
        "it is lowered",
        store.set_cap(&waiter.tenant, &today, Some(dollars(109)), told()).await,
    )?;
    same("not enough room is none", due(1_000).await?, vec![])?;
    let moves = vec![settle(&today, 80, 79)];
    spender.write(&**store, Commit { moves, ..spender.notes(1) }).await?;
    same("room by a settlement makes it due", due(1_000).await?, vec![session(2)])?;
    same("it is due once", due(9_000).await?, vec![session(2)])?;
    works("it is claimed", store.claim(&waiter.claim("a", 1_000, 5_000)).await)?;
    same("an owned session is not due", due(1_000).await?, vec![])?;
    waiter.epoch = Some(kernel::units::Epoch(1));
    waiter.brief = brief(Status::Running, None);
    waiter.write(&**store, waiter.notes(1)).await?;
    same("who waits no more is not due", due(6_000).await?, vec![])
}

fn told() -> Record {
    record(1, "production", None)
}
