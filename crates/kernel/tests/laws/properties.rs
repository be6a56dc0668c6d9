//! Random sessions: owners that crash, models that answer anything, people who meddle.
//!
//! `World` checks what must hold after each step. Here the whole log is cut at every
//! event besides, and an honest provider (it bills what it was sent, and what it said)
//! must never take a run over its cap.

use std::cell::RefCell;
use std::collections::BTreeMap;

use kernel::agent::{DELEGATE, Limits, Window};
use kernel::event::{Carve, ChildEnd, Done, ModelFault, Outcome, Parked, Returned};
use kernel::json::{Extra, RawJson};
use kernel::message::{Arguments, Block, Message, Reply, Stop, ToolUse, Usage};
use kernel::price::{Quote, Rates, Rule, Spent, Tier};
use kernel::run::{Child, Command, Context, Owed, Phase, State, Wake, fold, owed, step};
use kernel::units::{Epoch, Money, UnixMs};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};

use crate::plan::{Act, Answer, CALLS_MAX, Part, Plan, TURNS_MAX, Wish, plans};
use crate::script::CLASSES;
use crate::world::{ALLOW, By, World, agent, delegate, quote, stored};

/// Steps within which a run that is answered ends or waits: each turn is one answer and
/// at most `CALLS_MAX` results, and a run has no more turns than it was granted.
const STEPS_TO_REST_MAX: u32 = 40 * (CALLS_MAX + 2);

#[test]
fn random_sessions_keep_every_law() {
    let usual = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let rng_seed = match usual.rng_seed {
        RngSeed::Random => RngSeed::Fixed(20_261_121),
        RngSeed::Fixed(seed) => RngSeed::Fixed(seed),
    };
    let mut runner = TestRunner::new(ProptestConfig { rng_seed, ..usual });
    let seen = RefCell::new(BTreeMap::new());
    runner
        .run(&plans(), |plan| {
            let mut seen = seen.borrow_mut();
            for name in play(&plan) {
                *seen.entry(name).or_insert(0_u32) += 1;
            }
            Ok(())
        })
        .unwrap_or_else(|why| panic!("{why}"));
    for name in ["results_cleared", "summarised", "turns_dropped"] {
        let times = seen.borrow().get(name).copied().unwrap_or(0);
        assert!(times >= 20, "`{name}` came {times} times: too seldom to show anything");
    }
}

/// Plays a plan, and gives the names of the facts that came.
fn play(plan: &Plan) -> Vec<&'static str> {
    let mut world = opened(plan);
    for act in &plan.acts {
        one(&mut world, plan, act);
        check_cap(&world.state);
    }
    world.check_log();
    check_prefixes(&world);
    let names = world.log.iter().map(|sealed| sealed.event.fact.name()).collect();
    check_rest(world, plan);
    names
}

fn opened(plan: &Plan) -> World {
    let limits = Limits {
        calls_per_turn_max: plan.calls_per_turn_max,
        outage_parks_max: 2,
        window: Window {
            tokens_max: plan.window,
            keep_turns: plan.keep_turns,
            ..Window::default()
        },
        ..Limits::default()
    };
    let mut agent = agent(limits);
    agent.tools.push(delegate());
    let mut world = World::new(agent, Some(price(plan)));
    world.open();
    let _any = world.step(start(plan), By::Owner);
    world
}

fn price(plan: &Plan) -> Quote {
    match plan.price {
        0 => quote(0, 10_000),
        1 => quote(100, 1_000),
        _ => Quote::of("tiers", tiers()),
    }
}

/// A rule whose border lies where random conversations are.
fn tiers() -> Rule {
    let rates =
        |n| Rates { input: n, output: 5 * n, cache_write_5m: n, cache_write_1h: n, cache_read: n };
    let tier = |prompt_tokens_over, n| Tier { prompt_tokens_over, rates: rates(n) };
    Rule {
        tiers: vec![tier(0, 100), tier(1_500, 500)],
        per_request: Money(1_000),
        ..Rule::flat(rates(0))
    }
}

fn start(plan: &Plan) -> Command {
    Command::Start {
        input: vec![Block::text("Do this"), Block::text(" ")],
        done: if plan.done { Done::EndTask } else { Done::Answer },
        cap: plan.cap.map(Money),
        turns_max: Some(plan.turns),
    }
}

fn one(world: &mut World, plan: &Plan, act: &Act) {
    match act {
        Act::Serve(answer) => serve(world, plan, answer),
        Act::ServeInVain(answer) => {
            let mut dying = world.clone();
            serve(&mut dying, plan, answer);
            world.epoch += 1;
        }
        Act::Fenced(answer) => {
            let mut former = world.clone();
            former.epoch -= 1;
            serve(&mut former, plan, answer);
        }
        Act::Crash => world.epoch += 1,
        Act::Stop(stops) => world.barrier = stops.then_some(Parked::Interrupted),
        Act::Price(known) => world.quote = known.then(|| price(plan)),
        Act::Command(wish, aside) => {
            let by = if *aside { By::Aside } else { By::Owner };
            let _lawful_or_not = world.step(wished(world, plan, wish), by);
        }
        Act::Fork(part) => {
            let seq = 1 + usize::from(*part) * (world.log.len() - 1) / 255;
            *world = world.fork_at(seq);
        }
    }
}

fn wished(world: &World, plan: &Plan, wish: &Wish) -> Command {
    match wish {
        Wish::Start => start(plan),
        Wish::Park => Command::Park,
        Wish::Cancel => Command::Cancel { by: "ann".to_owned() },
        Wish::Wake(turns_more, cap) => Command::Wake(Wake::Person {
            by: "ann".to_owned(),
            turns_more: *turns_more,
            cap: cap.map(Money),
        }),
        Wish::NotDone(id) => Command::NotDone { call: some_call(world, *id) },
        Wish::Returned(id) => returned(some_call(world, *id), *id),
        Wish::Lost => Command::Lost,
        // An answer that nobody asked for has no bill.
        Wish::Replied(answer) => {
            Command::Replied(Reply { usage: None, ..reply(world, plan, answer, u32::MAX) })
        }
    }
}

/// A call of the present turn, if there is one.
fn some_call(world: &World, pick: u8) -> String {
    match world.state.run.as_ref().map(|run| &run.phase) {
        Some(Phase::Tooling(calls)) => calls[usize::from(pick) % calls.len()].id.clone(),
        Some(Phase::Ready | Phase::Calling(_) | Phase::Closing(_) | Phase::Over(_)) | None => {
            id_of(pick % 6)
        }
    }
}

/// Does what is owed; where nothing is, a person wakes the run or gives another task.
fn serve(world: &mut World, plan: &Plan, answer: &Answer) {
    let command = match world.owed() {
        Owed::Nothing if world.state.run.as_ref().is_some_and(|run| run.parked.is_some()) => {
            let cap = plan.cap.map(|cap| Money(cap + world.state.spent.0 + 20_000_000));
            Command::Wake(Wake::Person { by: "ann".to_owned(), turns_more: Some(1), cap })
        }
        Owed::Nothing => start(plan),
        Owed::Room(..) => Command::Wake(Wake::Room),
        Owed::Wait(until) => {
            world.now = UnixMs(world.now.0.max(until.0));
            Command::Wake(Wake::Due)
        }
        Owed::Decision => Command::Advance,
        Owed::LostModel => Command::Lost,
        Owed::Model(calling) => match answer.fails {
            Some(class) => failed(class),
            None => Command::Replied(reply(world, plan, answer, calling.max_tokens)),
        },
        Owed::Tools(calls) => {
            returned(calls[usize::from(answer.pick) % calls.len()].id.clone(), answer.outcome)
        }
        Owed::Children(calls) => {
            let call = &calls[usize::from(answer.pick) % calls.len()];
            child_over(call.id.clone(), call.child().expect("children are begun"), answer)
        }
        Owed::Reconcile(call) if answer.outcome.is_multiple_of(2) => {
            Command::NotDone { call: call.id }
        }
        Owed::Reconcile(call) => returned(call.id, answer.outcome),
    };
    let held = world.state.held().money;
    if let Ok(stepped) = world.step(command, By::Owner) {
        for spent in stepped.bookings {
            // A call without a price holds nothing, and its run has no cap.
            let priced = held > Money::ZERO;
            assert!(!priced || spent.amount <= held, "a call cost {} of {held} held", spent.amount);
        }
    }
}

/// The end of a child, or its sleep; it uses any part of what it got.
fn child_over(call: String, child: &Child, answer: &Answer) -> Command {
    let Carve { cap, turns, children, .. } = child.carve;
    if answer.outcome.is_multiple_of(5) {
        return Command::AwaitChild { child: child.session, until: UnixMs(2_000_000) };
    }
    let part = u64::from(answer.outcome);
    let end = ChildEnd {
        session: child.session,
        spent: Money(cap.map_or(part, |cap| cap.0 * part / 255)),
        turns: turns.min(u32::from(answer.pick)),
        children,
        tainted: part.is_multiple_of(3),
    };
    let Command::Returned(returned) = returned(call, answer.outcome) else { unreachable!() };
    Command::Returned(Returned { child: Some(end), ..returned })
}

fn failed(class: u8) -> Command {
    let fault = ModelFault {
        class: CLASSES[usize::from(class) % CLASSES.len()],
        message: "no".to_owned(),
        retry_after_ms: (class.is_multiple_of(3)).then_some(u64::from(class) * 1_000),
        request_id: None,
    };
    let spent = if class.is_multiple_of(2) { Spent::Nothing } else { Spent::Unknown };
    Command::Failed { fault, spent, fallback: None }
}

fn returned(call: String, outcome: u8) -> Command {
    let content = "r".repeat(usize::from(outcome) * 40);
    let outcome = [Outcome::Ok, Outcome::Error, Outcome::OutcomeUnknown][usize::from(outcome) % 3];
    Command::Returned(Returned { took_ms: 1, ..Returned::plain(&call, outcome, content) })
}

/// A model's answer, billed by an honest provider with a tokenizer of this density: one
/// token for `dense` bytes, 40 for each block, 500 of its own.
fn reply(world: &World, plan: &Plan, answer: &Answer, tokens_max: u32) -> Reply {
    let mut content: Vec<Block> = answer.parts.iter().map(block).collect();
    let mut stop = stop(answer.stop);
    let mut output = tokens(&content, plan.dense);
    if output > u64::from(tokens_max) {
        content = vec![Block::text("cut")];
        stop = Stop::MaxTokens;
        output = u64::from(tokens_max);
    }
    let said: Vec<Block> = world
        .state
        .history()
        .iter()
        .flat_map(|message: &std::sync::Arc<Message>| message.content.clone())
        .collect();
    let input = 500 + world.frozen.bytes.len() as u64 / plan.dense + tokens(&said, plan.dense);
    let usage = answer.counted.then_some(Usage { input, output, ..Usage::default() });
    Reply { content, stop, usage, model: None, fallback: None, id: None, extra: Extra::new() }
}

fn tokens(content: &[Block], dense: u64) -> u64 {
    content
        .iter()
        .map(|block| match block {
            Block::Text { text, .. } => text.len(),
            Block::Thinking { raw } | Block::Opaque { raw } => raw.text().len(),
            Block::ToolUse(call) => call.id.len() + call.name.len() + call.arguments.text().len(),
            Block::ToolResult(result) => result.id.len() + result.content.len(),
        })
        .map(|bytes| bytes as u64 / dense + 40)
        .sum()
}

fn block(part: &Part) -> Block {
    match part {
        Part::Words(0) => Block::text(" \n"),
        Part::Words(length) => Block::text("word ".repeat(usize::from(*length) / 8 + 1)),
        Part::Thought => {
            Block::Thinking { raw: RawJson::parse(r#"{"signature":"c2ln"}"#).unwrap() }
        }
        Part::Call { tool, id, arguments } => {
            let tools =
                ["read", "note", "pay", "file", "end_task", "nosuch", "read", DELEGATE, DELEGATE];
            let texts = [
                "{}",
                r#"{"action":"list"}"#,
                r#"{"result":1}"#,
                "{",
                r#"{"n":1e999}"#,
                r#"{"task":"a"}"#,
                r#"{"task":"b","children":1,"turns":2,"budget_usd":0.001}"#,
            ];
            Block::ToolUse(ToolUse {
                id: id_of(*id),
                name: tools[usize::from(*tool)].to_owned(),
                arguments: Arguments::from_text(texts[usize::from(*arguments)]),
                extra: Extra::new(),
            })
        }
    }
}

/// Few ids, so that they meet; some are such as the kernel itself gives.
fn id_of(id: u8) -> String {
    ["", "a", "b", "call_1_0", "call_2_1", "call_2_1_1"][usize::from(id)].to_owned()
}

fn stop(stop: u8) -> Stop {
    match stop % 16 {
        0 => Stop::MaxTokens,
        1 => Stop::PauseTurn,
        2 => Stop::Refusal,
        3 => Stop::ContextWindow,
        4 => Stop::Other("odd".to_owned()),
        5..8 => Stop::EndTurn,
        _ => Stop::ToolUse,
    }
}

/// With an honest provider no run passes its cap, nor its turns.
fn check_cap(state: &State) {
    let Some(run) = &state.run else { return };
    let turns = run.turns + run.turns_lent;
    assert!(turns <= run.turns_max, "no run takes more turns than it has");
    if let Some(cap) = run.cap {
        let gone = run.settled.plus(state.held().money).plus(run.carved());
        assert!(gone <= cap, "settled + held = {gone} passes the cap {cap}");
    }
}

/// Cut anywhere, the log gives a state from which the next owner goes on.
fn check_prefixes(world: &World) {
    let mut state = State::new(world.state.session, &world.frozen);
    for sealed in &world.log {
        fold(&mut state, [stored(sealed)]).expect("every prefix folds");
        check_cap(&state);
        let next = Epoch(world.epoch + 1);
        let context = Context {
            now: world.now,
            epoch: Some(next),
            quote: world.quote.as_ref(),
            chance: 7,
            barrier: None,
            held_back: false,
            shares: &world.shares,
            full: &[],
            out: &[],
            judge: ALLOW,
        };
        let mut later = state.clone();
        step(&mut later, Command::Advance, &context).expect("to carry on is always lawful");
        assert_ne!(owed(&later, next), Owed::Decision, "the kernel goes on by itself");
    }
}

/// Law: a turn stores what is new in it, once.
#[test]
fn a_turn_stores_as_much_late_as_early() {
    let plan = Plan {
        dense: 4,
        price: 1,
        turns: 400,
        calls_per_turn_max: 9,
        cap: None,
        done: true,
        window: None,
        keep_turns: 3,
        acts: Vec::new(),
    };
    let answer = Answer {
        parts: vec![Part::Words(80), Part::Call { tool: 0, id: 0, arguments: 1 }],
        stop: 15,
        counted: true,
        fails: None,
        outcome: 0,
        pick: 0,
    };
    let mut world = opened(&plan);
    let mut bytes_of_turn = || {
        let before = world.log.len();
        serve(&mut world, &plan, &answer);
        serve(&mut world, &plan, &answer);
        world.log[before..].iter().map(|sealed| sealed.body.len()).sum::<usize>()
    };
    let bytes: Vec<usize> = (0..300).map(|_turn| bytes_of_turn()).collect();
    assert!(bytes[299] <= bytes[2] + 32, "turn 3: {} bytes, turn 300: {}", bytes[2], bytes[299]);
}

/// A run whose model and tools answer ends, or waits for somebody, within its turns.
fn check_rest(mut world: World, plan: &Plan) {
    let granted = world.state.run.as_ref().map_or(0, |run| run.turns_max);
    if granted > TURNS_MAX + 40 {
        return;
    }
    world.barrier = None;
    let answer = Answer {
        parts: (1..CALLS_MAX as u8)
            .map(|id| Part::Call { tool: id - 1, id, arguments: 1 })
            .collect(),
        stop: 15,
        counted: true,
        fails: None,
        outcome: 1,
        pick: 0,
    };
    for _step in 0..STEPS_TO_REST_MAX {
        if matches!(world.owed(), Owed::Nothing | Owed::Wait(_)) {
            return;
        }
        serve(&mut world, plan, &answer);
        check_cap(&world.state);
    }
    panic!("a run of {granted} turns does not come to rest: {:?}", world.owed());
}
