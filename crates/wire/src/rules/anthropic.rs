//! The rules of the Messages API.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Findings, Rule, Violation, is_word};

/// Checks a request's body.
#[must_use]
pub fn check_anthropic(request: &Value) -> Vec<Violation> {
    let mut check = Check::default();
    check.settings(request);
    check.tools(request);
    check.system(&request["system"]);
    let messages = request["messages"].as_array().map_or(&[][..], Vec::as_slice);
    let found = &mut check.found;
    found.demand(!messages.is_empty(), Rule::FieldPresent, format_args!("messages"));
    for (at, message) in messages.iter().enumerate() {
        check.message(at, message, at + 1 == messages.len());
    }
    check.unanswered(&BTreeSet::new());
    let marks = check.marks;
    check.found.demand(marks <= 4, Rule::CacheMarks, format_args!("cache_control"));
    check.found.0
}

#[derive(Default)]
struct Check<'a> {
    found: Findings,
    /// Every call's id so far.
    ids: BTreeSet<&'a str>,
    /// The calls of the last message, and its place.
    open: BTreeSet<&'a str>,
    open_at: usize,
    speaker: Option<&'a str>,
    marks: usize,
}

impl<'a> Check<'a> {
    fn settings(&mut self, request: &Value) {
        let found = &mut self.found;
        let model = request["model"].as_str().is_some_and(|model| !model.is_empty());
        found.demand(model, Rule::FieldPresent, format_args!("model"));
        let tokens = request["max_tokens"].as_u64().is_some_and(|tokens| tokens >= 1);
        found.demand(tokens, Rule::NumberInRange, format_args!("max_tokens"));
        if let Some(temperature) = request.get("temperature") {
            let fits = temperature.as_f64().is_some_and(|t| (0.0..=1.0).contains(&t));
            found.demand(fits, Rule::NumberInRange, format_args!("temperature"));
        }
        self.count_mark(request);
    }

    fn tools(&mut self, request: &'a Value) {
        let tools = request["tools"].as_array().map_or(&[][..], Vec::as_slice);
        let mut names = BTreeSet::new();
        for (at, tool) in tools.iter().enumerate() {
            self.count_mark(tool);
            let found = &mut self.found;
            let name = tool["name"].as_str().unwrap_or_default();
            let unnamed = tool.get("name").is_none() && tool.get("type").is_some();
            found.demand(
                unnamed || is_word(name, 128),
                Rule::ToolName,
                format_args!("tools[{at}]"),
            );
            let new = unnamed || names.insert(name);
            found.demand(new, Rule::ToolDeclared, format_args!("tools[{at}]"));
            let ours = matches!(tool["type"].as_str(), None | Some("custom"));
            let schema = !ours || tool["input_schema"]["type"] == "object";
            let place = format_args!("tools[{at}].input_schema");
            found.demand(schema, Rule::FieldPresent, place);
        }
        if let Some(choice) = request.get("tool_choice") {
            let declared = match choice["name"].as_str() {
                Some(name) => names.contains(name),
                None => !tools.is_empty(),
            };
            let place = format_args!("tool_choice");
            self.found.demand(declared, Rule::ToolDeclared, place);
        }
    }

    fn system(&mut self, system: &Value) {
        let kept = match system.as_array() {
            Some(blocks) => {
                blocks.iter().for_each(|block| self.count_mark(block));
                blocks.iter().all(|block| has_words(&block["text"]))
            }
            None => system.is_null() || has_words(system),
        };
        self.found.demand(kept, Rule::TextNotEmpty, format_args!("system"));
    }

    fn message(&mut self, at: usize, message: &'a Value, is_last: bool) {
        let role = message["role"].as_str().unwrap_or_default();
        let found = &mut self.found;
        let known = matches!(role, "user" | "assistant");
        found.demand(known, Rule::RoleKnown, format_args!("messages[{at}]"));
        let first = at > 0 || role == "user";
        found.demand(first, Rule::FirstIsUser, format_args!("messages[{at}]"));
        let alternates = self.speaker != Some(role);
        found.demand(alternates, Rule::RolesAlternate, format_args!("messages[{at}]"));
        self.speaker = Some(role);

        let answered = self.results(at, message);
        self.unanswered(&answered);
        self.content(at, message, is_last);
    }

    /// Checks the results of a message against the calls before. Gives the answered ids.
    fn results(&mut self, at: usize, message: &'a Value) -> BTreeSet<&'a str> {
        let mut answered = BTreeSet::new();
        let mut others = false;
        for (n, block) in blocks(message).iter().enumerate() {
            if block["type"] != "tool_result" {
                others = true;
                continue;
            }
            let found = &mut self.found;
            let place = format_args!("messages[{at}].content[{n}]");
            found.demand(!others, Rule::ResultsFirst, place);
            let id = block["tool_use_id"].as_str().unwrap_or_default();
            let answers = self.open.contains(id) && answered.insert(id);
            let place = format_args!("messages[{at}].content[{n}]");
            found.demand(answers, Rule::ResultHasCall, place);
        }
        answered
    }

    /// Notes the open calls that are not among the answered ones, and closes all.
    fn unanswered(&mut self, answered: &BTreeSet<&str>) {
        let place = self.open_at;
        for id in std::mem::take(&mut self.open) {
            let place = format_args!("messages[{place}] `{id}`");
            self.found.demand(answered.contains(id), Rule::CallAnswered, place);
        }
    }

    fn content(&mut self, at: usize, message: &'a Value, is_last: bool) {
        let role = message["role"].as_str().unwrap_or_default();
        let content = &message["content"];
        if content.is_string() {
            let words = has_words(content);
            self.found.demand(words, Rule::TextNotEmpty, format_args!("messages[{at}]"));
            return;
        }
        let blocks = blocks(message);
        let some = !blocks.is_empty() || (is_last && role == "assistant" && content.is_array());
        self.found.demand(some, Rule::ContentPresent, format_args!("messages[{at}]"));
        for (n, block) in blocks.iter().enumerate() {
            self.count_mark(block);
            self.block(block, role, (at, n));
        }
        let ends_thinking = blocks.last().is_some_and(is_thinking);
        let place = format_args!("messages[{at}]");
        self.found.demand(!ends_thinking, Rule::Thinking, place);
    }

    fn block(&mut self, block: &'a Value, role: &str, (at, n): (usize, usize)) {
        let mut demand = |kept, rule| {
            self.found.demand(kept, rule, format_args!("messages[{at}].content[{n}]"));
        };
        match block["type"].as_str() {
            None => demand(false, Rule::FieldPresent),
            Some("text") => demand(has_words(&block["text"]), Rule::TextNotEmpty),
            Some("tool_use") => {
                demand(role == "assistant", Rule::BlockOfSpeaker);
                demand(block["input"].is_object(), Rule::Arguments);
                let name = block["name"].as_str().unwrap_or_default();
                demand(is_word(name, 128), Rule::ToolName);
                let id = block["id"].as_str().unwrap_or_default();
                demand(is_word(id, usize::MAX) && self.ids.insert(id), Rule::CallIdUnique);
                self.open.insert(id);
                self.open_at = at;
            }
            Some("tool_result") => {
                demand(role == "user", Rule::BlockOfSpeaker);
                demand(result_has_words(block), Rule::ErrorHasWords);
            }
            Some("thinking" | "redacted_thinking") => {
                demand(role == "assistant", Rule::BlockOfSpeaker);
                demand(is_signed(block), Rule::Thinking);
                demand(block.get("cache_control").is_none(), Rule::CacheMarks);
            }
            // Kinds that only the vendor knows.
            Some(_) => {}
        }
    }

    fn count_mark(&mut self, holder: &Value) {
        self.marks += usize::from(holder.get("cache_control").is_some_and(Value::is_object));
    }
}

fn blocks(message: &Value) -> &[Value] {
    message["content"].as_array().map_or(&[], Vec::as_slice)
}

fn has_words(text: &Value) -> bool {
    text.as_str().is_some_and(|text| !text.trim().is_empty())
}

/// Only errors must have words, but no text block may be empty.
fn result_has_words(result: &Value) -> bool {
    let content = &result["content"];
    match content.as_array() {
        Some(parts) => parts.iter().all(|part| part["type"] != "text" || has_words(&part["text"])),
        None => result["is_error"] != true || has_words(content),
    }
}

fn is_thinking(block: &Value) -> bool {
    matches!(block["type"].as_str(), Some("thinking" | "redacted_thinking"))
}

fn is_signed(block: &Value) -> bool {
    let seal = match block["type"] == "thinking" {
        true => &block["signature"],
        false => &block["data"],
    };
    has_words(seal)
}
