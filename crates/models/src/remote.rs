//! One try of one call over HTTP, in either protocol.
//!
//! The answer is always streamed from the provider, so that a cut is seen when it happens
//! and what came before it is known. Every await has a limit and all share the deadline;
//! dropping the future closes the connection. Nothing is tried twice here. Every failure
//! says what it may have cost: a try that reached the provider is never free by default.

mod connect;
mod cost;
mod endpoint;
mod listen;
mod timer;

use async_trait::async_trait;
use engine::ports::{Model, ModelCall, ModelError};
use kernel::event::{FaultClass, ModelFault};
use kernel::message::{Delta, Reply, Usage};
use kernel::price::{Quote, Spent};
use kernel::units::UnixMs;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{Client, Response};
use tokio::sync::OnceCell;

use crate::catalog::Catalog;
use crate::protocol::Protocol;
use cost::{Asked, Budget};
use timer::Timer;

pub use endpoint::{Endpoint, Key, Limits, NotAKey, NotAnAddress};

/// A provider that is reached over HTTP.
pub struct Remote {
    protocol: Protocol,
    endpoint: Endpoint,
    catalog: Catalog,
    /// Made at the first call: reading the machine's certificates takes longer than
    /// starting the program.
    http: OnceCell<Client>,
}

/// Everything about one try.
struct Try<'a> {
    protocol: Protocol,
    limits: &'a Limits,
    asked: Asked,
    /// `None`: nothing was held, and nothing is cut.
    budget: Option<Budget>,
    timer: Timer,
    watch: &'a (dyn Fn(Delta) + Send + Sync),
}

impl Remote {
    pub(crate) fn new(protocol: Protocol, endpoint: Endpoint, catalog: Catalog) -> Self {
        Remote { protocol, endpoint, catalog, http: OnceCell::new() }
    }

    #[cfg(test)]
    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }

    async fn client(&self) -> Result<&Client, ModelError> {
        let made = || async { connect::client(&self.endpoint) };
        self.http.get_or_try_init(made).await.map_err(|error| {
            let words = format!("the HTTP client cannot be made: {}", connect::reason(&error));
            ModelError::free(FaultClass::Network, words)
        })
    }

    async fn send(&self, body: String, one: &Try<'_>) -> Result<Response, ModelError> {
        let client = self.client().await?;
        let request = client
            .post(self.endpoint.at(self.protocol.path()))
            .headers(self.protocol.headers(self.endpoint.key()))
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        match one.timer.within(self.endpoint.limits().first_byte_ms, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(self.unsent(one, error)),
            Err(late) => Err(one.unheard(FaultClass::Timeout, format!("no answer {late}"))),
        }
    }

    /// A connection that never stood cost nothing; one that broke later may have.
    fn unsent(&self, one: &Try<'_>, error: reqwest::Error) -> ModelError {
        let (host, reason) = (self.endpoint.place(), connect::reason(&error));
        if error.is_connect() {
            let words = format!("cannot connect to `{host}`: {reason}");
            return ModelError::free(FaultClass::Network, words);
        }
        let words = format!("the connection to `{host}` broke before an answer came: {reason}");
        one.unheard(FaultClass::Network, words)
    }

    /// The failure with the provider's id of the request, and without the key, which
    /// some providers repeat in their errors.
    fn told(&self, mut error: ModelError, request_id: Option<String>) -> ModelError {
        error.fault.request_id = error.fault.request_id.or(request_id);
        if let Some(key) = self.endpoint.key() {
            error.fault.message = key.hidden_in(&error.fault.message);
        }
        error
    }
}

#[async_trait]
impl Model for Remote {
    async fn call(
        &self,
        call: &ModelCall,
        watch: &(dyn Fn(Delta) + Send + Sync),
    ) -> Result<Reply, ModelError> {
        let body = self.protocol.request(&call.request);
        let one = Try {
            protocol: self.protocol,
            limits: self.endpoint.limits(),
            asked: Asked { bytes: body.len() as u64, max_tokens: call.request.max_tokens },
            budget: call.quote.as_ref().map(|quote| {
                let rule = quote.rule.clone();
                Budget { rule, hold: call.hold }
            }),
            timer: Timer::until(call.deadline_ms.min(self.endpoint.limits().total_ms)),
            watch,
        };
        let response = self.send(body, &one).await?;
        let request_id = request_id(response.headers());
        let answer = match response.status().is_success() {
            true => one.answer(response).await,
            false => Err(one.refused(response).await),
        };
        answer.map_err(|error| self.told(error, request_id))
    }

    fn quote(&self, model: &str, now: UnixMs) -> Option<Quote> {
        self.catalog.quote(model, now)
    }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    ["request-id", "x-request-id"].iter().find_map(|name| header(headers, name))
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

impl Try<'_> {
    async fn answer(&self, response: Response) -> Result<Reply, ModelError> {
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        // Some servers of the kind do not know streams and answer as a whole.
        match kind.is_some_and(|kind| kind.starts_with("application/json")) {
            true => listen::whole(self, response).await,
            false => listen::stream(self, response).await,
        }
    }

    /// An answer that is an error: the provider charges nothing for it.
    async fn refused(&self, response: Response) -> ModelError {
        let (status, headers) = (response.status(), response.headers().clone());
        let known = |name: &str| header(&headers, name);
        if let (true, Some(to)) = (status.is_redirection(), known(LOCATION.as_str())) {
            let words = format!("the server redirects to `{to}`\nhint: set that as the base URL");
            return ModelError::free(FaultClass::InvalidRequest, words);
        }
        let body = listen::body(self, response, self.limits.error_bytes_max).await;
        let read = body.unwrap_or_else(|stopped| stopped.read);
        let fault = self.protocol.fault(status.as_u16(), &known, &read);
        ModelError { fault, spent: Spent::Nothing, fallback: None }
    }

    /// A try that reached the provider and heard nothing: at least the prompt is charged.
    fn unheard(&self, class: FaultClass, message: String) -> ModelError {
        let fault = ModelFault { class, message, retry_after_ms: None, request_id: None };
        ModelError { fault, spent: self.spent(None, 0), fallback: None }
    }

    /// What a try that ended early cost, as far as anybody knows.
    fn spent(&self, told: Option<Usage>, output_bytes: u64) -> Spent {
        let estimate = self.asked.estimate(told, output_bytes);
        match &self.budget {
            Some(budget) => budget.bound(told, estimate),
            None => Spent::Estimated(estimate),
        }
    }
}

#[cfg(test)]
mod tests;
