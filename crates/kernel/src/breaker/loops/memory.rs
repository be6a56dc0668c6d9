//! What was ever brought, as hashes: tells news from what is known.

use std::collections::VecDeque;

use super::print::News;

/// Hashes that are remembered, the oldest forgotten first.
const HASHES_MAX: usize = 512;

/// Hashes of what calls brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    hashes: VecDeque<u64>,
}

/// What was not heard before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unheard {
    /// This call with this gist.
    pub(super) plain: bool,
    /// That, and each of the wider forms.
    pub(super) all: bool,
}

impl Memory {
    /// Remembers what a call brought, and says what of it is new.
    pub(super) fn hear(&mut self, news: News) -> Unheard {
        let plain = self.is_new(news.plain);
        let wider = [news.unpaged, news.unasked, news.broken];
        let known = wider.into_iter().flatten().filter(|hash| !self.is_new(*hash)).count();
        Unheard { plain, all: plain && known == 0 }
    }

    fn is_new(&mut self, hash: u64) -> bool {
        let new = !self.hashes.contains(&hash);
        if new {
            if self.hashes.len() == HASHES_MAX {
                self.hashes.pop_front();
            }
            self.hashes.push_back(hash);
        }
        new
    }
}
