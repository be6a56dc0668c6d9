//! One spelling for each number: `1`, `1.0` and `1e0` are the same.
//!
//! Whole numbers stay exact at any length. Others are what a double makes of them, as in
//! RFC 8785 (section 3.2.2.3); where a double would lose them whole (too large, too
//! small), their digits stay.

/// Digits with a power of ten: `digits × 10^power`. No zeros at either end of `digits`.
struct Decimal {
    negative: bool,
    digits: String,
    power: i64,
}

/// The normal form of a JSON number.
pub(super) fn normal(text: &str) -> String {
    let Some(decimal) = decimal(text) else {
        return text.to_owned();
    };
    if decimal.digits.is_empty() {
        return "0".to_owned();
    }
    if decimal.power >= 0 {
        return written(&decimal);
    }
    match text.parse::<f64>() {
        Ok(double) if double.is_finite() && double != 0.0 => self::decimal(&format!("{double:e}"))
            .map_or_else(|| written(&decimal), |rounded| written(&rounded)),
        Ok(_) | Err(_) => written(&decimal),
    }
}

fn written(decimal: &Decimal) -> String {
    let sign = if decimal.negative { "-" } else { "" };
    format!("{sign}{}e{}", decimal.digits, decimal.power)
}

/// `None`: the exponent is beyond all reason, and the text speaks for itself.
fn decimal(text: &str) -> Option<Decimal> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i64 = exponent.trim_start_matches('+').parse().ok()?;
    let digits = format!("{whole}{part}");
    let trimmed = digits.trim_end_matches('0');
    let dropped = i64::try_from(digits.len() - trimmed.len()).ok()?;
    let part = i64::try_from(part.len()).ok()?;
    let power = exponent.checked_sub(part)?.checked_add(dropped)?;
    Some(Decimal { negative, digits: trimmed.trim_start_matches('0').to_owned(), power })
}

/// The digits of a normal form: `1763712345e0` as it was written, and of a number with a
/// fraction all its digits.
pub(super) fn digits(normal: &str) -> String {
    let Some((digits, power)) = normal.split_once('e') else {
        return normal.to_owned();
    };
    let zeros = power.parse::<usize>().ok().filter(|zeros| *zeros < 20).unwrap_or(0);
    format!("{digits}{}", "0".repeat(zeros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        let same = [
            &["1", "1.0", "1e0", "1E+0", "10e-1", "0.1e1", "1.000"][..],
            &["0", "-0", "0.0", "-0.0", "0e9", "0e-400"],
            &["1e21", "1000000000000000000000", "1.0E21"],
            &["-1.5", "-15e-1", "-1.50"],
            // From the samples of RFC 8785: one double, two spellings.
            &["333333333.33333329", "333333333.3333333"],
        ];
        for spellings in same {
            for spelling in spellings {
                assert_eq!(normal(spelling), normal(spellings[0]), "{spelling}");
            }
        }
        let firsts: Vec<String> = same.iter().map(|spellings| normal(spellings[0])).collect();
        for (place, first) in firsts.iter().enumerate() {
            assert!(!firsts[..place].contains(first), "{first}");
        }
    }

    #[test]
    fn nothing_is_lost_of_numbers_beyond_a_double() {
        let differ = [
            ("9007199254740992", "9007199254740993"),
            ("123456789012345678901234567890", "123456789012345678901234567891"),
            ("1e400", "2e400"),
            ("1e-400", "2e-400"),
            ("1e99999999999999999999", "2e99999999999999999999"),
        ];
        for (one, other) in differ {
            assert_ne!(normal(one), normal(other), "{one}");
        }
    }
}
