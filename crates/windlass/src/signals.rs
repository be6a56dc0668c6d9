//! Being told to stop: SIGINT and SIGTERM finish the step under way and park the run.
//!
//! A second signal, or a step that takes longer than the grace, drops the step; the log
//! says what had begun, and resuming goes on from there.

use std::time::Duration;

use engine::driver::Stop;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::task::AbortOnDropHandle;

/// What a person reads after the first signal.
pub(crate) const STOPPING: &str = "finishing this step, then parking; once more stops at once";

/// How long a step may go on after the first signal, in milliseconds.
const GRACE_MS: u64 = 10_000;

/// Listens for signals while it is kept.
pub(crate) struct Listening {
    /// What the signals ask for.
    pub(crate) stop: Stop,
    _task: AbortOnDropHandle<()>,
}

/// Listens from now on, and says `first` at the first signal.
///
/// # Errors
/// The system does not let signals be listened to.
pub(crate) fn listen(first: impl Fn() + Send + 'static) -> std::io::Result<Listening> {
    let stop = Stop::default();
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let heard = stop.clone();
    let task = tokio::spawn(async move {
        either(&mut interrupt, &mut terminate).await;
        heard.soon.cancel();
        first();
        tokio::select! {
            () = either(&mut interrupt, &mut terminate) => {}
            () = tokio::time::sleep(Duration::from_millis(GRACE_MS)) => {}
        }
        heard.now.cancel();
    });
    Ok(Listening { stop, _task: AbortOnDropHandle::new(task) })
}

async fn either(
    interrupt: &mut tokio::signal::unix::Signal,
    terminate: &mut tokio::signal::unix::Signal,
) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
