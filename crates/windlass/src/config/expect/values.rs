//! The kinds of single values and lists that a file may have.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use kernel::units::Money;

use super::super::environment::is_name;
use super::super::mistake::Span;
use super::super::suggest;
use super::super::yaml::{Entry, Node, Value};
use super::{Reader, Scalar, Spelling, kind, quoted, value_span};

impl Reader<'_> {
    /// A text that says something.
    pub(in crate::config) fn text(&mut self, entry: &Entry) -> Option<String> {
        let scalar = self.scalar(entry)?;
        if scalar.spelling == Spelling::Number {
            let words = format!("`{}` is a text, this is a number", entry.key);
            let hint = format!("put it in quotes: `\"{}\"`", scalar.shown);
            return self.wrong(value_span(entry), words, hint);
        }
        if scalar.value.trim().is_empty() {
            let words = format!("`{}` is empty", entry.key);
            return self.wrong(value_span(entry), words, "give it a value");
        }
        Some(scalar.value)
    }

    /// A whole number in `range`, counted in `unit`.
    pub(in crate::config) fn whole<N: FromStr + PartialOrd + Display>(
        &mut self,
        entry: &Entry,
        range: RangeInclusive<N>,
        unit: &str,
    ) -> Option<N> {
        let scalar = self.number(entry)?;
        let digits = scalar.value.bytes().all(|byte| byte.is_ascii_digit());
        match scalar.value.parse::<N>() {
            Ok(value) if digits && range.contains(&value) => Some(value),
            Ok(_) | Err(_) => self.outside(entry, &scalar, "a whole number of", unit, &range),
        }
    }

    /// A number in `range`.
    pub(in crate::config) fn decimal(
        &mut self,
        entry: &Entry,
        range: RangeInclusive<f64>,
        unit: &str,
    ) -> Option<f64> {
        let scalar = self.number(entry)?;
        match scalar.value.parse::<f64>() {
            Ok(value) if range.contains(&value) => Some(value),
            Ok(_) | Err(_) => self.outside(entry, &scalar, "a", unit, &range),
        }
    }

    /// An amount of dollars, exact, as a number or as a text like `$2.50`.
    pub(in crate::config) fn money(&mut self, entry: &Entry) -> Option<Money> {
        let scalar = self.scalar(entry)?;
        match scalar.value.trim().parse() {
            Ok(money) => Some(money),
            Err(_) => {
                let words = format!("`{}` is not an amount of dollars", quoted(&scalar.shown));
                let hint = "write it like `2.50`, with at most nine decimals";
                self.wrong(value_span(entry), words, hint)
            }
        }
    }

    /// One of a few words.
    pub(in crate::config) fn choice<'c>(
        &mut self,
        entry: &Entry,
        choices: &[&'c str],
    ) -> Option<&'c str> {
        let said = self.text(entry)?;
        let found = choices.iter().find(|choice| **choice == said);
        if found.is_none() {
            let shown = self.shown(entry);
            let words = format!("`{}` is no `{}`", quoted(&shown), entry.key);
            self.wrong::<()>(value_span(entry), words, suggest::hint(&shown, choices));
        }
        found.copied()
    }

    /// The address of a server, without a slash at its end.
    pub(in crate::config) fn address(&mut self, entry: &Entry) -> Option<String> {
        let said = self.text(entry)?;
        if is_address(&said) {
            return Some(said.trim_end_matches('/').to_owned());
        }
        let words = format!("`{}` is not the address of a server", quoted(&self.shown(entry)));
        let hint =
            "write it like `https://host/path`, without user name, query, fragment or spaces";
        self.wrong(value_span(entry), words, hint)
    }

    /// The name of an environment variable that holds a key. A wrong value is not
    /// repeated: it may well be the key itself.
    pub(in crate::config) fn variable(&mut self, entry: &Entry) -> Option<String> {
        let said = self.text(entry)?;
        if is_name(&said) {
            return Some(said);
        }
        let words = format!("`{}` takes the name of an environment variable", entry.key);
        let hint = "write it like `MY_API_KEY`; a key itself has no place in this file";
        self.wrong(value_span(entry), words, hint)
    }

    /// The items of a list.
    pub(in crate::config) fn list<'n>(&mut self, entry: &'n Entry) -> Option<&'n [Node]> {
        match &entry.value.value {
            Value::List(items) => Some(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => {
                let words = format!("`{}` is a list, this is {}", entry.key, kind(&entry.value));
                let hint = format!("write `{}: [first, second]`, or `[]` for none", entry.key);
                self.wrong(value_span(entry), words, hint)
            }
        }
    }

    /// The texts of a list, each with its place. One wrong item makes the list wrong, after
    /// all have been read.
    pub(in crate::config) fn texts(&mut self, entry: &Entry) -> Option<Vec<(String, Span)>> {
        let items = self.items(entry)?;
        let texts: Vec<Option<(String, Span)>> =
            items.iter().map(|item| Some((self.text(item)?, item.value.span.clone()))).collect();
        texts.into_iter().collect()
    }

    /// The items of a list, each under the list's key, to be read one by one.
    pub(in crate::config) fn items(&mut self, entry: &Entry) -> Option<Vec<Entry>> {
        let named = |item: &Node| {
            let (key, key_span) = (entry.key.clone(), item.span.clone());
            Entry { key, key_span, value: item.clone() }
        };
        Some(self.list(entry)?.iter().map(named).collect())
    }

    /// The entries of a mapping whose keys are the operator's own names.
    pub(in crate::config) fn mapping<'n>(&mut self, entry: &'n Entry) -> Option<&'n [Entry]> {
        match &entry.value.value {
            Value::Map(entries) => Some(entries),
            Value::Null => Some(&[]),
            Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
                let words =
                    format!("`{}` has names and values, this is {}", entry.key, kind(&entry.value));
                self.wrong(value_span(entry), words, "write `name: …`, one name on each line")
            }
        }
    }

    fn number(&mut self, entry: &Entry) -> Option<Scalar> {
        let scalar = self.scalar(entry)?;
        if scalar.spelling != Spelling::Text {
            return Some(scalar);
        }
        let words = format!("`{}` is a number, this is a text", entry.key);
        self.wrong(value_span(entry), words, "write digits without quotes")
    }

    fn outside<T, N: Display + PartialEq>(
        &mut self,
        entry: &Entry,
        scalar: &Scalar,
        what: &str,
        unit: &str,
        range: &RangeInclusive<N>,
    ) -> Option<T> {
        let words = format!("`{}` is out of range for `{}`", quoted(&scalar.shown), entry.key);
        let hint = format!("it is {what} {unit} from {} to {}", range.start(), range.end());
        self.wrong(value_span(entry), words, hint)
    }

    fn shown(&self, entry: &Entry) -> String {
        match &entry.value.value {
            Value::Text(text) | Value::Number(text) => text.clone(),
            Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => String::new(),
        }
    }
}

/// Whether a text is an `http` or `https` address that paths can be added to. No user
/// name or key may hide in it: addresses are logged.
fn is_address(text: &str) -> bool {
    let after_scheme = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = after_scheme else {
        return false;
    };
    let host = rest.split('/').next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_graphic() && !"@?#\\\"<>`{}".contains(c);
    !host.is_empty() && !host.starts_with(':') && rest.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_and_a_host_and_no_secrets() {
        for right in [
            "http://localhost:11434/v1",
            "https://api.example.com",
            "https://h/",
            "http://[::1]:80/x",
        ] {
            assert!(is_address(right), "{right}");
        }
        for wrong in [
            "localhost:8080",
            "ftp://h",
            "https://",
            "https:///v1",
            "https://me:key@h",
            "https://h/?key=1",
            "https://h/a b",
            "https://:80",
        ] {
            assert!(!is_address(wrong), "{wrong}");
        }
    }
}
