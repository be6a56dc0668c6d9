//! What a person or a program sees while a run works: a live line, or JSON lines.
//!
//! Progress goes to standard error and only results go to standard output, so that a
//! pipe receives nothing but the answer.

use std::time::Duration;

use anstream::{eprintln, println};
use engine::tap::Seen;
use indicatif::{ProgressBar, ProgressStyle};
use kernel::event::{Fact, Outcome, Purpose, Returned, Sealed};
use kernel::message::{Block, Delta, ToolUse};
use kernel::units::{Money, SessionId};
use owo_colors::OwoColorize;

use crate::show;

/// The longest part of an answer under way that the live line shows, in characters.
const PEEK_CHARS: usize = 48;

/// Who watches.
pub(crate) enum Watcher {
    /// A person.
    Person(Box<Live>),
    /// A program: one JSON line per event on standard output.
    Program,
}

/// The live line and what it counts.
pub(crate) struct Live {
    bar: ProgressBar,
    calls: Vec<ToolUse>,
    coming: String,
    turn: u32,
    tokens: u64,
    spent: Money,
    doing: String,
}

impl Watcher {
    /// Watches for a program if `json`, for a person otherwise.
    pub(crate) fn new(json: bool) -> Self {
        if json { Watcher::Program } else { Watcher::Person(Box::new(Live::new())) }
    }

    /// Shows one thing, if it is about this session.
    pub(crate) fn see(&mut self, session: SessionId, seen: &Seen) {
        match (self, seen) {
            (Watcher::Program, Seen::Committed(of, events)) if *of == session => {
                for sealed in events.iter() {
                    println!("{}", show::json_line(session, sealed));
                }
            }
            (Watcher::Person(live), Seen::Committed(of, events)) if *of == session => {
                for sealed in events.iter() {
                    live.fact(sealed);
                }
                live.draw();
            }
            (Watcher::Person(live), Seen::Coming(of, delta)) if *of == session => {
                live.piece(delta);
                live.draw();
            }
            (Watcher::Person(live), Seen::CircuitOpened { of, for_ms, why, .. }) => {
                live.print(&format!("{of} fails ({why}) and is left alone for {for_ms} ms"));
            }
            (Watcher::Person(live), Seen::CircuitClosed(of)) => {
                live.print(&format!("{of} answers again"));
            }
            (
                Watcher::Program | Watcher::Person(_),
                Seen::Committed(..)
                | Seen::Coming(..)
                | Seen::CircuitOpened { .. }
                | Seen::CircuitClosed(_),
            ) => {}
        }
    }

    /// Says something beside the live line.
    pub(crate) fn say(&self, words: &str) {
        match self {
            Watcher::Person(live) => live.print(words),
            Watcher::Program => eprintln!("{words}"),
        }
    }

    /// Says it whenever it is called, from anywhere.
    pub(crate) fn voice(&self, words: &'static str) -> impl Fn() + Send + 'static {
        let bar = match self {
            Watcher::Person(live) => Some(live.bar.clone()),
            Watcher::Program => None,
        };
        move || match &bar {
            Some(bar) => bar.suspend(|| eprintln!("{words}")),
            None => eprintln!("{words}"),
        }
    }

    /// Takes the live line away.
    pub(crate) fn close(&self) {
        match self {
            Watcher::Person(live) => live.bar.finish_and_clear(),
            Watcher::Program => {}
        }
    }
}

impl Live {
    fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner:.cyan} {msg}");
        bar.set_style(style.expect("INVARIANT: the template is a constant that parses"));
        bar.enable_steady_tick(Duration::from_millis(100));
        Live {
            bar,
            calls: Vec::new(),
            coming: String::new(),
            turn: 0,
            tokens: 0,
            spent: Money::ZERO,
            doing: "starting".to_owned(),
        }
    }

    fn fact(&mut self, sealed: &Sealed) {
        match &sealed.event.fact {
            Fact::ModelBegun { turn, purpose, .. } => {
                self.turn = *turn;
                self.doing = match purpose {
                    Purpose::Answer => "asking the model".to_owned(),
                    Purpose::Summary => "asking the model for a summary".to_owned(),
                };
            }
            Fact::ResultsCleared(_) | Fact::Summarised { .. } | Fact::TurnsDropped { .. } => {
                let words = format!("  made room: {}", show::words(&sealed.event.fact));
                self.print(&words.dimmed().to_string());
            }
            Fact::ModelReplied { reply, cost, .. } => {
                self.spent = self.spent.plus(*cost);
                self.tokens += reply.usage.map_or(0, |usage| usage.total());
                self.coming.clear();
                self.doing = "running tools".to_owned();
                self.calls = reply.content.iter().filter_map(tool_use).cloned().collect();
            }
            Fact::ModelFailed { fault, cost, .. } => {
                self.spent = self.spent.plus(*cost);
                let words = format!("  model call failed: {}", show::one_line(&fault.message));
                self.print(&words.yellow().to_string());
            }
            Fact::ModelLost { cost } => {
                self.spent = self.spent.plus(*cost);
                self.print("  a model call was lost in a crash; it is made again");
            }
            Fact::ToolReturned(returned) => self.returned(returned),
            Fact::SessionOpened(_)
            | Fact::RunStarted { .. }
            | Fact::Notified(_)
            | Fact::Budgeted { .. }
            | Fact::ToolBegun { .. }
            | Fact::CancelAsked { .. }
            | Fact::RunParked { .. }
            | Fact::RunWoken { .. }
            | Fact::RunFinished { .. }
            | Fact::RunFailed { .. }
            | Fact::RunCancelled {} => {}
        }
    }

    fn returned(&mut self, returned: &Returned) {
        let Some(call) = self.calls.iter().find(|call| call.id == returned.call) else { return };
        if call.name == kernel::agent::END_TASK && returned.outcome == Outcome::Ok {
            return;
        }
        let mark = match returned.outcome {
            Outcome::Ok => "✓".green().to_string(),
            Outcome::Error | Outcome::Cancelled => "✗".red().to_string(),
            Outcome::OutcomeUnknown => "?".yellow().to_string(),
        };
        let (name, given) = (call.name.bold(), show::arguments(&call.arguments));
        let (arrow, got) = ("→".dimmed(), show::one_line(&returned.content));
        self.print(&format!("{mark} {name}  {given}  {arrow} {got}"));
    }

    fn piece(&mut self, delta: &Delta) {
        match delta {
            Delta::Text(text) | Delta::Thinking(text) => {
                self.coming.push_str(text);
                let keep = self.coming.char_indices().rev().nth(PEEK_CHARS).map_or(0, |(at, _)| at);
                self.coming.drain(..keep);
                self.doing = show::one_line(&self.coming);
            }
            Delta::ToolUse(name) => self.doing = format!("asking for {name}"),
        }
    }

    fn draw(&self) {
        let (turn, doing) = (self.turn, &self.doing);
        let (tokens, spent) = (show::count(self.tokens), self.spent);
        let counts = format!("turn {turn} · {tokens} tokens · {spent}");
        self.bar.set_message(format!("{} · {doing}", counts.dimmed()));
    }

    /// A line above the live one; a plain line where there is no terminal.
    fn print(&self, words: &str) {
        self.bar.suspend(|| eprintln!("{words}"));
    }
}

fn tool_use(block: &Block) -> Option<&ToolUse> {
    if let Block::ToolUse(call) = block { Some(call) } else { None }
}
