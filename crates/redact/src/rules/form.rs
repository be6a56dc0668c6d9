//! Rules for what is known by its form: `data/rules.json`.

use regex::Regex;
use serde::Deserialize;

use super::RuleError;
use crate::check::value::{is_placeholder, is_random};
use crate::class::Class;
use crate::words::{PLACEHOLDER_HEAD, Words, floor, is_word};

const BUILT_IN: &str = include_str!("../../data/rules.json");

/// Longest text that a pattern sees after its keyword, in bytes: what a header of a request
/// may hold with the usual servers.
const AFTER_BYTES_MAX: usize = 8192;

/// What sets a rule off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trigger {
    /// One of its keywords.
    #[default]
    Keyword,
    /// A long run of letters and digits.
    Run,
    /// A long run of letters, digits and the other signs of base64.
    Wide,
    /// A number that may be a house's, before its street.
    House,
    /// A number that may be a house's, after its street.
    HouseLast,
}

/// What may stand before a match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Left {
    /// No letter and no digit.
    #[default]
    Word,
    /// Anything.
    Any,
}

/// What a secret must be beyond its pattern. All but `Placeholder` ask that, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Check {
    /// Not put there for show.
    #[default]
    Placeholder,
    /// As if drawn by lot.
    Random,
    /// Its first part is the head of a signed token.
    Jwt,
    /// A password, not the second half of `1000:1000` or `app:app`.
    BasicAuthFlag,
}

/// Where something begins and ends.
type Span = (usize, usize);

/// A rule as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    class: Class,
    keywords: Vec<String>,
    pattern: String,
    #[serde(default)]
    left: Left,
    #[serde(default)]
    before_bytes: usize,
    #[serde(default)]
    trigger: Trigger,
    #[serde(default)]
    check: Option<String>,
    #[serde(default, rename = "match")]
    matches: Vec<String>,
    #[serde(default)]
    no_match: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    rules: Vec<Written>,
}

/// A rule that is ready to be used.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) id: String,
    pub(crate) class: Class,
    pub(crate) keywords: Vec<String>,
    pub(crate) trigger: Trigger,
    /// Texts in which it must find something, and in which it must not.
    pub(crate) examples: Vec<(String, bool)>,
    pattern: Regex,
    left: Left,
    before_bytes: usize,
    check: Check,
}

/// The rules of the house.
pub(crate) fn built_in() -> Vec<Form> {
    read(BUILT_IN).expect("INVARIANT: a test reads the rules of the house")
}

/// Reads rules from a file's text.
pub(crate) fn read(text: &str) -> Result<Vec<Form>, RuleError> {
    let file: File = serde_json::from_str(text)?;
    file.rules.into_iter().map(compile).collect()
}

fn compile(rule: Written) -> Result<Form, RuleError> {
    let short = rule.keywords.iter().any(|word| word.len() < 2);
    if short || (rule.keywords.is_empty() && rule.trigger == Trigger::Keyword) {
        return Err(RuleError::Keywords { id: rule.id });
    }
    let anchored = rule.before_bytes == 0;
    let pattern = if anchored { format!(r"\A(?:{})", rule.pattern) } else { rule.pattern };
    let pattern = Regex::new(&pattern)
        .map_err(|cause| RuleError::Pattern { id: rule.id.clone(), cause: Box::new(cause) })?;
    let check = match rule.check.as_deref() {
        None | Some("placeholder") => Check::Placeholder,
        Some("random") => Check::Random,
        Some("jwt") => Check::Jwt,
        Some("basic_auth_flag") => Check::BasicAuthFlag,
        Some(check) => return Err(RuleError::Check { id: rule.id, check: check.to_owned() }),
    };
    let wanted = rule.matches.into_iter().map(|text| (text, true));
    let unwanted = rule.no_match.into_iter().map(|text| (text, false));
    Ok(Form {
        examples: wanted.chain(unwanted).collect(),
        id: rule.id,
        class: rule.class,
        keywords: rule.keywords,
        trigger: rule.trigger,
        pattern,
        left: rule.left,
        before_bytes: rule.before_bytes,
        check,
    })
}

impl Form {
    /// Up to where the text was read for a keyword at a place, and where the secret lies, if
    /// there is one.
    pub(crate) fn find(&self, words: &Words, text: &str, at: usize) -> (usize, Option<Span>) {
        let from = floor(text, at.saturating_sub(self.before_bytes));
        let until = floor(text, at + AFTER_BYTES_MAX);
        if self.before_bytes == 0 && !self.may_begin(text, from) {
            return (at, None);
        }
        let seen = &text[from..until];
        // Most hits end here, without the memory that groups need.
        if !self.pattern.is_match(seen) {
            return (at, None);
        }
        // What ends before the keyword belongs to another one.
        let mut all = self.pattern.captures_iter(seen).filter_map(|captures| {
            let whole = captures.get(0)?;
            Some((whole, captures.get(1).unwrap_or(whole)))
        });
        let Some((whole, secret)) = all.find(|(whole, _)| from + whole.end() > at) else {
            return (at, None);
        };
        let (start, end) = (from + secret.start(), from + secret.end());
        let right = from + whole.start() <= at
            && !self.goes_on(text, end)
            && self.holds(words, whole.as_str(), secret.as_str());
        (from + whole.end(), right.then_some((start, end)))
    }

    /// Whether its form says whose secret it is, and not only that it is one.
    pub(crate) fn is_precise(&self) -> bool {
        self.class == Class::Secrets && self.check != Check::Random
    }

    fn may_begin(&self, text: &str, at: usize) -> bool {
        match self.left {
            Left::Any => true,
            Left::Word => !text[..at].chars().next_back().is_some_and(is_word),
        }
    }

    /// Whether letters go on after a secret of fixed length: then it is something else.
    fn goes_on(&self, text: &str, end: usize) -> bool {
        let last = text.as_bytes()[..end].last().copied().unwrap_or(b' ');
        let next = text.as_bytes().get(end).copied().unwrap_or(b' ');
        let glued = text.as_bytes()[end..].starts_with(PLACEHOLDER_HEAD);
        let more = next.is_ascii_alphanumeric() || glued;
        self.left == Left::Word && last.is_ascii_alphanumeric() && more
    }

    fn holds(&self, words: &Words, whole: &str, secret: &str) -> bool {
        if self.class != Class::Secrets {
            return true;
        }
        let right = match self.check {
            Check::Placeholder => true,
            Check::Random => is_random(body(secret)),
            Check::Jwt => is_token_head(secret),
            // `1000:1000` and `app:app` are a user and a group.
            Check::BasicAuthFlag => {
                !secret.bytes().all(|b| b.is_ascii_digit() || b == b':')
                    && !secret.starts_with(['/', '.', '~'])
                    && !whole.contains(&format!("{secret}:{secret}"))
            }
        };
        right && !is_placeholder(words, body(secret))
    }
}

/// A secret without its first part, which names its kind and may repeat letters.
fn body(secret: &str) -> &str {
    let head = secret.len().min(4);
    let cut = secret.get(head..).filter(|rest| rest.len() >= 12);
    cut.unwrap_or(secret)
}

/// `{"` in base64 is `eyJ`; a token's head names its algorithm, or its body is JSON too.
fn is_token_head(secret: &str) -> bool {
    use base64::Engine as _;
    let mut parts = secret.split('.');
    let head = parts.next().unwrap_or_default();
    let is_json_too = parts.next().is_some_and(|part| part.starts_with("eyJ"));
    let whole = &head[..head.len() / 4 * 4];
    let decoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(whole);
    let names_algorithm = decoded.is_ok_and(|bytes| {
        let text = String::from_utf8_lossy(&bytes);
        text.contains("\"alg\"") || text.contains("\"typ\"") || text.contains("\"kid\"")
    });
    is_json_too || names_algorithm
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_examples_that_it_must_and_must_not_find() {
        for form in built_in() {
            for wanted in [true, false] {
                let has = form.examples.iter().any(|(_, example)| *example == wanted);
                assert!(has, "{}: no example for {wanted}", form.id);
            }
        }
    }
}
