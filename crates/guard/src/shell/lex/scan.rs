//! Where a word ends: quotes, escapes and expansions are skipped as wholes.

use super::end_of_command;
use crate::shell::refusal::{Read, refuse};

/// Characters that end an unquoted word.
const METACHARACTERS: &str = " \t\n|&;()<>";
/// What may stand between `${` and `}`: no quote and no further expansion.
const BRACED_REFUSED: &str = "'\"`$\\{\n";

/// The end of the word that begins at `start`.
pub(super) fn end_of_word(text: &[char], start: usize) -> Read<usize> {
    let mut at = start;
    while let Some(one) = text.get(at).copied() {
        at = match quoted_or_expanded(text, at)? {
            Some(end) => end,
            None if METACHARACTERS.contains(one) => break,
            None => plain(text, at)?,
        };
    }
    Ok(at)
}

/// Where the characters of a word stand that are neither quoted nor part of an expansion.
pub(in crate::shell) fn bare(text: &[char]) -> Read<Vec<usize>> {
    let (mut at, mut found) = (0, Vec::new());
    while at < text.len() {
        at = match quoted_or_expanded(text, at)? {
            Some(end) => end,
            None => {
                found.push(at);
                at + 1
            }
        };
    }
    Ok(found)
}

/// The end of what begins here, where it is a quote, an escape or an expansion.
fn quoted_or_expanded(text: &[char], at: usize) -> Read<Option<usize>> {
    Ok(Some(match text[at] {
        '\\' => escaped(text, at)?,
        '\'' => closing(text, at + 1, '\'')? + 1,
        '"' => double_quoted(text, at + 1)?,
        '`' => closing_backquote(text, at + 1)? + 1,
        '$' => expansion(text, at, true)?,
        _ => return Ok(None),
    }))
}

/// Past line continuations: they are as if they were not there.
pub(super) fn skip_continuations(text: &[char], mut at: usize) -> usize {
    while text.get(at) == Some(&'\\') && text.get(at + 1) == Some(&'\n') {
        at += 2;
    }
    at
}

fn escaped(text: &[char], at: usize) -> Read<usize> {
    if at + 1 < text.len() { Ok(at + 2) } else { refuse("a backslash at the end") }
}

fn plain(text: &[char], at: usize) -> Read<usize> {
    if matches!(text[at], '?' | '*' | '+' | '@' | '!') && text.get(at + 1) == Some(&'(') {
        return refuse("an extended pattern");
    }
    Ok(at + 1)
}

/// The index of the next `wanted`.
fn closing(text: &[char], at: usize, wanted: char) -> Read<usize> {
    match text[at..].iter().position(|one| *one == wanted) {
        Some(offset) => Ok(at + offset),
        None => refuse(format!("a {wanted} is not closed")),
    }
}

/// The index of the backquote that ends a substitution. Escapes in there mean something
/// else in quotes than outside, so there may be none.
fn closing_backquote(text: &[char], at: usize) -> Read<usize> {
    let end = closing(text, at, '`')?;
    if text[at..end].contains(&'\\') {
        return refuse("a backslash between backquotes");
    }
    Ok(end)
}

fn double_quoted(text: &[char], mut at: usize) -> Read<usize> {
    while let Some(one) = text.get(at).copied() {
        at = match one {
            '"' => return Ok(at + 1),
            '\\' => escaped(text, at)?,
            '`' => closing_backquote(text, at + 1)? + 1,
            '$' => expansion(text, at, false)?,
            _ => at + 1,
        };
    }
    refuse("a \" is not closed")
}

/// The end of what a dollar begins.
pub(in crate::shell) fn expansion(text: &[char], at: usize, may_quote: bool) -> Read<usize> {
    match text.get(at + 1) {
        Some('(') if text.get(at + 2) == Some(&'(') => arithmetic(text, at + 3),
        Some('(') => Ok(end_of_command(text, at + 2)? + 1),
        Some('{') => braced(text, at + 2),
        Some('\'') if may_quote => ansi_quoted(text, at + 2),
        Some('"') if may_quote => refuse("a translated string"),
        Some('[') => refuse("arithmetic in its old form"),
        Some('\\') => refuse("a dollar before a backslash"),
        Some(one) if one.is_ascii_alphanumeric() || "_@*#?-$!".contains(*one) => Ok(at + 2),
        _ => Ok(at + 1),
    }
}

fn braced(text: &[char], at: usize) -> Read<usize> {
    let end = closing(text, at, '}')?;
    match text[at..end].iter().find(|one| BRACED_REFUSED.contains(**one)) {
        Some(one) => refuse(format!("a {one:?} inside of `${{…}}`")),
        None => Ok(end + 1),
    }
}

/// `$'…'`, in which a backslash escapes a quote.
fn ansi_quoted(text: &[char], mut at: usize) -> Read<usize> {
    while let Some(one) = text.get(at).copied() {
        at = match one {
            '\'' => return Ok(at + 1),
            '\\' => escaped(text, at)?,
            _ => at + 1,
        };
    }
    refuse("a $' is not closed")
}

/// `$((…))`: numbers, names and signs. An index could hold a command, so there is none.
fn arithmetic(text: &[char], start: usize) -> Read<usize> {
    let (mut at, mut open) = (start, 0_usize);
    while let Some(one) = text.get(at).copied() {
        match one {
            '(' => open += 1,
            ')' if open > 0 => open -= 1,
            ')' if text.get(at + 1) == Some(&')') => return Ok(at + 2),
            _ if one.is_ascii_alphanumeric() || " _$+-*/%<>=!&|^~?:,".contains(one) => {}
            _ => return refuse(format!("a {one:?} inside of `$((…))`")),
        }
        at += 1;
    }
    refuse("arithmetic is not closed")
}
