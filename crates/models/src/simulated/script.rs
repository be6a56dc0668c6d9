//! A brain that follows a script: what the model answers, turn by turn.
//!
//! The turn to play is the number of answers that the conversation already holds, or held
//! before its beginning was left out, so the script needs no memory and a resumed run goes
//! on where it was. A second run of the
//! same session goes on with the turn after the last one that was played. A script says
//! so where it has ended, and where a tool's results are not what it expects.

mod checked;
mod play;
mod shape;
mod yaml;

use kernel::message::{Reply, Request};

use super::Brain;
pub use checked::{SCRIPT_BYTES_MAX, TURNS_MAX};
pub use yaml::Mistake;

/// A script, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    entries: Vec<Entry>,
}

/// What is played for one turn, or for several in a row.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    /// For how many turns.
    repeat: u64,
    /// The first one whose `when` holds is played.
    ways: Vec<Turn>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
struct Turn {
    /// Words that what was last said to the model must hold.
    when: Option<String>,
    /// Words that the last tool results must hold.
    expect: Vec<String>,
    thinking: Option<String>,
    text: Option<String>,
    tools: Vec<Call>,
    stop: kernel::message::Stop,
    usage: Option<kernel::message::Usage>,
}

/// A tool call in a script.
#[derive(Clone, Debug, PartialEq)]
struct Call {
    /// Its id. Without one, it is made from the place in the conversation.
    id: Option<String>,
    name: String,
    input: kernel::message::Arguments,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// The first mistake, with its line and column and what to do about it.
    pub fn read(text: &str) -> Result<Self, Mistake> {
        checked::read(text)
    }

    /// How many turns it has. With `either`, a turn counts once.
    #[must_use]
    pub fn turns(&self) -> u64 {
        self.entries.iter().map(|entry| entry.repeat).fold(0, u64::saturating_add)
    }
}

impl Brain for Script {
    fn name(&self) -> &'static str {
        "script"
    }

    fn reply(&self, request: &Request) -> Reply {
        play::reply(self, request)
    }
}
