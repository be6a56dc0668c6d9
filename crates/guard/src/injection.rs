//! Signs of injection in tool results: a score and the spans that led to it.
//!
//! A result is untrusted text. It is read as a person would see it and as it would read
//! decoded, turned round or unmasked; ideas that make up an order to an agent are looked for
//! in many languages, and weighed by where they stand and what the text is about. Nothing is
//! blocked or changed here: whoever asks decides what a score means. A low score is no
//! promise that a text is harmless.

mod carrier;
mod combos;
mod encoded;
mod escapes;
mod glyphs;
mod lexicon;
mod lookalikes;
mod readings;
mod regions;
mod shapes;
mod signs;
mod smuggled;
mod traits;
mod weigh;
mod wording;
mod words;

use carrier::Carrier;
use serde::{Deserialize, Serialize, Serializer};

/// From this score on a text is called an injection.
pub const THRESHOLD_PERMILLE: u32 = 500;
/// Of a longer text its head and its tail are read, half of this each.
pub const SCANNED_BYTES_MAX: usize = 8 * 1024 * 1024;
/// No more spans than this are told, the first ones.
pub const SPANS_MAX: usize = 64;

/// A text is read in pieces of this size, so that memory does not grow with it.
const WINDOW_BYTES: usize = 64 * 1024;
/// Pieces overlap by this much: an order on a border is whole in one of them.
const OVERLAP_BYTES: usize = 4 * 1024;

/// A tool result to be scanned.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Input {
    /// The tool that it came from.
    #[serde(default)]
    pub tool: String,
    /// What the tool returned.
    pub result: String,
}

impl Input {
    /// The scan of the result. A tool's name never excuses anything, for every tool can be lied
    /// to; but an order weighs more where people give none, as among figures.
    #[must_use]
    pub fn scan(&self) -> Scan {
        scan_from(&self.result, Carrier::of(&self.tool))
    }
}

/// What a text is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It gives orders to the agent that reads it.
    Injection,
    /// It does not, as far as the rules see.
    Benign,
}

/// A place that led to the score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Its first byte in the result.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
    /// The rule that saw it.
    pub rule: &'static str,
}

/// The outcome of a scan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scan {
    /// What the text is taken for at the usual threshold.
    pub verdict: Kind,
    /// How far it speaks for an attack, in per mille; a number from 0 to 1 on the wire.
    #[serde(rename = "score", serialize_with = "as_fraction")]
    pub score_permille: u32,
    /// What led to the score, in the order of the text. Signs too weak for the verdict too.
    pub spans: Vec<Span>,
    /// Bytes between head and tail that were not read.
    #[serde(skip_serializing_if = "is_zero")]
    pub unread_bytes: usize,
}

fn as_fraction<S: Serializer>(permille: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(f64::from(*permille) / 1000.0)
}

fn is_zero(bytes: &usize) -> bool {
    *bytes == 0
}

/// Scans a tool result of which nobody knows the tool.
#[must_use]
pub fn scan(result: &str) -> Scan {
    scan_from(result, Carrier::Letters)
}

fn scan_from(result: &str, carrier: Carrier) -> Scan {
    let mut score_permille = 0;
    let mut spans = Vec::new();
    for (base, end) in windows(result) {
        let found = signs::search(&result[base..end], base);
        let weighed = weigh::weigh(&found);
        let judged = weigh::judge(&weighed, &found.stretches, carrier);
        score_permille = score_permille.max(judged.score_permille);
        spans.extend(judged.worded.iter().map(|stretch| Span {
            start: stretch.start,
            end: stretch.end,
            rule: "wording",
        }));
        spans.extend(weighed.into_iter().map(|one| one.sign).map(|sign| Span {
            start: sign.start,
            end: sign.end,
            rule: sign.rule,
        }));
    }
    spans.sort_by_key(|span| (span.start, span.end, span.rule));
    spans.dedup();
    spans.truncate(SPANS_MAX);
    let attack = score_permille >= THRESHOLD_PERMILLE;
    let verdict = if attack { Kind::Injection } else { Kind::Benign };
    let unread_bytes = result.len().saturating_sub(SCANNED_BYTES_MAX);
    Scan { verdict, score_permille, spans, unread_bytes }
}

/// The pieces of a text that are read, as ranges of bytes.
fn windows(text: &str) -> Vec<(usize, usize)> {
    if text.len() <= SCANNED_BYTES_MAX {
        return pieces(text, 0, text.len());
    }
    let head_end = SCANNED_BYTES_MAX / 2;
    let tail_start = text.len() - SCANNED_BYTES_MAX / 2;
    let mut all = pieces(text, 0, head_end);
    all.extend(pieces(text, tail_start, text.len()));
    all
}

fn pieces(text: &str, start: usize, end: usize) -> Vec<(usize, usize)> {
    let mut pieces = Vec::new();
    let mut at = text.floor_char_boundary(start);
    loop {
        let stop = text.floor_char_boundary((at + WINDOW_BYTES).min(end));
        pieces.push((at, stop));
        if stop >= text.floor_char_boundary(end) {
            return pieces;
        }
        at = text.floor_char_boundary(stop - OVERLAP_BYTES);
    }
}

#[cfg(test)]
mod tests;
