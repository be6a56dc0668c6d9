//! Finding files by their names.

use std::ops::ControlFlow;
use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};
use kernel::agent::{Effect, EffectRule, ToolSpec};
use serde::Deserialize;
use serde_json::json;

use crate::failure::{Failure, told};
use crate::files::{Folder, Stop, shown, walk};

/// Files named in one answer.
const FILES_MAX: usize = 1_000;

#[derive(Debug, Deserialize)]
pub(crate) struct Input {
    pattern: String,
    path: Option<String>,
}

pub(crate) fn spec() -> ToolSpec {
    ToolSpec {
        name: "glob".to_owned(),
        description: "Lists files in the working directory by name, in the order of their paths. \
                      `*` stands for anything but `/`, `**` for any folders, `{a,b}` for a or b. \
                      A pattern without `/` is matched in every folder: `*.md`; with `/` it is \
                      matched from the start: `src/**/*.rs`."
            .to_owned(),
        input_schema: super::object(
            &["pattern"],
            json!({
                "pattern": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 1_000,
                    "description": "Which files, like `*.md` or `docs/**`.",
                },
                "path": super::path_field(
                    "The folder to look in, relative to the working directory. Default: all of it.",
                ),
            }),
        ),
        effect: EffectRule::Always(Effect::Read),
        deadline_ms: 20_000,
        output_bytes_max: 32_768,
        untrusted: false,
        sensitive: false,
    }
}

pub(crate) fn run(folder: &Folder, input: &Input, stop: &Stop) -> Result<String, Failure> {
    let pattern = Pattern::read(&input.pattern)?;
    let at = folder.inside(input.path.as_deref().unwrap_or_default())?;
    let dir = folder.folder(&at)?;
    let mut files = Vec::new();
    let mut more = false;
    let walked = walk(folder, &dir, stop, &mut |found| {
        if !pattern.fits(found.path) {
            return ControlFlow::Continue(());
        }
        if files.len() == FILES_MAX {
            more = true;
            return ControlFlow::Break(());
        }
        let mark = if found.is_link { " (a link)" } else { "" };
        files.push(format!("{}{mark}", shown(&at.join(found.path))));
        ControlFlow::Continue(())
    });
    let mut out = match files.len() {
        0 => format!("no file matches `{}` ({} entries looked at)", input.pattern, walked.entries),
        _ => files.join("\n"),
    };
    if more {
        out.push_str(&format!("\n[more than {FILES_MAX} files match; use a narrower pattern]"));
    }
    out.push_str(&walked.remarks());
    Ok(out)
}

/// Braces within braces. The matcher underneath crashes on hundreds of them.
const BRACES_MAX: usize = 32;

/// A pattern for paths.
pub(super) struct Pattern {
    matcher: GlobMatcher,
    by_name: bool,
}

impl Pattern {
    pub(super) fn read(text: &str) -> Result<Self, Failure> {
        let bare = text.strip_prefix("./").unwrap_or(text);
        if braces_deep(bare) > BRACES_MAX {
            return told(format!("the pattern has more than {BRACES_MAX} braces within braces"));
        }
        let glob = GlobBuilder::new(bare).literal_separator(true).backslash_escape(true).build();
        match glob {
            Ok(glob) => {
                Ok(Pattern { matcher: glob.compile_matcher(), by_name: !bare.contains('/') })
            }
            Err(error) => told(format!("`{text}` is not a file pattern: {}", error.kind())),
        }
    }

    pub(super) fn fits(&self, path: &Path) -> bool {
        match path.file_name() {
            Some(name) if self.by_name => self.matcher.is_match(name),
            Some(_) | None => self.matcher.is_match(path),
        }
    }
}

/// How many `{` are open at once, at most; an escaped one counts, which only errs on the
/// safe side.
fn braces_deep(pattern: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for c in pattern.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}
