//! The deliveries to one subscriber.

use std::sync::Arc;

use futures::future::join_all;
use kernel::units::UnixMs;
use tokio_util::sync::CancellationToken;

use super::{Settings, pause};
use crate::Engine;
use crate::ports::{Courier, Delivery, StoreError, Take, Tried, Undelivered};

pub(super) struct Line<'a> {
    pub(super) engine: Engine,
    pub(super) courier: Arc<dyn Courier>,
    pub(super) settings: &'a Settings,
    pub(super) to: String,
    pub(super) farewell: CancellationToken,
}

/// Whether the subscriber is still there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum There {
    Yes,
    No,
}

impl Line<'_> {
    /// Delivers what is due until the farewell, and once more after it. Ends early where
    /// the subscriber is gone: what waits for it then waits for the next process.
    pub(super) async fn run(self) {
        loop {
            let last = self.farewell.is_cancelled();
            match self.deliver_due().await {
                Ok(There::Yes) => {}
                Ok(There::No) => return,
                Err(error) => {
                    tracing::warn!(to = self.to, %error, "cannot look for alerts; trying again");
                }
            }
            if last {
                return;
            }
            tokio::select! {
                biased;
                () = self.farewell.cancelled() => {}
                () = pause(self.settings.look_every_ms) => {}
            }
        }
    }

    async fn deliver_due(&self) -> Result<There, StoreError> {
        let outbox = self.engine.store.outbox();
        loop {
            let now = self.engine.world.now();
            // Asking first costs no write while there is nothing to do.
            if outbox.next_due(&self.to).await?.is_none_or(|due| due > now) {
                return Ok(There::Yes);
            }
            let until = now.plus_ms(self.settings.taken_ms);
            let take =
                Take { to: self.to.clone(), now, until, rows_max: self.settings.at_once_max };
            let taken = outbox.take(&take).await?;
            if taken.is_empty() {
                return Ok(There::Yes);
            }
            for there in join_all(taken.iter().map(|delivery| self.deliver(delivery))).await {
                if there? == There::No {
                    return Ok(There::No);
                }
            }
        }
    }

    async fn deliver(&self, delivery: &Delivery) -> Result<There, StoreError> {
        let began = self.engine.world.now();
        let brought = self.courier.bring(&self.to, &delivery.alert, began).await;
        let gone = matches!(brought, Err(Undelivered::Gone { .. }));
        let how = match brought {
            Ok(()) => Tried::Delivered,
            Err(undelivered) => self.consider(delivery.attempt, undelivered),
        };
        self.note(delivery, &how);
        self.engine.store.outbox().tried(delivery, &how).await?;
        Ok(if gone { There::No } else { There::Yes })
    }

    /// What a failed try comes to.
    fn consider(&self, attempt: u32, undelivered: Undelivered) -> Tried {
        let settings = self.settings;
        let later = |why, asked_ms: u64| {
            let wait_ms = settings.backoff.wait_ms(attempt, self.engine.world.chance());
            let wait_ms = wait_ms.max(asked_ms.min(settings.asked_wait_ms_max));
            Tried::Later { due: self.engine.world.now().plus_ms(wait_ms), why }
        };
        match undelivered {
            Undelivered::Gone { why } => Tried::Dead { why },
            Undelivered::Rejected { why } if attempt >= settings.rejected_attempts_max => {
                Tried::Dead { why }
            }
            Undelivered::Unreachable { why, .. } if attempt >= settings.attempts_max => {
                Tried::Dead { why }
            }
            Undelivered::Rejected { why } => later(why, 0),
            Undelivered::Unreachable { why, retry_after_ms } => {
                later(why, retry_after_ms.unwrap_or_default())
            }
        }
    }

    fn note(&self, delivery: &Delivery, how: &Tried) {
        let (to, id, attempt) = (&self.to, delivery.alert.id(), delivery.attempt);
        match how {
            Tried::Delivered => tracing::debug!(to, id, attempt, "an alert was delivered"),
            Tried::Later { due: UnixMs(due), why } => {
                tracing::warn!(to, id, attempt, due, why, "an alert was not delivered yet");
            }
            Tried::Dead { why } => {
                let text = &delivery.alert.text;
                tracing::error!(to, id, attempt, why, text, "an alert was given up");
            }
        }
    }
}
