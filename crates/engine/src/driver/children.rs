//! The children of one run, at work beside each other.
//!
//! They are polled by their parent's driver and by nobody else, so that a parent that is
//! paused or dies takes them with it; their own logs say how they stand. A child that is
//! not over yet stays under way while its parent commits the end of another.

mod watch;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use kernel::run::{Call, Command, Phase, Report, Wake, birth};
use kernel::units::{SessionId, UnixMs};
use tokio_util::sync::CancellationToken;

use super::lease::{Interruption, Stop};
use super::{Driver, Rest};
use crate::error::EngineError;
use crate::perform;
use crate::ports::{Status, World};

use watch::{Rested, Watch};

type UnderWay = FuturesUnordered<BoxFuture<'static, (SessionId, Rested)>>;

/// The children of one run.
#[derive(Default)]
pub(super) struct Children {
    /// Never locked: it lets a driver be shared, which futures alone would not.
    under_way: Mutex<UnderWay>,
    /// How each of those under way is told that its parent is cancelled.
    cancels: BTreeMap<SessionId, CancellationToken>,
    /// Those that sleep for long.
    sleeping: BTreeMap<SessionId, UnixMs>,
    /// Whether any came to rest because the program stops, and if so in the middle of an act.
    stopped: Option<bool>,
}

/// What their parent has to do next.
enum Next {
    /// Note the end of one.
    Over { child: SessionId, report: Box<Report>, took_ms: u64 },
    /// Sleep with all that are left, until this one wakes.
    Asleep { child: SessionId, until: UnixMs },
    /// Stop as they did, `dropped` in the middle of an act.
    Stopped { dropped: bool },
    /// Give up: the store failed again and again.
    Failed(EngineError),
    /// Look again: one that slept wakes.
    Look,
}

impl Driver {
    /// Sees to the children until one of them is over, or nothing can be done for any.
    pub(super) async fn tend(&mut self, calls: Vec<Call>) -> Result<Option<Rest>, EngineError> {
        let cancelled = self.state.run.as_ref().is_some_and(|run| run.cancel_asked);
        self.watch(&calls, cancelled);
        // They hear of a stop themselves, and come to rest in their own logs first.
        let patient = Stop { now: CancellationToken::new(), ..self.stop.clone() };
        let act = self.children.next(&*self.engine.world);
        let seen = self.state.seq;
        match self.lease.guard(&self.engine, seen, &patient, !cancelled, act).await {
            Ok(Next::Over { child, report, took_ms }) => {
                let of = |call: &&Call| call.child().is_some_and(|one| one.session == child);
                if let Some(call) = calls.iter().find(of) {
                    let over = perform::child_over(&self.state, call, *report, took_ms);
                    self.record(vec![over]).await?;
                }
            }
            Ok(Next::Stopped { dropped }) if dropped || cancelled => {
                return Ok(Some(Rest::Dropped));
            }
            Ok(Next::Stopped { .. }) => self.decide(Command::Park).await?,
            Ok(Next::Asleep { .. }) if self.stop.is_asked() => self.decide(Command::Park).await?,
            Ok(Next::Asleep { child, until }) => self.sleep_with(child, until).await?,
            Ok(Next::Look) => {}
            Err(Interruption::Cancelled | Interruption::Stopped) => self.reload().await?,
            Ok(Next::Failed(error)) | Err(Interruption::Failed(error)) => return Err(error),
        }
        Ok(None)
    }

    /// Sleeps with a child, unless that goes on meanwhile: somebody may have answered what it
    /// asked. Whoever answers wakes the parents that sleep already; the look behind the commit
    /// finds what was answered before it.
    async fn sleep_with(&mut self, child: SessionId, until: UnixMs) -> Result<(), EngineError> {
        self.decide(Command::AwaitChild { child, until }).await?;
        let now = self.engine.world.now();
        let found = self.engine.store.look(&self.lease.tenant, child).await?;
        if found.brief.due.is_some_and(|due| due <= now) {
            self.children.sleeping.remove(&child);
            self.decide(Command::Wake(Wake::Child(child))).await?;
        }
        Ok(())
    }

    /// Begins to watch the children that are not watched yet.
    fn watch(&mut self, calls: &[Call], cancelled: bool) {
        let now = self.engine.world.now();
        self.children.sleeping.retain(|_, until| !cancelled && *until > now);
        for call in calls {
            let Some(child) = call.child() else { continue };
            let session = child.session;
            match self.children.cancels.get(&session) {
                Some(cancel) if cancelled => cancel.cancel(),
                Some(_) => {}
                None if self.children.sleeping.contains_key(&session) => {}
                None => {
                    let cancel = CancellationToken::new();
                    if cancelled {
                        cancel.cancel();
                    }
                    let watch = Watch {
                        engine: self.engine.clone(),
                        tenant: self.lease.tenant.clone(),
                        owner: self.lease.owner().to_owned(),
                        stop: self.stop.clone(),
                        child: *child,
                        birth: birth(&self.state, call),
                        cancel: cancel.clone(),
                        since: now,
                    };
                    self.children.cancels.insert(session, cancel);
                    self.children.under_way().push(watch.until_rest().boxed());
                }
            }
        }
    }

    /// Tells the run that this session works for that it is over, if that sleeps. Who drives
    /// both sees it anyway; a nudge that is lost costs time and nothing else.
    pub(super) async fn tell_parent(&mut self) {
        let opening = self.state.opening.as_ref();
        let Some(parent) = opening.and_then(|opening| opening.parent.as_ref()) else { return };
        let over = self.state.run.as_ref().is_some_and(|run| matches!(run.phase, Phase::Over(_)));
        let tenant = &self.lease.tenant;
        if over
            && let Ok(above) = self.engine.store.look(tenant, parent.session).await
            && above.brief.status == Status::Parked
        {
            let child = self.state.session;
            let _lost = self.engine.wake_parent(tenant, parent.session, child).await;
        }
    }

    /// Lets children that are under way come to rest, when their parent did. It does so
    /// before them only when the program stops, and so do they then.
    pub(super) async fn rest_children(&mut self) {
        while self.children.under_way().next().await.is_some() {}
        self.children = Children::default();
    }
}

impl Children {
    fn under_way(&mut self) -> &mut UnderWay {
        self.under_way.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is something to do for their parent. May be dropped at any time:
    /// who is under way stays so.
    async fn next(&mut self, world: &dyn World) -> Next {
        loop {
            let soonest = self.sleeping.iter().map(|(child, until)| (*until, *child)).min();
            let under_way = self.under_way();
            let busy = !under_way.is_empty();
            let (child, rested) = tokio::select! {
                biased;
                Some(rested) = under_way.next() => rested,
                () = wake(world, soonest), if busy => return Next::Look,
                else => break,
            };
            self.cancels.remove(&child);
            match rested {
                Rested::Over { report, took_ms } => return Next::Over { child, report, took_ms },
                Rested::Asleep(until) => {
                    self.sleeping.insert(child, until);
                }
                Rested::Stopped { dropped } => {
                    self.stopped = Some(dropped || self.stopped == Some(true));
                }
                Rested::Failed(error) => return Next::Failed(error),
            }
        }
        let soonest = self.sleeping.iter().map(|(child, until)| (*until, *child)).min();
        match (self.stopped.take(), soonest) {
            (Some(dropped), _) => Next::Stopped { dropped },
            (None, Some((until, child))) => Next::Asleep { child, until },
            (None, None) => Next::Look,
        }
    }
}

async fn wake(world: &dyn World, soonest: Option<(UnixMs, SessionId)>) {
    match soonest {
        Some((until, _)) => {
            let wait_ms = until.0.saturating_sub(world.now().0);
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
        None => std::future::pending().await,
    }
}
