//! Opening again: what was answered with success is there, whatever came after.

use std::sync::Arc;

use kernel::ledger::{Amount, Balance};
use kernel::units::{Epoch, Money, UnixMs};

use super::alerts::{alert, subscriptions};
use super::log::chain_end;
use super::sample::{Pen, brief, charge, dollars, grant, hold, payload, scope};
use super::{Kept, fails, same, works};
use crate::ports::{Commit, Status, Store, StoreError, Take};

/// Writes, ends the store by `end` (which may be as rough as the store must bear), opens
/// the same place again, and asks for everything. `open` always opens that one place.
///
/// # Errors
/// The first law that is broken.
pub async fn reopened(
    open: impl AsyncFn() -> Arc<dyn Store>,
    end: impl AsyncFn(Arc<dyn Store>),
) -> Kept {
    let store = open().await;
    let mut pen = Pen::opened(&*store, "t", 1).await?;
    let head = works("a session is given", store.claim(&pen.claim("a", 100, 9_000)).await)?;
    pen.epoch = Some(head.epoch);
    pen.brief = brief(Status::Running, Some(0));
    let kept = payload(b"kept");
    let rich = Commit {
        moves: vec![grant(&scope(1), 100), hold(&scope(1), 60)],
        charges: vec![charge(5, "ada", 9, true)],
        payloads: vec![kept.clone()],
        alerts: vec![alert("t", "a", 5)],
        subscriptions: subscriptions(&["ops"]),
        ..pen.notes(3)
    };
    pen.write(&*store, rich).await?;
    let before = works("a session can be looked at", store.look(&pen.tenant, pen.session).await)?;
    end(store).await;

    let store = open().await;
    let after = works("a session is still there", store.look(&pen.tenant, pen.session).await)?;
    same("a session stands where it stood, with its lease", after, before)?;
    same("its log is whole", chain_end(&*store, &pen).await?, (pen.seq, pen.head))?;
    let balance = works("a balance reads", store.balance(&pen.tenant, &scope(1)).await)?;
    let held = Balance { held: Amount::of(Money(60)), ..Balance::with_cap(dollars(100)) };
    same("L9: a hold is still there", balance, Some(held))?;
    let bytes = works("a payload reads", store.payload(&pen.tenant, None, kept.hash).await)?;
    same("a payload is still there", bytes, kept.bytes)?;
    let spend = works("spend reads", store.spend(&pen.tenant, 5, 5).await)?;
    same("spend is still there", spend.len(), 1)?;
    let take = Take { to: "ops".into(), now: UnixMs(5), until: UnixMs(90), rows_max: 9 };
    let taken = works("alerts are taken", store.outbox().take(&take).await)?;
    let brought: Vec<_> = taken.into_iter().map(|one| (one.alert.key, one.attempt)).collect();
    same("an alert that nobody sent is still due", brought, vec![("a".to_owned(), 1)])?;
    let due = works("due sessions list", store.due(UnixMs(9_000), 9).await)?;
    same("L34: what was owed is due when the lease ends", due.len(), 1)?;

    let next = works("an ended lease is given", store.claim(&pen.claim("b", 9_000, 9_900)).await)?;
    same("epochs go on growing", next.epoch, Epoch(2))?;
    let fenced = |error: &StoreError| matches!(error, StoreError::Fenced { .. });
    fails("L3: the owner before is fenced", store.commit(pen.notes(1)).await, fenced)?;
    pen.epoch = Some(next.epoch);
    pen.write(&*store, pen.notes(1)).await?;
    end(store).await;
    Ok(())
}
