//! Messages with a child process, one a line, bounded in both directions.
//!
//! The process lives as long as this transport. Closing it closes the child's input, leaves
//! it a moment to end by itself, and kills what is left.

mod lines;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::Mutex;

use self::lines::{Line, Lines};
use super::message;
use super::vitals::Vitals;
use crate::outside::{Child, Process};
use crate::settings::Limits;
use crate::words::{line, start};

/// How long a server may take to read a message.
const WRITE_MS_MAX: u64 = 10_000;

/// How long a server may take to end by itself.
const END_MS_MAX: u64 = 2_000;

/// How long the end of a process is waited for after its output ended, to say how it ended.
const LAST_WORDS_MS_MAX: u64 = 500;

/// The longest line of standard error that is passed on.
const STDERR_BYTES_MAX: usize = 1_024;

type Output = Pin<Box<dyn AsyncRead + Send>>;
type Input = Pin<Box<dyn AsyncWrite + Send>>;

pub(super) struct Stdio {
    lines: Lines<Output>,
    stdin: Arc<Mutex<Option<Input>>>,
    process: Box<dyn Process>,
    vitals: Arc<Vitals>,
    message_bytes_max: usize,
}

impl Stdio {
    pub(super) fn new(
        child: Child,
        on_stderr: impl Fn(&str) + Send + Sync + 'static,
        limits: &Limits,
        vitals: Arc<Vitals>,
    ) -> Self {
        tokio::spawn(pass_on(child.stderr, on_stderr, vitals.clone()));
        Stdio {
            lines: Lines::new(child.stdout, limits.message_bytes_max),
            stdin: Arc::new(Mutex::new(Some(child.stdin))),
            process: child.process,
            vitals,
            message_bytes_max: limits.message_bytes_max,
        }
    }

    /// A line's message, where it is one.
    fn read(&self, line: Line) -> Option<ServerJsonRpcMessage> {
        let found = match line {
            Line::Whole(bytes) if bytes.trim_ascii().is_empty() => return None,
            Line::Whole(bytes) => message::read(&bytes),
            Line::TooLong { head, tail } => message::too_long(&head, &tail, self.message_bytes_max),
        };
        if found.is_none() {
            // Servers that print to their output by mistake are common, and borne with.
            tracing::debug!("a line of a server is no message");
            self.vitals.came_unasked();
        }
        found
    }

    async fn last_words(&mut self) -> String {
        let limit = Duration::from_millis(LAST_WORDS_MS_MAX);
        match tokio::time::timeout(limit, self.process.wait()).await {
            Ok(how) => format!("it ended: {}", line(&how, 200)),
            Err(_) => "it closed its output".to_owned(),
        }
    }
}

impl Transport<RoleClient> for Stdio {
    type Error = io::Error;

    fn send(
        &mut self,
        message: ClientJsonRpcMessage,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        let (stdin, vitals) = (self.stdin.clone(), self.vitals.clone());
        async move {
            let mut text = serde_json::to_vec(&message)?;
            text.push(b'\n');
            let limit = Duration::from_millis(WRITE_MS_MAX);
            let written = tokio::time::timeout(limit, write(&stdin, &text)).await;
            match written {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(error),
                Err(_late) => {
                    vitals.fail("it does not read what it is sent");
                    Err(io::ErrorKind::TimedOut.into())
                }
            }
        }
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        loop {
            match self.lines.next(|bytes| self.vitals.came(bytes)).await {
                Ok(Some(line)) => {
                    if let Some(message) = self.read(line) {
                        return Some(message);
                    }
                }
                Ok(None) => {
                    let words = self.last_words().await;
                    self.vitals.fail(words);
                    return None;
                }
                Err(error) => {
                    self.vitals.fail(format!("its output broke off: {error}"));
                    return None;
                }
            }
        }
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        // A writer that is stuck holds the lock; then there is only the kill.
        if !self.vitals.is_fault()
            && let Ok(mut stdin) = self.stdin.try_lock()
        {
            stdin.take();
            let limit = Duration::from_millis(END_MS_MAX);
            let _ended = tokio::time::timeout(limit, self.process.wait()).await;
        }
        // Also where it ended: what it started may live on.
        self.process.kill();
        Ok(())
    }
}

impl Drop for Stdio {
    fn drop(&mut self) {
        self.process.kill();
    }
}

async fn write(stdin: &Mutex<Option<Input>>, text: &[u8]) -> io::Result<()> {
    let mut stdin = stdin.lock().await;
    let Some(input) = stdin.as_mut() else { return Err(io::ErrorKind::BrokenPipe.into()) };
    input.write_all(text).await?;
    input.flush().await
}

/// Passes standard error on, line by line; long lines are cut, floods end the connection.
async fn pass_on(stderr: Output, on_stderr: impl Fn(&str), vitals: Arc<Vitals>) {
    let mut lines = Lines::new(stderr, STDERR_BYTES_MAX);
    loop {
        let next = tokio::select! {
            next = lines.next(|bytes| vitals.came(bytes)) => next,
            () = vitals.ended() => return,
        };
        let bytes = match next {
            Ok(Some(Line::Whole(bytes))) => bytes,
            Ok(Some(Line::TooLong { head, .. })) => head,
            Ok(None) | Err(_) => return,
        };
        let text = String::from_utf8_lossy(&bytes);
        on_stderr(start(text.trim_end(), STDERR_BYTES_MAX));
    }
}
