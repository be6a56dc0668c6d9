//! Words that point at something earlier: "it", "the result", "all of them".

use super::lexer::{Token, phrase_length};

/// What is pointed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Earlier {
    /// The last result: "it", "that", "the answer".
    Last,
    /// All results of this request: "the results", "them", "both".
    All,
    /// The last weather report.
    Weather,
}

/// What is pointed with, longest first.
const POINTERS: &[(&str, Earlier)] = &[
    ("all of the results", Earlier::All),
    ("all of these", Earlier::All),
    ("all of them", Earlier::All),
    ("all of those", Earlier::All),
    ("all the results", Earlier::All),
    ("all the answers", Earlier::All),
    ("both of them", Earlier::All),
    ("both results", Earlier::All),
    ("both answers", Earlier::All),
    ("all results", Earlier::All),
    ("all answers", Earlier::All),
    ("these results", Earlier::All),
    ("those results", Earlier::All),
    ("the three results", Earlier::All),
    ("the two results", Earlier::All),
    ("the results", Earlier::All),
    ("the answers", Earlier::All),
    ("the numbers", Earlier::All),
    ("everything", Earlier::All),
    ("results", Earlier::All),
    ("answers", Earlier::All),
    ("these", Earlier::All),
    ("those", Earlier::All),
    ("both", Earlier::All),
    ("them", Earlier::All),
    ("all", Earlier::All),
    ("the weather report", Earlier::Weather),
    ("the weather forecast", Earlier::Weather),
    ("the weather", Earlier::Weather),
    ("the forecast", Earlier::Weather),
    ("the result of that", Earlier::Last),
    ("the last result", Earlier::Last),
    ("the last answer", Earlier::Last),
    ("the previous result", Earlier::Last),
    ("the previous answer", Earlier::Last),
    ("the final result", Earlier::Last),
    ("the search results", Earlier::Last),
    ("its contents", Earlier::Last),
    ("its content", Earlier::Last),
    ("the contents", Earlier::Last),
    ("the content", Earlier::Last),
    ("your answer", Earlier::Last),
    ("the result", Earlier::Last),
    ("the answer", Earlier::Last),
    ("the outcome", Earlier::Last),
    ("the output", Earlier::Last),
    ("the number", Earlier::Last),
    ("the value", Earlier::Last),
    ("the total", Earlier::Last),
    ("the sum", Earlier::Last),
    ("the product", Earlier::Last),
    ("the list", Earlier::Last),
    ("the matches", Earlier::Last),
    ("what you found", Earlier::Last),
    ("that result", Earlier::Last),
    ("this result", Earlier::Last),
    ("that answer", Earlier::Last),
    ("that number", Earlier::Last),
    ("that value", Earlier::Last),
    ("this number", Earlier::Last),
    ("that list", Earlier::Last),
    ("the same", Earlier::Last),
    ("result", Earlier::Last),
    ("answer", Earlier::Last),
    ("that", Earlier::Last),
    ("this", Earlier::Last),
    ("it", Earlier::Last),
];

/// What the tokens at the beginning point at, and how many of them do.
pub(super) fn at_start(tokens: &[Token<'_>]) -> Option<(Earlier, usize)> {
    POINTERS.iter().find_map(|(phrase, earlier)| Some((*earlier, phrase_length(tokens, phrase)?)))
}

/// All words that point at something.
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    POINTERS.iter().flat_map(|(phrase, _)| phrase.split(' '))
}

/// What the tokens point at, all of them together.
pub(super) fn whole(tokens: &[Token<'_>]) -> Option<Earlier> {
    let (last, rest) = tokens.split_last()?;
    let tokens = if last.word == "down" && !rest.is_empty() { rest } else { tokens };
    at_start(tokens).filter(|(_, length)| *length == tokens.len()).map(|(earlier, _)| earlier)
}
