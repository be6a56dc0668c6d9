//! Bash's tokens: words as they were written, operators, bodies of here-documents.
//!
//! Written against the bash manual ("Shell Operation", "Quoting"), and narrower than it:
//! a spelling on which shells and parsers are known to differ is refused. The words keep
//! their quotes; [`word`](super::word) reads them.

mod scan;

use scan::{end_of_word, skip_continuations};

pub(super) use scan::{bare, expansion as expansion_end};

use super::refusal::{Read, refuse};

/// How many tokens a command may have.
const TOKENS_MAX: usize = 2_000;
/// How many digits the number of a descriptor may have.
const DESCRIPTOR_DIGITS_MAX: usize = 4;

/// The operators, longest first, so that the first match is the right one.
const OPERATORS: [&str; 23] = [
    "&>>", "<<<", "<<-", ";;&", "&&", "||", ";;", ";&", "|&", "&>", ">|", ">>", ">&", "<&", "<>",
    "<<", "&", "|", ";", "(", ")", "<", ">",
];

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) kind: Kind,
    /// Where it begins and ends, in characters of the whole text.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An operator, or a line's end.
    Operator,
    /// A word with its quotes.
    Word,
    /// The body of a here-document; the two words around it are its delimiter.
    Body,
}

/// All tokens of a command.
pub(super) fn tokens(command: &str) -> Read<Vec<Token>> {
    let text = command.chars().collect::<Vec<_>>();
    let mut lexer = Lexer { text: &text, at: 0, tokens: Vec::new(), waiting: Vec::new() };
    lexer.run(false)?;
    Ok(lexer.tokens)
}

/// Where the command that begins at `start` ends: at the first bracket that closes what it
/// did not open.
fn end_of_command(text: &[char], start: usize) -> Read<usize> {
    let mut lexer = Lexer { text, at: start, tokens: Vec::new(), waiting: Vec::new() };
    lexer.run(true)?;
    Ok(lexer.at)
}

struct Lexer<'a> {
    text: &'a [char],
    at: usize,
    tokens: Vec<Token>,
    /// Indexes of delimiters whose bodies begin at the next line, and whether tabs go.
    waiting: Vec<(usize, bool)>,
}

impl Lexer<'_> {
    /// Reads to the end of the text, or in a substitution to the bracket that closes it.
    fn run(&mut self, nested: bool) -> Read<()> {
        let mut open = 0_usize;
        loop {
            self.skip_blanks();
            let Some(one) = self.text.get(self.at).copied() else { break };
            if self.tokens.len() > TOKENS_MAX {
                return refuse(format!("more than {TOKENS_MAX} tokens"));
            }
            match one {
                '\n' => self.line_end()?,
                '#' => self.skip_comment(),
                ')' if nested && open == 0 => return self.no_body_is_missing(),
                _ => match self.operator() {
                    Some(operator) => {
                        open = if operator == "(" { open + 1 } else { open };
                        open = if operator == ")" { open.saturating_sub(1) } else { open };
                        self.take_operator(operator)?;
                    }
                    None => self.take_word()?,
                },
            }
        }
        if nested {
            return refuse("a substitution is not closed");
        }
        self.no_body_is_missing()
    }

    fn no_body_is_missing(&self) -> Read<()> {
        if self.waiting.is_empty() { Ok(()) } else { refuse("a here-document has no body") }
    }

    fn skip_blanks(&mut self) {
        loop {
            self.at = skip_continuations(self.text, self.at);
            match self.text.get(self.at) {
                Some(' ' | '\t') => self.at += 1,
                _ => return,
            }
        }
    }

    fn skip_comment(&mut self) {
        while self.text.get(self.at).is_some_and(|one| *one != '\n') {
            self.at += 1;
        }
    }

    fn operator(&self) -> Option<&'static str> {
        let rest = &self.text[self.at..];
        OPERATORS.into_iter().find(|one| {
            one.chars().enumerate().all(|(index, wanted)| rest.get(index) == Some(&wanted))
        })
    }

    fn push(&mut self, text: String, kind: Kind, start: usize) {
        self.tokens.push(Token { text, kind, start, end: self.at });
    }

    fn take_operator(&mut self, operator: &'static str) -> Read<()> {
        let start = self.at;
        self.at += operator.len();
        self.push(operator.to_owned(), Kind::Operator, start);
        if !matches!(operator, "<<" | "<<-") {
            return Ok(());
        }
        self.skip_blanks();
        if self.text.get(self.at).is_none_or(|one| *one == '\n') || self.operator().is_some() {
            return refuse("a here-document without a delimiter");
        }
        self.take_word()?;
        self.waiting.push((self.tokens.len() - 1, operator == "<<-"));
        Ok(())
    }

    fn take_word(&mut self) -> Read<()> {
        let start = self.at;
        self.at = end_of_word(self.text, start)?;
        let written = self.text[start..self.at].iter().collect::<String>();
        let next = self.text.get(self.at);
        if written.starts_with('{') && written.ends_with('}') && matches!(next, Some('<' | '>')) {
            return refuse(format!("the descriptor variable `{written}` of a redirect"));
        }
        if written.len() > DESCRIPTOR_DIGITS_MAX
            && matches!(next, Some('<' | '>'))
            && written.chars().all(|one| one.is_ascii_digit())
        {
            return refuse(format!("the descriptor `{written}`"));
        }
        let bracket = self.text.get(self.at + 1) == Some(&'(');
        if matches!(next, Some('<' | '>')) && bracket {
            return refuse("a process substitution glued to a word");
        }
        self.push(written, Kind::Word, start);
        Ok(())
    }

    /// A line's end, with the bodies that begin after it.
    fn line_end(&mut self) -> Read<()> {
        let start = self.at;
        self.at += 1;
        let waiting = std::mem::take(&mut self.waiting);
        let mut bodies = Vec::new();
        for (index, tabs_go) in waiting {
            let delimiter = delimiter(&self.tokens[index].text)?;
            let literal = self.tokens[index].text != delimiter;
            let body = self.body(&delimiter, tabs_go, literal)?;
            bodies.push((index, delimiter, body));
        }
        // From the last one, so that the indexes of the others stay true.
        for (index, delimiter, body) in bodies.into_iter().rev() {
            let (start, end) = (self.tokens[index].end, self.tokens[index].end);
            let body = Token { text: body, kind: Kind::Body, start, end };
            let last = Token { text: delimiter, kind: Kind::Word, start, end };
            self.tokens.splice(index + 1..index + 1, [body, last]);
        }
        self.tokens.push(Token {
            text: "\n".to_owned(),
            kind: Kind::Operator,
            start,
            end: start + 1,
        });
        Ok(())
    }

    /// The lines until the one that is the delimiter. `literal`: the delimiter was quoted.
    fn body(&mut self, delimiter: &str, tabs_go: bool, literal: bool) -> Read<String> {
        let mut body = String::new();
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            let length = rest.iter().position(|one| *one == '\n').unwrap_or(rest.len());
            let line = rest[..length].iter().collect::<String>();
            self.at = (self.at + length + 1).min(self.text.len());
            let line = if tabs_go { line.trim_start_matches('\t') } else { &line };
            if line == delimiter {
                return Ok(body);
            }
            if !literal && line.ends_with('\\') {
                // Bash joins the lines before it looks for the delimiter.
                return refuse("a continued line in a here-document");
            }
            body.push_str(line);
            body.push('\n');
        }
        refuse(format!("the here-document has no line `{delimiter}`"))
    }
}

/// A delimiter without its quotes. Only plain words: bash has rules of its own for others.
fn delimiter(written: &str) -> Read<String> {
    let inner = ["'", "\""]
        .into_iter()
        .find_map(|quote| written.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)));
    let plain = inner.or_else(|| written.strip_prefix('\\')).unwrap_or(written);
    let is_plain = |one: char| one.is_ascii_alphanumeric() || matches!(one, '_' | '-' | '.');
    if plain.is_empty() || !plain.chars().all(is_plain) {
        return refuse(format!("the delimiter `{written}` of a here-document"));
    }
    Ok(plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(command: &str) -> Vec<String> {
        tokens(command).unwrap().into_iter().map(|one| one.text).collect()
    }

    #[test]
    fn words_keep_their_quotes_and_operators_are_the_longest() {
        assert_eq!(texts(r#"a 'b c' "d;e"\ f&&g # h"#), ["a", "'b c'", "\"d;e\"\\ f", "&&", "g"]);
        assert_eq!(texts("a 2>&1 >>b;c"), ["a", "2", ">&", "1", ">>", "b", ";", "c"]);
        assert_eq!(texts("echo $(a | (b)) \"$(c ')')\""), ["echo", "$(a | (b))", "\"$(c ')')\""]);
        assert_eq!(texts("a\\\n b#c"), ["a\\\n", "b#c"]);
    }

    #[test]
    fn an_escaped_dollar_does_not_begin_a_quote_of_its_own() {
        assert_eq!(texts(r"echo \$'\' ; x"), ["echo", r"\$'\'", ";", "x"]);
    }

    #[test]
    fn bodies_stand_between_their_delimiters() {
        assert_eq!(
            texts("cat <<A | b <<-'C'\nx\nA\n\ty\n\tC\nd"),
            ["cat", "<<", "A", "x\n", "A", "|", "b", "<<-", "'C'", "y\n", "C", "\n", "d"],
        );
        for bad in [
            "cat <<A\nx\n",
            "cat <<A",
            "cat << \nA\n",
            "cat <<A$x\nA$x\n",
            "$(cat <<A)\nA\n)",
            "$(cat <<A\nA)",
            "cat <<A\n\\\nA\nid\nA\n",
        ] {
            assert!(tokens(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_shells_read_in_different_ways_is_refused() {
        let bad = [
            "echo 'a",
            "echo \"a",
            "echo `a",
            "echo $(a",
            "echo ${a",
            "echo ${a:-$(b)}",
            "a$\\\n(b)",
            "echo $\"x\"",
            "echo $[1]",
            "a {x}>b",
            "a x<(b)",
            "echo @(a)",
            "echo $((a[b]))",
            "a\\",
        ];
        for bad in bad {
            assert!(tokens(bad).is_err(), "{bad:?}");
        }
    }
}
