//! Watching a session: its facts in order, each with its number as the cursor to go on
//! from, and pieces of answers on their way.
//!
//! Facts are read from the store and never from what passes by: what passes only says when
//! to look. So a watcher misses none and sees none twice, however often it comes back. A
//! watcher that is too slow is sent away and comes back with its cursor; nothing is kept for
//! it. Going away cancels nothing.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::ports::StoreError;
use engine::tap::{Seen, Tap};
use futures::Stream;
use kernel::event::{Fact, Stored};
use kernel::message::Delta;
use kernel::units::SessionId;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::broadcast::{self, Receiver, Sender};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::Service;
use crate::caller::{Caller, known};
use crate::native::seen;
use crate::view;

/// Pieces that wait for a watcher at most; one that falls further behind is sent away.
const BEHIND_MAX: usize = 256;

/// Facts read at a time.
const PAGE_ROWS: u32 = 100;

/// Something that passed by in a session.
#[derive(Clone, Debug)]
enum Passed {
    /// Facts were committed.
    Facts,
    /// A piece of an answer came.
    Piece(Delta),
}

/// Where watchers stand, by session. Each is told of its session alone.
pub(crate) struct Hub {
    rooms: Arc<Mutex<HashMap<SessionId, Sender<Passed>>>>,
    _pump: AbortOnDropHandle<()>,
}

impl Hub {
    /// Brings to each session's watchers what passes the tap.
    pub(crate) fn over(tap: &Tap) -> Self {
        let rooms: Arc<Mutex<HashMap<SessionId, Sender<Passed>>>> = Arc::default();
        let (all, mut seen) = (Arc::clone(&rooms), tap.watch());
        let pump = tokio::spawn(async move {
            loop {
                match seen.recv().await {
                    Ok(Seen::Committed(session, _)) => pass(&all, session, Passed::Facts),
                    Ok(Seen::Coming(session, delta)) => pass(&all, session, Passed::Piece(delta)),
                    Ok(Seen::CircuitOpened { .. } | Seen::CircuitClosed(_)) => {}
                    // What was missed may have been anybody's: everybody looks.
                    Err(RecvError::Lagged(_)) => {
                        locked(&all).retain(|_, room| room.send(Passed::Facts).is_ok());
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        });
        Hub { rooms, _pump: AbortOnDropHandle::new(pump) }
    }

    fn enter(&self, session: SessionId) -> Receiver<Passed> {
        let mut rooms = locked(&self.rooms);
        let room = rooms.entry(session).or_insert_with(|| broadcast::channel(BEHIND_MAX).0);
        room.subscribe()
    }

    /// Watchers of all sessions.
    pub(crate) fn watchers(&self) -> usize {
        locked(&self.rooms).values().map(Sender::receiver_count).sum()
    }

    /// Closes a room that nobody is in.
    fn leave(&self, session: SessionId) {
        let mut rooms = locked(&self.rooms);
        if rooms.get(&session).is_some_and(|room| room.receiver_count() == 0) {
            rooms.remove(&session);
        }
    }
}

fn pass(rooms: &Mutex<HashMap<SessionId, Sender<Passed>>>, session: SessionId, passed: Passed) {
    let mut rooms = locked(rooms);
    if rooms.get(&session).is_some_and(|room| room.send(passed).is_err()) {
        rooms.remove(&session);
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a watcher is told.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    /// A fact: its number, its name, and the event for programs.
    Fact { seq: u64, name: &'static str, event: String },
    /// A piece of an answer.
    Piece(Delta),
    /// Nothing happened; the stream lives.
    Alive,
}

/// A watcher of one session.
pub(crate) struct Watcher {
    service: Arc<Service>,
    caller: Caller,
    /// The key as it was shown, to see whether it still works.
    key: String,
    session: SessionId,
    after: u64,
    room: Option<Receiver<Passed>>,
    ready: VecDeque<Told>,
    /// Whether the store may hold facts that were not read.
    look: bool,
    alive_at: Instant,
    look_at: Instant,
}

impl Watcher {
    /// Stands at a session, behind event `after`. What was told before that is not told
    /// again.
    pub(crate) fn new(
        service: Arc<Service>,
        caller: Caller,
        key: String,
        session: SessionId,
        after: u64,
    ) -> Self {
        let room = Some(service.hub.enter(session));
        let now = Instant::now();
        let (alive_at, look_at) = (now + heartbeat(&service), now + look_every(&service));
        let ready = VecDeque::new();
        Watcher { service, caller, key, session, after, room, ready, look: true, alive_at, look_at }
    }

    /// The next thing to tell. `None`: the watcher is sent away.
    pub(crate) async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some(told) = self.ready.pop_front() {
                return Some(told);
            }
            if self.look {
                match self.read().await {
                    Ok(()) => continue,
                    Err(StoreError::Unavailable(_) | StoreError::Full(_)) => self.look = false,
                    Err(error) => {
                        tracing::info!(session = %self.session, %error, "a watcher is sent away");
                        return None;
                    }
                }
            }
            let room = self.room.as_mut()?;
            tokio::select! {
                biased;
                () = self.service.stopping.cancelled() => return None,
                passed = room.recv() => match passed {
                    Ok(Passed::Facts) => self.look = true,
                    Ok(Passed::Piece(delta)) => return Some(Told::Piece(delta)),
                    Err(RecvError::Lagged(_) | RecvError::Closed) => return None,
                },
                () = tokio::time::sleep_until(self.look_at) => {
                    self.look_at = Instant::now() + look_every(&self.service);
                    self.look = true;
                }
                () = tokio::time::sleep_until(self.alive_at) => {
                    self.alive_at = Instant::now() + heartbeat(&self.service);
                    if !self.still_known().await {
                        return None;
                    }
                    return Some(Told::Alive);
                }
            }
        }
    }

    /// Reads the next page of facts. What passed before that is among them.
    async fn read(&mut self) -> Result<(), StoreError> {
        // Pieces that came before these facts are told before them.
        while let Some(room) = &mut self.room {
            match room.try_recv() {
                Ok(Passed::Piece(delta)) => self.ready.push_back(Told::Piece(delta)),
                Ok(Passed::Facts) => {}
                Err(TryRecvError::Lagged(_)) => self.room = None,
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        let store = &self.service.engine.store;
        let page = store.read(self.caller.tenant(), self.session, self.after, PAGE_ROWS).await?;
        self.look = !page.is_empty();
        for row in page {
            self.after = row.seq;
            self.ready.push_back(told(row)?);
        }
        Ok(())
    }

    /// Whether the key still works, and its user still sees the session: who does not sees
    /// nothing more.
    async fn still_known(&self) -> bool {
        match known(&self.service, &self.key).await {
            Ok(Some(caller)) if caller.who.tenant == self.caller.who.tenant => {
                caller.granted("session.read").is_ok()
                    && seen(&self.service, &caller, self.session).await.is_ok()
            }
            Ok(Some(_) | None) => false,
            // Nobody knows; the next sign of life asks again.
            Err(_) => true,
        }
    }

    /// All that it is told, as a stream.
    pub(crate) fn stream(self) -> impl Stream<Item = Told> + Send {
        futures::stream::unfold(self, |mut watcher| async move {
            let told = watcher.next().await?;
            Some((told, watcher))
        })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.room = None;
        self.service.hub.leave(self.session);
    }
}

/// Says when to look at a session again, for who waits for its end.
pub(crate) struct Bell {
    service: Arc<Service>,
    session: SessionId,
    room: Option<Receiver<Passed>>,
}

impl Bell {
    pub(crate) fn at(service: &Arc<Service>, session: SessionId) -> Self {
        let room = Some(service.hub.enter(session));
        Bell { service: Arc::clone(service), session, room }
    }

    /// Waits until facts were committed, or may have been elsewhere.
    pub(crate) async fn rings(&mut self) {
        let at = Instant::now() + look_every(&self.service);
        while let Some(room) = &mut self.room {
            tokio::select! {
                passed = room.recv() => match passed {
                    Ok(Passed::Piece(_)) => {}
                    Ok(Passed::Facts) | Err(RecvError::Lagged(_)) => return,
                    Err(RecvError::Closed) => break,
                },
                () = tokio::time::sleep_until(at) => return,
            }
        }
        tokio::time::sleep_until(at).await;
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.room = None;
        self.service.hub.leave(self.session);
    }
}

fn heartbeat(service: &Service) -> Duration {
    Duration::from_millis(service.settings.heartbeat_ms)
}

fn look_every(service: &Service) -> Duration {
    Duration::from_millis(service.settings.look_every_ms)
}

fn told(row: Stored) -> Result<Told, StoreError> {
    let fact: Fact = serde_json::from_str(&row.body)
        .map_err(|why| StoreError::Damaged(format!("event {} does not read: {why}", row.seq)))?;
    Ok(Told::Fact { seq: row.seq, name: fact.name(), event: view::event(&row) })
}
