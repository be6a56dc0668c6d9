//! Fits the weights of the wording to the corpora: a logistic regression with a penalty on
//! large weights. It is a test so that it can see what the scan sees, and prints the file:
//!
//! ```sh
//! FIT_WORDING=1 cargo test -p guard --release --lib fit -- --nocapture |
//!     sed -n '/^{$/,/^}}$/p' >weights && mv weights crates/guard/data/injection_weights.json
//! ```
//!
//! Nothing here is random: the same corpora give the same file. Without the variable it fits
//! a part of the lines, to test that it can.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::super::combos::COMBOS;
use super::super::glyphs;
use super::super::lexicon::LEXICON;
use super::super::readings::Reading;
use super::super::shapes::SHAPES;
use super::super::{encoded, smuggled};
use super::*;

/// Whether the file is to be printed.
const WHOLE: bool = option_env!("FIT_WORDING").is_some();
/// Of the lines each so many-th is fitted in a plain run of the tests.
const SAMPLED: usize = 6;
/// How much an error weighs against large weights.
const ERRORS_COUNT: f64 = 20.0;
/// A trait that fewer texts have says nothing, and a part of a word says less.
const TEXTS_MIN: usize = 2;
/// The same for parts of words.
const TEXTS_WITH_PART_MIN: usize = 3;
/// Weights smaller than this are dropped before the last round.
const WEIGHT_MIN: f64 = 0.12;
/// How often the stretch that makes an attack is chosen anew.
const ROUNDS: usize = 3;
/// Steps of a descent.
const STEPS: usize = 600;
/// Prose and program text are cut into pieces of about this size.
const PIECE_BYTES: usize = 1500;
/// Of the commands and statements, which are many, each so many-th is read.
const EVERY: usize = 12;

/// Lines with a verdict.
const LINES: [&str; 3] = [
    include_str!("../../../tests/corpus/injection.jsonl"),
    include_str!("../../../tests/corpus/injection_second.jsonl"),
    include_str!("../../../tests/corpus/injection_third.jsonl"),
];
/// Harmless prose and program text of our own.
const PROSE: [&str; 21] = [
    include_str!("../../../../../README.md"),
    include_str!("../../../../../ARCHITECTURE.md"),
    include_str!("../../../../../CHANGELOG.md"),
    include_str!("../../../../../docs/performance.md"),
    include_str!("../../../../../docs/simulated-models.md"),
    include_str!("../../../../../examples/reference.yaml"),
    include_str!("../../../../../docs/alerts.md"),
    include_str!("../../../../../docs/configuration.md"),
    include_str!("../../../../../docs/databases.md"),
    include_str!("../../../../../docs/erasure.md"),
    include_str!("../../../../../docs/mcp.md"),
    include_str!("../../../../../docs/money.md"),
    include_str!("../../../../../docs/policy.md"),
    include_str!("../../../../../docs/sandbox.md"),
    include_str!("../../../../../docs/secrets.md"),
    include_str!("../../../../../docs/tools.md"),
    include_str!("../../shell.rs"),
    include_str!("../../url.rs"),
    include_str!("../weigh.rs"),
    include_str!("../encoded.rs"),
    include_str!("../combos.rs"),
];
/// Commands and statements: what a log or a script holds.
const COMMANDS: [&str; 2] = [
    include_str!("../../../tests/corpus/shell.jsonl"),
    include_str!("../../../tests/corpus/sql.jsonl"),
];

/// How much an example of a rule counts beside a line: it is short, and says one thing.
const EXAMPLES_COUNT: f64 = 0.3;

#[derive(Deserialize)]
struct Line {
    expect: String,
    result: String,
}

/// The stretches of a text by their traits, and whether it is an attack.
struct Text {
    stretches: Vec<BTreeSet<String>>,
    attack: bool,
    counts: f64,
}

/// One stretch as the fit sees it: the numbers of its traits.
struct Case {
    traits: Vec<usize>,
    attack: bool,
    counts: f64,
}

/// Weights in the order of the traits, and the bias.
struct Fitted {
    weights: Vec<f64>,
    bias: f64,
}

#[test]
fn fit() {
    let texts = if WHOLE { corpora() } else { lines().step_by(SAMPLED).collect() };
    let mut names = common(&texts);
    let mut fitted = in_rounds(&texts, &names);
    let kept = names.iter().zip(&fitted.weights).filter(|(_, weight)| weight.abs() >= WEIGHT_MIN);
    names = kept.map(|(name, _)| name.clone()).collect();
    fitted = in_rounds(&texts, &names);
    if WHOLE {
        print(&names, &fitted);
    }
    let right = texts.iter().filter(|text| fitted.sees(text, &names) == text.attack).count();
    assert!(right * 100 >= texts.len() * 95, "{right} of {}", texts.len());
}

fn lines() -> impl Iterator<Item = Text> {
    let line = |line: &str| serde_json::from_str::<Line>(line).expect(line);
    let lines = LINES.iter().flat_map(|text| text.lines()).map(line);
    lines.map(|line| text(&line.result, line.expect == "injection"))
}

fn corpora() -> Vec<Text> {
    let prose = PROSE.iter().flat_map(|prose| pieces(prose)).map(|piece| text(&piece, false));
    let commands = COMMANDS.iter().flat_map(|text| text.lines().step_by(EVERY));
    let commands = commands.map(|command| text(command, false));
    lines().chain(prose).chain(commands).chain(examples()).collect()
}

/// What the rules must find and must not.
fn examples() -> impl Iterator<Item = Text> {
    let combos = COMBOS.iter().map(|ready| (&ready.combo.matches, &ready.combo.no_match));
    let shapes = SHAPES.shapes.iter().map(|shape| (&shape.matches, &shape.no_match));
    combos.chain(shapes).flat_map(|(matches, no_match)| {
        let one =
            |example: &String, attack| Text { counts: EXAMPLES_COUNT, ..text(example, attack) };
        let attacks = matches.iter().map(move |example| one(example, true));
        attacks.chain(no_match.iter().map(move |example| one(example, false)))
    })
}

fn pieces(prose: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for paragraph in prose.split_inclusive("\n\n") {
        if pieces.last().is_some_and(|piece| piece.len() > PIECE_BYTES) {
            pieces.push(String::new());
        }
        pieces.iter_mut().next_back().into_iter().for_each(|piece| piece.push_str(paragraph));
    }
    pieces
}

fn text(result: &str, attack: bool) -> Text {
    let mut stretches = noticed(result);
    stretches.extend(encoded::find(result).iter().flat_map(|one| noticed(&one.says)));
    stretches.extend(smuggled::find(result).iter().flat_map(|one| noticed(&one.says)));
    Text { stretches, attack, counts: 1.0 }
}

fn noticed(text: &str) -> Vec<BTreeSet<String>> {
    let glyphs = glyphs::read(text, 0);
    let words = Words::new(&glyphs);
    let tokens = traits::tokens(&words);
    let hits = LEXICON.find(&words, Reading::Plain);
    let mut all = Vec::new();
    traits::each(&words, &tokens, &hits, &glyphs, &mut |at, name| all.push((at, name.to_owned())));
    let inside = |(first, last)| {
        let inside = all.iter().filter(|(at, _)| (first..last).contains(at));
        inside.map(|(_, name)| name.clone()).collect()
    };
    super::stretches(tokens.len()).into_iter().map(inside).collect()
}

fn common(texts: &[Text]) -> Vec<String> {
    let mut texts_with: BTreeMap<&str, usize> = BTreeMap::new();
    for text in texts {
        for name in text.stretches.iter().flatten().collect::<BTreeSet<_>>() {
            *texts_with.entry(name).or_default() += 1;
        }
    }
    let least = |name: &str| match name.starts_with(traits::PART) {
        true => TEXTS_WITH_PART_MIN,
        false => TEXTS_MIN,
    };
    let common = texts_with.into_iter().filter(|(name, texts)| *texts >= least(name));
    common.map(|(name, _)| name.to_owned()).collect()
}

/// Descends, and chooses anew which stretch of each attack makes it one.
fn in_rounds(texts: &[Text], names: &[String]) -> Fitted {
    let number = |name: &String| names.binary_search(name).ok();
    let numbered = |stretch: &BTreeSet<String>| stretch.iter().filter_map(number).collect();
    let numbered = texts.iter().map(|text| text.stretches.iter().map(numbered).collect());
    let numbered: Vec<Vec<Vec<usize>>> = numbered.collect();
    let longest = |traits: &[usize]| amount(traits.len());
    let mut fitted = Fitted { weights: vec![0.0; names.len()], bias: 0.0 };
    fitted = descended(&cases(texts, &numbered, longest), fitted);
    for _ in 1..ROUNDS {
        let cases = cases(texts, &numbered, |traits| fitted.odds(traits));
        fitted = descended(&cases, fitted);
    }
    fitted
}

/// Of an attack only one stretch need be one, the likeliest; of a harmless text none is.
fn cases(
    texts: &[Text],
    numbered: &[Vec<Vec<usize>>],
    likely: impl Fn(&[usize]) -> f64,
) -> Vec<Case> {
    let mut cases = Vec::new();
    for (text, stretches) in texts.iter().zip(numbered) {
        let likeliest = stretches.iter().max_by(|a, b| likely(a).total_cmp(&likely(b)));
        let (told, counts): (Vec<_>, f64) = match text.attack {
            true => (likeliest.into_iter().collect(), text.counts),
            false => {
                let many = amount(stretches.len().max(1));
                (stretches.iter().collect(), text.counts / many.sqrt())
            }
        };
        let attack = text.attack;
        cases.extend(told.into_iter().cloned().map(|traits| Case { traits, attack, counts }));
    }
    cases
}

fn amount(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

impl Fitted {
    /// Whether it takes a text for an attack.
    fn sees(&self, text: &Text, names: &[String]) -> bool {
        text.stretches.iter().any(|stretch| {
            let numbers = stretch.iter().filter_map(|name| names.binary_search(name).ok());
            self.odds(&numbers.collect::<Vec<_>>()) > 0.0
        })
    }

    fn odds(&self, traits: &[usize]) -> f64 {
        let sum = traits.iter().map(|number| self.weights[*number]).sum::<f64>();
        self.bias + sum * share(traits.len())
    }
}

/// Nesterov's descent with a step that suits the steepest direction.
fn descended(cases: &[Case], from: Fitted) -> Fitted {
    let all = cases.iter().map(|case| case.counts).sum::<f64>();
    let step = 1.0 / (1.0 + ERRORS_COUNT * 0.25 * all * 0.35);
    let mut now = from;
    let (mut weights_before, mut bias_before) = (now.weights.clone(), now.bias);
    for turn in 0..STEPS {
        let turn = amount(turn);
        let pull = turn / (turn + 3.0);
        let ahead =
            now.weights.iter().zip(&weights_before).map(|(now, was)| now + pull * (now - was));
        let ahead =
            Fitted { weights: ahead.collect(), bias: now.bias + pull * (now.bias - bias_before) };
        let mut slope = ahead.weights.clone();
        let mut slope_of_bias = 0.0;
        for case in cases {
            let odds = ahead.odds(&case.traits);
            let wrong = 1.0 / (1.0 + (-odds).exp()) - f64::from(u8::from(case.attack));
            let wrong = wrong * case.counts * ERRORS_COUNT;
            slope_of_bias += wrong;
            let each = wrong * share(case.traits.len());
            case.traits.iter().for_each(|number| slope[*number] += each);
        }
        let stepped = ahead.weights.iter().zip(&slope).map(|(at, slope)| at - step * slope);
        weights_before = std::mem::replace(&mut now.weights, stepped.collect());
        bias_before = std::mem::replace(&mut now.bias, ahead.bias - step * slope_of_bias);
    }
    now
}

fn print(names: &[String], fitted: &Fitted) {
    println!("{{\n\"bias\": {:.0},\n\"weights\": {{", fitted.bias * 1000.0);
    let last = names.len().saturating_sub(1);
    for (number, (name, weight)) in names.iter().zip(&fitted.weights).enumerate() {
        let name = serde_json::to_string(name).expect("a name is text");
        let comma = if number == last { "" } else { "," };
        println!("{name}: {:.0}{comma}", weight * 1000.0);
    }
    println!("}}}}");
}
