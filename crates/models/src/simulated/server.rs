//! A provider that can be told to fail: a brain served over both wire protocols.
//!
//! For rehearsing outages and for testing software that talks to a provider. It answers
//! under any model name and says in a header that no language model is behind it. It
//! keeps its own books ([`meter`]), which know nothing of the client's.

mod answer;
pub mod fault;
mod line;
pub mod meter;
mod routes;
mod speech;

use std::future::{Future, IntoFuture};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use engine::ports::World;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};

use super::{Brain, Latency};
use crate::catalog::Catalog;
pub use fault::FaultPlan;
use line::{Breaker, Lines};
use meter::Meter;

/// How long answers under way are waited for at the end, in milliseconds.
const DRAIN_MS_MAX: u64 = 2_000;

/// How the provider behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How slowly it speaks.
    pub latency: Latency,
    /// Which requests go wrong.
    pub faults: FaultPlan,
    /// What the draws of `faults` hang on.
    pub seed: u64,
    /// What a 429 asks the client to wait, in seconds.
    pub retry_after_s: u64,
    /// The wait between two pieces of a dripping answer, in milliseconds.
    pub drip_ms: u64,
    /// The largest request body, in bytes.
    pub body_bytes_max: usize,
    /// Requests that are answered at once; those beyond are told that it is overloaded.
    pub in_flight_max: usize,
    /// Prices for the meter.
    pub catalog: Catalog,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            latency: Latency::default(),
            faults: FaultPlan::Never,
            seed: 0,
            retry_after_s: 1,
            drip_ms: 2_000,
            body_bytes_max: 32 * 1024 * 1024,
            in_flight_max: 1_024,
            catalog: Catalog::builtin(),
        }
    }
}

/// A provider that listens and does not answer yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    provider: Arc<Provider>,
}

/// What all requests share.
struct Provider {
    brain: Arc<dyn Brain>,
    settings: Settings,
    world: Arc<dyn World>,
    meter: Arc<Meter>,
    asked: AtomicU64,
    room: Arc<Semaphore>,
}

impl Provider {
    /// The request's number: 0 for the first.
    fn next_number(&self) -> u64 {
        self.asked.fetch_add(1, Ordering::Relaxed)
    }
}

impl Server {
    /// Takes an address; port 0 takes a free one.
    ///
    /// # Errors
    /// The address cannot be had.
    pub async fn bind(
        address: SocketAddr,
        brain: Arc<dyn Brain>,
        settings: Settings,
        world: Arc<dyn World>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let room = Arc::new(Semaphore::new(settings.in_flight_max));
        let (meter, asked) = (Arc::default(), AtomicU64::new(0));
        let provider = Provider { brain, settings, world, meter, asked, room };
        Ok(Server { listener, address, provider: Arc::new(provider) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its books, which stay readable while it serves.
    #[must_use]
    pub fn meter(&self) -> Arc<Meter> {
        self.provider.meter.clone()
    }

    /// Answers until `shutdown` comes true; then answers under way have two seconds.
    ///
    /// # Errors
    /// The listener broke.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let (tell, told) = oneshot::channel::<()>();
        let stopping = async move {
            shutdown.await;
            drop(tell);
        };
        let drained = async {
            // The sender is dropped, never used: either way it is time to stop.
            let _ = told.await;
            tokio::time::sleep(Duration::from_millis(DRAIN_MS_MAX)).await;
        };
        let app = routes::routes(self.provider).into_make_service_with_connect_info::<Breaker>();
        let serving = axum::serve(Lines(self.listener), app).with_graceful_shutdown(stopping);
        tokio::select! {
            ended = serving.into_future() => ended,
            () = drained => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
