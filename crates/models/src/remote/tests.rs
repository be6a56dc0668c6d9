//! Both clients against servers that say exactly what the test wants.

use std::time::{Duration, Instant};

use std::sync::Arc;

use kernel::message::{Usage, text_of};
use kernel::price::{Rates, Rule};
use kernel::units::Money;

use super::*;
use wire::openai::Dialect;

use crate::testing::playback::{Playback, Then};
use crate::testing::{Watched, call};

const OPENAI: Protocol = Protocol::OpenAi(Dialect::Compatible);

const SECRET: &str = "sk-very-secret";

/// Waits that no test reaches, on however slow a machine.
const LONG: Limits = Limits {
    connect_ms: 60_000,
    first_byte_ms: 60_000,
    between_bytes_ms: 60_000,
    total_ms: 600_000,
    error_bytes_max: 1_000,
    reply_bytes_max: 10_000,
};

/// For servers that never begin.
const FIRST_SHORT: Limits = Limits { first_byte_ms: 100, ..LONG };

/// For servers that never go on.
const BETWEEN_SHORT: Limits = Limits { between_bytes_ms: 100, ..LONG };

fn remote(protocol: Protocol, base: &str, limits: Limits) -> Remote {
    let key = Key::new(SECRET).unwrap();
    let endpoint = Endpoint::new(base, Some(key)).unwrap().with_limits(limits);
    Remote::new(protocol, endpoint, Catalog::builtin())
}

async fn ask(protocol: Protocol, base: &str, limits: Limits) -> Result<Reply, ModelError> {
    let remote = remote(protocol, base, limits);
    let answer = remote.call(&call("claude-opus-5", 60_000, 1), &|_| {}).await;
    if let Err(error) = &answer {
        assert!(!format!("{error:?} {error}").contains(SECRET), "{error:?}");
    }
    answer
}

async fn fails(protocol: Protocol, playback: &Playback) -> ModelError {
    ask(protocol, &playback.base, LONG).await.unwrap_err()
}

/// The failure of a try whose server may stall: then the wait in question is short.
async fn fails_by(
    protocol: Protocol,
    playback: &Playback,
    (then, short): (Then, Limits),
) -> ModelError {
    let limits = match then {
        Then::Close => LONG,
        Then::Stall => short,
    };
    ask(protocol, &playback.base, limits).await.unwrap_err()
}

fn estimated(spent: Spent) -> Usage {
    match spent {
        Spent::Estimated(usage) => usage,
        Spent::Nothing | Spent::Told(_) | Spent::Unknown => panic!("not an estimate: {spent:?}"),
    }
}

fn anthropic_error(kind: &str, more: &str) -> String {
    format!(
        r#"{{"type":"error","error":{{"type":"{kind}","message":"no"{more}}},"request_id":"req_body"}}"#
    )
}

fn openai_error(kind: &str, code: &str) -> String {
    format!(r#"{{"error":{{"message":"no","type":"{kind}","param":null,"code":{code}}}}}"#)
}

#[tokio::test]
async fn every_status_has_its_class_and_costs_nothing() {
    use FaultClass::*;
    let wait: &[(&str, &str)] = &[("retry-after", "7"), ("request-id", "req_head")];
    let spend_limit = r#","details":{"error_code":"enforced_spend_limit_reached"}"#;
    let anthropic = [
        (400, anthropic_error("invalid_request_error", ""), &[][..], InvalidRequest, None),
        (401, anthropic_error("authentication_error", ""), &[], Auth, None),
        (402, anthropic_error("billing_error", ""), &[], Billing, None),
        (403, anthropic_error("permission_error", ""), &[], Auth, None),
        (404, anthropic_error("not_found_error", ""), &[], UnknownModel, None),
        (413, anthropic_error("request_too_large", ""), &[], TooLarge, None),
        // The three kinds of 429: rate, acceleration, and the monthly spend limit.
        (429, anthropic_error("rate_limit_error", ""), wait, RateLimited, Some(7_000)),
        (429, anthropic_error("acceleration_limit", ""), wait, RateLimited, Some(7_000)),
        (429, anthropic_error("rate_limit_error", spend_limit), &[], Billing, None),
        (500, anthropic_error("api_error", ""), &[], Server, None),
        (504, anthropic_error("timeout_error", ""), &[], Timeout, None),
        (529, anthropic_error("overloaded_error", ""), &[], Overloaded, None),
        (503, "<html>busy</html>".to_owned(), &[], Overloaded, None),
        (418, String::new(), &[], InvalidRequest, None),
    ];
    for (status, body, headers, class, retry_after_ms) in anthropic {
        let playback = Playback::answer(status, headers, &body).await;
        let error = fails(Protocol::Anthropic, &playback).await;
        let fault = &error.fault;
        assert_eq!((fault.class, fault.retry_after_ms), (class, retry_after_ms), "{status} {body}");
        assert_eq!(error.spent, Spent::Nothing, "{status}");
        if !headers.is_empty() {
            assert_eq!(fault.request_id.as_deref(), Some("req_head"));
        }
    }
    let openai = [
        (400, openai_error("invalid_request_error", "null"), InvalidRequest),
        (401, openai_error("invalid_request_error", r#""invalid_api_key""#), Auth),
        (404, openai_error("invalid_request_error", r#""model_not_found""#), UnknownModel),
        (429, openai_error("requests", r#""rate_limit_exceeded""#), RateLimited),
        (429, openai_error("insufficient_quota", r#""insufficient_quota""#), Billing),
        (500, openai_error("server_error", "null"), Server),
        (503, openai_error("server_error", "null"), Overloaded),
        (504, String::new(), Timeout),
    ];
    for (status, body, class) in openai {
        let playback = Playback::answer(status, &[("x-request-id", "req_x")], &body).await;
        let error = fails(OPENAI, &playback).await;
        assert_eq!(error.fault.class, class, "{status} {body}");
        assert_eq!(error.fault.request_id.as_deref(), Some("req_x"));
        assert_eq!(error.spent, Spent::Nothing, "{status}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_the_key() {
    let elsewhere = Playback::answer(200, &[], "").await;
    let playback = Playback::answer(307, &[("location", &elsewhere.base)], "").await;
    let error = fails(Protocol::Anthropic, &playback).await;
    assert_eq!(error.fault.class, FaultClass::InvalidRequest);
    assert!(error.fault.message.contains(&elsewhere.base), "{}", error.fault.message);
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_key_that_the_provider_repeats_is_hidden() {
    let body =
        anthropic_error("authentication_error", "").replace("\"no\"", &format!("\"bad {SECRET}\""));
    let playback = Playback::answer(401, &[], &body).await;
    let error = fails(Protocol::Anthropic, &playback).await;
    assert_eq!(error.fault.message, "bad (key hidden)");
    assert!(playback.requests()[0].contains(SECRET), "it was sent");
}

#[tokio::test]
async fn a_refused_connection_costs_nothing() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let error = ask(Protocol::Anthropic, &base, LONG).await.unwrap_err();
    assert_eq!((error.fault.class, error.spent), (FaultClass::Network, Spent::Nothing));
    assert!(error.fault.message.contains("refused"), "{}", error.fault.message);
}

#[tokio::test]
async fn a_request_carries_what_its_protocol_wants() {
    let playback = Playback::answer(500, &[], "").await;
    fails(Protocol::Anthropic, &playback).await;
    let asked = playback.requests().remove(0).to_lowercase();
    assert!(asked.starts_with("post /v1/messages http/1.1"), "{asked}");
    for line in ["anthropic-version: 2023-06-01", "x-api-key: sk-very-secret"] {
        assert!(asked.contains(line), "{line} is not in {asked}");
    }
    assert!(asked.contains(r#""stream":true"#) && asked.contains(r#""max_tokens":1000"#));

    let playback = Playback::answer(500, &[], "").await;
    fails(OPENAI, &playback).await;
    let asked = playback.requests().remove(0).to_lowercase();
    assert!(asked.starts_with("post /chat/completions http/1.1"), "{asked}");
    assert!(asked.contains("authorization: bearer sk-very-secret"), "{asked}");
    assert!(asked.contains(r#""include_usage":true"#), "{asked}");
}

/// Frames of an Anthropic stream: input is told as 25 tokens, the text is 12 bytes.
const START: &str = concat!(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",",
    "\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-opus-5\",\"content\":[],",
    "\"stop_reason\":null,\"usage\":{\"input_tokens\":25,\"output_tokens\":1}}}\n\n",
);
const TEXT: &str = concat!(
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,",
    "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,",
    "\"delta\":{\"type\":\"text_delta\",\"text\":\"twelve bytes\"}}\n\n",
);
const END: &str = concat!(
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":",
    "\"end_turn\"},\"usage\":{\"output_tokens\":3}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);
const OVERLOADED: &str = concat!(
    "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",",
    "\"message\":\"Overloaded\"}}\n\n",
);

#[tokio::test]
async fn a_whole_stream_is_one_answer() {
    for then in [Then::Close, Then::Stall] {
        let playback = Playback::stream(&format!("{START}{TEXT}{END}"), then).await;
        let watched = Watched::new();
        let remote = remote(Protocol::Anthropic, &playback.base, LONG);
        let call = call("claude-opus-5", 60_000, 1);
        let reply = remote.call(&call, &|delta| watched.see(delta)).await.unwrap();
        assert_eq!(text_of(&reply.content), "twelve bytes");
        assert_eq!(watched.text(), "twelve bytes");
        assert_eq!(reply.usage, Some(Usage { input: 25, output: 3, ..Usage::default() }));
    }
}

#[tokio::test]
async fn l11_a_stream_that_ends_early_is_charged_for_what_came() {
    use FaultClass::*;
    let told = |output| Usage { input: 25, output, ..Usage::default() };
    let garbage = "data: {\"type\": mess}\n\n";
    let long = TEXT.replace("twelve bytes", &"x".repeat(10_001));
    let cases = [
        ("cut after text", format!("{START}{TEXT}"), Then::Close, Cut, told(6)),
        ("cut before text", START.to_owned(), Then::Close, Cut, told(1)),
        ("stalled after text", format!("{START}{TEXT}"), Then::Stall, Timeout, told(6)),
        ("garbage", format!("{START}{TEXT}{garbage}"), Then::Close, Malformed, told(6)),
        (
            "error after text",
            format!("{START}{TEXT}{OVERLOADED}"),
            Then::Close,
            Overloaded,
            told(6),
        ),
        ("too long", format!("{START}{long}"), Then::Close, Malformed, told(1)),
    ];
    for (name, frames, then, class, usage) in cases {
        let playback = Playback::stream(&frames, then).await;
        let error = fails_by(Protocol::Anthropic, &playback, (then, BETWEEN_SHORT)).await;
        assert_eq!(error.fault.class, class, "{name}: {}", error.fault.message);
        assert_eq!(error.spent, Spent::Estimated(usage), "{name}");
        assert_eq!(error.fault.request_id.as_deref(), Some("req_7"), "{name}");
    }
}

/// A call at five nano-dollars for a token in and ten for one out, with this much held.
fn held(hold: u64) -> ModelCall {
    let rates = Rates { input: 5, output: 10, ..Rates::default() };
    let quote = Some(Arc::new(Quote::of("held", Rule::flat(rates))));
    ModelCall { quote, hold: Money(hold), ..call("claude-opus-5", 60_000, 1) }
}

#[tokio::test]
async fn l11_a_stream_that_passes_its_hold_is_cut_at_once() {
    // 25 tokens in, and 800 bytes out that are at least 100 tokens: 125 and 1,000.
    let long = TEXT.replace("twelve bytes", &"x".repeat(800));
    let told = |output| Usage { input: 25, output, ..Usage::default() };
    let cases = [
        // The estimate of 400 tokens would pass the hold: all of it is settled.
        ("too long an answer", 1_124, Spent::Unknown),
        // The provider itself told more than was held.
        ("too long a prompt", 100, Spent::Estimated(told(1))),
    ];
    for (name, hold, spent) in cases {
        let playback = Playback::stream(&format!("{START}{long}"), Then::Stall).await;
        let remote = remote(Protocol::Anthropic, &playback.base, LONG);
        let error = remote.call(&held(hold), &|_| {}).await.unwrap_err();
        assert_eq!(error.fault.class, FaultClass::Cut, "{name}");
        assert!(error.fault.message.contains("cut from our side"), "{}", error.fault.message);
        assert_eq!(error.spent, spent, "{name}");
        playback.was_closed().await;
    }
    // An answer within its hold is heard out, and so is one that turns out to be whole.
    for (frames, hold) in
        [(format!("{START}{long}{END}"), 1_125), (format!("{START}{TEXT}{END}"), 139)]
    {
        let playback = Playback::stream(&frames, Then::Close).await;
        let remote = remote(Protocol::Anthropic, &playback.base, LONG);
        assert!(remote.call(&held(hold), &|_| {}).await.is_ok(), "{hold}");
    }
}

#[tokio::test]
async fn a_whole_try_has_a_limit_of_its_own() {
    let playback = Playback::of("", Then::Stall).await;
    let limits = Limits { total_ms: 50, ..LONG };
    let error = ask(Protocol::Anthropic, &playback.base, limits).await.unwrap_err();
    assert_eq!(error.fault.class, FaultClass::Timeout);
}

#[tokio::test]
async fn a_wait_until_a_date_is_told_by_the_servers_own_clock() {
    let cases = [
        ("Sat, 21 Nov 2026 10:00:07 GMT", Some(7_000)),
        ("Saturday, 21-Nov-26 10:01:00 GMT", Some(60_000)),
        ("Sat Nov 21 10:00:01 2026", Some(1_000)),
        ("Sat, 21 Nov 2026 09:00:00 GMT", Some(0)),
        ("soon", None),
    ];
    for (until, wait) in cases {
        let headers = [("date", "Sat, 21 Nov 2026 10:00:00 GMT"), ("retry-after", until)];
        let playback = Playback::answer(429, &headers, "").await;
        let error = fails(Protocol::Anthropic, &playback).await;
        assert_eq!(error.fault.retry_after_ms, wait, "{until}");
    }
    let playback =
        Playback::answer(429, &[("retry-after", "Sat, 21 Nov 2026 10:00:07 GMT")], "").await;
    assert_eq!(fails(OPENAI, &playback).await.fault.retry_after_ms, None, "nobody knows the time");
}

#[tokio::test]
async fn l11_where_nothing_was_told_at_least_the_prompt_is_charged() {
    use FaultClass::*;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    let piece = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\
                 \"choices\":[{\"index\":0,\"delta\":{\"content\":\"twelve bytes\"},\"finish_reason\":null}]}\n\n";
    let cases = [
        ("silence", String::new(), Then::Stall, Timeout, 0),
        ("closed", String::new(), Then::Close, Network, 0),
        ("cut in the headers", "HTTP/1.1 200 O".to_owned(), Then::Close, Network, 0),
        ("no first byte", head.to_owned(), Then::Stall, Timeout, 0),
        ("cut at once", head.to_owned(), Then::Close, Cut, 0),
        ("cut after text", format!("{head}{piece}"), Then::Close, Cut, 6),
    ];
    for (name, answer, then, class, output) in cases {
        let playback = Playback::of(answer, then).await;
        let error = fails_by(OPENAI, &playback, (then, FIRST_SHORT)).await;
        assert_eq!(error.fault.class, class, "{name}: {}", error.fault.message);
        let usage = estimated(error.spent);
        assert_eq!(usage.output, output, "{name}");
        assert!(usage.input > 0, "{name}: {usage:?}");
    }
}

#[tokio::test]
async fn an_error_before_anything_else_costs_nothing_though_the_status_was_200() {
    let playback = Playback::stream(OVERLOADED, Then::Close).await;
    let error = fails(Protocol::Anthropic, &playback).await;
    assert_eq!(error.fault.class, FaultClass::Overloaded);
    assert_eq!(error.spent, Spent::Nothing);
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_understood() {
    let body = r#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,
        "message":{"role":"assistant","content":"whole"},"finish_reason":"stop"}],
        "usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}"#;
    let json = &[("content-type", "application/json")][..];
    let playback = Playback::answer(200, json, body).await;
    let reply = ask(OPENAI, &playback.base, LONG).await.unwrap();
    assert_eq!(text_of(&reply.content), "whole");
    assert_eq!(reply.usage.map(|usage| usage.total()), Some(7));

    let playback = Playback::answer(200, json, "{\"id\": ").await;
    let error = fails(OPENAI, &playback).await;
    assert_eq!(error.fault.class, FaultClass::Malformed);
    assert!(estimated(error.spent).input > 0);
}

#[tokio::test]
async fn the_deadline_is_kept_wherever_the_try_hangs() {
    for answer in ["", "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"] {
        let playback = Playback::of(answer, Then::Stall).await;
        let start = Instant::now();
        let remote = remote(Protocol::Anthropic, &playback.base, LONG);
        let error = remote.call(&call("m", 50, 1), &|_| {}).await.unwrap_err();
        assert_eq!(error.fault.class, FaultClass::Timeout);
        assert!(error.fault.message.contains("deadline"), "{}", error.fault.message);
        assert!(start.elapsed() < Duration::from_secs(30), "long before any other limit");
    }
}

#[tokio::test]
async fn dropping_the_call_closes_the_connection() {
    let playback = Playback::stream(START, Then::Stall).await;
    let remote = remote(Protocol::Anthropic, &playback.base, LONG);
    let call = call("m", 60_000, 1);
    tokio::select! {
        _ = remote.call(&call, &|_| {}) => panic!("there was nothing to answer"),
        () = playback.was_asked() => {}
    }
    playback.was_closed().await;
}

#[tokio::test]
async fn long_errors_are_read_up_to_their_limit() {
    let playback = Playback::answer(500, &[], &"x".repeat(1_000_000)).await;
    let error = fails(Protocol::Anthropic, &playback).await;
    assert_eq!(error.fault.class, FaultClass::Server);
    assert!(error.fault.message.len() < 1_000);
}
