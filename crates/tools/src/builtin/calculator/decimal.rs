//! Decimal numbers as text: reading what the language underneath writes, and rounding it.
//!
//! It rounds wrongly itself: where the last kept digit is a zero, it raises the digit
//! before (`1.005` to two places becomes `2`). So it is only asked for digits, and more
//! of them than needed; every rounding is done here, half away from zero.

/// A result as it was written: `approx. -12.5 km / h`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decimal<'t> {
    pub(super) approximate: bool,
    negative: bool,
    whole: &'t str,
    part: &'t str,
    rest: &'t str,
}

/// How much of a number is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Precision {
    /// Digits after the point.
    pub(super) places: usize,
    /// Digits from the first that is not zero.
    pub(super) figures: usize,
}

impl<'t> Decimal<'t> {
    /// Reads a result; `None` where it is not one decimal number with or without a unit.
    pub(super) fn read(text: &'t str) -> Option<Self> {
        let (text, approximate) = after(text, "approx. ");
        let (text, negative) = after(text, "-");
        let (whole, rest) = digits(text);
        let (part, rest) = match rest.strip_prefix('.') {
            Some(rest) => digits(rest),
            None => ("", rest),
        };
        let pointless = part.is_empty() && text[whole.len()..].starts_with('.');
        let more = rest.trim_start().starts_with(['+', '-', '/', '(']);
        if whole.is_empty() || pointless || more {
            return None;
        }
        Some(Decimal { approximate, negative, whole, part, rest })
    }

    /// Digits after the point.
    pub(super) fn places(&self) -> usize {
        self.part.len()
    }

    /// Whether nothing but zeros is left with so many digits after the point.
    pub(super) fn vanishes(&self, places: usize) -> bool {
        let rounded = self.rounded(Precision { places, figures: usize::MAX });
        Decimal::read(&rounded).is_some_and(|it| it.digits().all(|digit| digit == b'0'))
    }

    fn digits(&self) -> impl Iterator<Item = u8> + '_ {
        self.whole.bytes().chain(self.part.bytes())
    }

    /// The number with fewer digits, marked as approximate where that changes it.
    pub(super) fn rounded(&self, to: Precision) -> String {
        let digits: Vec<u8> = self.digits().collect();
        let point = self.whole.len();
        let first = digits.iter().position(|digit| *digit != b'0').unwrap_or(0);
        let keep = point.saturating_add(to.places).min(first.saturating_add(to.figures));
        let keep = keep.min(digits.len());
        let (mut kept, dropped) = (digits[..keep].to_vec(), &digits[keep..]);
        let changed = dropped.iter().any(|digit| *digit != b'0');
        let mut point = point;
        if dropped.first().is_some_and(|digit| *digit >= b'5') && raise(&mut kept) {
            point += 1;
        }
        let places_kept = kept.len().saturating_sub(point);
        kept.resize(kept.len().max(point), b'0');
        let text = String::from_utf8_lossy(&kept);
        let (whole, part) = text.split_at(kept.len() - places_kept);
        let whole = whole.trim_start_matches('0');
        let nothing = kept.iter().all(|digit| *digit == b'0');
        let mark = if self.approximate || changed { "approx. " } else { "" };
        let sign = if self.negative && !nothing { "-" } else { "" };
        let whole = if whole.is_empty() { "0" } else { whole };
        let point = if part.is_empty() { "" } else { "." };
        format!("{mark}{sign}{whole}{point}{part}{}", self.rest)
    }
}

/// Adds one to the last digit; whether that made a digit more.
fn raise(digits: &mut Vec<u8>) -> bool {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return false;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
    true
}

/// The same number without zeros at its end.
pub(super) fn without_zeros(text: &str) -> String {
    let Some(it) = Decimal::read(text).filter(|it| it.part.ends_with('0')) else {
        return text.to_owned();
    };
    let until = text.len() - it.rest.len();
    let number = text[..until].trim_end_matches('0').trim_end_matches('.');
    format!("{number}{}", it.rest)
}

fn after<'t>(text: &'t str, mark: &str) -> (&'t str, bool) {
    text.strip_prefix(mark).map_or((text, false), |rest| (rest, true))
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_half_away_from_zero() {
        let cases = [
            ("1.005", 2, 99, "approx. 1.01"),
            ("-1.005 km", 2, 99, "approx. -1.01 km"),
            ("1.0049999", 2, 99, "approx. 1.00"),
            ("1.2305", 3, 99, "approx. 1.231"),
            ("0.005", 2, 99, "approx. 0.01"),
            ("-0.004", 2, 99, "approx. 0.00"),
            ("9.995", 2, 99, "approx. 10.00"),
            ("999.5", 0, 99, "approx. 1000"),
            ("0.5", 0, 99, "approx. 1"),
            ("1.05", 2, 99, "1.05"),
            ("12", 2, 99, "12"),
            ("12999", 0, 2, "approx. 13000"),
            ("19.99", 9, 1, "approx. 20"),
            ("99.96", 9, 3, "approx. 100.0"),
            ("0.00123456", 9, 3, "approx. 0.00123"),
            ("approx. 3.5 m", 9, 99, "approx. 3.5 m"),
        ];
        for (text, places, figures, wanted) in cases {
            let number = Decimal::read(text).unwrap();
            assert_eq!(number.rounded(Precision { places, figures }), wanted, "{text}");
        }
        for text in ["22/7", "0.(3)", "0 + 2i", "1 - i", "ff", "true", "5."] {
            assert_eq!(Decimal::read(text), None, "{text}");
        }
        assert_eq!(without_zeros("approx. 1.50 km"), "approx. 1.5 km");
        assert_eq!(without_zeros("10.00"), "10");
        assert_eq!(without_zeros("100"), "100");
    }
}
