//! Looking for orders to the agent in what a tool brought back.

use guard::injection::{self, THRESHOLD_PERMILLE};
use kernel::event::{SPANS_MAX, Sign, Signs};

/// Tools of ours whose results hold what others wrote, in files or as output.
const SEARCHED: [&str; 5] = ["notes", "read", "glob", "grep", "bash"];

/// A longer text is searched on a thread of its own, in bytes.
const AT_ONCE_BYTES_MAX: usize = 16 * 1024;

/// Whether a tool's results are searched although they are not foreign by themselves.
pub(super) fn is_searched(tool: &str) -> bool {
    SEARCHED.contains(&tool)
}

/// The text as it came, and the signs in it where they weigh enough, their places counted
/// from `shift` bytes before it.
pub(super) async fn search(text: String, shift: usize) -> (String, Option<Signs>) {
    if text.len() <= AT_ONCE_BYTES_MAX {
        let signs = signs(&text, shift);
        return (text, signs);
    }
    let searched = tokio::task::spawn_blocking(move || {
        let signs = signs(&text, shift);
        (text, signs)
    });
    match searched.await {
        Ok(found) => found,
        // The engine treats it as it treats any crash of a tool.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn signs(text: &str, shift: usize) -> Option<Signs> {
    let scan = injection::scan(text);
    if scan.score_permille < THRESHOLD_PERMILLE {
        return None;
    }
    let sign = |span: &injection::Span| Sign {
        start: (span.start + shift) as u64,
        end: (span.end + shift) as u64,
        rule: span.rule.to_owned(),
    };
    Some(Signs {
        score_permille: u16::try_from(scan.score_permille).unwrap_or(u16::MAX),
        spans: scan.spans.iter().take(SPANS_MAX).map(sign).collect(),
    })
}
