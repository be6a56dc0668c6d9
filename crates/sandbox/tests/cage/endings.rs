//! How programs begin and end: environment, codes, and death that reaches everybody.

use std::collections::BTreeSet;
use std::io::BufRead;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use sandbox::{CageError, Launcher, Probe, Stopped};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::attempts::WORD;
use crate::world::{Before, World, bash, dead, living, myself, probes, text};

#[tokio::test]
async fn the_environment_is_made_from_nothing() {
    for probe in probes().await {
        let world = World::new(Before::Full);
        let cage =
            world.cage_of(&probe, |grant| drop(grant.env.insert("TOKEN".into(), "t".into())));
        let ended = cage.run("env", &[], b"").await.unwrap();
        let said = text(&ended);
        let names = said.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name);
        let names: BTreeSet<&str> = names.filter(|name| !name.starts_with("GIT_")).collect();
        let expected = [
            "HOME",
            "LANG",
            "LC_ALL",
            "PAGER",
            "PATH",
            "SSH_ASKPASS",
            "TERM",
            "TMPDIR",
            "TOKEN",
            "USER",
        ];
        assert_eq!(names, BTreeSet::from(expected), "{:?}", probe.mode());
    }
}

#[tokio::test]
async fn input_output_and_codes_come_through() {
    for probe in probes().await {
        let world = World::new(Before::Full);
        let cage = world.cage(&probe);
        let script = "cat; echo oops >&2; pwd; exit 7";
        let args = ["-c", script].map(str::to_owned);
        let ended = cage.run("bash", &args, b"hello\n").await.unwrap();
        let out = format!("hello\n{}\n", world.work().display());
        assert_eq!(String::from_utf8_lossy(&ended.stdout), out, "{:?}", probe.mode());
        assert_eq!((ended.code, &*ended.stderr, ended.stopped), (7, &b"oops\n"[..], None));
        assert_eq!(bash(&cage, "kill -SEGV $$").await.code, 128 + libc::SIGSEGV);
        let missing = cage.run("no-such-program", &[], b"").await.unwrap_err();
        assert!(matches!(missing, CageError::Program { .. }), "{missing}");
    }
}

/// What people do in a working directory goes on working.
#[tokio::test]
async fn honest_work_is_not_in_the_way() {
    for probe in probes().await {
        let world = World::new(Before::Full);
        let work = "set -e; cd src; mkdir -p x/y; echo 1 > x/y/f; mv x/y/f g; cp g h; rm g; \
                    sed -i s/1/2/ h; ln -s h l; cat l; cat <(echo 3); echo 4 > /dev/null; \
                    mktemp > /dev/null; echo 5 > ~/f; cat ~/f; ls .. | grep -c src; \
                    echo more >> ../notes.txt; python3 -c 'print(6)' 2> /dev/null || echo 6";
        let ended = bash(&world.cage(&probe), work).await;
        let said = String::from_utf8_lossy(&ended.stdout);
        assert_eq!(said, "2\n3\n5\n1\n6\n", "{:?} {}", probe.mode(), text(&ended));
    }
}

#[tokio::test]
async fn what_was_written_to_the_private_room_is_gone() {
    for probe in probes().await {
        let world = World::new(Before::Full);
        let cage = world.cage(&probe);
        let first =
            bash(&cage, "echo left > $TMPDIR/left; echo left > ~/left; chmod 0 $TMPDIR/home").await;
        assert_eq!(first.code == 0, probe.mode() == sandbox::Mode::Namespaces, "{first:?}");
        let second = bash(&cage, "cat $TMPDIR/left ~/left /tmp/left").await;
        assert!(second.stdout.is_empty(), "{:?}", probe.mode());
    }
}

fn mark(name: &str) -> (String, String) {
    ("CAGE_MARK".to_owned(), format!("{name}-{}", std::process::id()))
}

#[tokio::test]
async fn daemons_die_with_the_program() {
    for probe in probes().await {
        let world = World::new(Before::Full);
        let (name, value) = mark("daemon");
        let cage =
            world.cage_of(&probe, |grant| drop(grant.env.insert(name.clone(), value.clone())));
        let daemon = "setsid bash -c '(trap \"\" HUP TERM; exec sleep 300) & disown' \
                      > /dev/null 2>&1 < /dev/null & sleep 0.2; exit 0";
        let ended = bash(&cage, daemon).await;
        assert_eq!((ended.code, ended.stopped), (0, None), "{ended:?}");
        let left = living(&format!("{name}={value}"));
        assert!(left.is_empty(), "{:?} {left:?}", probe.mode());
    }
}

#[tokio::test]
async fn a_dropped_future_kills() {
    for probe in probes().await {
        let world = World::new(Before::Empty);
        let before = world.fixed();
        let (name, value) = mark("dropped");
        let cage =
            world.cage_of(&probe, |grant| drop(grant.env.insert(name.clone(), value.clone())));
        let script = ["-c", "setsid sleep 300 & echo up; sleep 300"].map(str::to_owned);
        let mut caged = cage.spawn("bash", &script).await.unwrap();
        let mut up = [0; 3];
        caged.stdout.as_mut().unwrap().read_exact(&mut up).await.unwrap();
        assert!(!living(&format!("{name}={value}")).is_empty());
        drop(caged);
        dead(&format!("{name}={value}"));
        cleared(&world, &before);
    }
}

/// Waits until a cage has left nothing behind in the world.
fn cleared(world: &World, before: &std::collections::BTreeMap<std::path::PathBuf, String>) {
    for _ in 0..1000 {
        if world.fixed() == *before {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(world.fixed(), *before);
}

#[tokio::test]
async fn a_long_lived_program_talks_until_it_is_killed() {
    for probe in probes().await {
        let world = World::new(Before::Full);
        let mut caged = world.cage(&probe).spawn("cat", &[]).await.unwrap();
        let mut stdin = caged.stdin.take().unwrap();
        for line in ["one\n", "two\n"] {
            stdin.write_all(line.as_bytes()).await.unwrap();
            let mut back = vec![0; line.len()];
            caged.stdout.as_mut().unwrap().read_exact(&mut back).await.unwrap();
            assert_eq!(back, line.as_bytes());
        }
        caged.kill();
        let ending = caged.wait().await.unwrap();
        assert_eq!((ending.code, ending.stopped), (137, Some(Stopped::Request)));
        let mut caged = world.cage(&probe).spawn("cat", &[]).await.unwrap();
        drop(caged.stdin.take());
        assert_eq!(caged.wait().await.unwrap().code, 0);
    }
}

/// Whoever watches over a program is out of its reach.
#[tokio::test]
async fn a_program_cannot_end_its_supervisor() {
    for probe in probes().await {
        let world = World::new(Before::Full);
        let script = "for signal in KILL STOP TERM; do kill -$signal $PPID 2> /dev/null && echo BROKEN; \
                      done; echo still here";
        let ended = bash(&world.cage(&probe), script).await;
        assert_eq!((text(&ended).as_str(), ended.code), ("still here\n", 0), "{:?}", probe.mode());
    }
}

/// The caller is killed: nobody is left, and nothing of the cage.
#[tokio::test]
async fn death_of_the_caller_is_the_end() {
    for probe in probes().await {
        let world = World::new(Before::Empty);
        let before = world.fixed();
        let mode = format!("{:?}", probe.mode());
        let mark = format!("orphan-{}-{mode}", std::process::id());
        let work = world.work();
        let mut parent = Command::new(myself())
            .args([WORD, "parent", work.to_str().unwrap(), &mode])
            .env("ORPHAN", &mark)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufReader::new(parent.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "up\n", "{mode}");
        assert!(!living(&format!("CAGE_MARK={mark}")).is_empty(), "{mode}");
        parent.kill().unwrap();
        parent.wait().unwrap();
        dead(&format!("CAGE_MARK={mark}"));
        cleared(&world, &before);
    }
}

/// A caller that starts a program and waits to be killed; in a process of its own.
pub(crate) fn parent(work: &str, mode: &str) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let probe = Probe::now(Launcher::Myself).await.map_err(std::io::Error::other)?;
        let probe = match mode {
            "Bare" => probe.without_namespaces().await.map_err(std::io::Error::other)?,
            _ => probe,
        };
        let mut grant = sandbox::Grant::writing(work);
        grant.limits.disk_free_bytes_min = 0;
        grant.env.insert("CAGE_MARK".into(), std::env::var("ORPHAN").unwrap_or_default());
        let cage = sandbox::Cage::new(Arc::new(probe), grant).map_err(std::io::Error::other)?;
        let args = ["-c", "setsid sleep 300 & echo up; sleep 300"].map(str::to_owned);
        let mut caged = cage.spawn("bash", &args).await.map_err(std::io::Error::other)?;
        let mut up = [0; 3];
        let stdout = caged.stdout.as_mut().ok_or(std::io::ErrorKind::NotFound)?;
        stdout.read_exact(&mut up).await?;
        print!("{}", String::from_utf8_lossy(&up));
        std::io::Write::flush(&mut std::io::stdout())?;
        caged.wait().await.map_err(std::io::Error::other).map(drop)
    })
}
