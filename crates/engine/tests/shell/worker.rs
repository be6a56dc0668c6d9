//! Workers: lost nudges, restarts, bugs, replaced programs.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use engine::Engine;
use engine::driver::Stop;
use engine::ports::{Dispatch, Status, World};
use engine::worker::{self, Settings};
use kernel::event::Parked;
use kernel::units::{SessionId, Tenant, UnixMs};

use crate::stage::{Stage, calls, says, sleep};

/// Every nudge is lost.
struct Deaf;

#[async_trait]
impl Dispatch for Deaf {
    async fn nudge(&self, _tenant: &Tenant, _session: SessionId) {}

    async fn next(&self) -> (Tenant, SessionId) {
        std::future::pending().await
    }
}

/// A world that knows that the first worker is dead.
struct Coroner(Arc<dyn World>);

impl World for Coroner {
    fn now(&self) -> UnixMs {
        self.0.now()
    }

    fn session_id(&self) -> SessionId {
        self.0.session_id()
    }

    fn chance(&self) -> u64 {
        self.0.chance()
    }

    fn is_dead(&self, owner: &str) -> bool {
        owner == "worker"
    }
}

fn hire(engine: &Engine, sessions_max: usize) -> (Stop, tokio::task::JoinHandle<()>) {
    hire_as("worker", engine, sessions_max)
}

fn hire_as(
    owner: &str,
    engine: &Engine,
    sessions_max: usize,
) -> (Stop, tokio::task::JoinHandle<()>) {
    let settings = Settings {
        owner: owner.to_owned(),
        sessions_max,
        sweep_every_ms: 1_000,
        failed_rest_ms: 60_000,
    };
    let stop = Stop::default();
    let outfitter = Arc::new(engine.clone());
    (stop.clone(), tokio::spawn(worker::run(engine.clone(), outfitter, settings, stop)))
}

async fn status(stage: &Stage, session: SessionId) -> Status {
    stage.engine.store.look(&stage.tenant, session).await.expect("it is there").brief.status
}

#[tokio::test(start_paused = true)]
async fn lost_nudges_cost_time_and_nothing_else() {
    for deaf in [true, false] {
        let mut stage = Stage::new((0..20).map(|_| says(5_000, "done")));
        if deaf {
            stage.engine.dispatch = Arc::new(Deaf);
        }
        let (stop, worker) = hire(&stage.engine, 3);
        let mut sessions = Vec::new();
        for _ in 0..10 {
            sessions.push(stage.open().await);
        }
        sleep(4 * 6_500).await;
        for session in sessions {
            assert_eq!(status(&stage, session).await, Status::Finished, "deaf: {deaf}");
        }
        stop.soon.cancel();
        worker.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn l34_what_the_dead_left_is_taken_over_before_their_leases_end() {
    let mut stage = Stage::new([says(60_000, "never"), says(10, "done")]);
    let session = stage.open().await;
    let (_stop, killed) = hire(&stage.engine, 3);
    sleep(2_000).await;
    killed.abort();
    let _killed = killed.await;
    stage.engine.world = Arc::new(Coroner(Arc::clone(&stage.engine.world)));
    let (stop, worker) = hire_as("another", &stage.engine, 3);
    sleep(1_000).await;
    assert_eq!(status(&stage, session).await, Status::Finished);
    stop.soon.cancel();
    worker.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn l34_a_restarted_worker_finds_what_is_owed() {
    let stage = Stage::new([says(60_000, "never"), says(10, "done")]);
    let session = stage.open().await;
    let (_stop, killed) = hire(&stage.engine, 3);
    sleep(2_000).await;
    killed.abort();
    let _killed = killed.await;
    let (stop, worker) = hire(&stage.engine, 3);
    sleep(32_000).await;
    assert_eq!(status(&stage, session).await, Status::Finished);
    stop.soon.cancel();
    worker.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn l2_a_stopped_worker_hands_its_runs_over() {
    for soon in [true, false] {
        let lines = || [calls(5_000, &["look"]), says(5_000, "a"), says(5_000, "b")];
        let stage = Stage::new(lines());
        let session = stage.open().await;
        let (stop, worker) = hire(&stage.engine, 3);
        sleep(2_000).await;
        if soon {
            stop.soon.cancel()
        } else {
            stop.now.cancel()
        }
        worker.await.unwrap();
        let parked = stage.state(session).await.run.unwrap().parked;
        assert!(matches!(parked, Some((Parked::HandedOver, Some(_)))), "soon: {soon}: {parked:?}");
        let now = stage.engine.world.now();
        assert!(parked.unwrap().1 <= Some(now), "it is due at once");
        let (stop, worker) = hire(&stage.engine, 3);
        sleep(20_000).await;
        assert_eq!(status(&stage, session).await, Status::Finished, "soon: {soon}");
        stop.soon.cancel();
        worker.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_bug_parks_its_run_and_the_others_go_on() {
    let stage = Stage::new([]);
    let (hit, spared) = (stage.open().await, stage.open().await);
    stage.model.crashes.store(true, Ordering::Relaxed);
    let (stop, worker) = hire(&stage.engine, 1);
    sleep(5_000).await;
    let parked = stage.state(hit).await.run.unwrap().parked;
    assert_eq!(parked, Some((Parked::Faulted { message: "a bug".to_owned() }, None)));
    assert_eq!(status(&stage, spared).await, Status::Finished);
    stop.soon.cancel();
    worker.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_damaged_session_is_left_alone_and_hides_no_other() {
    let stage = Stage::new([]);
    let (damaged, whole) = (stage.open().await, stage.open().await);
    *stage.front.tampered.lock().unwrap() = Some((damaged, |rows| rows.truncate(1)));
    let (stop, worker) = hire(&stage.engine, 1);
    sleep(5_000).await;
    assert_eq!(status(&stage, whole).await, Status::Finished);
    assert_eq!(status(&stage, damaged).await, Status::Running);
    let epoch = stage.engine.store.look(&stage.tenant, damaged).await.unwrap().head.epoch;
    assert_eq!(epoch.0, 1, "it is not claimed again and again");
    *stage.front.tampered.lock().unwrap() = None;
    sleep(60_000).await;
    assert_eq!(status(&stage, damaged).await, Status::Finished, "it is tried again later");
    stop.soon.cancel();
    worker.await.unwrap();
}
