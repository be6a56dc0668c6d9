//! Commands for real, in a real cage. Where nothing can be caged, these tests fail: a
//! cage that was not tried is no cage.

#![allow(clippy::unwrap_used)] // a harness outside of test functions: its panic is the report

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use engine::ports::{Reconciled, ToolCall, ToolError, ToolOutput, Toolbox as _};
use kernel::json::RawJson;
use kernel::units::{SessionId, Tenant};
use kernel::verdict::Verdict;
use serde_json::json;
use tools::{Bash, Builtin, Settings};

struct Ground {
    dir: tempfile::TempDir,
    toolbox: Builtin,
}

impl Ground {
    fn new(bash: Bash) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let work = dir.path().join("work");
        fs::create_dir_all(work.join(".git/hooks")).unwrap();
        fs::create_dir_all(work.join(".windlass")).unwrap();
        fs::write(work.join(".windlass/store.db"), "the secret text").unwrap();
        fs::write(dir.path().join("secret.txt"), "the secret text").unwrap();
        fs::write(work.join("a.txt"), "one\ntwo\n").unwrap();
        symlink("../secret.txt", work.join("link")).unwrap();
        let state_dir = work.join(".windlass");
        Ground { dir, toolbox: Builtin::new(Settings { bash, state_dir, ..Settings::default() }) }
    }

    fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    fn call(&self, command: &str) -> ToolCall {
        let spec = tools::all_specs().into_iter().find(|spec| spec.name == "bash").unwrap();
        ToolCall {
            tenant: Tenant("t".to_owned()),
            session: "01890000-0000-7000-8000-000000000001".parse::<SessionId>().unwrap(),
            spec,
            arguments: RawJson::of(&json!({"command": command, "timeout_seconds": 20})),
            workdir: Some(self.work()),
            key: "k".to_owned(),
        }
    }

    async fn run(&self, command: &str) -> ToolOutput {
        let call = self.call(command);
        let run = tokio::time::timeout(Duration::from_secs(60), self.toolbox.run(&call));
        run.await.expect("no call hangs").expect("it is caged")
    }

    async fn verdict(&self, command: &str) -> Verdict {
        self.toolbox.examine(&self.call(command)).await.judgement.verdict
    }
}

fn granted(allow: &[&str]) -> Bash {
    Bash { allow: allow.iter().map(|&entry| entry.to_owned()).collect(), ..Bash::default() }
}

#[tokio::test]
async fn a_command_works_in_its_folder_and_says_how_it_ended() {
    let ground = Ground::new(Bash::default());
    assert_eq!(ground.run("wc -l < a.txt").await, ToolOutput::ok("[exit code 0]\n2"));
    let output = ground.run("echo out; echo err >&2; exit 3").await;
    assert_eq!(output, ToolOutput::error("[exit code 3]\nout\n[errors]\nerr"));
    ground.run("printf new > b.txt").await;
    assert_eq!(fs::read_to_string(ground.work().join("b.txt")).unwrap(), "new");
}

/// The cage holds although nobody looked at these commands.
#[tokio::test]
async fn the_cage_holds_whatever_the_guard_said() {
    let ground = Ground::new(Bash::default());
    for command in [
        "cat link",
        "cat ../secret.txt",
        "cat .windlass/store.db",
        "cp link copy.txt; cat copy.txt",
        "find / -name secret.txt -exec cat {} + 2>/dev/null",
    ] {
        let output = ground.run(command).await;
        assert!(!output.content.contains("the secret text"), "{command}: {}", output.content);
    }
    for command in [
        "echo x > ../made.txt",
        "echo x > .git/hooks/pre-commit",
        "echo x > windlass.yaml",
        "rm -rf .git .windlass",
        "mv .git moved",
        "echo x > .windlass/made",
        "echo x >> link",
    ] {
        ground.run(command).await;
    }
    let work = ground.work();
    assert!(!ground.dir.path().join("made.txt").exists() && !work.join("windlass.yaml").exists());
    assert_eq!(fs::read_dir(work.join(".git/hooks")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(work.join(".windlass")).unwrap().count(), 1);
    assert_eq!(
        fs::read_to_string(ground.dir.path().join("secret.txt")).unwrap(),
        "the secret text"
    );
}

#[tokio::test]
async fn only_granted_variables_are_there_and_never_in_a_report() {
    let env = [("GRANTED".to_owned(), "hunter2".to_owned())].into();
    let bash = Bash { env, ..Bash::default() };
    assert!(!format!("{bash:?}").contains("hunter2"));
    let output = Ground::new(bash).run("echo $GRANTED; env").await;
    assert!(output.content.contains("hunter2"));
    assert!(!output.content.contains("CARGO"), "{}", output.content);
}

/// A server of this machine that counts who comes.
fn canary() -> (u16, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&seen);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 1024]);
        }
    });
    (port, seen)
}

#[tokio::test]
async fn nothing_is_reached_that_was_not_granted() {
    let (port, seen) = canary();
    let open = guard::url::Policy {
        allow_hosts: vec!["*".to_owned()],
        allow_schemes: vec!["http".to_owned(), "https".to_owned()],
        allow_ports: vec![port],
        deny_private: true,
    };
    for network in [None, Some(open)] {
        let ground = Ground::new(Bash { network, ..Bash::default() });
        for command in [
            format!("exec 3<>/dev/tcp/127.0.0.1/{port} && echo hello >&3"),
            format!("curl -sS http://127.0.0.1:{port}/"),
            format!("curl -sS --noproxy '*' http://127.0.0.1:{port}/"),
        ] {
            let output = ground.run(&command).await;
            assert!(output.is_error, "{command}: {}", output.content);
        }
    }
    assert_eq!(seen.load(Ordering::SeqCst), 0, "somebody came out");
}

#[tokio::test]
async fn commands_are_judged_by_what_is_granted() {
    let ground = Ground::new(granted(&["ls", "git status", "curl"]));
    assert_eq!(ground.verdict("ls -l | ls").await, Verdict::Allow);
    assert_eq!(ground.verdict("git push").await, Verdict::Ask);
    assert_eq!(ground.verdict("ls; cat /etc/passwd").await, Verdict::Deny);
    let own = format!("ls {}/a.txt", ground.work().display());
    assert_eq!(ground.verdict(&own).await, Verdict::Allow);
    let examined = ground.toolbox.examine(&ground.call("curl -s https://example.com/x")).await;
    assert_eq!(examined.judgement.verdict, Verdict::Deny, "no network is granted");
    assert!(examined.hosts.contains("example.com") && examined.commands.contains("curl"));
}

#[tokio::test]
async fn a_command_ends_at_its_time_with_what_it_wrote() {
    let ground = Ground::new(Bash::default());
    let mut call = ground.call("");
    call.arguments = RawJson::of(&json!({"command": "echo first; sleep 30", "timeout_seconds": 1}));
    let output = ground.toolbox.run(&call).await.unwrap();
    assert!(output.is_error && output.content.contains("first"), "{}", output.content);
    assert!(output.content.contains("it ran for more than 1 s"), "{}", output.content);
}

#[tokio::test]
async fn a_command_that_nobody_waits_for_any_more_is_dead() {
    let ground = Ground::new(Bash::default());
    let call = ground.call("while true; do echo x >> beat; sleep 0.02; done");
    let beat = ground.work().join("beat");
    tokio::select! {
        ended = ground.toolbox.run(&call) => panic!("{ended:?}"),
        () = until(|| beat.exists()) => {}
    }
    // The launcher kills it when our end of the line is closed; it may take a moment.
    let size = || fs::metadata(&beat).map_or(0, |meta| meta.len());
    let mut last = size();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if size() == last {
            return;
        }
        last = size();
    }
    panic!("it goes on");
}

async fn until(there: impl Fn() -> bool) {
    while !there() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn what_was_running_in_a_crash_is_unknown() {
    let ground = Ground::new(Bash::default());
    let found = ground.toolbox.reconcile(&ground.call("ls")).await;
    assert!(matches!(found, Reconciled::Unknown(_)), "{found:?}");
}

#[tokio::test]
async fn state_that_cannot_be_hidden_stops_every_command() {
    let ground = Ground::new(Bash::default());
    let settings = |state_dir| Settings { state_dir, ..Settings::default() };
    fs::create_dir_all(ground.work().join("deep/state")).unwrap();
    for state_dir in [ground.work().join("deep/state"), ground.dir.path().to_owned()] {
        let output = Builtin::new(settings(state_dir)).run(&ground.call("ls")).await.unwrap();
        assert!(output.is_error && output.content.contains("program's own folder"), "{output:?}");
    }
    let mut nowhere = ground.call("ls");
    nowhere.workdir = Some(ground.work().join("not there"));
    let end = ground.toolbox.run(&nowhere).await;
    assert!(matches!(end, Err(ToolError::Unavailable(_))), "{end:?}");
}
