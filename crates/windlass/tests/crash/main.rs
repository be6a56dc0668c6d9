//! The real binary, killed at every sync of its files, goes on and loses nothing.
//!
//! A small C library is preloaded that stops the process before or after its n-th sync or
//! rename; then it is sent SIGKILL or SIGTERM, and resumed until it finishes. L1, L2: no
//! effect is missing or doubled, whichever signal it was, wherever it struck.

mod caged;
mod place;
mod trace;

use std::process::ExitStatus;

use place::{Place, Side, Story, Strike};
use trace::Trace;

/// Processes that one struck run may need until it finishes.
const LIVES_MAX: u32 = 5;

/// One run from its begin to its end.
const SIX_TURNS: Story = Story {
    files: &[("six_turns.yaml", include_str!("six_turns.yaml"))],
    commands: &[&["run", "--model", "script:six_turns.yaml", "write it all down"]],
};

/// A run that parks until two of its calls were answered, the answers, and the rest.
const ASKED: Story = Story {
    files: &[
        ("asked.yaml", include_str!("asked.yaml")),
        ("agent.yaml", ASKED_AGENT),
        ("asking.yaml", ASKING),
        ("windlass.yaml", "policy: ./asking.yaml\n"),
    ],
    commands: &[
        &["run", "--agent", "agent.yaml", "write it all down"],
        &["approvals", "approve", "last", "w1"],
        &["approvals", "approve", "last", "w2"],
        &["resume", "last"],
    ],
};

const ASKED_AGENT: &str = "agent_id: asked
model: script:asked.yaml
system_prompt: You write.
allowed_tools: [notes, write, edit, end_task]
";

const ASKING: &str = r#"about: somebody looks before a file is made
policies: |
  @id("all")
  @reason("the rest is allowed")
  permit (principal, action, resource);

  @id("writing-asks")
  @verdict("ask")
  @reason("somebody looks before a file is made")
  forbid (principal, action == Action::"tool.call", resource == Tool::"write");
"#;

#[test]
fn killed_at_every_sync_nothing_is_lost_or_doubled() {
    strike_everywhere(&SIX_TURNS, Strike::Kill);
}

#[test]
fn terminated_at_every_sync_nothing_is_lost_or_doubled() {
    strike_everywhere(&SIX_TURNS, Strike::Terminate);
}

#[test]
fn killed_at_every_sync_around_an_approval_nothing_is_lost_or_doubled() {
    strike_everywhere(&ASKED, Strike::Kill);
}

#[test]
fn terminated_at_every_sync_around_an_approval_nothing_is_lost_or_doubled() {
    strike_everywhere(&ASKED, Strike::Terminate);
}

/// An effect that began, and whose file somebody changed meanwhile: nobody can tell what
/// happened, so it ends as unknown and is not run again.
#[test]
fn an_effect_that_nobody_can_tell_ends_as_unknown() {
    let mut unknown = 0;
    for stop in 1..=Place::new(&SIX_TURNS).syncs(0) {
        let place = Place::new(&SIX_TURNS);
        let Some(child) = place.run_until(0, stop, Side::Before) else { break };
        child.strike(Strike::Kill);
        if !place.has_begun_effect() {
            continue;
        }
        place.scribble_on_the_journal();
        place.finish(LIVES_MAX);
        let trace = Trace::of(&place);
        let outcomes = trace.outcomes("outcome_unknown");
        assert!(outcomes <= 1, "sync {stop}: {trace:?}");
        unknown += outcomes;
        let journal = place.journal();
        for line in ["one", "two", "three", "four"] {
            let times = journal.lines().filter(|have| have.trim_end() == line).count();
            assert!(times <= 1, "sync {stop}: `{line}` is there {times} times:\n{journal}");
        }
        assert!(journal.contains("somebody was here"), "sync {stop}: overwritten:\n{journal}");
    }
    eprintln!("{unknown} effects ended as unknown");
    assert!(unknown > 0, "no strike hit an effect under way: the test shows nothing");
}

/// Strikes each command of a story at each of its syncs. Whenever it was, the run goes on
/// to the same end.
fn strike_everywhere(story: &'static Story, strike: Strike) {
    let undisturbed = Place::new(story);
    undisturbed.finish(LIVES_MAX);
    let end = |place: &Place| {
        let files = ["notes/journal.md", "out.txt", "more.txt"].map(|name| place.file(name));
        (Trace::of(place), files)
    };
    let expected = end(&undisturbed);
    assert_eq!(expected.1[1], "five, edited\n");
    for command in 0..story.commands.len() {
        let mut struck = 0;
        let syncs = Place::after(story, command).syncs(command);
        for stop in 1..=syncs {
            for side in [Side::Before, Side::After] {
                let place = Place::after(story, command);
                let Some(child) = place.run_until(command, stop, side) else { continue };
                let status: ExitStatus = child.strike(strike);
                place.finish(LIVES_MAX);
                let at = format!("{strike:?} {side:?} sync {stop} of command {command} ({status})");
                assert_eq!(end(&place), expected, "{at}");
                struck += 1;
            }
        }
        let name = story.commands[command][0];
        eprintln!("{strike:?} `{name}`: {struck} strikes at {syncs} syncs, all to the same log");
        assert!(struck >= syncs, "only {struck} strikes of {syncs} syncs hit");
        assert!(syncs > 0, "`{name}` has no sync to strike at");
    }
}
