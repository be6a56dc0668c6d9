//! A word as bash reads it after its tokens are known: text, patterns, expansions.
//!
//! Nothing is expanded here but braces and escapes; [`value`](super::value) says what the
//! pieces can become.

use super::lex::expansion_end;
use super::refusal::{Read, refuse};

/// Part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Characters that stand for themselves.
    Text(String),
    /// An unquoted `*`, `?` or `[`.
    Glob(char),
    /// An unquoted `~` where bash may make a home directory of it.
    Tilde,
    /// A variable with what is done to it: what stands between `${` and `}`.
    Variable { expression: String, quoted: bool },
    /// A command whose output stands here.
    Output { command: String, quoted: bool },
    /// An arithmetic expression.
    Arithmetic(String),
}

/// The pieces of a word.
pub(super) fn pieces(written: &str) -> Read<Vec<Piece>> {
    let text = written.chars().collect::<Vec<_>>();
    let mut reader = Reader { text: &text, at: 0, pieces: Vec::new() };
    reader.unquoted()?;
    Ok(reader.pieces)
}

/// The pieces of a here-document's body whose delimiter is not quoted: quotes are text.
pub(super) fn body_pieces(written: &str) -> Read<Vec<Piece>> {
    let text = written.chars().collect::<Vec<_>>();
    let mut reader = Reader { text: &text, at: 0, pieces: Vec::new() };
    while reader.at < text.len() {
        reader.in_quotes("$`\\")?;
    }
    Ok(reader.pieces)
}

/// The text of a word that has no expansion, no pattern and no tilde.
pub(super) fn literal(written: &str) -> Option<String> {
    let mut whole = String::new();
    for piece in pieces(written).ok()? {
        match piece {
            Piece::Text(text) => whole.push_str(&text),
            Piece::Glob(_)
            | Piece::Tilde
            | Piece::Variable { .. }
            | Piece::Output { .. }
            | Piece::Arithmetic(_) => return None,
        }
    }
    Some(whole)
}

struct Reader<'a> {
    text: &'a [char],
    at: usize,
    pieces: Vec<Piece>,
}

impl Reader<'_> {
    fn push_text(&mut self, one: char) {
        match self.pieces.last_mut() {
            Some(Piece::Text(text)) => text.push(one),
            _ => self.pieces.push(Piece::Text(one.to_string())),
        }
    }

    /// Quotes around nothing still make a word.
    fn push_empty(&mut self) {
        if !matches!(self.pieces.last(), Some(Piece::Text(_))) {
            self.pieces.push(Piece::Text(String::new()));
        }
    }

    fn unquoted(&mut self) -> Read<()> {
        while let Some(one) = self.text.get(self.at).copied() {
            match one {
                '\\' => self.escape(),
                '\'' => self.single_quoted(),
                '"' => self.double_quoted()?,
                '`' => self.backquoted(false)?,
                '$' => self.dollar(false)?,
                '*' | '?' | '[' => self.take(Piece::Glob(one)),
                '~' if self.begins_home() => self.take(Piece::Tilde),
                _ => {
                    self.push_text(one);
                    self.at += 1;
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, piece: Piece) {
        self.pieces.push(piece);
        self.at += 1;
    }

    /// At a word's start, and after `=` and `:`, where bash makes homes in assignments.
    fn begins_home(&self) -> bool {
        self.at == 0 || matches!(self.text[self.at - 1], '=' | ':')
    }

    fn escape(&mut self) {
        match self.text.get(self.at + 1) {
            Some('\n') | None => {}
            Some(one) => self.push_text(*one),
        }
        self.at += 2;
    }

    fn single_quoted(&mut self) {
        self.push_empty();
        self.at += 1;
        while let Some(one) = self.text.get(self.at).copied() {
            self.at += 1;
            if one == '\'' {
                return;
            }
            self.push_text(one);
        }
    }

    fn double_quoted(&mut self) -> Read<()> {
        self.push_empty();
        self.at += 1;
        while self.text.get(self.at).is_some_and(|one| *one != '"') {
            self.in_quotes("$`\\\"")?;
        }
        self.at += 1;
        Ok(())
    }

    /// One step inside of double quotes or of a body.
    fn in_quotes(&mut self, escapable: &str) -> Read<()> {
        match self.text[self.at] {
            '`' => self.backquoted(true),
            '$' => self.dollar(true),
            '\\' => {
                match self.text.get(self.at + 1) {
                    Some('\n') => self.at += 2,
                    Some(next) if escapable.contains(*next) => {
                        self.push_text(*next);
                        self.at += 2;
                    }
                    _ => {
                        self.push_text('\\');
                        self.at += 1;
                    }
                }
                Ok(())
            }
            one => {
                self.push_text(one);
                self.at += 1;
                Ok(())
            }
        }
    }

    fn between(&self, start: usize, end: usize) -> String {
        self.text[start..end].iter().collect()
    }

    fn backquoted(&mut self, quoted: bool) -> Read<()> {
        let start = self.at + 1;
        let Some(length) = self.text[start..].iter().position(|one| *one == '`') else {
            return refuse("a ` is not closed");
        };
        let command = self.between(start, start + length);
        if command.contains('\\') {
            return refuse("a backslash between backquotes");
        }
        self.pieces.push(Piece::Output { command, quoted });
        self.at = start + length + 1;
        Ok(())
    }

    fn dollar(&mut self, quoted: bool) -> Read<()> {
        let start = self.at;
        let end = expansion_end(self.text, start, !quoted)?;
        self.at = end;
        match (self.text.get(start + 1), self.text.get(start + 2)) {
            (Some('('), Some('(')) => {
                self.pieces.push(Piece::Arithmetic(self.between(start + 3, end - 2)));
            }
            (Some('('), _) => {
                let command = self.between(start + 2, end - 1);
                self.pieces.push(Piece::Output { command, quoted });
            }
            (Some('{'), _) => {
                let expression = self.between(start + 2, end - 1);
                self.pieces.push(Piece::Variable { expression, quoted });
            }
            (Some('\''), _) if !quoted => {
                let text = ansi(&self.text[start + 2..end - 1])?;
                self.push_empty();
                text.chars().for_each(|one| self.push_text(one));
            }
            (Some(one), _) if end == start + 2 => self.name(*one, start + 1, quoted),
            _ => self.push_text('$'),
        }
        Ok(())
    }

    /// `$name`, or `$` and one character.
    fn name(&mut self, first: char, start: usize, quoted: bool) {
        let mut end = start + 1;
        if first.is_ascii_alphabetic() || first == '_' {
            while self.text.get(end).is_some_and(|one| one.is_ascii_alphanumeric() || *one == '_') {
                end += 1;
            }
        }
        self.at = end;
        self.pieces.push(Piece::Variable { expression: self.between(start, end), quoted });
    }
}

/// What `$'…'` stands for. Only escapes that make visible characters, tabs and lines.
fn ansi(inner: &[char]) -> Read<String> {
    let mut whole = String::new();
    let mut rest = inner.iter().copied().peekable();
    while let Some(one) = rest.next() {
        if one != '\\' {
            whole.push(one);
            continue;
        }
        let code = match rest.next() {
            Some('n') => '\n',
            Some('t') => '\t',
            Some(plain @ ('\\' | '\'' | '"' | '?')) => plain,
            Some('x') => character(&mut rest, 2, 16)?,
            Some('u') => character(&mut rest, 4, 16)?,
            Some(digit @ '0'..='7') => {
                let mut digits = vec![digit];
                while digits.len() < 3 && rest.peek().is_some_and(|next| next.is_digit(8)) {
                    digits.extend(rest.next());
                }
                coded(&digits, 8)?
            }
            _ => return refuse("an escape in $'…'"),
        };
        whole.push(code);
    }
    Ok(whole)
}

type Rest<'a> = std::iter::Peekable<std::iter::Copied<std::slice::Iter<'a, char>>>;

fn character(rest: &mut Rest<'_>, digits_max: usize, radix: u32) -> Read<char> {
    let mut digits = Vec::new();
    while digits.len() < digits_max && rest.peek().is_some_and(|next| next.is_digit(radix)) {
        digits.extend(rest.next());
    }
    coded(&digits, radix)
}

fn coded(digits: &[char], radix: u32) -> Read<char> {
    let number = u32::from_str_radix(&digits.iter().collect::<String>(), radix).ok();
    match number.and_then(char::from_u32) {
        Some(one) if (' '..='~').contains(&one) || one == '\n' || one == '\t' => Ok(one),
        _ => refuse("an escape in $'…' that makes a hidden character"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_escapes_are_taken_away() {
        let cases = [
            (r#"a'b c'"d e"\ f"#, "ab cd e f"),
            (r#""a\"b\\c\d""#, r#"a"b\c\d"#),
            (r"$'\x6c\163\n'", "ls\n"),
            (r"\$'\'", r"$\"),
            ("a\\\nb\"c\\\nd\"", "abcd"),
            ("''", ""),
            ("HEAD~1", "HEAD~1"),
            ("a$", "a$"),
        ];
        for (written, wanted) in cases {
            assert_eq!(literal(written).as_deref(), Some(wanted), "{written}");
        }
        for loose in ["a*", "~", "a=~", "$x", "`x`", "\"$(x)\"", "$((1))"] {
            assert_eq!(literal(loose), None, "{loose}");
        }
    }

    #[test]
    fn expansions_are_pieces() {
        let found = pieces("a\"$b${c}\"`d`$((1+2))$1x").unwrap();
        let variable = |expression: &str, quoted| Piece::Variable {
            expression: expression.to_owned(),
            quoted,
        };
        assert_eq!(
            found,
            [
                Piece::Text("a".into()),
                variable("b", true),
                variable("c", true),
                Piece::Output { command: "d".into(), quoted: false },
                Piece::Arithmetic("1+2".into()),
                variable("1", false),
                Piece::Text("x".into()),
            ],
        );
    }

    #[test]
    fn a_body_keeps_its_quotes() {
        let found = body_pieces("it's \"$x\" \\$y\n").unwrap();
        assert_eq!(found[0], Piece::Text("it's \"".into()));
        assert_eq!(found[2], Piece::Text("\" $y\n".into()));
    }
}
