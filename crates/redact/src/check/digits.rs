//! Check digits that several numbers share. Slices hold digits from 0 to 9.

/// The digits of a text, whatever stands between them. Longer ones than any number that
/// is looked for are cut.
pub(crate) fn of(text: &str) -> Vec<u8> {
    text.bytes().filter(u8::is_ascii_digit).map(|b| b - b'0').take(40).collect()
}

/// Cards and many national numbers: ISO/IEC 7812-1, annex B.
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let doubled = |(at, digit): (usize, &u8)| {
        let value = u32::from(*digit);
        if at % 2 == 0 { value } else { value * 2 / 10 + value * 2 % 10 }
    };
    let sum: u32 = digits.iter().rev().enumerate().map(doubled).sum();
    !digits.is_empty() && sum.is_multiple_of(10)
}

/// The sum of products of digits and weights, over the shorter of the two.
pub(crate) fn weighed(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum()
}

/// The number that the digits write; at most 18 of them fit.
pub(crate) fn number(digits: &[u8]) -> u64 {
    digits.iter().take(18).fold(0, |sum, digit| sum * 10 + u64::from(*digit))
}

/// Verhoeff's check over the dihedral group D5, as in Aadhaar.
pub(crate) fn verhoeff(digits: &[u8]) -> bool {
    const SHIFT: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let permuted = |digit: u8, times: usize| {
        (0..times % 8).fold(digit, |digit, _| SHIFT[usize::from(digit % 10)])
    };
    let sum = digits
        .iter()
        .rev()
        .enumerate()
        .fold(0, |sum, (at, digit)| dihedral(sum, permuted(*digit, at)));
    sum == 0
}

/// Multiplication in D5: 0 to 4 turn, 5 to 9 turn and mirror.
fn dihedral(a: u8, b: u8) -> u8 {
    match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b - 5) % 5,
        (false, true) => 5 + (a - 5 + 5 - b) % 5,
        (false, false) => (a + 5 - b) % 5,
    }
}

/// ISO 7064, MOD 11,10: the German tax number.
pub(crate) fn mod_11_10(digits: &[u8]) -> bool {
    let Some((check, rest)) = digits.split_last() else { return false };
    let product = rest.iter().fold(10, |product, digit| {
        let sum = (u32::from(*digit) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == u32::from(*check)
}

/// Whether the digits could be a day: year of two or four digits, month, day.
pub(crate) fn is_day(month: u64, day: u64) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// Whether all digits are the same.
pub(crate) fn all_same(digits: &[u8]) -> bool {
    digits.windows(2).all(|pair| pair[0] == pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_pass_and_a_changed_digit_fails() {
        type Check = fn(&[u8]) -> bool;
        let cases: [(&str, Check); 4] = [
            ("4111111111111111", luhn),
            ("79927398713", luhn),
            ("2363", verhoeff),
            ("86095742719", mod_11_10),
        ];
        for (text, check) in cases {
            let mut digits = of(text);
            assert!(check(&digits), "{text}");
            for at in 0..digits.len() {
                let right = digits[at];
                digits[at] = (right + 1) % 10;
                assert!(!check(&digits), "{text} with place {at} changed");
                digits[at] = right;
            }
        }
    }
}
