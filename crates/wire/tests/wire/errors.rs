//! Errors: tables of HTTP answers and the faults they are, and of errors we write.

use kernel::event::FaultClass;
use serde_json::{Value, json};
use wire::{ErrorKind, ErrorOut, anthropic, openai};

use crate::golden;

fn check(vendor: &str) {
    let cases = std::fs::read(golden::path(&format!("errors/{vendor}.json"))).unwrap();
    let cases: Vec<Value> = serde_json::from_slice(&cases).unwrap();
    let told: Vec<Value> = cases
        .iter()
        .map(|case| {
            let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
            let header = |name: &str| case["headers"][name].as_str().map(str::to_owned);
            let body = crate::body_of(case);
            let fault = match vendor {
                "anthropic" => anthropic::read_error(status, &header, body.as_bytes()),
                _ => openai::read_error(status, &header, body.as_bytes()),
            };
            json!({"case": case["case"], "next": format!("{:?}", fault.class.next_step()), "fault": fault})
        })
        .collect();
    golden::check(&format!("errors/{vendor}.out.json"), &told);
}

#[test]
fn anthropic_errors_are_classed() {
    check("anthropic");
}

#[test]
fn openai_errors_are_classed() {
    check("openai");
}

#[test]
fn an_error_that_we_write_is_read_as_what_it_was() {
    let kinds = [
        (ErrorKind::InvalidRequest, FaultClass::InvalidRequest),
        (ErrorKind::Authentication, FaultClass::Auth),
        (ErrorKind::Billing, FaultClass::Billing),
        (ErrorKind::Permission, FaultClass::Auth),
        (ErrorKind::NotFound, FaultClass::UnknownModel),
        (ErrorKind::TooLarge, FaultClass::TooLarge),
        (ErrorKind::RateLimited, FaultClass::RateLimited),
        (ErrorKind::SpendLimit, FaultClass::Billing),
        (ErrorKind::Server, FaultClass::Server),
        (ErrorKind::Timeout, FaultClass::Timeout),
        (ErrorKind::Overloaded, FaultClass::Overloaded),
    ];
    for (kind, class) in kinds {
        let message = "no `gpt`\nuse another".to_owned();
        let out = ErrorOut { kind, message: message.clone(), request_id: Some("req_1".to_owned()) };
        let none = |_: &str| None;
        let (status, body) = anthropic::write_error(&out);
        let read = anthropic::read_error(status, &none, body.as_bytes());
        assert_eq!((read.class, &read.message), (class, &message), "{kind:?}");
        assert_eq!(read.request_id.as_deref(), Some("req_1"));
        let (status, body) = openai::write_error(&out);
        let read = openai::read_error(status, &none, body.as_bytes());
        assert_eq!((read.class, &read.message), (class, &message), "{kind:?}");

        // The class and the header that a server sets agree on trying again.
        let retries = class.next_step() == kernel::event::NextStep::Retry;
        assert_eq!(kind.should_retry(), retries, "L17: {kind:?}");
    }
}

#[test]
fn a_long_message_is_cut_between_characters() {
    let body = json!({"error": {"type": "api_error", "message": "ü".repeat(5000)}}).to_string();
    let fault = anthropic::read_error(500, &|_| None, body.as_bytes());
    assert!(fault.message.len() <= wire::ERROR_MESSAGE_BYTES_MAX + "…".len());
    assert!(fault.message.ends_with("ü…"));
}
