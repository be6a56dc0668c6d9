//! Seeded plays of the whole engine: the laws hold whatever crashes, fails or interferes.
//!
//! Every prefix of every log is rendered and judged by both vendors' rules. A seed that
//! breaks a law is printed with the command that plays it again:
//! `SIM_SEED=n cargo nextest run -p engine --test simulation one_seed`. The long form is
//! `SIM_SEEDS=100000 cargo nextest run --profile nightly -p engine --test simulation`.

use std::sync::Arc;

use engine::memory::{Memory, Nudges};
use engine::sim::{Played, Violation, play};
use kernel::message::Request;

/// Seeds in all shards together, unless `SIM_SEEDS` says otherwise.
const SEEDS: u64 = 10_000;

/// Tests that share the seeds, so that they run beside each other.
const SHARDS: u64 = 8;

fn played(seed: u64) -> Result<Played, Violation> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime can be built");
    let (store, nudges) = (Arc::new(Memory::default()), Arc::new(Nudges::default()));
    runtime.block_on(play(seed, store, nudges, &accepted))
}

/// What both vendors would say about a history, through the bytes that would be sent.
fn accepted(request: &Request) -> Result<(), String> {
    let tree = |text: String| serde_json::from_str(&text).expect("what we write is JSON");
    let anthropic = tree(wire::anthropic::write_request(request, true));
    let openai = tree(wire::openai::write_request(request, true));
    let violations: Vec<String> = wire::rules::check_anthropic(&anthropic)
        .iter()
        .map(|violation| format!("anthropic: {violation:?}"))
        .chain(
            wire::rules::check_openai(&openai)
                .iter()
                .map(|violation| format!("openai: {violation:?}")),
        )
        .collect();
    if violations.is_empty() { Ok(()) } else { Err(violations.join("; ")) }
}

fn shard(number: u64) {
    let seeds = number_from("SIM_SEEDS").unwrap_or(SEEDS);
    let (mut events, mut crashes, mut effects, mut fenced, mut refused) = (0, 0, 0, 0, 0);
    let mut children = 0;
    for seed in (number..seeds).step_by(usize::try_from(SHARDS).expect("a few")) {
        let played = played(seed).unwrap_or_else(|violation| {
            panic!(
                "{violation}\nplay it again: SIM_SEED={seed} cargo nextest run -p engine \
                 --test simulation one_seed"
            )
        });
        events += played.events;
        crashes += u64::from(played.crashes);
        effects += played.effects;
        children += played.children;
        fenced += u64::from(played.fenced);
        refused += u64::from(played.refused);
    }
    eprintln!(
        "shard {number}: {events} events, {crashes} crashes, {effects} effects, {fenced} fenced \
         owners, {refused} refused holds, {children} children"
    );
    let share = seeds / SHARDS;
    assert!(crashes > share, "only {crashes} crashes in {share} plays: too calm to show anything");
    assert!(effects > share, "only {effects} effects in {share} plays");
    assert!(children > share / 3, "only {children} children in {share} plays");
    assert!(fenced > share / 10, "only {fenced} owners came back too late in {share} plays");
    assert!(refused > share / 10, "only {refused} holds were refused in {share} plays");
}

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}=`{text}` is not a number")))
}

#[test]
fn shard_0() {
    shard(0);
}

#[test]
fn shard_1() {
    shard(1);
}

#[test]
fn shard_2() {
    shard(2);
}

#[test]
fn shard_3() {
    shard(3);
}

#[test]
fn shard_4() {
    shard(4);
}

#[test]
fn shard_5() {
    shard(5);
}

#[test]
fn shard_6() {
    shard(6);
}

#[test]
fn shard_7() {
    shard(7);
}

#[test]
fn one_seed() {
    let seed = number_from("SIM_SEED").unwrap_or(1);
    let played = played(seed).unwrap_or_else(|violation| panic!("{violation}"));
    eprintln!("{played:?}");
    assert!(played.events > 0);
}

#[test]
fn the_same_seed_gives_the_same_logs() {
    for seed in 0..40 {
        assert_eq!(played(seed), played(seed), "seed {seed}");
    }
}
