//! What a cage costs: the median of `true` in one, of each kind, beside a bare `true`.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sandbox::{Cage, Grant, Launcher, Mode, Probe};

/// Runs of each kind.
const RUNS: usize = 60;

fn main() {
    sandbox::launch::main_if_launcher();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("INVARIANT: a runtime can be built").block_on(figures());
}

async fn figures() {
    let probe = Probe::now(Launcher::Myself).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(probe.mode(), Mode::Namespaces, "apt-get install bubblewrap\n{probe}");
    let bare = probe.without_namespaces().await.unwrap_or_else(|error| panic!("{error}"));
    println!("{probe}\n");
    let folder = std::env::temp_dir().join(format!("cage-bench-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("src")).expect("INVARIANT: a folder can be made");

    let mut free = Vec::new();
    for _ in 0..RUNS {
        let begun = Instant::now();
        let status = tokio::process::Command::new("true").status().await;
        assert!(status.is_ok_and(|status| status.success()));
        free.push(begun.elapsed());
    }
    let free = median(free);
    println!("{:<28}{:>9.2} ms", "bare `true`", millis(free));
    for (name, probe) in [("namespaces", probe), ("landlock and seccomp only", bare)] {
        let took = caged(Arc::new(probe), &folder).await;
        let ratio = took.as_secs_f64() / free.as_secs_f64();
        println!("{name:<28}{:>9.2} ms  × {ratio:.1}", millis(took));
    }
    let _ = std::fs::remove_dir_all(folder);
}

async fn caged(probe: Arc<Probe>, folder: &Path) -> Duration {
    let cage = Cage::new(probe, Grant::writing(folder)).unwrap_or_else(|error| panic!("{error}"));
    let mut took = Vec::new();
    for _ in 0..RUNS {
        let begun = Instant::now();
        let ended = cage.run("true", &[], b"").await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(ended.code, 0);
        took.push(begun.elapsed());
    }
    median(took)
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() / 2]
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
