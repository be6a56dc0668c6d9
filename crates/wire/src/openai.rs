//! OpenAI's chat completions, read and written, for OpenAI itself and for the many
//! servers that speak its protocol.
//!
//! Requests are written with everything that changes from turn to turn after the
//! messages, so that one turn's bytes are the beginning of the next one's. Thinking of
//! other vendors is left out as a whole. What a server adds to a message
//! (`reasoning_content`, thought signatures, …) is kept and sent back to it.

mod assistant;
mod calls;
mod content;
mod error;
mod reply;
mod request_read;
mod request_write;
mod stop;
mod stream_calls;
mod stream_read;
mod stream_write;
mod usage;

pub use error::{read_error, write_error};
pub use reply::{read_reply, write_reply};
pub use request_read::{MAX_TOKENS_DEFAULT, read_request};
pub use request_write::{Dialect, write_request, write_request_in};
pub use stream_read::StreamReader;
pub use stream_write::write_stream;
