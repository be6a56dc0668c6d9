//! Where and when somebody wants to know the weather.

use super::{Intent, Slots, Task, words};
use crate::simulated::planner::lexer::{Kind, Token, is_date};

/// Words around a place that are not part of its name.
const AROUND: &[&str] = &[
    "in",
    "for",
    "at",
    "on",
    "of",
    "the",
    "like",
    "be",
    "is",
    "currently",
    "now",
    "right",
    "there",
    "a",
    "local",
    ",",
];

/// Days that cannot be named without a calendar, which this brain does not have.
const UNKNOWN_DAYS: &[&str] = &[
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "weekend",
    "week",
    "month",
    "yesterday",
    "after",
    "later",
];

/// Longest name of a place, in tokens.
const PLACE_TOKENS_MAX: usize = 6;

pub(super) fn read(slots: &Slots<'_, '_>, again: bool) -> Option<Intent> {
    if slots.says(UNKNOWN_DAYS) && !again {
        return Some(Intent::Unclear(
            "I have no calendar: for the weather, say `today`, `tomorrow` or a date like `2026-11-30`.",
        ));
    }
    let rest = slots.tokens("rest").unwrap_or_default();
    let place = place(rest);
    let day = slots.clause.iter().find_map(day);
    if place.len() > PLACE_TOKENS_MAX
        || place.iter().any(|token| token.word == "and") && !is_one_country(place)
        || place.iter().any(|token| !belongs_to_a_name(token))
    {
        return None;
    }
    let place = (!place.is_empty()).then(|| words(place, slots.source));
    if place.is_none() && day.is_none() && again {
        return None;
    }
    Some(Intent::Do(Task::Weather { place, day, again }))
}

fn day(token: &Token<'_>) -> Option<String> {
    match token.word.as_str() {
        "today" | "tonight" | "today's" => Some("today".to_owned()),
        "tomorrow" | "tomorrow's" => Some("tomorrow".to_owned()),
        word if token.kind == Kind::Word && is_date(word) => Some(word.to_owned()),
        _ => None,
    }
}

/// What is left when days and small words are taken from both ends.
fn place<'t, 'a>(mut rest: &'t [Token<'a>]) -> &'t [Token<'a>] {
    let around = |token: &Token<'_>| AROUND.contains(&token.word.as_str()) || day(token).is_some();
    while let [first, others @ ..] = rest
        && around(first)
    {
        rest = others;
    }
    while let [others @ .., last] = rest
        && around(last)
    {
        rest = others;
    }
    rest
}

/// Places with "and" in their names. Any other "and" stands between two places.
fn is_one_country(place: &[Token<'_>]) -> bool {
    const FIRST_WORDS: &[&str] = &["trinidad", "bosnia", "antigua", "saint", "são", "turks"];
    place.first().is_some_and(|first| FIRST_WORDS.contains(&first.word.as_str()))
}

fn belongs_to_a_name(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Word | Kind::Quoted => true,
        Kind::Mark => matches!(token.word.as_str(), "," | "-" | "." | "'"),
        Kind::Number | Kind::Free | Kind::Break => false,
    }
}
