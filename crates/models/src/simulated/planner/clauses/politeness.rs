//! Words that are said only to be polite, at both ends of a wish.

use crate::simulated::planner::lexer::{Kind, Token, phrase_length};

/// What is said only to be polite, before a wish. Longer ones first.
const POLITE_BEFORE: &[&str] = &[
    "i would like you to",
    "i'd like you to",
    "i would like to",
    "i'd like to",
    "do me a favour",
    "do me a favor",
    "i want you to",
    "i need you to",
    "would you mind",
    "can you please",
    "could you",
    "would you",
    "can you",
    "will you",
    "i want to",
    "i want",
    "i need to",
    "i need",
    "let us",
    "let's",
    "please",
    "kindly",
    "just",
    "so",
    "now",
    "first",
    "well",
    "try to",
    "go ahead",
    "quickly",
];

/// What is said only to be polite, after a wish.
const POLITE_AFTER: &[&str] = &[
    "please",
    "for me",
    "thanks",
    "thank you",
    "if you can",
    "if possible",
    "right now",
    "now",
    "too",
    "as well",
    "instead",
    "first",
    "thanks a lot",
    "would you",
    "to me",
    "aloud",
];

/// The tokens behind all politeness and its commas.
pub(super) fn without_politeness<'t, 'a>(mut tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    let polite = |tokens: &[Token<'_>]| {
        POLITE_BEFORE.iter().find_map(|phrase| phrase_length(tokens, phrase))
    };
    while let Some(length) = polite(tokens).filter(|length| *length < tokens.len()) {
        tokens = &tokens[length..];
        if tokens.len() > 1 && tokens[0].word == "," {
            tokens = &tokens[1..];
        }
    }
    tokens
}

/// How many tokens at the end are only polite, or marks.
pub(super) fn polite_end(tokens: &[Token<'_>]) -> Option<usize> {
    if tokens.last().is_some_and(|last| matches!(last.word.as_str(), "," | ":" | "!"))
        && !ends_in_factorial(tokens)
    {
        return Some(1);
    }
    let ends = |phrase: &str| {
        let length = phrase.split(' ').count();
        let from = tokens.len().checked_sub(length)?;
        phrase_length(&tokens[from..], phrase)
    };
    POLITE_AFTER.iter().find_map(|phrase| ends(phrase))
}

fn ends_in_factorial(tokens: &[Token<'_>]) -> bool {
    matches!(tokens, [.., number, mark] if mark.word == "!" && number.kind == Kind::Number)
}
