//! What stands in a conversation for what is no longer shown.
//!
//! The log keeps everything; only what is sent changes. These words are part of what was
//! sent: once a version is released they never change, or cached prefixes and replays
//! break.

use serde::{Deserialize, Serialize};

use super::is_zero;

/// What every stand-in for left-out answers begins with; their number follows.
pub const LEFT_OUT: &str = "[harness] Left out here, because the conversation grew too long: ";

/// What a model is asked when its conversation grew too long.
pub const SUMMARY_REQUEST: &str = "[harness] This conversation has nearly filled your window. \
    Write a summary of it now. The summary will stand in the place of everything but the \
    task and the last messages, and you will go on from it alone. Tools are off for this \
    answer. Say what was asked, with every wish and limit; what was done and found, with \
    exact names, numbers, paths, ids and handles; what was decided and why; what failed; \
    and what is left to do. Write nothing but the summary.";

/// The longest that a result's stand-in can be, in bytes, beside what is kept of it, with the
/// mark that closes a stranger's words.
pub const STANDIN_BYTES_MAX: u64 = 320;

/// The longest name of a tool that is repeated, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Which tool results are shown as a short text from here on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleared {
    /// Those of turns up to this one, counted over the whole session.
    pub upto_turn: u32,
    /// Those that are longer than this, in bytes.
    pub bytes_over: u64,
    /// How much of each is still shown, in bytes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bytes_kept: u64,
}

/// How a model gets at a result that is no longer shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Again {
    /// With `more` and this handle.
    More(String),
    /// By calling the tool again: it changes nothing.
    Call,
    /// Not at all: the call must not be made twice only to read its result.
    Never,
}

/// The words for a result of `bytes` bytes of which `shown` are still there.
#[must_use]
pub fn standin(tool: &str, bytes: u64, shown: u64, again: &Again) -> String {
    let tool = &tool[..tool.floor_char_boundary(NAME_BYTES_MAX)];
    let what = match shown {
        0 => format!("[cleared to make room: {bytes} bytes that `{tool}` returned."),
        shown => format!(
            "\n[cut to make room: {} of {bytes} bytes that `{tool}` returned are left out.",
            bytes.saturating_sub(shown)
        ),
    };
    let how = match again {
        Again::More(handle) => {
            format!(" Read them with `more` and {{\"handle\": \"{handle}\", \"offset\": {shown}}}.")
        }
        Again::Call => " Call it again if you need them.".to_owned(),
        Again::Never => String::new(),
    };
    format!("{what}{how}]")
}

/// The words for a conversation's first `answers` answers and all that belongs to them:
/// the model's own summary, or that there is none.
#[must_use]
pub fn left_out(answers: u32, summary: Option<&str>) -> String {
    let answers = if answers == 1 { "1 answer".to_owned() } else { format!("{answers} answers") };
    match summary {
        Some(summary) => format!(
            "{LEFT_OUT}{answers}. Only the task and the last messages stay word for \
             word. You wrote this summary of the rest:\n\n{summary}"
        ),
        None => format!(
            "{LEFT_OUT}{answers}, and there is no summary of them. What they did is \
             done. Look at how things stand before you do anything a second time."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::CLOSING;

    #[test]
    fn a_standin_is_never_longer_than_it_may_be() {
        let handle = super::super::event_handle(u64::MAX);
        for again in [Again::More(handle), Again::Call, Again::Never] {
            for shown in [0, u64::MAX] {
                let words = standin(&"ä".repeat(200), u64::MAX, shown, &again);
                let bytes = words.len() + CLOSING.len();
                assert!(bytes as u64 <= STANDIN_BYTES_MAX, "{bytes} bytes");
            }
        }
    }

    /// What was once sent is sent again: these words never change.
    #[test]
    fn l32_the_words_are_these() {
        assert_eq!(
            standin("read", 9_000, 0, &Again::More("event_7".to_owned())),
            "[cleared to make room: 9000 bytes that `read` returned. Read them with `more` and \
             {\"handle\": \"event_7\", \"offset\": 0}.]"
        );
        assert_eq!(
            standin("read", 9_000, 0, &Again::Call),
            "[cleared to make room: 9000 bytes that `read` returned. Call it again if you need \
             them.]"
        );
        assert_eq!(
            standin("pay", 9_000, 600, &Again::Never),
            "\n[cut to make room: 8400 of 9000 bytes that `pay` returned are left out.]"
        );
        assert_eq!(
            left_out(12, Some("All is well.")),
            "[harness] Left out here, because the conversation grew too long: 12 answers. Only \
             the task and the last messages stay word for word. You wrote this summary of the \
             rest:\n\nAll is well."
        );
        assert_eq!(
            left_out(1, None),
            "[harness] Left out here, because the conversation grew too long: 1 answer, and \
             there is no summary of them. What they did is done. Look at how things stand \
             before you do anything a second time."
        );
    }
}
