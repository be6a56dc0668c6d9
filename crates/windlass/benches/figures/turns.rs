//! Durable turns: a model response, a tool call, and everything committed before the
//! next step.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::MEASURE;
use super::house::{Instantly, agent, engine, finish, open};

/// Turns of one session: with the answer at the end, the usual cap.
const TURNS: u32 = 24;

/// Turns per second with so many sessions at once.
pub(crate) async fn turns_per_second(at_once: usize) -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let model = Arc::new(Instantly::new(TURNS));
    let engine = engine(folder.path(), Arc::clone(&model));
    let agent = agent(TURNS);
    let began = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..at_once {
        let (engine, agent) = (engine.clone(), agent.clone());
        tasks.push(tokio::spawn(async move {
            while began.elapsed() < MEASURE {
                let session = open(&engine, &agent).await;
                finish(&engine, session).await;
            }
        }));
    }
    for task in tasks {
        task.await.expect("a session of the bench ends");
    }
    model.answers.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64()
}

/// The time that a turn takes beside its model and its tool.
pub(crate) struct Added {
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
}

/// Measured between one model call and the next, with a model that takes no time.
pub(crate) async fn added_time() -> Added {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut model = Instantly::new(TURNS);
    model.calls = Some(Mutex::new(Vec::new()));
    let model = Arc::new(model);
    let engine = engine(folder.path(), Arc::clone(&model));
    let agent = agent(TURNS);
    let mut gaps = Vec::new();
    let began = Instant::now();
    while began.elapsed() < MEASURE {
        let session = open(&engine, &agent).await;
        finish(&engine, session).await;
        let calls = model.calls.as_ref().expect("it was asked for");
        let calls = std::mem::take(&mut *calls.lock().expect("no holder panics"));
        gaps.extend(calls.windows(2).map(|two| (two[1] - two[0]).as_secs_f64() * 1e6));
    }
    gaps.sort_by(f64::total_cmp);
    let at = |part: f64| gaps[((gaps.len() - 1) as f64 * part) as usize];
    Added { p50_us: at(0.50), p99_us: at(0.99) }
}
