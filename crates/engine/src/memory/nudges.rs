//! Nudges within one process: a queue of sessions that have something to do.
//!
//! Bounded and in order; a session waits in it at most once. What does not fit is
//! dropped, because the sweep of what is due finds it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use kernel::units::{SessionId, Tenant};
use tokio::sync::Notify;

use crate::ports::Dispatch;

/// The most nudges that wait; more are dropped, and the sweep finds their sessions.
const NUDGES_MAX: usize = 4_096;

/// Nudges within one process, in order, each session at most once at a time.
#[derive(Debug, Default)]
pub struct Nudges {
    waiting: Mutex<VecDeque<(Tenant, SessionId)>>,
    arrived: Notify,
}

impl Nudges {
    /// No nudges yet.
    #[must_use]
    pub fn new() -> Self {
        Nudges::default()
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<(Tenant, SessionId)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the oldest nudge, and passes the word on where more are left: of many
    /// arrivals the notification remembers only one.
    fn take(&self) -> Option<(Tenant, SessionId)> {
        let mut waiting = self.waiting();
        let first = waiting.pop_front();
        if !waiting.is_empty() {
            self.arrived.notify_one();
        }
        first
    }
}

#[async_trait]
impl Dispatch for Nudges {
    async fn nudge(&self, tenant: &Tenant, session: SessionId) {
        let mut waiting = self.waiting();
        let known = waiting.iter().any(|(whose, which)| *which == session && whose == tenant);
        if !known && waiting.len() < NUDGES_MAX {
            waiting.push_back((tenant.clone(), session));
            self.arrived.notify_one();
        }
    }

    async fn next(&self) -> (Tenant, SessionId) {
        loop {
            if let Some(nudge) = self.take() {
                return nudge;
            }
            self.arrived.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::units::{SessionId, Tenant};

    use super::{Dispatch, NUDGES_MAX, Nudges};

    fn session(n: usize) -> SessionId {
        SessionId(uuid::Uuid::from_u128(n as u128))
    }

    #[tokio::test]
    async fn nudges_come_in_order_once_each_and_within_the_bound() {
        let (nudges, tenant) = (Nudges::new(), Tenant("t".into()));
        for n in (0..NUDGES_MAX + 7).chain(0..3) {
            nudges.nudge(&tenant, session(n)).await;
        }
        for n in 0..NUDGES_MAX {
            assert_eq!(nudges.next().await.1, session(n));
        }
        assert!(nudges.take().is_none());
    }

    #[tokio::test]
    async fn every_waiter_is_woken() {
        let nudges = std::sync::Arc::new(Nudges::new());
        let waiters: Vec<_> = (0..8)
            .map(|_| {
                let nudges = std::sync::Arc::clone(&nudges);
                tokio::spawn(async move { nudges.next().await.1 })
            })
            .collect();
        tokio::task::yield_now().await;
        for n in 0..8 {
            nudges.nudge(&Tenant("t".into()), session(n)).await;
        }
        let mut got = Vec::new();
        for waiter in waiters {
            got.push(waiter.await.unwrap());
        }
        got.sort();
        assert_eq!(got, (0..8).map(session).collect::<Vec<_>>());
    }
}
