//! Tenants: what one has, no other can see, change or learn of (L27).

use std::sync::Arc;

use kernel::ledger::Measure;
use kernel::units::{Epoch, Tenant, UnixMs};

use super::log::chain_end;
use super::sample::{Pen, charge, grant, payload, scope};
use super::{Kept, fails, is_missing, same, works};
use crate::ports::{Claim, Commit, Listing, Store};

/// L27: each call of the port, with another tenant's ids.
pub async fn a_foreign_id_is_missing(store: &Arc<dyn Store>) -> Kept {
    let mut mine = Pen::opened(&**store, "mine", 1).await?;
    let secret = payload(b"a secret");
    let rich = Commit {
        moves: vec![grant(&scope(1), 100)],
        charges: vec![charge(5, "ada", 9, false)],
        payloads: vec![secret.clone()],
        ..mine.notes(1)
    };
    mine.write(&**store, rich).await?;
    works("a free session is given", store.claim(&mine.claim("a", 100, 5_000)).await)?;
    let other = Tenant("other".into());
    let before = works("a session can be looked at", store.look(&mine.tenant, mine.session).await)?;

    let commit = Commit { tenant: other.clone(), ..mine.notes(1) };
    let claim = Claim { tenant: other.clone(), ..mine.claim("b", 6_000, 9_000) };
    let session = mine.session;
    fails("L27: commit", store.commit(commit).await, is_missing)?;
    fails("L27: read", store.read(&other, session, 0, 9).await, is_missing)?;
    fails("L27: look", store.look(&other, session).await, is_missing)?;
    fails("L27: claim", store.claim(&claim).await, is_missing)?;
    let renewed = store.renew(&other, session, Epoch(1), UnixMs(9_000)).await;
    fails("L27: renew", renewed, is_missing)?;
    works("L27: release does nothing", store.release(&other, session, Epoch(1)).await)?;
    let listing = Listing { rows_max: 9, ..Listing::default() };
    same("L27: list", works("L27: list", store.list(&other, &listing).await)?, vec![])?;
    fails("L27: payload", store.payload(&other, None, secret.hash).await, is_missing)?;
    let balance = works("L27: balance", store.balance(&other, &scope(1)).await)?;
    same("L27: balance", balance, None)?;
    same("L27: spend", works("L27: spend", store.spend(&other, 0, 99).await)?, vec![])?;

    let after = works("a session can be looked at", store.look(&mine.tenant, mine.session).await)?;
    same("L27: foreign calls change nothing", after, before)?;
    let end = chain_end(&**store, &mine).await?;
    same("L27: foreign calls write nothing", end, (mine.seq, mine.head))
}

/// L27: two tenants may use the same ids, and learn nothing of each other by it.
pub async fn the_same_id_twice(store: &Arc<dyn Store>) -> Kept {
    let mut mine = Pen::opened(&**store, "mine", 1).await?;
    let mut other = Pen::opened(&**store, "other", 1).await?;
    mine.write(&**store, Commit { moves: vec![grant(&scope(1), 100)], ..mine.notes(3) }).await?;
    other.write(&**store, Commit { moves: vec![grant(&scope(1), 7)], ..other.notes(1) }).await?;
    works("a free session is given", store.claim(&mine.claim("a", 100, 5_000)).await)?;
    works("L27: leases are each tenant's own", store.claim(&other.claim("b", 100, 5_000)).await)?;
    for (pen, cap) in [(&mine, 100), (&other, 7)] {
        let end = chain_end(&**store, pen).await?;
        same("L27: logs are each tenant's own", end, (pen.seq, pen.head))?;
        let balance = works("a balance reads", store.balance(&pen.tenant, &scope(1)).await)?;
        let found = balance.and_then(|balance| balance.cap.get(Measure::Money));
        same("L27: balances are each tenant's own", found, Some(cap))?;
    }
    let shared = payload(b"the same bytes");
    works("a payload is kept", store.keep(&mine.tenant, shared.clone()).await)?;
    let foreign = store.payload(&other.tenant, None, shared.hash).await;
    fails("L27: bytes that another tenant keeps are missing", foreign, is_missing)
}
