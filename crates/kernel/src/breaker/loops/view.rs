//! The arguments of a call as text, seen through lenses that let less and less count.
//!
//! Two calls are the same through a lens where their texts are equal.

use std::collections::BTreeMap;

use super::conduct::Conduct;
use super::field::{self, Field, field};
use super::noise::{self, Calm, calm};
use super::number;
use super::place::{self, Query};
use super::tree::{self, Tree};

/// What counts in the comparison of two calls. Each lens drops what `Alike` drops, but
/// for the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lens {
    /// Every value, in one spelling of numbers, strings, paths and URLs.
    Exact,
    /// Not what marks one try: request ids, nonces, seeds, counters of tries, the moment.
    Alike,
    /// Nor what looks drawn by lot: for calls that failed.
    AlikeInError,
    /// Nor where in a list one is.
    Unpaged,
    /// Nor where in a list one is and what is looked for.
    Unasked,
}

/// Longest text inside a value that is itself read as JSON, in bytes.
const NESTED_BYTES_MAX: usize = 65_536;

/// Levels of JSON inside texts of JSON that are read.
const NESTED_LEVELS_MAX: usize = 2;

/// The arguments as text through a lens.
pub(super) fn view(arguments: &Tree, lens: Lens, conduct: Conduct) -> String {
    let mut view = View { lens, conduct, nested: 0, out: String::new() };
    match arguments {
        Tree::Map(fields) => view.map(fields),
        tree @ (Tree::Null | Tree::Bool(_) | Tree::Number(_) | Tree::Text(_) | Tree::List(_)) => {
            view.value(tree, Field::Other);
        }
    }
    view.out
}

/// Whether a call names a place in a list.
pub(super) fn has_page(arguments: &Tree) -> bool {
    any_field(arguments, &|name, value| {
        is_page(name, value)
            || matches!(value, Tree::Text(text) if text.contains('?')
                && place::spelled(text, Query::Calm) != place::spelled(text, Query::Unpaged))
    })
}

/// Whether a call looks for words.
pub(super) fn has_query(arguments: &Tree) -> bool {
    any_field(arguments, &|name, _| field(name) == Field::Query)
}

fn any_field(arguments: &Tree, holds: &dyn Fn(&str, &Tree) -> bool) -> bool {
    match arguments {
        Tree::Map(fields) => {
            fields.iter().any(|(name, value)| holds(name, value) || any_field(value, holds))
        }
        Tree::Null | Tree::Bool(_) | Tree::Number(_) | Tree::Text(_) | Tree::List(_) => false,
    }
}

struct View {
    lens: Lens,
    conduct: Conduct,
    nested: usize,
    out: String,
}

impl View {
    fn map(&mut self, fields: &BTreeMap<String, Tree>) {
        let has_subject = fields.iter().any(|(name, value)| is_subject(name, value));
        self.out.push('{');
        for (name, value) in fields {
            if self.keeps(name, value, has_subject) {
                self.out.push_str(&format!("{name:?}:"));
                self.value(value, field(name));
                self.out.push(',');
            }
        }
        self.out.push('}');
    }

    /// Whether a field counts. `has_subject`: another field clearly says what the call is
    /// about, so that a remark beside it is one.
    fn keeps(&self, name: &str, value: &Tree, has_subject: bool) -> bool {
        if self.lens == Lens::Exact {
            return true;
        }
        let told = said(value);
        let look = told.as_deref().unwrap_or_default();
        let is_name = matches!(value, Tree::Text(text) if text.contains('.'));
        if told.is_some() && !is_name && field::is_moment(name, look) {
            return false;
        }
        if is_page(name, value) {
            return self.lens < Lens::Unpaged;
        }
        let in_error = self.lens == Lens::AlikeInError;
        match field(name) {
            Field::Jitter => false,
            Field::JitterInError => !in_error,
            Field::Remark if name.to_ascii_lowercase().starts_with("timeout") => {
                in_error || !has_subject
            }
            Field::Remark => !has_subject || self.conduct.edits || self.conduct.creates,
            Field::Query => self.lens < Lens::Unasked,
            Field::Id => {
                let is_subject = self.conduct.asks && !self.conduct.creates && !has_subject;
                !(in_error && !is_subject && is_drawn(look))
            }
            Field::Other | Field::Range if in_error && field::is_moment_in_error(name, look) => {
                false
            }
            Field::Other => !(in_error && is_drawn(look)),
            Field::Page | Field::Path | Field::Command | Field::Payload | Field::Range => true,
        }
    }

    fn value(&mut self, value: &Tree, field: Field) {
        match value {
            Tree::Null => self.out.push_str("null"),
            Tree::Bool(flag) => self.out.push_str(if *flag { "true" } else { "false" }),
            Tree::Number(number) => self.out.push_str(number),
            Tree::Text(text) => self.text(text, field),
            Tree::List(items) => {
                self.out.push('[');
                for item in items {
                    self.value(item, field);
                    self.out.push(',');
                }
                self.out.push(']');
            }
            Tree::Map(fields) => self.map(fields),
        }
    }

    fn text(&mut self, text: &str, field: Field) {
        let spelled = match field {
            Field::Payload if self.lens != Lens::AlikeInError => text.to_owned(),
            Field::Payload => calm(text, Calm::Clock),
            Field::Path if self.lens == Lens::AlikeInError => unnumbered(place::path_of(text)),
            Field::Path => place::path_of(text),
            Field::Command if self.lens > Lens::Exact => command(text, self.query(), self.calm()),
            Field::Jitter
            | Field::JitterInError
            | Field::Remark
            | Field::Page
            | Field::Query
            | Field::Command
            | Field::Range
            | Field::Id
            | Field::Other => match self.nested(text) {
                Some(tree) => return self.inside(&tree, field),
                None => self.plain(text, field),
            },
        };
        self.out.push_str(&format!("{spelled:?}"));
    }

    fn plain(&self, text: &str, field: Field) -> String {
        match place::spelled(text, self.query()) {
            Some(spelled) => spelled,
            None if self.lens == Lens::Exact || field == Field::Range => text.to_owned(),
            None if text.contains("://") => command(text, self.query(), self.calm()),
            None => calm(text, self.calm()),
        }
    }

    fn calm(&self) -> Calm {
        if self.lens == Lens::AlikeInError { Calm::Clock } else { Calm::Call }
    }

    fn query(&self) -> Query {
        match self.lens {
            Lens::Exact => Query::Whole,
            Lens::Alike | Lens::AlikeInError => Query::Calm,
            Lens::Unpaged | Lens::Unasked => Query::Unpaged,
        }
    }

    /// JSON inside a text, as tools that wrap others take their arguments.
    fn nested(&self, text: &str) -> Option<Tree> {
        let looks = text.trim_start().starts_with(['{', '[']);
        let allowed = self.nested < NESTED_LEVELS_MAX && text.len() <= NESTED_BYTES_MAX;
        (looks && allowed && self.lens > Lens::Exact).then(|| tree::read(text)).flatten()
    }

    fn inside(&mut self, tree: &Tree, field: Field) {
        self.nested += 1;
        self.value(tree, field);
        self.nested -= 1;
    }
}

/// The path of a temporary file without what makes its name unique.
fn unnumbered(path: String) -> String {
    if !path.starts_with("/tmp/") && !path.starts_with("/var/tmp/") {
        return path;
    }
    let numbered = |word: &&str| word.contains(|c: char| c.is_ascii_digit());
    let words: Vec<&str> = path.split(['-', '_', '.', '/']).collect();
    words.iter().map(|word| if numbered(word) { "#" } else { word }).collect::<Vec<_>>().join("/")
}

/// A command line without its comments, its words in one spelling.
fn command(text: &str, query: Query, level: Calm) -> String {
    let lines = text.lines().map(|line| {
        let comment = if line.trim_start().starts_with('#') { Some(0) } else { line.find(" #") };
        &line[..comment.unwrap_or(line.len())]
    });
    let words: Vec<String> = lines
        .flat_map(str::split_whitespace)
        .map(|word| {
            let bare = word.trim_matches(['"', '\'']);
            place::spelled(bare, query).unwrap_or_else(|| word.to_owned())
        })
        .collect();
    calm(&words.join(" "), level)
}

/// The text of a value that is no tree.
fn said(value: &Tree) -> Option<String> {
    match value {
        Tree::Text(text) if text.len() <= 256 => Some(text.clone()),
        Tree::Number(number) => Some(number::digits(number)),
        Tree::Text(_) | Tree::Null | Tree::Bool(_) | Tree::List(_) | Tree::Map(_) => None,
    }
}

fn is_page(name: &str, value: &Tree) -> bool {
    said(value).is_some_and(|look| field::is_page(name, &look))
}

/// Whether a field clearly says what its call is about.
fn is_subject(name: &str, value: &Tree) -> bool {
    match (field(name), value) {
        (Field::Path | Field::Query | Field::Command, _) => true,
        (Field::Other, Tree::Text(text)) => {
            text.contains("://") || ["url", "uri", "prompt", "question"].contains(&name)
        }
        (
            Field::Other
            | Field::Jitter
            | Field::JitterInError
            | Field::Remark
            | Field::Page
            | Field::Payload
            | Field::Range
            | Field::Id,
            _,
        ) => false,
    }
}

/// Beginnings of ids that are made for one try.
const DRAWN: &str = "req request trace span corr call attempt try retry nonce run msg tmp temp";

/// A value that looks drawn by lot.
fn is_drawn(look: &str) -> bool {
    let look = look.trim();
    let named = look.split(['-', '_', ':']).next().unwrap_or_default().to_ascii_lowercase();
    let numbered = named.len() < look.len() && look.contains(|c: char| c.is_ascii_digit());
    noise::uuid(look).is_some_and(|length| length == look.len())
        || numbered && field::is_among(DRAWN, &named)
        || (!look.contains(char::is_whitespace) && !look.contains(['/', '.', '@']))
            && look.split('-').any(noise::is_random)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breaker::loops::conduct::conduct;

    fn seen(name: &str, arguments: &str, lens: Lens) -> String {
        let tree = tree::read(arguments).unwrap();
        view(&tree, lens, conduct(name, Some(&tree)))
    }

    #[track_caller]
    fn check(name: &str, one: &str, other: &str, first_lens_that_sees_no_difference: Option<Lens>) {
        let lenses = [Lens::Exact, Lens::Alike, Lens::AlikeInError, Lens::Unpaged, Lens::Unasked];
        let found =
            lenses.into_iter().find(|lens| seen(name, one, *lens) == seen(name, other, *lens));
        assert_eq!(found, first_lens_that_sees_no_difference, "{name} {one} {other}");
    }

    #[test]
    fn what_differs_is_seen_through_the_right_lens() {
        let uuids = (
            r#"{"order_id":"0198c0de-0000-7000-8000-000000000001","item":"x"}"#,
            r#"{"order_id":"0198c0de-0000-7000-8000-000000000002","item":"x"}"#,
        );
        check("create_order", uuids.0, uuids.1, Some(Lens::AlikeInError));
        check("get_order", uuids.0, uuids.1, None);
        check("get", r#"{"id":1}"#, r#"{"id":2}"#, None);
        check("get", r#"{"path":"./a","x":null}"#, r#"{"path":"b/../a/"}"#, Some(Lens::Exact));
        check(
            "get",
            r#"{"u":"http://H/a?_=1"}"#,
            r#"{"u":"http://h:80/a?_=2"}"#,
            Some(Lens::Alike),
        );
        check("find", r#"{"q":"a","page":1}"#, r#"{"q":"a","page":2}"#, Some(Lens::Unpaged));
        check("find", r#"{"q":"a","page":1}"#, r#"{"q":"b","page":2}"#, Some(Lens::Unasked));
        check("wiki", r#"{"page":"Rust"}"#, r#"{"page":"Go"}"#, None);
        check("do", r#"{"x":1,"h":{"X-Request-Id":"a"}}"#, r#"{"x":1,"h":{}}"#, Some(Lens::Alike));
        check("do", r#"{"input":"{\"a\":1}"}"#, r#"{"input":"{\"a\": 1}"}"#, None);
        check("do", r#"{"args":"{\"a\":1}"}"#, r#"{"args":"{\"a\": 1.0}"}"#, Some(Lens::Alike));
        check("bash", r#"{"command":"ls ./a # 1"}"#, r#"{"command":"ls  a"}"#, Some(Lens::Alike));
        let described = r#"{"command":"ls","description":"look"}"#;
        check("bash", described, r#"{"command":"ls"}"#, Some(Lens::Alike));
        check("create_issue", r#"{"title":"a","description":"x"}"#, r#"{"title":"a"}"#, None);
        check("film", r#"{"timestamp":10}"#, r#"{"timestamp":20}"#, None);
        check(
            "log",
            r#"{"timestamp":1763712345}"#,
            r#"{"timestamp":1763712346}"#,
            Some(Lens::Alike),
        );
    }
}
