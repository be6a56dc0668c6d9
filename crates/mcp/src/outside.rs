//! What the program that assembles the house gives to this crate: how processes are
//! started, where secrets and pins are, which addresses may be asked.

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use kernel::units::Tenant;
use reqwest::Url;
use reqwest::dns::Resolve;
use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::pin::Pins;

/// Whether an address may be asked: words for a person where it may not.
pub type CheckAddress = Arc<dyn Fn(&Url) -> Result<(), String> + Send + Sync>;

/// Told each line that a server writes to its standard error: whose server, its name, and
/// at most 1,024 bytes of foreign text, as it came: whoever shows it blanks it. Must not wait.
pub type OnStderr = Arc<dyn Fn(&Tenant, &str, &str) + Send + Sync>;

/// Everything from outside.
#[derive(Clone)]
pub struct Outside {
    /// Starts stdio servers in their cage.
    pub spawn: Arc<dyn Spawn>,
    /// Where secrets come from.
    pub credentials: Arc<dyn Credentials>,
    /// Where pins are kept.
    pub pins: Arc<dyn Pins>,
    /// Asked before each HTTP request.
    pub check_address: CheckAddress,
    /// Turns names into addresses that may be connected to. `None`: the system's resolver,
    /// which refuses nothing.
    pub resolver: Option<Arc<dyn Resolve>>,
    /// Told what servers write to standard error.
    pub on_stderr: OnStderr,
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outside(…)")
    }
}

/// A stdio server to be started.
#[derive(Debug)]
pub struct Launch {
    /// Whose it will be.
    pub tenant: Tenant,
    /// The server's name.
    pub server: String,
    /// The program.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its whole environment.
    pub env: Vec<(String, SecretString)>,
    /// Where it starts.
    pub cwd: Option<PathBuf>,
}

/// A server that was started.
pub struct Child {
    /// What it reads.
    pub stdin: Pin<Box<dyn AsyncWrite + Send>>,
    /// What it answers.
    pub stdout: Pin<Box<dyn AsyncRead + Send>>,
    /// What else it says.
    pub stderr: Pin<Box<dyn AsyncRead + Send>>,
    /// The process.
    pub process: Box<dyn Process>,
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Child(…)")
    }
}

/// A process with everything that it started. Dropping it kills.
#[async_trait]
pub trait Process: Send + Sync {
    /// Waits for its end, and says how it ended. Cancel-safe.
    async fn wait(&mut self) -> String;

    /// Kills it and everything that it started, without waiting.
    fn kill(&mut self);
}

/// Starts processes.
#[async_trait]
pub trait Spawn: Send + Sync {
    /// Starts a server in its cage.
    ///
    /// # Errors
    /// [`NotStarted`] where there is no program or no cage.
    async fn spawn(&self, launch: Launch) -> Result<Child, NotStarted>;
}

/// Why a process was not started.
#[derive(Clone, Debug, thiserror::Error)]
#[error("it could not be started: {0}")]
pub struct NotStarted(pub String);

/// Resolves handles to secrets.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// The secret of this tenant under a handle. With `fresh` nothing that was kept from
    /// before will do: the last one was refused.
    ///
    /// # Errors
    /// [`NoCredential`] where the tenant has none of that name.
    async fn resolve(
        &self,
        tenant: &Tenant,
        handle: &str,
        fresh: bool,
    ) -> Result<SecretString, NoCredential>;
}

/// Why there is no secret.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the secret `{handle}` cannot be had: {why}")]
pub struct NoCredential {
    /// The handle.
    pub handle: String,
    /// Why, without the secret.
    pub why: String,
}
