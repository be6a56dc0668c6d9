//! One case: what is given, played against the planner, and written down.

use std::sync::Arc;

use kernel::agent::END_TASK;
use kernel::json::Extra;
use kernel::message::{
    Block, Message, Reply, Request, Role, Stop, ToolChoice, ToolDecl, ToolResult, ToolUse,
};
use models::simulated::Brain;
use models::simulated::planner::Planner;
use serde_json::{Value, json};

use crate::world::World;

/// A line that is given.
pub(crate) enum Given {
    /// What the person says.
    User(String),
    /// What the harness says, in the same message as what was last given.
    Harness(String),
    /// How this case differs: `without TOOL`, `tools off`, `offline`, `schema JSON`, `result of TOOL is TEXT`.
    With(String),
}

/// A conversation to be played.
pub(crate) struct Case {
    pub(crate) title: String,
    pub(crate) given: Vec<Given>,
}

impl Case {
    /// All cases of a file.
    pub(crate) fn read(text: &str) -> Vec<Case> {
        let mut cases: Vec<Case> = Vec::new();
        for line in text.lines() {
            if let Some(title) = line.strip_prefix("== ") {
                cases.push(Case { title: title.to_owned(), given: Vec::new() });
            } else if let Some(case) = cases.last_mut() {
                let given = |name: &str| {
                    line.strip_prefix(name).map(|rest| rest.trim().replace("\\n", "\n"))
                };
                case.given.extend(given("user:").map(Given::User));
                case.given.extend(given("harness:").map(Given::Harness));
                case.given.extend(given("with:").map(Given::With));
            }
        }
        cases
    }

    /// Plays the case and writes it down.
    pub(crate) fn play(&self) -> String {
        let mut talk = Talk::new(self);
        talk.run();
        format!("== {}\n{}", self.title, talk.written)
    }
}

const TURNS_MAX: usize = 12;

/// A conversation under way.
pub(crate) struct Talk<'c> {
    case: &'c Case,
    world: World,
    schema: Value,
    choice: ToolChoice,
    pub(crate) messages: Vec<Arc<Message>>,
    pub(crate) written: String,
}

impl<'c> Talk<'c> {
    pub(crate) fn new(case: &'c Case) -> Self {
        Talk {
            case,
            world: World::new(),
            schema: json!({}),
            choice: ToolChoice::Auto,
            messages: Vec::new(),
            written: String::new(),
        }
    }

    pub(crate) fn request(&self) -> Request {
        let mut tools: Vec<ToolDecl> = self
            .world
            .tools()
            .into_iter()
            .map(|name| decl(name, json!({"type": "object"})))
            .collect();
        if !self.world.without.iter().any(|gone| gone == END_TASK) {
            tools.push(decl(
                END_TASK,
                json!({"type": "object", "properties": {"result": self.schema}}),
            ));
        }
        Request {
            model: "planner".to_owned(),
            system: Arc::from("You are an agent."),
            tools: tools.into(),
            tool_choice: self.choice.clone(),
            messages: self.messages.clone(),
            max_tokens: 1_000,
            temperature: None,
            stop_sequences: Vec::new(),
            extra: Extra::new(),
        }
    }

    pub(crate) fn run(&mut self) {
        let case = self.case;
        let mut given = case.given.iter().peekable();
        while let Some(line) = given.next() {
            match line {
                Given::With(how) => {
                    self.write("with", &how.replace('\n', "\\n"));
                    self.set(how);
                }
                Given::User(text) | Given::Harness(text) => {
                    self.write(
                        if matches!(line, Given::User(_)) { "user" } else { "harness" },
                        &text.replace('\n', "\\n"),
                    );
                    self.hear(Block::text(text.clone()));
                    if !matches!(given.peek(), Some(Given::Harness(_))) {
                        self.answer();
                    }
                }
            }
        }
    }

    fn set(&mut self, how: &str) {
        if let Some(tool) = how.strip_prefix("without ") {
            self.world.without.push(tool.to_owned());
        } else if let Some(schema) = how.strip_prefix("schema ") {
            self.schema = serde_json::from_str(schema).expect("a schema is JSON");
        } else if let Some((tool, text)) =
            how.strip_prefix("result of ").and_then(|rest| rest.split_once(" is "))
        {
            self.world.canned.insert(tool.to_owned(), text.to_owned());
        } else if how == "offline" {
            self.world.offline = true;
        } else if how == "tools off" {
            self.choice = ToolChoice::Off;
        } else if how == "refused ends" {
            self.world.refuses_ends = true;
        } else {
            panic!("`with: {how}` is not known");
        }
    }

    fn hear(&mut self, block: Block) {
        match self.messages.last_mut() {
            Some(last) if last.role == Role::User => Arc::make_mut(last).content.push(block),
            _ => self.messages.push(Arc::new(Message::of(Role::User, vec![block]))),
        }
    }

    /// Turns until an answer without calls, or the end of the task.
    fn answer(&mut self) {
        for _ in 0..TURNS_MAX {
            let reply = Planner.reply(&self.request());
            self.messages.push(Arc::new(Message::of(Role::Assistant, reply.content.clone())));
            if self.take(&reply) {
                return;
            }
        }
        self.write("stops", "the turns are used up");
    }

    /// Runs the calls of an answer. Whether the task is over.
    fn take(&mut self, reply: &Reply) -> bool {
        let calls: Vec<ToolUse> = uses(&reply.content).into_iter().cloned().collect();
        let words = kernel::message::text_of(&reply.content);
        assert_eq!(reply.stop == Stop::ToolUse, !calls.is_empty());
        if !words.is_empty() {
            self.write(if calls.is_empty() { "answers" } else { "says" }, &words);
        }
        let mut over = calls.is_empty();
        for call in calls {
            let result =
                if call.name == END_TASK { self.end(&call, &mut over) } else { self.call(&call) };
            self.hear(Block::ToolResult(result));
        }
        over
    }

    fn end(&mut self, call: &ToolUse, over: &mut bool) -> ToolResult {
        let input = input_of(call);
        let result = &input["result"];
        let text = result.as_str().map_or_else(|| result.to_string(), str::to_owned);
        self.write("ends", &text);
        *over = !self.world.refuses_ends;
        answer(
            call,
            if *over {
                Ok("done".to_owned())
            } else {
                Err("the result does not fit the schema".to_owned())
            },
        )
    }

    fn call(&mut self, call: &ToolUse) -> ToolResult {
        let input = input_of(call);
        let found = self.world.call(&call.name, &input);
        self.write("calls", &format!("{} {}", call.name, call.arguments.text()));
        match &found {
            Ok(text) => self.write("gives", text),
            Err(text) => self.write("fails", text),
        }
        answer(call, found)
    }

    fn write(&mut self, who: &str, text: &str) {
        let indented = text.lines().collect::<Vec<_>>().join("\n    ");
        self.written.push_str(format!("{who}: {indented}").trim_end());
        self.written.push('\n');
    }
}

fn answer(call: &ToolUse, found: Result<String, String>) -> ToolResult {
    let is_error = found.is_err();
    let content = found.unwrap_or_else(|error| error);
    ToolResult { id: call.id.clone(), content, is_error, extra: Extra::new() }
}

fn decl(name: &str, input_schema: Value) -> ToolDecl {
    ToolDecl {
        name: name.to_owned(),
        description: String::new(),
        input_schema,
        extra: Extra::new(),
    }
}

fn input_of(call: &ToolUse) -> Value {
    serde_json::from_str(call.arguments.text()).expect("the planner writes JSON")
}

/// The tool calls among blocks.
pub(crate) fn uses(content: &[Block]) -> Vec<&ToolUse> {
    let mut uses = Vec::new();
    for block in content {
        if let Block::ToolUse(call) = block {
            uses.push(call);
        }
    }
    uses
}
