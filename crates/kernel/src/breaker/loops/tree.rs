//! JSON read without losing anything: numbers of any length, half surrogates, and a limit
//! on depth instead of a full stack.
//!
//! Two texts give equal trees where their RFC 8785 forms are equal: key order, white
//! space, escapes and number forms do not matter. Unlike there, whole numbers beyond 2^53
//! stay apart. A field that is `null` counts as absent; of a key that stands twice the
//! last one holds, as most readers have it.

use std::collections::BTreeMap;

use super::number;

/// Levels of brackets that are read; deeper texts are compared as they are.
const LEVELS_MAX: usize = 128;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    Null,
    Bool(bool),
    /// In its normal form.
    Number(String),
    Text(String),
    List(Vec<Tree>),
    Map(BTreeMap<String, Tree>),
}

/// Reads one JSON value; `None` where the text is anything else.
pub(super) fn read(text: &str) -> Option<Tree> {
    let mut reader = Reader { text, at: 0, level: 0 };
    let tree = reader.value()?;
    reader.space();
    (reader.at == text.len()).then_some(tree)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    level: usize,
}

impl Reader<'_> {
    fn value(&mut self) -> Option<Tree> {
        self.space();
        match self.byte()? {
            b'n' => self.word("null", Tree::Null),
            b't' => self.word("true", Tree::Bool(true)),
            b'f' => self.word("false", Tree::Bool(false)),
            b'"' => Some(Tree::Text(self.text()?)),
            b'[' => self.inside(Self::list),
            b'{' => self.inside(Self::map),
            b'-' | b'0'..=b'9' => self.number(),
            _ => None,
        }
    }

    fn inside(&mut self, read: fn(&mut Self) -> Option<Tree>) -> Option<Tree> {
        self.level += 1;
        self.at += 1;
        let tree = if self.level > LEVELS_MAX { None } else { read(self) };
        self.level -= 1;
        tree
    }

    fn list(&mut self) -> Option<Tree> {
        let mut items = Vec::new();
        if self.eats(b']') {
            return Some(Tree::List(items));
        }
        loop {
            items.push(self.value()?);
            if self.eats(b']') {
                return Some(Tree::List(items));
            }
            self.eats(b',').then_some(())?;
        }
    }

    fn map(&mut self) -> Option<Tree> {
        let mut fields = BTreeMap::new();
        if self.eats(b'}') {
            return Some(Tree::Map(fields));
        }
        loop {
            self.space();
            let key = (self.byte()? == b'"').then(|| self.text())??;
            self.eats(b':').then_some(())?;
            match self.value()? {
                Tree::Null => drop(fields.remove(&key)),
                value @ (Tree::Bool(_)
                | Tree::Number(_)
                | Tree::Text(_)
                | Tree::List(_)
                | Tree::Map(_)) => drop(fields.insert(key, value)),
            }
            if self.eats(b'}') {
                return Some(Tree::Map(fields));
            }
            self.eats(b',').then_some(())?;
        }
    }

    fn number(&mut self) -> Option<Tree> {
        let rest = &self.text[self.at..];
        let part_of = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
        let text = &rest[..rest.find(|c| !part_of(c)).unwrap_or(rest.len())];
        is_number(text).then_some(())?;
        self.at += text.len();
        Some(Tree::Number(number::normal(text)))
    }

    /// A string, its escapes resolved. Half a surrogate pair stays as its escape behind a
    /// replacement character, so that two different halves stay different.
    fn text(&mut self) -> Option<String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.find(|c: char| c == '"' || c == '\\' || c < ' ')?;
            text.push_str(&rest[..plain]);
            self.at += plain + 1;
            match rest.as_bytes()[plain] {
                b'"' => return Some(text),
                b'\\' => self.escape(&mut text)?,
                _ => return None,
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> Option<()> {
        let letter = self.byte()?;
        self.at += 1;
        text.push(match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(text),
            _ => return None,
        });
        Some(())
    }

    fn unicode(&mut self, text: &mut String) -> Option<()> {
        let first = self.unit()?;
        let low = (self.text[self.at..].starts_with("\\u") && (0xd800..0xdc00).contains(&first))
            .then(|| u32::from_str_radix(self.text.get(self.at + 2..self.at + 6)?, 16).ok())
            .flatten()
            .filter(|low| (0xdc00..0xe000).contains(low));
        let code = match low {
            Some(low) => {
                self.at += 6;
                0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00)
            }
            None => first,
        };
        match char::from_u32(code) {
            Some(letter) => text.push(letter),
            None => text.push_str(&format!("\u{fffd}{code:04x}")),
        }
        Some(())
    }

    /// Four hex digits.
    fn unit(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(())?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    fn word(&mut self, word: &str, tree: Tree) -> Option<Tree> {
        self.text[self.at..].starts_with(word).then_some(())?;
        self.at += word.len();
        Some(tree)
    }

    fn eats(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.byte() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn space(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

/// The grammar of RFC 8259, section 6.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, part) = match mantissa.split_once('.') {
        Some((whole, part)) => (whole, Some(part)),
        None => (mantissa, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let signed = |text: &str| digits(text.strip_prefix(['+', '-']).unwrap_or(text));
    digits(whole)
        && (whole.len() == 1 || !whole.starts_with('0'))
        && part.is_none_or(digits)
        && exponent.is_none_or(signed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_value_are_one_tree() {
        let same = [
            (r#"{"a":1,"b":[true,null]}"#, "{ \"b\" : [ true , null ], \"a\" : 1.0e0 }"),
            (r#"{"a":"\u00e9\/\ud83d\ude00"}"#, r#"{"a":"é/😀","gone":null}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            (r#"{"a":1,"a":null}"#, "{}"),
            (r#"{"a":{"b":null}}"#, r#"{"a":{}}"#),
        ];
        for (one, other) in same {
            assert_eq!(read(one), read(other), "{one}");
            assert!(read(one).is_some(), "{one}");
        }
    }

    #[test]
    fn different_values_are_different_trees() {
        let differ = [
            ("[null]", "[]"),
            (r#""\ud800""#, r#""\ud801""#),
            (r#""1""#, "1"),
            ("12345678901234567890123", "12345678901234567890124"),
        ];
        for (one, other) in differ {
            assert_ne!(read(one), read(other), "{one}");
            assert!(read(one).is_some() && read(other).is_some(), "{one}");
        }
    }

    #[test]
    fn what_is_no_json_is_not_read() {
        let deep = "[".repeat(100_000);
        let broken = ["", "{", "[1,]", "01", "1.", "+1", "nul", "\"a\nb\"", r#""\u12g4""#, "1 2"];
        for text in broken.into_iter().chain([deep.as_str(), r#"{"a" 1}"#, r#"{1:2}"#, "\"\\"]) {
            assert_eq!(read(text), None, "{}", &text[..text.len().min(20)]);
        }
    }

    #[test]
    fn depth_has_a_limit_and_no_abyss() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(&nested(LEVELS_MAX)).is_some());
        assert!(read(&nested(LEVELS_MAX + 1)).is_none());
    }
}
