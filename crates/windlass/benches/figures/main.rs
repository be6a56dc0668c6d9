//! Figures about speed and memory, each beside its limit or its peer, in one run.
//!
//! `cargo xtask bench` runs it. Machines differ and are noisy: look at medians and at
//! ratios of figures that were measured side by side, never at one number alone.

mod disk;
mod house;
mod loops;
mod memory;
mod raw;
mod reserve;
mod start;
mod turns;

use std::time::Duration;

/// How long each figure is measured.
const MEASURE: Duration = Duration::from_secs(4);

fn main() {
    let mode = std::env::args().nth(1).unwrap_or_default();
    if mode == memory::CHILD {
        return memory::child();
    }
    let runtime = house::runtime();
    let raw = raw::commits_per_second();
    println!("raw durable single-row commits of SQLite      {raw:>9.0} /s");
    for sessions in [1, 64] {
        let turns = runtime.block_on(turns::turns_per_second(sessions));
        println!(
            "durable turns, {sessions:>2} session(s) at once           {turns:>9.0} /s   = {:.2} x raw, {:.0} steps/s",
            turns / raw,
            turns * 2.0
        );
    }
    let added = runtime.block_on(turns::added_time());
    println!(
        "added time per turn, one session               p50 {:>6.0} us   p99 {:>6.0} us",
        added.p50_us, added.p99_us
    );
    for (turns, result) in [(10, 240), (100, 240), (1_000, 240), (100, 2_000)] {
        let size = runtime.block_on(disk::bytes_per_turn(turns, result));
        println!(
            "on disk, {turns:>4} turns, results of {result:>4} B       {:>9.0} B/turn = {:.2} x the messages as sent",
            size.stored,
            size.stored / size.payload
        );
    }
    for (runs, one_tenant) in [(1, true), (64, true), (64, false), (1_000, true), (1_000, false)] {
        let crowd = reserve::Crowd { runs, one_tenant };
        let tenants = if one_tenant { "one tenant" } else { "a tenant each" };
        let held = runtime.block_on(reserve::reserved(crowd));
        println!(
            "calls held in 4 scopes, {runs:>4} at once, {tenants:<13} {:>7.0} /s   = {:.2} x the time without money",
            held.calls_per_second, held.ratio
        );
    }
    let (early, late) = (loops::us_per_call_after(10), loops::us_per_call_after(1_000));
    println!(
        "loop detector, one call more                    {early:>6.1} us after 10, {late:.1} us after 1000 = {:.2} x",
        late / early
    );
    let (fresh, used) = start::to_first_model_call();
    let tries = start::TRIES;
    println!("process start to first model call, new store   {fresh:>9.1} ms (median of {tries})");
    println!("process start to first model call, store there {used:>9.1} ms (median of {tries})");
    for line in memory::lines() {
        println!("{line}");
    }
}
