//! A simulated provider on a thread of its own, with its own books.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use engine::ports::World;
use kernel::json::Extra;
use kernel::message::{Block, Reply, Request, Stop};
use kernel::units::{SessionId, UnixMs};
use models::simulated::Brain;
use models::simulated::server::meter::Meter;
use models::simulated::server::{Server, Settings};

/// The longest answer, in tokens: all answers are that long.
pub(crate) const ANSWER_TOKENS: u32 = 2_000;

/// Four bytes, which a simulated model counts as one token.
const TOKEN: &str = "word";

/// Listens until the test ends.
pub(crate) struct Provider {
    address: SocketAddr,
    meter: Arc<Meter>,
    _runtime: tokio::runtime::Runtime,
}

impl Provider {
    /// One that plays these faults.
    pub(crate) fn start(faults: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be built");
        let faults = faults.parse().expect("a plan of faults");
        let settings = Settings { faults, retry_after_s: 0, ..Settings::default() };
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Server::bind(any, Arc::new(Talker), settings, Arc::new(Present));
        let server = runtime.block_on(server).expect("there is a free port");
        let (address, meter) = (server.address(), server.meter());
        runtime.spawn(server.serve(std::future::pending()));
        Provider { address, meter, _runtime: runtime }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it charges, in nano-dollars.
    pub(crate) fn charged(&self) -> u64 {
        self.meter.total().nano_usd
    }

    /// Requests that it was sent.
    pub(crate) fn requests(&self) -> u64 {
        self.meter.total().requests
    }
}

/// Says as much as it may.
struct Talker;

impl Brain for Talker {
    fn name(&self) -> &'static str {
        "talker"
    }

    fn reply(&self, _request: &Request) -> Reply {
        Reply {
            content: vec![Block::text(TOKEN.repeat(ANSWER_TOKENS as usize))],
            stop: Stop::EndTurn,
            usage: None,
            model: None,
            fallback: None,
            id: None,
            extra: Extra::new(),
        }
    }
}

/// The clock of the machine.
struct Present;

impl World for Present {
    fn now(&self) -> UnixMs {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn session_id(&self) -> SessionId {
        SessionId(uuid::Uuid::now_v7())
    }

    fn chance(&self) -> u64 {
        uuid::Uuid::new_v4().as_u64_pair().0
    }
}
