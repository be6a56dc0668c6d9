//! Running a program to its end with all of its output, up to a limit.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::Sender;
use tokio::sync::Notify;

use super::{Caged, Ending};
use crate::error::CageError;
use crate::spec::Stopped;

/// How much is read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// A program's end with all that it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code, as shells count: 128 + n where signal n ended it.
    pub code: i32,
    /// Why it was killed, where it was.
    pub stopped: Option<Stopped>,
    /// What it wrote, cut at the limit.
    pub stdout: Vec<u8>,
    /// What it wrote as errors, cut at the limit.
    pub stderr: Vec<u8>,
    /// Repositories that appeared below the working directory, relative to it. Programs
    /// that find them obey what they say: look at them before anything does.
    pub repositories: Vec<PathBuf>,
    /// Whether the whole working directory was searched for them.
    pub searched_all: bool,
}

/// Feeds and reads a program until it ends.
pub(super) async fn collect(
    mut caged: Caged,
    stdin: &[u8],
    output_bytes_max: u64,
) -> Result<Ended, CageError> {
    let (input, output, errors) = (caged.stdin.take(), caged.stdout.take(), caged.stderr.take());
    let left = AtomicU64::new(output_bytes_max);
    let full = Notify::new();
    let ending = async {
        let flooded = tokio::select! {
            ending = caged.wait() => return ending,
            () = full.notified() => Some(Stopped::Output),
        };
        caged.kill();
        let ending = caged.wait().await?;
        Ok(Ending { stopped: flooded, ..ending })
    };
    // Whoever is left of a cage that was lost may hold the pipes: its error does not wait.
    let ((), stdout, stderr, ending) = tokio::try_join!(
        feed(input, stdin),
        read(output, &left, &full),
        read(errors, &left, &full),
        ending
    )?;
    let Ending { code, stopped, repositories, searched_all } = ending;
    Ok(Ended { code, stopped, stdout, stderr, repositories, searched_all })
}

/// A program may close its input before it has read everything.
async fn feed(input: Option<Sender>, bytes: &[u8]) -> Result<(), CageError> {
    if let Some(mut input) = input {
        let _ = input.write_all(bytes).await;
    }
    Ok(())
}

/// Reads until the pipe is closed or nothing is left of what both pipes may carry.
async fn read(
    from: Option<impl AsyncRead + Unpin>,
    left: &AtomicU64,
    full: &Notify,
) -> Result<Vec<u8>, CageError> {
    let mut all = Vec::new();
    let Some(mut from) = from else { return Ok(all) };
    let mut chunk = vec![0; CHUNK_BYTES];
    while let Ok(got) = from.read(&mut chunk).await
        && got > 0
    {
        let room = left.load(Ordering::Relaxed);
        let kept = got.min(usize::try_from(room).unwrap_or(usize::MAX));
        left.store(room - kept as u64, Ordering::Relaxed);
        all.extend_from_slice(&chunk[..kept]);
        if kept < got {
            full.notify_one();
            break;
        }
    }
    Ok(all)
}
