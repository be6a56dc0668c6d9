//! What a value says of itself: whether somebody put it there for show, and whether it
//! looks drawn by lot.

use crate::words::Words;

/// Shortest value that can look drawn by lot.
const RANDOM_BYTES_MIN: usize = 16;

/// Whether a value only stands where a secret would: `xxxx`, `<YOUR_KEY>`, `${TOKEN}`, ….
pub(crate) fn is_placeholder(words: &Words, value: &str) -> bool {
    let bare = value.trim_matches(|c: char| !c.is_alphanumeric());
    if bare.is_empty() || few_distinct(value) {
        return true;
    }
    let lower = value.to_lowercase();
    let bracketed = [('<', '>'), ('{', '}'), ('[', ']'), ('(', ')')]
        .iter()
        .any(|(open, close)| value.starts_with(*open) && value.ends_with(*close));
    let variable = value.starts_with(['$', '%']) && is_variable(value);
    bracketed || variable || words.value_marks.iter().any(|mark| lower.contains(mark.as_str()))
}

/// `$NAME`, `%NAME%`, `${NAME}`, `%s`.
fn is_variable(value: &str) -> bool {
    let name = value.trim_start_matches(['$', '%', '{', '(']).trim_end_matches(['}', ')', '%']);
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic() || b"_.-".contains(&b))
}

/// Runs of one or two characters: `xxxxxxxx`, `********`, `0000`.
fn few_distinct(value: &str) -> bool {
    let mut seen = [None; 2];
    let mut body = value.chars().filter(|c| !"-_. ".contains(*c));
    value.len() > 3
        && body.all(|c| match &mut seen {
            [Some(first), _] if *first == c => true,
            [_, Some(second)] if *second == c => true,
            [first @ None, _] | [Some(_), first @ None] => {
                *first = Some(c);
                true
            }
            [Some(_), Some(_)] => false,
        })
}

/// Bits of information in a character, by how often each byte comes (Shannon).
pub(crate) fn entropy_bits(value: &str) -> f64 {
    let mut times = [0_u32; 256];
    value.bytes().for_each(|b| times[usize::from(b)] += 1);
    let length = f64::from(u32::try_from(value.len()).unwrap_or(u32::MAX));
    let bits = |times: &u32| {
        let share = f64::from(*times) / length;
        -share * share.log2()
    };
    times.iter().filter(|times| **times > 0).map(bits).sum()
}

/// Which kinds of characters a value has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Kinds {
    pub(crate) digits: usize,
    pub(crate) upper: usize,
    pub(crate) lower: usize,
    pub(crate) other: usize,
}

/// Counts the kinds.
pub(crate) fn kinds(value: &str) -> Kinds {
    let mut kinds = Kinds::default();
    for c in value.chars() {
        match c {
            '0'..='9' => kinds.digits += 1,
            _ if c.is_uppercase() => kinds.upper += 1,
            _ if c.is_alphabetic() => kinds.lower += 1,
            _ => kinds.other += 1,
        }
    }
    kinds
}

/// Whether a value looks drawn by lot, for a place where a secret is likely anyway.
pub(crate) fn is_random(value: &str) -> bool {
    let kinds = kinds(value);
    let letters = kinds.upper + kinds.lower;
    if value.len() < RANDOM_BYTES_MIN || letters == 0 || value.contains(' ') {
        return false;
    }
    let mixed = kinds.digits > 1
        || (kinds.digits > 0 && kinds.upper > 3 && kinds.lower > 3)
        || (kinds.upper * 10 >= value.len() * 3 && kinds.lower > 3 && kinds.other == 0);
    mixed && entropy_bits(value) >= 2.8 && !is_wordy(value)
}

/// Names with a number in them: `us-east-1`, `read-only-replica-02`, `release_2024_11`.
/// Most of their parts are words or short numbers.
fn is_wordy(value: &str) -> bool {
    let parts = value.split(['-', '_', '.', '/', ':']).filter(|part| !part.is_empty());
    let is_plain = |part: &str| {
        let k = kinds(part);
        (k.digits == 0 && (k.upper <= 1 || k.lower == 0) && k.other == 0 && part.len() < 16)
            || (k.digits == part.len() && part.len() < 14)
            || (k.digits > 0 && part.len() < 5 && k.lower + k.upper <= 2)
    };
    let (all, plain) = parts.fold((0, 0), |(all, plain), part| {
        (all + part.len(), plain + if is_plain(part) { part.len() } else { 0 })
    });
    plain * 10 >= all * 8
}

/// Whether it looks drawn by lot where nothing else says that it is a secret: long, with
/// capitals, small letters and digits well mixed, and no form that harmless things have.
pub(crate) fn is_random_alone(value: &str) -> bool {
    let kinds = kinds(value);
    value.len() >= 24
        && kinds.digits >= 3
        && kinds.upper >= 4
        && kinds.lower >= 4
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=_-.~".contains(&b))
        && !value.contains("://")
        && value.matches('/').count() <= 2
        && entropy_bits(value) >= 3.8
        && !is_wordy(value)
}

/// 8-4-4-4-12 hexadecimal digits.
pub(crate) fn is_uuid(value: &str) -> bool {
    let lengths = value.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && value.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_show_is_told_from_what_is_drawn_by_lot() {
        let words = Words::built_in();
        for show in [
            "xxxxxxxx",
            "********",
            "<YOUR_API_KEY>",
            "${PASSWORD}",
            "{{ token }}",
            "$TOKEN",
            "your-key-here",
            "sk-...",
            "%s",
            "[redacted:password]",
            "process.env.API_KEY",
            "••••••",
        ] {
            assert!(is_placeholder(&words, show), "{show}");
        }
        for real in ["hunter2", "Tr0ub4dor&3", "$ecret99", "correct horse battery staple", "p@ss"] {
            assert!(!is_placeholder(&words, real), "{real}");
        }
        for random in ["a8f5f167f44f4964e6c998dee827110c", "Zx9Kq2Lm4Pw7Rt1Vb5Nc8"] {
            assert!(is_random(random), "{random}");
        }
        for plain in ["my-read-only-replica-02", "getUserByIdAndName", "release_2024_11_29_final"] {
            assert!(!is_random(plain), "{plain}");
        }
        assert!(is_uuid("01234567-89ab-cdef-0123-456789abcdef"));
    }
}
