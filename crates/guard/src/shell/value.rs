//! What a word can become when bash expands it: every spelling that is known, and whether
//! there could be others.

use std::collections::{BTreeMap, BTreeSet};

use super::path::ANY;

/// How many spellings of one word are looked at.
const SAMPLES_MAX: usize = 48;

/// A word after expansion, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    /// Its spellings; [`ANY`] stands for an unquoted pattern character.
    pub(super) samples: Vec<String>,
    /// There is one spelling, and it is the whole truth.
    pub(super) exact: bool,
    /// Some of its text is not known.
    pub(super) unknown: bool,
    /// It may become several words, or a pattern that nobody has seen.
    pub(super) splits: bool,
    /// What is not known of it holds no pattern.
    pub(super) calm: bool,
    /// It has a pattern outside of quotes, and may become several words.
    pub(super) many: bool,
    /// What is not known of it may begin with a dash.
    pub(super) dash: bool,
    /// A variable or a command took part in it.
    pub(super) expanded: bool,
}

impl Value {
    pub(super) fn empty() -> Self {
        Value {
            samples: vec![String::new()],
            exact: true,
            unknown: false,
            splits: false,
            calm: false,
            many: false,
            dash: false,
            expanded: false,
        }
    }

    /// A word that stands for itself.
    pub(super) fn text(text: &str) -> Self {
        Value { samples: vec![text.to_owned()], ..Value::empty() }
    }

    /// A word of which nothing is known.
    pub(super) fn unknown() -> Self {
        Value { exact: false, unknown: true, splits: true, dash: true, ..Value::empty() }
    }

    /// The word, where it is certain.
    pub(super) fn exact(&self) -> Option<&str> {
        if self.exact { self.samples.first().map(String::as_str) } else { None }
    }

    /// The first spelling, with stars for patterns: for people.
    pub(super) fn shown(&self) -> String {
        self.samples.first().map_or_else(String::new, |first| first.replace(ANY, "*"))
    }

    /// The first spelling.
    pub(super) fn sample(&self) -> &str {
        self.samples.first().map_or("", String::as_str)
    }

    /// Nothing stands in it yet.
    pub(super) fn is_empty(&self) -> bool {
        !self.unknown && self.samples.iter().all(String::is_empty)
    }

    pub(super) fn push_text(&mut self, text: &str) {
        self.samples.iter_mut().for_each(|sample| sample.push_str(text));
    }

    pub(super) fn push_glob(&mut self) {
        self.dash |= self.is_empty();
        self.exact = false;
        self.many = true;
        self.samples.iter_mut().for_each(|sample| sample.push(ANY));
    }

    /// A number that is not known.
    pub(super) fn push_number(&mut self) {
        self.exact = false;
        self.push_text("1");
    }

    /// Text that is not known. `may_split`: it stands outside of quotes.
    pub(super) fn push_unknown(&mut self, may_split: bool) {
        self.dash |= self.is_empty() || may_split;
        self.exact = false;
        self.unknown = true;
        self.calm = false;
        self.splits |= may_split;
        self.expanded = true;
    }

    /// Text that is not known, but that it holds no pattern.
    pub(super) fn push_calm(&mut self, quoted: bool) {
        let before = !self.unknown || self.calm;
        self.push_unknown(false);
        self.dash |= !quoted;
        self.calm = before;
    }

    /// What a variable holds.
    pub(super) fn push_bound(&mut self, binding: Option<&Binding>, quoted: bool) {
        self.expanded = true;
        match binding {
            None | Some(Binding::Unknown) => self.push_unknown(!quoted),
            Some(Binding::Calm) => self.push_calm(quoted),
            Some(Binding::Known { samples, dash }) => self.push_known(samples, *dash, quoted),
        }
    }

    fn push_known(&mut self, samples: &[String], dash: bool, quoted: bool) {
        let odd = |sample: &String| {
            sample.is_empty() || sample.contains([' ', '\t', '\n', '*', '?', '[', '\\'])
        };
        let many = self.samples.len() * samples.len() > SAMPLES_MAX;
        if many || !quoted && samples.iter().any(odd) {
            return self.push_unknown(!quoted);
        }
        let patterns = samples.iter().any(|sample| sample.contains(ANY));
        self.dash |= dash && self.is_empty() || patterns && !quoted;
        self.many |= patterns && !quoted;
        self.exact &= samples.len() == 1 && !patterns;
        let each = |before: &String| {
            let joined = samples.iter().map(move |sample| format!("{before}{sample}"));
            joined.collect::<Vec<_>>()
        };
        self.samples = self.samples.iter().flat_map(each).collect();
    }
}

/// What a variable is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    /// One of these spellings. `dash`: names that begin with a dash are among them.
    Known { samples: Vec<String>, dash: bool },
    /// Anything without a pattern.
    Calm,
    /// Anything.
    Unknown,
}

impl Binding {
    /// What a variable holds after `name=value`.
    pub(super) fn of(value: &Value) -> Binding {
        match value.exact() {
            Some(text) => {
                Binding::Known { samples: vec![text.to_owned()], dash: text.starts_with('-') }
            }
            None if value.calm && !value.sample().contains(['*', '?', '[', '\\', ANY]) => {
                Binding::Calm
            }
            None => Binding::Unknown,
        }
    }

    /// What a loop's variable holds.
    pub(super) fn any_of(values: &[Value]) -> Binding {
        let known = values.iter().all(|value| !value.unknown && !value.splits);
        let samples = values.iter().flat_map(|value| value.samples.clone()).collect::<Vec<_>>();
        if !known || samples.len() > SAMPLES_MAX {
            return Binding::Unknown;
        }
        let dash = values.iter().any(|value| value.dash || value.sample().starts_with('-'));
        Binding::Known { samples, dash }
    }
}

/// The variables that certainly hold something at one place of a command.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    bound: BTreeMap<String, Binding>,
    /// Names that are set in more than one place: what they hold is not followed.
    repeated: BTreeSet<String>,
}

impl Scope {
    pub(super) fn bind(&mut self, name: &str, binding: Binding) {
        let binding = if self.repeated.contains(name) { Binding::Unknown } else { binding };
        self.bound.insert(name.to_owned(), binding);
    }

    pub(super) fn get(&self, name: &str) -> Option<&Binding> {
        self.bound.get(name)
    }

    /// Names that a command inside of this one sets more than once.
    pub(super) fn repeat(&mut self, names: BTreeSet<String>) {
        for name in &names {
            if let Some(binding) = self.bound.get_mut(name) {
                *binding = Binding::Unknown;
            }
        }
        self.repeated.extend(names);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unquoted_names_of_files_may_become_options() {
        let names = Binding::any_of(&[Value {
            samples: vec!["a/\u{1}".into()],
            exact: false,
            ..Value::empty()
        }]);
        let mut quoted = Value::empty();
        quoted.push_bound(Some(&names), true);
        assert!(!quoted.dash && !quoted.exact);
        let mut open = Value::empty();
        open.push_bound(Some(&names), false);
        assert!(open.dash && !open.unknown);
    }

    #[test]
    fn a_value_that_would_split_is_not_known() {
        let binding = Binding::of(&Value::text("a -o b"));
        let mut open = Value::empty();
        open.push_bound(Some(&binding), false);
        assert!(open.unknown && open.splits);
        let mut quoted = Value::empty();
        quoted.push_bound(Some(&binding), true);
        assert_eq!(quoted.exact(), Some("a -o b"));
    }
}
