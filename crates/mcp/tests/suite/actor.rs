//! A stdio server in this process, in raw lines: it says what its script says.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use mcp::{Child, Launch, NotStarted, Process, Spawn};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, duplex};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What an actor's pipe holds.
const PIPE_BYTES: usize = 16 * 1024;

type Played = Pin<Box<dyn Future<Output = ()> + Send>>;
type Script = Arc<dyn Fn(Wire) -> Played + Send + Sync>;

/// Starts the script anew for each process.
#[derive(Clone)]
pub(crate) struct Actor {
    script: Script,
    pub(crate) life: Arc<Life>,
}

/// What was seen of all processes of an actor.
#[derive(Default)]
pub(crate) struct Life {
    /// The environment of each start.
    pub(crate) starts: Mutex<Vec<Vec<(String, String)>>>,
    /// How many were killed or ended.
    pub(crate) ends: Mutex<u32>,
    /// Every message that came, of all processes.
    pub(crate) heard: Mutex<Vec<Value>>,
}

impl Actor {
    pub(crate) fn new<F, P>(script: F) -> Self
    where
        F: Fn(Wire) -> P + Send + Sync + 'static,
        P: Future<Output = ()> + Send + 'static,
    {
        let script: Script = Arc::new(move |wire| Box::pin(script(wire)));
        Actor { script, life: Arc::default() }
    }

    /// Plays the usual server with these tools: each answers a call by its name.
    pub(crate) fn with_tools(tools: &[&str]) -> Self {
        let tools: Vec<Value> = tools.iter().map(|name| tool(name, "")).collect();
        Actor::new(move |mut wire| {
            let tools = tools.clone();
            async move {
                wire.tools = tools;
                while let Some(request) = wire.asked().await {
                    wire.usual(&request).await;
                }
            }
        })
    }

    pub(crate) fn starts(&self) -> usize {
        self.life.starts.lock().unwrap().len()
    }

    pub(crate) fn ends(&self) -> u32 {
        *self.life.ends.lock().unwrap()
    }

    /// How many messages of this method came.
    pub(crate) fn heard(&self, method: &str) -> Vec<Value> {
        let heard = self.life.heard.lock().unwrap();
        heard.iter().filter(|message| message["method"] == method).cloned().collect()
    }
}

/// A tool of a list.
pub(crate) fn tool(name: &str, description: &str) -> Value {
    json!({"name": name, "description": description, "inputSchema": {"type": "object"}})
}

/// The other end of the pipe.
pub(crate) struct Wire {
    lines: Lines<BufReader<DuplexStream>>,
    out: DuplexStream,
    pub(crate) err: DuplexStream,
    life: Arc<Life>,
    /// What `usual` lists.
    pub(crate) tools: Vec<Value>,
}

impl Wire {
    /// The next message; `None` when the client is gone.
    pub(crate) async fn asked(&mut self) -> Option<Value> {
        let line = self.lines.next_line().await.ok()??;
        let message: Value = serde_json::from_str(&line).unwrap();
        self.life.heard.lock().unwrap().push(message.clone());
        Some(message)
    }

    /// Shakes hands and lists, until the first message of this method, which it returns.
    pub(crate) async fn until(&mut self, method: &str) -> Value {
        loop {
            let Some(request) = self.asked().await else { return Value::Null };
            if request["method"] == method {
                return request;
            }
            self.usual(&request).await;
        }
    }

    /// What a usual server does with a message.
    pub(crate) async fn usual(&mut self, request: &Value) {
        match request["method"].as_str() {
            Some("initialize") => {
                let version = request["params"]["protocolVersion"].clone();
                self.answer(request, hello(&version)).await;
            }
            Some("tools/list") => {
                let tools = self.tools.clone();
                self.answer(request, json!({ "tools": tools })).await;
            }
            Some("tools/call") => self.answer(request, text(request)).await,
            Some(_) | None => {}
        }
    }

    pub(crate) async fn answer(&mut self, request: &Value, result: Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": request["id"], "result": result})).await;
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        self.raw(format!("{message}\n").as_bytes()).await;
    }

    /// A client that is gone is no concern of a script.
    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        let _ = self.out.write_all(bytes).await;
    }

    /// Says that the tools are these from now on.
    pub(crate) async fn change(&mut self, tools: Vec<Value>) {
        self.tools = tools;
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})).await;
    }
}

/// A server's part of the handshake.
pub(crate) fn hello(version: &Value) -> Value {
    json!({
        "protocolVersion": version,
        "capabilities": {"tools": {"listChanged": true}},
        "serverInfo": {"name": "actor", "version": "1"},
    })
}

/// The usual result of a call: the tool's name and its arguments.
pub(crate) fn text(request: &Value) -> Value {
    let (name, arguments) = (&request["params"]["name"], &request["params"]["arguments"]);
    let said = format!("{} {arguments}", name.as_str().unwrap_or_default());
    json!({"content": [{"type": "text", "text": said}]})
}

#[async_trait]
impl Spawn for Actor {
    async fn spawn(&self, launch: Launch) -> Result<Child, NotStarted> {
        let (ours, stdin) = duplex(PIPE_BYTES);
        let (stdout, theirs) = duplex(PIPE_BYTES);
        let (stderr, err) = duplex(PIPE_BYTES);
        let env = launch.env.iter();
        let env = env.map(|(name, value)| (name.clone(), value.expose_secret().to_owned()));
        self.life.starts.lock().unwrap().push(env.collect());
        let wire = Wire {
            lines: BufReader::new(ours).lines(),
            out: theirs,
            err,
            life: self.life.clone(),
            tools: Vec::new(),
        };
        let (ended, end) = watch::channel(false);
        let (script, life) = (self.script.clone(), self.life.clone());
        let counted = Counted(life);
        let task = tokio::spawn(async move {
            let _counted = counted;
            script(wire).await;
            let _ = ended.send(true);
        });
        Ok(Child {
            stdin: Box::pin(stdin),
            stdout: Box::pin(stdout),
            stderr: Box::pin(stderr),
            process: Box::new(Task { task, end }),
        })
    }
}

/// Counts the end of a process, however it ends.
struct Counted(Arc<Life>);

impl Drop for Counted {
    fn drop(&mut self) {
        *self.0.ends.lock().unwrap() += 1;
    }
}

struct Task {
    task: JoinHandle<()>,
    end: watch::Receiver<bool>,
}

#[async_trait]
impl Process for Task {
    async fn wait(&mut self) -> String {
        let ended = self.end.wait_for(|ended| *ended).await.is_ok();
        if ended { "exit code 0" } else { "killed" }.to_owned()
    }

    fn kill(&mut self) {
        self.task.abort();
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.task.abort();
    }
}
