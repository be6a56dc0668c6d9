//! The two protocols behind one face, for those who ask and for those who answer.
//!
//! The only file that names `wire`'s vendor modules side by side.

use kernel::event::ModelFault;
use kernel::message::{Delta, Reply, Request, Usage};
use reqwest::header::HeaderMap;
use serde_json::Value;
use wire::openai::Dialect;
use wire::rules::{Rule, Violation, check_anthropic, check_openai};
use wire::sse::Frame;
use wire::{ErrorOut, Incoming, ReplyHead, WireError};

use crate::remote::Key;

/// Which protocol a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Anthropic,
    OpenAi(Dialect),
}

/// A stream being read.
pub(crate) enum Reader {
    Anthropic(wire::anthropic::StreamReader),
    OpenAi(wire::openai::StreamReader),
}

impl Protocol {
    pub(crate) fn path(self) -> &'static str {
        match self {
            Protocol::Anthropic => crate::anthropic::PATH,
            Protocol::OpenAi(_) => crate::openai::PATH,
        }
    }

    pub(crate) fn headers(self, key: Option<&Key>) -> HeaderMap {
        match self {
            Protocol::Anthropic => crate::anthropic::headers(key),
            Protocol::OpenAi(_) => crate::openai::headers(key),
        }
    }

    /// The body of a request for a stream.
    pub(crate) fn request(self, request: &Request) -> String {
        match self {
            Protocol::Anthropic => wire::anthropic::write_request(request, true),
            Protocol::OpenAi(dialect) => wire::openai::write_request_in(dialect, request, true),
        }
    }

    pub(crate) fn reader(self) -> Reader {
        match self {
            Protocol::Anthropic => Reader::Anthropic(wire::anthropic::StreamReader::new()),
            Protocol::OpenAi(_) => Reader::OpenAi(wire::openai::StreamReader::new()),
        }
    }

    /// An answer that came as a whole.
    pub(crate) fn reply(self, body: &[u8]) -> Result<Reply, WireError> {
        match self {
            Protocol::Anthropic => wire::anthropic::read_reply(body),
            Protocol::OpenAi(_) => wire::openai::read_reply(body),
        }
    }

    /// An answer that is an error.
    pub(crate) fn fault(
        self,
        status: u16,
        header: &dyn Fn(&str) -> Option<String>,
        body: &[u8],
    ) -> ModelFault {
        match self {
            Protocol::Anthropic => wire::anthropic::read_error(status, header, body),
            Protocol::OpenAi(_) => wire::openai::read_error(status, header, body),
        }
    }
}

/// What a server says in the protocol.
impl Protocol {
    pub(crate) fn read_request(self, body: &[u8]) -> Result<Incoming, WireError> {
        match self {
            Protocol::Anthropic => wire::anthropic::read_request(body),
            Protocol::OpenAi(_) => wire::openai::read_request(body),
        }
    }

    /// The rules for which the vendor refuses a request's body. That speakers alternate
    /// is demanded of our own requests only: the vendors join neighbours themselves.
    pub(crate) fn violations(self, body: &Value) -> Vec<Violation> {
        let mut broken = match self {
            Protocol::Anthropic => check_anthropic(body),
            Protocol::OpenAi(_) => check_openai(body),
        };
        broken.retain(|violation| violation.rule != Rule::RolesAlternate);
        broken
    }

    pub(crate) fn write_reply(self, reply: &Reply, head: &ReplyHead) -> String {
        match self {
            Protocol::Anthropic => wire::anthropic::write_reply(reply, head),
            Protocol::OpenAi(_) => wire::openai::write_reply(reply, head),
        }
    }

    pub(crate) fn write_stream(
        self,
        reply: &Reply,
        head: &ReplyHead,
        include_usage: bool,
    ) -> Vec<Frame> {
        match self {
            Protocol::Anthropic => wire::anthropic::write_stream(reply, head, include_usage),
            Protocol::OpenAi(_) => wire::openai::write_stream(reply, head, include_usage),
        }
    }

    pub(crate) fn write_error(self, error: &ErrorOut) -> (u16, String) {
        match self {
            Protocol::Anthropic => wire::anthropic::write_error(error),
            Protocol::OpenAi(_) => wire::openai::write_error(error),
        }
    }

    /// The id of the answer to request number `number`.
    pub(crate) fn answer_id(self, number: u64) -> String {
        match self {
            Protocol::Anthropic => format!("msg_simulated_{number:08}"),
            Protocol::OpenAi(_) => format!("chatcmpl-simulated-{number:08}"),
        }
    }

    /// The header that carries the request's id.
    pub(crate) fn id_header(self) -> &'static str {
        match self {
            Protocol::Anthropic => "request-id",
            Protocol::OpenAi(_) => "x-request-id",
        }
    }
}

impl Reader {
    pub(crate) fn push(&mut self, frame: &Frame) -> Result<Vec<Delta>, WireError> {
        match self {
            Reader::Anthropic(reader) => reader.push(frame),
            Reader::OpenAi(reader) => reader.push(frame),
        }
    }

    pub(crate) fn done(&self) -> bool {
        match self {
            Reader::Anthropic(reader) => reader.done(),
            Reader::OpenAi(reader) => reader.done(),
        }
    }

    pub(crate) fn finish(self) -> Result<Reply, WireError> {
        match self {
            Reader::Anthropic(reader) => reader.finish(),
            Reader::OpenAi(reader) => reader.finish(),
        }
    }

    pub(crate) fn usage_so_far(&self) -> Option<Usage> {
        match self {
            Reader::Anthropic(reader) => reader.usage_so_far(),
            Reader::OpenAi(reader) => reader.usage_so_far(),
        }
    }

    pub(crate) fn output_bytes(&self) -> u64 {
        match self {
            Reader::Anthropic(reader) => reader.output_bytes(),
            Reader::OpenAi(reader) => reader.output_bytes(),
        }
    }
}
