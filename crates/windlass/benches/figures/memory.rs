//! Resident memory: idle, with a thousand parked sessions, with a thousand running.
//!
//! Each is measured in a process of its own, which is this program again.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use engine::driver::Stop;
use engine::worker::{self, Settings};

use super::house::{self, Instantly, agent, engine, open, runtime};

/// The argument that makes this program the measured one.
pub(crate) const CHILD: &str = "--measured";

/// Sessions in the crowded measurements.
const SESSIONS: usize = 1_000;

pub(crate) fn lines() -> Vec<String> {
    ["idle", "parked", "running"]
        .into_iter()
        .map(|state| {
            let output = Command::new(std::env::current_exe().expect("we have a path"))
                .args([CHILD, state])
                .output()
                .expect("this program can be started again");
            let words = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            assert!(output.status.success(), "the measured process failed: {output:?}");
            words
        })
        .collect()
}

pub(crate) fn child() {
    let state = std::env::args().nth(2).unwrap_or_default();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let kib = runtime().block_on(async {
        match state.as_str() {
            "idle" => idle(folder.path()).await,
            "parked" => crowd(folder.path(), false).await,
            _ => crowd(folder.path(), true).await,
        }
    });
    let mib = kib as f64 / 1024.0;
    let name = match state.as_str() {
        "idle" => "resident memory, idle".to_owned(),
        other => format!("resident memory, {SESSIONS} sessions {other}"),
    };
    println!("{name:<46} {mib:>9.1} MiB");
}

async fn idle(folder: &std::path::Path) -> u64 {
    let engine = engine(folder, Arc::new(Instantly::new(1)));
    let _worker = work(&engine);
    settle().await;
    resident_kib()
}

/// A thousand sessions, either waiting in the store or all waiting for their model.
async fn crowd(folder: &std::path::Path, running: bool) -> u64 {
    let mut model = Instantly::new(1);
    model.wait = Duration::from_secs(600);
    let engine = engine(folder, Arc::new(model));
    let agent = agent(1);
    for _ in 0..SESSIONS {
        let session = open(&engine, &agent).await;
        if !running {
            park(&engine, session).await;
        }
    }
    let _worker = work(&engine);
    settle().await;
    resident_kib()
}

/// Parks a session as a stop would.
async fn park(engine: &engine::Engine, session: kernel::units::SessionId) {
    let stop = Stop::default();
    stop.soon.cancel();
    let lease =
        engine::driver::Lease::claim(engine, &house::tenant(), session, "bench", None).await;
    let lease = lease.expect("nobody else claims it");
    let driver = engine::driver::Driver::load(engine.clone(), lease, stop).await;
    let mut driver = driver.expect("the session was just written");
    driver.run().await.expect("the store works");
    driver.release().await.expect("the store works");
}

fn work(engine: &engine::Engine) -> tokio::task::JoinHandle<()> {
    let settings = Settings {
        owner: "bench".to_owned(),
        sessions_max: SESSIONS,
        sweep_every_ms: 200,
        failed_rest_ms: 1_000,
    };
    tokio::spawn(worker::run(engine.clone(), Arc::new(engine.clone()), settings, Stop::default()))
}

/// Waits until what can happen has happened.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(3)).await;
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("Linux tells it");
    let number = line.split_whitespace().nth(1).expect("the line has a number");
    number.parse().expect("it is a number")
}
