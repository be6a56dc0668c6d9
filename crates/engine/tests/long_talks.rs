//! Whole runs that grow far beyond their model's window: what is sent from call to call,
//! byte for byte in both vendors' words, and what is stored.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

#[path = "long_talks/cast.rs"]
mod cast;

use kernel::event::{Fact, Purpose, Sealed};
use kernel::message::{Block, Request};
use kernel::run::{Ended, Phase, State};

use cast::{Cast, SIGNED, Sent, Way};

const MARK: &str = r#","cache_control":{"type":"ephemeral"}"#;

/// Whether what is sent may change here.
fn shortens(fact: &Fact) -> bool {
    matches!(fact, Fact::ResultsCleared(_) | Fact::Summarised { .. } | Fact::TurnsDropped { .. })
}

fn times(log: &[Sealed], name: &str) -> usize {
    log.iter().filter(|sealed| sealed.event.fact.name() == name).count()
}

/// For each model call after the first, whether the conversation was made shorter since
/// the one before.
fn shortened(log: &[Sealed]) -> Vec<bool> {
    let mut calls = Vec::new();
    let mut shorter = false;
    for sealed in log {
        shorter |= shortens(&sealed.event.fact);
        if matches!(sealed.event.fact, Fact::ModelBegun { .. }) {
            calls.push(std::mem::take(&mut shorter));
        }
    }
    calls.split_off(1)
}

/// The bytes up to the end of the last message's content, without the marks that move.
fn beginning(written: &str) -> String {
    let end = written.rfind(r#"],"max_"#).unwrap();
    let open = written[..end].strip_suffix("]}").or_else(|| written[..end].strip_suffix("\"}"));
    open.unwrap().replace(MARK, "")
}

type Writer = fn(&Request) -> String;

const WRITERS: [(&str, Writer); 2] = [
    ("anthropic", |request| wire::anthropic::write_request(request, true)),
    ("openai", |request| wire::openai::write_request(request, true)),
];

/// Every call sends what the one before sent, and more; but for the calls after a fact
/// that says otherwise. A request for a summary is a last message that nobody sends again.
fn check_prefixes(sent: &[Sent], log: &[Sealed]) {
    let shortened = shortened(log);
    assert_eq!(shortened.len() + 1, sent.len(), "every call that was begun was made");
    for (name, write) in WRITERS {
        let mut kept = 0;
        for (at, shorter) in shortened.iter().enumerate() {
            let mut before = sent[at].request.as_ref().clone();
            if sent[at].purpose == Purpose::Summary {
                before.messages.pop();
            }
            let before = beginning(&write(&before));
            let after = write(&sent[at + 1].request).replace(MARK, "");
            assert_eq!(after.starts_with(&before), !shorter, "{name}: calls {at} and {}", at + 1);
            kept += usize::from(!shorter);
        }
        assert!(kept * 10 > shortened.len() * 8, "{name}: {kept} of {} kept", shortened.len());
    }
}

/// The bytes before each cache mark, without any mark.
fn marked(request: &Request) -> Vec<String> {
    let written = wire::anthropic::write_request(request, true);
    let mut pieces: Vec<&str> = written.split(MARK).collect();
    pieces.pop();
    (1..=pieces.len()).map(|count| pieces[..count].concat()).collect()
}

/// A cache is written where a mark stands, and read where a later request has one too:
/// each call must mark a place that the call before had marked. After the conversation
/// was made shorter that is the system prompt, and the call after it finds the new one.
fn check_marks(sent: &[Sent], log: &[Sealed]) {
    let mut before = marked(&sent[0].request);
    for (at, shorter) in shortened(log).iter().enumerate() {
        let now = marked(&sent[at + 1].request);
        assert!(now.len() <= 4, "the vendor takes four marks");
        let read = now.iter().filter(|place| before.contains(place)).max_by_key(|one| one.len());
        let longest = before.iter().max_by_key(|one| one.len()).unwrap();
        let read = read.expect("something is read from the cache");
        // Nobody sends a request for a summary again, so what it wrote last is not read.
        if !shorter && sent[at].purpose == Purpose::Answer {
            assert_eq!(read, longest, "call {} reads all that call {at} wrote", at + 1);
        }
        before = now;
    }
}

fn bytes(log: &[Sealed]) -> usize {
    log.iter().map(|sealed| sealed.body.len()).sum()
}

/// The figures, for people.
fn told(what: &str, log: &[Sealed], most: u64) {
    let [cleared, summarised] = ["results_cleared", "summarised"].map(|name| times(log, name));
    let bytes = bytes(log);
    eprintln!(
        "{what}: {cleared} times cleared, {summarised} times summarised, {bytes} bytes stored, \
         {most} tokens in the largest request"
    );
}

#[tokio::test(start_paused = true)]
async fn l32_a_run_far_beyond_its_window_keeps_its_prefix_between_compactions() {
    let cast = Cast::new(Way::Reads { turns: 300, bytes: 4_096 }, 20_000);
    let (state, log) = cast.played().await;
    let run = state.run.as_ref().unwrap();
    assert!(matches!(run.phase, Phase::Over(Ended::Finished(_))), "{:?}", run.phase);
    assert_eq!(run.turns, 301);
    let sent = cast.sent();
    let most = sent.iter().map(|one| one.tokens).max().unwrap();
    assert!(most <= 20_000, "a request of {most} tokens");
    assert!(times(&log, "results_cleared") > 10);
    told("300 turns with 4 KiB each in a window of 20,000 tokens", &log, most);
    check_prefixes(&sent, &log);
    check_marks(&sent, &log);
}

#[tokio::test(start_paused = true)]
async fn l6_a_log_grows_linearly_through_compaction() {
    let weigh = |turns| async move {
        let cast = Cast::new(Way::Reads { turns, bytes: 4_096 }, 20_000);
        bytes(&cast.played().await.1)
    };
    let (short, long) = (weigh(100).await, weigh(300).await);
    assert!(long < short * 31 / 10, "100 turns: {short} bytes, 300 turns: {long}");
}

#[tokio::test(start_paused = true)]
async fn l32_summaries_keep_the_prefix_too() {
    let cast = Cast::new(Way::Thinks { turns: 200 }, 12_000);
    let (state, log) = cast.played().await;
    let run = state.run.as_ref().unwrap();
    assert!(matches!(run.phase, Phase::Over(Ended::Finished(_))), "{:?}", run.phase);
    assert_eq!(run.turns, 201, "a summary is no turn");
    assert!(times(&log, "summarised") > 3, "{} summaries", times(&log, "summarised"));
    assert_eq!(times(&log, "turns_dropped"), 0);
    let sent = cast.sent();
    let most = sent.iter().map(|one| one.tokens).max().unwrap();
    assert!(most <= 12_000, "a request of {most} tokens");
    told("200 turns of thoughts in a window of 12,000 tokens", &log, most);
    check_prefixes(&sent, &log);
    check_marks(&sent, &log);
}

/// Cut anywhere, a log that was made shorter many times renders to what both vendors
/// accept: no call stays without its result.
#[tokio::test(start_paused = true)]
async fn l4_every_prefix_of_a_shortened_log_is_accepted() {
    for (way, window) in
        [(Way::Reads { turns: 60, bytes: 4_096 }, 20_000), (Way::Thinks { turns: 60 }, 12_000)]
    {
        let cast = Cast::new(way, window);
        let (whole, log) = cast.played().await;
        assert!(log.iter().any(|sealed| shortens(&sealed.event.fact)));
        let mut state = State::new(whole.session, &cast.agent());
        for sealed in &log {
            state.apply(sealed).unwrap();
            if !state.history().is_empty() {
                cast::accepted(&state.request(&cast::calling()));
            }
        }
    }
}

/// Signed thinking goes back as it came or not at all, and never without the calls that
/// it led to; also after every call was taken over by another owner.
#[tokio::test(start_paused = true)]
async fn l5_signed_thinking_is_kept_or_dropped_whole_through_compaction_and_resume() {
    let cast = Cast::new(Way::Thinks { turns: 120 }, 12_000).with_a_new_owner_each_turn();
    let (state, log) = cast.played().await;
    assert!(matches!(state.run.as_ref().unwrap().phase, Phase::Over(Ended::Finished(_))));
    assert!(times(&log, "summarised") > 2);
    for one in cast.sent() {
        cast::accepted(&one.request);
        let written = wire::anthropic::write_request(&one.request, true);
        for message in &one.request.messages {
            let thoughts = message.content.iter().filter_map(|block| match block {
                Block::Thinking { raw } => Some(raw.text()),
                Block::Text { .. }
                | Block::ToolUse(_)
                | Block::ToolResult(_)
                | Block::Opaque { .. } => None,
            });
            for thought in thoughts {
                assert!(thought.starts_with(SIGNED), "{thought}");
                assert!(written.contains(thought), "byte for byte");
                let leads = message.content.iter().any(|block| matches!(block, Block::ToolUse(_)));
                assert!(leads, "a thought stays with the call that it led to");
            }
        }
    }
}

/// What was cleared can be read again, by the handle that the model was given.
#[tokio::test(start_paused = true)]
async fn cleared_results_are_read_again_with_more() {
    let cast = Cast::new(Way::LooksBack, 6_000);
    let (state, log) = cast.played().await;
    assert!(matches!(state.run.as_ref().unwrap().phase, Phase::Over(Ended::Finished(_))));
    assert!(times(&log, "results_cleared") > 0);
    let returned: Vec<&str> = log
        .iter()
        .filter_map(|sealed| {
            let Fact::ToolReturned(returned) = &sealed.event.fact else { return None };
            Some(returned.content.as_str())
        })
        .collect();
    let (first, last) = (returned[0], returned[returned.len() - 1]);
    assert!(first.len() > 1_000);
    assert_eq!(last, first, "it is all there");
}
