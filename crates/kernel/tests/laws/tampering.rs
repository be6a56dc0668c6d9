//! Whatever is altered in a stored log shows: while it is folded, or at the latest when
//! its last hash is compared with the one that the store keeps beside the session.

use std::fs;

use kernel::event::{Broken, Stored};
use kernel::run::{Misfit, State, fold};
use kernel::units::{ContentHash, UnixMs};

use crate::transcripts::{folder, play};
use crate::world::{World, session, stored};

fn original() -> (World, Vec<Stored>) {
    let transcript = folder("transcripts").join("reads_then_effect.txt");
    let (_, world) = play(&fs::read_to_string(transcript).unwrap());
    let rows = world.log.iter().map(stored).collect();
    (world, rows)
}

/// How an altered log is caught.
#[derive(Debug, PartialEq)]
enum Caught {
    Gap,
    Chain,
    Newer,
    Unreadable,
    OutOfPlace,
    /// It folds, but to another last hash.
    Head,
    No,
}

fn caught(world: &World, rows: Vec<Stored>) -> Caught {
    let mut state = State::new(world.state.session, &world.frozen);
    match fold(&mut state, rows) {
        Err(Misfit::Broken(Broken::Gap { .. })) => Caught::Gap,
        Err(Misfit::Broken(Broken::Chain { .. })) => Caught::Chain,
        Err(Misfit::Broken(Broken::Newer { .. })) => Caught::Newer,
        Err(Misfit::Broken(Broken::Unreadable { .. })) => Caught::Unreadable,
        Err(Misfit::OutOfPlace { .. }) => Caught::OutOfPlace,
        Ok(()) if state.head != world.state.head => Caught::Head,
        Ok(()) => Caught::No,
    }
}

#[test]
fn an_unaltered_log_is_not_accused() {
    let (world, rows) = original();
    assert_eq!(caught(&world, rows), Caught::No);
}

#[test]
fn each_altered_field_is_caught() {
    let (world, rows) = original();
    let last = rows.len() - 1;
    for place in 0..rows.len() {
        // What an altered instant or body leads to shows one event later.
        let later = if place == last { Caught::Head } else { Caught::Chain };
        let alter = |change: &dyn Fn(&mut Stored)| {
            let mut altered = rows.clone();
            change(&mut altered[place]);
            caught(&world, altered)
        };
        assert_eq!(alter(&|row| row.seq += 1), Caught::Gap);
        assert_eq!(alter(&|row| row.at = UnixMs(row.at.0 + 1)), later);
        assert_eq!(alter(&|row| row.format += 1), Caught::Newer);
        assert_eq!(alter(&|row| row.format -= 1), later);
        assert_eq!(alter(&|row| row.prev = ContentHash([7; 32])), Caught::Chain);
        assert_eq!(alter(&|row| row.body.insert(1, ' ')), later);
        assert_eq!(alter(&|row| row.body.push(' ')), later);
        assert_eq!(alter(&|row| row.body.truncate(row.body.len() - 1)), Caught::Unreadable);
        assert_eq!(alter(&|row| row.body.clear()), Caught::Unreadable);
    }
}

#[test]
fn each_altered_byte_is_caught() {
    let (world, rows) = original();
    for place in 0..rows.len() {
        for byte in 0..rows[place].body.len() {
            for bit in [1, 2, 16] {
                let mut body = rows[place].body.clone().into_bytes();
                body[byte] ^= bit;
                let Ok(body) = String::from_utf8(body) else { continue };
                let mut altered = rows.clone();
                altered[place].body = body;
                let how = caught(&world, altered);
                assert_ne!(how, Caught::No, "event {}, byte {byte}, bit {bit}", place + 1);
            }
        }
    }
}

#[test]
fn missing_doubled_and_swapped_rows_are_caught() {
    let (world, rows) = original();
    for place in 0..rows.len() {
        let last = place == rows.len() - 1;
        let mut missing = rows.clone();
        missing.remove(place);
        assert_eq!(caught(&world, missing), if last { Caught::Head } else { Caught::Gap });
        let mut doubled = rows.clone();
        doubled.insert(place, rows[place].clone());
        assert_eq!(caught(&world, doubled), Caught::Gap);
        if !last {
            let mut swapped = rows.clone();
            swapped.swap(place, place + 1);
            assert_eq!(caught(&world, swapped), Caught::Gap);
        }
    }
    assert_eq!(caught(&world, Vec::new()), Caught::Head);
}

#[test]
fn a_log_of_another_session_is_caught() {
    let (mut world, rows) = original();
    world.state = State::new(session(9), &world.frozen);
    assert_eq!(caught(&world, rows), Caught::Chain);
}

#[test]
fn a_log_of_another_agent_is_caught() {
    let (mut world, rows) = original();
    let mut agent = world.frozen.agent.as_ref().clone();
    agent.system_prompt.push('!');
    world.frozen = agent.freeze();
    assert_eq!(caught(&world, rows), Caught::OutOfPlace);
}
