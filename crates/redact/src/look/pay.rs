//! Numbers of payment cards: grouped as cards are, of a known issuer, with Luhn's digit.
//!
//! One number in ten passes Luhn, so digits without groups also need an issuer whose range
//! and length fit, and no word such as `order` before them.

use super::Search;
use super::number::Window;
use crate::check::digits::{luhn, number, of};
use crate::class::Class;
use crate::words::before;

/// Words back from a number that may say what it is.
const WORDS_NEAR: usize = 4;

impl Search<'_> {
    /// Whether a window is a card.
    pub(super) fn card(&mut self, window: &Window<'_>) -> bool {
        let digits = window.digits();
        if !self.classes.contains(Class::Card) || window.plus || !(12..=19).contains(&digits) {
            return false;
        }
        let grouped = is_grouped_like_a_card(window);
        let one = window.groups.len() == 1;
        let odd = !(grouped || one);
        if odd && (window.groups.len() > 6 || window.separator().is_none_or(|sign| sign == b'/')) {
            return false;
        }
        let number = of(&window.text[window.start()..window.end()]);
        let Some(issuer) = issuer(&number) else { return false };
        if !luhn(&number) || !self.is_meant(window, issuer, grouped) {
            return false;
        }
        self.add(Class::Card, "card", (window.start(), window.end()));
        true
    }

    /// Whether what stands before the number lets it be a card.
    fn is_meant(&self, window: &Window<'_>, issuer: Issuer, grouped: bool) -> bool {
        let words = before(window.text, window.start());
        let near = words.iter().take(WORDS_NEAR);
        let said = near.clone().any(|word| self.rules.words.card_words.contains(word));
        let otherwise = near.take(2).any(|word| self.rules.words.not_person_words.contains(word));
        match issuer {
            _ if said => true,
            Issuer::Sure => grouped || (window.groups.len() == 1 && !otherwise),
            Issuer::Likely => grouped && !otherwise,
        }
    }
}

/// How well the first digits and the length say who gave the card.
#[derive(Clone, Copy)]
enum Issuer {
    /// The range is used for cards of this length and hardly for anything else.
    Sure,
    /// There are such cards, and many other numbers of that form.
    Likely,
}

/// Ranges of issuer numbers: ISO/IEC 7812, as the networks publish them.
fn issuer(digits: &[u8]) -> Option<Issuer> {
    let (two, three, four) = (number(&digits[..2]), number(&digits[..3]), number(&digits[..4]));
    match (digits.len(), digits[0]) {
        (16, 4) => Some(Issuer::Sure),
        (13 | 19, 4) => Some(Issuer::Likely),
        (16, 5) if (51..=55).contains(&two) => Some(Issuer::Sure),
        (16, 2) if (2221..=2720).contains(&four) => Some(Issuer::Sure),
        (15, 3) if matches!(two, 34 | 37) => Some(Issuer::Sure),
        (16, 3) if (3528..=3589).contains(&four) => Some(Issuer::Sure),
        (16, 6) if four == 6011 || two == 65 || (644..=649).contains(&three) => Some(Issuer::Sure),
        (16..=19, 6) if matches!(two, 62 | 81) => Some(Issuer::Likely),
        (14, 3) if matches!(three, 300..=305 | 309) || matches!(two, 36 | 38 | 39) => {
            Some(Issuer::Likely)
        }
        (16, 2) if (2200..=2204).contains(&four) => Some(Issuer::Likely),
        (12..=19, 5 | 6) if two == 50 || (56..=69).contains(&two) => Some(Issuer::Likely),
        _ => None,
    }
}

fn is_grouped_like_a_card(window: &Window<'_>) -> bool {
    const FORMS: [&[usize]; 7] = [
        &[4, 4, 4, 4],
        &[4, 6, 5],
        &[4, 6, 4],
        &[4, 4, 4, 4, 3],
        &[6, 13],
        &[4, 4, 4, 4, 2],
        &[4, 4, 5],
    ];
    let same = window.separator().is_some_and(|sign| matches!(sign, b' ' | b'-' | b'.'));
    same && FORMS.iter().any(|form| window.lengths().eq(form.iter().copied()))
}
