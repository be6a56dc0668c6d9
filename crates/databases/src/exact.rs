//! JSON of a database, kept exact.
//!
//! A JSON number may hold more digits than a double. A document in which one does is
//! passed on as the text it came as, because a rounded amount is a wrong one.

use serde_json::Value;

/// Digits that a double always keeps.
const DIGITS_MAX: usize = 15;

/// The document, or its text where parsing would change it.
pub(crate) fn json(text: &str) -> Value {
    if !numbers_survive(text) {
        return Value::from(text);
    }
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

fn numbers_survive(text: &str) -> bool {
    outside_strings(text)
        .split(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'))
        .filter(|token| token.bytes().any(|byte| byte.is_ascii_digit()))
        .all(survives)
}

/// The text with every string left out.
fn outside_strings(text: &str) -> String {
    let (mut kept, mut inside, mut escaped) = (String::new(), false, false);
    for letter in text.chars() {
        match letter {
            '"' if !escaped => inside = !inside,
            '\\' if inside && !escaped => {
                escaped = true;
                continue;
            }
            letter if !inside => kept.push(letter),
            _ => {}
        }
        escaped = false;
    }
    kept
}

fn survives(number: &str) -> bool {
    if number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok() {
        return true;
    }
    let (digits, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let significant = digits.bytes().filter(u8::is_ascii_digit).skip_while(|digit| *digit == b'0');
    let exponent = exponent.trim_start_matches('+').parse::<i32>();
    significant.count() <= DIGITS_MAX && exponent.is_ok_and(|power| power.abs() <= 200)
}

#[cfg(test)]
mod tests {
    use super::json;

    #[test]
    fn a_document_is_parsed_only_if_that_changes_no_number() {
        for (text, parsed) in [
            (r#"{"a": [1, -2.50, 1e10, null, true, "x"]}"#, true),
            ("9223372036854775807", true),
            ("18446744073709551615", true),
            ("18446744073709551616", false),
            ("0.12345678901234567890", false),
            (r#"{"a": "0.12345678901234567890"}"#, true),
            (r#"{"a\"": 0.12345678901234567890}"#, false),
            (r#"{"a\\": 0.12345678901234567890}"#, false),
            ("1e999", false),
            ("not json", false),
        ] {
            assert_eq!(json(text).as_str() != Some(text), parsed, "{text}");
        }
    }
}
