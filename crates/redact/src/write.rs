//! Writes a text again with a placeholder for each thing that was found.
//!
//! A number of JSON becomes a string: `"card":4111…` is written `"card":"[redacted:card]"`,
//! so that what was JSON stays JSON.

use std::fmt::Write as _;

use crate::look::Found;

/// How far back the beginning of a list of numbers is looked for, in bytes.
const LIST_BYTES_MAX: usize = 512;

/// The text with placeholders. What was found is in order and does not overlap.
pub(crate) fn redacted(text: &str, found: &[Found<'_>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for found in found {
        out.push_str(&text[at..found.start]);
        let quote = quote(text, found).unwrap_or_default();
        write!(out, "{quote}[redacted:{}]{quote}", found.id)
            .expect("INVARIANT: writing to a string does not fail");
        at = found.end;
    }
    out.push_str(&text[at..]);
    out
}

/// The quote of the JSON around a span, where the span is a whole number in it.
fn quote<'t>(text: &'t str, found: &Found<'_>) -> Option<&'t str> {
    let first = text.as_bytes()[found.start];
    let next = text[found.end..].trim_start().bytes().next();
    let is_number =
        text[found.start..found.end].bytes().all(|b| b.is_ascii_digit() || b".eE+-".contains(&b));
    if !(first.is_ascii_digit() || first == b'-')
        || !is_number
        || !matches!(next, None | Some(b',' | b'}' | b']'))
    {
        return None;
    }
    let before = text[..found.start].trim_end();
    let key = match before.bytes().next_back()? {
        b':' => before.strip_suffix(':')?,
        b'[' | b',' => list(before)?,
        _ => return None,
    };
    let key = key.trim_end();
    let quoted = key.strip_suffix('"')?;
    let slashes = quoted.bytes().rev().take_while(|b| *b == b'\\').count();
    Some(&key[quoted.len() - slashes..])
}

/// What stands before the list of numbers that a text ends in.
fn list(before: &str) -> Option<&str> {
    let is_inside = |b: u8| b.is_ascii_digit() || b"., \n\t-+eE\"[]\\:redacted_".contains(&b);
    let inside = before.bytes().rev().take(LIST_BYTES_MAX).take_while(|b| is_inside(*b)).count();
    let tail = &before[before.len() - inside..];
    let open = before.len() - inside + tail.find('[')?;
    let key = before[..open].trim_end();
    match key.strip_suffix(':') {
        Some(key) => Some(key),
        // The list is the whole text, or a line of it.
        None if key.is_empty() || before[..open].ends_with('\n') => Some("\""),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::Class;

    #[test]
    fn numbers_of_json_become_strings() {
        for (text, wanted) in [
            (r#"{"a":123}"#, r#"{"a":"[redacted:x]"}"#),
            (r#"{"a": 123 , "b":1}"#, r#"{"a": "[redacted:x]" , "b":1}"#),
            (r#"{"a":[1, 123]}"#, r#"{"a":[1, "[redacted:x]"]}"#),
            ("[123]", "[\"[redacted:x]\"]"),
            (r#"{"a":"{\"b\":123}"}"#, r#"{"a":"{\"b\":\"[redacted:x]\"}"}"#),
            (r#"{"a":"123"}"#, r#"{"a":"[redacted:x]"}"#),
            ("see 123, then", "see [redacted:x], then"),
            ("it is: 123", "it is: [redacted:x]"),
        ] {
            let start = text.find("123").unwrap();
            let found = Found::test(start, start + 3, "x", Class::Card);
            assert_eq!(redacted(text, &[found]), wanted);
        }
    }
}
