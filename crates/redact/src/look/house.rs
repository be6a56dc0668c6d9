//! Postal addresses that have their number beside the street: `12 Main Street`,
//! `Hauptstraße 12`. The patterns are data; here is what decides that one is tried.

use super::Search;
use crate::class::Class;
use crate::rules::Trigger;
use crate::words::before;

impl Search<'_> {
    /// Looks for an address around a house number.
    pub(super) fn house(&mut self, text: &str, at: usize, end: usize) {
        if !self.classes.contains(Class::Address) {
            return;
        }
        let follows = self.may_follow(text, end);
        let precedes = self.may_precede(text, at) || self.town_follows(text, at, end);
        for (trigger, tried) in [(Trigger::House, follows), (Trigger::HouseLast, precedes)] {
            if !tried {
                continue;
            }
            let rules = self.rules;
            for form in rules.set_off_by(trigger) {
                if let (_, Some(span)) = form.find(&rules.words, text, at) {
                    self.add_said(Class::Address, &form.id, span);
                    return;
                }
            }
        }
    }

    /// Whether the word after a number can begin the name of a street.
    fn may_follow(&self, text: &str, end: usize) -> bool {
        let rest = &text[end..];
        let Some(rest) = rest.strip_prefix(", ").or_else(|| rest.strip_prefix(' ')).or_else(|| {
            rest.strip_prefix('-')
                .map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start())
        }) else {
            return false;
        };
        if rest.starts_with(char::is_uppercase) || rest.starts_with(|c: char| c.is_ascii_digit()) {
            return true;
        }
        let word = rest.split([' ', ',', '\n', '"']).next().unwrap_or_default();
        self.rules.words.street_words_after_number.contains(word)
    }

    /// Whether a number is followed by a postcode and a town, and is no page or line.
    fn town_follows(&self, text: &str, at: usize, end: usize) -> bool {
        let Some(rest) = text[end..].strip_prefix(", ") else { return false };
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let other = &self.rules.words.not_person_words;
        (3..=5).contains(&digits)
            && rest.as_bytes().get(digits) == Some(&b' ')
            && !before(text, at).first().is_some_and(|word| other.contains(word))
    }

    /// Whether the word before a number can end the name of a street.
    fn may_precede(&self, text: &str, at: usize) -> bool {
        let Some(before) = text[..at].strip_suffix(' ') else { return false };
        let before = before.strip_suffix(',').unwrap_or(before);
        let start =
            before.rfind([' ', '\n', '"', '\'', '(', '>', ':', '\t']).map_or(0, |at| at + 1);
        let word = &before[start..];
        if !(2..=64).contains(&word.len())
            || !word.ends_with(|c: char| c.is_alphabetic() || c == '.')
        {
            return false;
        }
        let word = word.to_lowercase();
        let words = &self.rules.words;
        let mut endings =
            words.street_endings_before_number.iter().chain(&words.street_endings_maybe);
        endings.any(|ending| word.ends_with(ending.as_str()))
    }
}
