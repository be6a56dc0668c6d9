//! The log: facts go in once, in order, and come out as they went in.

use std::sync::Arc;

use kernel::event::{FORMAT, Stored, chain_root, unseal};
use kernel::units::{ContentHash, Epoch, Tenant, UnixMs};

use super::sample::{Pen, note, opening, payload};
use super::{Broken, Kept, fails, is_missing, is_misused, same, works};
use crate::ports::{Commit, Head, Store, StoreError};

/// A commit's facts come back as they were written.
pub async fn opens_appends_and_reads(store: &Arc<dyn Store>) -> Kept {
    let mut pen = Pen::new("t", 1);
    let nobody = store.read(&pen.tenant, pen.session, 0, 10).await;
    fails("a session that was never made is missing", nobody, is_missing)?;
    let unmade = Commit { expected_seq: 1, ..Pen { seq: 1, ..pen.clone() }.notes(1) };
    let refused = store.commit(unmade).await;
    fails("a session cannot be continued before it is made", refused, is_missing)?;

    let mut written = Vec::new();
    let odd = vec![note("plain"), note("quotes \" and \\ and \u{0}, tab\t, ünïcödé 🎏"), note("")];
    let large = vec![note(&"x".repeat(300_000)), note("after it")];
    for facts in [vec![opening(&pen.tenant)], odd, large] {
        let commit = pen.commit(facts);
        written.extend(rows(&commit));
        pen.write(&**store, commit).await?;
    }

    let read = works("a session reads", store.read(&pen.tenant, pen.session, 0, 100).await)?;
    same("facts come back as they were written", read, written)?;
    let listed = works("a session can be looked at", store.look(&pen.tenant, pen.session).await)?;
    let head = Head { seq: 6, hash: pen.head, epoch: Epoch(0) };
    same("the head is the last fact's", listed.head, head)?;
    same("`updated` is the last fact's instant", listed.updated, UnixMs(1_006))?;
    same("a session that nobody claimed has no lease", listed.lease, None)
}

/// Reading goes on after any fact, in order, with as many rows as asked.
pub async fn reads_page_by_page(store: &Arc<dyn Store>) -> Kept {
    let mut pen = Pen::opened(&**store, "t", 1).await?;
    pen.write(&**store, pen.notes(9)).await?;
    // (after, rows_max, what comes)
    let pages: [(u64, u32, Vec<u64>); 7] = [
        (0, 4, vec![1, 2, 3, 4]),
        (4, 4, vec![5, 6, 7, 8]),
        (8, 4, vec![9, 10]),
        (9, 1, vec![10]),
        (10, 4, vec![]),
        (u64::MAX, 4, vec![]),
        (0, 0, vec![]),
    ];
    for (after, rows_max, expected) in pages {
        let law = format!("reading after {after} gives the next {rows_max} at the most");
        let page = works(&law, store.read(&pen.tenant, pen.session, after, rows_max).await)?;
        same(&law, page.iter().map(|row| row.seq).collect(), expected)?;
    }
    Ok(())
}

/// What is read unseals as a chain that ends in the recorded head.
pub async fn keeps_the_chain(store: &Arc<dyn Store>) -> Kept {
    let mut pen = Pen::opened(&**store, "t", 1).await?;
    for count in 1..5 {
        pen.write(&**store, pen.notes(count)).await?;
    }
    let listed = works("a session can be looked at", store.look(&pen.tenant, pen.session).await)?;
    let end = chain_end(&**store, &pen).await?;
    same("the chain ends in the recorded head", end, (listed.head.seq, listed.head.hash))
}

/// Unseals a whole session of at most 10,000 events, and brings where its chain ends.
///
/// # Errors
/// What was read is not what was committed.
pub async fn chain_end(store: &dyn Store, pen: &Pen) -> Result<(u64, ContentHash), Broken> {
    let rows = works("a session reads", store.read(&pen.tenant, pen.session, 0, 10_000).await)?;
    let (mut seq, mut head) = (0, chain_root(pen.session));
    for row in rows {
        let sealed = unseal(head, seq + 1, row).map_err(|why| {
            super::broken("what is stored is what was committed", why.to_string())
        })?;
        (seq, head) = (seq + 1, sealed.hash);
    }
    Ok((seq, head))
}

/// A commit that breaks the port's contract is misused, and changes nothing.
pub async fn refuses_misuse(store: &Arc<dyn Store>) -> Kept {
    let fresh = Pen::new("t", 2);
    let mut pen = Pen::opened(&**store, "t", 1).await?;
    pen.write(&**store, pen.notes(1)).await?;
    let elsewhere = Pen { seq: 2, head: ContentHash::of(b"elsewhere"), ..pen.clone() };
    let mut wrong_hash = payload(b"bytes");
    wrong_hash.hash = ContentHash::of(b"other bytes");
    let cases = [
        ("without facts", pen.commit(vec![])),
        ("with a gap before it", Commit { expected_seq: 1, ..pen.notes(1) }),
        ("with a gap inside", without_middle(pen.notes(3))),
        ("with facts in the wrong order", reversed(pen.notes(2))),
        ("with facts of another chain", elsewhere.notes(1)),
        ("with a false payload", Commit { payloads: vec![wrong_hash], ..pen.notes(1) }),
        ("that opens twice", pen.commit(vec![opening(&pen.tenant)])),
        ("that does not begin with an opening", fresh.notes(1)),
        ("that opens for another tenant", foreign_opening(&fresh)),
    ];
    for (what, commit) in cases {
        let law = format!("a commit {what} is misused");
        fails(&law, store.commit(commit).await, is_misused)?;
    }
    let unmade = store.look(&fresh.tenant, fresh.session).await;
    fails("a misused opening makes no session", unmade, is_missing)?;
    let listed = works("a session can be looked at", store.look(&pen.tenant, pen.session).await)?;
    let stands = (listed.head.seq, listed.head.hash);
    same("misuse leaves the head where it was", stands, (pen.seq, pen.head))
}

/// A commit on top of what is no longer the end is stale, and told where the end is.
pub async fn refuses_the_stale(store: &Arc<dyn Store>) -> Kept {
    let before = Pen::opened(&**store, "t", 1).await?;
    let mut pen = before.clone();
    pen.write(&**store, pen.notes(2)).await?;
    let ahead = Pen { seq: 9, ..pen.clone() };
    let unowned = Pen { epoch: Some(Epoch(7)), ..before.clone() };
    let cases = [
        ("behind", before.notes(1)),
        ("ahead", ahead.notes(1)),
        ("a second opening", Pen::new("t", 1).opening()),
        ("behind, and under a false epoch", unowned.notes(1)),
    ];
    for (what, commit) in cases {
        let law = format!("a commit that is {what} is stale and told the head");
        let there = Head { seq: pen.seq, hash: pen.head, epoch: Epoch(0) };
        let stale =
            |error: &StoreError| matches!(error, StoreError::Stale { head } if *head == there);
        fails(&law, store.commit(commit).await, stale)?;
    }
    let end = chain_end(&**store, &pen).await?;
    same("a stale commit changes nothing", end, (pen.seq, pen.head))
}

fn rows(commit: &Commit) -> Vec<Stored> {
    let row = |sealed: &kernel::event::Sealed| Stored {
        seq: sealed.event.seq,
        at: sealed.event.at,
        format: FORMAT,
        prev: sealed.prev,
        body: sealed.body.clone(),
    };
    commit.events.iter().map(row).collect()
}

fn without_middle(mut commit: Commit) -> Commit {
    commit.events.remove(1);
    commit
}

fn reversed(mut commit: Commit) -> Commit {
    commit.events.reverse();
    commit
}

fn foreign_opening(fresh: &Pen) -> Commit {
    let foreign = Pen { tenant: Tenant("other".into()), ..fresh.clone() };
    Commit { tenant: fresh.tenant.clone(), ..foreign.opening() }
}
