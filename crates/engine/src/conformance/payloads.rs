//! Payloads: large bytes live once, under the hash that they have.

use std::sync::Arc;

use kernel::units::ContentHash;

use super::sample::{Pen, payload, session};
use super::{Kept, fails, is_missing, is_misused, same, works};
use crate::ports::{Commit, Payload, Store};

/// A session's payload is its own; what all share is found from every session. Sealed bytes
/// are kept as they are.
pub async fn owned_by_their_session(store: &Arc<dyn Store>) -> Kept {
    let mut pen = Pen::opened(&**store, "t", 1).await?;
    let (own, other) = (Some(session(1)), Some(session(2)));
    let private = Payload { owner: own, ..payload(b"private") };
    let sealed = Payload { owner: own, sealed: true, bytes: "cipher".into(), ..payload(b"plain") };
    let shared = payload(b"shared");
    let all = vec![private.clone(), sealed.clone(), shared.clone()];
    let commit = Commit { payloads: all, ..pen.notes(1) };
    pen.write(&**store, commit).await?;
    let read = async |owner, hash| store.payload(&pen.tenant, owner, hash).await;
    let bytes = works("an own payload reads", read(own, private.hash).await)?;
    same("an own payload comes back", bytes, private.bytes)?;
    let bytes = works("a sealed payload reads", read(own, sealed.hash).await)?;
    same("sealed bytes come back as they are", bytes, sealed.bytes)?;
    let bytes = works("a shared payload reads", read(own, shared.hash).await)?;
    same("a shared payload is found from a session", bytes, shared.bytes)?;
    for stranger in [other, None] {
        let found = read(stranger, private.hash).await;
        fails("another session's payload is missing", found, is_missing)?;
    }
    Ok(())
}

/// Keeping is idempotent, by itself or in a commit, and refuses a false hash.
pub async fn kept_once_and_checked(store: &Arc<dyn Store>) -> Kept {
    let mut pen = Pen::opened(&**store, "t", 1).await?;
    let large = vec![7_u8; 3 << 20];
    let large = Payload::of(None, large);
    let all = [payload(b""), payload(b"\0\xff not text"), large];
    for kept in &all {
        let early = store.payload(&pen.tenant, None, kept.hash).await;
        fails("a payload that was never kept is missing", early, is_missing)?;
        for _ in 0..2 {
            works("keeping is idempotent", store.keep(&pen.tenant, kept.clone()).await)?;
        }
        let again = Commit { payloads: vec![kept.clone(), kept.clone()], ..pen.notes(1) };
        pen.write(&**store, again).await?;
        let bytes = works("a payload reads", store.payload(&pen.tenant, None, kept.hash).await)?;
        let law = "a payload comes back as it was kept";
        same(law, ContentHash::of(&bytes), kept.hash)?;
    }
    let with_commit = payload(b"with a commit");
    let commit = Commit { payloads: vec![with_commit.clone()], ..pen.notes(1) };
    pen.write(&**store, commit).await?;
    let bytes = works("a payload reads", store.payload(&pen.tenant, None, with_commit.hash).await)?;
    same("a commit keeps its payloads", bytes, with_commit.bytes.clone())?;
    let lie = Payload { hash: ContentHash::of(b"truth"), ..with_commit };
    let refused = store.keep(&pen.tenant, lie).await;
    fails("bytes under a false hash are misused", refused, is_misused)?;
    let unkept = store.payload(&pen.tenant, None, ContentHash::of(b"truth")).await;
    fails("bytes under a false hash are not kept", unkept, is_missing)
}
