//! What a decision costs, beside the same decision with a set that holds nearly nothing.
//!
//! `cargo bench -p policy`. Look at the ratios: figures of one run on one machine.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use policy::{Asked, PolicySet, Posed, TEMPLATES};

/// How long each figure is measured.
const MEASURE: Duration = Duration::from_millis(400);
/// Decisions between two looks at the clock.
const BATCH: u32 = 64;

fn main() {
    let posed = question();
    let empty = measure(&set(0, spread), &posed);
    println!("{:<52} {empty:>8.2} us   1.00 x", "decision, no policies but the laws");
    for (count, shape, words) in [
        (2, spread as Shape, "about other teams and tools"),
        (100, spread, "about other teams and tools"),
        (1_000, spread, "about other teams and tools"),
        (2, general, "about everybody, none fits"),
        (100, general, "about everybody, none fits"),
        (1_000, general, "about everybody, none fits"),
    ] {
        let took = measure(&set(count, shape), &posed);
        let label = format!("decision, {count} policies {words}");
        println!("{label:<52} {took:>8.2} us {:>6.2} x", took / empty);
    }
    for template in TEMPLATES {
        let took = measure(&template.set(), &posed);
        let label = format!("decision, template `{}`", template.name);
        println!("{label:<52} {took:>8.2} us {:>6.2} x", took / empty);
    }
    let text = file(1_000, spread);
    let begun = Instant::now();
    let set = PolicySet::load(&text, "bench").expect("INVARIANT: the file is right");
    println!(
        "{:<52} {:>8.0} ms",
        format!("loading {} policies", set.len()),
        begun.elapsed().as_secs_f64() * 1e3
    );
}

fn question() -> Posed {
    let text =
        "{tool: write, user: ada, tenant: acme, team: core, agent: helper, paths: [src/a.rs]}";
    let asked = Asked::read(text, "bench").expect("INVARIANT: the question reads");
    asked.pose().expect("INVARIANT: the question is one")
}

/// A policy by its number.
type Shape = fn(usize) -> String;

/// As an organisation has them: each about one team or one tool.
fn spread(at: usize) -> String {
    if at.is_multiple_of(2) {
        format!(
            "forbid (principal in Team::\"acme/t{at}\", action == Action::\"tool.call\", resource)"
        )
    } else {
        format!("forbid (principal, action == Action::\"tool.call\", resource == Tool::\"t{at}\")")
    }
}

/// The worst case: each has to be read for every call.
fn general(at: usize) -> String {
    format!(
        "forbid (principal, action == Action::\"tool.call\", resource) when {{ context.hosts.contains(\"h{at}\") }}"
    )
}

fn file(count: usize, shape: Shape) -> String {
    let mut text =
        "policies: |\n  @id(\"all\") @reason(\"r\") permit (principal, action, resource);\n"
            .to_owned();
    for at in 0..count {
        writeln!(text, "  @id(\"p{at}\") @reason(\"r\") {};", shape(at))
            .expect("INVARIANT: writing to a string succeeds");
    }
    text
}

fn set(count: usize, shape: Shape) -> PolicySet {
    PolicySet::load(&file(count, shape), "bench").expect("INVARIANT: the file is right")
}

/// Microseconds a decision: the best of the batches, as noise only ever adds.
fn measure(set: &PolicySet, posed: &Posed) -> f64 {
    let begun = Instant::now();
    let mut best = f64::INFINITY;
    while begun.elapsed() < MEASURE {
        let batch = Instant::now();
        for _ in 0..BATCH {
            black_box(set.judge(black_box(&posed.question())));
        }
        best = best.min(batch.elapsed().as_secs_f64() * 1e6 / f64::from(BATCH));
    }
    best
}
