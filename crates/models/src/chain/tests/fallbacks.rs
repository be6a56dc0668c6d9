//! Who is asked, in which order, and what is said where nobody answers.

use kernel::message::Usage;
use kernel::price::Prompt;
use kernel::units::Money;

use super::*;
use crate::testing::request;

const USAGE: Usage = Usage {
    input: 10,
    output: 3,
    cache_read: 0,
    cache_write_5m: 0,
    cache_write_1h: 0,
    web_searches: 0,
};

fn fails(class: FaultClass) -> End {
    (0, Err(fault(class, None, Spent::Nothing)))
}

fn always(class: FaultClass) -> Vec<End> {
    (0..50).map(|_| fails(class)).collect()
}

fn costs(class: FaultClass) -> End {
    (0, Err(fault(class, None, Spent::Estimated(USAGE))))
}

/// Who answered, or the class of the failure.
type Answered = Result<Option<String>, FaultClass>;

/// What came of a call: who answered, or the class; and how often each was asked.
async fn outcome(stage: &Stage) -> (Answered, Vec<usize>) {
    let model = stage.chain.candidates[0].model.clone();
    let answer = stage.ask(request(&model, "hello"), 60_000).await;
    let asked = (0..stage.models.len()).map(|place| stage.begun(place).len()).collect();
    (answer.map(|reply| reply.fallback).map_err(|error| error.fault.class), asked)
}

#[tokio::test(start_paused = true)]
async fn l22_an_outage_leads_on_and_a_permanent_error_ends_at_once() {
    use FaultClass::*;
    let by_second = || Ok(Some("second".to_owned()));
    let waits = vec![(0, Err(fault(RateLimited, Some(60_000), Spent::Nothing)))];
    let cases: Vec<(&str, Vec<End>, Answered, [usize; 2])> = vec![
        ("all is well", vec![], Ok(None), [1, 0]),
        ("a short outage", vec![fails(Overloaded), fails(Server)], Ok(None), [3, 0]),
        ("overloaded", always(Overloaded), by_second(), [4, 1]),
        ("no connection", always(Network), by_second(), [4, 1]),
        ("rate limited for long", waits, by_second(), [1, 1]),
        ("no money left", always(Billing), by_second(), [1, 1]),
        ("wrong key", always(Auth), Err(Auth), [1, 0]),
        ("no such model", always(UnknownModel), Err(UnknownModel), [1, 0]),
        ("wrong request", always(InvalidRequest), Err(InvalidRequest), [1, 0]),
        ("too large", always(TooLarge), Err(TooLarge), [1, 0]),
        ("a paid cut", vec![costs(Cut)], Err(Cut), [1, 0]),
    ];
    for (name, ends, expected, asked) in cases {
        let stage = Stage::of([("first", ends), ("second", vec![])], 0);
        assert_eq!(outcome(&stage).await, (expected, asked.to_vec()), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn l14_a_free_try_may_be_followed_by_a_paid_one_and_no_paid_one_by_anything() {
    use FaultClass::*;
    // A free model that broke off, and a paid one that does too.
    let models = [("free", vec![costs(Cut); 4]), ("paid", vec![costs(Cut)]), ("third", vec![])];
    let stage = Stage::of(models, 0);
    let error = stage.ask(request("free", "hello"), 60_000).await.unwrap_err();
    assert_eq!(stage.begun(0).len(), 4, "what costs nothing is tried again");
    assert_eq!((stage.begun(1).len(), stage.begun(2).len()), (1, 0), "one paid try");
    assert_eq!(error.spent, Spent::Estimated(USAGE), "only what was paid");
    assert_eq!(error.fallback.as_deref(), Some("paid"), "and by whose price");
    assert!(error.fault.message.contains("`free`: no\n`paid`: no"), "{}", error.fault.message);
    // The price of the chain is that of its dearest candidate.
    let quote = stage.chain.quote("free", crate::testing::TODAY).unwrap();
    assert_eq!(quote.worst(&Prompt::of(1_000), 10), Money(1_000 * 125 + 10 * 500));
}

#[tokio::test(start_paused = true)]
async fn l13_a_chain_has_no_price_where_one_of_its_models_has_none() {
    let price = |models: [&'static str; 2]| {
        let stage = Stage::of(models.map(|model| (model, vec![])), 0);
        stage.chain.quote(models[0], crate::testing::TODAY)
    };
    assert_eq!(price(["first", "nobody"]), None);
    assert_eq!(price(["nobody", "second"]), None);
    let quote = price(["first", "second"]).unwrap();
    assert_eq!(quote.version, "listed");
    assert_eq!(quote.rule_of(Some("second")), Some(&rule("second")));
}

#[tokio::test(start_paused = true)]
async fn the_window_of_a_chain_is_its_smallest() {
    let mut stage = Stage::of([("first", vec![]), ("second", vec![]), ("third", vec![])], 0);
    for (place, window) in [(0, Some(200_000)), (1, None), (2, Some(32_000))] {
        stage.chain.candidates[place].context_tokens = window;
    }
    let quote = stage.chain.quote("first", crate::testing::TODAY).unwrap();
    assert_eq!(quote.context_tokens, Some(32_000));
}

#[tokio::test(start_paused = true)]
async fn l5_a_fallback_that_cannot_carry_the_request_is_not_asked() {
    let mut stage = Stage::of(
        [
            ("first", always(FaultClass::Server)),
            ("small", vec![]),
            ("bare", vec![]),
            ("last", vec![]),
        ],
        0,
    );
    stage.chain.candidates[1].context_tokens = Some(1_500);
    stage.chain.candidates[2].takes_tools = false;
    let tools = [kernel::message::ToolDecl {
        name: "look".to_owned(),
        description: String::new(),
        input_schema: serde_json::json!({"type": "object"}),
        extra: Default::default(),
    }];
    let asking = Request { tools: tools.into(), ..request("first", &"x".repeat(4_000)) };
    let reply = stage.ask(asking.clone(), 60_000).await.unwrap();
    assert_eq!(reply.fallback.as_deref(), Some("last"));
    stage.chain.candidates.pop();
    let error = stage.ask(asking, 60_000).await.unwrap_err();
    for words in ["`small`: not asked: about", "`bare`: not asked: it takes no tools"] {
        assert!(error.fault.message.contains(words), "{}", error.fault.message);
    }
}

#[tokio::test(start_paused = true)]
async fn time_is_shared_out_so_that_the_fallback_has_some_left() {
    // A free model that hangs has its share; one that is paid may go on, because nothing
    // could follow it.
    let hangs = || vec![(1_000_000, Ok(()))];
    let stage = Stage::of([("free", hangs()), ("second", vec![])], 0);
    let reply = stage.ask(request("free", "hello"), 60_000).await.unwrap();
    assert_eq!(reply.fallback.as_deref(), Some("second"));
    assert_eq!(stage.begun(1), [30_000]);
    let slow = vec![(40_000, Ok(()))];
    let stage = Stage::of([("paid", slow), ("second", vec![])], 0);
    assert_eq!(stage.ask(request("paid", "hello"), 60_000).await.unwrap().fallback, None);
    // Tries that fail slowly and cost nothing end with the share, too.
    let slow = vec![(8_000, Err(fault(FaultClass::Server, None, Spent::Nothing))); 9];
    let stage = Stage::of([("paid", slow), ("second", vec![])], 0);
    stage.ask(request("paid", "hello"), 30_000).await.unwrap();
    assert_eq!(stage.begun(0), [0, 8_000]);
    assert_eq!(stage.begun(1), [16_000]);
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_is_skipped_at_once_and_closes_again() {
    let stage = Stage::of([("first", always(FaultClass::Overloaded)), ("second", vec![])], 0);
    for _ in 0..3 {
        let reply = stage.ask(request("first", "hello"), 60_000).await.unwrap();
        assert_eq!(reply.fallback.as_deref(), Some("second"));
    }
    // Four tries of the first call, one of the second: five failures open it.
    assert_eq!((stage.begun(0).len(), stage.begun(1).len()), (5, 3));
    stage.models[0].ends.lock().unwrap().clear();
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(stage.ask(request("first", "hello"), 60_000).await.unwrap().fallback, None);
}

#[tokio::test(start_paused = true)]
async fn where_nobody_can_be_asked_it_fails_at_once_and_says_until_when() {
    let ends = || always(FaultClass::Overloaded);
    let stage = Stage::of([("first", ends()), ("second", ends())], 0);
    for _ in 0..2 {
        stage.ask(request("first", "hello"), 60_000).await.unwrap_err();
    }
    let start = Instant::now();
    tokio::time::advance(Duration::from_secs(4)).await;
    let error = stage.ask(request("first", "hello"), 60_000).await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::from_secs(4), "at once");
    assert_eq!(error.fault.class, FaultClass::Overloaded);
    assert_eq!(error.fault.retry_after_ms, Some(6_000));
    assert_eq!(error.spent, Spent::Nothing);
    for name in ["`first`: failed too often", "`second`: failed too often"] {
        assert!(error.fault.message.contains(name), "{}", error.fault.message);
    }
}

#[tokio::test(start_paused = true)]
async fn what_passes_outweighs_what_must_be_mended() {
    use FaultClass::*;
    let cases = [
        (always(Overloaded), always(Auth), Overloaded),
        (always(Overloaded), always(InvalidRequest), Overloaded),
        (always(Billing), always(Overloaded), Overloaded),
        (always(Billing), always(UnknownModel), Billing),
        (always(Billing), always(InvalidRequest), Billing),
    ];
    for (first, second, class) in cases {
        let stage = Stage::of([("first", first), ("second", second)], 0);
        let error = stage.ask(request("first", "hello"), 60_000).await.unwrap_err();
        assert_eq!(error.fault.class, class, "{}", error.fault.message);
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_gate_is_passed_by_and_does_not_open_a_circuit() {
    let mut stage = Stage::of([("first", vec![]), ("second", vec![])], 0);
    let none_waits = Bulkhead { at_once_max: 1, waiting_max: 0 };
    stage.chain.candidates[0].gate = Arc::new(Gate::new(none_waits));
    let gate = Arc::clone(&stage.chain.candidates[0].gate);
    let held = gate.pass(Instant::now()).await.ok().unwrap();
    for _ in 0..9 {
        let reply = stage.ask(request("first", "hello"), 60_000).await.unwrap();
        assert_eq!(reply.fallback.as_deref(), Some("second"));
    }
    drop(held);
    assert_eq!(stage.ask(request("first", "hello"), 60_000).await.unwrap().fallback, None);
}
