//! Replacing a text in a file. Everything else in the file stays as it is: its line
//! ends, its last line's end or the lack of it, its permissions.

use std::sync::Arc;

use engine::ports::{ToolCall, ToolError, ToolOutput};
use kernel::agent::{Effect, EffectRule, ToolSpec};
use serde::Deserialize;
use serde_json::json;

use super::Parts;
use crate::effects::{CallId, Composed};
use crate::failure::{Failure, told};
use crate::files::{FILE_BYTES_MAX, blocking, is_binary, shown};

/// Line numbers named when a text is not unique.
const LINES_NAMED_MAX: usize = 10;

#[derive(Debug, Deserialize)]
pub(crate) struct Input {
    pub(super) path: String,
    old_string: String,
    new_string: String,
    #[serde(default)]
    replace_all: bool,
}

pub(crate) fn spec() -> ToolSpec {
    ToolSpec {
        name: "edit".to_owned(),
        description: "Replaces a text in a file by another. `old_string` must be in the file \
                      exactly once, spaces and line breaks included; give it enough of its \
                      surroundings, or set `replace_all`."
            .to_owned(),
        input_schema: super::object(
            &["path", "old_string", "new_string"],
            json!({
                "path": super::path_field("The file, relative to the working directory."),
                "old_string": {
                    "type": "string",
                    "minLength": 1,
                    "description": "The text to replace, exactly as it is in the file.",
                },
                "new_string": {
                    "type": "string",
                    "description": "The text to put in its place; empty to remove it.",
                },
                "replace_all": {
                    "type": "boolean",
                    "description": "Replace every occurrence. Default false.",
                },
            }),
        ),
        effect: EffectRule::Always(Effect::Effect),
        deadline_ms: 30_000,
        output_bytes_max: 4_096,
        untrusted: false,
        sensitive: false,
    }
}

pub(crate) async fn run(
    parts: &Arc<Parts>,
    call: &ToolCall,
    input: Input,
) -> Result<ToolOutput, ToolError> {
    let id = CallId::of(call);
    let parts = parts.clone();
    let workdir = call.workdir.clone();
    blocking(move |stop| {
        parts.effects.prepare()?;
        let target = super::file_target(&parts, workdir, &input.path)?;
        let name = shown(&target.path);
        parts.effects.perform(&id, &target, stop, |before| match before {
            Some(before) => edited(&name, &before.bytes, &input),
            None => told(format!("`{name}` does not exist\nuse `write` to make it")),
        })
    })
    .await
}

/// The file after the edit.
fn edited(name: &str, bytes: &[u8], input: &Input) -> Result<Composed, Failure> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) if !is_binary(bytes) => text,
        Ok(_) | Err(_) => return told(format!("`{name}` is not UTF-8 text and cannot be edited")),
    };
    if input.old_string == input.new_string {
        return told("`old_string` and `new_string` are the same; nothing was changed");
    }
    let (old, new) = in_line_ends_of(text, input);
    let places: Vec<usize> = text.match_indices(old.as_str()).map(|(at, _)| at).collect();
    match places.as_slice() {
        [] => told(not_found(name, text, &input.old_string)),
        [at] => {
            let line = line_of(text, *at);
            let output = format!("replaced 1 occurrence in `{name}` (line {line})");
            Ok(Composed { bytes: text.replacen(&old, &new, 1).into_bytes(), output })
        }
        [_, _, ..] if input.replace_all => {
            // Asked before it is made: a long text in a million places fills any memory.
            let gone = text.len() - places.len() * old.len();
            let size = places.len().saturating_mul(new.len()).saturating_add(gone);
            if size as u64 > FILE_BYTES_MAX {
                return told(crate::effects::too_large(name));
            }
            let output = format!("replaced {} occurrences in `{name}`", places.len());
            Ok(Composed { bytes: text.replace(&old, &new).into_bytes(), output })
        }
        [_, _, ..] => told(not_unique(name, text, &places)),
    }
}

/// Both texts with the file's line ends: models write `\n`, some files have `\r\n`.
fn in_line_ends_of(text: &str, input: &Input) -> (String, String) {
    let (old, new) = (&input.old_string, &input.new_string);
    let breaks = text.matches('\n').count();
    let all_crlf = breaks > 0 && text.matches("\r\n").count() == breaks;
    let only_so_found = !text.contains(old.as_str()) && text.contains(&with_crlf(old));
    if all_crlf || only_so_found {
        (with_crlf(old), with_crlf(new))
    } else {
        (old.clone(), new.clone())
    }
}

fn with_crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

fn not_found(name: &str, text: &str, old: &str) -> String {
    let first = old.lines().map(str::trim).find(|line| !line.is_empty());
    let near = first.and_then(|first| text.lines().position(|line| line.trim() == first));
    let hint = match near {
        Some(at) => format!(
            "line {} has its first line, with other spaces or another continuation; `read` it",
            at + 1
        ),
        None => "read the file and copy the text exactly".to_owned(),
    };
    format!("`old_string` is not in `{name}`; nothing was changed\n{hint}")
}

fn not_unique(name: &str, text: &str, places: &[usize]) -> String {
    let lines = places.iter().take(LINES_NAMED_MAX).map(|at| line_of(text, *at).to_string());
    let lines = lines.collect::<Vec<_>>().join(", ");
    let more = if places.len() > LINES_NAMED_MAX { ", …" } else { "" };
    format!(
        "`old_string` is in `{name}` {} times (lines {lines}{more}); nothing was changed\n\
         add more of the text around it, or set `replace_all`",
        places.len()
    )
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits() {
        /// Text, old, new, all → the file afterwards, or a part of the words.
        type Case =
            (&'static str, &'static str, &'static str, bool, Result<&'static str, &'static str>);
        let cases: [Case; 14] = [
            ("one two\n", "two", "2", false, Ok("one 2\n")),
            ("no end", "end", "END", false, Ok("no END")),
            ("a\r\nb\r\nc", "a\nb", "x\ny", false, Ok("x\r\ny\r\nc")),
            ("a\r\nb\r\n", "b", "b\nc", false, Ok("a\r\nb\r\nc\r\n")),
            ("a\r\nb\nc\r\n", "a\nb", "x", false, Ok("x\nc\r\n")),
            ("a\nb\r\n", "a\nb", "z", false, Ok("z\r\n")),
            ("x x x", "x", "y", true, Ok("y y y")),
            ("x", "x", "", true, Ok("")),
            ("aaa", "aa", "b", true, Ok("ba")),
            ("x\nx\n", "x", "y", false, Err("2 times (lines 1, 2)")),
            ("abc", "d", "e", false, Err("is not in `f`")),
            ("  let a = 1;\n", "\tlet a = 1;", "", false, Err("line 1 has")),
            ("abc", "a", "a", false, Err("are the same")),
            ("nul\0", "nul", "x", false, Err("not UTF-8 text")),
        ];
        for (text, old, new, all, wanted) in cases {
            let input = Input {
                path: "f".to_owned(),
                old_string: old.to_owned(),
                new_string: new.to_owned(),
                replace_all: all,
            };
            match (edited("f", text.as_bytes(), &input), wanted) {
                (Ok(composed), Ok(wanted)) => {
                    assert_eq!(String::from_utf8(composed.bytes).unwrap(), wanted, "{text:?}");
                }
                (Err(Failure::Told(words)), Err(part)) => {
                    assert!(words.contains(part), "{words}");
                }
                (got, wanted) => panic!("{text:?}: {got:?}, not {wanted:?}"),
            }
        }
    }
}
