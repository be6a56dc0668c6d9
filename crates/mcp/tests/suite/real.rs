//! The reference servers from npm, at the versions of `tests/servers`, over both transports.
//!
//! They are installed once, into the target directory. Without node and npm these tests
//! fail and say what to install.

mod place;

use std::process::Stdio;
use std::sync::Arc;

use async_trait::async_trait;
use kernel::agent::Effect;
use mcp::{Child, Launch, NotStarted, Process, Spawn};
use secrecy::ExposeSecret;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use self::place::{EVERYTHING, FILESYSTEM, script};
use crate::stage::{
    NoSpawn, assert_has, call_as, composed, end, end_of, good, mcp, outside, tenant,
};

/// Starts processes as they are. Only tests may: elsewhere there is a cage.
struct Bare;

#[async_trait]
impl Spawn for Bare {
    async fn spawn(&self, launch: Launch) -> Result<Child, NotStarted> {
        let mut command = Command::new(&launch.command);
        command.args(&launch.args).env_clear().kill_on_drop(true);
        for (name, value) in &launch.env {
            command.env(name, value.expose_secret());
        }
        if let Some(cwd) = &launch.cwd {
            command.current_dir(cwd);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| NotStarted(error.to_string()))?;
        Ok(Child {
            stdin: Box::pin(child.stdin.take().unwrap()),
            stdout: Box::pin(child.stdout.take().unwrap()),
            stderr: Box::pin(child.stderr.take().unwrap()),
            process: Box::new(Bared(child)),
        })
    }
}

struct Bared(tokio::process::Child);

#[async_trait]
impl Process for Bared {
    async fn wait(&mut self) -> String {
        self.0.wait().await.map_or_else(|error| error.to_string(), |status| status.to_string())
    }

    fn kill(&mut self) {
        let _ = self.0.start_kill();
    }
}

/// Where node is.
fn path() -> String {
    std::env::var("PATH").unwrap()
}

fn everything() -> serde_json::Value {
    json!({
        "command": "node",
        "args": [script(EVERYTHING), "stdio"],
        "env": {"PATH": path(), "TOKEN": {"secret": "everything"}},
    })
}

#[tokio::test]
async fn everything_over_stdio() {
    let mut settings = everything();
    settings["trust_annotations"] = json!(true);
    settings["timeout_seconds"] = json!(1);
    let mcp = mcp(json!({ "every": settings }), outside(Bare));
    check_everything(&mcp).await;

    let env = good(&mcp, "every__get-env", json!({})).await;
    assert_has(&env, &["everything-of-ada-0"]);
    assert!(!env.contains("CARGO"), "nothing is inherited: {env}");
    let slow = call_as(
        "ada",
        "every__trigger-long-running-operation",
        Effect::Effect,
        &json!({"duration": 30, "steps": 30}),
    );
    assert_has(&end(mcp.run(&slow).await), &["unknown: ", "no answer within 1 s"]);
    assert_eq!(
        good(&mcp, "every__echo", json!({"message": "still here"})).await,
        "Echo: still here"
    );
    mcp.close().await;
}

#[tokio::test]
async fn everything_over_http() {
    let mut served = Served::start().await;
    let settings = json!({
        "url": format!("http://127.0.0.1:{}/mcp", served.port),
        "trust_annotations": true,
        "restart": {"base_ms": 50, "wait_ms_max": 100},
    });
    let mcp = mcp(json!({ "every": settings }), outside(NoSpawn));
    check_everything(&mcp).await;
    assert!(mcp.compose(&tenant("bob")).await.down.is_empty(), "each tenant has a session");

    // It dies, and nobody else's call can be answered; a new one knows no old session.
    served.child.kill().await.unwrap();
    assert_has(&end_of(&mcp, "every__echo", Effect::Read).await, &["unavailable: "]);
    let _again = Served::start_at(served.port).await;
    assert_eq!(good(&mcp, "every__echo", json!({"message": "again"})).await, "Echo: again");
    mcp.close().await;
}

/// What both transports must show alike.
async fn check_everything(mcp: &Arc<mcp::Mcp>) {
    let (offered, held) = composed(mcp).await;
    assert_eq!(held, Default::default());
    for name in ["every__echo", "every__get-sum", "every__get-tiny-image"] {
        assert!(offered.iter().any(|offer| offer == name), "{name} is not among {offered:?}");
    }
    for asking in ["every__trigger-sampling-request", "every__trigger-elicitation-request"] {
        assert!(!offered.iter().any(|offer| offer == asking), "{asking} needs what is not offered");
    }
    let offers = mcp.compose(&tenant("ada")).await.offers;
    let echo = offers.iter().find(|offer| offer.tool == "echo").unwrap();
    assert_eq!(echo.spec.effect, kernel::agent::EffectRule::Always(Effect::Read));
    assert_eq!(echo.spec.input_schema["required"], json!(["message"]));

    assert_eq!(good(mcp, "every__echo", json!({"message": "ż\n\"x\""})).await, "Echo: ż\n\"x\"");
    assert_has(&good(mcp, "every__get-sum", json!({"a": 2, "b": 40})).await, &["42"]);
    assert_has(&good(mcp, "every__get-tiny-image", json!({})).await, &["[image, image/png, "]);
    let linked = good(mcp, "every__get-resource-links", json!({"count": 2})).await;
    assert_has(&linked, &["[link to the resource `"]);
    let reference = good(
        mcp,
        "every__get-resource-reference",
        json!({"resourceType": "Text", "resourceId": 1}),
    );
    assert_has(&reference.await, &["[resource demo://", "[end of the resource]"]);
    let weather = good(mcp, "every__get-structured-content", json!({"location": "Chicago"})).await;
    assert_eq!(weather.matches("temperature").count(), 1, "said once: {weather}");
    let wrong = call_as("ada", "every__get-sum", Effect::Read, &json!({"a": "two"}));
    assert_has(&end(mcp.run(&wrong).await), &["error: ", "nvalid"]);
}

#[tokio::test]
async fn filesystem_over_stdio() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let settings = json!({
        "command": "node",
        "args": [script(FILESYSTEM), root],
        "env": {"PATH": path()},
        "cwd": root,
        "tools": {"deny": ["move_file"]},
        "effect": {"read_text_file": "read"},
        "sensitive": ["write_file"],
    });
    let mcp = mcp(json!({ "files": settings }), outside(Bare));
    let (offered, held) = composed(&mcp).await;
    assert_eq!(held, Default::default());
    assert!(offered.contains(&"files__write_file".to_owned()), "{offered:?}");
    assert!(!offered.contains(&"files__move_file".to_owned()), "{offered:?}");
    assert!(mcp.is_sensitive("files__write_file"));

    let path = root.join("a.txt");
    let write = json!({"path": path, "content": "line 1\nline 2"});
    good(&mcp, "files__write_file", write).await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "line 1\nline 2");
    let read = good(&mcp, "files__read_text_file", json!({ "path": path })).await;
    assert_eq!(read, "line 1\nline 2");
    let outside =
        call_as("ada", "files__read_text_file", Effect::Read, &json!({"path": "/etc/passwd"}));
    assert_has(&end(mcp.run(&outside).await), &["error: ", "denied"]);
    mcp.close().await;
}

/// The server "everything" over HTTP.
struct Served {
    child: tokio::process::Child,
    port: u16,
}

impl Served {
    async fn start() -> Served {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        Served::start_at(port).await
    }

    async fn start_at(port: u16) -> Served {
        let mut command = Command::new("node");
        command.arg(script(EVERYTHING)).arg("streamableHttp");
        command.env("PORT", port.to_string()).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains("listening on port") {
                break;
            }
        }
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Served { child, port }
    }
}
