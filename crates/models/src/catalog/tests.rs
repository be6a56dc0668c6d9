//! Every row of the vendors' list, to the nano-dollar, and what laying rows over it does.

use kernel::message::Usage;
use kernel::price::{Rates, Rule};
use kernel::units::Money;

use super::*;

fn at(day: &str) -> UnixMs {
    let instant: jiff::Timestamp = format!("{day}T00:00:00Z").parse().unwrap();
    UnixMs(u64::try_from(instant.as_millisecond()).unwrap())
}

fn rates(model: &str, now: UnixMs, tier: usize) -> Rates {
    Catalog::builtin().quote(model, now).unwrap().rule.tiers[tier].rates
}

#[test]
fn every_listed_price_is_exact_to_the_nano_dollar() {
    // model, tier, nano-dollars per token: input, output, 5m write, 1h write, cache read
    let list = [
        ("claude-fable-5-2", 0, [8_000, 40_000, 10_000, 16_000, 200]),
        ("claude-opus-5-5", 0, [4_000, 20_000, 5_000, 8_000, 200]),
        ("claude-sonnet-5-5", 0, [2_000, 10_000, 2_500, 4_000, 100]),
        ("claude-haiku-5-5", 0, [100, 500, 125, 200, 10]),
        ("claude-haiku-5-5", 1, [500, 2_500, 625, 1_000, 50]),
        ("claude-fable-5-1", 0, [10_000, 50_000, 12_500, 20_000, 250]),
        ("claude-opus-5", 0, [5_000, 25_000, 6_250, 10_000, 500]),
        ("claude-opus-4-8", 0, [5_000, 25_000, 6_250, 10_000, 500]),
        ("claude-opus-4-7", 0, [5_000, 25_000, 6_250, 10_000, 500]),
        ("claude-opus-4-6", 0, [5_000, 25_000, 6_250, 10_000, 500]),
        ("claude-opus-4-5", 0, [5_000, 25_000, 6_250, 10_000, 500]),
        ("claude-sonnet-5", 0, [2_000, 10_000, 2_500, 4_000, 200]),
        ("claude-sonnet-4-6", 0, [3_000, 15_000, 3_750, 6_000, 300]),
        ("claude-sonnet-4-5", 0, [3_000, 15_000, 3_750, 6_000, 300]),
        ("claude-haiku-4-5", 0, [1_000, 5_000, 1_250, 2_000, 100]),
        ("planner", 0, [0; 5]),
        ("script", 0, [0; 5]),
    ];
    let now = at("2026-11-21");
    for (model, tier, [input, output, cache_write_5m, cache_write_1h, cache_read]) in list {
        let expected = Rates { input, output, cache_write_5m, cache_write_1h, cache_read };
        assert_eq!(rates(model, now, tier), expected, "{model}");
    }
    let mut named: Vec<&str> = list.iter().map(|(model, ..)| *model).collect();
    named.sort_unstable();
    named.dedup();
    assert_eq!(Catalog::builtin().names(), named, "a row is in the file and not in this list");
}

#[test]
fn fees_and_discounts_are_data_and_second_hand_figures_stay_marked() {
    let catalog = Catalog::builtin();
    let now = at("2026-11-21");
    let marked = |model| catalog.row(model, now).unwrap().verify.clone();
    for model in catalog.names().into_iter().filter(|name| name.starts_with("claude-")) {
        let row = catalog.row(model, now).unwrap();
        assert_eq!(row.rule.batch_percent_off, 50, "{model}");
        assert_eq!(row.rule.per_web_search, Money(10_000_000), "{model}");
        assert_eq!(row.rule.per_request, Money::ZERO, "{model}");
        assert_eq!(row.context_tokens, None, "{model}");
        assert!(marked(model).contains(&"web_search_per_1000".to_owned()), "{model}");
    }
    assert!(marked("claude-fable-5-2").contains(&"cache_read".to_owned()));
    assert!(marked("claude-haiku-5-5").contains(&"cache_read".to_owned()));
    assert!(!marked("claude-opus-5-5").contains(&"cache_read".to_owned()));
    assert!(marked("planner").is_empty());
}

#[test]
fn a_price_begins_at_midnight_utc_of_its_day() {
    let before = |day: &str| UnixMs(at(day).0 - 1);
    assert_eq!(rates("claude-sonnet-5-5", before("2026-10-07"), 0).cache_read, 200);
    assert_eq!(rates("claude-sonnet-5-5", at("2026-10-07"), 0).cache_read, 100);
    let catalog = Catalog::builtin();
    for (model, day) in [
        ("claude-fable-5-2", "2026-11-09"),
        ("claude-opus-5-5", "2026-09-23"),
        ("claude-haiku-5-5", "2026-10-24"),
        ("claude-fable-5-1", "2026-09-01"),
    ] {
        assert!(catalog.quote(model, before(day)).is_none(), "{model} had no price before {day}");
        assert!(catalog.quote(model, at(day)).is_some(), "{model}");
    }
    assert!(catalog.quote("claude-opus-4-5", UnixMs(0)).is_some(), "undated rows are oldest");
}

#[test]
fn a_long_prompt_reaches_the_dearer_tier_one_token_after_the_border() {
    let rule = Catalog::builtin().quote("claude-haiku-5-5", at("2026-11-21")).unwrap().rule;
    let cost = |input| rule.cost(&Usage { input, output: 10, ..Usage::default() });
    assert_eq!(cost(100_000), Money(100_000 * 100 + 10 * 500));
    assert_eq!(cost(100_001), Money(100_001 * 500 + 10 * 2_500));
}

#[test]
fn a_snapshot_costs_what_its_model_costs() {
    let now = at("2026-11-21");
    assert_eq!(rates("claude-haiku-4-5-20251001", now, 0), rates("claude-haiku-4-5", now, 0));
    for unknown in ["claude-haiku-4-5-2025", "claude-haiku", "gpt-5", "", "20251001"] {
        assert!(Catalog::builtin().quote(unknown, now).is_none(), "{unknown}");
    }
}

#[test]
fn l33_near_misses_of_names_find_what_was_meant() {
    let catalog = Catalog::builtin();
    for (typed, meant) in [
        ("claude-sonet-5", Some("claude-sonnet-5")),
        ("claude-opus-5.5", Some("claude-opus-5-5")),
        ("planer", Some("planner")),
        ("fable-5-2", Some("claude-fable-5-2")),
        ("gpt-oss-120b", None),
        ("x", None),
    ] {
        assert_eq!(catalog.nearest(typed), meant, "{typed}");
    }
}

fn row(model: &str, input: u64) -> Row {
    Row {
        model: model.to_owned(),
        vendor: "acme".to_owned(),
        from: None,
        rule: Rule::flat(Rates { input, ..Rates::default() }),
        context_tokens: Some(131_072),
        verify: Vec::new(),
    }
}

#[test]
fn an_operators_rows_add_models_and_replace_all_rows_of_those_they_name() {
    let own = vec![row("llama-70b", 200), row("claude-sonnet-5-5", 1_500)];
    let catalog = Catalog::builtin().overlay("acme-3", own);
    let now = at("2026-11-21");
    let quote = catalog.quote("llama-70b", now).unwrap();
    assert_eq!(quote.version, "2026-11-21+acme-3");
    assert_eq!(quote.rule.tiers[0].rates.input, 200);
    assert_eq!(catalog.context_tokens("llama-70b", now), Some(131_072));
    for instant in [UnixMs(0), now] {
        let sonnet = catalog.quote("claude-sonnet-5-5", instant).unwrap();
        assert_eq!(sonnet.rule.tiers[0].rates.input, 1_500);
    }
    assert!(catalog.quote("claude-opus-5", now).is_some(), "the others stay");
    assert_eq!(Catalog::builtin().version(), "2026-11-21");
}

#[test]
fn the_built_in_rows_make_sense() {
    let catalog = Catalog::builtin();
    assert!(!catalog.version().is_empty());
    for name in catalog.names() {
        let rows = catalog.rows_of(name);
        assert!(rows.windows(2).all(|pair| pair[0].from < pair[1].from), "{name}: two of a day");
        for row in rows {
            let borders: Vec<u64> =
                row.rule.tiers.iter().map(|tier| tier.prompt_tokens_over).collect();
            assert!(borders[0] == 0 && borders.is_sorted_by(|a, b| a < b), "{name}: {borders:?}");
            assert!(row.rule.batch_percent_off <= 100 && row.rule.percent_off == 0, "{name}");
        }
    }
}
