//! Connections that are lent to one piece of work at a time: so many at the most, each wait
//! with its limit.
//!
//! A connection comes back only when its work came to an end and its transaction is over;
//! any other is closed, and the server rolls back what was open on it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::ports::StoreError;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::Options;
use super::connection::Connection;
use super::dial::Dial;
use super::error::Failure;

/// How often a piece of work is tried that others' transactions took down.
const TRIES_MAX: u32 = 8;

/// The connections of a store.
pub(super) struct Pool {
    pub(super) dial: Arc<Dial>,
    places: Semaphore,
    idle: Mutex<Vec<Arc<Connection>>>,
    connections_max: usize,
    place_wait: Duration,
    answer_wait: Duration,
}

/// A connection while it works.
struct Lent<'p> {
    connection: Arc<Connection>,
    _place: SemaphorePermit<'p>,
}

/// What a piece of work leaves behind when it fails.
#[derive(Clone, Copy)]
enum Leaves {
    Nothing,
    Transaction,
}

impl Pool {
    pub(super) fn new(dial: Dial, options: &Options) -> Self {
        Pool {
            dial: Arc::new(dial),
            places: Semaphore::new(options.connections_max),
            idle: Mutex::default(),
            connections_max: options.connections_max,
            place_wait: Duration::from_millis(options.place_wait_ms),
            answer_wait: Duration::from_millis(options.answer_wait_ms),
        }
    }

    /// Does work of single statements, each a transaction of its own.
    pub(super) async fn ask<T, W: Future<Output = Result<T, Failure>>>(
        &self,
        work: impl Fn(Arc<Connection>) -> W,
    ) -> Result<T, StoreError> {
        self.patiently(Leaves::Nothing, work).await
    }

    /// Does work that begins a transaction and, if it succeeds, commits it. Where it fails
    /// it is rolled back.
    pub(super) async fn transact<T, W: Future<Output = Result<T, Failure>>>(
        &self,
        work: impl Fn(Arc<Connection>) -> W,
    ) -> Result<T, StoreError> {
        self.patiently(Leaves::Transaction, work).await
    }

    /// Takes no more work.
    pub(super) fn close(&self) {
        self.places.close();
        self.idle().clear();
    }

    async fn patiently<T, W: Future<Output = Result<T, Failure>>>(
        &self,
        leaves: Leaves,
        work: impl Fn(Arc<Connection>) -> W,
    ) -> Result<T, StoreError> {
        let mut tries = 0;
        loop {
            let lent = self.lend().await?;
            tries += 1;
            let ended = timeout(self.answer_wait, work(Arc::clone(&lent.connection))).await;
            let Ok(ended) = ended else { return Err(self.no_answer()) };
            match ended {
                Ok(done) => {
                    self.take_back(lent);
                    return Ok(done);
                }
                Err(failure) => {
                    self.tidy(lent, leaves, &failure).await;
                    if !failure.passes() || tries >= TRIES_MAX {
                        return Err(failure.into());
                    }
                }
            }
        }
    }

    /// Ends what a failed piece of work left open.
    async fn tidy(&self, lent: Lent<'_>, leaves: Leaves, failure: &Failure) {
        if lent.connection.is_closed() || failure.is_old_plan() {
            return;
        }
        match leaves {
            Leaves::Nothing => self.take_back(lent),
            Leaves::Transaction => {
                let rolled_back = timeout(self.answer_wait, lent.connection.script("ROLLBACK"));
                if let Ok(Ok(())) = rolled_back.await {
                    self.take_back(lent);
                }
            }
        }
    }

    async fn lend(&self) -> Result<Lent<'_>, StoreError> {
        let Ok(place) = timeout(self.place_wait, self.places.acquire()).await else {
            return Err(self.no_place());
        };
        let closed = |_| StoreError::Unavailable("the store was closed".to_owned());
        let place = place.map_err(closed)?;
        let connection = match self.idle_one() {
            Some(connection) => connection,
            None => Arc::new(self.dial.connect().await?),
        };
        Ok(Lent { connection, _place: place })
    }

    /// The connection that was used last, so that those beyond the need are left alone.
    fn idle_one(&self) -> Option<Arc<Connection>> {
        let mut idle = self.idle();
        while let Some(connection) = idle.pop() {
            if !connection.is_closed() {
                return Some(connection);
            }
        }
        None
    }

    fn take_back(&self, lent: Lent<'_>) {
        if !lent.connection.is_closed() && !self.places.is_closed() {
            self.idle().push(lent.connection);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Arc<Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn no_place(&self) -> StoreError {
        StoreError::Unavailable(format!(
            "all {} connections have been busy for {} ms\nhint: allow more connections, or look \
             what keeps the database busy",
            self.connections_max,
            self.place_wait.as_millis()
        ))
    }

    fn no_answer(&self) -> StoreError {
        StoreError::Unavailable(format!(
            "the database gave no answer in {} ms, so it is unknown whether this was done\nhint: \
             look whether the database server and the way to it are well",
            self.answer_wait.as_millis()
        ))
    }
}
