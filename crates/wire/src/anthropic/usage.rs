//! What a call used, as the Messages API tells it: once, or in several cumulative parts.
//!
//! `message_delta.usage` repeats totals and leaves out what it does not know, so parts
//! are merged field by field, set if present, never added (L12). Only `message_start`
//! tells how cache writes split by life; what the split does not cover counts as five
//! minutes, the vendor's default.

use kernel::json::Extra;
use kernel::message::Usage;
use serde_json::{Value, json};

use crate::vendor::Vendor;

/// The name of the usage's unknown fields among a reply's.
pub(super) const KEPT: &str = "usage";

/// What was told so far.
#[derive(Debug, Default)]
pub(super) struct Told {
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    cache_write_5m: Option<u64>,
    cache_write_1h: Option<u64>,
    web_searches: Option<u64>,
    /// Fields that we do not count.
    rest: Extra,
}

impl Told {
    /// Takes in a `usage` object.
    pub(super) fn merge(&mut self, usage: Extra) {
        for (name, value) in usage {
            match name.as_str() {
                "input_tokens" => set(&mut self.input, &value),
                "output_tokens" => set(&mut self.output, &value),
                "cache_read_input_tokens" => set(&mut self.cache_read, &value),
                "cache_creation_input_tokens" => set(&mut self.cache_write, &value),
                "cache_creation" => {
                    set(&mut self.cache_write_5m, &value["ephemeral_5m_input_tokens"]);
                    set(&mut self.cache_write_1h, &value["ephemeral_1h_input_tokens"]);
                }
                "server_tool_use" => {
                    set(&mut self.web_searches, &value["web_search_requests"]);
                    self.keep(name, value);
                }
                _ => self.keep(name, value),
            }
        }
    }

    fn keep(&mut self, name: String, mut value: Value) {
        if let Value::Object(fields) = &mut value {
            fields.remove("web_search_requests");
            fields.retain(|_, inner| *inner != json!(0));
        }
        let says_nothing = value.is_null() || value == json!({}) || value == json!([]);
        if !says_nothing {
            self.rest.insert(name, value);
        }
    }

    /// The usage. `None` where not one number was told.
    pub(super) fn usage(&self) -> Option<Usage> {
        let told = [
            self.input,
            self.output,
            self.cache_read,
            self.cache_write,
            self.cache_write_5m,
            self.cache_write_1h,
            self.web_searches,
        ];
        told.iter().any(Option::is_some).then(|| {
            let long = self.cache_write_1h.unwrap_or(0);
            let short = self.cache_write_5m.unwrap_or(0);
            let unsplit = self.cache_write.unwrap_or(0).saturating_sub(long);
            Usage {
                input: self.input.unwrap_or(0),
                output: self.output.unwrap_or(0),
                cache_read: self.cache_read.unwrap_or(0),
                cache_write_5m: short.max(unsplit),
                cache_write_1h: long,
                web_searches: self.web_searches.unwrap_or(0),
            }
        })
    }

    /// The fields that we do not count.
    pub(super) fn into_rest(self) -> Extra {
        self.rest
    }
}

fn set(field: &mut Option<u64>, value: &Value) {
    *field = value.as_u64().or(*field);
}

/// Writes a usage as the API tells it, with the fields of `extra` that were kept.
/// The API always tells one, so none is told as nothing used.
pub(super) fn usage_value(usage: Option<&Usage>, extra: &Extra) -> Value {
    let usage = usage.copied().unwrap_or_default();
    let mut value = json!({
        "input_tokens": usage.input,
        "cache_creation_input_tokens":
            usage.cache_write_5m.saturating_add(usage.cache_write_1h),
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": usage.output,
    });
    let kept = Vendor::Anthropic.field(extra, KEPT).and_then(Value::as_object);
    for (name, inner) in kept.into_iter().flatten() {
        value[name] = inner.clone();
    }
    if usage.web_searches > 0 {
        value["server_tool_use"]["web_search_requests"] = json!(usage.web_searches);
    }
    value
}
