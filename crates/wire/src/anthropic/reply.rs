//! A whole answer, as `POST /v1/messages` gives it without a stream.

use kernel::json::{Extra, RawJson};
use kernel::message::{Block, Reply, ToolUse};
use serde_json::Value;

use super::blocks::{is_sent, put_text, put_tool_result, put_tool_use, read_block};
use super::stop::{read_stop, write_stop};
use super::usage::{KEPT, Told, usage_value};
use crate::fault::WireError;
use crate::ids::make_distinct;
use crate::json::{Fields, Object, Wrong, object, put, put_array};
use crate::vendor::Vendor;
use crate::{REPLY_BYTES_MAX, ReplyHead};

/// Reads an answer's body.
///
/// # Errors
/// `Malformed`: it is too long, or not what the protocol says.
pub fn read_reply(body: &[u8]) -> Result<Reply, WireError> {
    if body.len() as u64 > REPLY_BYTES_MAX {
        return Err(WireError::malformed(format!(
            "the answer is longer than {REPLY_BYTES_MAX} bytes"
        )));
    }
    read(body).map_err(Wrong::in_reply)
}

fn read(body: &[u8]) -> Result<Reply, Wrong> {
    let mut fields = Fields::parse(body)?;
    let blocks: Vec<RawJson> = fields.need("content")?;
    let content = blocks.iter().map(read_block).collect::<Result<_, _>>()?;
    let stop: String = fields.need("stop_reason")?;
    let mut told = Told::default();
    told.merge(fields.take_as("usage")?.unwrap_or_default());
    let (id, model) = (fields.take_as("id")?, fields.take_as("model")?);
    let _ = (fields.take("type"), fields.take("role"));
    let head = Head { id, model };
    Ok(assemble(head, content, &stop, told, fields.rest()))
}

/// What names an answer.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) id: Option<String>,
    pub(super) model: Option<String>,
}

/// Puts the parts of an answer together.
pub(super) fn assemble(
    head: Head,
    mut content: Vec<Block>,
    stop: &str,
    told: Told,
    mut rest: Extra,
) -> Reply {
    make_distinct(&mut content);
    let usage = told.usage();
    let uncounted = told.into_rest();
    if !uncounted.is_empty() {
        rest.insert(KEPT.to_owned(), Value::Object(uncounted));
    }
    Reply {
        content,
        stop: read_stop(stop),
        usage,
        model: head.model,
        fallback: None,
        id: head.id,
        extra: Vendor::Anthropic.keep(rest),
    }
}

/// Writes an answer under the names of `head`. Blocks of other vendors are left out;
/// an answer without usage is written as one that used nothing, because the API always
/// tells a usage.
#[must_use]
pub fn write_reply(reply: &Reply, head: &ReplyHead) -> String {
    object(|out| {
        put_names(out, head);
        let blocks = reply.content.iter().filter(|block| is_sent(block));
        put_array(out.name("content"), blocks, put_reply_block);
        out.put("stop_reason", write_stop(&reply.stop));
        let sequence = Vendor::Anthropic.field(&reply.extra, "stop_sequence");
        out.put("stop_sequence", &sequence);
        out.put("usage", &usage_value(reply.usage.as_ref(), &reply.extra));
        Vendor::Anthropic.put(out, &reply.extra, &["stop_sequence", KEPT]);
    })
}

pub(super) fn put_names(out: &mut Object<'_>, head: &ReplyHead) {
    out.put("id", &head.id);
    out.put("type", "message");
    out.put("role", "assistant");
    out.put("model", &head.model);
}

/// Writes a block as a model's server does: ids and names are told as they are.
pub(super) fn put_reply_block(out: &mut Vec<u8>, block: &Block) {
    match block {
        Block::Text { text, extra } => put_text(out, text, extra, false),
        Block::Thinking { raw } | Block::Opaque { raw } => put(out, raw),
        Block::ToolUse(call) => {
            let ToolUse { id, name, .. } = call;
            put_tool_use(out, call, id, name);
        }
        Block::ToolResult(result) => put_tool_result(out, result, &result.id, false),
    }
}
