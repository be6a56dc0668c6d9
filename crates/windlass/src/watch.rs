//! What a person or a program sees while a run works: a live line, or JSON lines.
//!
//! Progress goes to standard error and only results go to standard output, so that a
//! pipe receives nothing but the answer.

mod family;

use std::time::Duration;

use anstream::{eprintln, println};
use engine::tap::Seen;
use indicatif::{ProgressBar, ProgressStyle};
use kernel::event::{Fact, Outcome, Purpose, Returned, Sealed};
use kernel::message::Delta;
use kernel::run::Run;
use kernel::units::{Money, SessionId};
use owo_colors::OwoColorize;

use crate::show;
use family::Family;

/// The longest part of an answer under way that the live line shows, in characters.
const PEEK_CHARS: usize = 48;

/// Who watches.
pub(crate) enum Watcher {
    /// A person.
    Person(Box<Live>),
    /// A program: one JSON line per event on standard output, those of children too.
    Program(Family),
}

/// The live line and what it counts.
pub(crate) struct Live {
    bar: ProgressBar,
    family: Family,
    coming: String,
    turn: u32,
    tokens: u64,
    spent: Money,
    doing: String,
}

impl Watcher {
    /// Watches for a program if `json`, for a person otherwise.
    pub(crate) fn new(json: bool) -> Self {
        if json {
            Watcher::Program(Family::default())
        } else {
            Watcher::Person(Box::new(Live::new()))
        }
    }

    /// Shows one thing, if it is about this session.
    pub(crate) fn see(&mut self, session: SessionId, seen: &Seen) {
        match (self, seen) {
            (Watcher::Program(family), Seen::Committed(of, events)) => {
                if family.member(session, *of).is_some() {
                    for sealed in events.iter() {
                        family.learn(*of, sealed);
                        println!("{}", show::json_line(*of, sealed));
                    }
                }
            }
            (Watcher::Person(live), Seen::Committed(of, events)) => {
                if live.family.member(session, *of).is_some() {
                    events.iter().for_each(|sealed| live.fact(session, *of, sealed));
                    live.draw();
                }
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
                Watcher::Program(_) | Watcher::Person(_),
                Seen::Coming(..) | Seen::CircuitOpened { .. } | Seen::CircuitClosed(_),
            ) => {}
        }
    }

    /// Gets to know the children that lived before anybody watched.
    pub(crate) fn meet(&mut self, session: SessionId, run: &Run) {
        match self {
            Watcher::Person(live) => live.family.meet(session, run),
            Watcher::Program(family) => family.meet(session, run),
        }
    }

    /// Says something beside the live line.
    pub(crate) fn say(&self, words: &str) {
        match self {
            Watcher::Person(live) => live.print(words),
            Watcher::Program(_) => eprintln!("{words}"),
        }
    }

    /// Says it whenever it is called, from anywhere.
    pub(crate) fn voice(&self, words: &'static str) -> impl Fn() + Send + 'static {
        let bar = match self {
            Watcher::Person(live) => Some(live.bar.clone()),
            Watcher::Program(_) => None,
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
            Watcher::Program(_) => {}
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
            family: Family::default(),
            coming: String::new(),
            turn: 0,
            tokens: 0,
            spent: Money::ZERO,
            doing: "starting".to_owned(),
        }
    }

    /// Shows a fact of a member of the family: the one asked for, or a child of it.
    fn fact(&mut self, asked_for: SessionId, of: SessionId, sealed: &Sealed) {
        self.family.learn(of, sealed);
        let margin = self.family.member(asked_for, of).map(|member| member.margin());
        let margin = margin.unwrap_or_default();
        match &sealed.event.fact {
            Fact::ModelBegun { turn, purpose, .. } if of == asked_for => {
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
            }
            Fact::ModelFailed { fault, cost, .. } => {
                self.spent = self.spent.plus(*cost);
                let words =
                    format!("{margin}  model call failed: {}", show::one_line(&fault.message));
                self.print(&words.yellow().to_string());
            }
            Fact::ModelLost { cost } => {
                self.spent = self.spent.plus(*cost);
                self.print(&format!(
                    "{margin}  a model call was lost in a crash; it is made again"
                ));
            }
            Fact::ToolReturned(returned) => self.returned(asked_for, of, returned),
            Fact::ChildBegun { call, child, carve, .. } => {
                let member = self.family.member(asked_for, of);
                let task = member.map(|member| member.task_of(call)).unwrap_or_default();
                let words = family::begun(self.family.label(*child), &task, carve);
                self.doing = "children work".to_owned();
                self.print(&format!("{margin}{} {words}", "⤷".cyan()));
            }
            Fact::RunParked { why, .. } if of != asked_for => {
                self.print(&format!("{margin}{}", show::parked(why).yellow()));
            }
            Fact::SessionOpened(_)
            | Fact::RunStarted { .. }
            | Fact::Notified(_)
            | Fact::Budgeted { .. }
            | Fact::ModelBegun { .. }
            | Fact::ToolsJudged { .. }
            | Fact::ApprovalDecided { .. }
            | Fact::ToolBegun { .. }
            | Fact::CancelAsked { .. }
            | Fact::RunParked { .. }
            | Fact::RunWoken { .. }
            | Fact::RunFinished { .. }
            | Fact::RunFailed { .. }
            | Fact::RunCancelled {} => {}
        }
    }

    fn returned(&mut self, asked_for: SessionId, of: SessionId, returned: &Returned) {
        let Some(member) = self.family.member(asked_for, of) else { return };
        let margin = member.margin();
        let Some(call) = member.call_of(returned) else { return };
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
        let line = format!("{margin}{mark} {name}  {given}  {arrow} {got}");
        self.print(&line);
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
