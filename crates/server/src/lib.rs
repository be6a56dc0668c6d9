//! The service's HTTP face. It parses, finds out who calls, and asks the engine's door; it
//! decides nothing, and never meets the workers: the log is the only way between them.
//!
//! Every path is in [`routes`]. Who calls is found out in `caller`, a no is a `problem`,
//! watching is in `follow`, and requests that may be sent again in `once`.

mod caller;
mod extract;
mod follow;
mod health;
mod key;
mod listen;
mod native;
mod once;
mod problem;
mod reference;
mod routes;
mod trace;
mod view;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use engine::Engine;
use engine::ports::Roster;
use kernel::event::SessionScope;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use follow::Hub;
pub use key::{NewKey, make as make_key};
pub use routes::document;

/// How the service behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Connections at once; callers beyond them wait.
    pub connections_max: usize,
    /// The largest request body, in bytes.
    pub body_bytes_max: usize,
    /// How long a body may take to come, in milliseconds.
    pub body_ms_max: u64,
    /// Requests that are worked on at once, streams excluded; those beyond are told to come
    /// again.
    pub in_flight_max: usize,
    /// Requests that wait for a run (`wait_s`) at once.
    pub waiting_max: usize,
    /// Streams that are followed at once.
    pub followers_max: usize,
    /// The time between two signs of life on a quiet stream, in milliseconds.
    pub heartbeat_ms: u64,
    /// How often a stream looks into the store for what other processes wrote, in
    /// milliseconds.
    pub look_every_ms: u64,
    /// How long answers under way are waited for at the end, in milliseconds.
    pub drain_ms_max: u64,
    /// Whether it answers callers. Otherwise it only says how it is, for whoever watches a
    /// process that does other work.
    pub answers: bool,
    /// Web pages that may call the service, by their origins: `https://…`, `app://obsidian.md`.
    pub origins: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            connections_max: 32_768,
            body_bytes_max: 8 * 1024 * 1024,
            body_ms_max: 30_000,
            in_flight_max: 1_024,
            waiting_max: 4_096,
            followers_max: 20_000,
            heartbeat_ms: 15_000,
            look_every_ms: 5_000,
            drain_ms_max: 10_000,
            answers: true,
            origins: Vec::new(),
        }
    }
}

/// What all requests share.
pub(crate) struct Service {
    pub(crate) engine: Engine,
    pub(crate) roster: Arc<dyn Roster>,
    /// Where this is, and how far sessions reach at most.
    pub(crate) place: SessionScope,
    pub(crate) settings: Settings,
    pub(crate) hub: Hub,
    /// Comes true when the service is told to stop: it is not ready from then on, and
    /// streams end.
    pub(crate) stopping: CancellationToken,
}

/// A service that listens and does not answer yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    service: Arc<Service>,
}

impl Server {
    /// Takes an address; port 0 takes a free one.
    ///
    /// # Errors
    /// The address cannot be had.
    pub async fn bind(
        address: SocketAddr,
        engine: Engine,
        roster: Arc<dyn Roster>,
        place: SessionScope,
        settings: Settings,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let hub = Hub::over(&engine.tap);
        let stopping = CancellationToken::new();
        let service = Service { engine, roster, place, settings, hub, stopping };
        Ok(Server { listener, address, service: Arc::new(service) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown` comes true. Then streams end, and answers under way have
    /// a time.
    ///
    /// # Errors
    /// The listener broke.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let Server { listener, service, .. } = self;
        let (stopping, settings) = (service.stopping.clone(), &service.settings);
        let drain = Duration::from_millis(settings.drain_ms_max);
        let _forgetting = once::forget_old(Arc::clone(&service));
        let app = routes::app(Arc::clone(&service));
        let serving = listen::serve(listener, app, settings.connections_max, &stopping, drain);
        let telling = async {
            shutdown.await;
            stopping.cancel();
            // Serving ends by itself from here on.
            std::future::pending::<()>().await;
        };
        tokio::select! {
            ended = serving => ended,
            () = telling => Ok(()),
        }
    }
}
