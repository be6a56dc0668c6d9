//! The last calls, and the rules that look back at them.
//!
//! Every rule walks the window once, so that a call costs the same at the tenth and at the
//! thousandth.

use std::collections::VecDeque;

use super::finding::Kind;
use super::print::Print;
use super::settings::Settings;

/// A call in the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) print: Print,
    /// The response in which it stood.
    pub(super) response: u64,
    /// It was made before and now brought something else that was never seen: the world
    /// moved, and what was asked before it may be asked again.
    pub(super) moved: bool,
    /// It changed something in a way that was not tried before.
    pub(super) works: bool,
    /// It brought something new.
    pub(super) news: bool,
}

/// The last calls, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    calls: VecDeque<Seen>,
    calls_max: usize,
}

/// How often the newest call stands in the window, itself included.
#[derive(Default)]
struct Repeats {
    /// In all.
    total: u32,
    /// Since the last edit before it, for a call that edits excuse.
    plain: u32,
    /// Whether some of them differ in their jitter.
    jitter: bool,
}

impl Window {
    pub(super) fn new(calls_max: u32) -> Self {
        Window { calls: VecDeque::new(), calls_max: calls_max as usize }
    }

    pub(super) fn push(&mut self, seen: Seen) {
        if self.calls.len() == self.calls_max {
            self.calls.pop_front();
        }
        self.calls.push_back(seen);
    }

    /// Whether the call was made before and brought something else.
    pub(super) fn saw_otherwise(&self, print: &Print) -> bool {
        self.calls
            .iter()
            .any(|seen| seen.print.alike == print.alike && seen.print.gist != print.gist)
    }

    /// Whether the newest call closes a loop: its kind, and what repeats in words. `name`
    /// is the newest call's.
    pub(super) fn repeats(&self, settings: &Settings, name: &str) -> Option<(Kind, String)> {
        let newest = self.calls.back()?;
        self.equal_in_response(newest, settings, name)
            .or_else(|| self.same(newest, settings, name))
            .or_else(|| self.circle(settings.cycle_rounds_max, 0, settings))
    }

    fn equal_in_response(
        &self,
        newest: &Seen,
        settings: &Settings,
        name: &str,
    ) -> Option<(Kind, String)> {
        let response = self.calls.iter().rev().take_while(|seen| seen.response == newest.response);
        let equal = response.filter(|seen| seen.print.call == newest.print.call).count();
        (equal >= settings.equal_in_response_max as usize).then(|| {
            (
                Kind::EqualInResponse,
                format!("one response asked {equal} times for the same call of {name}"),
            )
        })
    }

    fn same(&self, newest: &Seen, settings: &Settings, name: &str) -> Option<(Kind, String)> {
        let print = &newest.print;
        let repeats = self.count(print);
        let total = repeats.total;
        let arguments = if repeats.jitter {
            "arguments that differ in nothing that matters"
        } else {
            "the same arguments"
        };
        let often = if print.failed { settings.same_error_max } else { settings.same_result_max };
        if repeats.plain >= often {
            let words = if print.failed {
                let words =
                    format!("{name} failed {total} times with the same error and {arguments}");
                return Some((Kind::SameError, words));
            } else {
                format!(
                    "{name} was called {total} times with {arguments} and brought the same result"
                )
            };
            return self.circle(2, 1, settings).or(Some((Kind::SameResult, words)));
        }
        let in_vain = print.bad && total >= settings.same_failure_after_edits_max;
        in_vain.then(|| {
            let words = format!(
                "{name} failed {total} times in the same way, whatever was edited before it"
            );
            (Kind::SameError, words)
        })
    }

    /// Counts the newest call back to where the world last moved.
    fn count(&self, print: &Print) -> Repeats {
        let mut repeats = Repeats::default();
        let mut excused = false;
        for seen in self.calls.iter().rev() {
            let other = &seen.print;
            if !is_same_call(other, print) {
                if seen.moved || (print.conduct.waits && !other.conduct.waits) {
                    break;
                }
                excused |= seen.works && print.conduct.checks && !print.conduct.edits;
                continue;
            }
            match (print.failed, other.failed) {
                (true, true) if other.gist == print.gist => {}
                (true, true) if seen.moved => break,
                (true, true) => continue,
                (true, false) => break,
                (false, true) => continue,
                (false, false) if other.result == print.result => {}
                (false, false) => break,
            }
            repeats.total += 1;
            repeats.plain += u32::from(!excused);
            repeats.jitter |= other.call != print.call;
        }
        repeats
    }

    /// Whether the newest calls go round in a circle: this many rounds, and the first
    /// calls of another.
    fn circle(&self, rounds: u32, more: usize, settings: &Settings) -> Option<(Kind, String)> {
        let length_max = settings.cycle_len_max.min(Settings::CYCLE_LEN_MAX) as usize;
        let rounds = (rounds as usize).max(2);
        let turns = |length: &usize| {
            let needed = length * rounds + more;
            self.calls.len() >= needed && self.is_circle(*length, needed)
        };
        let length = (2..=length_max).find(turns)?;
        Some((
            Kind::Cycle,
            format!("the same {length} calls went round in a circle with the same results"),
        ))
    }

    fn is_circle(&self, length: usize, needed: usize) -> bool {
        let newest = |back: usize| &self.calls[self.calls.len() - 1 - back].print;
        let turns = (0..needed - length).all(|back| is_same(newest(back), newest(back + length)));
        // One call alone that brings this and that by turns is polled, and sees changes.
        turns && (1..length).any(|back| !is_same_call(newest(back), newest(0)))
    }
}

fn is_same_call(one: &Print, other: &Print) -> bool {
    one.alike == other.alike
        || (one.failed || other.failed) && one.alike_in_error == other.alike_in_error
}

fn is_same(one: &Print, other: &Print) -> bool {
    let brought = if one.failed { one.gist == other.gist } else { one.result == other.result };
    one.failed == other.failed && brought && is_same_call(one, other)
}
