//! Stdio servers in their cages: a look at their folder, and what their section grants.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::mcp::{Child, Launch, NotStarted, Process, Spawn};
use async_trait::async_trait;
use sandbox::{Cage, Caged, Gate, Grant, Launcher, Limits, Network, Probe, Protected};
use secrecy::ExposeSecret;
use tokio::sync::OnceCell;
use tools::SystemResolver;

use super::reach;
use crate::config::CageSettings;

/// How long one process of a server lives, in milliseconds: a week. It is started again
/// when it is needed.
const SERVER_MS_MAX: u64 = 7 * 24 * 3_600_000;

/// Time on processors of one process of a server, in seconds.
const SERVER_CPU_SECONDS_MAX: u64 = 24 * 3_600;

/// What every server gets besides: nothing else is granted to a server without a section.
pub(super) struct Cages {
    settings: BTreeMap<String, CageSettings>,
    /// What this machine offers, found out when the first server starts.
    probe: OnceCell<Result<Arc<Probe>, String>>,
}

impl Cages {
    pub(super) fn new(settings: BTreeMap<String, CageSettings>) -> Self {
        Cages { settings, probe: OnceCell::new() }
    }

    async fn probe(&self) -> Result<Arc<Probe>, NotStarted> {
        let found = self.probe.get_or_init(|| async {
            let found = Probe::now(Launcher::Myself).await;
            found.map(Arc::new).map_err(|error| error.to_string())
        });
        found.await.clone().map_err(NotStarted)
    }

    fn grant(&self, launch: &Launch) -> Result<Grant, NotStarted> {
        let settings = self.settings.get(&launch.server).cloned().unwrap_or_default();
        let here = || std::env::current_dir().map_err(|error| NotStarted(error.to_string()));
        let workdir = launch.cwd.clone().map_or_else(here, Ok)?;
        let env = launch.env.iter();
        Ok(Grant {
            workdir,
            writable: settings.writable,
            protected: Protected::usual(),
            read: settings.read,
            network: network(settings.network),
            env: env
                .map(|(name, value)| (name.clone(), value.expose_secret().to_owned()))
                .collect(),
            limits: Limits {
                deadline_ms: SERVER_MS_MAX,
                cpu_seconds_max: SERVER_CPU_SECONDS_MAX,
                ..Limits::default()
            },
        })
    }
}

/// Only these hosts, at addresses that were checked.
fn network(hosts: Vec<String>) -> Network {
    if hosts.is_empty() {
        return Network::Closed;
    }
    let hosts = Arc::new(hosts);
    Network::Gated(Gate::new(move |host, port| {
        let hosts = hosts.clone();
        async move { reach::addresses(&SystemResolver, &host, port, &hosts).await }
    }))
}

#[async_trait]
impl Spawn for Cages {
    async fn spawn(&self, launch: Launch) -> Result<Child, NotStarted> {
        let not_started = |error: sandbox::CageError| NotStarted(error.to_string());
        let grant = self.grant(&launch)?;
        let cage = Cage::new(self.probe().await?, grant).map_err(not_started)?;
        let mut caged = cage.spawn(&launch.command, &launch.args).await.map_err(not_started)?;
        let pipes = (caged.stdin.take(), caged.stdout.take(), caged.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(NotStarted("it has no pipes".to_owned()));
        };
        Ok(Child {
            stdin: Box::pin(stdin),
            stdout: Box::pin(stdout),
            stderr: Box::pin(stderr),
            process: Box::new(Running { caged, ended: None }),
        })
    }
}

/// A server in its cage. Dropping the cage kills all that is in it.
struct Running {
    caged: Caged,
    ended: Option<String>,
}

#[async_trait]
impl Process for Running {
    async fn wait(&mut self) -> String {
        if let Some(ended) = &self.ended {
            return ended.clone();
        }
        let ended = match self.caged.wait().await {
            Ok(ending) => match ending.stopped {
                Some(why) => format!("it was killed: {why:?}"),
                None => format!("it ended with code {}", ending.code),
            },
            Err(error) => error.to_string(),
        };
        self.ended.insert(ended).clone()
    }

    fn kill(&mut self) {
        self.caged.kill();
    }
}
