//! What random sessions are made of: plans, acts, wishes and answers.
//!
//! Only shapes and how often they come; `properties` says what they mean.

use proptest::collection::vec;
use proptest::prelude::*;

/// Turns of a random run, at the most, before grants.
pub(crate) const TURNS_MAX: u32 = 9;

/// Blocks of a random answer, at the most.
pub(crate) const CALLS_MAX: u32 = 5;

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) dense: u64,
    pub(crate) price: u8,
    pub(crate) turns: u32,
    pub(crate) calls_per_turn_max: u32,
    pub(crate) cap: Option<u64>,
    pub(crate) done: bool,
    /// The model's window, in tokens, and the turns that stay.
    pub(crate) window: Option<u64>,
    pub(crate) keep_turns: u32,
    pub(crate) acts: Vec<Act>,
}

/// What happens next.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// The owner does what is owed.
    Serve(Answer),
    /// The owner does it, and dies before the commit.
    ServeInVain(Answer),
    /// A former owner, whose commits are fenced, does what it believes to be owed.
    Fenced(Answer),
    /// The owner dies.
    Crash,
    /// The program is asked to stop, or no longer.
    Stop(bool),
    /// The price is forgotten, or known again.
    Price(bool),
    /// Somebody beside the owner, or the owner, wants something.
    Command(Wish, bool),
    /// The session is forked at this part of its log, and goes on there.
    Fork(u8),
}

#[derive(Clone, Debug)]
pub(crate) enum Wish {
    Start,
    Park,
    Cancel,
    Wake(Option<u32>, Option<u64>),
    NotDone(u8),
    Returned(u8),
    Lost,
    Replied(Answer),
}

/// What the world answers, whatever it is asked.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) parts: Vec<Part>,
    pub(crate) stop: u8,
    pub(crate) counted: bool,
    pub(crate) fails: Option<u8>,
    pub(crate) outcome: u8,
    pub(crate) pick: u8,
}

#[derive(Clone, Debug)]
pub(crate) enum Part {
    Words(u8),
    Thought,
    Call { tool: u8, id: u8, arguments: u8 },
}

pub(crate) fn plans() -> impl Strategy<Value = Plan> {
    let head = (1..=4_u64, 0..3_u8, 1..=TURNS_MAX, 0..6_u32);
    let cap = prop_oneof![Just(None), (0..40_000_000_u64).prop_map(Some)];
    let window = prop_oneof![1 => Just(None), 2 => (500..9_000_u64).prop_map(Some)];
    let tail = (any::<bool>(), window, 0..4_u32);
    (head, cap, tail, vec(acts(), 1..40)).prop_map(|(head, cap, tail, acts)| {
        let (dense, price, turns, calls_per_turn_max) = head;
        let (done, window, keep_turns) = tail;
        Plan { dense, price, turns, calls_per_turn_max, cap, done, window, keep_turns, acts }
    })
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        24 => answers().prop_map(Act::Serve),
        1 => answers().prop_map(Act::ServeInVain),
        1 => answers().prop_map(Act::Fenced),
        2 => Just(Act::Crash),
        1 => prop::bool::weighted(0.3).prop_map(Act::Stop),
        1 => prop::bool::weighted(0.7).prop_map(Act::Price),
        5 => (wishes(), any::<bool>()).prop_map(|(wish, aside)| Act::Command(wish, aside)),
        1 => any::<u8>().prop_map(Act::Fork),
    ]
}

fn wishes() -> impl Strategy<Value = Wish> {
    let turns = prop_oneof![Just(None), (0..4_u32).prop_map(Some), Just(Some(u32::MAX))];
    let cap = prop_oneof![3 => Just(None), 1 => (0..60_000_000_u64).prop_map(Some)];
    prop_oneof![
        2 => Just(Wish::Start),
        1 => Just(Wish::Park),
        1 => Just(Wish::Cancel),
        4 => (turns, cap).prop_map(|(turns, cap)| Wish::Wake(turns, cap)),
        1 => any::<u8>().prop_map(Wish::NotDone),
        1 => any::<u8>().prop_map(Wish::Returned),
        1 => Just(Wish::Lost),
        1 => answers().prop_map(Wish::Replied),
    ]
}

fn answers() -> impl Strategy<Value = Answer> {
    let parts = vec(parts(), 0..CALLS_MAX as usize);
    let fails = prop_oneof![9 => Just(None), 1 => any::<u8>().prop_map(Some)];
    (parts, any::<u8>(), prop::bool::weighted(0.8), fails, any::<u8>(), any::<u8>()).prop_map(
        |(parts, stop, counted, fails, outcome, pick)| Answer {
            parts,
            stop,
            counted,
            fails,
            outcome,
            pick,
        },
    )
}

fn parts() -> impl Strategy<Value = Part> {
    prop_oneof![
        2 => any::<u8>().prop_map(Part::Words),
        1 => Just(Part::Thought),
        4 => (0..9_u8, 0..6_u8, 0..7_u8)
            .prop_map(|(tool, id, arguments)| Part::Call { tool, id, arguments }),
    ]
}
