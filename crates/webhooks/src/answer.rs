//! What a subscriber answers, and what that means.

use engine::ports::Undelivered;
use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode};

/// Bytes of an answer that are read; the rest says nothing more.
const ANSWER_BYTES_MAX: usize = 1_024;

/// Characters of an answer that are shown.
const WORDS_MAX: usize = 120;

/// A subscriber's answer: its status and the beginning of its words, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Its words; empty where there were none.
    pub words: String,
}

impl Answer {
    /// Reads the beginning of an answer. A body that breaks off is as good as its start.
    pub(crate) async fn read(mut response: Response) -> (Self, Option<u64>) {
        let status = response.status().as_u16();
        let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let wait_ms = wait.and_then(|text| text.trim().parse::<u64>().ok());
        let wait_ms = wait_ms.map(|seconds| seconds.saturating_mul(1_000));
        let mut bytes = Vec::new();
        while bytes.len() < ANSWER_BYTES_MAX
            && let Ok(Some(chunk)) = response.chunk().await
        {
            bytes.extend_from_slice(&chunk);
        }
        bytes.truncate(ANSWER_BYTES_MAX);
        (Answer { status, words: line(&String::from_utf8_lossy(&bytes)) }, wait_ms)
    }

    /// What the answer means. A redirect is none that we follow: whoever moved says so in
    /// the operator's file.
    pub(crate) fn judge(self, retry_after_ms: Option<u64>) -> Result<Self, Undelivered> {
        let why = self.to_string();
        match StatusCode::from_u16(self.status) {
            Ok(status) if status.is_success() => Ok(self),
            Ok(StatusCode::GONE) => Err(Undelivered::Gone { why }),
            Ok(
                StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS,
            ) => Err(Undelivered::Unreachable { why, retry_after_ms }),
            Ok(status) if status.is_client_error() || status.is_redirection() => {
                Err(Undelivered::Rejected { why })
            }
            Ok(_) | Err(_) => Err(Undelivered::Unreachable { why, retry_after_ms }),
        }
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.words.as_str() {
            "" => write!(f, "it answered {}", self.status),
            words => write!(f, "it answered {}: {words}", self.status),
        }
    }
}

/// Somebody else's words in one line without control characters.
fn line(words: &str) -> String {
    let plain: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut line: String = plain.trim().chars().take(WORDS_MAX + 1).collect();
    if line.chars().count() > WORDS_MAX {
        line.pop();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_says_what_is_done_next() {
        for (statuses, expected) in [
            (vec![200, 201, 202, 204], "delivered"),
            (vec![410], "gone"),
            (vec![408, 425, 429, 500, 502, 503, 504, 599], "unreachable"),
            (vec![301, 302, 307, 308, 400, 401, 403, 404, 413, 422], "rejected"),
        ] {
            for status in statuses {
                let told = match (Answer { status, words: String::new() }).judge(Some(5)) {
                    Ok(_) => "delivered",
                    Err(Undelivered::Gone { .. }) => "gone",
                    Err(Undelivered::Rejected { .. }) => "rejected",
                    Err(Undelivered::Unreachable { retry_after_ms, .. }) => {
                        assert_eq!(retry_after_ms, Some(5));
                        "unreachable"
                    }
                };
                assert_eq!(told, expected, "{status}");
            }
        }
    }

    #[test]
    fn answers_are_told_in_one_short_line() {
        assert_eq!(line("\u{1b}[2J no\r\nthanks\n"), "[2J no  thanks");
        assert_eq!(line(&"é".repeat(999)).chars().count(), WORDS_MAX + 1);
    }
}
