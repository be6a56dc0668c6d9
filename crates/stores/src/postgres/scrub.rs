//! Overwriting what erasures left. PostgreSQL keeps former versions of rows until it needs
//! their room, so tables are written anew from the rows that are there.
//!
//! Each table is closed to everybody while it is being written: calls on it wait, and say
//! so where that takes longer than they may. Copies that the server's administrators keep
//! (the write-ahead log until it is recycled, replicas, backups) are theirs to end.

use engine::ports::StoreError;

use super::dial::Dial;
use super::error::Failure;

/// Tables that hold what people wrote, or keys to it.
const TABLES: [&str; 6] = ["payload", "event", "session", "audit", "alert", "session_content"];

/// Writes tables anew where erasures left traces in them.
pub(super) async fn scrub(dial: &Dial, scrub_wait_ms: u64) -> Result<(), StoreError> {
    let db = dial.connect_for(scrub_wait_ms).await?;
    let scrubbed = async {
        // Sessions that are erased from here on keep their mark for the next time.
        let marked = db.change("UPDATE session_content SET erased = 3 WHERE erased > 1", &[]);
        if marked.await? == 0 {
            return Ok::<_, Failure>(());
        }
        for table in TABLES {
            db.script(&format!("VACUUM (FULL) {table}")).await?;
        }
        db.change("UPDATE session_content SET erased = 1 WHERE erased = 3", &[]).await.map(drop)
    };
    Ok(scrubbed.await?)
}
