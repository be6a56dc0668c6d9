//! Brace expansion, which bash does before everything else: one written word becomes
//! several.

use super::lex::bare;
use super::refusal::{Read, refuse};

/// How many words one word may become.
const WORDS_MAX: usize = 64;

/// The words that a written word becomes: itself where it has no list in braces.
///
/// Only one level of plain text is expanded; lists that hold quotes, expansions or further
/// lists are refused.
pub(super) fn expand(written: &str) -> Read<Vec<String>> {
    let mut done = Vec::new();
    let mut waiting = vec![written.to_owned()];
    while let Some(word) = waiting.pop() {
        match first_list(&word)? {
            None => done.push(word),
            Some(List { start, end, items }) => {
                let (before, after) = (&word[..start], &word[end..]);
                let words = items.iter().rev().map(|item| format!("{before}{item}{after}"));
                waiting.extend(words);
            }
        }
        if waiting.len() + done.len() > WORDS_MAX {
            return refuse(format!("braces that make more than {WORDS_MAX} words"));
        }
    }
    Ok(done)
}

struct List {
    start: usize,
    end: usize,
    items: Vec<String>,
}

/// The first list in braces that is not quoted.
fn first_list(word: &str) -> Read<Option<List>> {
    let opens = bare_braces(word)?;
    let Some(start) = opens.first().copied() else { return Ok(None) };
    for start in opens {
        let rest = &word[start + 1..];
        let Some(length) = rest.find('}') else { continue };
        let inner = &rest[..length];
        if !inner.contains(',') && !inner.contains("..") {
            continue;
        }
        if ["`", "$(", "$'"].iter().any(|begin| word.contains(begin)) {
            return refuse("braces beside quotes or commands");
        }
        let is_plain = |one: char| one.is_ascii_alphanumeric() || "._-/,*".contains(one);
        if !inner.chars().all(is_plain) {
            return refuse("braces that hold more than plain text");
        }
        let items = match inner.contains(',') {
            true => inner.split(',').map(str::to_owned).collect(),
            false => sequence(inner)?,
        };
        return Ok(Some(List { start, end: start + length + 2, items }));
    }
    // An open brace, but no plain list: what bash would make of a comma behind it is open.
    let rest = &word[start..];
    match rest.contains(',') && rest.contains('}') {
        true => refuse("braces that are not understood"),
        false => Ok(None),
    }
}

/// `1..9`.
fn sequence(inner: &str) -> Read<Vec<String>> {
    let bounds = inner
        .split_once("..")
        .and_then(|(from, to)| Some((from.parse::<u16>().ok()?, to.parse::<u16>().ok()?)));
    match bounds {
        Some((from, to)) if from <= to && usize::from(to - from) < WORDS_MAX => {
            Ok((from..=to).map(|one| one.to_string()).collect())
        }
        _ => refuse("a sequence in braces"),
    }
}

/// Where opening braces stand that are neither quoted nor part of an expansion.
fn bare_braces(word: &str) -> Read<Vec<usize>> {
    let (bytes, text): (Vec<_>, Vec<_>) = word.char_indices().unzip();
    let bare = bare(&text)?.into_iter().filter(|index| text[*index] == '{');
    Ok(bare.map(|index| bytes[index]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_lists_are_expanded_and_others_refused() {
        let expanded = |word: &str| expand(word).unwrap().join(" ");
        assert_eq!(expanded("a{b,/c}d"), "abd a/cd");
        assert_eq!(expanded("{1..3}x"), "1x 2x 3x");
        assert_eq!(expanded("{a,b}{c,d}"), "ac ad bc bd");
        for same in ["{}", "HEAD@{1}", "'{a,b}'", "\"{a,b}\"", "\\{a,b}", "${x}", "{a}"] {
            assert_eq!(expanded(same), same);
        }
        for bad in [
            "{a,'b'}",
            "{a,{b,c}}",
            "{a,$x}",
            "{a..z}",
            "{1..999}",
            "{\\,a,b}",
            "$'\\''{a,b}",
            "{a,b",
        ] {
            assert!(expand(bad).is_err() || bad == "{a,b", "{bad}");
        }
    }
}
