//! The rules of chat completions.

use std::collections::BTreeSet;

use serde::de::IgnoredAny;
use serde_json::Value;

use super::{Findings, Rule, Violation, is_word};

/// Checks a request's body.
#[must_use]
pub fn check_openai(request: &Value) -> Vec<Violation> {
    let mut check = Check::default();
    check.settings(request);
    check.tools(request);
    let messages = request["messages"].as_array().map_or(&[][..], Vec::as_slice);
    let found = &mut check.found;
    found.demand(!messages.is_empty(), Rule::FieldPresent, format_args!("messages"));
    for (at, message) in messages.iter().enumerate() {
        check.message(at, message);
    }
    check.close_calls();
    check.found.0
}

#[derive(Default)]
struct Check<'a> {
    found: Findings,
    /// The calls of the last answer that wait for their `tool` message.
    open: BTreeSet<&'a str>,
    open_at: usize,
}

impl<'a> Check<'a> {
    fn settings(&mut self, request: &Value) {
        let found = &mut self.found;
        let model = request["model"].as_str().is_some_and(|model| !model.is_empty());
        found.demand(model, Rule::FieldPresent, format_args!("model"));
        let limits = ["max_tokens", "max_completion_tokens"];
        let given: Vec<&Value> = limits.iter().filter_map(|name| request.get(name)).collect();
        let fits = given.iter().all(|limit| limit.as_u64().is_some_and(|tokens| tokens >= 1));
        let place = format_args!("max_completion_tokens");
        found.demand(fits && given.len() < 2, Rule::NumberInRange, place);
        if let Some(temperature) = request.get("temperature") {
            let fits = temperature.as_f64().is_some_and(|t| (0.0..=2.0).contains(&t));
            found.demand(fits, Rule::NumberInRange, format_args!("temperature"));
        }
    }

    fn tools(&mut self, request: &'a Value) {
        let tools = request["tools"].as_array().map_or(&[][..], Vec::as_slice);
        let mut names = BTreeSet::new();
        for (at, tool) in tools.iter().enumerate() {
            if tool["type"] != "function" {
                continue;
            }
            let name = tool["function"]["name"].as_str().unwrap_or_default();
            let fits = is_word(name, 64);
            self.found.demand(fits, Rule::ToolName, format_args!("tools[{at}]"));
            let new = names.insert(name);
            self.found.demand(new, Rule::ToolDeclared, format_args!("tools[{at}]"));
        }
        if let Some(choice) = request.get("tool_choice") {
            let declared = match choice["function"]["name"].as_str() {
                Some(name) => names.contains(name),
                None => !tools.is_empty(),
            };
            let place = format_args!("tool_choice");
            self.found.demand(declared, Rule::ToolDeclared, place);
        }
    }

    fn message(&mut self, at: usize, message: &'a Value) {
        let role = message["role"].as_str().unwrap_or_default();
        if role == "tool" {
            self.result(at, message);
            return;
        }
        self.close_calls();
        let content = &message["content"];
        match role {
            "assistant" => self.answer(at, message),
            "user" | "system" | "developer" => {
                let some = has_content(content);
                self.found.demand(some, Rule::ContentPresent, format_args!("messages[{at}]"));
            }
            _ => self.found.demand(false, Rule::RoleKnown, format_args!("messages[{at}]")),
        }
    }

    fn result(&mut self, at: usize, message: &Value) {
        let id = message["tool_call_id"].as_str().unwrap_or_default();
        let answers = self.open.remove(id);
        let found = &mut self.found;
        found.demand(answers, Rule::ResultHasCall, format_args!("messages[{at}]"));
        let some = message["content"].is_string() || has_content(&message["content"]);
        found.demand(some, Rule::ContentPresent, format_args!("messages[{at}]"));
    }

    fn answer(&mut self, at: usize, message: &'a Value) {
        let stands_in = ["refusal", "audio", "function_call"];
        let says = has_content(&message["content"])
            || message["tool_calls"].is_array()
            || stands_in.iter().any(|name| !message[name].is_null());
        self.found.demand(says, Rule::ContentPresent, format_args!("messages[{at}]"));
        let Some(calls) = message["tool_calls"].as_array() else {
            return;
        };
        let place = format_args!("messages[{at}].tool_calls");
        self.found.demand(!calls.is_empty(), Rule::ContentPresent, place);
        self.open_at = at;
        for (n, call) in calls.iter().enumerate() {
            self.call(call, (at, n));
        }
    }

    fn call(&mut self, call: &'a Value, (at, n): (usize, usize)) {
        let id = call["id"].as_str().unwrap_or_default();
        let new = !id.is_empty() && self.open.insert(id);
        let mut demand = |kept, rule| {
            let place = format_args!("messages[{at}].tool_calls[{n}]");
            self.found.demand(kept, rule, place);
        };
        demand(new, Rule::CallIdUnique);
        if call["type"] == "function" {
            let function = &call["function"];
            let name = function["name"].as_str().unwrap_or_default();
            demand(is_word(name, 64), Rule::ToolName);
            demand(is_json_text(&function["arguments"]), Rule::Arguments);
        }
    }

    /// Notes the calls that were not answered.
    fn close_calls(&mut self) {
        let place = self.open_at;
        for id in std::mem::take(&mut self.open) {
            let place = format_args!("messages[{place}] `{id}`");
            self.found.demand(false, Rule::CallAnswered, place);
        }
    }
}

fn has_content(content: &Value) -> bool {
    match content {
        Value::String(text) => !text.is_empty(),
        Value::Array(parts) => !parts.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

fn is_json_text(arguments: &Value) -> bool {
    let text = arguments.as_str();
    text.is_some_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}
