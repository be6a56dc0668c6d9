//! What must not leave the process, found and blanked in text: secrets by form and by
//! entropy, personal data by class.
//!
//! Pure: text and rules in, text out. What is nested (JSON in strings, base64, URLs) is looked into,
//! and streams are redacted over the borders of their pieces. A text in which nothing is
//! found comes back as it was; JSON stays JSON; redacting twice changes nothing more. Time
//! is linear in the text, whatever the text is.

mod check;
mod class;
mod input;
mod look;
mod rules;
mod stream;
mod view;
mod words;
mod write;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

pub use class::{Class, Classes};
pub use input::{Body, Input, Output};
pub use rules::RuleError;
pub use stream::{HOLD_BYTES_MAX, Stream};

use look::Found;
use rules::Rules;

/// Finds and blanks what a tenant chose. Clones share the rules.
#[derive(Clone, Debug)]
pub struct Redactor {
    rules: Arc<Rules>,
    classes: Classes,
}

/// Something that was found, without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing it is.
    pub class: Class,
    /// The rule that found it, as in the placeholder.
    pub rule: String,
    /// Its bytes in the text.
    pub span: Range<usize>,
}

impl Redactor {
    /// A redactor with the rules of the house.
    #[must_use]
    pub fn new(classes: &Classes) -> Self {
        Redactor { rules: Rules::built_in(), classes: *classes }
    }

    /// A redactor with rules of one's own beside those of the house. The text is JSON of the
    /// same form as `data/rules.json`; each rule's examples are tried, and one that is judged
    /// otherwise than it says refuses the whole.
    pub fn with_rules(classes: &Classes, rules: &str) -> Result<Self, RuleError> {
        let rules = Arc::new(Rules::with(rules)?);
        let redactor = Redactor { rules, classes: *classes };
        redactor.check_examples()?;
        Ok(redactor)
    }

    /// The text with a placeholder such as `[redacted:email]` for each thing found; borrowed
    /// where there is none.
    #[must_use]
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let found = self.look(text);
        if found.is_empty() {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(write::redacted(text, &found))
        }
    }

    /// Redacts a JSON value in place. Names of members explain their values, numbers that
    /// must not be seen become strings.
    pub fn json(&self, value: &mut Value) {
        let text = value.to_string();
        if let Cow::Owned(text) = self.text(&text) {
            // A value that is too deep to be read again is kept as redacted text.
            *value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        }
    }

    /// What is in the text: in order, without overlaps.
    #[must_use]
    pub fn found(&self, text: &str) -> Vec<Finding> {
        let found = self.look(text).into_iter();
        let finding = |found: Found<'_>| Finding {
            class: found.class,
            rule: found.id.to_owned(),
            span: found.start..found.end,
        };
        found.map(finding).collect()
    }

    /// A stream that is redacted piece by piece.
    #[must_use]
    pub fn stream(&self) -> Stream {
        Stream::new(self.clone())
    }

    fn look(&self, text: &str) -> Vec<Found<'_>> {
        look::look(&self.rules, self.classes, text)
    }

    /// Tries the examples of every rule.
    fn check_examples(&self) -> Result<(), RuleError> {
        let everything = Redactor { rules: Arc::clone(&self.rules), classes: Classes::all() };
        for form in &self.rules.forms {
            for (example, wanted) in &form.examples {
                let found = everything.look(example).iter().any(|found| found.id == form.id);
                if found != *wanted {
                    let (id, example) = (form.id.clone(), example.clone());
                    return Err(RuleError::Example { id, example, wanted: *wanted });
                }
            }
        }
        Ok(())
    }
}

impl Default for Redactor {
    /// Everything but IP addresses, by the rules of the house.
    fn default() -> Self {
        Redactor::new(&Classes::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_the_house_finds_its_examples_and_nothing_else() {
        let redactor = Redactor::default();
        let mut wrong = Vec::new();
        for form in &redactor.rules.forms {
            for (example, wanted) in &form.examples {
                let found = redactor.look(example);
                if found.iter().any(|found| found.id == form.id) != *wanted {
                    wrong.push(format!("{}: {example} {:?}", form.id, redactor.text(example)));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn rules_of_ones_own_are_tried_before_they_are_taken() {
        let rules = |example: &str| {
            format!(
                r#"{{"rules":[{{"id":"badge","class":"secrets","keywords":["badge-"],"pattern":"badge-[0-9]{{6}}","match":["{example}"]}}]}}"#
            )
        };
        let redactor = Redactor::with_rules(&Classes::default(), &rules("badge-123456")).unwrap();
        assert_eq!(redactor.text("his badge-123456"), "his [redacted:badge]");
        let refused = Redactor::with_rules(&Classes::default(), &rules("badge-12"));
        assert!(matches!(refused, Err(RuleError::Example { wanted: true, .. })));
    }

    #[test]
    fn members_of_json_explain_their_values() {
        let mut value = serde_json::json!({
            "user": "u", "password": "hunter2", "card": 4_111_111_111_111_111_u64,
            "nested": {"note": "write to a@example.com"}, "count": 3
        });
        Redactor::default().json(&mut value);
        assert_eq!(
            value.to_string(),
            r#"{"user":"u","password":"[redacted:password]","card":"[redacted:card]","nested":{"note":"write to [redacted:email]"},"count":3}"#
        );
    }

    #[test]
    fn classes_that_were_not_chosen_stay() {
        let redactor = Redactor::new(&Classes::NONE.with(Class::Email));
        let text = "a@example.com has password=hunter2";
        assert_eq!(redactor.text(text), "[redacted:email] has password=hunter2");
        assert!(matches!(Redactor::new(&Classes::NONE).text(text), Cow::Borrowed(_)));
    }
}
