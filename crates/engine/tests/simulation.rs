//! Seeded plays of the whole engine: the laws hold whatever crashes, fails or interferes.

use std::sync::Arc;

use engine::memory::{Memory, Nudges};
use engine::sim::{Played, Violation, play};

fn played(seed: u64) -> Result<Played, Violation> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let (store, nudges) = (Arc::new(Memory::default()), Arc::new(Nudges::default()));
    runtime.block_on(play(seed, store, nudges, &|_request| Ok(())))
}

#[test]
fn the_same_seed_gives_the_same_logs() {
    for seed in 0..20 {
        assert_eq!(played(seed), played(seed), "seed {seed}");
    }
}

#[test]
fn the_laws_hold_for_many_seeds() {
    let mut crashes = 0;
    for seed in 0..2_000 {
        match played(seed) {
            Ok(played) => crashes += played.crashes,
            Err(violation) => panic!("{violation}"),
        }
    }
    assert!(crashes > 1_000, "only {crashes} crashes: the plays are too calm to show anything");
}
