//! From bytes to messages. What cannot be read but answers a request fails that request at
//! once, instead of leaving it to its deadline.

use rmcp::model::{ErrorCode, ErrorData, JsonRpcMessage, RequestId, ServerJsonRpcMessage};
use serde_json::Value;

use crate::words::line;

/// The code of an error that we made in place of an answer that cannot be read.
pub(super) const UNREADABLE: ErrorCode = ErrorCode(-31_999);

/// Bytes at each end of a message in which its id is looked for, where the whole cannot be
/// read. Servers write it first or last.
pub(super) const END_BYTES: usize = 256;

/// A message, or nothing where the bytes are none and answer nothing.
pub(super) fn read(bytes: &[u8]) -> Option<ServerJsonRpcMessage> {
    let text = String::from_utf8_lossy(bytes);
    let value = match serde_json::from_str::<Value>(&text) {
        Ok(value) => value,
        Err(error) => {
            let head = String::from_utf8_lossy(&bytes[..bytes.len().min(END_BYTES)]);
            let tail = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(END_BYTES)..]);
            let why = format!("its answer is no JSON that can be read: {error}");
            return id_at_ends(&head, &tail).map(|id| failed(id, &why));
        }
    };
    let is_answer = value.get("result").is_some() || value.get("error").is_some();
    let id = value.get("id").filter(|_| is_answer).and_then(id_of);
    match serde_json::from_value(value) {
        Ok(message) => Some(message),
        Err(error) => {
            let why =
                format!("its answer is against the protocol: {}", line(&error.to_string(), 200));
            id.map(|id| failed(id, &why))
        }
    }
}

/// In place of an answer that is too long to be read; only its two ends were kept.
pub(super) fn too_long(head: &[u8], tail: &[u8], bytes_max: usize) -> Option<ServerJsonRpcMessage> {
    let (head, tail) = (String::from_utf8_lossy(head), String::from_utf8_lossy(tail));
    let why = format!("its answer is longer than {bytes_max} bytes");
    id_at_ends(&head, &tail).map(|id| failed(id, &why))
}

/// An error of ours as the answer to a request.
pub(super) fn failed(id: RequestId, why: &str) -> ServerJsonRpcMessage {
    JsonRpcMessage::error(ErrorData::new(UNREADABLE, why.to_owned(), None), Some(id))
}

fn id_of(value: &Value) -> Option<RequestId> {
    serde_json::from_value(value.clone()).ok()
}

/// The id of a message of which only the ends are legible: right behind the opening
/// brace's first fields, or right before the closing brace.
fn id_at_ends(head: &str, tail: &str) -> Option<RequestId> {
    last_field(tail).or_else(|| first_fields(head))
}

/// `…,"id":7}`
fn last_field(tail: &str) -> Option<RequestId> {
    let inner = tail.trim_end().strip_suffix('}')?;
    let (_, value) = inner.rsplit_once("\"id\"")?;
    id_of(&serde_json::from_str(value.trim_start().strip_prefix(':')?).ok()?)
}

/// `{"jsonrpc":"2.0","id":7,…`
fn first_fields(head: &str) -> Option<RequestId> {
    let inner = head.trim_start().strip_prefix('{')?;
    let (before, value) = inner.split_once("\"id\"")?;
    if before.contains(['{', '[']) {
        return None;
    }
    let value = value.trim_start().strip_prefix(':')?;
    let end = value.find([',', '}'])?;
    id_of(&serde_json::from_str(&value[..end]).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a line: `message`, `failed ID`, or `nothing`.
    fn kind(bytes: &[u8]) -> String {
        match read(bytes) {
            None => "nothing".to_owned(),
            Some(JsonRpcMessage::Error(error)) if error.error.code == UNREADABLE => {
                format!("failed {}", error.id.unwrap())
            }
            Some(_) => "message".to_owned(),
        }
    }

    #[test]
    fn what_cannot_be_read_fails_the_request_that_it_answers() {
        let deep = format!(
            r#"{{"jsonrpc":"2.0","id":4,"result":{}{}}}"#,
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        let deep_last = format!(
            r#"{{"result":{}{},"jsonrpc":"2.0","id":5}}"#,
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        for (line, wanted) in [
            (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, "message"),
            (r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"hologram"}]}}"#, "message"),
            (r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":7}]}}"#, "message"),
            (r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#, "message"),
            (
                r#"{"jsonrpc":"2.0","id":9,"method":"sampling/createMessage","params":{}}"#,
                "message",
            ),
            (r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}"#, "message"),
            (r#"{"jsonrpc":"1.0","id":2,"result":{}}"#, "failed 2"),
            (r#"{"jsonrpc":"2.0","id":2,"error":"x"}"#, "failed 2"),
            (
                r#"{"jsonrpc":"2.0","id":2,"result":{},"error":{"code":1,"message":"x"}}"#,
                "failed 2",
            ),
            (r#"{"jsonrpc":"2.0","id":3,"result":{"a":1e999}}"#, "failed 3"),
            (r#"{"jsonrpc":"2.0","id":"a b","result":{"a":"\ud800"}}"#, "failed a b"),
            (deep.as_str(), "failed 4"),
            (deep_last.as_str(), "failed 5"),
            (r#"[{"jsonrpc":"2.0","id":1,"result":{}}]"#, "nothing"),
            (r#"{"result":{"id":7,"x":1e999"#, "nothing"),
            (r#"{"jsonrpc":"2.0","id":{},"result":{}}"#, "nothing"),
            ("Server running on stdio", "nothing"),
            ("null", "nothing"),
            ("", "nothing"),
        ] {
            assert_eq!(kind(line.as_bytes()), wanted, "{line:.100}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        let mut line =
            br#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"a"#.to_vec();
        line.extend([0xff, 0xfe]);
        line.extend(br#""}]}}"#);
        assert_eq!(kind(&line), "message");
    }
}
