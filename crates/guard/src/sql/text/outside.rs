//! What stands outside of literals, quoted names and comments: plain characters, numbers as
//! everybody writes them, brackets that close, one statement.

use unicode_normalization::UnicodeNormalization;

use super::super::{Dialect, SQL_BRACKETS_DEPTH_MAX};
use super::regions::{Kind, Region};
use crate::url::unseen::unseen;

/// Checks everything between the regions.
pub(super) fn check(chars: &[char], regions: &[Region], dialect: Dialect) -> Result<(), String> {
    let plain = plain(chars, regions);
    plain.iter().enumerate().try_for_each(|(at, c)| character(*c, plain.get(at + 1), dialect))?;
    brackets(&plain)?;
    numbers(&plain)?;
    one_statement(&plain)
}

/// Whether a backslash stands outside of the regions, other than in MySQL's `\N`.
pub(super) fn backslash(chars: &[char], regions: &[Region]) -> bool {
    plain(chars, regions).windows(2).any(|pair| pair[0] == '\\' && pair[1] != 'N')
}

/// The text with something else in the place of its regions: a comment separates words, a
/// literal or name is one.
fn plain(chars: &[char], regions: &[Region]) -> Vec<char> {
    let mut plain = chars.to_vec();
    for region in regions {
        let stands = if region.kind == Kind::Comment { ' ' } else { '\'' };
        plain[region.start..region.end].fill(stands);
    }
    plain
}

fn character(c: char, next: Option<&char>, dialect: Dialect) -> Result<(), String> {
    let allowed = match c {
        ' ' | '\t' | '\n' | '\'' => true,
        '\r' => next == Some(&'\n'),
        '(' | ')' | ',' | '.' | ';' | '*' | '+' | '-' | '/' | '%' => true,
        '<' | '>' | '=' | '!' | '|' | '&' | '~' | '?' | ':' => true,
        '_' => true,
        '^' | '$' => dialect != Dialect::Sqlite,
        '@' | '#' | '[' | ']' => dialect == Dialect::Postgres,
        c if c.is_ascii() => c.is_ascii_alphanumeric(),
        c => c.is_alphanumeric() && !unseen(c) && c.nfkc().eq([c]),
    };
    if allowed {
        return Ok(());
    }
    let shown = if c.is_ascii_graphic() { format!("`{c}`") } else { "a character".into() };
    Err(format!("{shown} (U+{:04X}) outside of a string", u32::from(c)))
}

fn brackets(plain: &[char]) -> Result<(), String> {
    let mut depth = 0_usize;
    for c in plain {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > SQL_BRACKETS_DEPTH_MAX {
            return Err(format!("more than {SQL_BRACKETS_DEPTH_MAX} brackets inside one another"));
        }
    }
    Ok(())
}

/// A number that runs into letters is read differently everywhere: `1.e(x)` is a call in one
/// place and arithmetic in another.
fn numbers(plain: &[char]) -> Result<(), String> {
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let mut at = 0;
    while at < plain.len() {
        let start = at;
        let c = plain[at];
        let digit_next = plain.get(at + 1).is_some_and(char::is_ascii_digit);
        let after_name = at > 0 && (word(plain[at - 1]) || plain[at - 1] == '\'');
        let numeric = c.is_ascii_digit() || (c == '.' && digit_next && !after_name);
        let parameter = at > 0 && matches!(plain[at - 1], '$' | '?');
        if numeric && !parameter {
            at += number(&plain[at..]);
            if plain.get(at).is_some_and(|c| word(*c) || *c == '\'' || *c == '.') {
                let end = plain.len().min(at + 1);
                let shown = plain[start..end].iter().collect::<String>();
                return Err(format!("`{shown}` begins like a number and goes on"));
            }
        } else if word(c) {
            at += plain[at..].iter().take_while(|c| word(**c)).count();
        } else {
            at += 1;
        }
    }
    Ok(())
}

/// How many characters a number takes: `12`, `1_000`, `1.5`, `.5`, `2e10`, `0x1f`.
fn number(text: &[char]) -> usize {
    let run = |from: usize, ok: fn(&char) -> bool| {
        text[from.min(text.len())..].iter().take_while(|c| ok(c)).count()
    };
    if text.starts_with(&['0', 'x']) {
        return 2 + run(2, char::is_ascii_hexdigit);
    }
    let mut end = run(0, |c| c.is_ascii_digit() || *c == '_');
    if text.get(end) == Some(&'.') {
        end += 1 + run(end + 1, char::is_ascii_digit);
    }
    if matches!(text.get(end), Some('e' | 'E')) {
        let sign = usize::from(matches!(text.get(end + 1), Some('+' | '-')));
        let digits = run(end + 1 + sign, char::is_ascii_digit);
        if digits > 0 {
            end += 1 + sign + digits;
        }
    }
    end
}

fn one_statement(plain: &[char]) -> Result<(), String> {
    let Some(first) = plain.iter().position(|c| *c == ';') else {
        return Ok(());
    };
    if plain[first + 1..].iter().all(char::is_ascii_whitespace) {
        return Ok(());
    }
    Err("more than one statement".into())
}
