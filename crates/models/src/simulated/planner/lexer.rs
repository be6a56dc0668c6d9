//! Text → tokens: words, numbers, quoted texts, marks and line ends.
//!
//! One pass, linear time, every token a slice of the text. Nothing here knows what a
//! request means; it only knows that `src/main.rs` is one word, `12*7` is three tokens
//! and `"a, b"` is a text that nobody may split.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word, a path, a file pattern or an address.
    Word,
    /// A decimal number.
    Number,
    /// A text in quotes.
    Quoted,
    /// The rest of a line after a colon, taken as it stands.
    Free,
    /// Any other character.
    Mark,
    /// The end of a line. The words of a `Break` say whether it also ends a sentence.
    Break,
}

/// A piece of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    /// What it is.
    pub(super) kind: Kind,
    /// As it stands in the text; of a quoted text, what is inside the quotes.
    pub(super) text: &'a str,
    /// The form that rules compare: small letters, straight quotes, `×` as `*`, numbers
    /// without their thousands' commas. Empty where no rule may look inside.
    pub(super) word: String,
    /// Where it begins, in bytes.
    pub(super) start: usize,
    /// Where it ends, in bytes.
    pub(super) end: usize,
}

/// A line end that also ends a sentence: an empty line, or a list's next entry.
pub(super) const PARAGRAPH: &str = "paragraph";

/// All tokens of a text.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { text, at: 0, unclosed: Vec::new() };
    lexer.skip_list_mark();
    let mut found = Vec::new();
    while let Some(token) = lexer.next() {
        found.push(token);
    }
    found
}

/// How many tokens a phrase of single blanks takes, if they begin with it.
pub(super) fn phrase_length(tokens: &[Token<'_>], phrase: &str) -> Option<usize> {
    let mut length = 0;
    for word in phrase.split(' ') {
        tokens.get(length).filter(|token| token.word == word)?;
        length += 1;
    }
    Some(length)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// Closing quotes that do not come any more. Without this memory, a text of opening
    /// quotes alone would be searched to its end for each of them.
    unclosed: Vec<&'static str>,
}

impl<'a> Lexer<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        let blanks = self.rest().find(|c: char| c == '\n' || !c.is_whitespace())?;
        self.at += blanks;
        let first = self.rest().chars().next()?;
        if first == '\n' {
            return Some(self.line_end());
        }
        self.quoted(first).or_else(|| self.number()).or_else(|| self.word(first)).or_else(|| {
            let word = plain_mark(first).to_string();
            Some(self.take(Kind::Mark, first.len_utf8(), word))
        })
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn take(&mut self, kind: Kind, length: usize, word: String) -> Token<'a> {
        let (start, end) = (self.at, self.at + length);
        self.at = end;
        Token { kind, text: &self.text[start..end], word, start, end }
    }

    /// All line ends and blanks in a row.
    fn line_end(&mut self) -> Token<'a> {
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
        let lines = rest[..length].matches('\n').count();
        let mut token = self.take(Kind::Break, length, String::new());
        let listed = self.skip_list_mark();
        if lines > 1 || listed {
            PARAGRAPH.clone_into(&mut token.word);
        }
        token
    }

    /// Steps over `- `, `* `, `• `, `1. ` or `2) ` at the beginning of a line.
    fn skip_list_mark(&mut self) -> bool {
        let rest = self.rest();
        let digits = rest.bytes().take(4).take_while(u8::is_ascii_digit).count();
        let after = &rest[digits..];
        let marks: &[char] = if digits > 0 { &['.', ')'] } else { &['-', '*', '•'] };
        let Some(mark) = after.chars().next().filter(|c| marks.contains(c)) else { return false };
        let listed = after[mark.len_utf8()..].starts_with([' ', '\t']);
        if listed {
            self.at += digits + mark.len_utf8();
        }
        listed
    }

    fn quoted(&mut self, first: char) -> Option<Token<'a>> {
        let before = self.text[..self.at].chars().next_back();
        let at_word_start = before.is_none_or(|c| !c.is_alphanumeric());
        let (open, close) = match first {
            '`' if self.rest().starts_with("```") => ("```", "```"),
            '`' => ("`", "`"),
            '"' => ("\"", "\""),
            '“' | '„' => ("“", "”"),
            '«' => ("«", "»"),
            '\'' if at_word_start => ("'", "'"),
            '‘' if at_word_start => ("‘", "’"),
            _ => return None,
        };
        if self.unclosed.contains(&close) {
            return None;
        }
        let inner = &self.rest()[open.len()..];
        let Some(length) = closing(inner, close) else {
            self.unclosed.push(close);
            return None;
        };
        let start = self.at;
        self.at += open.len() + length + close.len();
        let text =
            if close == "```" { without_fence_label(&inner[..length]) } else { &inner[..length] };
        Some(Token { kind: Kind::Quoted, text, word: String::new(), start, end: self.at })
    }

    fn number(&mut self) -> Option<Token<'a>> {
        let rest = self.rest();
        let sign = rest.chars().next().filter(|c| matches!(c, '$' | '€' | '£'));
        let skipped = sign.map_or(0, char::len_utf8);
        let digits = number_length(&rest[skipped..])?;
        if sign.is_none() && (is_date(rest) || is_file_name(rest)) {
            return None;
        }
        let word = rest[skipped..skipped + digits].replace(',', "");
        Some(self.take(Kind::Number, skipped + digits, word))
    }

    fn word(&mut self, first: char) -> Option<Token<'a>> {
        let rest = self.rest();
        let second = rest[first.len_utf8()..].chars().next();
        let begins = match first {
            '_' | '~' | '@' | '#' | '°' => second.is_some_and(char::is_alphanumeric),
            '.' => {
                second.is_some_and(|c| c.is_alphanumeric() || c == '/') || rest.starts_with("../")
            }
            '/' => second.is_some_and(char::is_alphabetic),
            '*' => second.is_some_and(|c| matches!(c, '.' | '*' | '/')),
            _ => first.is_alphanumeric(),
        };
        if !begins {
            return None;
        }
        let length = word_length(rest);
        let word = rest[..length].to_lowercase().replace('’', "'");
        Some(self.take(Kind::Word, length, word))
    }
}

fn plain_mark(mark: char) -> char {
    match mark {
        '×' | '·' => '*',
        '÷' => '/',
        '−' | '–' => '-',
        other => other,
    }
}

/// Where the closing quote stands. A single quote inside a word is an apostrophe.
fn closing(inner: &str, close: &str) -> Option<usize> {
    let apostrophe = close == "'" || close == "’";
    let ends = |at: &usize| {
        let after = inner[at + close.len()..].chars().next();
        !apostrophe || after.is_none_or(|c| !c.is_alphanumeric())
    };
    inner.match_indices(close).map(|(at, _)| at).find(ends)
}

/// The text of a fenced block, without the language behind its first fence and without
/// its last line end.
fn without_fence_label(inner: &str) -> &str {
    match inner.split_once('\n') {
        Some((label, body)) if !label.trim().contains(' ') => {
            body.strip_suffix('\n').unwrap_or(body)
        }
        Some(_) | None => inner,
    }
}

/// The length of the number at the beginning: `12`, `1,234.5`, `.5`, `1e6`.
fn number_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let digits_from =
        |at: usize| bytes[at.min(bytes.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut end = digits_from(0);
    if (1..=3).contains(&end) {
        while bytes.get(end) == Some(&b',') && digits_from(end + 1) == 3 {
            end += 4;
        }
    }
    if bytes.get(end) == Some(&b'.') && digits_from(end + 1) > 0 {
        end += 1 + digits_from(end + 1);
    }
    if end > 0 && matches!(bytes.get(end), Some(b'e' | b'E')) {
        let signed = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let digits = digits_from(end + 1 + signed);
        let after = bytes.get(end + 1 + signed + digits);
        if digits > 0 && !after.is_some_and(u8::is_ascii_alphanumeric) {
            end += 1 + signed + digits;
        }
    }
    (end > 0).then_some(end)
}

/// Whether a date like `2026-11-30` stands at the beginning.
pub(super) fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let fits = bytes.len() >= 10
        && (0..10)
            .all(|i| if i == 4 || i == 7 { bytes[i] == b'-' } else { bytes[i].is_ascii_digit() });
    fits && !bytes.get(10).is_some_and(u8::is_ascii_alphanumeric)
}

/// Longest file name that may begin with a digit, in bytes.
const DIGIT_NAME_BYTES_MAX: usize = 256;

/// Whether a name like `1984.txt` or `2026/plan.md` stands at the beginning.
fn is_file_name(text: &str) -> bool {
    let in_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/');
    let length = text.bytes().take(DIGIT_NAME_BYTES_MAX).take_while(|b| in_name(b)).count();
    let name = text[..length].trim_end_matches('.');
    name.rsplit_once('.').is_some_and(|(_, ending)| {
        ending.starts_with(|c: char| c.is_ascii_lowercase())
            && ending.len() <= 8
            && ending.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

/// The length of the word at the beginning: letters, digits, and what stands inside
/// paths, addresses, file patterns and abbreviations.
fn word_length(text: &str) -> usize {
    let mut before = '\0';
    let mut braces = false;
    let mut end = text.len();
    for (at, c) in text.char_indices() {
        let next = text[at + c.len_utf8()..].chars().next().unwrap_or(' ');
        let joins = next.is_alphanumeric() || matches!(next, '_' | '.' | '/' | '*' | '~');
        let inside = match c {
            '_' | '@' | '#' | '~' | '$' | '\\' | '[' | ']' | '°' => true,
            '\'' | '’' | '&' => next.is_alphanumeric(),
            '-' => joins || next == '-',
            '.' | '/' => at == 0 || joins || next == '{' || c == '/',
            '*' => {
                matches!(before, '.' | '/' | '*' | '_' | '-')
                    || matches!(next, '.' | '/' | '*')
                    || at == 0
            }
            ':' => before == ':' || next == ':' || text[at..].starts_with("://"),
            '{' => {
                braces = true;
                true
            }
            '}' | ',' if braces => {
                braces = c == ',';
                true
            }
            '?' | '=' | '%' => text.starts_with("http") && next.is_alphanumeric(),
            _ => c.is_alphanumeric(),
        };
        if !inside {
            end = at;
            break;
        }
        before = c;
    }
    let word = &text[..end];
    if word.len() > 2 && !word.ends_with("/..") { word.trim_end_matches('.').len() } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let show = |token: Token<'_>| match token.kind {
            Kind::Word => token.text.to_owned(),
            Kind::Number => format!("#{}", token.word),
            Kind::Quoted => format!("<{}>", token.text),
            Kind::Free => format!("free:{}", token.text),
            Kind::Mark => format!("'{}", token.word),
            Kind::Break => format!("~{}", token.word),
        };
        tokens(text).into_iter().map(show).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_numbers_quotes_and_marks() {
        for (text, expected) in [
            ("What is 17.5% of 2340?", "What is #17.5 '% of #2340 '?"),
            ("12*7, 100/8", "#12 '* #7 ', #100 '/ #8"),
            ("1,234.5 and 1,2", "#1234.5 and #1 ', #2"),
            ("$64.20 × 2", "#64.20 '* #2"),
            ("read src/main.rs.", "read src/main.rs '."),
            ("files like *.md or src/**/*.{rs,toml}?", "files like *.md or src/**/*.{rs,toml} '?"),
            ("open 1984.txt on 2026-11-30", "open 1984.txt on 2026-11-30"),
            ("say 'it's fine' or \"a, b\"", "say <it's fine> or <a, b>"),
            ("what's up, don't", "what's up ', don't"),
            ("100km/h", "#100 km/h"),
            ("sqrt(144)+2", "sqrt '( #144 ') '+ #2"),
            ("a\nb\n\nc", "a ~ b ~paragraph c"),
            ("1. one\n2. two", "one ~paragraph two"),
            ("an \"open quote", "an '\" open quote"),
            ("std::fs::read", "std::fs::read"),
            ("todo:buy", "todo ': buy"),
            ("```rust\nfn a() {}\n```", "<fn a() {}>"),
            ("", ""),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
