//! A transport under watch: answers that nobody waits for, notifications and requests are
//! counted, and most of them end here.
//!
//! So a flood costs a counter and not a task each, and what servers write into
//! notifications reaches no log.

use std::collections::HashSet;
use std::sync::Arc;

use rmcp::RoleClient;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, JsonRpcMessage, RequestId, ServerJsonRpcMessage,
    ServerNotification,
};
use rmcp::transport::Transport;
use tokio_util::sync::DropGuard;

use super::vitals::Vitals;

pub(super) struct Watched<T> {
    inner: T,
    vitals: Arc<Vitals>,
    /// The ids of requests that wait for an answer, in one spelling: servers answer `"1"`
    /// to 1 as well.
    waiting: HashSet<String>,
    _presence: DropGuard,
}

impl<T> Watched<T> {
    pub(super) fn new(inner: T, vitals: Arc<Vitals>) -> Self {
        let _presence = vitals.presence();
        Watched { inner, vitals, waiting: HashSet::new(), _presence }
    }

    fn sending(&mut self, message: &ClientJsonRpcMessage) {
        if let JsonRpcMessage::Request(request) = message {
            self.waiting.insert(request.id.to_string());
        }
        if let JsonRpcMessage::Notification(notification) = message
            && let ClientNotification::CancelledNotification(cancelled) = &notification.notification
            && let Some(id) = &cancelled.params.request_id
        {
            self.waiting.remove(&id.to_string());
        }
    }

    /// The message, where somebody waits for it.
    fn admit(&mut self, message: ServerJsonRpcMessage) -> Option<ServerJsonRpcMessage> {
        let is_wanted = match &message {
            JsonRpcMessage::Response(response) => return self.answer(response.id.clone(), message),
            JsonRpcMessage::Error(error) => match error.id.clone() {
                Some(id) => return self.answer(id, message),
                // A server that could not read the id: during a handshake it is an answer.
                None => true,
            },
            JsonRpcMessage::Request(_) => true,
            JsonRpcMessage::Notification(notification) => {
                self.is_wanted(&notification.notification)
            }
        };
        self.vitals.came_unasked();
        is_wanted.then_some(message)
    }

    fn answer(
        &mut self,
        id: RequestId,
        message: ServerJsonRpcMessage,
    ) -> Option<ServerJsonRpcMessage> {
        if self.waiting.remove(&id.to_string()) {
            return Some(message);
        }
        self.vitals.came_unasked();
        None
    }

    fn is_wanted(&self, notification: &ServerNotification) -> bool {
        if matches!(notification, ServerNotification::ToolListChangedNotification(_)) {
            self.vitals.add_change();
            return true;
        }
        matches!(
            notification,
            ServerNotification::SubscriptionsAcknowledgedNotification(_)
                | ServerNotification::CancelledNotification(_)
        )
    }
}

impl<T: Transport<RoleClient>> Transport<RoleClient> for Watched<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        message: ClientJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.sending(&message);
        self.inner.send(message)
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        loop {
            let message = tokio::select! {
                biased;
                () = self.vitals.ended() => {
                    if self.vitals.is_fault() {
                        // At once: behind this the library waits for what is under way.
                        let _ = self.inner.close().await;
                    }
                    return None;
                }
                message = self.inner.receive() => message,
            };
            let Some(message) = message else {
                self.vitals.fail("it closed the connection");
                return None;
            };
            if let Some(message) = self.admit(message) {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.vitals.finish("the connection was closed");
        self.inner.close().await
    }
}
