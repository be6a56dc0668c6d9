//! Nudges between the processes of one store: every process hears every nudge, and the
//! first that claims its session has it.
//!
//! One connection of its own, made again when it is lost; what is said meanwhile is lost,
//! and the sweep of what is due finds it. A process without waiters keeps a bounded queue.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use engine::memory::Nudges as Queue;
use engine::ports::Dispatch;
use kernel::units::{SessionId, Tenant};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::Postgres;
use super::connection::Connection;
use super::dial::{Dial, Heard};

/// The most nudges that wait to be sent; more are dropped.
const OUTGOING_MAX: usize = 1_024;

/// Pause before a lost connection is made again.
const RECONNECT_PAUSE_MS: u64 = 1_000;

/// The most that one notification may carry, in bytes: PostgreSQL's limit is 8,000.
const WORDS_BYTES_MAX: usize = 7_999;

/// A channel of nudges through the store's database.
#[derive(Debug)]
pub struct Nudges {
    schema: String,
    heard: Arc<Queue>,
    outgoing: Sender<String>,
}

impl Postgres {
    /// The channel of all processes that have opened this store, in this process's runtime.
    #[must_use]
    pub fn nudges(&self) -> Nudges {
        let dial = Arc::clone(&self.pool.dial);
        let (outgoing, said) = channel(OUTGOING_MAX);
        let nudges = Nudges { schema: dial.schema.clone(), heard: Arc::default(), outgoing };
        tokio::spawn(relay(dial, Arc::clone(&nudges.heard), said));
        nudges
    }
}

#[async_trait]
impl Dispatch for Nudges {
    async fn nudge(&self, tenant: &Tenant, session: SessionId) {
        let words = format!("{} {session} {}", self.schema, tenant.0);
        if words.len() <= WORDS_BYTES_MAX {
            // A full channel drops it, as it may.
            let _dropped = self.outgoing.try_send(words);
        }
    }

    async fn next(&self) -> (Tenant, SessionId) {
        self.heard.next().await
    }
}

/// Carries nudges both ways until nobody is left to say any.
async fn relay(dial: Arc<Dial>, queue: Arc<Queue>, mut said: Receiver<String>) {
    while !said.is_closed() {
        if let Ok((connection, heard)) = dial.listen().await {
            tokio::select! {
                () = tell(&connection, &mut said) => {}
                () = hear(heard, &dial.schema, &queue) => {}
            }
        }
        tokio::time::sleep(Duration::from_millis(RECONNECT_PAUSE_MS)).await;
    }
}

/// Until the connection is lost, or nobody is left to say anything.
async fn tell(connection: &Connection, said: &mut Receiver<String>) {
    while let Some(words) = said.recv().await {
        let told = connection.rows("SELECT pg_notify('windlass', $1)", &[&words]).await;
        // A single nudge may be refused, for a character that no text keeps.
        if told.is_err() && connection.is_closed() {
            return;
        }
    }
}

/// Until the connection is lost.
async fn hear(mut heard: Heard, schema: &str, queue: &Queue) {
    while let Some(words) = heard.recv().await {
        if let Some((tenant, session)) = read(&words, schema) {
            queue.nudge(&tenant, session).await;
        }
    }
}

/// Other stores of the same database nudge, too: those are not for us.
fn read(words: &str, schema: &str) -> Option<(Tenant, SessionId)> {
    let mut parts = words.splitn(3, ' ');
    let (whose, session, tenant) = (parts.next()?, parts.next()?, parts.next()?);
    let session = session.parse().ok()?;
    (whose == schema).then(|| (Tenant(tenant.to_owned()), session))
}
