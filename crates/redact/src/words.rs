//! Words that say what the text beside them is, read from `data/words.json`.

use std::collections::BTreeSet;

use serde::Deserialize;

const BUILT_IN: &str = include_str!("../data/words.json");

/// The words, by what they say. All are in lower case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Words {
    #[serde(rename = "about")]
    _about: String,
    /// Whatever stands there is the secret.
    pub(crate) secret_nouns: BTreeSet<String>,
    pub(crate) secret_noun_endings: Vec<String>,
    /// What stands there is a secret where it looks like one.
    pub(crate) token_nouns: BTreeSet<String>,
    pub(crate) token_noun_endings: Vec<String>,
    /// Nouns that say little without a qualifier.
    pub(crate) key_nouns: BTreeSet<String>,
    pub(crate) key_qualifiers: BTreeSet<String>,
    /// What may follow the noun without changing what it means.
    pub(crate) after_noun: BTreeSet<String>,
    /// What makes another thing of it: `public_key`, `max_tokens`.
    pub(crate) before_noun_never: BTreeSet<String>,
    /// Nouns that need a value that looks drawn by lot.
    pub(crate) weak_nouns: BTreeSet<String>,
    pub(crate) value_never: BTreeSet<String>,
    pub(crate) value_marks: Vec<String>,
    pub(crate) is_words: BTreeSet<String>,
    /// What may follow those: `was changed to`.
    pub(crate) verb_words: BTreeSet<String>,
    pub(crate) phone_words: BTreeSet<String>,
    pub(crate) phone_verbs: BTreeSet<String>,
    pub(crate) card_words: BTreeSet<String>,
    pub(crate) not_person_words: BTreeSet<String>,
    pub(crate) birth_words: Vec<String>,
    pub(crate) card_check_words: Vec<String>,
    pub(crate) pin_words: Vec<String>,
    pub(crate) street_endings_before_number: Vec<String>,
    pub(crate) street_endings_maybe: Vec<String>,
    pub(crate) street_words_after_number: BTreeSet<String>,
    pub(crate) file_endings: BTreeSet<String>,
}

impl Words {
    /// The words of the house.
    pub(crate) fn built_in() -> Words {
        serde_json::from_str(BUILT_IN).expect("INVARIANT: a test reads the words of the house")
    }
}

/// How a placeholder begins. What is glued to one was glued to what it stands for, and was
/// judged then.
pub(crate) const PLACEHOLDER_HEAD: &[u8] = b"[redacted:";

/// How far before a value a word that explains it may stand.
const BEFORE_BYTES: usize = 56;

/// The words before a place, nearest first, as far as they may explain what stands there.
/// Names in code come apart at `_`, `-` and capitals.
pub(crate) fn before(text: &str, at: usize) -> Vec<String> {
    let mut words = split(context(text, at));
    words.reverse();
    words
}

/// The text before a place, from the last placeholder on: its words explain nothing.
fn context(text: &str, at: usize) -> &str {
    let before = &text[floor(text, at.saturating_sub(BEFORE_BYTES))..at];
    let placeholder = before.rfind("[redacted:").and_then(|open| {
        let close = before[open..].find(']')?;
        Some(open + close + 1)
    });
    &before[placeholder.unwrap_or(0)..]
}

/// Splits prose and names of code into words in lower case.
pub(crate) fn split(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last = ' ';
    for c in text.chars() {
        let begins = !last.is_alphanumeric() || (c.is_uppercase() && last.is_lowercase());
        if c.is_alphanumeric() {
            match words.last_mut() {
                Some(word) if !begins => word.extend(c.to_lowercase()),
                Some(_) | None => words.push(c.to_lowercase().collect()),
            }
        }
        last = c;
    }
    words
}

/// The nearest border of characters at or before a place.
pub(crate) fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Signs of scripts that are written without spaces between words.
pub(crate) fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{2E80}'..='\u{D7FF}' | '\u{F900}'..='\u{FAFF}' | '\u{FF00}'..='\u{FFEF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Letters and digits that words with spaces between are made of.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() && !is_ideograph(c)
}

/// Whether one of the phrases ends in the text before a place, with nothing but a few
/// short words between.
pub(crate) fn phrase_before(text: &str, at: usize, phrases: &[String]) -> bool {
    let lower = context(text, at).to_lowercase();
    phrases.iter().any(|phrase| {
        lower.match_indices(phrase.as_str()).any(|(start, _)| {
            let end = start + phrase.len();
            let left = lower[..start].chars().next_back();
            let right = lower[end..].chars().next();
            let rest = &lower[end..];
            !left.is_some_and(|c| is_word(c) && c.is_alphabetic())
                && (phrase.ends_with('.')
                    || !right.is_some_and(|c| is_word(c) && c.is_alphabetic()))
                && rest.len() <= 32
                && !rest.contains(['\n', ';'])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_house_are_read_and_in_lower_case() {
        let words = Words::built_in();
        let sets =
            [&words.secret_nouns, &words.token_nouns, &words.phone_words, &words.value_never];
        for word in sets.into_iter().flatten() {
            assert_eq!(*word, word.to_lowercase());
        }
    }

    #[test]
    fn names_come_apart() {
        assert_eq!(split("DB_PASSWORD"), ["db", "password"]);
        assert_eq!(split("clientSecretKey2"), ["client", "secret", "key2"]);
        assert_eq!(split("x-api-key: "), ["x", "api", "key"]);
    }

    #[test]
    fn a_phrase_must_end_before_the_place() {
        let phrases = ["date of birth".to_owned(), "geb.".to_owned()];
        for (text, right) in [
            ("date of birth: ", true),
            ("geb.", true),
            ("update of birth: ", false),
            ("date of births ", false),
        ] {
            assert_eq!(phrase_before(text, text.len(), &phrases), right, "{text}");
        }
    }
}
