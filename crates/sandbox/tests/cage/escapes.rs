//! Attempts by commands: all of them succeed without a cage, and none in one.

use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::process::Command;

use crate::world::{Before, SECRET, World, bash, probes, text};

/// One command and what it needs.
struct Attempt {
    command: String,
    before: Before,
    root: bool,
    maybe: bool,
}

fn attempts() -> Vec<Attempt> {
    let mut all = Vec::new();
    let mut when = (vec![], false, false);
    for line in include_str!("escapes.txt").lines() {
        if let Some(words) = line.strip_prefix("when:") {
            let before = match words.split_whitespace().next() {
                Some("both") => vec![Before::Full, Before::Empty],
                Some("full") => vec![Before::Full],
                Some("empty") => vec![Before::Empty],
                other => panic!("`{other:?}`"),
            };
            when = (before, words.contains("root"), words.contains("maybe"));
        } else if !line.is_empty() && !line.starts_with('#') {
            let (command, root, maybe) = (line.to_owned(), when.1, when.2);
            let attempt = |before| Attempt { command: command.clone(), before, root, maybe };
            all.extend(when.0.iter().map(|before| attempt(*before)));
        }
    }
    assert!(all.len() > 100, "{}", all.len());
    all
}

/// Listeners outside, which some attempts talk to.
struct Outside {
    tcp: TcpListener,
}

impl Outside {
    fn fill(&self, command: &str, world: &World) -> String {
        command
            .replace("{outside}", world.root.join("outside").to_str().unwrap())
            .replace("{work}", world.work().to_str().unwrap())
            .replace("{parent}", &std::process::id().to_string())
            .replace("{tcp}", &self.tcp.local_addr().unwrap().port().to_string())
    }
}

#[tokio::test]
async fn no_command_gets_out_or_at_what_is_protected() {
    let outside = Outside { tcp: TcpListener::bind("127.0.0.1:0").unwrap() };
    let probes = probes().await;
    let mut broken = Vec::new();
    for attempt in attempts() {
        for probe in &probes {
            let world = World::new(attempt.before);
            let before = world.fixed();
            let command = outside.fill(&attempt.command, &world);
            let ended = bash(&world.cage(probe), &command).await;
            let said = text(&ended);
            if said.contains(SECRET) || world.fixed() != before {
                let (mode, before) = (probe.mode(), attempt.before);
                broken.push(format!("{mode:?} {before:?}: {command}\n{said}"));
            }
        }
    }
    assert!(broken.is_empty(), "{} got out:\n{}", broken.len(), broken.join("\n"));
}

/// Without this, a command with a mistake in it would seem to be stopped by the cage.
#[test]
fn every_command_gets_out_where_there_is_no_cage() {
    let outside = Outside { tcp: TcpListener::bind("127.0.0.1:0").unwrap() };
    let mut harmless = Vec::new();
    for attempt in attempts() {
        if attempt.maybe || (attempt.root && !rustix::process::getuid().is_root()) {
            continue;
        }
        let world = World::new(attempt.before);
        let before = world.fixed();
        let command = outside.fill(&attempt.command, &world);
        let ran = Command::new("bash").args(["-c", &command]).current_dir(world.work()).output();
        let ran = ran.unwrap();
        let said = [ran.stdout, ran.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        if !said.contains(SECRET) && world.fixed() == before {
            harmless.push(format!("{:?}: {command}\n{said}", attempt.before));
        }
        // A file system that an attempt mounted would stay.
        let _ = Command::new("umount").arg(world.work().join("src")).output();
    }
    assert!(harmless.is_empty(), "{} do nothing:\n{}", harmless.len(), harmless.join("\n"));
}

/// A socket outside, by path and by abstract name.
#[tokio::test]
async fn daemons_of_the_machine_are_out_of_reach() {
    use std::os::linux::net::SocketAddrExt;
    for probe in probes().await {
        let world = World::new(Before::Full);
        let path = world.root.join("outside/daemon.sock");
        let _by_path = UnixListener::bind(&path).unwrap();
        let name = format!("cage-test-{}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let _by_name = UnixListener::bind_addr(&address).unwrap();
        for (kind, target) in [("unix-path", path.to_str().unwrap()), ("unix-name", &name)] {
            let args = [crate::attempts::WORD, kind, target].map(str::to_owned);
            let free = Command::new(crate::world::myself()).args(&args).output().unwrap();
            assert!(String::from_utf8_lossy(&free.stdout).contains(SECRET), "{kind} is wrong");
            let program = crate::world::myself();
            let caged = world.cage(&probe).run(program.to_str().unwrap(), &args, b"").await;
            let said = text(&caged.unwrap());
            assert!(!said.contains(SECRET), "{:?} {kind}: {said}", probe.mode());
        }
    }
}
