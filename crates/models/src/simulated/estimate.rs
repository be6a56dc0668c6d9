//! How many tokens a simulated model counts: one for each four bytes, rounded up.
//!
//! That is about what English text costs at real providers. It is stated, so that
//! spending can be rehearsed and checked by hand; it is no tokenizer's truth.

use kernel::message::{Block, Reply, Request, Stop, Usage};
use serde_json::Value;

/// Bytes of text that count as one token.
pub const BYTES_PER_TOKEN: u64 = 4;

/// The answer of a brain with its usage filled in, unless the brain states one itself, and
/// cut where it is longer than the request allows: as any provider would.
#[must_use]
pub fn answered(request: &Request, mut reply: Reply) -> Reply {
    let longest = u64::from(request.max_tokens).max(1);
    if tokens_of(content_bytes(&reply.content)) > longest {
        cut(&mut reply, longest);
    }
    let usage = reply.usage.get_or_insert_with(|| {
        let output = tokens_of(content_bytes(&reply.content)).max(1);
        Usage { input: input_tokens(request), output, ..Usage::default() }
    });
    usage.output = usage.output.min(longest);
    reply
}

/// Keeps what fits into so many tokens: whole blocks, and the beginning of a text.
fn cut(reply: &mut Reply, longest: u64) {
    let mut left = usize::try_from(longest * BYTES_PER_TOKEN).unwrap_or(usize::MAX);
    let mut kept = Vec::new();
    for mut block in std::mem::take(&mut reply.content) {
        let bytes = block_bytes(&block);
        if bytes <= left {
            left -= bytes;
            kept.push(block);
            continue;
        }
        if let Block::Text { text, .. } = &mut block {
            let end = (0..=left).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            text.truncate(end);
            kept.extend((end > 0).then_some(block));
        }
        break;
    }
    reply.content = kept;
    reply.stop = Stop::MaxTokens;
}

/// Tokens of everything that a request makes a model read. At least one.
#[must_use]
pub fn input_tokens(request: &Request) -> u64 {
    let tools = request
        .tools
        .iter()
        .map(|tool| tool.name.len() + tool.description.len() + value_bytes(&tool.input_schema));
    let said = request.messages.iter().map(|message| content_bytes(&message.content));
    tokens_of(request.system.len() + tools.sum::<usize>() + said.sum::<usize>()).max(1)
}

/// Tokens of this many bytes of text.
pub(crate) fn tokens_of(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(BYTES_PER_TOKEN)
}

fn content_bytes(content: &[Block]) -> usize {
    content.iter().map(block_bytes).sum()
}

fn block_bytes(block: &Block) -> usize {
    match block {
        Block::Text { text, .. } => text.len(),
        Block::Thinking { raw } | Block::Opaque { raw } => raw.text().len(),
        Block::ToolUse(call) => call.name.len() + call.arguments.text().len(),
        Block::ToolResult(result) => result.content.len(),
    }
}

/// The length of a tree without printing it: schemas are counted anew with every call.
fn value_bytes(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 4,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => 2 + items.iter().map(|item| value_bytes(item) + 1).sum::<usize>(),
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| key.len() + 4 + value_bytes(value);
            2 + fields.iter().map(field).sum::<usize>()
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::json::{Extra, RawJson};
    use kernel::message::{Arguments, Stop, ToolDecl, ToolUse};

    use super::*;
    use crate::testing::request;

    #[test]
    fn tokens_are_quarters_of_bytes_rounded_up_and_never_none() {
        for (text, tokens) in [("", 1), ("abc", 1), ("abcd", 1), ("abcde", 2), ("äöü", 2)] {
            assert_eq!(input_tokens(&request("planner", text)), tokens, "{text}");
        }
    }

    #[test]
    fn an_answer_is_cut_where_the_request_says() {
        let mut asked = request("planner", "hi");
        asked.max_tokens = 3;
        let says = |text: &str| Reply {
            content: vec![Block::text(text), Block::text("and more")],
            stop: Stop::EndTurn,
            usage: None,
            model: None,
            fallback: None,
            id: None,
            extra: Extra::new(),
        };
        for (text, heard) in
            [("twelve bytes and some", "twelve bytes"), ("elf bytes ü!", "elf bytes ü")]
        {
            let reply = answered(&asked, says(text));
            assert_eq!(reply.content, [Block::text(heard)], "{text}");
            assert_eq!((reply.stop, reply.usage.unwrap().output), (Stop::MaxTokens, 3));
        }
        asked.max_tokens = 100;
        assert_eq!(answered(&asked, says("short")).stop, Stop::EndTurn);
    }

    #[test]
    fn everything_that_a_model_reads_or_writes_counts() {
        let mut asked = request("planner", "12345678");
        asked.system = "1234".into();
        let tool = ToolDecl {
            name: "sum4".into(),
            description: "adds".into(),
            input_schema: serde_json::json!({"type": "object"}),
            extra: Extra::new(),
        };
        asked.tools = [tool].into();
        // 8 of the message, 4 of the system prompt, 8 of the tool, 18 of its schema.
        assert_eq!(input_tokens(&asked), 10);
        let raw = RawJson::parse(r#"{"a":1}"#).unwrap();
        let reply = Reply {
            content: vec![
                Block::text("hello"),
                Block::ToolUse(ToolUse {
                    id: "ignored".into(),
                    name: "sum4".into(),
                    arguments: Arguments::Json(raw),
                    extra: Extra::new(),
                }),
            ],
            stop: Stop::ToolUse,
            usage: None,
            model: None,
            fallback: None,
            id: None,
            extra: Extra::new(),
        };
        // 5 of text, 4 of the name, 7 of the arguments.
        assert_eq!(answered(&asked, reply).usage.unwrap().output, 4);
    }
}
