//! Sending an answer: its pace, the faults in the middle of it, and what of it is billed.
//!
//! A stream's tokens are billed as they go out, so a cut or a client that leaves is
//! charged for what was sent. An answer sent as a whole was spoken before it is sent, and
//! is charged as a whole.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::stream;
use kernel::message::Reply;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;
use wire::sse::Frame;

use super::fault::Fault;
use super::meter::Tab;
use crate::protocol::{Protocol, Reader};
use crate::simulated::Latency;
use crate::simulated::estimate::tokens_of;

/// What a malformed answer begins with: no JSON value starts like this, so that it cannot
/// be taken for one that was cut off.
const GARBAGE: &str = "garbage ";

/// Pieces that a dripping answer is cut into when it is sent as a whole.
const DRIPS: usize = 8;

/// An answer on its way out.
pub(super) struct Speech {
    pub(super) latency: Latency,
    pub(super) drip_ms: u64,
    pub(super) fault: Option<Fault>,
    pub(super) tab: Tab,
    /// A place among the requests that are answered at once.
    pub(super) _permit: OwnedSemaphorePermit,
}

/// A stream on its way out.
struct Streamed {
    speech: Speech,
    frames: std::vec::IntoIter<Frame>,
    /// Reads what is sent, as a client would, to know how much that is.
    reader: Reader,
    output_tokens: u64,
    /// Frames until the fault, where it is one that breaks the stream.
    until_break: Option<usize>,
    first: bool,
}

/// A piece of a body, or the break of its connection.
type Piece = Result<Bytes, io::Error>;

impl Speech {
    /// An answer in frames.
    pub(super) fn stream(self, protocol: Protocol, frames: Vec<Frame>, reply: &Reply) -> Body {
        let until_break = self.breaks().then_some(frames.len() / 2);
        let streamed = Streamed {
            speech: self,
            frames: frames.into_iter(),
            reader: protocol.reader(),
            output_tokens: reply.usage.map_or(0, |usage| usage.output),
            until_break,
            first: true,
        };
        Body::from_stream(stream::unfold(Some(streamed), |state| async move {
            let (piece, rest) = state?.next().await?;
            Some((piece, rest))
        }))
    }

    /// An answer in one body.
    pub(super) async fn whole(mut self, text: String, reply: &Reply) -> Body {
        let tokens = reply.usage.map_or(0, |usage| usage.output);
        sleep(self.latency.first() + self.latency.speaking(tokens)).await;
        self.tab.sent(tokens);
        let bytes = Bytes::from(text);
        let half = bytes.slice(..bytes.len() / 2);
        match self.fault {
            Some(Fault::Cut) => self.pieces(vec![Ok(half), Err(broken())], Duration::ZERO),
            Some(Fault::Malformed) => Body::from([GARBAGE.as_bytes(), &half].concat()),
            Some(Fault::Drip) => {
                let size = bytes.len().div_ceil(DRIPS).max(1);
                let pieces = bytes.chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece)));
                let pause = Duration::from_millis(self.drip_ms);
                let pieces = pieces.collect();
                self.pieces(pieces, pause)
            }
            Some(Fault::RateLimited | Fault::Overloaded | Fault::Broken | Fault::Refused)
            | None => Body::from(bytes),
        }
    }

    fn pieces(self, pieces: Vec<Piece>, pause: Duration) -> Body {
        let rest = (self, pieces.into_iter());
        Body::from_stream(stream::unfold(rest, move |(speech, mut rest)| async move {
            let piece = rest.next()?;
            settle_before(&piece, pause).await;
            Some((piece, (speech, rest)))
        }))
    }

    fn breaks(&self) -> bool {
        match self.fault {
            Some(Fault::Cut | Fault::Malformed) => true,
            Some(
                Fault::RateLimited
                | Fault::Overloaded
                | Fault::Broken
                | Fault::Drip
                | Fault::Refused,
            )
            | None => false,
        }
    }

    /// The wait before a frame with this many tokens.
    fn pause(&self, first: bool, tokens: u64) -> Duration {
        let drip = match self.fault {
            Some(Fault::Drip) => Duration::from_millis(self.drip_ms),
            Some(_) | None => Duration::ZERO,
        };
        let begin = if first { self.latency.first() } else { drip };
        begin + self.latency.speaking(tokens)
    }
}

/// Waits before a piece. Before a break the server lets go of the thread once, so that
/// what was sent before it really leaves.
async fn settle_before(piece: &Piece, pause: Duration) {
    match piece {
        Ok(_) if pause.is_zero() => {}
        Ok(_) => sleep(pause).await,
        Err(_) => tokio::task::yield_now().await,
    }
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "simulated: the connection breaks")
}

impl Streamed {
    /// The next piece and what is left after it.
    async fn next(mut self) -> Option<(Piece, Option<Self>)> {
        if self.until_break == Some(0) {
            return Some((self.broken_piece().await, None));
        }
        self.until_break = self.until_break.map(|frames| frames - 1);
        let frame = self.frames.next()?;
        let sent = self.tokens_after(&frame);
        let pause = self.speech.pause(self.first, sent.saturating_sub(self.speech.tab.output()));
        if !pause.is_zero() {
            sleep(pause).await;
        }
        self.first = false;
        self.speech.tab.sent(sent);
        Some((Ok(frame.write().into()), Some(self)))
    }

    /// What comes instead of the next frame: its data behind garbage, or the end of all.
    async fn broken_piece(&mut self) -> Piece {
        let piece = match (self.speech.fault, self.frames.next()) {
            (Some(Fault::Malformed), Some(mut frame)) => {
                frame.data.insert_str(0, GARBAGE);
                Ok(frame.write().into())
            }
            (_, _) => Err(broken()),
        };
        settle_before(&piece, Duration::ZERO).await;
        piece
    }

    /// The tokens that have gone out when this frame has: all of them with the last one.
    fn tokens_after(&mut self, frame: &Frame) -> u64 {
        // What we wrote ourselves can be read; if it could not, nothing would be billed.
        let _ = self.reader.push(frame);
        let heard = usize::try_from(self.reader.output_bytes()).unwrap_or(usize::MAX);
        let counted = tokens_of(heard).min(self.output_tokens);
        if self.frames.len() == 0 { self.output_tokens } else { counted }
    }
}
