//! A call with its result, reduced to hashes: what the detector remembers instead of
//! texts.

use super::Heard;
use super::conduct::{Conduct, conduct};
use super::outcome::{Outcome, outcome};
use super::tree::{self, Tree};
use super::view::{Lens, has_page, has_query, view};

/// Longest arguments that are read as JSON, in bytes; longer ones are compared as text.
const ARGUMENTS_BYTES_MAX: usize = 1 << 20;

/// A call and its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Print {
    /// Name and arguments.
    pub(super) call: u64,
    /// The same without jitter.
    pub(super) alike: u64,
    /// The same without what looks drawn by lot.
    pub(super) alike_in_error: u64,
    /// The result.
    pub(super) result: u64,
    /// The result without times; of a failure, its words.
    pub(super) gist: u64,
    /// Whether the call failed.
    pub(super) failed: bool,
    /// Whether it failed, or what it ran did.
    pub(super) bad: bool,
    /// What kind of act it is.
    pub(super) conduct: Conduct,
    /// Words for what a step like this brings: it is new while all of them are unheard.
    pub(super) news: News,
}

/// What a call brings, in the forms in which it may have been brought before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct News {
    /// This call, this gist.
    pub(super) plain: u64,
    /// This list whatever the page, this gist.
    pub(super) unpaged: Option<u64>,
    /// This search whatever is looked for, this gist; nothing found is one gist.
    pub(super) unasked: Option<u64>,
    /// This tool whatever its arguments, this failure.
    pub(super) broken: Option<u64>,
}

/// Reduces a call to its hashes.
pub(super) fn print(heard: &Heard<'_>) -> Print {
    let outcome = outcome(heard.result, heard.is_error);
    let short = heard.arguments.len() <= ARGUMENTS_BYTES_MAX;
    let arguments = short.then(|| tree::read(text_or_object(heard.arguments))).flatten();
    let conduct = conduct(heard.name, arguments.as_ref());
    let seen = |lens| match &arguments {
        Some(tree) => view(tree, lens, conduct),
        None => heard.arguments.trim().to_owned(),
    };
    let call = |lens| hash(&[heard.name, &seen(lens)]);
    let alike = call(Lens::Alike);
    // A failure that answers for its subject is an answer: another subject, another one.
    let lens = if outcome.about_subject { Lens::Alike } else { Lens::AlikeInError };
    Print {
        call: call(Lens::Exact),
        alike,
        alike_in_error: call(lens),
        result: hash(&[&outcome.text]),
        gist: hash(&[&outcome.gist]),
        failed: outcome.failed,
        bad: outcome.bad,
        conduct,
        news: news(heard.name, arguments.as_ref(), &outcome, conduct, alike, &call),
    }
}

fn text_or_object(arguments: &str) -> &str {
    if arguments.trim().is_empty() { "{}" } else { arguments }
}

fn news(
    name: &str,
    arguments: Option<&Tree>,
    outcome: &Outcome,
    conduct: Conduct,
    alike: u64,
    call: &dyn Fn(Lens) -> u64,
) -> News {
    let with = |form: &str, call: u64, gist: &str| hash(&[form, &call.to_string(), gist]);
    let pages = arguments.is_some_and(has_page);
    let searches = conduct.searches && arguments.is_some_and(has_query);
    let found = if outcome.empty { "" } else { outcome.gist.as_str() };
    let broken = outcome.failed && !outcome.about_subject;
    News {
        plain: with("plain", alike, &outcome.gist),
        unpaged: pages.then(|| with("unpaged", call(Lens::Unpaged), &outcome.gist)),
        unasked: searches.then(|| with("unasked", call(Lens::Unasked), found)),
        broken: broken.then(|| hash(&["broken", name, &outcome.gist])),
    }
}

/// The first eight bytes of BLAKE3 over the parts, each behind its length.
fn hash(parts: &[&str]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}
