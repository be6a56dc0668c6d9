//! The corpus of URLs, and what must hold for any text at all.

mod score;

use guard::url::{Input, Policy, Target, check, judge};
use proptest::prelude::*;

#[test]
fn the_corpus_is_judged_as_it_says() {
    score::score(include_str!("corpus/url.jsonl"), |input: &Input| judge(input).judgement.reasons);
}

fn anywhere() -> Policy {
    Policy {
        allow_hosts: vec!["*".into()],
        allow_schemes: vec!["http".into(), "https".into()],
        ..Policy::default()
    }
}

fn target(text: &str) -> Target {
    check(text, &anywhere()).expect(text)
}

#[test]
fn credentials_stay_with_scheme_host_and_port() {
    let first = target("https://example.com/a");
    assert!(target("https://EXAMPLE.com:443/b?c").keeps_credentials_of(&first));
    for other in ["https://www.example.com/a", "http://example.com/a"] {
        assert!(!target(other).keeps_credentials_of(&first), "{other}");
    }
    let policy = Policy { allow_ports: vec![443, 8443], ..anywhere() };
    let other = check("https://example.com:8443/a", &policy).unwrap();
    assert!(!other.keeps_credentials_of(&first));
}

#[test]
fn a_policy_that_says_nothing_allows_nothing_and_no_private_address() {
    let policy: Policy =
        serde_json::from_str(r#"{"allow_ports":null,"deny_private":null}"#).unwrap();
    assert_eq!(policy, Policy::default());
    assert!(policy.deny_private);
    assert!(check("https://example.com/", &policy).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in "(https?://)?.{0,60}", location in ".{0,30}") {
        if let Ok(target) = check(&text, &anywhere()) {
            let _ = target.redirected(&location, &anywhere());
        }
    }

    /// What is allowed reads the same when it is written out and read again.
    #[test]
    fn what_is_allowed_has_one_reading(text in "https://[a-zA-Z0-9.:@%/?#\\[\\]\\\\-]{1,24}") {
        if let Ok(first) = check(&text, &anywhere()) {
            let again = check(first.url().as_str(), &anywhere()).unwrap();
            prop_assert_eq!(first.host(), again.host());
            prop_assert_eq!(first.port(), again.port());
            let plain = text["https://".len()..].split(['/', '?', '#', ':']).next().unwrap();
            let plain = plain.to_ascii_lowercase();
            prop_assert!(text.contains('[') || plain == first.host().to_string());
        }
    }

    /// However an IPv4 address is written, a private one is not reached.
    #[test]
    fn no_spelling_of_a_private_address_passes(
        low in 0_u32..0x0100_0000,
        first in prop::sample::select(vec![0_u32, 10, 127]),
        form in 0_usize..8,
    ) {
        let ip = first << 24 | low;
        let [a, b, c, d] = ip.to_be_bytes();
        let host = match form {
            0 => format!("{a}.{b}.{c}.{d}"),
            1 => format!("{ip}"),
            2 => format!("0x{ip:x}"),
            3 => format!("0{ip:o}"),
            4 => format!("{a}.{b}.{}", ip & 0xffff),
            5 => format!("{a}.{}", ip & 0x00ff_ffff),
            6 => format!("[::ffff:{a}.{b}.{c}.{d}]"),
            _ => format!("[64:ff9b::{:x}:{:x}]", ip >> 16, ip & 0xffff),
        };
        let text = format!("http://{host}/");
        prop_assert!(check(&text, &anywhere()).is_err(), "{}", text);
    }
}
