//! Payloads: large bytes live once, under the hash that they have.

use std::sync::Arc;

use kernel::units::ContentHash;

use super::sample::{Pen, payload};
use super::{Kept, fails, is_missing, is_misused, same, works};
use crate::ports::{Commit, Payload, Store};

/// Keeping is idempotent, by itself or in a commit, and refuses a false hash.
pub async fn kept_once_and_checked(store: &Arc<dyn Store>) -> Kept {
    let mut pen = Pen::opened(&**store, "t", 1).await?;
    let large = vec![7_u8; 3 << 20];
    let large = Payload { hash: ContentHash::of(&large), bytes: large.into() };
    let all = [payload(b""), payload(b"\0\xff not text"), large];
    for kept in &all {
        let early = store.payload(&pen.tenant, kept.hash).await;
        fails("a payload that was never kept is missing", early, is_missing)?;
        for _ in 0..2 {
            works("keeping is idempotent", store.keep(&pen.tenant, kept.clone()).await)?;
        }
        let again = Commit { payloads: vec![kept.clone(), kept.clone()], ..pen.notes(1) };
        pen.write(&**store, again).await?;
        let bytes = works("a payload reads", store.payload(&pen.tenant, kept.hash).await)?;
        let law = "a payload comes back as it was kept";
        same(law, ContentHash::of(&bytes), kept.hash)?;
    }
    let with_commit = payload(b"with a commit");
    let commit = Commit { payloads: vec![with_commit.clone()], ..pen.notes(1) };
    pen.write(&**store, commit).await?;
    let bytes = works("a payload reads", store.payload(&pen.tenant, with_commit.hash).await)?;
    same("a commit keeps its payloads", bytes, with_commit.bytes.clone())?;
    let lie = Payload { hash: ContentHash::of(b"truth"), ..with_commit };
    let refused = store.keep(&pen.tenant, lie).await;
    fails("bytes under a false hash are misused", refused, is_misused)?;
    let unkept = store.payload(&pen.tenant, ContentHash::of(b"truth")).await;
    fails("bytes under a false hash are not kept", unkept, is_missing)
}
