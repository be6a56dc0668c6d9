//! What several tries cost together.

use kernel::message::Usage;
use kernel::price::Spent;

/// What two tries of one model cost together. The less certain of the two decides how
/// sure the sum is.
pub(super) fn both(a: Spent, b: Spent) -> Spent {
    match (a, b) {
        (Spent::Unknown, _) | (_, Spent::Unknown) => Spent::Unknown,
        (Spent::Nothing, other) | (other, Spent::Nothing) => other,
        (Spent::Told(a), Spent::Told(b)) => Spent::Told(sum(a, b)),
        (Spent::Told(a) | Spent::Estimated(a), Spent::Told(b) | Spent::Estimated(b)) => {
            Spent::Estimated(sum(a, b))
        }
    }
}

fn sum(a: Usage, b: Usage) -> Usage {
    Usage {
        input: a.input.saturating_add(b.input),
        output: a.output.saturating_add(b.output),
        cache_read: a.cache_read.saturating_add(b.cache_read),
        cache_write_5m: a.cache_write_5m.saturating_add(b.cache_write_5m),
        cache_write_1h: a.cache_write_1h.saturating_add(b.cache_write_1h),
        web_searches: a.web_searches.saturating_add(b.web_searches),
    }
}
