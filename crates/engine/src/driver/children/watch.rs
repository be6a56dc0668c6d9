//! One child, from its parent's side: opened if it is not there, driven if nobody else
//! does, waited for otherwise, and ended where it can only wait for a person.
//!
//! The same call leads to the same session, and the store takes an opening once: no child
//! is begun twice. A child of a cancelled parent is opened too, with its end in the same
//! commit, so that a former owner who wakes up late cannot open it after its parent's end.

use std::convert::Infallible;
use std::time::Duration;

use kernel::event::Outcome;
use kernel::run::{Birth, Child, Command, Report, Standing, State, standing};
use kernel::units::{SessionId, Tenant, UnixMs};
use tokio_util::sync::CancellationToken;

use super::super::lease::{Lease, Stop};
use crate::Engine;
use crate::error::EngineError;
use crate::ports::StoreError;
use crate::record::{agent_payload, commit, load};
use crate::worker;

/// How often a child that somebody else drives is looked at, in milliseconds.
const LOOK_EVERY_MS: u64 = 1_000;

/// The longest sleep of a child that its parent waits out, in milliseconds. For a longer
/// one the parent goes to sleep as well.
const SLEEP_MS_MAX: u64 = 10_000;

/// Failures in a row of what a child needs from the store.
const FAILURES_MAX: u32 = 5;

/// The wait after a failure, in milliseconds.
const FAILED_REST_MS: u64 = 1_000;

/// Who cancels a child whose parent is cancelled.
const CANCELLED_PARENT: &str = "its parent, which was cancelled";

/// One child and what is needed to see to it.
pub(super) struct Watch {
    pub(super) engine: Engine,
    pub(super) tenant: Tenant,
    pub(super) owner: String,
    pub(super) stop: Stop,
    pub(super) child: Child,
    /// What it is opened with; `None` where the call cannot be read any more.
    pub(super) birth: Option<Birth>,
    pub(super) cancel: CancellationToken,
    pub(super) since: UnixMs,
}

/// How a child came to rest.
pub(super) enum Rested {
    /// It is over.
    Over { report: Box<Report>, took_ms: u64 },
    /// It sleeps until then.
    Asleep(UnixMs),
    /// The program stops, and it did so as well, perhaps in the middle of an act.
    Stopped { dropped: bool },
    /// The store failed again and again.
    Failed(EngineError),
}

impl Watch {
    /// Sees to the child until it comes to rest.
    pub(super) async fn until_rest(self) -> (SessionId, Rested) {
        let rested = tokio::select! {
            biased;
            never = self.cancelled() => match never {},
            rested = self.watched() => rested,
        };
        (self.child.session, rested)
    }

    async fn watched(&self) -> Rested {
        let mut failures = 0;
        loop {
            match self.look().await {
                Ok(Some(rested)) => return rested,
                Ok(None) => failures = 0,
                Err(EngineError::Refused(_)) => {}
                Err(
                    error @ (EngineError::Damaged { .. }
                    | EngineError::Agent(_)
                    | EngineError::Store(
                        StoreError::Damaged(_) | StoreError::Missing(_) | StoreError::Erased(_),
                    )),
                ) => return self.lost(&error.to_string()),
                Err(error) => {
                    failures += 1;
                    if failures >= FAILURES_MAX || self.stop.is_asked() {
                        return Rested::Failed(error);
                    }
                    self.sleep(FAILED_REST_MS).await;
                }
            }
        }
    }

    /// Looks how the child stands, and does the next thing for it.
    async fn look(&self) -> Result<Option<Rested>, EngineError> {
        if !self.is_open().await? {
            if self.stop.is_asked() && !self.cancel.is_cancelled() {
                return Ok(Some(Rested::Stopped { dropped: false }));
            }
            self.open().await?;
        }
        let stopping = self.stop.is_asked();
        let state = load(&self.engine, &self.tenant, self.child.session).await?;
        match standing(&state) {
            Standing::Over(report) => Ok(Some(self.over(report))),
            Standing::Stuck(why) => {
                let by = format!("its parent, because it would wait: {why}");
                self.engine.cancel(&self.tenant, self.child.session, &by).await?;
                Ok(None)
            }
            Standing::Paused | Standing::Sleeps(_) if stopping => {
                Ok(Some(Rested::Stopped { dropped: false }))
            }
            Standing::Paused => {
                let (tenant, child) = (&self.tenant, self.child.session);
                self.engine.wake(tenant, child, "its parent", Some(0), None).await?;
                Ok(None)
            }
            Standing::Sleeps(until) => self.sleep_or_drive(until).await,
            Standing::Works => {
                let driven = self.drive_or_wait().await?;
                // What was driven when the stop was asked for already will not rest better.
                let ends = stopping && self.still_works().await?;
                Ok(ends.then_some(Rested::Stopped { dropped: driven }))
            }
        }
    }

    async fn still_works(&self) -> Result<bool, EngineError> {
        let state = load(&self.engine, &self.tenant, self.child.session).await?;
        Ok(standing(&state) == Standing::Works)
    }

    async fn sleep_or_drive(&self, until: UnixMs) -> Result<Option<Rested>, EngineError> {
        let wait_ms = until.0.saturating_sub(self.engine.world.now().0);
        if wait_ms > SLEEP_MS_MAX {
            return Ok(Some(Rested::Asleep(until)));
        }
        if wait_ms > 0 {
            self.sleep(wait_ms).await;
        } else {
            self.drive_or_wait().await?;
        }
        Ok(None)
    }

    /// Drives the child, or waits a little where somebody else does. Says which.
    async fn drive_or_wait(&self) -> Result<bool, EngineError> {
        let (engine, child) = (&self.engine, self.child.session);
        let claim = |over| Lease::claim(engine, &self.tenant, child, &self.owner, over);
        let claimed = match claim(None).await {
            Err(StoreError::Held { owner, epoch, .. }) if engine.world.is_dead(&owner) => {
                claim(Some(epoch)).await
            }
            other => other,
        };
        match claimed {
            Ok(lease) => {
                match worker::drive(engine.clone(), engine, lease, self.stop.clone()).await {
                    // Somebody took over: the next look says how it goes on.
                    Ok(()) | Err(EngineError::Store(StoreError::Fenced { .. })) => Ok(true),
                    Err(error) => Err(error),
                }
            }
            Err(StoreError::Held { until, .. }) => {
                let left_ms = until.0.saturating_sub(engine.world.now().0);
                self.sleep(LOOK_EVERY_MS.min(left_ms + 1)).await;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn is_open(&self) -> Result<bool, EngineError> {
        match self.engine.store.look(&self.tenant, self.child.session).await {
            Ok(_) => Ok(true),
            Err(StoreError::Missing(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the child with its task, in one commit; with its end too, where its parent is
    /// cancelled. Nothing happens where it is there.
    async fn open(&self) -> Result<(), EngineError> {
        let Some(birth) = &self.birth else {
            return Err(StoreError::Missing("way to read the call of a child".to_owned()).into());
        };
        let mut state = State::new(self.child.session, &birth.agent);
        let opening = birth.opening.clone();
        let mut stepped = self.engine.step(&mut state, Command::Open(opening))?;
        stepped.append(self.engine.step(&mut state, birth.start.clone())?);
        if self.cancel.is_cancelled() {
            let by = CANCELLED_PARENT.to_owned();
            stepped.append(self.engine.step(&mut state, Command::Cancel { by })?);
        }
        let payloads = vec![agent_payload(&birth.agent)];
        match commit(&self.engine, &self.tenant, None, &state, stepped, payloads).await {
            Ok(()) | Err(StoreError::Stale { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Once the parent is cancelled, asks for the child's end until that is in its log.
    /// Never comes back: whoever watches sees the end.
    async fn cancelled(&self) -> Infallible {
        self.cancel.cancelled().await;
        loop {
            match self.engine.cancel(&self.tenant, self.child.session, CANCELLED_PARENT).await {
                Ok(()) | Err(EngineError::Refused(_)) => break,
                Err(_missing_or_unreachable) => self.pause(FAILED_REST_MS).await,
            }
        }
        std::future::pending().await
    }

    fn over(&self, report: Report) -> Rested {
        let took_ms = self.engine.world.now().0.saturating_sub(self.since.0);
        Rested::Over { report: Box::new(report), took_ms }
    }

    /// A child whose log cannot be read: its parent is told, and all that it got counts as
    /// used.
    fn lost(&self, why: &str) -> Rested {
        let content = format!("The child ended without a result: {why}.");
        self.over(Report { outcome: Outcome::Error, content, end: self.child.lost() })
    }

    /// Waits, unless the program stops.
    async fn sleep(&self, ms: u64) {
        tokio::select! {
            biased;
            () = self.stop.soon.cancelled() => {}
            () = self.stop.now.cancelled() => {}
            () = self.cancel.cancelled(), if !self.cancel.is_cancelled() => {}
            () = self.pause(ms) => {}
        }
    }

    async fn pause(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}
