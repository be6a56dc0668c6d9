//! Caps that cannot be raced past, over the wire: a thousand runs of one tenant whose cap
//! affords ten calls, two workers on one SQLite file or four on PostgreSQL, against a provider
//! that keeps books of its own.
//!
//! Whatever fails, is cancelled or is killed: the provider never charges more than the
//! cap, our ledger never shows less than the provider's books, and what it shows more is
//! marked as an estimate.

mod house;
mod provider;
#[allow(dead_code, clippy::unwrap_used, reason = "shared with the stores' own suite")]
#[path = "../../../stores/tests/suite/server.rs"]
mod server;

use house::{House, Scene};
use provider::Provider;

/// Calls that the cap affords.
const CALLS: u64 = 10;

#[test]
fn l8_a_thousand_runs_never_pass_a_cap_for_ten_calls() {
    let provider = Provider::start("ok");
    let house = House::new(&provider, CALLS);
    let end = house.play(&Scene { runs: 1_000, kills: 0, cancels: 0 });
    assert_eq!(end.estimated, 0, "nothing failed, so nothing is a guess: {end:?}");
    assert_eq!(end.settled, provider.charged(), "the ledger is the provider's books: {end:?}");
    assert!(end.settled <= house.cap(), "the cap is passed by 0: {end:?}");
    let calls = provider.requests();
    assert!(calls >= CALLS * 9 / 10, "{calls} of {CALLS} affordable calls happened: {end:?}");
    assert_eq!(end.stranded, 0, "every run finished or parked with its reason: {end:?}");
}

#[test]
fn l11_faults_cancels_and_kills_pass_no_cap_and_lose_no_usage() {
    let provider = Provider::start("429:0.1,529:0.05,500:0.05,cut:0.1,malformed:0.05,refused:0.05");
    let house = House::new(&provider, CALLS);
    let end = house.play(&Scene { runs: 1_000, kills: 4, cancels: 100 });
    let charged = provider.charged();
    assert!(end.settled <= house.cap(), "the cap is passed by 0: {end:?}");
    assert!(charged <= end.settled, "they charge {charged}, we show less: {end:?}");
    let certain = end.settled - end.estimated;
    assert!(certain <= charged, "they charge {charged}, of what is no estimate: {end:?}");
    assert!(house.cap() - end.settled < house.call() * 2, "the cap was used: {end:?}");
    assert_eq!(end.stranded, 0, "every run finished or parked with its reason: {end:?}");
}

#[test]
fn l8_four_workers_on_postgresql_pass_no_cap_either() {
    let provider = Provider::start("429:0.1,529:0.05,500:0.05,cut:0.1,malformed:0.05,refused:0.05");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be built");
    let server = runtime.block_on(server::Server::start());
    let house = House::new(&provider, CALLS).in_database(server.url(), 4);
    let end = house.play(&Scene { runs: 1_000, kills: 4, cancels: 100 });
    let charged = provider.charged();
    assert!(end.settled <= house.cap(), "the cap is passed by 0: {end:?}");
    assert!(charged <= end.settled, "they charge {charged}, we show less: {end:?}");
    let certain = end.settled - end.estimated;
    assert!(certain <= charged, "they charge {charged}, of what is no estimate: {end:?}");
    assert!(house.cap() - end.settled < house.call() * 2, "the cap was used: {end:?}");
    assert_eq!(end.stranded, 0, "every run finished or parked with its reason: {end:?}");
}

#[test]
fn l14_a_free_model_with_a_paid_fallback_dodges_no_cap() {
    let free = Provider::start("529:0.7,500:0.1,refused:0.1");
    let paid = Provider::start("ok");
    let house = House::new(&paid, CALLS).after(&free);
    let end = house.play(&Scene { runs: 200, kills: 0, cancels: 0 });
    let charged = paid.charged();
    assert!(charged > 0, "somebody had to pay: {end:?}");
    assert!(end.settled <= house.cap(), "the cap is passed by 0: {end:?}");
    assert!(charged <= end.settled, "they charge {charged}, we show less: {end:?}");
    assert!(end.settled - end.estimated <= charged, "what is no estimate was charged: {end:?}");
    assert_eq!(end.stranded, 0, "every run finished or parked with its reason: {end:?}");
}

#[test]
fn l21_parents_and_children_pass_no_cap_together() {
    let provider = Provider::start("529:0.05,cut:0.05");
    let house = House::new(&provider, CALLS).with_children();
    let end = house.play(&Scene { runs: 60, kills: 2, cancels: 10 });
    let charged = provider.charged();
    assert!(charged > 0, "somebody spoke: {end:?}");
    assert!(end.settled <= house.cap(), "the cap is passed by 0: {end:?}");
    assert!(charged <= end.settled, "they charge {charged}, we show less: {end:?}");
    assert!(end.settled - end.estimated <= charged, "what is no estimate was charged: {end:?}");
    assert!(end.sessions > 60, "there were children: {end:?}");
    assert_eq!(end.stranded, 0, "every run finished or parked with its reason: {end:?}");
}
