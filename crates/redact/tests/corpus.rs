//! The corpus: what must be gone is gone, what must stay stays, harmless text comes back
//! unchanged. Reported per class.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use redact::{Body, Input, Redactor};
use serde::Deserialize;

/// Least share of lines with something to redact that must be right, in percent.
const REDACTED_PERCENT_MIN: usize = 99;

/// Least share of harmless lines that must come back unchanged, in percent.
const HARMLESS_PERCENT_MIN: usize = 98;

#[derive(Deserialize)]
struct Line {
    #[serde(flatten)]
    input: Input,
    class: String,
    #[serde(default)]
    secret: Vec<String>,
    #[serde(default)]
    keep: Vec<String>,
}

impl Line {
    /// What is wrong with the answer, if anything.
    fn fault(&self, answer: &str) -> Option<String> {
        let left = self.secret.iter().find(|secret| answer.contains(secret.as_str()));
        let lost = self.keep.iter().find(|keep| !answer.contains(keep.as_str()));
        match (left, lost) {
            (Some(left), _) => Some(format!("`{left}` is still there")),
            (None, Some(lost)) => Some(format!("`{lost}` is gone")),
            (None, None) if self.secret.is_empty() && answer != self.whole() => {
                Some("it was changed".to_owned())
            }
            (None, None) => None,
        }
    }

    fn whole(&self) -> String {
        match &self.input.body {
            Body::Text(text) => text.clone(),
            Body::Chunks(chunks) => chunks.concat(),
        }
    }
}

fn lines(text: &str) -> Vec<Line> {
    let parse = |(number, line): (usize, &str)| {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("line {}: {error}", number + 1))
    };
    text.lines().enumerate().map(parse).collect()
}

/// Rights and totals, by class.
#[derive(Default)]
struct Score(BTreeMap<String, (usize, usize)>);

impl Score {
    fn count(&mut self, class: &str, right: bool) {
        let (rights, total) = self.0.entry(class.to_owned()).or_default();
        *rights += usize::from(right);
        *total += 1;
    }

    fn sum(&self, harmless: bool) -> (usize, usize) {
        let chosen = self.0.iter().filter(|(class, _)| (*class == "harmless") == harmless);
        chosen.fold((0, 0), |(rights, total), (_, one)| (rights + one.0, total + one.1))
    }

    fn table(&self) -> String {
        self.0.iter().fold(String::new(), |mut table, (class, (rights, total))| {
            writeln!(table, "{class:<14} {rights:>4} of {total:>4}").expect("a string takes it");
            table
        })
    }
}

fn judge(name: &str, text: &str) {
    let redactor = Redactor::default();
    let mut score = Score::default();
    let mut faults = String::new();
    for line in lines(text) {
        let answer = line.input.answer(&redactor).text;
        let fault = line.fault(&answer);
        let class = if line.secret.is_empty() { "harmless" } else { &line.class };
        score.count(class, fault.is_none());
        if let Some(fault) = fault {
            writeln!(faults, "{}: {fault}\n    {}\n    {answer}", line.input.id, line.whole())
                .expect("a string takes it");
        }
    }
    let (redacted, secrets) = score.sum(false);
    let (untouched, harmless) = score.sum(true);
    println!(
        "{name}\n{}redacted {redacted} of {secrets}, untouched {untouched} of {harmless}\n{faults}",
        score.table()
    );
    assert!(redacted * 100 >= secrets * REDACTED_PERCENT_MIN, "too little is redacted:\n{faults}");
    assert!(untouched * 100 >= harmless * HARMLESS_PERCENT_MIN, "too much is touched:\n{faults}");
}

#[test]
fn what_must_go_goes_and_what_is_harmless_stays() {
    let text = include_str!("corpus/redact.jsonl");
    judge("corpus", text);
    let (all, harmless) = lines(text).iter().fold((0, 0), |(all, harmless), line| {
        (all + 1, harmless + usize::from(line.secret.is_empty()))
    });
    assert!(all >= 200 && harmless * 3 >= all, "{harmless} of {all} lines are harmless");
}

#[test]
fn what_was_written_blind_is_judged_too() {
    judge("blind", include_str!("corpus/blind.jsonl"));
    judge("blind again", include_str!("corpus/blind_again.jsonl"));
}
