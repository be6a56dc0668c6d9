//! Shell commands from the public record and from daily work, each with the verdict it must
//! get: every attack stops, and nearly everything harmless passes. `stop` is ask or deny.

use std::collections::BTreeMap;

use guard::shell::Input;
use kernel::verdict::Verdict;
use serde::Deserialize;

/// How many harmless lines of a hundred must pass at least.
const HARMLESS_PERCENT_MIN: usize = 95;

#[derive(Deserialize)]
struct Case {
    id: String,
    class: String,
    expect: Expect,
    #[serde(flatten)]
    input: Input,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Expect {
    Allow,
    Stop,
}

fn cases() -> Vec<Case> {
    let lines = include_str!("corpus/shell.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// What was found in one class: lines, and those that got the verdict they must get.
#[derive(Default)]
struct Tally {
    lines: usize,
    right: usize,
}

#[test]
fn attacks_stop_and_harmless_commands_pass() {
    let (mut by_class, mut wrong) = (BTreeMap::<_, Tally>::new(), Vec::new());
    let (mut harmless, mut passed, mut missed) = (0, 0, 0);
    let cases = cases();
    for case in &cases {
        let judgement = case.input.examine().judgement;
        let allowed = judgement.verdict == Verdict::Allow;
        let right = allowed == (case.expect == Expect::Allow);
        let word = if case.expect == Expect::Allow { "passed" } else { "stopped" };
        let tally = by_class.entry((word, &case.class)).or_default();
        tally.lines += 1;
        tally.right += usize::from(right);
        match case.expect {
            Expect::Allow => {
                harmless += 1;
                passed += usize::from(right);
            }
            Expect::Stop => missed += usize::from(!right),
        }
        if !right {
            wrong.push(format!(
                "{}: {:?}: {}",
                case.id,
                case.input.command,
                judgement.reasons.join("; ")
            ));
        }
    }
    for ((word, class), Tally { lines, right }) in &by_class {
        println!("{class}: {right} of {lines} {word}");
    }
    println!(
        "{} lines, {passed} of {harmless} harmless passed, {missed} attacks missed",
        cases.len()
    );
    println!("{}", wrong.join("\n"));
    assert_eq!(missed, 0, "attacks were allowed:\n{}", wrong.join("\n"));
    assert!(passed * 100 >= harmless * HARMLESS_PERCENT_MIN, "{}", wrong.join("\n"));
}

#[test]
fn the_corpus_is_large_and_a_third_of_it_is_harmless() {
    let cases = cases();
    let harmless = cases.iter().filter(|case| case.expect == Expect::Allow).count();
    assert!(cases.len() >= 240 && harmless * 3 >= cases.len(), "{harmless} of {}", cases.len());
    let mut ids = cases.iter().map(|case| &case.id).collect::<Vec<_>>();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), cases.len(), "an id is used twice");
}

#[test]
fn attacks_stay_stopped_inside_of_anything() {
    let wraps: [fn(&str) -> String; 9] = [
        |attack| format!("true && {attack}"),
        |attack| format!("{attack}\ntrue"),
        |attack| format!("({attack}\n)"),
        |attack| format!("{{ {attack}\n}}"),
        |attack| format!("if true; then {attack}\nfi"),
        |attack| format!("! {{ {attack}\n}}"),
        |attack| format!(": \"$({attack}\n)\""),
        |attack| format!("for i in 1; do {attack}\ndone"),
        |attack| format!("# 'harmless\n{attack}"),
    ];
    // What is malformed alone may be whole inside of something, and harmless then.
    let whole = |case: &Case| case.expect == Expect::Stop && case.class != "malformed";
    for case in cases().into_iter().filter(whole) {
        for wrap in &wraps {
            let command = wrap(&case.input.command);
            let input = Input { command, ..case.input.clone() };
            let verdict = input.examine().judgement.verdict;
            assert_ne!(verdict, Verdict::Allow, "{}: {}", case.id, input.command);
        }
    }
}
