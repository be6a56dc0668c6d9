//! Finding lines by a regular expression, in time that grows with the text only.

use std::io::{self, Read};
use std::ops::ControlFlow;

use grep_matcher::LineTerminator;
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::sinks::Lossy;
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder};
use kernel::agent::{Effect, EffectRule, ToolSpec};
use serde::Deserialize;
use serde_json::json;

use super::glob::Pattern;
use crate::failure::{Failure, told};
use crate::files::{Folder, Stop, open_last, shown, walk};
use crate::words::cut;

/// Lines shown in one answer.
const LINES_MAX: usize = 500;

/// Lines shown of one file.
const LINES_PER_FILE_MAX: usize = 100;

/// The longest part of a line that is shown, in characters.
const LINE_CHARS_MAX: usize = 400;

/// The longest line that is searched, in bytes; a file with a longer one is left there.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// Bytes searched in one file.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Bytes searched in one call.
const BYTES_MAX: u64 = 512 * 1024 * 1024;

/// The largest compiled expression, in bytes.
const REGEX_BYTES_MAX: usize = 1024 * 1024;

#[derive(Debug, Deserialize)]
pub(crate) struct Input {
    pattern: String,
    path: Option<String>,
    glob: Option<String>,
}

pub(crate) fn spec() -> ToolSpec {
    ToolSpec {
        name: "grep".to_owned(),
        description: "Finds lines in files of the working directory by a regular expression \
                      (Rust syntax; `(?i)` ignores case). Each is shown as `file:line: text`. \
                      Binary files are passed over."
            .to_owned(),
        input_schema: super::object(
            &["pattern"],
            json!({
                "pattern": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 1_000,
                    "description": "The regular expression, matched within each line.",
                },
                "path": super::path_field(
                    "The file or folder to search, relative to the working directory. Default: all of it.",
                ),
                "glob": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 1_000,
                    "description": "Only files that match this, like `*.md`.",
                },
            }),
        ),
        effect: EffectRule::Always(Effect::Read),
        deadline_ms: 30_000,
        output_bytes_max: 32_768,
        untrusted: false,
        sensitive: false,
    }
}

pub(crate) fn run(folder: &Folder, input: &Input, stop: &Stop) -> Result<String, Failure> {
    let matcher = RegexMatcherBuilder::new()
        .multi_line(true)
        .crlf(true) // a line may end in `\r\n`, and `$` is before that
        .size_limit(REGEX_BYTES_MAX)
        .dfa_size_limit(REGEX_BYTES_MAX)
        .build(&input.pattern)
        .or_else(|error| told(not_a_regex(&input.pattern, &error.to_string())))?;
    let glob = input.glob.as_deref().map(Pattern::read).transpose()?;
    let at = folder.inside(input.path.as_deref().unwrap_or_default())?;
    let mut search = Search::new(matcher, stop);
    let remarks = match folder.folder(&at) {
        Ok(dir) => {
            let walked = walk(folder, &dir, stop, &mut |found| {
                let wanted = glob.as_ref().is_none_or(|glob| glob.fits(found.path));
                if !wanted || found.is_link {
                    return ControlFlow::Continue(());
                }
                match open_last(found.dir, found.name) {
                    Ok(file) => search.file(&shown(&at.join(found.path)), file),
                    Err(_) => {
                        search.unread += 1;
                        ControlFlow::Continue(())
                    }
                }
            });
            walked.remarks()
        }
        // It may be a file.
        Err(_) => {
            let file = folder.open_file(&at)?;
            let _ = search.file(&shown(&at), file);
            String::new()
        }
    };
    Ok(search.told(&input.pattern) + &remarks)
}

fn not_a_regex(pattern: &str, error: &str) -> String {
    let hint = if error.contains("size limit") {
        "use smaller counts of repetition"
    } else {
        "put `\\` before a special character to mean itself"
    };
    let (pattern, error) = (cut(pattern, 100), cut(error, LINE_CHARS_MAX));
    format!("`{pattern}` is not a regular expression: {error}\n{hint}")
}

/// A search on its way through files.
struct Search<'s> {
    matcher: RegexMatcher,
    searcher: Searcher,
    stop: &'s Stop,
    lines: Vec<String>,
    files: usize,
    bytes: u64,
    unread: usize,
    cut: bool,
}

impl<'s> Search<'s> {
    fn new(matcher: RegexMatcher, stop: &'s Stop) -> Self {
        let searcher = SearcherBuilder::new()
            .line_number(true)
            .line_terminator(LineTerminator::crlf())
            .binary_detection(BinaryDetection::quit(0))
            .heap_limit(Some(LINE_BYTES_MAX))
            .build();
        let (lines, files, bytes, unread) = (Vec::new(), 0, 0, 0);
        Search { matcher, searcher, stop, lines, files, bytes, unread, cut: false }
    }

    /// Searches one open file, where it is a regular one.
    fn file(&mut self, name: &str, file: std::fs::File) -> ControlFlow<()> {
        let size = match file.metadata() {
            Ok(meta) if meta.is_file() => meta.len(),
            Ok(_) | Err(_) => {
                self.unread += 1;
                return ControlFlow::Continue(());
            }
        };
        if self.bytes + size.min(FILE_BYTES_MAX) > BYTES_MAX {
            self.cut = true;
            return ControlFlow::Break(());
        }
        self.bytes += size.min(FILE_BYTES_MAX);
        self.files += 1;
        let mut found = Vec::new();
        let (room, stop) = (LINES_MAX - self.lines.len(), self.stop);
        let mut full = false;
        let sink = Lossy(|number, line| {
            full = found.len() == room.min(LINES_PER_FILE_MAX);
            if full || stop.is_set() {
                return Ok(false);
            }
            let line = cut(line.trim_end(), LINE_CHARS_MAX);
            found.push(format!("{name}:{number}: {line}"));
            Ok(true)
        });
        let reader = Stopping { file: file.take(FILE_BYTES_MAX), stop };
        if self.searcher.search_reader(&self.matcher, reader, sink).is_err() {
            self.unread += 1;
        }
        self.lines.append(&mut found);
        if full {
            self.lines.push(format!("{name}: [more lines match]"));
        }
        self.cut |= size > FILE_BYTES_MAX || self.lines.len() >= LINES_MAX;
        if self.lines.len() >= LINES_MAX {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn told(&self, pattern: &str) -> String {
        let mut out = match self.lines.len() {
            0 => format!("no line matches `{pattern}` ({} files searched)", self.files),
            _ => self.lines.join("\n"),
        };
        if self.cut {
            out.push_str(
                "\n[stopped at a limit: there may be more; give a narrower `path` or `glob`]",
            );
        }
        if self.unread > 0 {
            out.push_str(&format!("\n[{} files could not be read to their end]", self.unread));
        }
        out
    }
}

/// A file that ends when nobody waits any more.
struct Stopping<'s> {
    file: io::Take<std::fs::File>,
    stop: &'s Stop,
}

impl Read for Stopping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.is_set() { Ok(0) } else { self.file.read(buffer) }
    }
}
