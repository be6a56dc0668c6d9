//! A whole answer, as `POST /v1/chat/completions` gives it without a stream.

use kernel::event::FaultClass;
use kernel::json::Extra;
use kernel::message::{Block, Reply};
use serde_json::Value;

use super::assistant::{put_assistant, put_fields, read_assistant};
use super::calls::Reader;
use super::content::message_fields;
use super::error::fault_of_object;
use super::stop::{read_stop, write_stop};
use super::usage::{KEPT, read_usage, usage_value};
use crate::fault::WireError;
use crate::json::{Fields, Object, Wrong, object, prune, put_array};
use crate::vendor::Vendor;
use crate::{REPLY_BYTES_MAX, ReplyHead};

/// The name of a choice's unknown fields among a reply's.
pub(super) const CHOICE: &str = "choice";

/// Reads an answer's body.
///
/// # Errors
/// `Malformed`: it is too long, or not what the protocol says. Some servers tell an
/// error with HTTP 200: its own class.
pub fn read_reply(body: &[u8]) -> Result<Reply, WireError> {
    if body.len() as u64 > REPLY_BYTES_MAX {
        return Err(WireError::malformed(format!(
            "the answer is longer than {REPLY_BYTES_MAX} bytes"
        )));
    }
    let mut fields = Fields::parse(body).map_err(Wrong::in_reply)?;
    match fields.take("error") {
        Some(error) => Err(fault_of_object(&error.value())),
        None => read(fields).map_err(Wrong::in_reply),
    }
}

fn read(mut fields: Fields) -> Result<Reply, Wrong> {
    let choices: Vec<Fields> = fields.need("choices")?;
    let Some(mut choice) = choices.into_iter().next() else {
        return Err(Wrong("field `choices`: there is no answer".to_owned()));
    };
    let mut message: Fields = choice.need("message")?;
    let _ = (message.take("role"), choice.take("index"));
    let (id, model) = (fields.take_as("id")?, fields.take_as("model")?);
    let usage = fields.take_as("usage")?.unwrap_or_default();
    let _ = (fields.take("object"), fields.take("created"));
    let parts = Parts {
        id,
        model,
        content: read_assistant(message)?,
        finish: choice.take_as("finish_reason")?,
        usage,
        choice: choice.rest(),
        rest: fields.rest(),
    };
    Ok(parts.into_reply())
}

/// The parts of an answer, read whole or from a stream.
pub(super) struct Parts {
    pub(super) id: Option<String>,
    pub(super) model: Option<String>,
    pub(super) content: Vec<Block>,
    pub(super) finish: Option<String>,
    pub(super) usage: Extra,
    pub(super) choice: Extra,
    pub(super) rest: Extra,
}

impl Parts {
    /// Puts the parts together.
    pub(super) fn into_reply(self) -> Reply {
        let blocks: Vec<&Block> = self.content.iter().collect();
        let refused = message_fields(&blocks).contains_key("refusal");
        let stop = read_stop(self.finish.as_deref(), &self.content, refused);
        let (usage, uncounted) = read_usage(self.usage);
        let mut rest = prune(self.rest);
        for (name, fields) in [(CHOICE, prune(self.choice)), (KEPT, uncounted)] {
            if !fields.is_empty() {
                rest.insert(name.to_owned(), Value::Object(fields));
            }
        }
        Reply {
            content: self.content,
            stop,
            usage,
            model: self.model,
            fallback: None,
            id: self.id,
            extra: Vendor::OpenAi.keep(rest),
        }
    }
}

/// The error of an answer that holds none.
pub(super) fn no_answer() -> WireError {
    WireError::new(FaultClass::Cut, "the stream ended before any answer began")
}

/// Writes an answer under the names of `head`. Thinking and blocks of other vendors are
/// left out.
#[must_use]
pub fn write_reply(reply: &Reply, head: &ReplyHead) -> String {
    object(|out| {
        put_names(out, head, "chat.completion");
        put_array(out.name("choices"), [reply], put_choice);
        if let Some(usage) = &reply.usage {
            out.put("usage", &usage_value(usage, &reply.extra));
        }
        Vendor::OpenAi.put(out, &reply.extra, &[CHOICE, KEPT]);
    })
}

pub(super) fn put_names(out: &mut Object<'_>, head: &ReplyHead, object: &str) {
    out.put("id", &head.id);
    out.put("object", object);
    out.put("created", &head.created_unix_s);
    out.put("model", &head.model);
}

fn put_choice(out: &mut Vec<u8>, reply: &Reply) {
    let blocks: Vec<&Block> = reply.content.iter().collect();
    let mut object = Object::open(out);
    object.put("index", &0);
    put_assistant(object.name("message"), &blocks, Reader::Client);
    object.put("finish_reason", write_stop(&reply.stop));
    put_fields(&mut object, &choice_fields(reply));
    object.close();
}

/// The choice's unknown fields.
pub(super) fn choice_fields(reply: &Reply) -> Extra {
    let kept = Vendor::OpenAi.field(&reply.extra, CHOICE);
    kept.and_then(Value::as_object).cloned().unwrap_or_default()
}
