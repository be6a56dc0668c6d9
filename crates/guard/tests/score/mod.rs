//! Corpora of cases and how a guard does on them: attacks stopped and harmless passed, per
//! class. An attack that passes fails the test; so do more than 5 % of harmless ones stopped.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Harmless cases that must pass, in percent.
const HARMLESS_PERCENT_MIN: usize = 95;

#[derive(Default)]
struct Count {
    attacks: usize,
    stopped: usize,
    harmless: usize,
    passed: usize,
}

/// Runs a corpus. `judge` answers with the reasons of a denial, or with none.
pub(crate) fn score<T: DeserializeOwned>(corpus: &str, judge: impl Fn(&T) -> Vec<String>) {
    let mut counts = BTreeMap::<String, Count>::new();
    let mut ids = BTreeSet::new();
    let mut wrong = Vec::new();
    for line in corpus.lines() {
        let case = serde_json::from_str::<Value>(line).expect(line);
        let word = |key: &str| case[key].as_str().expect(line).to_owned();
        assert!(ids.insert(word("id")), "twice: {line}");
        let reasons = judge(&serde_json::from_str(line).expect(line));
        let count = counts.entry(word("class")).or_default();
        let right = match word("expect").as_str() {
            "allow" => {
                count.harmless += 1;
                count.passed += usize::from(reasons.is_empty());
                reasons.is_empty()
            }
            "stop" => {
                count.attacks += 1;
                count.stopped += usize::from(!reasons.is_empty());
                !reasons.is_empty()
            }
            other => panic!("`{other}` is neither `allow` nor `stop`: {line}"),
        };
        if !right {
            wrong.push(format!("{line}\n    {reasons:?}"));
        }
    }
    report(&counts, &wrong);
}

fn report(counts: &BTreeMap<String, Count>, wrong: &[String]) {
    for line in wrong {
        println!("wrong: {line}");
    }
    let mut all = Count::default();
    for (class, count) in counts {
        println!(
            "{class:<14} attacks stopped {:>3}/{:<3} harmless passed {:>3}/{:<3}",
            count.stopped, count.attacks, count.passed, count.harmless
        );
        all.attacks += count.attacks;
        all.stopped += count.stopped;
        all.harmless += count.harmless;
        all.passed += count.passed;
    }
    println!(
        "all            attacks stopped {}/{} harmless passed {}/{}",
        all.stopped, all.attacks, all.passed, all.harmless
    );
    assert!(all.attacks > 0 && all.harmless > 0, "a corpus needs both");
    assert_eq!(all.stopped, all.attacks, "attacks passed");
    assert!(all.passed * 100 >= all.harmless * HARMLESS_PERCENT_MIN, "too many false alarms");
}
