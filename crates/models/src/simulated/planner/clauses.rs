//! Tokens → clauses: the single wishes of a request.
//!
//! Full stops, question marks and empty lines always part clauses; "and", "then" and
//! commas do so where the next words begin a wish of their own. After a colon in a wish
//! to write something, the rest of the line is one text and nothing parts it.

mod politeness;

use super::lexer::{Kind, PARAGRAPH, Token};
use super::phrase::looks_like_path;
use super::{arithmetic, numerals};
use politeness::{polite_end, without_politeness};

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

/// Words that stand between two wishes, besides "after that".
const CONNECTORS: &[&str] = &[
    ",",
    "and",
    "then",
    "also",
    "afterwards",
    "next",
    "finally",
    "lastly",
    "plus",
    "but",
    "additionally",
    "&",
];

/// Connectors that announce a new wish whatever it begins with.
const ANNOUNCERS: &[&str] =
    &["then", "also", "afterwards", "finally", "lastly", "additionally", "after"];

/// How far a border looks to both sides, in tokens. Keeps the splitting linear.
const LOOK_TOKENS_MAX: usize = 24;

/// How many tokens the border between two clauses takes, if one stands here.
fn border(open: &[Token<'_>], tokens: &[Token<'_>]) -> Option<usize> {
    if is_full_stop(open, tokens) {
        return Some(1);
    }
    let near = head(tokens);
    let run = connectors(near);
    if open.is_empty() {
        let sum = near[..run].iter().position(|token| token.word == "plus").unwrap_or(run);
        return (sum > 0).then_some(sum);
    }
    let next = &near[run..];
    if run == 0 || is_place(open) || next.is_empty() || run == 1 && near[0].word == "plus" {
        return None;
    }
    let in_a_number = open.last().is_some_and(|last| numerals::is_scale(&last.word))
        && numerals::read(next).is_some();
    if in_a_number {
        return None;
    }
    let announced = near[..run].iter().any(|token| ANNOUNCERS.contains(&token.word.as_str()));
    (announced || begins_wish(head(open), next)).then_some(run)
}

/// "In a.txt": where, before what.
fn is_place(open: &[Token<'_>]) -> bool {
    let [first, .., last] = open else { return false };
    matches!(first.word.as_str(), "in" | "inside") && open.len() <= 4 && looks_like_path(last)
}

fn head<'t, 'a>(tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    &tokens[..tokens.len().min(LOOK_TOKENS_MAX)]
}

/// How many tokens at the beginning only connect.
fn connectors(tokens: &[Token<'_>]) -> usize {
    let mut length = 0;
    while let Some(token) = tokens.get(length) {
        let line_end = token.kind == Kind::Break && token.word != PARAGRAPH;
        let after_that =
            token.word == "after" && tokens.get(length + 1).is_some_and(|next| next.word == "that");
        length += match (after_that, line_end || CONNECTORS.contains(&token.word.as_str())) {
            (true, _) => 2,
            (false, true) => 1,
            (false, false) => break,
        };
    }
    length
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
const STARTERS: &[&str] = &[
    "add",
    "append",
    "attach",
    "bing",
    "calculate",
    "change",
    "check",
    "compute",
    "convert",
    "create",
    "delete",
    "display",
    "divide",
    "do",
    "double",
    "edit",
    "enumerate",
    "fetch",
    "find",
    "forecast",
    "get",
    "give",
    "google",
    "grep",
    "halve",
    "hello",
    "how",
    "how's",
    "list",
    "load",
    "locate",
    "look",
    "make",
    "multiply",
    "note",
    "open",
    "print",
    "put",
    "raise",
    "read",
    "recall",
    "record",
    "remember",
    "remove",
    "rename",
    "replace",
    "save",
    "scan",
    "search",
    "show",
    "square",
    "store",
    "subtract",
    "swap",
    "tell",
    "triple",
    "turn",
    "view",
    "weather",
    "what",
    "what're",
    "what's",
    "where",
    "where's",
    "which",
    "who",
    "will",
    "work",
    "write",
    "send",
    "translate",
    "explain",
    "round",
    "compare",
    "jot",
];

/// Words that begin a wish behind an article: "and the weather in Rome".
const NOUNS: &[&str] = &[
    "weather",
    "forecast",
    "temperature",
    "square",
    "cube",
    "sum",
    "product",
    "average",
    "difference",
    "tip",
    "half",
    "notes",
];

/// Wishes that take a text: in them, only a verb parts clauses.
const WRITERS: &[&str] = &[
    "save", "store", "keep", "put", "write", "record", "file", "append", "add", "attach", "create",
    "make", "remember", "note", "replace", "take",
];

/// Whether a word begins a wish by telling what to do.
pub(super) fn is_verb(word: &str) -> bool {
    (STARTERS.contains(&word) || WRITERS.contains(&word))
        && !matches!(word, "weather" | "forecast" | "square" | "double")
}

fn begins_wish(open: &[Token<'_>], next: &[Token<'_>]) -> bool {
    let next = without_politeness(next);
    let Some(first) = next.first() else { return false };
    if STARTERS.contains(&first.word.as_str()) {
        return true;
    }
    if is_writing(open) {
        return false;
    }
    let noun =
        if matches!(first.word.as_str(), "the" | "my" | "a") { next.get(1) } else { Some(first) };
    noun.is_some_and(|noun| NOUNS.contains(&noun.word.as_str()))
        || !arithmetic::takes_a_list(open) && arithmetic::begins(next)
}

fn is_writing(open: &[Token<'_>]) -> bool {
    let verb = without_politeness(open).first();
    verb.is_some_and(|verb| WRITERS.contains(&verb.word.as_str()))
        && !arithmetic::takes_a_list(open)
}

fn is_colon_before_text(open: &[Token<'_>], tokens: &[Token<'_>]) -> bool {
    let verb = without_politeness(skip_connectors(head(open))).first();
    tokens[0].word == ":"
        && tokens.get(1).is_some_and(|next| !matches!(next.kind, Kind::Quoted))
        && verb.is_some_and(|verb| WRITERS.contains(&verb.word.as_str()))
}

/// The rest of the line as one text, up to ". Then …", and how many tokens it covers.
/// After a colon at a line's end, it is the next line.
fn free_text<'a>(tokens: &[Token<'a>], text: &'a str) -> (Token<'a>, usize) {
    let ends = |at: &usize| {
        let then = tokens.get(at + 1).is_some_and(|next| ANNOUNCERS.contains(&next.word.as_str()));
        let here = &tokens[*at];
        here.kind == Kind::Break && (*at > 0 || here.word == PARAGRAPH)
            || matches!(here.word.as_str(), "." | "," | ";") && then
    };
    let length = (0..tokens.len()).find(ends).unwrap_or(tokens.len());
    let first = tokens.iter().find(|token| token.kind != Kind::Break);
    let start = first.map_or(text.len(), |first| first.start);
    let end =
        tokens[..length].last().filter(|last| last.end > start).map_or(start, |last| last.end);
    let words = text[start..end].trim_end();
    (
        Token {
            kind: Kind::Free,
            text: words,
            word: String::new(),
            start,
            end: start + words.len(),
        },
        length,
    )
}

/// A clause without connectors and politeness at its ends.
fn bare(clause: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let mut rest = skip_connectors(&clause);
    let greeted = rest.len() > 2
        && matches!(rest[0].word.as_str(), "hi" | "hello" | "hey" | "ok" | "okay" | "thanks");
    if greeted && (rest[1].word == "," || begins_wish(&[], &rest[1..])) {
        rest = skip_connectors(&rest[1..]);
    }
    rest = skip_connectors(without_politeness(rest));
    while let Some(length) = polite_end(rest).filter(|length| *length < rest.len()) {
        rest = &rest[..rest.len() - length];
    }
    rest.to_vec()
}

/// What is left behind connecting words. A clause of nothing else stays, and "plus" is
/// arithmetic at the beginning of a clause.
fn skip_connectors<'t, 'a>(tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    let first_sum = tokens.iter().position(|token| token.word == "plus").unwrap_or(tokens.len());
    let length = connectors(&tokens[..first_sum]);
    if length < tokens.len() { &tokens[length..] } else { tokens }
}
