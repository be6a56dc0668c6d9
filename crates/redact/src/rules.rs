//! The rules: read from data, compiled once, shared by every redactor.
//!
//! One automaton finds all words that can begin something; most text has none of them, and
//! only where one stands is a pattern tried. Rules carry their own examples.

mod form;
mod numbers;

use std::sync::{Arc, LazyLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

pub(crate) use form::{Form, Trigger};
pub(crate) use numbers::Numbers;

use crate::words::Words;

/// Why rules were not taken.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// The file has another shape.
    #[error("rules are not readable: {0}")]
    Shape(#[from] serde_json::Error),
    /// A pattern is not a regular expression, or is too large.
    #[error("rule `{id}`: its pattern is not usable: {cause}")]
    Pattern {
        /// The rule.
        id: String,
        /// What the compiler of patterns said.
        cause: Box<regex::Error>,
    },
    /// A rule names a check that there is not.
    #[error("rule `{id}`: there is no check `{check}`")]
    Check {
        /// The rule.
        id: String,
        /// The name of the check.
        check: String,
    },
    /// A rule that nothing can set off, or a keyword that would go off everywhere.
    #[error("rule `{id}`: a rule needs keywords of two bytes or more")]
    Keywords {
        /// The rule.
        id: String,
    },
    /// An example of a rule is judged otherwise than it says.
    #[error("rule `{id}`: `{example}` should {}be found", if *.wanted { "" } else { "not " })]
    Example {
        /// The rule.
        id: String,
        /// The example.
        example: String,
        /// Whether it should be found.
        wanted: bool,
    },
    /// The automaton of all keywords could not be built.
    #[error("the keywords are too many: {0}")]
    Automaton(String),
}

/// What a keyword sets off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// The rule with this number.
    Form(usize),
    /// A noun that a secret may follow: `password`, `token`, ….
    Noun,
    /// `bearer`, `basic`: the word after it may be a secret.
    Scheme,
    /// `cookie`: a list of pairs follows.
    Cookie,
    /// A sign between the parts of an e-mail address.
    At,
    /// The same, written so that machines do not read it.
    SpelledAt,
    /// `://`: a name and a password may follow.
    Address,
    /// The head of a private key.
    PrivateKey,
    /// A word that a birthday follows.
    Birth,
    /// A word that a card's check value or a PIN follows.
    ShortCode,
    /// A word that the number of a document follows.
    Document,
}

/// Rules that are ready to be used.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) words: Words,
    pub(crate) numbers: Numbers,
    pub(crate) forms: Vec<Form>,
    pub(crate) automaton: AhoCorasick,
    /// Rules that something else sets off.
    without_keyword: Vec<usize>,
    /// What each pattern of the automaton sets off.
    acts: Vec<Vec<Act>>,
}

/// The rules of the house.
static BUILT_IN: LazyLock<Arc<Rules>> = LazyLock::new(|| {
    let forms = form::built_in();
    Arc::new(Rules::of(forms).expect("INVARIANT: a test compiles the rules of the house"))
});

impl Rules {
    /// The rules of the house, compiled at their first use.
    pub(crate) fn built_in() -> Arc<Rules> {
        Arc::clone(&BUILT_IN)
    }

    /// The rules of the house and those of a file of the same form.
    pub(crate) fn with(more: &str) -> Result<Rules, RuleError> {
        let mut forms = form::built_in();
        forms.extend(form::read(more)?);
        Rules::of(forms)
    }

    fn of(forms: Vec<Form>) -> Result<Rules, RuleError> {
        let words = Words::built_in();
        let numbers = Numbers::built_in();
        let mut keywords = Keywords::default();
        for (number, form) in forms.iter().enumerate() {
            form.keywords.iter().for_each(|word| keywords.add(word, Act::Form(number)));
        }
        keywords.add_all(&words, &numbers);
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .ascii_case_insensitive(true)
            .build(&keywords.words)
            .map_err(|error| RuleError::Automaton(error.to_string()))?;
        let by_keyword = |number: &usize| forms[*number].trigger == Trigger::Keyword;
        let without_keyword = (0..forms.len()).filter(|number| !by_keyword(number)).collect();
        Ok(Rules { words, numbers, forms, automaton, without_keyword, acts: keywords.acts })
    }

    /// What a pattern of the automaton sets off.
    pub(crate) fn acts(&self, pattern: usize) -> &[Act] {
        &self.acts[pattern]
    }

    /// The rules that something else than a keyword sets off.
    pub(crate) fn set_off_by(&self, trigger: Trigger) -> impl Iterator<Item = &Form> {
        let numbers = self.without_keyword.iter().map(|number| &self.forms[*number]);
        numbers.filter(move |form| form.trigger == trigger)
    }
}

/// Keywords, each once, with everything that they set off.
#[derive(Default)]
struct Keywords {
    words: Vec<String>,
    acts: Vec<Vec<Act>>,
}

impl Keywords {
    fn add(&mut self, word: &str, act: Act) {
        let word = word.to_ascii_lowercase();
        match self.words.iter().position(|known| *known == word) {
            Some(at) if self.acts[at].contains(&act) => {}
            Some(at) => self.acts[at].push(act),
            None => {
                self.words.push(word);
                self.acts.push(vec![act]);
            }
        }
    }

    fn add_all(&mut self, words: &Words, numbers: &Numbers) {
        for noun in words.secret_nouns.iter().chain(&words.token_nouns).chain(&words.key_nouns) {
            self.add(noun, Act::Noun);
        }
        for (word, act) in [
            ("bearer ", Act::Scheme),
            ("basic ", Act::Scheme),
            ("token ", Act::Scheme),
            ("cookie", Act::Cookie),
            ("@", Act::At),
            ("＠", Act::At),
            ("[at]", Act::SpelledAt),
            ("(at)", Act::SpelledAt),
            ("://", Act::Address),
            ("-----begin ", Act::PrivateKey),
        ] {
            self.add(word, act);
        }
        words.birth_words.iter().for_each(|word| self.add(word, Act::Birth));
        words.card_check_words.iter().for_each(|word| self.add(word, Act::ShortCode));
        words.pin_words.iter().for_each(|word| self.add(word, Act::ShortCode));
        numbers.documents.iter().for_each(|word| self.add(word, Act::Document));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_the_house_compile() {
        let rules = Rules::built_in();
        assert!(rules.forms.len() > 90);
        assert!(rules.acts.iter().all(|acts| !acts.is_empty()));
    }

    #[test]
    fn rules_that_cannot_work_are_named() {
        for (text, said) in [
            ("{}", "not readable"),
            (
                r#"{"rules":[{"id":"a","class":"secrets","keywords":["ab"],"pattern":"("}]}"#,
                "`a`: its pattern",
            ),
            (
                r#"{"rules":[{"id":"a","class":"secrets","keywords":["b"],"pattern":"b"}]}"#,
                "two bytes",
            ),
            (
                r#"{"rules":[{"id":"a","class":"secrets","keywords":["ab"],"pattern":"ab","check":"x"}]}"#,
                "no check `x`",
            ),
        ] {
            let error = Rules::with(text).err().map(|error| error.to_string());
            assert!(error.as_ref().is_some_and(|error| error.contains(said)), "{text}: {error:?}");
        }
    }
}
