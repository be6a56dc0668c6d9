//! The grammar of `grammar.txt`, read once.
//!
//! A rule says which [`Meaning`] a clause has and what its slots took; what that comes to
//! as a task is decided in `intent`. Each rule carries its own examples, and a test
//! holds it to them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::lexer::Token;
use super::phrase::{Captured, Phrase};

/// What a clause can mean, besides arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Greet,
    Thank,
    Introduce,
    ListNotes,
    ReadNote,
    AppendNote,
    SaveNote,
    Weather,
    WeatherAgain,
    SearchWeb,
    ReadMore,
    FindFiles,
    FindText,
    EditFile,
    WriteFile,
    ReadFile,
}

impl Meaning {
    fn named(name: &str) -> Self {
        match name {
            "greet" => Meaning::Greet,
            "thank" => Meaning::Thank,
            "introduce" => Meaning::Introduce,
            "list_notes" => Meaning::ListNotes,
            "read_note" => Meaning::ReadNote,
            "append_note" => Meaning::AppendNote,
            "save_note" => Meaning::SaveNote,
            "weather" => Meaning::Weather,
            "weather_again" => Meaning::WeatherAgain,
            "search_web" => Meaning::SearchWeb,
            "read_more" => Meaning::ReadMore,
            "find_files" => Meaning::FindFiles,
            "find_text" => Meaning::FindText,
            "edit_file" => Meaning::EditFile,
            "write_file" => Meaning::WriteFile,
            "read_file" => Meaning::ReadFile,
            other => unreachable!(
                "INVARIANT: the grammar's tests read every heading, and `{other}` is none"
            ),
        }
    }
}

/// One pattern with its meaning.
pub(super) struct Rule {
    pub(super) meaning: Meaning,
    pub(super) phrase: Phrase,
    /// Requests that this rule must understand.
    #[cfg(test)]
    pub(super) examples: Vec<&'static str>,
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| read(include_str!("grammar.txt")));

/// All rules, in the order in which they are tried.
pub(super) fn rules() -> &'static [Rule] {
    &RULES
}

/// All rules that cover the whole clause, the first one being the likeliest.
pub(super) fn meanings<'t, 'a>(
    clause: &'t [Token<'a>],
) -> impl Iterator<Item = (Meaning, Captured<'t, 'a>)> {
    rules().iter().filter_map(|rule| Some((rule.meaning, rule.phrase.matches(clause)?)))
}

fn read(text: &'static str) -> Vec<Rule> {
    let mut defined: BTreeMap<&str, String> = BTreeMap::new();
    let mut meaning = None;
    let mut rules: Vec<Rule> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        if let Some((name, pattern)) =
            line.strip_prefix("define ").and_then(|rest| rest.split_once('='))
        {
            defined.insert(name.trim(), expand(pattern.trim(), &defined));
        } else if let Some(example) = line.trim().strip_prefix("e.g. ") {
            note_example(&mut rules, example);
        } else if let (Some(pattern), Some(meaning)) = (line.strip_prefix("  "), meaning) {
            let phrase = Phrase::read(&expand(pattern, &defined));
            rules.push(Rule {
                meaning,
                phrase,
                #[cfg(test)]
                examples: Vec::new(),
            });
        } else {
            meaning = Some(Meaning::named(line));
        }
    }
    rules
}

#[cfg(test)]
fn note_example(rules: &mut [Rule], example: &'static str) {
    rules.last_mut().expect("an example stands under its pattern").examples.push(example);
}

/// Examples are for the tests.
#[cfg(not(test))]
fn note_example(_: &mut [Rule], _: &'static str) {}

/// Puts definitions in the place of their names. A definition of several words becomes a group.
fn expand(pattern: &str, defined: &BTreeMap<&str, String>) -> String {
    defined.iter().fold(pattern.to_owned(), |pattern, (name, meaning)| {
        let name = format!("<{name}>");
        if meaning.contains(' ') {
            pattern.replace(&name, &format!("({meaning})"))
        } else {
            pattern.replace(&name, meaning)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulated::planner::{clauses, lexer};

    #[test]
    fn each_rule_understands_its_examples() {
        let mut wrong = Vec::new();
        for (number, rule) in rules().iter().enumerate() {
            assert!(!rule.examples.is_empty(), "rule {number} ({:?}) has no example", rule.meaning);
            for example in &rule.examples {
                let clauses = clauses::split(lexer::tokens(example), example);
                let first = clauses.first().expect("an example has words");
                let found = meanings(first).next().map(|(meaning, _)| meaning);
                if found != Some(rule.meaning) {
                    wrong.push(format!("{example}: {found:?} instead of {:?}", rule.meaning));
                }
                if rule.phrase.matches(first).is_none() {
                    wrong.push(format!("{example}: not covered by its own pattern"));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
