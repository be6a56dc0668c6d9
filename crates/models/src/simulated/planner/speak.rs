//! Progress → words.
//!
//! Everything said about the world is a tool's answer. What failed, what was skipped and
//! what was not understood is said as plainly as what was done.

mod introduction;
mod sentence;

use kernel::message::Request;

use super::intent::Remark;
use super::plan::Part;
use super::progress::{Progress, State};
use super::spelling::Slip;

/// Longest quotation of a person's own words, in bytes.
const QUOTED_BYTES_MAX: usize = 120;

/// Most quotations of words that were not understood.
const STRANGE_MAX: usize = 5;

/// What is about to be done, before the calls: for people who watch.
pub(super) fn announcement(progress: &Progress<'_, '_>, ready: &[usize]) -> String {
    let begun =
        progress.states.iter().any(|state| matches!(state, State::Done(_) | State::Failed(_)));
    let said = if begun { ready.to_vec() } else { open_steps(progress) };
    let steps: Vec<String> = said.iter().map(|step| sentence::intention(progress, *step)).collect();
    match (begun, steps.as_slice()) {
        (_, []) => String::new(),
        (true, _) => format!("Next: {}.", steps.join("; ")),
        (false, [only]) => format!("To do: {only}."),
        (false, _) => {
            let numbered: Vec<String> =
                steps.iter().enumerate().map(|(at, step)| format!("{}. {step}", at + 1)).collect();
            format!("To do:\n{}", numbered.join("\n"))
        }
    }
}

fn open_steps(progress: &Progress<'_, '_>) -> Vec<usize> {
    let open = |step: &usize| matches!(progress.states[*step], State::Ready | State::Waiting);
    (0..progress.states.len()).filter(open).collect()
}

/// The whole answer.
pub(super) fn answer(progress: &Progress<'_, '_>, request: &Request) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut strange: Vec<&str> = Vec::new();
    for part in &progress.plan.parts {
        match part {
            Part::Step(step) => lines.push(sentence::outcome(progress, *step)),
            Part::Say(Remark::Greet) => lines.push("Hello! Ask me `what can you do?` to see what I understand.".to_owned()),
            Part::Say(Remark::Thank) => lines.push("You are welcome.".to_owned()),
            Part::Say(Remark::Introduce) => lines.push(introduction::words(request)),
            Part::Unclear(what) => lines.push(what.clone()),
            Part::Strange(words) => strange.push(words),
            Part::Mended(slips) => lines.push(mended(slips)),
            Part::TooMany(left) => lines.push(format!(
                "{left} more parts of the request were left: it is too long for me. Please ask them one by one."
            )),
        }
    }
    lines.dedup();
    lines.extend(not_understood(&strange));
    if lines.is_empty() {
        lines.push(format!("There is no request to answer. {}", introduction::SELF));
    }
    lines.join("\n")
}

fn mended(slips: &[Slip]) -> String {
    let read: Vec<String> =
        slips.iter().map(|slip| format!("`{}` as `{}`", slip.written, slip.read)).collect();
    format!("I read {}.", read.join(" and "))
}

fn not_understood(strange: &[&str]) -> Option<String> {
    let quoted: Vec<String> = strange
        .iter()
        .take(STRANGE_MAX)
        .map(|words| format!("“{}”", shortened(words, QUOTED_BYTES_MAX)))
        .collect();
    let more = match strange.len().saturating_sub(STRANGE_MAX) {
        0 => String::new(),
        more => format!(" and {more} more parts"),
    };
    let told = format!(
        "I did not understand {}{more}. {} Ask me `what can you do?` to see what I understand.",
        quoted.join(" and "),
        introduction::SELF
    );
    (!strange.is_empty()).then_some(told)
}

/// The text on one line, cut at a character's border.
fn shortened(text: &str, bytes_max: usize) -> String {
    let cut = text.floor_char_boundary(bytes_max);
    let line = text[..cut].split_whitespace().collect::<Vec<_>>().join(" ");
    if cut < text.len() { format!("{line}…") } else { line }
}
