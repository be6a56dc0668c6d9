//! One pattern of the grammar, and how it is matched.
//!
//! A pattern is written as it is spoken: `find [the] word {what} in|inside {where:path}`.
//! `[x]` may be missing, `a|b` is either word, `(a b|c)` either group, `{slot}` takes
//! words. A pattern must cover the whole clause. What failed at a place once is
//! remembered, so matching never takes more than (places × parts) slot trials.

use std::collections::{BTreeMap, HashSet};

use super::lexer::{Kind, Token};

/// A pattern, ready to match.
#[derive(Debug)]
pub(super) struct Phrase {
    nodes: Vec<Node>,
    start: usize,
}

/// What a slot may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fill {
    /// One word or more, as few as the rest of the pattern allows.
    Words,
    /// One to four words without marks, or one quoted text.
    Name,
    /// One word or number, a quoted text, or the rest of a line.
    One,
    /// One word that looks like a path, or a quoted text.
    Path,
    /// One number.
    Number,
}

#[derive(Debug)]
enum Node {
    Word { either: Vec<String>, next: usize },
    Slot { name: String, fill: Fill, next: usize },
    Fork { ways: Vec<usize> },
    End,
}

/// The tokens that each slot took.
pub(super) type Captured<'t, 'a> = BTreeMap<String, &'t [Token<'a>]>;

impl Phrase {
    /// Reads a pattern. Patterns are part of the program, so a broken one is a bug.
    pub(super) fn read(pattern: &str) -> Self {
        let mut phrase = Phrase { nodes: vec![Node::End], start: 0 };
        let pieces = pieces(pattern);
        phrase.start = phrase.sequence(&pieces, 0);
        phrase
    }

    /// What the slots took, if the pattern covers all of the tokens.
    pub(super) fn matches<'t, 'a>(&self, tokens: &'t [Token<'a>]) -> Option<Captured<'t, 'a>> {
        let mut search = Search {
            nodes: &self.nodes,
            tokens,
            failed: HashSet::new(),
            captured: Captured::new(),
        };
        search.from(self.start, 0).then_some(search.captured)
    }

    /// All words that the pattern compares with.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.nodes
            .iter()
            .flat_map(|node| match node {
                Node::Word { either, .. } => either.as_slice(),
                Node::Slot { .. } | Node::Fork { .. } | Node::End => &[],
            })
            .map(String::as_str)
    }

    /// Adds the pieces in front of the node `next`; gives the first of them.
    fn sequence(&mut self, pieces: &[String], next: usize) -> usize {
        pieces.iter().rev().fold(next, |next, piece| self.piece(piece, next))
    }

    fn piece(&mut self, piece: &str, next: usize) -> usize {
        let inside =
            |open, close| piece.strip_prefix(open).and_then(|rest: &str| rest.strip_suffix(close));
        if let Some(maybe) = inside('[', ']') {
            let way = self.group(maybe, next);
            return self.add(Node::Fork { ways: vec![way, next] });
        }
        if let Some(group) = inside('(', ')') {
            return self.group(group, next);
        }
        if let Some(slot) = inside('{', '}') {
            let (name, fill) = slot.split_once(':').unwrap_or((slot, "words"));
            return self.add(Node::Slot { name: name.to_owned(), fill: Fill::named(fill), next });
        }
        let either = piece.split('|').map(str::to_owned).collect();
        self.add(Node::Word { either, next })
    }

    /// Sequences separated by bars.
    fn group(&mut self, text: &str, next: usize) -> usize {
        let mut ways: Vec<usize> =
            split_outside(text, '|').iter().map(|way| self.sequence(&pieces(way), next)).collect();
        if ways.len() == 1 { ways.remove(0) } else { self.add(Node::Fork { ways }) }
    }

    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }
}

impl Fill {
    fn named(name: &str) -> Self {
        match name {
            "words" => Fill::Words,
            "name" => Fill::Name,
            "one" => Fill::One,
            "path" => Fill::Path,
            "number" => Fill::Number,
            other => unreachable!(
                "INVARIANT: the grammar's tests read every slot, and `{other}` is no kind"
            ),
        }
    }

    /// The most tokens that such a slot takes.
    fn tokens_max(self) -> usize {
        match self {
            Fill::Words => usize::MAX,
            Fill::Name => 4,
            Fill::One | Fill::Path | Fill::Number => 1,
        }
    }

    /// Whether it takes these tokens. After "called", even "the" is a name.
    fn takes(self, before: Option<&Token<'_>>, tokens: &[Token<'_>]) -> bool {
        let called = before.is_some_and(|token| NAMING.contains(&token.word.as_str()));
        match self {
            Fill::Words => true,
            Fill::Name if tokens.len() > 1 => tokens.iter().all(is_bare),
            Fill::Name | Fill::One => {
                is_thing(&tokens[0]) && (called || !is_determiner(&tokens[0]))
            }
            Fill::Path if tokens[0].kind == Kind::Quoted => {
                called || tokens[0].text.contains(['.', '/'])
            }
            Fill::Path => looks_like_path(&tokens[0]),
            Fill::Number => tokens[0].kind == Kind::Number,
        }
    }
}

fn is_bare(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Word | Kind::Number)
}

fn is_thing(token: &Token<'_>) -> bool {
    is_bare(token) || matches!(token.kind, Kind::Quoted | Kind::Free)
}

/// Words behind which a name must follow.
const NAMING: [&str; 5] = ["called", "named", "titled", "note", "file"];

/// Words that only announce a thing.
fn is_determiner(token: &Token<'_>) -> bool {
    matches!(
        token.word.as_str(),
        "the" | "a" | "an" | "my" | "new" | "all" | "your" | "of" | "these" | "those" | "me"
    )
}

/// Files without an ending that everybody calls by name, in small letters.
const BARE_FILES: [&str; 7] =
    ["readme", "license", "makefile", "dockerfile", "changelog", "architecture", "justfile"];

/// Whether a token reads like a path: `src/`, `a.txt`, `.gitignore`, `Makefile`, `"my file"`.
pub(super) fn looks_like_path(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Quoted => true,
        Kind::Word => {
            token.text.contains(['.', '/', '*', '~', '_'])
                || BARE_FILES.contains(&token.word.as_str())
        }
        Kind::Number | Kind::Free | Kind::Mark | Kind::Break => false,
    }
}

struct Search<'s, 't, 'a> {
    nodes: &'s [Node],
    tokens: &'t [Token<'a>],
    failed: HashSet<(usize, usize)>,
    captured: Captured<'t, 'a>,
}

impl Search<'_, '_, '_> {
    /// Whether the pattern from `node` on covers the tokens from `at` on.
    fn from(&mut self, node: usize, at: usize) -> bool {
        if self.failed.contains(&(node, at)) {
            return false;
        }
        let found = match &self.nodes[node] {
            Node::End => at == self.tokens.len(),
            Node::Word { either, next } => self.word(either, at) && self.from(*next, at + 1),
            Node::Fork { ways } => ways.iter().any(|way| self.from(*way, at)),
            Node::Slot { name, fill, next } => self.slot(name, *fill, *next, at),
        };
        if !found {
            self.failed.insert((node, at));
        }
        found
    }

    fn word(&self, either: &[String], at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| either.contains(&token.word))
    }

    fn slot(&mut self, name: &str, fill: Fill, next: usize, at: usize) -> bool {
        let longest = at.saturating_add(fill.tokens_max()).min(self.tokens.len());
        for end in at + 1..=longest {
            let taken = &self.tokens[at..end];
            if fill.takes(at.checked_sub(1).map(|before| &self.tokens[before]), taken)
                && self.from(next, end)
            {
                self.captured.insert(name.to_owned(), taken);
                return true;
            }
        }
        false
    }
}

/// The parts of a pattern: words, and whatever stands in brackets as one part.
fn pieces(pattern: &str) -> Vec<String> {
    split_outside(pattern, ' ').into_iter().filter(|piece| !piece.is_empty()).collect()
}

/// Splits where `mark` stands outside of all brackets.
fn split_outside(text: &str, mark: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    for c in text.chars() {
        match c {
            '[' | '(' | '{' => depth += 1,
            ']' | ')' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if c == mark && depth == 0 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts
}
