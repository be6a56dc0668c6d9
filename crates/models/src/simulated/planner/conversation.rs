//! The request's messages as the planner sees them: tasks, calls and their answers.
//!
//! All memory of the planner is in here. Words of the harness and results of tools are
//! never taken for a task, whatever they say.

use std::collections::HashMap;

use kernel::agent::END_TASK;
use kernel::message::{Block, Request, Role, ToolResult, ToolUse};
use serde_json::Value;

/// What the harness's own words begin with.
const HARNESS: &str = "[harness]";

/// A task and what was done for it.
#[derive(Debug, Default)]
pub(super) struct Task<'r> {
    /// What was asked.
    pub(super) texts: Vec<&'r str>,
    /// The tools that were called, in order.
    pub(super) calls: Vec<Asked<'r>>,
}

/// A tool call that was made.
#[derive(Debug)]
pub(super) struct Asked<'r> {
    /// The call.
    pub(super) call: &'r ToolUse,
    /// Its answer.
    pub(super) result: Option<&'r ToolResult>,
}

impl<'r> Asked<'r> {
    /// What the tool said, if it did what it was asked.
    pub(super) fn answer(&self) -> Option<&'r str> {
        self.result.filter(|result| !result.is_error).map(|result| result.content.as_str())
    }

    /// A text in the call's input.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        let input: Value = serde_json::from_str(self.call.arguments.text()).ok()?;
        Some(input.get(name)?.as_str()?.to_owned())
    }
}

/// All tasks of a conversation; the last one is to be done now.
#[derive(Debug)]
pub(super) struct Conversation<'r> {
    /// The tasks before.
    pub(super) past: Vec<Task<'r>>,
    /// The task of now.
    pub(super) task: Task<'r>,
}

impl<'r> Conversation<'r> {
    /// Reads a request. Words of a user that come after an answer begin a new task.
    pub(super) fn read(request: &'r Request) -> Self {
        let mut tasks: Vec<Task<'r>> = Vec::new();
        let mut places = HashMap::new();
        let mut answered = true;
        for message in &request.messages {
            for block in &message.content {
                match (message.role, block) {
                    (Role::User, Block::Text { text, .. }) if is_task(text) => {
                        if answered {
                            tasks.push(Task::default());
                        }
                        answered = false;
                        tasks.last_mut().into_iter().for_each(|task| task.texts.push(text));
                    }
                    (Role::User, Block::ToolResult(result)) => answer(&mut tasks, &places, result),
                    (Role::Assistant, Block::ToolUse(call)) => {
                        if tasks.is_empty() {
                            tasks.push(Task::default());
                        }
                        let task = tasks.len() - 1;
                        places.insert(call.id.as_str(), (task, tasks[task].calls.len()));
                        tasks[task].calls.push(Asked { call, result: None });
                    }
                    (Role::User | Role::Assistant, _) => {}
                }
            }
            answered |= message.role == Role::Assistant;
        }
        let task = tasks.pop().unwrap_or_default();
        Conversation { past: tasks, task }
    }

    /// How often an end of this task was refused.
    pub(super) fn refused_ends(&self) -> usize {
        let ends = self.task.calls.iter().filter(|asked| asked.call.name == END_TASK);
        ends.filter(|asked| asked.result.is_some_and(|result| result.is_error)).count()
    }

    /// All calls before this task, the newest first.
    pub(super) fn calls_before(&self) -> impl Iterator<Item = &Asked<'r>> {
        self.past.iter().rev().flat_map(|task| task.calls.iter().rev())
    }
}

/// Whether these are words of a person.
pub(super) fn is_task(text: &str) -> bool {
    !text.trim_start().starts_with(HARNESS)
}

fn answer<'r>(
    tasks: &mut [Task<'r>],
    places: &HashMap<&str, (usize, usize)>,
    result: &'r ToolResult,
) {
    if let Some((task, call)) = places.get(result.id.as_str()) {
        tasks[*task].calls[*call].result = Some(result);
    }
}
