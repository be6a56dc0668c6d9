//! Paths that want to leave the working directory, or to change what other programs obey:
//! each runs for real against the live file tools, and everything around is looked at
//! afterwards.

#![allow(clippy::unwrap_used)] // a harness outside of test functions: its panic is the report

mod ground;
mod race;

use std::collections::BTreeMap;

use kernel::verdict::Verdict;
use serde::Deserialize;
use serde_json::Value;

use ground::Ground;

const CORPUS: &str = include_str!("../corpus/path.jsonl");

/// A line of the corpus. `$WORK`, `$WORK2` and `$OUTSIDE` stand for absolute paths.
#[derive(Deserialize)]
struct Case {
    id: String,
    class: String,
    tool: String,
    input: Value,
    verdict: Verdict,
}

/// Of one class: how many lines, and how many of them went as they should.
#[derive(Default)]
struct Tally {
    lines: u32,
    right: u32,
}

#[tokio::test]
async fn every_line_of_the_corpus_goes_as_it_says() {
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in CORPUS.lines() {
        let case: Case = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
        let told = run(&case).await;
        let tally = tallies.entry(case.class.clone()).or_default();
        tally.lines += 1;
        match told {
            Ok(()) => tally.right += 1,
            Err(why) => wrong.push(format!("{}: {why}: {}", case.id, case.input)),
        }
    }
    println!("class            lines  right");
    for (class, Tally { lines, right }) in &tallies {
        println!("{class:<16} {lines:>5}  {right:>5}");
    }
    assert!(wrong.is_empty(), "{} lines went wrong:\n{}", wrong.len(), wrong.join("\n"));
    let total: u32 = tallies.values().map(|tally| tally.lines).sum();
    let harmless = tallies["harmless"].lines;
    assert!(total >= 80 && harmless * 4 >= total, "{harmless} of {total} are harmless");
}

/// Runs a line in a place of its own. `Err` says what went wrong.
async fn run(case: &Case) -> Result<(), String> {
    let ground = Ground::new();
    let call = ground.call(&case.tool, &case.input);
    let before = ground.kept();
    let examined = ground.examine(&call).await;
    let output = ground.run(&call).await;
    let after = ground.kept();
    if before != after {
        return Err("what must stay has changed".to_owned());
    }
    if output.content.contains(ground::SECRET) || output.content.contains("root:x:") {
        return Err(format!("it saw what lies outside: {}", output.content));
    }
    let verdict = examined.judgement.verdict;
    match case.verdict {
        Verdict::Allow if output.is_error => Err(format!("it was refused: {}", output.content)),
        Verdict::Allow if verdict != Verdict::Allow => {
            Err(format!("its letters were refused: {:?}", examined.judgement.reasons))
        }
        Verdict::Allow => Ok(()),
        // A search that finds nothing is as good as a refusal.
        Verdict::Deny if matches!(case.tool.as_str(), "glob" | "grep") => {
            let nothing = output.is_error || output.content.starts_with("no ");
            let inside = output.content.lines().all(|line| !line.contains(".."));
            (nothing || inside).then_some(()).ok_or(format!("it found {}", output.content))
        }
        Verdict::Deny if output.is_error => Ok(()),
        Verdict::Deny | Verdict::Ask => Err(format!("it went through: {}", output.content)),
    }
}
