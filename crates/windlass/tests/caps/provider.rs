//! A simulated provider on a thread of its own, with its own books.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use engine::ports::World;
use kernel::agent::DELEGATE;
use kernel::json::Extra;
use kernel::message::{Arguments, Block, Reply, Request, Stop, ToolUse};
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

/// Children of an agent that may have some.
const CHILDREN: u32 = 2;

/// Says as much as it may; an agent that can delegate does so first.
struct Talker;

impl Brain for Talker {
    fn name(&self) -> &'static str {
        "talker"
    }

    fn reply(&self, request: &Request) -> Reply {
        let (content, stop) = match hands_on(request) {
            true => ((1..=CHILDREN).map(delegated).collect(), Stop::ToolUse),
            false => (vec![Block::text(TOKEN.repeat(ANSWER_TOKENS as usize))], Stop::EndTurn),
        };
        Reply {
            content,
            stop,
            usage: None,
            model: None,
            fallback: None,
            id: None,
            extra: Extra::new(),
        }
    }
}

/// Whether this is a parent that has not heard of its children yet.
fn hands_on(request: &Request) -> bool {
    let can = request.tools.iter().any(|tool| tool.name == DELEGATE);
    let is_result = |block: &Block| matches!(block, Block::ToolResult(_));
    can && !request.messages.iter().flat_map(|message| &message.content).any(is_result)
}

fn delegated(number: u32) -> Block {
    Block::ToolUse(ToolUse {
        id: format!("call-{number}"),
        name: DELEGATE.to_owned(),
        arguments: Arguments::from_text(&format!(r#"{{"task": "say much, part {number}"}}"#)),
        extra: Extra::new(),
    })
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
