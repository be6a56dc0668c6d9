//! Bulkheads: how many calls a provider is asked at once, and how many may wait.
//!
//! One provider that hangs then holds so many calls of the process and no more. Gates
//! are shared by base URL, whichever agent asks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

/// The numbers of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bulkhead {
    /// Calls under way at once; at least one.
    pub at_once_max: usize,
    /// Calls that may wait for their turn.
    pub waiting_max: usize,
}

impl Default for Bulkhead {
    fn default() -> Self {
        Bulkhead { at_once_max: 64, waiting_max: 1_024 }
    }
}

/// The way to one provider.
#[derive(Debug)]
pub struct Gate {
    numbers: Bulkhead,
    room: Semaphore,
    waiting: AtomicUsize,
}

/// The gates of a process. Cheap to clone; clones are the same gates.
#[derive(Clone, Debug, Default)]
pub struct Gates {
    known: Arc<Mutex<BTreeMap<String, Arc<Gate>>>>,
}

impl Gates {
    /// The gate of a provider by its base URL. Its numbers are those of whoever asked
    /// first.
    #[must_use]
    pub fn of(&self, provider: &str, numbers: Bulkhead) -> Arc<Gate> {
        let mut known = self.known.lock().expect("INVARIANT: nothing under this lock panics");
        let gate = known.entry(provider.to_owned()).or_insert_with(|| Arc::new(Gate::new(numbers)));
        Arc::clone(gate)
    }
}

/// Why nobody passes: words for people.
pub(super) struct NoRoom(pub(super) String);

impl Gate {
    /// A gate of its own.
    #[must_use]
    pub fn new(numbers: Bulkhead) -> Self {
        // The runtime's semaphores have a largest number of their own.
        let room = Semaphore::new(numbers.at_once_max.clamp(1, Semaphore::MAX_PERMITS));
        Gate { numbers, room, waiting: AtomicUsize::new(0) }
    }

    /// Waits for a turn, in the order of coming, no longer than `until`.
    pub(super) async fn pass(&self, until: Instant) -> Result<SemaphorePermit<'_>, NoRoom> {
        if let Ok(permit) = self.room.try_acquire() {
            return Ok(permit);
        }
        let Bulkhead { at_once_max, waiting_max } = self.numbers;
        let _mine = Waiting::join(&self.waiting, waiting_max).ok_or_else(|| {
            NoRoom(format!("{at_once_max} calls are under way from here and {waiting_max} wait"))
        })?;
        match timeout_at(until, self.room.acquire()).await {
            Ok(permit) => Ok(permit.expect("INVARIANT: the semaphore is never closed")),
            Err(_late) => Err(NoRoom(format!(
                "{at_once_max} calls are under way from here, and none of them ended in time"
            ))),
        }
    }
}

/// A place among those who wait, given back when the wait ends or is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn join(count: &'a AtomicUsize, most: usize) -> Option<Self> {
        let more = |waiting: usize| (waiting < most).then_some(waiting + 1);
        count.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok().map(|_| Waiting(count))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn calls_wait_in_line_and_too_many_are_turned_away() {
        let gate = Gate::new(Bulkhead { at_once_max: 1, waiting_max: 1 });
        let until = Instant::now() + Duration::from_secs(1);
        let first = gate.pass(until).await.ok().unwrap();
        let (second, third) = tokio::join!(gate.pass(until), gate.pass(until));
        assert!(second.err().unwrap().0.contains("none of them ended in time"));
        assert!(third.err().unwrap().0.contains("and 1 wait"));
        assert_eq!(gate.waiting.load(Ordering::Acquire), 0);
        let until = Instant::now() + Duration::from_secs(1);
        let (fourth, ()) = tokio::join!(gate.pass(until), async { drop(first) });
        assert!(fourth.is_ok());
    }

    #[tokio::test]
    async fn who_stops_waiting_gives_the_place_back() {
        let gate = Gate::new(Bulkhead { at_once_max: 1, waiting_max: 1 });
        let until = Instant::now() + Duration::from_secs(60);
        let _first = gate.pass(until).await.ok().unwrap();
        tokio::select! {
            biased;
            _ = gate.pass(until) => panic!("there is no room"),
            () = tokio::task::yield_now() => {}
        }
        assert_eq!(gate.waiting.load(Ordering::Acquire), 0);
    }

    #[test]
    fn gates_are_shared_by_provider() {
        let gates = Gates::default();
        let few = Bulkhead { at_once_max: 2, waiting_max: 0 };
        let gate = gates.of("https://a", few);
        assert!(Arc::ptr_eq(&gate, &gates.clone().of("https://a", Bulkhead::default())));
        assert!(!Arc::ptr_eq(&gate, &gates.of("https://b", few)));
    }
}
