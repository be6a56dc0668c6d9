//! Sending alerts beside a command, and saying farewell at its end.

use std::sync::Arc;

use engine::Engine;
use engine::alerts::sender::{self, Settings};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use webhooks::Webhooks;

/// Alerts being sent. Dropped without an end, what is under way is left to the next
/// process: an alert is lost by nothing.
pub(crate) struct Sending {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Sending {
    /// Begins to send what the engine's runs raise, and what earlier processes left.
    pub(crate) fn begin(engine: &Engine, courier: Webhooks) -> Self {
        let courier = Arc::new(courier);
        let stop = CancellationToken::new();
        let run = sender::run(engine.clone(), courier, Settings::default(), stop.clone());
        Sending { stop, task: tokio::spawn(run) }
    }

    /// Sends what is due, for a few seconds at most.
    pub(crate) async fn end(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "sending alerts crashed; the next process goes on with them");
        }
    }
}
