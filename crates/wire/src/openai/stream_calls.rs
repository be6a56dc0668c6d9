//! Tool calls while they grow, each found again by what its server gives: an index, an
//! id, or nothing but the order.

use kernel::message::{Block, Delta};

use super::calls::{Said, read_said};
use crate::json::{Fields, Wrong, grow};

/// The calls of one answer, in the order they began.
#[derive(Debug, Default)]
pub(super) struct GrowingCalls(Vec<Said>);

impl GrowingCalls {
    /// Takes a piece of a call in. Gives the size of its text in bytes.
    pub(super) fn take(&mut self, piece: Fields, seen: &mut Vec<Delta>) -> Result<u64, Wrong> {
        let piece = read_said(piece)?;
        let bytes = piece.text.len() as u64;
        let at = match self.find(&piece) {
            Some(at) => at,
            None => {
                self.0.push(Said { index: piece.index, ..Said::default() });
                self.0.len() - 1
            }
        };
        let call = &mut self.0[at];
        if call.id.is_empty() {
            call.id = piece.id;
        }
        if call.name.is_empty() && !piece.name.is_empty() {
            seen.push(Delta::ToolUse(piece.name.clone()));
            call.name = piece.name;
        }
        call.custom |= piece.custom;
        call.text.push_str(&piece.text);
        for (name, value) in piece.rest {
            grow(&mut call.rest, name, value);
        }
        Ok(bytes)
    }

    /// The call that a piece belongs to. `None`: it begins another one.
    fn find(&self, piece: &Said) -> Option<usize> {
        let found = match piece.index {
            Some(_) => self.0.iter().rposition(|call| call.index == piece.index),
            None if !piece.id.is_empty() => self.0.iter().rposition(|call| call.id == piece.id),
            None => self.0.len().checked_sub(1),
        };
        found.filter(|at| goes_on(&self.0[*at], piece))
    }

    /// The calls as blocks.
    pub(super) fn into_blocks(self) -> impl Iterator<Item = Block> {
        self.0.into_iter().map(Said::into_block)
    }
}

/// Whether the piece is more of the call. Some servers give each call the same index,
/// and some give neither index nor id: then another id, or a name where one is already
/// known, begins another call.
fn goes_on(call: &Said, piece: &Said) -> bool {
    let other_id = !piece.id.is_empty() && !call.id.is_empty() && call.id != piece.id;
    let unnumbered = piece.index.is_none() && piece.id.is_empty();
    let other_name = unnumbered && !piece.name.is_empty() && !call.name.is_empty();
    !other_id && !other_name
}
