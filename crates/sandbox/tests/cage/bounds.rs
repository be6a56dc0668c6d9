//! What a program uses up is bounded, whatever it tries, and it is dead afterwards.

use std::time::{Duration, Instant};

use sandbox::{Ended, Stopped};

use crate::attempts::WORD;
use crate::world::{Before, World, bash, dead, myself, probes, text};

const MIB: u64 = 1024 * 1024;

/// Far more than any of these may take.
const PATIENCE: Duration = Duration::from_secs(25);

#[tokio::test]
async fn a_fork_bomb_ends() {
    for probe in probes().await {
        let world = World::new(Before::Full);
        let mark = format!("CAGE_MARK=bomb-{}-{:?}", std::process::id(), probe.mode());
        let cage = world.cage_of(&probe, |grant| {
            grant.limits.tasks_max = 64;
            let (name, value) = mark.split_once('=').unwrap();
            grant.env.insert(name.into(), value.into());
        });
        let begun = Instant::now();
        let ended = bash(&cage, "bomb() { bomb | bomb & }; bomb; sleep 20").await;
        assert!(begun.elapsed() < PATIENCE, "{:?}", probe.mode());
        assert_ne!((ended.code, ended.stopped), (0, None), "{:?}", probe.mode());
        dead(&mark);
    }
}

#[tokio::test]
async fn many_processes_are_counted_together() {
    for probe in probes().await {
        let world = World::new(Before::Full);
        let cage = world.cage_of(&probe, |grant| grant.limits.tasks_max = 30);
        let few = bash(&cage, "for i in $(seq 10); do sleep 0.3 & done; wait").await;
        assert_eq!((few.code, few.stopped), (0, None), "{:?} {few:?}", probe.mode());
        let many = bash(&cage, "for i in $(seq 40); do sleep 20 & done; wait").await;
        // The kernel refuses more to everybody but root.
        let refused = many.stopped.is_none() && text(&many).contains("fork");
        assert!(many.stopped == Some(Stopped::Tasks) || refused, "{:?} {many:?}", probe.mode());
    }
}

#[tokio::test]
async fn memory_is_bounded_for_one_and_for_all() {
    for probe in probes().await {
        let world = World::new(Before::Full);
        let cage = world.cage_of(&probe, |grant| grant.limits.memory_bytes_max = 128 * MIB);
        let program = myself();
        let one = [WORD, "hold", "256"].map(str::to_owned);
        let ended = cage.run(program.to_str().unwrap(), &one, b"").await.unwrap();
        assert_eq!(text(&ended).trim(), libc::ENOMEM.to_string(), "{:?}", probe.mode());
        let many =
            format!("for i in 1 2 3 4; do {} {WORD} hold 60 & done; wait", program.display());
        let ended = bash(&cage, &many).await;
        assert_eq!(ended.stopped, Some(Stopped::Memory), "{:?} {}", probe.mode(), text(&ended));
    }
}

#[tokio::test]
async fn output_is_cut_at_its_limit() {
    for probe in probes().await {
        let world = World::new(Before::Full);
        let cage = world.cage_of(&probe, |grant| grant.limits.output_bytes_max = 100_000);
        let Ended { stopped, stdout, stderr, .. } = bash(&cage, "yes & yes >&2").await;
        assert_eq!(stopped, Some(Stopped::Output), "{:?}", probe.mode());
        assert_eq!(stdout.len() + stderr.len(), 100_000, "{:?}", probe.mode());
        let exactly = bash(&cage, "head -c 100000 /dev/zero").await;
        assert_eq!((exactly.stopped, exactly.stdout.len()), (None, 100_000));
    }
}

#[tokio::test]
async fn files_and_disks_are_not_filled() {
    for probe in probes().await {
        let world = World::new(Before::Full);
        let cage = world.cage_of(&probe, |grant| grant.limits.file_bytes_max = MIB);
        let ended = bash(&cage, "head -c 10000000 /dev/zero > src/big").await;
        assert_ne!(ended.code, 0, "{:?}", probe.mode());
        assert_eq!(std::fs::metadata(world.work().join("src/big")).unwrap().len(), MIB);

        let disk = rustix::fs::statvfs(world.work().as_path()).unwrap();
        let floor = disk.f_bavail * disk.f_frsize - 64 * MIB;
        let cage = world.cage_of(&probe, |grant| grant.limits.disk_free_bytes_min = floor);
        let flood = "for i in $(seq 2000); do head -c 4000000 /dev/zero > src/$i; done";
        let ended = bash(&cage, flood).await;
        assert_eq!(ended.stopped, Some(Stopped::Disk), "{:?}", probe.mode());
    }
}

#[tokio::test]
async fn a_deadline_is_kept_against_the_stubborn() {
    for probe in probes().await {
        let world = World::new(Before::Full);
        let cage = world.cage_of(&probe, |grant| grant.limits.deadline_ms = 300);
        let begun = Instant::now();
        let ended = bash(&cage, "trap '' TERM INT HUP; while :; do sleep 0.05; done").await;
        assert_eq!((ended.code, ended.stopped), (137, Some(Stopped::Deadline)));
        assert!(begun.elapsed() < PATIENCE, "{:?}", probe.mode());
    }
}

#[tokio::test]
async fn a_busy_program_ends_when_its_processor_time_is_over() {
    for probe in probes().await {
        let world = World::new(Before::Full);
        let cage = world.cage_of(&probe, |grant| grant.limits.cpu_seconds_max = 1);
        let ended = bash(&cage, "while :; do :; done").await;
        assert!([128 + libc::SIGXCPU, 137].contains(&ended.code), "{ended:?}");
    }
}
