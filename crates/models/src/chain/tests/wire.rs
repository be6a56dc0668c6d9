//! Chains of real clients: HTTP against simulated providers that fail in every way.

use kernel::message::text_of;
use kernel::price::Prompt;
use kernel::units::Money;

use super::*;
use crate::anthropic;
use crate::catalog::Catalog;
use crate::remote::{Endpoint, Key, Limits};
use crate::simulated::Brain;
use crate::simulated::server::meter::Meter;
use crate::simulated::server::{Server, Settings as Behaviour};
use crate::testing::request;

/// A model that costs, and one that nobody has a price for and that is held for nothing.
const PAID: &str = "claude-opus-5";
const FREE: &str = "local";
const FALLBACK: &str = "claude-sonnet-5";

struct Says;

impl Brain for Says {
    fn name(&self) -> &'static str {
        "says"
    }

    fn reply(&self, request: &Request) -> Reply {
        Reply {
            content: vec![Block::text(format!("{} says {}", request.model, "so ".repeat(50)))],
            stop: Stop::EndTurn,
            usage: None,
            model: None,
            fallback: None,
            id: None,
            extra: kernel::json::Extra::new(),
        }
    }
}

async fn provider(faults: &str) -> (String, Arc<Meter>) {
    let behaviour = Behaviour {
        faults: faults.parse().unwrap(),
        retry_after_s: 60,
        drip_ms: 60_000,
        ..Behaviour::default()
    };
    let any = "127.0.0.1:0".parse().unwrap();
    let world = Arc::new(Still { chance: 0 });
    let server = Server::bind(any, Arc::new(Says), behaviour, world).await.unwrap();
    let (base, meter) = (format!("http://{}", server.address()), server.meter());
    tokio::spawn(server.serve(std::future::pending()));
    (base, meter)
}

/// An address at which nobody listens.
fn nobody() -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    format!("http://{free}")
}

fn at(model: &str, base: &str) -> Candidate {
    let limits = Limits { between_bytes_ms: 200, ..Limits::default() };
    let key = Some(Key::new("key").unwrap());
    let endpoint = Endpoint::new(base, key).unwrap().with_limits(limits);
    let client = Arc::new(anthropic::client(endpoint, Catalog::builtin()));
    Candidate { provider: base.to_owned(), ..candidate(model, client) }
}

async fn ask(model: &str, own: &str, fallback: &str) -> Result<Reply, ModelError> {
    let circuits = Circuits::new(engine::tap::Tap::default());
    let world = Arc::new(Still { chance: 0 });
    let chain = Chain::new(at(model, own), vec![at(FALLBACK, fallback)], circuits, world);
    let quote = chain.quote(model, crate::testing::TODAY).map(Arc::new);
    let asking = Arc::new(request(model, "hello"));
    let hold = quote.as_ref().map_or(Money::ZERO, |quote| quote.worst(&Prompt::of(10_000), 1_000));
    let call = ModelCall { request: asking, quote, hold, ..call(model, 60_000, 4) };
    chain.call(&call, &|_| {}).await
}

#[tokio::test]
async fn every_outage_of_a_provider_is_survived_or_told() {
    use FaultClass::*;
    // What fails, with a model that costs: answered by whom, or the class; tries there.
    let cases: [(&str, Result<bool, FaultClass>, u64); 8] = [
        ("ok", Ok(false), 1),
        ("429:1", Ok(true), 1),
        ("529:1", Ok(true), 4),
        ("500:1", Ok(true), 4),
        ("529,500,ok", Ok(false), 3),
        ("cut", Err(Cut), 1),
        ("malformed", Err(Malformed), 1),
        ("drip", Err(Timeout), 1),
    ];
    let (well, _) = provider("").await;
    for (faults, expected, tries) in cases {
        let (base, meter) = provider(faults).await;
        let answer = ask(PAID, &base, &well).await;
        let told = answer.as_ref().map(|reply| reply.fallback.is_some());
        assert_eq!(told.map_err(|error| error.fault.class), expected, "{faults}");
        assert_eq!(meter.total().requests, tries, "{faults}");
        match &answer {
            Ok(reply) if reply.fallback.is_some() => {
                assert!(text_of(&reply.content).starts_with("claude-sonnet-5 says"));
            }
            Ok(reply) => assert!(text_of(&reply.content).starts_with("claude-opus-5 says")),
            // L11: what broke off is charged.
            Err(error) => {
                assert!(matches!(error.spent, Spent::Estimated(_)), "{faults}: {error:?}")
            }
        }
    }
    // Where nobody listens, nothing is charged, and the fallback is asked.
    let reply = ask(PAID, &nobody(), &well).await.unwrap();
    assert_eq!(reply.fallback.as_deref(), Some(FALLBACK));
}

#[tokio::test]
async fn l14_a_free_model_that_breaks_off_is_followed_by_a_paid_one() {
    let (well, _) = provider("").await;
    for faults in ["cut:1", "malformed:1", "refused:1"] {
        let (base, meter) = provider(faults).await;
        let reply = ask(FREE, &base, &well).await.unwrap();
        assert_eq!(reply.fallback.as_deref(), Some(FALLBACK), "{faults}");
        assert_eq!(meter.total().requests, 4, "{faults}");
    }
}

#[tokio::test]
async fn where_both_are_out_each_ones_words_are_told() {
    let (own, _) = provider("529:1").await;
    let (fallback, _) = provider("500:1").await;
    let error = ask(PAID, &own, &fallback).await.unwrap_err();
    let words = &error.fault.message;
    assert!(
        words.contains("`claude-opus-5`: ") && words.contains("\n`claude-sonnet-5`: "),
        "{words}"
    );
    assert_eq!((error.fault.class, error.spent), (FaultClass::Overloaded, Spent::Nothing));
    let error = ask(PAID, &nobody(), &nobody()).await.unwrap_err();
    assert_eq!((error.fault.class, error.spent), (FaultClass::Network, Spent::Nothing));
}
