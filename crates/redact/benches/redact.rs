//! Redaction in MB/s on JSON logs with few things to find, beside two peers that read the
//! same bytes: counting lines (`memchr`), and one regular expression over all of them.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a bench reads the clock")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use redact::Redactor;
use regex::Regex;

/// Log text per measurement, in bytes.
const LOG_BYTES: usize = 16 << 20;

/// How often each measurement is repeated; the best counts.
const ROUNDS: usize = 5;

fn main() {
    let redactor = Redactor::default();
    let quiet = logs(usize::MAX);
    let busy = logs(50);
    let escaped = serde_json::Value::String(quiet[..LOG_BYTES / 4].to_owned()).to_string();
    assert_eq!(redactor.found(&quiet).len(), 0, "there is nothing to find in quiet logs");
    let peer = Regex::new(PEER).expect("INVARIANT: the peer's pattern is constant");

    let lines = best(&quiet, |text| memchr::memchr_iter(b'\n', text.as_bytes()).count());
    let pattern = best(&quiet, |text| peer.find_iter(text).count());
    let none = best(&quiet, |text| redactor.found(text).len());
    let some = best(&busy, |text| redactor.text(text).len());
    let nested = best(&escaped, |text| redactor.text(text).len());
    println!("memchr, lines only         {lines:8.0} MB/s");
    println!("regex, six forms           {pattern:8.0} MB/s");
    println!("redact, nothing to find    {none:8.0} MB/s   {:.2} of the regex", none / pattern);
    println!("redact, one line in fifty  {some:8.0} MB/s   {:.2} of the regex", some / pattern);
    println!("redact, logs in a string   {nested:8.0} MB/s");
}

/// Six of the hundred forms, as somebody would write them by hand.
const PEER: &str = r"\bAKIA[A-Z0-9]{16}\b|\bghp_[A-Za-z0-9]{36}\b|\bsk-[A-Za-z0-9]{32,}|[\w.+-]+@[\w-]+\.[\w.]+|\b(?:\d[ -]?){13,16}\b|\beyJ[\w-]+\.[\w-]+\.[\w-]+";

/// Logs of a service: a line in `every` has something that must not leave.
fn logs(every: usize) -> String {
    let mut text = String::with_capacity(LOG_BYTES + 512);
    let mut line = 0_u64;
    while text.len() < LOG_BYTES {
        line += 1;
        let mixed = line.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let tail = if line.is_multiple_of(every as u64) { " for someone@example.com" } else { "" };
        text.push_str(&format!(
            "{{\"ts\":\"2026-11-29T13:{:02}:{:02}.{:03}Z\",\"level\":\"info\",\"target\":\"engine::driver\",\"session\":\"{mixed:016x}\",\"trace_id\":\"{mixed:016x}{:016x}\",\"turn\":{},\"took_ms\":{},\"path\":\"/v1/sessions/{line}/events\",\"msg\":\"model replied, {} tokens in, {} out{tail}\"}}\n",
            line / 60 % 60, line % 60, line % 1000, mixed.rotate_left(17), line % 40, mixed % 9000, mixed % 20000, mixed % 700
        ));
    }
    text
}

/// MB/s of the fastest round.
fn best<T>(text: &str, mut run: impl FnMut(&str) -> T) -> f64 {
    let mut fastest = Duration::MAX;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        black_box(run(black_box(text)));
        fastest = fastest.min(begun.elapsed());
    }
    text.len() as f64 / 1e6 / fastest.as_secs_f64()
}
