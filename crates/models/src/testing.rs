//! What this crate's tests share: a world, a request, and a list of what was watched.

pub(crate) mod playback;

use std::sync::{Arc, Mutex};

use engine::circuits::Circuits;
use engine::ports::{Model, ModelCall, World};
use engine::tap::Tap;
use kernel::json::Extra;
use kernel::message::{Delta, Message, Request, ToolChoice};
use kernel::units::{Money, SessionId, UnixMs};

use crate::chain::{Candidate, Chain};

/// A world whose date stands still and whose dice always show the same.
pub(crate) struct Still {
    /// Every draw.
    pub(crate) chance: u64,
}

/// 2026-11-21, midnight UTC.
pub(crate) const TODAY: UnixMs = UnixMs(1_795_219_200_000);

impl World for Still {
    fn now(&self) -> UnixMs {
        TODAY
    }

    fn session_id(&self) -> SessionId {
        unreachable!("no test of this crate opens a session")
    }

    fn chance(&self) -> u64 {
        self.chance
    }
}

/// A request of one user message.
pub(crate) fn request(model: &str, text: &str) -> Request {
    Request {
        model: model.into(),
        system: "".into(),
        tools: Arc::new([]),
        tool_choice: ToolChoice::Auto,
        messages: vec![Arc::new(Message::user(text))],
        max_tokens: 1_000,
        temperature: None,
        stop_sequences: Vec::new(),
        extra: Extra::new(),
    }
}

/// A call of that request.
pub(crate) fn call(model: &str, deadline_ms: u64, tries_max: u32) -> ModelCall {
    let request = Arc::new(request(model, "hello"));
    let (label, hold) = ("test".into(), Money(u64::MAX));
    ModelCall { request, deadline_ms, tries_max, label, hold, quote: None }
}

/// A chain of one model.
pub(crate) fn chain_of(model: &str, client: impl Model + 'static) -> Chain {
    let world = Arc::new(Still { chance: 0 });
    Chain::new(candidate(model, Arc::new(client)), Vec::new(), Circuits::new(Tap::default()), world)
}

/// A candidate with the usual numbers, at a provider of its own.
pub(crate) fn candidate(model: &str, client: Arc<dyn Model>) -> Candidate {
    Candidate::new(model, &format!("https://{model}.example"), client)
}

/// Collects what is watched.
#[derive(Default)]
pub(crate) struct Watched(Mutex<Vec<Delta>>);

impl Watched {
    /// A new collection.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Takes one piece.
    pub(crate) fn see(&self, delta: Delta) {
        self.0.lock().unwrap().push(delta);
    }

    /// All words so far.
    pub(crate) fn text(&self) -> String {
        let pieces = self.0.lock().unwrap();
        let words = pieces.iter().filter_map(|delta| match delta {
            Delta::Text(text) => Some(text.as_str()),
            Delta::Thinking(_) | Delta::ToolUse(_) => None,
        });
        words.collect()
    }

    /// How many pieces came.
    pub(crate) fn pieces(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}
