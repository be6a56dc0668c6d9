//! Crowds: many writers at once pass no cap and lose nothing (L8).

use std::sync::Arc;

use kernel::ledger::{Amount, Balance, Scope};
use kernel::units::Money;

use super::log::chain_end;
use super::sample::{Pen, dollars, grant, hold, note, scope, settle};
use super::{Broken, Kept, broken, same, works};
use crate::ports::{Commit, Store, StoreError};

/// Writers at once.
const WRITERS: u128 = 64;

/// Holds that fit under the cap, of one from each writer.
const FITTING: usize = 40;

/// L8: of many holds at once exactly those get through that fit, and all are settled.
pub async fn one_cap_many_holders(store: &Arc<dyn Store>) -> Kept {
    let shared = scope(1_000);
    let mut first = Pen::opened(&**store, "t", 1_000).await?;
    // Room for 40 holds of ten, and five more that fit no hold.
    let cap = Money(10 * FITTING as u64 + 5);
    let granted = Commit { moves: vec![grant(&shared, cap.0)], ..first.notes(1) };
    first.write(&**store, granted).await?;

    let held = together(store, |store, number| hold_ten(store, number, scope(1_000))).await?;
    let holders: Vec<Pen> = held.into_iter().flatten().collect();
    same("L8: as many holds get through as fit", holders.len(), FITTING)?;
    let balance = works("a balance reads", store.balance(&first.tenant, &shared).await)?;
    let held = Amount::of(Money(cap.0 - 5));
    let full = Balance { held, ..Balance::with_cap(dollars(cap.0)) };
    same("L8: settled + held never passes the cap", balance, Some(full))?;

    let settled = holders.into_iter().map(|mut pen| {
        let commit = Commit { moves: vec![settle(&shared, 10, 3)], ..pen.notes(1) };
        async move { pen.write(&**store, commit).await }
    });
    futures::future::try_join_all(settled).await?;
    let balance = works("a balance reads", store.balance(&first.tenant, &shared).await)?;
    let settled = Amount::of(Money(3 * FITTING as u64));
    let rest = Balance { settled, ..Balance::with_cap(dollars(cap.0)) };
    same("no settlement is lost", balance, Some(rest))
}

/// Many writers of one session, each trying again while it is stale: every fact is in
/// the log once, and the chain holds.
pub async fn one_session_many_writers(store: &Arc<dyn Store>) -> Kept {
    let pen = Pen::opened(&**store, "t", 1).await?;
    together(store, insist).await?;
    let rows = works("a session reads", store.read(&pen.tenant, pen.session, 1, 999).await)?;
    let mut bodies: Vec<_> = rows.into_iter().map(|row| row.body).collect();
    bodies.sort();
    bodies.dedup();
    same("every writer's fact is there once", bodies.len(), WRITERS as usize)?;
    let (seq, hash) = chain_end(&**store, &pen).await?;
    let head =
        works("a session can be looked at", store.look(&pen.tenant, pen.session).await)?.head;
    same("the chain ends in the recorded head", (seq, hash), (head.seq, head.hash))
}

/// Runs one task for each writer, all at once.
async fn together<T: Send + 'static, F: Future<Output = Result<T, Broken>> + Send + 'static>(
    store: &Arc<dyn Store>,
    act: impl Fn(Arc<dyn Store>, u128) -> F,
) -> Result<Vec<T>, Broken> {
    let tasks: Vec<_> =
        (0..WRITERS).map(|number| tokio::spawn(act(Arc::clone(store), number))).collect();
    let mut done = Vec::new();
    for task in tasks {
        let ended = task.await.map_err(|panic| broken("no call panics", panic.to_string()))?;
        done.push(ended?);
    }
    Ok(done)
}

/// Holds ten, in a session of its own. `None`: there was no room, and nothing changed.
async fn hold_ten(
    store: Arc<dyn Store>,
    number: u128,
    shared: Scope,
) -> Result<Option<Pen>, Broken> {
    let mut pen = Pen::opened(&*store, "t", number).await?;
    let commit = Commit { moves: vec![hold(&shared, 10)], ..pen.notes(2) };
    let last = commit.events[1].hash;
    match store.commit(commit).await {
        Ok(_) => {
            (pen.seq, pen.head) = (3, last);
            Ok(Some(pen))
        }
        Err(StoreError::Cap(_)) => {
            let end = chain_end(&*store, &pen).await?;
            same("a refused hold leaves its session alone", end, (pen.seq, pen.head))?;
            Ok(None)
        }
        Err(error) => Err(broken("a hold fits or finds no room", format!("{error:?}"))),
    }
}

/// Writes one fact to the one session, however often others are first.
async fn insist(store: Arc<dyn Store>, number: u128) -> Result<(), Broken> {
    let mut pen = Pen::new("t", 1);
    loop {
        let looked = store.look(&pen.tenant, pen.session).await;
        let head = works("a session can be looked at", looked)?.head;
        (pen.seq, pen.head) = (head.seq, head.hash);
        match store.commit(pen.commit(vec![note(&format!("writer {number}"))])).await {
            Ok(_) => return Ok(()),
            Err(StoreError::Stale { .. }) => {}
            Err(error) => return Err(broken("a late writer is stale", format!("{error:?}"))),
        }
    }
}
