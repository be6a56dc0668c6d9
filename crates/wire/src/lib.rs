//! Translation between our message shapes and the bytes that vendors send and expect.
//!
//! [`anthropic`] and [`openai`] have the same face: requests, replies, streams and
//! errors, each read and written. [`sse`] cuts bytes into frames, [`rules`] says whether
//! a request's history is one that a vendor accepts. Nothing here waits, reads a clock,
//! draws a random number or touches a file. What we do not model survives: fields and
//! blocks that we do not know go back to the vendor that they came from, and nowhere else.
//!
//! Every `extra` of the kernel's shapes holds a vendor's fields under that vendor's name:
//! a refusal's details are `extra["anthropic"]["stop_details"]`, a tool call's thought
//! signature is `extra["openai"]["extra_content"]`. A field outside of those names is
//! sent to whichever vendor is written to.

pub mod anthropic;
mod fault;
mod ids;
mod json;
pub mod openai;
mod pieces;
pub mod rules;
pub mod sse;
mod turns;
mod vendor;

use kernel::message::Request;

pub use fault::{ErrorKind, ErrorOut, WireError};
use pieces::pieces;

/// Longest answer that is read, in bytes of the vendor's frames or body.
pub const REPLY_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Longest message kept from a vendor's error, in bytes.
pub const ERROR_MESSAGE_BYTES_MAX: usize = 600;

/// A request as a server received it.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// What is asked.
    pub request: Request,
    /// Whether the answer shall come as a stream.
    pub stream: bool,
    /// Whether the stream shall tell the usage. Anthropic streams always do.
    pub include_usage: bool,
}

/// What a server adds to a reply when it writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyHead {
    /// The answer's id, as the caller will see it.
    pub id: String,
    /// The model's name, as the caller will see it.
    pub model: String,
    /// When the answer was made, in seconds since 1970.
    pub created_unix_s: u64,
}
