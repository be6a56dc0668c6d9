//! Rust source with its layers apart: code without what comments and literals say,
//! comments alone, and which lines are tests.
//!
//! No parser: enough of the lexer to never take a word in a string for code. Every layer
//! keeps the lines of the file.

/// The layers of one file.
pub(super) struct Layers {
    /// The code; insides of comments and literals are spaces.
    pub(super) code: String,
    /// The comments; everything else is spaces.
    pub(super) comments: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

/// Takes a file apart.
pub(super) fn layers(text: &str) -> Layers {
    let chars: Vec<char> = text.chars().collect();
    let mut layers = Layers { code: String::with_capacity(text.len()), comments: String::new() };
    let mut at = 0;
    while at < chars.len() {
        let (kind, length) = piece(&chars, at);
        for c in &chars[at..at + length] {
            let blank = if *c == '\n' { '\n' } else { ' ' };
            layers.code.push(if kind == Kind::Code { *c } else { blank });
            let said = kind == Kind::Comment;
            layers.comments.push(if said { *c } else { blank });
        }
        at += length;
    }
    layers
}

/// The kind and length of what begins at `at`.
fn piece(chars: &[char], at: usize) -> (Kind, usize) {
    let rest = &chars[at..];
    match rest {
        ['/', '/', ..] => (Kind::Comment, up_to(rest, |c| c == '\n')),
        ['/', '*', ..] => (Kind::Comment, block_comment(rest)),
        ['"', ..] => (Kind::Literal, quoted(rest, 1)),
        ['r', ..] if !is_word(before(chars, at)) => raw_string(rest, 1),
        ['b', 'r', ..] if !is_word(before(chars, at)) => raw_string(rest, 2),
        ['\'', ..] => character(rest),
        _ => (Kind::Code, 1),
    }
}

fn before(chars: &[char], at: usize) -> char {
    at.checked_sub(1).map_or(' ', |before| chars[before])
}

/// Whether a character can be part of a name.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn up_to(rest: &[char], ends: impl Fn(char) -> bool) -> usize {
    rest.iter().position(|c| ends(*c)).unwrap_or(rest.len())
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] if depth == 1 => return at + 2,
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a string whose inside begins at `open`.
fn quoted(rest: &[char], open: usize) -> usize {
    let mut at = open;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// A raw string after its `prefix` letters, or one letter of code.
fn raw_string(rest: &[char], prefix: usize) -> (Kind, usize) {
    let hashes = up_to(&rest[prefix..], |c| c != '#');
    if rest.get(prefix + hashes) != Some(&'"') {
        return (Kind::Code, 1);
    }
    let mut close = vec!['"'];
    close.extend(std::iter::repeat_n('#', hashes));
    let inside = prefix + hashes + 1;
    let found = rest[inside..].windows(close.len()).position(|window| window == close);
    let length = found.map_or(rest.len(), |at| inside + at + close.len());
    (Kind::Literal, length)
}

/// A character in quotes, or the quote of a lifetime.
fn character(rest: &[char]) -> (Kind, usize) {
    match rest {
        ['\'', '\\', _, more @ ..] => (Kind::Literal, 4 + up_to(more, |c| c == '\'')),
        ['\'', _, '\'', ..] => (Kind::Literal, 3),
        _ => (Kind::Code, 1),
    }
}

/// For each line, whether it belongs to an item under `#[cfg(test)]`.
pub(super) fn test_lines(code: &str) -> Vec<bool> {
    let mut lines = vec![false; code.lines().count()];
    if code.contains("#![cfg(test)]") {
        lines.fill(true);
        return lines;
    }
    for mark in ["#[cfg(test)]", "#[cfg(all(test"] {
        for (at, _) in code.match_indices(mark) {
            let end = at + item_length(&code[at..]);
            let first = code[..at].matches('\n').count();
            let last = code[..end].matches('\n').count();
            let last = last.min(lines.len().saturating_sub(1));
            lines[first..=last].fill(true);
        }
    }
    lines
}

/// The length of the item that begins here with its attributes.
fn item_length(code: &str) -> usize {
    let mut depth = 0_i32;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' => depth -= 1,
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// The places of a word: those where no letter stands on either side.
pub(super) fn words<'a>(line: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let edge = |c: Option<char>| !c.is_some_and(is_word);
    line.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let (before, after) = (&line[..*at], &line[at + word.len()..]);
        let starts = !word.starts_with(is_word) || edge(before.chars().next_back());
        starts && (!word.ends_with(is_word) || edge(after.chars().next()))
    })
}

/// Whether a line has a word.
pub(super) fn has_word(line: &str, word: &str) -> bool {
    words(line, word).next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_is_code() {
        for (text, code) in [
            ("let a = 1; // unsafe", "let a = 1;          "),
            ("a /* x /* y */ z */ b", "a                   b"),
            (r#"f("un\"safe", b"x")"#, "f(          , b   )"),
            (r##"f(r#"un"safe"#)"##, "f(            )"),
            ("f('\"', 'a, '\\'', '\\u{41}')", "f(   , 'a,     ,         )"),
            ("for r in br { r\"x\" }", "for r in br {      }"),
        ] {
            assert_eq!(layers(text).code, code, "{text}");
        }
        let both = layers("a // b\nc");
        assert_eq!(both.comments, "  // b\n ");
    }

    #[test]
    fn test_items_end_where_they_end() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n  fn b() {}\n}\nfn c() {}\n\
                    #[cfg(test)]\nmod more;\nfn d() {}\n#[cfg(test)]\nfn e(x: [u8; 2]) {\n}\n";
        let tests: Vec<usize> = (1..)
            .zip(test_lines(text))
            .filter_map(|(line, is_test)| is_test.then_some(line))
            .collect();
        assert_eq!(tests, [2, 3, 4, 5, 7, 8, 10, 11, 12]);
    }

    #[test]
    fn a_word_is_not_a_part_of_another() {
        assert!(has_word("unsafe { }", "unsafe"));
        assert!(!has_word("forbid(unsafe_code)", "unsafe"));
        assert!(!has_word("not_todo!()", "todo!"));
        assert!(has_word("x.unwrap()", ".unwrap()"));
    }
}
