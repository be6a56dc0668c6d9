//! Leases: one owner at a time, and the owner before can no longer write (L3).

use std::sync::Arc;

use kernel::units::{Epoch, UnixMs};

use super::log::chain_end;
use super::sample::Pen;
use super::{Kept, fails, is_missing, same, works};
use crate::ports::{Claim, Store, StoreError};

/// L3: a worker that lost its session and comes back cannot write.
pub async fn fence_the_owner_before(store: &Arc<dyn Store>) -> Kept {
    let mut pen = Pen::opened(&**store, "t", 1).await?;
    let early = Pen { epoch: Some(Epoch(1)), ..pen.clone() };
    let refused = store.commit(early.notes(1)).await;
    fails("nobody writes under an epoch that was never given", refused, fenced_by(0))?;

    let first = works("a free session is given", store.claim(&pen.claim("a", 100, 200)).await)?;
    same("the first owner has epoch 1", first.epoch, Epoch(1))?;
    pen.epoch = Some(first.epoch);
    pen.write(&**store, pen.notes(1)).await?;
    let second = works("an ended lease is given", store.claim(&pen.claim("b", 200, 300)).await)?;
    same("each owner's epoch is one more", second.epoch, Epoch(2))?;
    same("a claim tells where the session stands", (second.seq, second.hash), (pen.seq, pen.head))?;

    let refused = store.commit(pen.notes(1)).await;
    fails("L3: the owner before is fenced", refused, fenced_by(2))?;
    let mut now = Pen { epoch: Some(second.epoch), ..pen };
    now.write(&**store, now.notes(2)).await?;
    let end = chain_end(&**store, &now).await?;
    same("L3: a fenced commit changes nothing", end, (now.seq, now.head))
}

/// A commit without an epoch is taken beside an owner, who then sees that it is stale.
pub async fn let_others_write_beside(store: &Arc<dyn Store>) -> Kept {
    let mut beside = Pen::opened(&**store, "t", 1).await?;
    let head = works("a session is given", store.claim(&beside.claim("a", 100, 200)).await)?;
    let owner = Pen { epoch: Some(head.epoch), ..beside.clone() };
    beside.write(&**store, beside.notes(1)).await?;
    let stale = |error: &StoreError| matches!(error, StoreError::Stale { head } if head.seq == 2 && head.epoch == Epoch(1));
    let law = "an owner whose session moved on is told so, and not fenced";
    fails(law, store.commit(owner.notes(1)).await, stale)?;
    let mut owner = Pen { seq: beside.seq, head: beside.head, ..owner };
    owner.write(&**store, owner.notes(1)).await
}

/// While a lease runs, nobody gets another, its own owner neither.
pub async fn hold_until_they_end(store: &Arc<dyn Store>) -> Kept {
    let pen = Pen::opened(&**store, "t", 1).await?;
    let nowhere = store.claim(&Pen::new("t", 9).claim("a", 100, 200)).await;
    fails("a session that is not there cannot be owned", nowhere, is_missing)?;
    works("a free session is given", store.claim(&pen.claim("a", 100, 200)).await)?;
    for (owner, now) in [("b", 100), ("b", 199), ("a", 150)] {
        let law = format!("a lease of `a` until 200 holds at {now} against `{owner}`");
        let refused = store.claim(&pen.claim(owner, now, 900)).await;
        fails(&law, refused, held_by("a", 1, 200))?;
    }
    let head = works("a lease ends at its end", store.claim(&pen.claim("b", 200, 300)).await)?;
    same("a refused claim does not grow the epoch", head.epoch, Epoch(2))?;
    let listed = works("a session can be looked at", store.look(&pen.tenant, pen.session).await)?;
    same("a claim leaves `updated` alone", listed.updated, UnixMs(1_001))?;
    same("a lease that was over at the last fact is not shown", listed.lease, None)
}

/// A running lease is taken by who knows that the owner with this very epoch is dead.
pub async fn are_taken_over_by_epoch(store: &Arc<dyn Store>) -> Kept {
    let pen = Pen::opened(&**store, "t", 1).await?;
    works("a free session is given", store.claim(&pen.claim("a", 100, 900)).await)?;
    let over = |owner, epoch| Claim { over: Some(Epoch(epoch)), ..pen.claim(owner, 150, 900) };
    for wrong in [0, 2] {
        let refused = store.claim(&over("b", wrong)).await;
        fails("only the right epoch takes a session over", refused, held_by("a", 1, 900))?;
    }
    let head = works("the right epoch takes it over", store.claim(&over("b", 1)).await)?;
    same("taking over grows the epoch", head.epoch, Epoch(2))?;
    let second = store.claim(&over("c", 1)).await;
    fails("of two who take over, one is right", second, held_by("b", 2, 900))?;
    let free = Claim { over: Some(Epoch(77)), ..pen.claim("c", 900, 950) };
    let head = works("an ended lease needs no right epoch", store.claim(&free).await)?;
    same("each claim grows the epoch", head.epoch, Epoch(3))
}

/// The owner of the present epoch prolongs its lease and gives it back; others do neither.
pub async fn renew_and_release(store: &Arc<dyn Store>) -> Kept {
    let mut pen = Pen::opened(&**store, "t", 1).await?;
    let (tenant, session) = (pen.tenant.clone(), pen.session);
    works("a free session is given", store.claim(&pen.claim("a", 1_500, 2_000)).await)?;
    pen.write(&**store, pen.notes(1)).await?;
    let renewed = store.renew(&tenant, session, Epoch(1), UnixMs(3_000)).await;
    let head = works("an owner prolongs its lease", renewed)?;
    let stands = (head.seq, head.hash, head.epoch);
    same("renewing tells where the session stands", stands, (2, pen.head, Epoch(1)))?;
    let refused = store.claim(&pen.claim("b", 2_500, 9_000)).await;
    fails("a prolonged lease holds", refused, held_by("a", 1, 3_000))?;
    for epoch in [0, 2] {
        let refused = store.renew(&tenant, session, Epoch(epoch), UnixMs(9_000)).await;
        fails("only the present epoch prolongs", refused, fenced_by(1))?;
        let ignored = store.release(&tenant, session, Epoch(epoch)).await;
        works("releasing what one does not own is nothing", ignored)?;
    }
    let listed = works("a session can be looked at", store.look(&tenant, session).await)?;
    let lease = Some(("a".to_owned(), UnixMs(3_000)));
    same("a running lease is shown, with its owner and end", listed.lease, lease)?;
    works("an owner gives its lease back", store.release(&tenant, session, Epoch(1)).await)?;
    let listed = works("a session can be looked at", store.look(&tenant, session).await)?;
    same("a lease given back is not shown", listed.lease, None)?;
    same("giving back keeps the epoch", listed.head.epoch, Epoch(1))?;
    let head =
        works("what is given back is free", store.claim(&pen.claim("b", 2_500, 9_000)).await)?;
    same("the next owner's epoch is one more", head.epoch, Epoch(2))
}

fn fenced_by(present: u64) -> impl FnOnce(&StoreError) -> bool {
    move |error| matches!(error, StoreError::Fenced { epoch } if *epoch == Epoch(present))
}

fn held_by(by: &'static str, present: u64, end: u64) -> impl FnOnce(&StoreError) -> bool {
    move |error| {
        matches!(error, StoreError::Held { owner, epoch, until }
            if owner == by && *epoch == Epoch(present) && *until == UnixMs(end))
    }
}
