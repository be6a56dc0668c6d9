//! Connections that read beside the writer: a few, opened when first needed, each used
//! by one read at a time on a thread where blocking is allowed.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use engine::ports::StoreError;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::Options;
use super::error::Failure;
use super::open;

/// The pool.
#[derive(Debug)]
pub(super) struct Readers {
    shared: Arc<Shared>,
    room: Arc<Semaphore>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    busy_wait_ms: u64,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, options: &Options) -> Self {
        let idle = Mutex::new(Vec::new());
        let shared = Arc::new(Shared { path, busy_wait_ms: options.busy_wait_ms, idle });
        Readers { shared, room: Arc::new(Semaphore::new(options.readers_max.max(1))) }
    }

    /// Runs a read on a free connection. The read ends by itself even if nobody waits
    /// for it any longer.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.room).acquire_owned().await.map_err(|_| closed())?;
        let (shared, room) = (Arc::clone(&self.shared), Arc::clone(&self.room));
        let read = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let db = shared.take()?;
            let result = query(&db);
            if !room.is_closed() {
                shared.idle().push(db);
            }
            result
        });
        let ended = read.await.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        ended.map_err(StoreError::from)
    }

    /// Lets no further read begin, and closes the idle connections.
    pub(super) fn close(&self) {
        self.room.close();
        self.shared.idle().clear();
    }
}

impl Shared {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Result<Connection, Failure> {
        if let Some(db) = self.idle().pop() {
            return Ok(db);
        }
        Ok(open::reader(&self.path, self.busy_wait_ms)?)
    }
}

/// What callers of a closed store hear.
pub(super) fn closed() -> StoreError {
    StoreError::Unavailable("it is closed".into())
}
