//! What was heard → steps: which tool, with what, and what each needs from the others.
//!
//! The plan of a task hangs on the words of the conversation up to it and on nothing
//! else, so it comes out the same at every turn of the run and after every crash.

mod draft;
mod memory;
mod step;

pub(super) use draft::draft;
pub(super) use step::{Deed, Piece, Step, Value, operand};

use super::intent::Remark;
use super::spelling::Slip;

/// A plan: what the answer will talk about, in the order of the request.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Things to say or to do.
    pub(super) parts: Vec<Part>,
    /// Things to do. A later step may need earlier ones, never the other way round.
    pub(super) steps: Vec<Step>,
}

/// A part of the answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    /// What comes of a step.
    Step(usize),
    /// An answer that needs no tool.
    Say(Remark),
    /// Something needed was missing; says what.
    Unclear(String),
    /// Words that were not understood.
    Strange(String),
    /// Words that were read as others.
    Mended(Vec<Slip>),
    /// Wishes that were left because they were too many.
    TooMany(usize),
}
