//! Reading a text file, line by line.

use kernel::agent::{Effect, EffectRule, ToolSpec};
use serde::Deserialize;
use serde_json::json;

use crate::failure::{Failure, told};
use crate::files::{Folder, decode, is_binary, shown};

/// Lines shown unless asked otherwise.
const LINES_SHOWN: usize = 2_000;

/// The longest line that is shown whole, in bytes.
const LINE_BYTES_MAX: usize = 4_000;

#[derive(Debug, Deserialize)]
pub(crate) struct Input {
    path: String,
    /// The first line, from 1.
    offset: Option<usize>,
    /// How many lines.
    limit: Option<usize>,
}

pub(crate) fn spec() -> ToolSpec {
    ToolSpec {
        name: "read".to_owned(),
        description: "Reads a text file in the working directory. The text is shown as it is, \
                      without line numbers."
            .to_owned(),
        input_schema: super::object(
            &["path"],
            json!({
                "path": super::path_field("The file, relative to the working directory."),
                "offset": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "The first line to show, counted from 1. Default 1.",
                },
                "limit": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 100_000,
                    "description": "How many lines to show. Default 2000.",
                },
            }),
        ),
        effect: EffectRule::Always(Effect::Read),
        deadline_ms: 10_000,
        output_bytes_max: 65_536,
        untrusted: false,
        sensitive: false,
    }
}

pub(crate) fn run(folder: &Folder, input: &Input) -> Result<String, Failure> {
    let path = folder.inside(&input.path)?;
    let name = shown(&path);
    let bytes = folder.read(&path)?.bytes;
    if is_binary(&bytes) {
        return told(format!("`{name}` is a binary file of {} bytes, not text", bytes.len()));
    }
    if bytes.is_empty() {
        return Ok(format!("[`{name}` is empty]"));
    }
    let text = decode(bytes);
    let first = input.offset.unwrap_or(1);
    let count = text.text.split_inclusive('\n').count();
    if first > count {
        return told(format!("`{name}` has only {count} lines\nuse a smaller `offset`"));
    }
    let limit = input.limit.unwrap_or(LINES_SHOWN);
    let end = first.saturating_sub(1).saturating_add(limit);
    let mut out = String::new();
    for line in text.text.split_inclusive('\n').skip(first.saturating_sub(1)).take(limit) {
        push_line(&mut out, line);
    }
    if text.lossy {
        remark(&mut out, "the file is not UTF-8; bytes that are no text are shown as `\u{fffd}`");
    }
    if end < count {
        let words = format!("lines {first} to {end} of {count}; next `offset`: {}", end + 1);
        remark(&mut out, &words);
    }
    Ok(out)
}

fn push_line(out: &mut String, line: &str) {
    if line.len() <= LINE_BYTES_MAX {
        out.push_str(line);
        return;
    }
    let mut end = LINE_BYTES_MAX;
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    out.push_str(&line[..end]);
    out.push_str(&format!("… [line cut, {} bytes more]", line.len() - end));
    if line.ends_with('\n') {
        out.push('\n');
    }
}

/// A line about the text, told from the text by its brackets.
fn remark(out: &mut String, words: &str) {
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out.push_str(&format!("[{words}]\n"));
}
