//! What a try cost that ended before the provider told it.
//!
//! An estimate errs to the dear side and is never zero: a provider charges for a stream
//! that was cut. What it told stands; what it did not tell is counted from bytes.

use kernel::message::Usage;

/// Fewest bytes that a token stands for. Tokenizers in use average three to four on
/// text and code; two leaves room for what is dense.
const BYTES_PER_TOKEN_MIN: u64 = 2;

/// The size of what was asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// The request as sent, in bytes.
    pub(super) bytes: u64,
    /// The longest answer that it allows, in tokens.
    pub(super) max_tokens: u32,
}

impl Asked {
    /// The tokens of an answer that ended early: what was told so far, and what
    /// `output_bytes` of it imply.
    pub(super) fn estimate(&self, told: Option<Usage>, output_bytes: u64) -> Usage {
        let mut usage = told.unwrap_or_default();
        if usage.input_total() == 0 {
            usage.input = self.bytes.div_ceil(BYTES_PER_TOKEN_MIN).max(1);
        }
        let heard = output_bytes.div_ceil(BYTES_PER_TOKEN_MIN);
        usage.output = usage.output.max(heard.min(u64::from(self.max_tokens)));
        usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l11_an_estimate_keeps_what_was_told_and_is_never_zero() {
        let asked = Asked { bytes: 100, max_tokens: 30 };
        let usage = |input, output| Usage { input, output, ..Usage::default() };
        let cached = Usage { cache_read: 40, output: 1, ..Usage::default() };
        let cases = [
            (None, 0, usage(50, 0)),
            (None, 21, usage(50, 11)),
            (Some(usage(17, 1)), 0, usage(17, 1)),
            (Some(usage(17, 1)), 20, usage(17, 10)),
            (Some(usage(17, 25)), 20, usage(17, 25)),
            (Some(cached), 4, Usage { cache_read: 40, output: 2, ..Usage::default() }),
            (None, 1_000_000, usage(50, 30)),
        ];
        for (told, bytes, expected) in cases {
            assert_eq!(asked.estimate(told, bytes), expected, "{told:?} and {bytes} bytes");
        }
        assert_eq!(Asked { bytes: 0, max_tokens: 1 }.estimate(None, 0), usage(1, 0));
    }
}
