//! Hearing an answer out: bytes to frames to pieces to one reply.
//!
//! Each wait for bytes is limited, and so is their sum. However a stream ends early, the
//! failure carries what was heard before it.

use bytes::Bytes;
use engine::ports::ModelError;
use kernel::event::{FaultClass, ModelFault};
use kernel::message::Reply;
use kernel::price::Spent;
use reqwest::Response;
use wire::WireError;
use wire::sse::{Frame, Frames};

use super::Try;
use super::connect::reason;
use super::cost::Budget;
use crate::protocol::Reader;

/// How long the end of a connection is waited for after the end of the answer, in
/// milliseconds. A connection that was read to its end can be used again.
const LINGER_MS: u64 = 100;

/// Why bytes stopped coming.
pub(super) struct Stopped {
    class: FaultClass,
    message: String,
    /// What had come before, where it was kept.
    pub(super) read: Vec<u8>,
}

impl Stopped {
    fn new(class: FaultClass, message: impl Into<String>) -> Self {
        Stopped { class, message: message.into(), read: Vec::new() }
    }
}

/// Hears a stream out.
pub(super) async fn stream(one: &Try<'_>, mut response: Response) -> Result<Reply, ModelError> {
    let mut frames = Frames::new(one.limits.reply_bytes_max);
    let mut reader = one.protocol.reader();
    let mut bytes_left = one.limits.reply_bytes_max;
    let mut limit_ms = one.limits.first_byte_ms;
    while !reader.done() {
        let piece = match next(one, &mut response, limit_ms).await {
            Ok(Some(piece)) => piece,
            // Where the connection ends, the reader knows whether the answer has.
            Ok(None) => break,
            Err(stopped) if stopped.class == FaultClass::Cut => break,
            Err(stopped) => return Err(ended(one, &reader, stopped)),
        };
        limit_ms = one.limits.between_bytes_ms;
        let heard = match bytes_left.checked_sub(piece.len()) {
            None => Err(too_long(one)),
            Some(left) => {
                bytes_left = left;
                hear(one, &mut frames, &mut reader, &piece)
            }
        };
        let heard = heard.and_then(|()| within_hold(one, &reader));
        if let Err(stopped) = heard {
            return Err(ended(one, &reader, stopped));
        }
    }
    if reader.done() {
        // Whatever comes now, or does not, the answer is whole.
        let _ = one.timer.within(LINGER_MS, response.chunk()).await;
    } else if let Some(last) = frames.finish() {
        tell(one, &mut reader, &last).map_err(|stopped| ended(one, &reader, stopped))?;
    }
    let so_far = one.spent(reader.usage_so_far(), reader.output_bytes());
    reader.finish().map_err(|error| charged(Stopped::from(error), so_far))
}

/// Cuts an answer that goes on after it has cost what was held for it. One that is whole
/// is taken: it is paid anyway.
fn within_hold(one: &Try<'_>, reader: &Reader) -> Result<(), Stopped> {
    let passed = |budget: &&Budget| {
        !reader.done() && budget.is_passed(reader.usage_so_far(), reader.output_bytes())
    };
    match one.budget.as_ref().filter(passed) {
        None => Ok(()),
        Some(budget) => {
            let words =
                format!("cut from our side: it would cost more than the {} held", budget.hold);
            Err(Stopped::new(FaultClass::Cut, words))
        }
    }
}

fn hear(
    one: &Try<'_>,
    frames: &mut Frames,
    reader: &mut Reader,
    piece: &[u8],
) -> Result<(), Stopped> {
    let frames =
        frames.push(piece).map_err(|e| Stopped::new(FaultClass::Malformed, e.to_string()))?;
    frames.iter().try_for_each(|frame| tell(one, reader, frame))
}

fn tell(one: &Try<'_>, reader: &mut Reader, frame: &Frame) -> Result<(), Stopped> {
    for delta in reader.push(frame)? {
        (one.watch)(delta);
    }
    Ok(())
}

/// A stream that ended early. One that told an error before anything else cost nothing;
/// every other one is charged for what was heard, and at least for the prompt.
fn ended(one: &Try<'_>, reader: &Reader, stopped: Stopped) -> ModelError {
    let (told, heard) = (reader.usage_so_far(), reader.output_bytes());
    let refused = match stopped.class {
        FaultClass::RateLimited
        | FaultClass::Overloaded
        | FaultClass::Server
        | FaultClass::Auth
        | FaultClass::Billing
        | FaultClass::UnknownModel
        | FaultClass::InvalidRequest
        | FaultClass::TooLarge => told.is_none() && heard == 0,
        FaultClass::Network
        | FaultClass::Timeout
        | FaultClass::Cut
        | FaultClass::Malformed
        | FaultClass::Interrupted => false,
    };
    let spent = match refused {
        true => Spent::Nothing,
        false => one.spent(told, heard),
    };
    charged(stopped, spent)
}

fn charged(stopped: Stopped, spent: Spent) -> ModelError {
    let Stopped { class, message, .. } = stopped;
    let fault = ModelFault { class, message, retry_after_ms: None, request_id: None };
    ModelError { fault, spent, fallback: None }
}

/// Reads an answer that came as a whole.
pub(super) async fn whole(one: &Try<'_>, response: Response) -> Result<Reply, ModelError> {
    let charge = |stopped: Stopped, heard: usize| charged(stopped, one.spent(None, heard as u64));
    let body = body(one, response, one.limits.reply_bytes_max).await.map_err(|stopped| {
        let heard = stopped.read.len();
        charge(stopped, heard)
    })?;
    one.protocol.reply(&body).map_err(|error| charge(error.into(), body.len()))
}

/// Reads a body of at most `bytes_max` bytes.
pub(super) async fn body(
    one: &Try<'_>,
    mut response: Response,
    bytes_max: usize,
) -> Result<Vec<u8>, Stopped> {
    let mut read = Vec::new();
    let mut limit_ms = one.limits.first_byte_ms;
    loop {
        match next(one, &mut response, limit_ms).await {
            Ok(None) => return Ok(read),
            Ok(Some(piece)) if read.len() + piece.len() > bytes_max => {
                read.extend_from_slice(&piece[..bytes_max - read.len()]);
                return Err(Stopped { read, ..too_long(one) });
            }
            Ok(Some(piece)) => read.extend_from_slice(&piece),
            Err(stopped) => return Err(Stopped { read, ..stopped }),
        }
        limit_ms = one.limits.between_bytes_ms;
    }
}

/// The next bytes, or `None` at the end.
async fn next(
    one: &Try<'_>,
    response: &mut Response,
    limit_ms: u64,
) -> Result<Option<Bytes>, Stopped> {
    match one.timer.within(limit_ms, response.chunk()).await {
        Ok(Ok(piece)) => Ok(piece),
        Ok(Err(error)) => {
            let words =
                format!("the connection broke in the middle of the answer: {}", reason(&error));
            Err(Stopped::new(FaultClass::Cut, words))
        }
        Err(late) => {
            let words = format!("the answer did not go on {late}");
            Err(Stopped::new(FaultClass::Timeout, words))
        }
    }
}

fn too_long(one: &Try<'_>) -> Stopped {
    let words = format!("the answer is longer than {} bytes", one.limits.reply_bytes_max);
    Stopped::new(FaultClass::Malformed, words)
}

impl From<WireError> for Stopped {
    fn from(error: WireError) -> Self {
        Stopped::new(error.class, error.message)
    }
}
