//! JSON lines in, JSON lines out: the manners that all guards share.

use std::collections::BTreeMap;
use std::io::{self, BufRead, IsTerminal, Write};

use anstream::eprintln;
use serde_json::value::RawValue;

use crate::exit::End;

/// The longest line, in bytes.
const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The fields of an object, each as the text that it was written in.
pub(super) type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// Why a line has no answer: what is wrong, and what to do about it.
pub(super) struct Wrong {
    /// The line's `id`, if that could be read.
    pub(super) id: Option<String>,
    pub(super) words: String,
}

/// Answers every line of standard input with one line. `judge` gives the answer's text.
///
/// # Errors
/// Standard input or output failed.
pub(super) fn answer(judge: impl Fn(&str) -> Result<String, Wrong>) -> anyhow::Result<End> {
    if io::stdin().is_terminal() {
        eprintln!(
            "reading JSON lines from the terminal; end with Ctrl-D, `--help` shows their form"
        );
    }
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let (mut lines, mut wrong) = (0_u64, 0_u64);
    let mut line = Vec::new();
    while let Some(length) = next(&mut input, &mut line)? {
        let said = match read(&line, length) {
            Ok("") => continue,
            Ok(text) => judge(text),
            Err(words) => Err(Wrong { id: None, words }),
        };
        lines += 1;
        wrong += u64::from(said.is_err());
        let said = said.unwrap_or_else(|wrong| error(&wrong));
        writeln!(output, "{said}")?;
        output.flush()?;
    }
    if wrong > 0 {
        eprintln!("{wrong} of {lines} lines could not be judged; their answers say why in `error`");
        return Ok(End::Usage);
    }
    Ok(End::Finished)
}

fn error(wrong: &Wrong) -> String {
    let id = wrong.id.as_deref().unwrap_or("null");
    format!(r#"{{"id":{id},"error":{}}}"#, serde_json::json!(wrong.words))
}

/// Reads the next line, without its end, and gives its whole length; `line` keeps no more
/// of it than is allowed. `None` at the end of the input.
fn next(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<usize>> {
    line.clear();
    let mut length = 0;
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok((length > 0).then_some(length));
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let piece = &buffer[..end.unwrap_or(buffer.len())];
        let room = LINE_BYTES_MAX.saturating_sub(line.len());
        line.extend_from_slice(&piece[..piece.len().min(room)]);
        length += piece.len();
        let taken = piece.len() + usize::from(end.is_some());
        input.consume(taken);
        if end.is_some() {
            return Ok(Some(length));
        }
    }
}

/// The text of a line; empty where there is nothing on it.
fn read(line: &[u8], length: usize) -> Result<&str, String> {
    if length > LINE_BYTES_MAX {
        return Err(format!(
            "the line has {length} bytes, more than {LINE_BYTES_MAX}\nsplit the run or shorten its results"
        ));
    }
    let text = std::str::from_utf8(line).map_err(|why| {
        format!(
            "the line is not UTF-8 text: byte {} is none\nsave the file as UTF-8",
            why.valid_up_to()
        )
    })?;
    Ok(text.trim_start_matches('\u{feff}').trim())
}

/// The fields of a line.
pub(super) fn fields(line: &str) -> Result<Fields<'_>, String> {
    serde_json::from_str(line).map_err(|why| {
        if line.starts_with('{') {
            format!("the line is not a JSON object: {why}\nwrite each object on one line")
        } else {
            "the line is not a JSON object\nwrite one object a line, without a list around them"
                .to_owned()
        }
    })
}

/// What a text means: a JSON string's letters, or the JSON itself.
pub(super) fn text_of(raw: &RawValue) -> String {
    let text = raw.get();
    if !text.starts_with('"') {
        return text.to_owned();
    }
    // Half a surrogate pair is no text in Rust; such a string stays as it is written.
    serde_json::from_str(text).unwrap_or_else(|_| text.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_at_their_ends_and_kept_within_bounds() {
        let text = format!("a\r\n\n{}\nlast", "x".repeat(LINE_BYTES_MAX + 5));
        let mut input = io::BufReader::new(text.as_bytes());
        let mut line = Vec::new();
        let mut lengths = Vec::new();
        while let Some(length) = next(&mut input, &mut line).unwrap() {
            assert!(line.len() <= LINE_BYTES_MAX);
            lengths.push((length, read(&line, length).map(str::len).ok()));
        }
        let long = LINE_BYTES_MAX + 5;
        assert_eq!(lengths, [(2, Some(1)), (0, Some(0)), (long, None), (4, Some(4))]);
    }

    #[test]
    fn texts_are_what_they_mean() {
        for (raw, text) in [
            (r#""a\"b""#, r#"a"b"#),
            (r#"{"a": 1.0}"#, r#"{"a": 1.0}"#),
            ("null", "null"),
            (r#""\ud800""#, r"\ud800"),
        ] {
            assert_eq!(text_of(serde_json::from_str(raw).unwrap()), text);
        }
    }
}
