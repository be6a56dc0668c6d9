//! The planner's summary of a conversation, and what it makes of one that it wrote.
//!
//! One line for each thing that was said, called or returned, its texts as JSON. Read
//! back, the lines become messages again, so the rest of the planner never knows that
//! anything was left out.

use std::collections::BTreeSet;
use std::sync::Arc;

use kernel::event::SUMMARY_REQUEST;
use kernel::json::{Extra, RawJson};
use kernel::message::{Arguments, Block, Message, Request, Role, ToolResult, ToolUse};

use super::conversation::is_task;
use crate::simulated::BYTES_PER_TOKEN;
use crate::simulated::long::notice_in;

/// Longest parts of results and arguments that a summary keeps, in bytes: the first with
/// which it is as short as it was asked to be.
const PART_BYTES_MAX: [usize; 6] = [600, 300, 150, 75, 40, 20];

const ASKED: &str = "- I was asked ";
const CALLED: &str = "- I called ";
const FOUND: &str = "  and got ";
const FAILED: &str = "  and failed: ";
const SAID: &str = "- I said ";

/// The summary of a conversation.
pub(super) fn write(request: &Request) -> String {
    let bytes_max = u64::from(request.max_tokens) * BYTES_PER_TOKEN;
    let fits = |summary: &String| summary.len() as u64 <= bytes_max;
    let mut summaries = PART_BYTES_MAX.into_iter().map(|part| written(request, part));
    let [.., shortest] = PART_BYTES_MAX;
    summaries.find(fits).unwrap_or_else(|| written(request, shortest))
}

fn written(request: &Request, part_bytes_max: usize) -> String {
    let blocks = request.messages.iter().flat_map(|message| {
        message.content.iter().filter_map(|block| line(message.role, block, part_bytes_max))
    });
    let lines: Vec<String> = blocks.collect();
    format!("What happened so far:\n{}", lines.join("\n"))
}

fn line(role: Role, block: &Block, part_bytes_max: usize) -> Option<String> {
    let part = |text: &str| json(&shortened(text, part_bytes_max));
    match (role, block) {
        (_, Block::Text { text, .. }) if text == SUMMARY_REQUEST => None,
        (Role::User, Block::Text { text, .. }) => {
            is_task(text).then(|| format!("{ASKED}{}", json(text)))
        }
        (Role::Assistant, Block::Text { text, .. }) => Some(format!("{SAID}{}", part(text))),
        (_, Block::ToolUse(call)) => {
            let (name, arguments) = (json(&call.name), part(call.arguments.text()));
            Some(format!("{CALLED}{} {name} {arguments}", json(&call.id)))
        }
        (_, Block::ToolResult(result)) => {
            let how = if result.is_error { FAILED } else { FOUND };
            Some(format!("{how}{} {}", json(&result.id), part(&result.content)))
        }
        (_, Block::Thinking { .. } | Block::Opaque { .. }) => None,
    }
}

fn json(text: &str) -> String {
    RawJson::of(&text).text().to_owned()
}

fn shortened(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let kept = &text[..text.floor_char_boundary(bytes_max)];
    format!("{kept}… [{} bytes in all]", text.len())
}

/// The request with the planner's own summary unfolded into what it tells of. What is
/// still there word for word is not told twice.
pub(super) fn unfolded(request: &Request) -> Option<Request> {
    let first = request.messages.first()?;
    let (_, words) = notice_in(first)?;
    let rest = &request.messages[1..];
    let known = Known::of(rest);
    let told = words.lines().filter_map(block).take_while(|(_, block)| !known.has_task(block));
    let told = told.filter(|(_, block)| !known.has(block));
    let messages = told.map(|(role, block)| Arc::new(Message::of(role, vec![block])));
    let messages: Vec<_> = messages.chain(rest.iter().cloned()).collect();
    (messages.len() > rest.len()).then(|| Request { messages, ..request.clone() })
}

/// What the messages after a summary hold themselves.
struct Known<'r> {
    tasks: BTreeSet<&'r str>,
    calls: BTreeSet<&'r str>,
}

impl<'r> Known<'r> {
    fn of(messages: &'r [Arc<Message>]) -> Self {
        let mut known = Known { tasks: BTreeSet::new(), calls: BTreeSet::new() };
        for message in messages {
            for block in &message.content {
                match (message.role, block) {
                    (Role::User, Block::Text { text, .. }) => {
                        known.tasks.insert(text);
                    }
                    (_, Block::ToolUse(call)) => {
                        known.calls.insert(&call.id);
                    }
                    (_, _) => {}
                }
            }
        }
        known
    }

    fn has_task(&self, block: &Block) -> bool {
        matches!(block, Block::Text { text, .. } if self.tasks.contains(text.as_str()))
    }

    fn has(&self, block: &Block) -> bool {
        match block {
            Block::ToolUse(call) => self.calls.contains(call.id.as_str()),
            Block::ToolResult(result) => self.calls.contains(result.id.as_str()),
            Block::Text { .. } | Block::Thinking { .. } | Block::Opaque { .. } => false,
        }
    }
}

/// What a line of a summary tells of.
fn block(line: &str) -> Option<(Role, Block)> {
    let forms = [ASKED, SAID, CALLED, FOUND, FAILED];
    let form = forms.into_iter().find(|form| line.starts_with(form))?;
    let texts = texts(&line[form.len()..])?;
    match (form, texts.as_slice()) {
        (ASKED, [text]) => Some((Role::User, Block::text(text))),
        (SAID, [text]) => Some((Role::Assistant, Block::text(text))),
        (CALLED, [id, name, arguments]) => {
            let arguments = Arguments::from_text(arguments);
            let (id, name) = (id.clone(), name.clone());
            let call = ToolUse { id, name, arguments, extra: Extra::new() };
            Some((Role::Assistant, Block::ToolUse(call)))
        }
        (FOUND | FAILED, [id, content]) => {
            let (id, content) = (id.clone(), content.clone());
            let result = ToolResult { id, content, is_error: form == FAILED, extra: Extra::new() };
            Some((Role::User, Block::ToolResult(result)))
        }
        (_, _) => None,
    }
}

/// The JSON texts of a line.
fn texts(line: &str) -> Option<Vec<String>> {
    serde_json::Deserializer::from_str(line).into_iter().collect::<Result<_, _>>().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::request;

    #[test]
    fn what_is_written_is_read_back() {
        let blocks = [
            (Role::User, Block::text("add 1 and \"2\"\nthen stop")),
            (Role::Assistant, Block::text("To do: add.")),
            (
                Role::Assistant,
                Block::ToolUse(ToolUse {
                    id: "plan_1_1".to_owned(),
                    name: "calculator".to_owned(),
                    arguments: Arguments::from_text(r#"{"expression": "1 + 2"}"#),
                    extra: Extra::new(),
                }),
            ),
            (
                Role::User,
                Block::ToolResult(ToolResult {
                    id: "plan_1_1".to_owned(),
                    content: "3".to_owned(),
                    is_error: false,
                    extra: Extra::new(),
                }),
            ),
        ];
        let said = blocks.iter().map(|(role, block)| Message::of(*role, vec![block.clone()]));
        let mut asked = request("planner", "");
        asked.messages = said.map(Arc::new).collect();
        let summary = write(&asked);
        let head = kernel::event::left_out(1, Some(&summary));
        let mut later = asked.clone();
        later.messages = vec![Arc::new(Message::user(head))];
        assert_eq!(unfolded(&later).unwrap().messages, asked.messages);
        // What is still there is not told twice.
        later.messages.extend(asked.messages[2..].iter().cloned());
        assert_eq!(unfolded(&later).unwrap().messages, asked.messages);
        assert_eq!(unfolded(&asked), None, "nothing was left out");
        // It is as short as it was asked to be.
        let long = Block::text("word ".repeat(1_000));
        asked.messages.push(Arc::new(Message::of(Role::Assistant, vec![long])));
        for (max_tokens, bytes) in [(1_000, 700..1_000), (80, 200..320)] {
            let short = write(&Request { max_tokens, ..asked.clone() });
            assert!(bytes.contains(&short.len()), "{max_tokens}: {} bytes", short.len());
        }
    }
}
