//! What a call used, as chat completions tell it: prompt tokens that include the cached
//! ones, completion tokens that include reasoning, and perhaps nothing at all.

use kernel::json::Extra;
use kernel::message::Usage;
use serde_json::{Value, json};

use crate::vendor::Vendor;

/// The name of the usage's unknown fields among a reply's.
pub(super) const KEPT: &str = "usage";

/// Reads a `usage` object into the counts and the fields that we do not count, but for
/// those that are zero.
pub(super) fn read_usage(mut usage: Extra) -> (Option<Usage>, Extra) {
    let prompt = usage.shift_remove("prompt_tokens").and_then(|n| n.as_u64());
    let output = usage.shift_remove("completion_tokens").and_then(|n| n.as_u64());
    let cached = take_cached(&mut usage);
    usage.shift_remove("total_tokens");
    drop_nothings(&mut usage);
    let told = (prompt.is_some() || output.is_some()).then(|| {
        let prompt = prompt.unwrap_or(0);
        let cache_read = cached.unwrap_or(0).min(prompt);
        Usage {
            input: prompt - cache_read,
            output: output.unwrap_or(0),
            cache_read,
            ..Usage::default()
        }
    });
    (told, usage)
}

/// Cached tokens by OpenAI's name, or by the one of some compatible servers.
fn take_cached(usage: &mut Extra) -> Option<u64> {
    let details = usage.get_mut("prompt_tokens_details").and_then(Value::as_object_mut);
    let cached = details.and_then(|details| details.shift_remove("cached_tokens"));
    let hits = usage.get("prompt_cache_hit_tokens");
    cached.as_ref().or(hits).and_then(Value::as_u64)
}

fn drop_nothings(fields: &mut Extra) {
    for (_, value) in fields.iter_mut() {
        if let Value::Object(inner) = value {
            drop_nothings(inner);
        }
    }
    fields.retain(|_, value| {
        !(value.is_null() || *value == json!(0) || *value == json!({}) || *value == json!([]))
    });
}

/// Writes a usage as the API tells it, with the fields of `extra` that were kept.
pub(super) fn usage_value(usage: &Usage, extra: &Extra) -> Value {
    let mut value = json!({
        "prompt_tokens": usage.input_total(),
        "completion_tokens": usage.output,
        "total_tokens": usage.total(),
        "prompt_tokens_details": {"cached_tokens": usage.cache_read},
    });
    let kept = Vendor::OpenAi.field(extra, KEPT).and_then(Value::as_object);
    for (name, inner) in kept.into_iter().flatten() {
        match (value.get_mut(name), inner) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more.clone()),
            (Some(_) | None, inner) => value[name] = inner.clone(),
        }
    }
    value
}
