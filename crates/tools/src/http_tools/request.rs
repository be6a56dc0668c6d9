//! What is sent for one call: headers and a body from the declaration and the input.

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Map, Value};

use super::{HttpTool, IDEMPOTENCY_KEY};
use crate::outward::Outgoing;

/// The request of a call, without its secret.
pub(super) fn outgoing(tool: &HttpTool, input: &Value, key: &str) -> Result<Outgoing, String> {
    let mut headers: HeaderMap = tool.headers.iter().cloned().collect();
    if let Some(name) = &tool.idempotency_header {
        let key = HeaderValue::from_str(key).map_err(|_| "the key of the call is no header")?;
        headers.insert(name.clone(), key);
    }
    let body = body(tool, input, key);
    if body.is_some() && !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let body = body.map(|body| body.to_string().into_bytes());
    Ok(Outgoing { method: tool.method.clone(), headers, body })
}

/// The request that asks what became of a call.
pub(super) fn question(tool: &HttpTool) -> Outgoing {
    let headers = tool.headers.iter().filter(|(name, _)| name != CONTENT_TYPE).cloned().collect();
    Outgoing { method: Method::GET, headers, body: None }
}

fn body(tool: &HttpTool, input: &Value, key: &str) -> Option<Value> {
    if let Some(declared) = &tool.body {
        return Some(filled(declared, input, key).unwrap_or(Value::Null));
    }
    if !matches!(tool.method.as_str(), "POST" | "PUT" | "PATCH") {
        return None;
    }
    let fields = input.as_object().into_iter().flatten();
    let unused = fields.filter(|(name, _)| !tool.url.has(name));
    let rest: Map<_, _> = unused.map(|(name, value)| (name.clone(), value.clone())).collect();
    Some(Value::Object(rest))
}

/// A declared value with the input's fields in their places. A field that the input does
/// not have leaves nothing behind.
fn filled(declared: &Value, input: &Value, key: &str) -> Option<Value> {
    match declared {
        Value::String(text) => match field(text) {
            Some(IDEMPOTENCY_KEY) => Some(Value::String(key.to_owned())),
            Some(name) => input.get(name).cloned(),
            None => Some(declared.clone()),
        },
        Value::Array(items) => {
            Some(items.iter().filter_map(|item| filled(item, input, key)).collect())
        }
        Value::Object(fields) => {
            let kept = fields
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), filled(value, input, key)?)));
            Some(Value::Object(kept.collect()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(declared.clone()),
    }
}

/// The field that a text stands for, where it is a place and nothing else.
fn field(text: &str) -> Option<&str> {
    let name = text.strip_prefix('{')?.strip_suffix('}')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (!name.is_empty() && name.chars().all(is_name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_place_takes_a_value_as_it_is_and_leaves_nothing_where_there_is_none() {
        let declared = json!({
            "id": "{id}", "fixed": "a {id}", "list": ["{tags}", "{none}", 1],
            "deep": {"key": "{idempotency_key}", "gone": "{none}"},
        });
        let input = json!({"id": 7, "tags": ["x"], "idempotency_key": "mine"});
        let wanted = json!({
            "id": 7, "fixed": "a {id}", "list": [["x"], 1], "deep": {"key": "k1"},
        });
        assert_eq!(filled(&declared, &input, "k1"), Some(wanted));
    }
}
