//! The loop detector: is fed a run's tool calls with their results, and says whether the
//! run goes round in circles.
//!
//! A loop is a repetition that brings nothing: the same call with the same result, the
//! same error whatever the jitter in the arguments, a circle of a few calls, the same call
//! many times in one response, many steps without news. Honest work repeats calls too, so
//! paging, polling that sees something change, checks after edits and the same content in
//! different places are told apart from it.
//!
//! It remembers hashes of the last calls and nothing else: what one call costs grows with
//! the length of its own texts and with nothing that came before it.

mod conduct;
mod failure;
mod field;
mod finding;
mod memory;
mod noise;
mod number;
mod outcome;
mod place;
mod print;
mod settings;
mod tree;
mod view;
mod window;

pub use finding::{Finding, Kind};
pub use settings::Settings;

use finding::quoted;
use memory::Memory;
use print::print;
use window::{Seen, Window};

/// Steps without news that a run may take after a warning before it is found again.
const STALE_STEPS_AFTER_WARNING: u32 = 3;

/// A tool call and what it brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard<'a> {
    /// The tool's name as the model wrote it.
    pub name: &'a str,
    /// The arguments as the model wrote them: JSON, or whatever it was instead.
    pub arguments: &'a str,
    /// The result as the model read it.
    pub result: &'a str,
    /// Whether the call failed. `None`: nobody said so; the result's words are asked.
    pub is_error: Option<bool>,
}

/// Hears calls, finds loops.
///
/// The same calls always lead to the same finding: nothing but them goes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detector {
    settings: Settings,
    window: Window,
    memory: Memory,
    /// Calls heard.
    heard: u64,
    /// Responses heard.
    responses: u64,
    /// Steps in a row that brought nothing new.
    stale: u32,
    finding: Option<Finding>,
}

impl Detector {
    /// A detector that has heard nothing.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let window = Window::new(settings.window.clamp(4, Settings::WINDOW_MAX));
        let memory = Memory::default();
        Detector { settings, window, memory, heard: 0, responses: 0, stale: 0, finding: None }
    }

    /// Hears the calls of one response, in their order, with what each brought. Calls that
    /// the model made one after the other are responses of one call each.
    pub fn hear_turn(&mut self, calls: &[Heard<'_>]) {
        if !self.settings.enabled || calls.is_empty() {
            return;
        }
        self.responses += 1;
        let (mut news, mut waits) = (false, true);
        for call in calls {
            let seen = self.hear(call);
            news |= seen.news;
            waits &= seen.print.conduct.waits;
        }
        // Time that passes is neither news nor its absence.
        if !waits {
            self.stale = if news { 0 } else { self.stale.saturating_add(1) };
        }
        if self.stale >= self.settings.stale_steps_max {
            let words = format!("{} steps in a row brought nothing new", self.stale);
            self.find(Kind::NothingNew, self.heard - 1, words);
        }
    }

    fn hear(&mut self, call: &Heard<'_>) -> Seen {
        let print = print(call);
        let unheard = self.memory.hear(print.news);
        let seen = Seen {
            print,
            response: self.responses,
            moved: unheard.plain && self.window.saw_otherwise(&print),
            works: unheard.plain && print.conduct.edits && !print.failed,
            news: unheard.all,
        };
        self.window.push(seen);
        if let Some((kind, words)) = self.window.repeats(&self.settings, &quoted(call.name)) {
            self.find(kind, self.heard, words);
        }
        self.heard += 1;
        seen
    }

    /// The first loop stays the finding: what comes after it is its continuation.
    fn find(&mut self, kind: Kind, at: u64, reason: String) {
        self.finding.get_or_insert(Finding { kind, at, reason });
    }

    /// The loop that was found, if any.
    #[must_use]
    pub fn finding(&self) -> Option<&Finding> {
        self.finding.as_ref()
    }

    /// Takes note that the finding was told to whoever makes the calls. Another repetition
    /// of the same is found at once; other calls are not.
    pub fn warned(&mut self) {
        self.finding = None;
        let settled = self.settings.stale_steps_max.saturating_sub(STALE_STEPS_AFTER_WARNING);
        self.stale = self.stale.min(settled);
    }

    /// Forgets all that was heard.
    pub fn reset(&mut self) {
        *self = Detector::new(self.settings);
    }
}
