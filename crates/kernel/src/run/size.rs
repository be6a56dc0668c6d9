//! How long a conversation is, as far as anybody knows.
//!
//! Two numbers for two uses. The bound is for money: a token is at least one byte, so it
//! is never too low. The likely length is for deciding when a conversation is too long:
//! a byte is not a token, and one who waits for the bound compacts far too early.

/// Bytes that make a token, until the provider has counted.
const BYTES_PER_TOKEN: u64 = 3;

/// Bytes of a result that make a token at the most. A conversation looks thinner where
/// much of its bytes is structure that a provider does not count.
const RESULT_BYTES_PER_TOKEN_MAX: u64 = 4;

/// The length of a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// Tokens that the provider counted up to its last answer; 0: it never did.
    counted: u64,
    /// Bytes added since.
    new: u64,
    /// What is left of what it counted, as a guess in tokens, and in bytes.
    known: u64,
    known_bytes: u64,
    /// Bytes added since that are still there.
    fresh: u64,
}

impl Size {
    pub(super) fn add(&mut self, bytes: u64) {
        self.new = self.new.saturating_add(bytes);
        self.fresh = self.fresh.saturating_add(bytes);
    }

    /// The provider counted all that is shown.
    pub(super) fn count(&mut self, tokens: u64) {
        (self.counted, self.new) = (tokens, 0);
        (self.known, self.known_bytes, self.fresh) = (tokens, self.bytes(), 0);
    }

    /// Bytes went that were counted, others that were not yet, and some came in their
    /// place. Nobody knows how many tokens the first were, so a bound that the provider's
    /// count is part of never sinks by itself.
    pub(super) fn replace(&mut self, gone: u64, gone_fresh: u64, come: u64) {
        // Without a count everything is fresh.
        let old = gone.min(self.known_bytes);
        let fresh = gone_fresh.saturating_add(gone - old);
        self.known = self.known.saturating_sub(self.tokens_of(old));
        self.known_bytes -= old;
        self.fresh = self.fresh.saturating_sub(fresh);
        if self.counted == 0 {
            self.new = self.new.saturating_sub(fresh);
        }
        self.add(come);
    }

    /// No request with this conversation counts more tokens.
    pub(super) fn tokens_max(&self) -> u64 {
        self.counted.saturating_add(self.new)
    }

    /// What a request with this conversation probably counts.
    pub(super) fn tokens_likely(&self) -> u64 {
        self.known.saturating_add(likely_tokens(self.fresh))
    }

    /// What so many bytes of its words probably count.
    pub(super) fn tokens_of(&self, bytes: u64) -> u64 {
        match self.known_bytes {
            0 => likely_tokens(bytes),
            whole => scaled(self.known, bytes, whole).max(bytes / RESULT_BYTES_PER_TOKEN_MAX),
        }
    }

    /// Bytes of all that is shown.
    pub(super) fn bytes(&self) -> u64 {
        self.known_bytes.saturating_add(self.fresh)
    }
}

/// What so many bytes probably count where the provider has not counted yet.
pub(super) fn likely_tokens(bytes: u64) -> u64 {
    bytes.div_ceil(BYTES_PER_TOKEN)
}

/// How many bytes so many tokens probably are at the least.
pub(super) fn likely_bytes(tokens: u64) -> u64 {
    tokens.saturating_mul(BYTES_PER_TOKEN)
}

/// `number × part / whole`; the number itself where there is no whole.
fn scaled(number: u64, part: u64, whole: u64) -> u64 {
    if whole == 0 {
        return number;
    }
    let scaled = u128::from(number) * u128::from(part) / u128::from(whole);
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_tells_how_dense_the_words_are() {
        let mut size = Size::default();
        size.add(3_000);
        assert_eq!((size.tokens_max(), size.tokens_likely()), (3_000, 1_000));
        size.count(1_500);
        assert_eq!((size.tokens_max(), size.tokens_likely()), (1_500, 1_500));
        assert_eq!(size.tokens_of(1_000), 500);
        size.add(30);
        assert_eq!((size.tokens_max(), size.tokens_likely()), (1_530, 1_510));
    }

    #[test]
    fn what_is_cleared_lowers_the_guess_and_never_a_counted_bound() {
        let mut size = Size::default();
        size.add(4_000);
        size.replace(3_000, 0, 30);
        assert_eq!((size.tokens_max(), size.bytes()), (1_030, 1_030), "bytes are bytes");
        let mut size = Size::default();
        size.add(4_000);
        size.count(2_000);
        size.add(900);
        size.replace(1_000, 600, 30);
        assert_eq!((size.tokens_max(), size.tokens_likely()), (2_930, 1_500 + 110));
    }

    #[test]
    fn numbers_without_bounds_stay_numbers() {
        let mut size = Size::default();
        size.add(u64::MAX);
        size.count(u64::MAX);
        size.add(u64::MAX);
        size.replace(u64::MAX, u64::MAX, u64::MAX);
        assert_eq!(size.tokens_max(), u64::MAX);
        assert_eq!(likely_bytes(u64::MAX), u64::MAX);
    }
}
