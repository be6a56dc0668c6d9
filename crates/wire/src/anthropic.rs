//! The Anthropic Messages API (version 2023-06-01), read and written.
//!
//! Requests are written with everything that changes from turn to turn after the
//! messages, so that one turn's bytes are the beginning of the next one's. Where a
//! request carries no cache marks of its own, up to three are placed (see `cache`); they
//! move with the conversation, and without them the bytes are the same. Thinking blocks
//! go back byte for byte.

mod blocks;
mod cache;
mod error;
mod reply;
mod request_read;
mod request_write;
mod stop;
mod stream_block;
mod stream_read;
mod stream_write;
mod usage;

pub(crate) use blocks::{input_of, read_input};
pub use error::{read_error, write_error};
pub use reply::{read_reply, write_reply};
pub use request_read::read_request;
pub use request_write::write_request;
pub use stream_read::StreamReader;
pub use stream_write::write_stream;
