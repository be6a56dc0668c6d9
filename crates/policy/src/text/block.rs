//! Cedar text as a literal block of YAML (`policies: |`): each of its lines is a line of
//! the file, so that Cedar's places become the file's.

use crate::problem::{Lines, Place, Problems};
use crate::yaml::{Spanned, place};

/// The block and the file around it.
#[derive(Debug)]
pub(crate) struct Block<'a> {
    cedar: &'a str,
    within: Lines<'a>,
    file: Lines<'a>,
    /// The file's line that holds the block's first line, from 1.
    first_line: usize,
}

impl<'a> Block<'a> {
    /// Finds the block in its file.
    pub(crate) fn find(
        file: &'a str,
        written: &'a Spanned<String>,
        problems: &mut Problems<'_>,
    ) -> Self {
        let cedar = written.value.as_str();
        let (file, within) = (Lines::of(file), Lines::of(cedar));
        let at = place(written.defined);
        // The library names the line of the mark or the one after it.
        let marked = [at.line, at.line.saturating_sub(1)];
        let header = marked.into_iter().find(|line| is_header(file.line(*line)));
        if header.is_none() {
            let hint = "write `policies: |` and the policies on the lines after it, indented";
            problems.add(at, "the policies are not a literal block", Some(hint.into()));
        }
        Block { cedar, within, file, first_line: header.unwrap_or(at.line) + 1 }
    }

    /// The Cedar text.
    pub(crate) fn cedar(&self) -> &'a str {
        self.cedar
    }

    /// The place in the file of a byte of the Cedar text.
    pub(crate) fn place(&self, byte: usize) -> Place {
        let within = self.within.place(byte);
        let line = self.first_line + within.line - 1;
        let width = |line: &str| line.trim_end().chars().count();
        let indent =
            width(self.file.line(line)).saturating_sub(width(self.within.line(within.line)));
        Place { line, column: within.column + indent }
    }
}

/// Whether a line opens the block.
fn is_header(line: &str) -> bool {
    let after = line.trim_start().strip_prefix("policies").map(str::trim_start);
    let value = after.and_then(|after| after.strip_prefix(':'));
    value.is_some_and(|value| value.trim_start().starts_with('|'))
}
