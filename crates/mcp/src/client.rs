//! The client library, isolated: one connection to one server.
//!
//! Nothing outside this module names a type of the library. Requests are answered, lost or
//! refused within the caller's deadline; dropping one tells the server that it is cancelled.
//! This client offers servers nothing: no sampling, no questions to people, no roots.

mod ear;
mod http;
mod meaning;
mod message;
mod sse;
mod stdio;
mod vitals;
mod watched;

use std::sync::Arc;

use rmcp::RoleClient;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientRequest, ListToolsRequest, MetaObject,
    PaginatedRequestParams, ProtocolVersion, RequestMetaObject, ServerResult, SubscriptionFilter,
};
use rmcp::service::{
    ClientLifecycleMode, Peer, PeerRequestOptions, RequestHandle, RunningService,
    serve_client_with_lifecycle,
};
use rmcp::transport::Transport;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use self::ear::Ear;
use self::meaning::{unanswered, unstarted};
use self::vitals::Vitals;
use self::watched::Watched;
use crate::settings::Limits;
use crate::words::line;

pub(crate) use self::http::Http;

/// Pages of one list of tools.
const PAGES_MAX: usize = 64;

/// The longest list of tools, all pages together.
const LIST_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The version that has no handshake, for servers that speak nothing older.
const WITHOUT_HANDSHAKE: ProtocolVersion = ProtocolVersion::V_2026_07_28;

/// How to shake hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handshake {
    /// `initialize`, which nearly every server speaks.
    Initialize,
    /// `server/discover`, the way without a session.
    Discover,
}

/// Why there is no connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unstarted {
    /// The server answers, but not to this way of shaking hands.
    OtherHandshake(String),
    /// It does not work.
    Failed(String),
}

/// Why a request has no result.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// It never reached the server, or the server refused to look at it.
    NotSent(String),
    /// The server does not know the session any more: the request was not looked at.
    Expired,
    /// It was sent, and what became of it is unknown.
    Lost(String),
    /// The server answered that it refuses.
    Refused(String),
}

/// A connection to a server.
pub(crate) struct Client {
    peer: Peer<RoleClient>,
    running: RunningService<RoleClient, Ear>,
    vitals: Arc<Vitals>,
    turns: Semaphore,
    tools_max: usize,
}

impl Client {
    /// Speaks with a child process.
    pub(crate) async fn over_stdio(
        child: crate::outside::Child,
        on_stderr: impl Fn(&str) + Send + Sync + 'static,
        limits: &Limits,
        handshake: Handshake,
    ) -> Result<Client, Unstarted> {
        let vitals = Vitals::new(limits);
        let transport = stdio::Stdio::new(child, on_stderr, limits, vitals.clone());
        Client::connect(transport, vitals, limits, handshake).await
    }

    /// Speaks streamable HTTP.
    pub(crate) async fn over_http(
        http: Http,
        limits: &Limits,
        handshake: Handshake,
    ) -> Result<Client, Unstarted> {
        let vitals = http.vitals();
        Client::connect(http.transport(limits), vitals, limits, handshake).await
    }

    async fn connect<T>(
        transport: T,
        vitals: Arc<Vitals>,
        limits: &Limits,
        handshake: Handshake,
    ) -> Result<Client, Unstarted>
    where
        T: Transport<RoleClient> + 'static,
    {
        let watched = Watched::new(transport, vitals.clone());
        let mode = match handshake {
            Handshake::Initialize => ClientLifecycleMode::Initialize,
            Handshake::Discover => {
                ClientLifecycleMode::Discover { preferred_versions: vec![WITHOUT_HANDSHAKE] }
            }
        };
        let running = serve_client_with_lifecycle(Ear, watched, mode)
            .await
            .map_err(|error| unstarted(&vitals, &error))?;
        let peer = running.peer().clone();
        let turns = Semaphore::new(limits.calls_at_once_max);
        let client = Client { peer, running, vitals, turns, tools_max: limits.tools_max };
        client.check_version()?;
        if handshake == Handshake::Discover {
            client.listen();
        }
        Ok(client)
    }

    fn check_version(&self) -> Result<(), Unstarted> {
        let version = self.peer.peer_info().map(|info| info.protocol_version.clone());
        match version {
            Some(version) if ProtocolVersion::KNOWN_VERSIONS.contains(&version) => Ok(()),
            Some(version) => Err(Unstarted::Failed(format!(
                "it speaks the version `{}` of the protocol, which is not supported",
                line(version.as_str(), 40)
            ))),
            None => Err(Unstarted::Failed("it did not say who it is".to_owned())),
        }
    }

    /// Asks to be told of changed tools. Only the way without a session needs to be asked.
    fn listen(&self) {
        let (peer, vitals) = (self.peer.clone(), self.vitals.clone());
        tokio::spawn(async move {
            let filter = SubscriptionFilter::builder().tools_list_changed().build();
            let Ok(mut told) = peer.listen(filter).await else { return };
            while let Ok(Some(_change)) = told.next().await {
                vitals.add_change();
            }
        });
    }

    /// Why the connection is over, if it is.
    pub(crate) fn ended(&self) -> Option<String> {
        if self.peer.is_transport_closed() {
            self.vitals.fail("the connection closed");
        }
        self.vitals.why()
    }

    /// How often its tools changed so far, or somebody wants to see them again. A list is as
    /// old as this number was before it was asked for.
    pub(crate) fn changes(&self) -> u64 {
        self.vitals.changes()
    }

    /// Makes every list so far an old one.
    pub(crate) fn add_change(&self) {
        self.vitals.add_change();
    }

    /// Ends the connection, and waits until nothing of it is left.
    pub(crate) async fn close(&self, why: &str) {
        self.vitals.finish(why);
        self.running.cancellation_token().cancel();
        self.vitals.gone().await;
    }

    /// Every tool as the server tells it, page by page.
    pub(crate) async fn tools(&self) -> Result<Vec<Value>, Unanswered> {
        if self.peer.peer_info().is_some_and(|info| info.capabilities.tools.is_none()) {
            return Ok(Vec::new());
        }
        let (mut tools, mut bytes, mut cursor) = (Vec::new(), 0, None::<String>);
        for _page in 0..PAGES_MAX {
            let params = PaginatedRequestParams::default().with_cursor(cursor.clone());
            let request = ListToolsRequest::with_param(params);
            let answer = self.ask(ClientRequest::ListToolsRequest(request), None).await?;
            let Some(page) = answer.get("tools").and_then(Value::as_array) else {
                return Err(Unanswered::Lost("its answer holds no list of tools".to_owned()));
            };
            tools.extend(page.iter().cloned());
            bytes += page.iter().map(|entry| entry.to_string().len()).sum::<usize>();
            if bytes > LIST_BYTES_MAX {
                let words = format!("its list of tools is longer than {LIST_BYTES_MAX} bytes");
                return Err(Unanswered::Lost(words));
            }
            if tools.len() > self.tools_max {
                return Err(Unanswered::Lost(format!("it has more than {} tools", self.tools_max)));
            }
            let next = answer.get("nextCursor").and_then(Value::as_str);
            match next.filter(|next| !next.is_empty()) {
                None => return Ok(tools),
                Some(next) => cursor = Some(next.to_owned()),
            }
        }
        Err(Unanswered::Lost(format!("its list of tools has more than {PAGES_MAX} pages")))
    }

    /// Calls a tool. The result is JSON as the server sent it.
    pub(crate) async fn call(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
        meta: Option<(&str, &str)>,
    ) -> Result<Value, Unanswered> {
        let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        let request = CallToolRequest::new(params);
        self.ask(ClientRequest::CallToolRequest(request), meta).await
    }

    async fn ask(
        &self,
        request: ClientRequest,
        meta: Option<(&str, &str)>,
    ) -> Result<Value, Unanswered> {
        let _turn = self.turns.acquire().await.map_err(|_| self.not_sent())?;
        let mut options = PeerRequestOptions::no_options();
        if let Some((key, value)) = meta {
            let fields = [(key.to_owned(), Value::from(value))].into_iter().collect();
            options = options.with_meta(RequestMetaObject(MetaObject(fields)));
        }
        if self.ended().is_some() {
            return Err(self.not_sent());
        }
        let asked = self.peer.send_cancellable_request(request, options).await;
        let mut asked = Asked(Some(asked.map_err(|_| self.not_sent())?));
        let Some(handle) = &mut asked.0 else { return Err(self.not_sent()) };
        let answer = tokio::select! {
            biased;
            answer = &mut handle.rx => answer,
            () = self.vitals.ended() => return Err(Unanswered::Lost(self.end_words())),
        };
        asked.0 = None;
        match answer {
            Ok(Ok(ServerResult::CustomResult(value))) => Ok(value.0),
            Ok(Ok(result)) => serde_json::to_value(result)
                .map_err(|error| Unanswered::Lost(format!("its answer cannot be kept: {error}"))),
            Ok(Err(error)) => Err(unanswered(&error)),
            Err(_closed) => Err(Unanswered::Lost(self.end_words())),
        }
    }

    fn not_sent(&self) -> Unanswered {
        Unanswered::NotSent(self.end_words())
    }

    fn end_words(&self) -> String {
        self.vitals.why().unwrap_or_else(|| "the connection closed".to_owned())
    }
}

/// A request under way. Dropped before its answer, it is cancelled at the server too.
struct Asked(Option<RequestHandle<RoleClient>>);

impl Drop for Asked {
    fn drop(&mut self) {
        let (Some(handle), Ok(here)) = (self.0.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        here.spawn(async move {
            // Whether the server heard it is of no use to anybody.
            let _ = handle.cancel(Some("nobody waits for it any more".to_owned())).await;
        });
    }
}
