//! How long a conversation is, as far as anybody knows.
//!
//! Two numbers for two uses. The bound is for money: a token is at least one byte, so it
//! is never too low. The likely length is for deciding when a conversation is too long:
//! a byte is not a token, and one who waits for the bound compacts far too early.

/// Bytes that make a token, until the provider has counted.
const BYTES_PER_TOKEN: u64 = 3;

/// The length of a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// Tokens that the provider counted up to its last answer; 0: it never did.
    counted: u64,
    /// Bytes added since.
    new: u64,
    /// Bytes of all that is shown.
    shown: u64,
    /// Tokens of all that is shown, as a guess.
    likely: u64,
}

impl Size {
    pub(super) fn add(&mut self, bytes: u64) {
        self.new = self.new.saturating_add(bytes);
        self.shown = self.shown.saturating_add(bytes);
        self.likely = self.likely.saturating_add(bytes.div_ceil(BYTES_PER_TOKEN));
    }

    /// The provider counted all that is shown.
    pub(super) fn count(&mut self, tokens: u64) {
        (self.counted, self.new, self.likely) = (tokens, 0, tokens);
    }

    /// Bytes went, and others came in their place. Nobody knows how many tokens those
    /// were, so a bound that the provider's count is part of never sinks by itself.
    pub(super) fn replace(&mut self, gone: u64, come: u64) {
        let left = self.shown.saturating_sub(gone);
        self.likely = scaled(self.likely, left, self.shown);
        self.shown = left;
        if self.counted == 0 {
            self.new = self.new.saturating_sub(gone);
        }
        self.add(come);
    }

    /// No request with this conversation counts more tokens.
    pub(super) fn tokens_max(&self) -> u64 {
        self.counted.saturating_add(self.new)
    }

    /// What a request with this conversation probably counts.
    pub(super) fn tokens_likely(&self) -> u64 {
        self.likely
    }

    /// What so many bytes of it probably count.
    pub(super) fn tokens_of(&self, bytes: u64) -> u64 {
        scaled(self.likely, bytes, self.shown)
    }

    /// How many bytes of it so many tokens probably are.
    pub(super) fn bytes_of(&self, tokens: u64) -> u64 {
        scaled(self.shown, tokens, self.likely)
    }

    /// Bytes of all that is shown.
    pub(super) fn bytes(&self) -> u64 {
        self.shown
    }
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
        size.count(600);
        assert_eq!((size.tokens_max(), size.tokens_likely()), (600, 600));
        assert_eq!((size.tokens_of(1_500), size.bytes_of(60)), (300, 300));
        size.add(30);
        assert_eq!((size.tokens_max(), size.tokens_likely()), (630, 610));
    }

    #[test]
    fn what_is_cleared_lowers_the_guess_and_never_a_counted_bound() {
        let mut size = Size::default();
        size.add(4_000);
        size.replace(3_000, 30);
        assert_eq!((size.tokens_max(), size.bytes()), (1_030, 1_030), "bytes are bytes");
        let mut size = Size::default();
        size.add(4_000);
        size.count(1_000);
        size.replace(3_000, 30);
        assert_eq!((size.tokens_max(), size.tokens_likely()), (1_030, 260));
    }

    #[test]
    fn numbers_without_bounds_stay_numbers() {
        let mut size = Size::default();
        size.count(u64::MAX);
        size.add(u64::MAX);
        size.replace(u64::MAX, u64::MAX);
        assert_eq!(size.tokens_max(), u64::MAX);
        assert_eq!(Size::default().bytes_of(7), 0);
    }
}
