//! Runs that stop and go on: at the turn cap, by Ctrl-C, by `kill -9`, and from the hands
//! of another process.

use rustix::process::Signal;

use crate::place::{FAILED, FINISHED, PARKED, Place, REFUSED, Running, USAGE};

const FOUR_TURNS: &str = "turns:
  - tools: [{name: calculator, input: {expression: 1 + 1}}]
  - text: One sum is done.
  - tools: [{name: calculator, input: {expression: 3 + 3}}]
  - tools: [{name: end_task, input: {result: six}}]
";

#[test]
fn the_turn_cap_parks_and_resuming_goes_on_where_it_was() {
    let place = Place::new();
    place.write("four.yaml", FOUR_TURNS);
    let parked = place.run(&["run", "--model", "script:four.yaml", "--turns", "2", "count"]);
    let parked = parked.code(PARKED).says("all 2 turns are used · 2 turns, $0.00");
    let shown = place.run(&["sessions", "show", "last"]).code(FINISHED);
    shown.says("2 of 2 turns").says(&parked.resume_command());
    let again = place.run(&["resume", "last", "--turns", "1"]).code(PARKED);
    again.says("all 3 turns are used");
    place.run(&["resume", "last"]).code(FINISHED).answers("six");
    let over = place.run(&["resume", "last"]).code(REFUSED);
    over.says("this session has no parked run").says("nothing is left to resume");
    place.run(&["resume", "last", "--turns", "x"]).code(USAGE);
}

/// A run whose first answer never comes, already under way.
fn stuck(place: &Place) -> (crate::place::Provider, Running) {
    slow(place, "600000")
}

fn slow(place: &Place, latency_ms: &str) -> (crate::place::Provider, Running) {
    let provider = place.provider(&["--latency-ms", latency_ms]);
    place.agent("anthropic", &provider.address, "");
    let asked = ["run", "--json", "--agent", "agent.yaml", "What is 2 + 3?"];
    let mut running = place.start(&asked);
    running.until("model_begun");
    (provider, running)
}

#[test]
fn one_interrupt_lets_the_step_finish_and_parks() {
    let place = Place::new();
    let (_provider, mut running) = slow(&place, "700");
    running.strike(Signal::INT);
    running.until("finishing this step, then parking");
    let parked = running.end().code(PARKED);
    let result = parked.json().pop().expect("there is a result");
    assert_eq!((&result["code"], &result["turns"]), (&"interrupted".into(), &1.into()), "{parked}");
    let typed = result["resume"].as_str().expect("it can be resumed");
    place.type_in(typed).code(FINISHED).answers("2 + 3 = 5");
    let facts = place.facts();
    let count = |name| facts.iter().filter(|fact| *fact == name).count();
    assert_eq!((count("model_begun"), count("model_replied")), (2, 2), "{facts:?}");
}

#[test]
fn two_interrupts_drop_the_step_at_once() {
    let place = Place::new();
    let (_provider, mut running) = stuck(&place);
    running.strike(Signal::INT);
    running.until("once more stops at once");
    running.strike(Signal::TERM);
    let parked = running.end().code(PARKED);
    let result = parked.json().pop().expect("there is a result");
    assert_eq!(result["status"], "parked", "{parked}");
    let provider = place.provider(&[]);
    place.agent("anthropic", &provider.address, "");
    let typed = result["resume"].as_str().expect("it can be resumed");
    place.type_in(typed).code(FINISHED).answers("2 + 3 = 5");
}

#[test]
fn a_killed_run_goes_on_by_the_beginning_of_its_id() {
    let place = Place::new();
    let (_provider, running) = stuck(&place);
    running.strike(Signal::KILL);
    assert_eq!(running.end().code, None);
    place.run(&["sessions", "list"]).code(FINISHED).says("cut off");
    let listed = place.run(&["sessions", "list", "--json"]).code(FINISHED).json();
    let id = listed[0]["session"].as_str().expect("it has an id");

    let provider = place.provider(&[]);
    place.agent("anthropic", &provider.address, "");
    let ended = place.run(&["resume", &id[..13]]).code(FINISHED).answers("2 + 3 = 5");
    ended.says("a model call was lost in a crash; it is made again");
    assert!(place.facts().contains(&"model_lost".to_owned()));
    place.run(&["log", "last", "--verify"]).code(FINISHED).says("intact");
}

#[test]
fn a_session_of_a_living_process_is_left_alone_until_it_is_taken_over() {
    let place = Place::new();
    let (_provider, running) = stuck(&place);
    let held = place.run(&["resume", "last"]).code(REFUSED);
    held.says("is being run by process").says("--follow").says("--takeover");
    let busy = place.run(&["run", "--session", "last", "more work"]).code(REFUSED);
    busy.says("is still under way");

    let provider = place.provider(&[]);
    place.agent("anthropic", &provider.address, "");
    let taken = place.run(&["resume", "last", "--takeover"]).code(FINISHED);
    taken.answers("2 + 3 = 5");
    running.strike(Signal::INT);
    running.strike(Signal::TERM);
    let former = running.end();
    let last = former.json().iter().filter_map(|line| line["seq"].as_u64()).max();
    assert_eq!(last, Some(3), "it adds nothing once the session is another's: {former}");
    place.run(&["log", "last", "--verify"]).code(FINISHED).says("intact");
    let facts = place.facts();
    assert_eq!(facts.last().map(String::as_str), Some("run_finished"), "{facts:?}");
}

#[test]
fn a_running_session_is_cancelled_from_a_second_process() {
    let place = Place::new();
    let (_provider, running) = stuck(&place);
    let asked = place.run(&["sessions", "cancel", "last"]).code(FINISHED);
    asked.says("asked; its owner ends it at the next step");
    let cancelled = running.end().code(FAILED);
    let result = cancelled.json().pop().expect("there is a result");
    assert_eq!(result["status"], "cancelled", "{cancelled}");
    place.run(&["resume", "last"]).code(REFUSED);
}
