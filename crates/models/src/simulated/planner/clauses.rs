//! Tokens → clauses: the single wishes of a request.
//!
//! Full stops, question marks and empty lines always part clauses; "and", "then" and
//! commas do so where the next words begin a wish of their own. After a colon in a wish
//! to write something, the rest of the line is one text and nothing parts it.

use super::arithmetic;
use super::lexer::{Kind, PARAGRAPH, Token};

/// The wishes of a request, in order, without the words that only connect or are polite.
pub(super) fn split<'a>(tokens: Vec<Token<'a>>, text: &'a str) -> Vec<Vec<Token<'a>>> {
    let mut clauses = Vec::new();
    let mut open: Vec<Token<'a>> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if let Some(length) = border(&open, &tokens[at..]) {
            clauses.push(std::mem::take(&mut open));
            at += length;
        } else if is_colon_before_text(&open, &tokens[at..]) {
            open.push(tokens[at].clone());
            let (free, length) = free_text(&tokens[at + 1..], text);
            open.push(free);
            at += 1 + length;
        } else {
            if tokens[at].kind != Kind::Break {
                open.push(tokens[at].clone());
            }
            at += 1;
        }
    }
    clauses.push(open);
    clauses.into_iter().map(bare).filter(|clause| !clause.is_empty()).collect()
}

/// Words that stand between two wishes.
const CONNECTORS: [&str; 14] = [
    ",", "and", "then", "also", "afterwards", "next", "finally", "lastly", "plus", "but", "after", "that",
    "additionally", "&",
];

/// Connectors that announce a new wish whatever it begins with.
const ANNOUNCERS: [&str; 6] = ["then", "also", "afterwards", "finally", "lastly", "additionally"];

/// How many tokens the border between two clauses takes, if one stands here.
fn border(open: &[Token<'_>], tokens: &[Token<'_>]) -> Option<usize> {
    let here = &tokens[0];
    if is_full_stop(open, tokens) {
        return Some(1);
    }
    let line_end = here.kind == Kind::Break;
    if !line_end && !CONNECTORS[..10].contains(&here.word.as_str()) && !is_after_that(tokens) {
        return None;
    }
    let run = tokens.iter().take_while(|token| is_connector(token)).count().max(1);
    let connectors = &tokens[..run];
    let next = &tokens[run..];
    let announced = connectors.iter().any(|token| ANNOUNCERS.contains(&token.word.as_str()));
    let sums_up = here.word == "plus" && connectors.len() == 1;
    let parts = !open.is_empty() && !next.is_empty() && !sums_up && (announced || begins_wish(open, next));
    parts.then_some(run)
}

fn is_connector(token: &Token<'_>) -> bool {
    token.kind == Kind::Break && token.word != PARAGRAPH || CONNECTORS.contains(&token.word.as_str())
}

fn is_after_that(tokens: &[Token<'_>]) -> bool {
    tokens[0].word == "after" && tokens.get(1).is_some_and(|token| token.word == "that")
}

fn is_full_stop(open: &[Token<'_>], tokens: &[Token<'_>]) -> bool {
    let here = &tokens[0];
    match here.word.as_str() {
        "." | "?" | ";" | "…" | PARAGRAPH => here.kind != Kind::Word,
        // `5!` is a factorial.
        "!" => !open.last().is_some_and(|last| last.kind == Kind::Number && last.end == here.start),
        _ => false,
    }
}

/// Words that begin a wish.
const STARTERS: [&str; 73] = [
    "add", "append", "attach", "bing", "calculate", "change", "check", "compute", "convert", "create", "delete",
    "display", "divide", "do", "double", "edit", "enumerate", "fetch", "find", "forecast", "get", "give", "google",
    "grep", "halve", "hello", "how", "how's", "list", "load", "locate", "look", "make", "multiply", "note", "open",
    "print", "put", "raise", "read", "recall", "record", "remember", "remove", "rename", "replace", "save", "scan",
    "search", "show", "square", "store", "subtract", "swap", "tell", "triple", "turn", "view", "weather", "what",
    "what're", "what's", "where", "where's", "which", "who", "will", "work", "write", "send", "delete", "translate",
    "explain",
];

/// Words that begin a wish behind an article: "and the weather in Rome".
const NOUNS: [&str; 12] = [
    "weather", "forecast", "temperature", "square", "cube", "sum", "product", "average", "difference", "tip",
    "half", "notes",
];

/// Wishes that take a text: in them, only a verb parts clauses.
const WRITERS: [&str; 16] = [
    "save", "store", "keep", "put", "write", "record", "file", "append", "add", "attach", "create", "make",
    "remember", "note", "replace", "take",
];

fn begins_wish(open: &[Token<'_>], next: &[Token<'_>]) -> bool {
    let next = without_politeness(next);
    let Some(first) = next.first() else { return false };
    if STARTERS.contains(&first.word.as_str()) {
        return true;
    }
    if is_writing(open) {
        return false;
    }
    let noun = if matches!(first.word.as_str(), "the" | "my" | "a") { next.get(1) } else { Some(first) };
    noun.is_some_and(|noun| NOUNS.contains(&noun.word.as_str()))
        || !arithmetic::takes_a_list(open) && arithmetic::begins(next)
}

fn is_writing(open: &[Token<'_>]) -> bool {
    let verb = without_politeness(open).first();
    verb.is_some_and(|verb| WRITERS.contains(&verb.word.as_str())) && !arithmetic::takes_a_list(open)
}

fn is_colon_before_text(open: &[Token<'_>], tokens: &[Token<'_>]) -> bool {
    let verb = without_politeness(skip_connectors(open)).first();
    tokens[0].word == ":"
        && tokens.get(1).is_some_and(|next| !matches!(next.kind, Kind::Quoted))
        && verb.is_some_and(|verb| WRITERS.contains(&verb.word.as_str()))
}

/// The rest of the paragraph as one text, up to ". Then …", and how many tokens it covers.
fn free_text<'a>(tokens: &[Token<'a>], text: &'a str) -> (Token<'a>, usize) {
    let ends = |at: &usize| {
        let then = tokens.get(at + 1).is_some_and(|next| ANNOUNCERS.contains(&next.word.as_str()));
        let here = &tokens[*at];
        here.kind == Kind::Break && here.word == PARAGRAPH || matches!(here.word.as_str(), "." | "," | ";") && then
    };
    let length = (0..tokens.len()).find(ends).unwrap_or(tokens.len());
    let start = tokens.first().map_or(text.len(), |first| first.start);
    let end = tokens[..length].last().map_or(start, |last| last.end);
    let words = text[start..end].trim_end();
    (Token { kind: Kind::Free, text: words, word: String::new(), start, end: start + words.len() }, length)
}

/// What is said only to be polite, before a wish. Longer ones first.
const POLITE_BEFORE: [&str; 30] = [
    "i would like you to", "i'd like you to", "i would like to", "i'd like to", "do me a favour", "do me a favor",
    "i want you to", "i need you to", "would you mind", "can you please", "could you", "would you", "can you",
    "will you", "i want to", "i want", "i need to", "i need", "let us", "let's", "please", "kindly", "just", "so",
    "now", "first", "well", "try to", "go ahead", "quickly",
];

/// What is said only to be polite, after a wish.
const POLITE_AFTER: [&str; 14] = [
    "please", "for me", "thanks", "thank you", "if you can", "if possible", "right now", "now", "too", "as well",
    "instead", "first", "thanks a lot", "would you",
];

/// A clause without connectors and politeness at its ends.
fn bare(clause: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let mut rest = skip_connectors(&clause);
    let greeted = rest.len() > 2 && matches!(rest[0].word.as_str(), "hi" | "hello" | "hey" | "ok" | "okay" | "thanks");
    if greeted && (rest[1].word == "," || begins_wish(&[], &rest[1..])) {
        rest = skip_connectors(&rest[1..]);
    }
    rest = skip_connectors(without_politeness(rest));
    while let Some(length) = polite_end(rest).filter(|length| *length < rest.len()) {
        rest = &rest[..rest.len() - length];
    }
    rest.to_vec()
}

fn skip_connectors<'t, 'a>(mut tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    while tokens.len() > 1 && is_connector(&tokens[0]) && !matches!(tokens[0].word.as_str(), "plus" | "that") {
        tokens = &tokens[if is_after_that(tokens) { 2 } else { 1 }..];
    }
    tokens
}

fn without_politeness<'t, 'a>(mut tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    let begins = |tokens: &[Token<'_>], phrase: &str| {
        let length = phrase.split(' ').count();
        let fits = tokens.len() > length && phrase.split(' ').zip(tokens).all(|(word, token)| token.word == word);
        fits.then_some(length)
    };
    while let Some(length) = POLITE_BEFORE.iter().find_map(|phrase| begins(tokens, phrase)) {
        tokens = &tokens[length..];
        if tokens.len() > 1 && tokens[0].word == "," {
            tokens = &tokens[1..];
        }
    }
    tokens
}

fn polite_end(tokens: &[Token<'_>]) -> Option<usize> {
    if tokens.last().is_some_and(|last| matches!(last.word.as_str(), "," | ":" | "!")) && !ends_in_factorial(tokens) {
        return Some(1);
    }
    let ends = |phrase: &&str| {
        let length = phrase.split(' ').count();
        let from = tokens.len().checked_sub(length)?;
        phrase.split(' ').zip(&tokens[from..]).all(|(word, token)| token.word == word).then_some(length)
    };
    POLITE_AFTER.iter().find_map(|phrase| ends(&phrase))
}

fn ends_in_factorial(tokens: &[Token<'_>]) -> bool {
    matches!(tokens, [.., number, mark] if mark.word == "!" && number.kind == Kind::Number)
}
