//! What holds for any text: pieces give what the whole gives, twice is once, JSON stays
//! JSON, nothing is cut within a character, and nothing panics.

use proptest::prelude::*;
use redact::{HOLD_BYTES_MAX, Input, Redactor};
use serde_json::{Value, json};

/// Lines of the corpus and text of no meaning, mixed.
fn texts() -> impl Strategy<Value = String> {
    let corpus = include_str!("corpus/redact.jsonl").lines();
    let known = corpus
        .map(|line| {
            let input: Input = serde_json::from_str(line).expect("a line of the corpus");
            match input.body {
                redact::Body::Text(text) => text,
                redact::Body::Chunks(chunks) => chunks.concat(),
            }
        })
        .collect::<Vec<_>>();
    let known = prop::sample::select(known);
    let noise = prop_oneof![
        "[a-zA-Z0-9 .,:;=\"'\\\\@/+\n-]{0,60}",
        "\\PC{0,20}",
        "(password|token|api_key|Bearer|card|tel|iban|born)[ =:\"]{1,3}[a-zA-Z0-9+/ -]{0,40}",
        "[0-9 ()./+-]{0,40}",
        "(%[0-9A-F]{2}|\\\\u00[0-9a-f]{2}|\\\\\\\\\"|[a-z@.]){0,30}",
    ];
    let part = prop_oneof![2 => known, 3 => noise];
    let joint = prop::sample::select(vec![" ", "\n", ", ", "", "\"", "。"]);
    prop::collection::vec((part, joint), 1..4).prop_map(|parts| {
        parts.into_iter().flat_map(|(part, joint)| [part, joint.to_owned()]).collect()
    })
}

fn streamed(redactor: &Redactor, text: &str, sizes: &[usize]) -> String {
    let mut stream = redactor.stream();
    let (mut out, mut at, mut turn) = (String::new(), 0, 0);
    while at < text.len() {
        let mut end = (at + sizes[turn % sizes.len()]).min(text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        out.push_str(&stream.push(&text[at..end]));
        assert!(stream.held_bytes() <= 2 * HOLD_BYTES_MAX + end - at);
        (at, turn) = (end, turn + 1);
    }
    out + &stream.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_give_what_the_whole_gives(text in texts(), sizes in prop::collection::vec(1_usize..40, 1..6)) {
        let redactor = Redactor::default();
        prop_assume!(text.len() <= HOLD_BYTES_MAX);
        prop_assert_eq!(streamed(&redactor, &text, &sizes), redactor.text(&text));
    }

    #[test]
    fn twice_is_once(text in texts()) {
        let redactor = Redactor::default();
        let once = redactor.text(&text).into_owned();
        prop_assert_eq!(redactor.text(&once), once.as_str());
    }

    #[test]
    fn json_stays_json(texts in prop::collection::vec(texts(), 1..4), number in any::<u64>(), depth in 0_usize..3) {
        let redactor = Redactor::default();
        let mut value = json!({"password": number, "card": [4_111_111_111_111_111_u64, number], "texts": texts});
        for _ in 0..depth {
            value = json!({"nested": value.to_string(), "token": texts[0]});
        }
        let text = value.to_string();
        let redacted = redactor.text(&text).into_owned();
        let read = serde_json::from_str::<Value>(&redacted);
        prop_assert!(read.is_ok(), "{}\nbecame\n{}", text, redacted);
        redactor.json(&mut value);
        prop_assert_eq!(value, read.unwrap());
    }

    #[test]
    fn spans_lie_between_characters_in_order(text in texts()) {
        let mut last = 0;
        for finding in Redactor::default().found(&text) {
            prop_assert!(finding.span.start >= last && finding.span.end > finding.span.start);
            prop_assert!(text.is_char_boundary(finding.span.start) && text.is_char_boundary(finding.span.end));
            last = finding.span.end;
        }
    }
}

#[test]
fn text_without_any_break_flows_in_blocks() {
    let redactor = Redactor::default();
    let mut stream = redactor.stream();
    let piece = "abc".repeat(100);
    let (mut out, mut sent) = (String::new(), String::new());
    for _ in 0..400 {
        out.push_str(&stream.push(&piece));
        sent.push_str(&piece);
        assert!(stream.held_bytes() <= 2 * HOLD_BYTES_MAX + piece.len());
    }
    assert!(out.len() + 2 * HOLD_BYTES_MAX >= sent.len());
    assert_eq!(out + &stream.finish(), sent);
}

#[test]
fn prose_is_not_held_longer_than_a_line() {
    let mut stream = Redactor::default().stream();
    let sentence =
        "Every few words of this sentence are released as they come, as people read along. ";
    let out = (0..20).map(|_| stream.push(sentence)).collect::<String>();
    assert!(out.len() + 120 > 20 * sentence.len(), "{} bytes are held", stream.held_bytes());
}

#[test]
fn a_secret_longer_than_the_bound_does_not_leave() {
    let redactor = Redactor::default();
    let body = "MIIEow0AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/abcdefghijklmnopqrs\n".repeat(600);
    let text = format!("key:\n-----BEGIN {} KEY-----\n{body}-----END {0} KEY-----\nbye", "PRIVATE");
    let out = streamed(&redactor, &text, &[50]);
    assert!(!out.contains("MIIE"), "{out}");
    assert!(out.starts_with("key:\n[redacted:private_key]") && out.ends_with("bye"), "{out}");
}

/// No input makes the time grow faster than the text.
#[test]
fn nesting_and_repetition_end() {
    let redactor = Redactor::default();
    for text in [
        "\\".repeat(100_000),
        "%25".repeat(50_000),
        "password=".repeat(20_000),
        "a@".repeat(50_000),
        "://".repeat(40_000),
        "1 ".repeat(60_000),
        "eyJ".repeat(40_000),
        "-----BEGIN PRIVATE KEY-----".repeat(4_000),
        "{\"a\":".repeat(20_000),
        "(".repeat(100_000),
        "[at]".repeat(25_000),
        "cookie:".repeat(15_000),
        "sk-".repeat(40_000),
        "token=".repeat(20_000),
        "a.".repeat(50_000) + "(at)",
        "12 34 ".repeat(20_000),
    ] {
        assert!(redactor.text(&text).len() <= text.len() * 4);
    }
}
