//! Numbers in words: "twelve", "twenty-five", "three hundred and five", "two point five".

use super::lexer::Token;

const SMALL: &[&str] = &[
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: &[&str] =
    &["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const SCALES: &[(&str, u64)] =
    &[("dozen", 12), ("thousand", 1_000), ("million", 1_000_000), ("billion", 1_000_000_000)];

/// Longest number in words, in tokens.
const TOKENS_MAX: usize = 16;

/// The number that stands in words at the beginning, and how many tokens it takes.
pub(super) fn read(tokens: &[Token<'_>]) -> Option<(String, usize)> {
    let tokens = &tokens[..tokens.len().min(TOKENS_MAX)];
    let (mut whole, mut part, mut at, mut length) = (0_u64, 0_u64, 0, 0);
    while let Some(token) = tokens.get(at) {
        let word = token.word.as_str();
        let article = matches!(word, "a" | "an") && length == 0;
        let follows = tokens.get(at + 1).is_some_and(|next| is_scale(&next.word));
        if let Some(value) = small(word) {
            part = part.checked_add(value)?;
        } else if article && follows {
            part = 1;
        } else if word == "hundred" && length > 0 {
            part = part.max(1).checked_mul(100)?;
        } else if let Some(scale) = scale(word).filter(|_| length > 0) {
            whole = whole.checked_add(part.max(1).checked_mul(scale)?)?;
            part = 0;
        } else if word == "and"
            && length > 0
            && is_scale(&tokens[at - 1].word)
            && names_number(tokens.get(at + 1))
        {
            at += 1;
            continue;
        } else {
            break;
        }
        at += 1;
        length = at;
    }
    let number = whole.checked_add(part)?.to_string();
    let (decimals, more) = decimals(&tokens[length..]);
    (length > 0).then(|| (number + &decimals, length + more))
}

/// What a word like "million" multiplies by.
pub(super) fn scale(word: &str) -> Option<u64> {
    SCALES.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}

/// Whether "and" may stand behind this word within a number.
pub(super) fn is_scale(word: &str) -> bool {
    word == "hundred" || scale(word).is_some()
}

fn names_number(token: Option<&Token<'_>>) -> bool {
    token.is_some_and(|token| small(&token.word).is_some())
}

/// A number below one hundred in one word.
fn small(word: &str) -> Option<u64> {
    let at =
        |list: &[&str], word: &str| list.iter().position(|name| *name == word).map(|at| at as u64);
    if let Some((tens, ones)) = word.split_once('-') {
        return Some((at(TENS, tens)? + 2) * 10 + at(&SMALL[..10], ones)?);
    }
    at(SMALL, word).or_else(|| Some((at(TENS, word)? + 2) * 10))
}

/// "point five two" → `.52`.
fn decimals(tokens: &[Token<'_>]) -> (String, usize) {
    let digit = |token: &Token<'_>| small(&token.word).filter(|value| *value < 10);
    let digits: String = match tokens {
        [point, rest @ ..] if point.word == "point" => {
            rest.iter().map_while(digit).map(|d| d.to_string()).collect()
        }
        _ => String::new(),
    };
    if digits.is_empty() { (String::new(), 0) } else { (format!(".{digits}"), digits.len() + 1) }
}

#[cfg(test)]
mod tests {
    use super::super::lexer::tokens;
    use super::*;

    #[test]
    fn words_are_numbers() {
        for (text, expected) in [
            ("twelve", Some(("12", 1))),
            ("twenty-five apples", Some(("25", 1))),
            ("three hundred and five", Some(("305", 4))),
            ("two thousand", Some(("2000", 2))),
            ("a million", Some(("1000000", 2))),
            ("a dozen", Some(("12", 2))),
            ("two point five", Some(("2.5", 3))),
            ("four and five", Some(("4", 1))),
            ("and", None),
            ("a cat", None),
        ] {
            let found = read(&tokens(text));
            assert_eq!(found, expected.map(|(n, l): (&str, usize)| (n.to_owned(), l)), "{text}");
        }
    }
}
