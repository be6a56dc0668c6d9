//! What a call costs, from the bytes that a vendor sent to the nano-dollars that are booked.

use std::path::Path;

use kernel::message::Usage;
use kernel::price::{Rates, Rule};
use kernel::units::{Money, UnixMs};
use models::catalog::Catalog;
use wire::sse::Frames;
use wire::{anthropic, openai};

/// 2026-11-21, midnight UTC.
const TODAY: UnixMs = UnixMs(1_795_219_200_000);

/// The golden streams, and what each costs: input, output, cache reads, five-minute and
/// one-hour writes at the rates of claude-sonnet-5-5, and a cent for each web search.
/// `None`: nothing was told, and the caller estimates.
const ANTHROPIC: [(&str, Option<u64>); 8] = [
    ("l12_usage_only_in_start", Some(100 * 2_000 + 7 * 10_000 + 300 * 100 + 20 * 2_500)),
    ("l12_usage_only_in_delta", Some(100 * 2_000 + 7 * 10_000 + 300 * 100 + 20 * 2_500)),
    ("l12_usage_in_both_is_cumulative", Some(100 * 2_000 + 7 * 10_000 + 300 * 100 + 20 * 2_500)),
    ("l12_usage_in_several_deltas", Some(25 * 2_000 + 9 * 10_000)),
    (
        "l12_usage_with_the_1h_split",
        Some(100 * 2_000 + 7 * 10_000 + 300 * 100 + 44 * 2_500 + 456 * 4_000),
    ),
    (
        "l12_usage_split_grows_with_server_tools",
        Some(130 * 2_000 + 70 * 10_000 + 500 * 100 + 60 * 2_500 + 500 * 4_000 + 3 * 10_000_000),
    ),
    ("pause_turn_with_server_tools", Some(25 * 2_000 + 60 * 10_000 + 10_000_000)),
    ("l12_usage_never", None),
];

/// The same at 400 nano-dollars for input, 1,600 for output and 40 for cache reads. Prompt
/// tokens include the cached ones, which are not to be paid twice.
const OPENAI: [(&str, Option<u64>); 4] = [
    ("usage_in_every_chunk", Some(9 * 400 + 2 * 1_600)),
    ("usage_with_cache_hits_by_another_name", Some(26 * 400 + 2 * 1_600 + 64 * 40)),
    ("text_with_the_usage_chunk", Some(176 * 400 + 30 * 1_600 + 1_024 * 40)),
    ("usage_never", None),
];

#[test]
fn l12_each_stream_costs_what_its_vendor_bills() {
    let sonnet = Catalog::builtin().quote("claude-sonnet-5-5", TODAY).unwrap().rule;
    for (name, expected) in ANTHROPIC {
        let cost = usage("anthropic", name).map(|usage| sonnet.cost(&usage));
        assert_eq!(cost, expected.map(Money), "{name}");
    }
    let rates = Rates { input: 400, output: 1_600, cache_read: 40, ..Rates::default() };
    for (name, expected) in OPENAI {
        let cost = usage("openai", name).map(|usage| Rule::flat(rates).cost(&usage));
        assert_eq!(cost, expected.map(Money), "{name}");
    }
}

/// L12: a batch pays half for every kind of token, to the nano-dollar and never less, and
/// the whole fee of a search.
#[test]
fn l12_a_batch_halves_the_tokens_of_a_bill_and_not_its_fees() {
    let batch = Catalog::builtin().quote("claude-sonnet-5-5", TODAY).unwrap().rule.batch();
    for (name, searches) in [
        ("l12_usage_with_the_1h_split", 0),
        ("l12_usage_split_grows_with_server_tools", 3),
        ("pause_turn_with_server_tools", 1),
    ] {
        let whole = ANTHROPIC.iter().find(|(known, _)| *known == name).unwrap().1.unwrap();
        let fees = searches * 10_000_000;
        let half = (whole - fees).div_ceil(2) + fees;
        let cost = batch.cost(&usage("anthropic", name).unwrap());
        assert_eq!(cost, Money(half), "{name}");
    }
}

/// The usage at the end of a golden stream.
fn usage(vendor: &str, name: &str) -> Option<Usage> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wire/tests/golden/streams");
    let bytes =
        std::fs::read(folder.join(vendor).join(format!("{name}.sse"))).expect("it is there");
    let mut frames = Frames::new(1024 * 1024);
    let mut all = frames.push(&bytes).expect("it is short");
    all.extend(frames.finish());
    if vendor == "anthropic" {
        let mut reader = anthropic::StreamReader::new();
        all.iter().for_each(|frame| drop(reader.push(frame).expect("it reads")));
        return reader.finish().expect("it ends").usage;
    }
    let mut reader = openai::StreamReader::new();
    all.iter().for_each(|frame| drop(reader.push(frame).expect("it reads")));
    reader.finish().expect("it ends").usage
}
