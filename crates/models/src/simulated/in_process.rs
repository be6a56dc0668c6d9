//! A brain called as a function: no server, no protocol, no network, no language model.
//!
//! It still behaves like a model to its caller: it speaks word by word, takes its time
//! where told to, keeps the deadline, and states what it used. Without a given price it
//! is free.

use std::time::Duration;

use async_trait::async_trait;
use engine::ports::{Model, ModelCall, ModelError};
use kernel::event::FaultClass;
use kernel::message::{Block, Delta, Reply, Usage};
use kernel::price::{Quote, Rates, Rule, Spent};
use kernel::units::UnixMs;
use tokio::time::timeout;

use super::estimate::{answered, input_tokens, tokens_of};
use super::{Brain, Latency};

/// A brain behind the port of models. Not a language model.
pub struct InProcess<B> {
    brain: B,
    latency: Latency,
    quote: Quote,
}

impl<B: Brain> InProcess<B> {
    /// A brain that answers at once and costs nothing.
    pub fn new(brain: B) -> Self {
        let rule = Rule::flat(Rates::default());
        let quote = Quote::of("simulated", rule);
        InProcess { brain, latency: Latency::default(), quote }
    }

    /// The same, slower.
    #[must_use]
    pub fn with_latency(self, latency: Latency) -> Self {
        InProcess { latency, ..self }
    }

    /// The same, at a price: to rehearse spending.
    #[must_use]
    pub fn with_quote(self, quote: Quote) -> Self {
        InProcess { quote, ..self }
    }

    async fn speak(&self, reply: &Reply, watch: &(dyn Fn(Delta) + Send + Sync)) {
        pause(self.latency.first()).await;
        for block in &reply.content {
            match block {
                Block::Text { text, .. } => {
                    for word in text.split_inclusive(char::is_whitespace) {
                        pause(self.latency.speaking(tokens_of(word.len()))).await;
                        watch(Delta::Text(word.to_owned()));
                    }
                }
                Block::ToolUse(call) => {
                    watch(Delta::ToolUse(call.name.clone()));
                    let bytes = call.name.len() + call.arguments.text().len();
                    pause(self.latency.speaking(tokens_of(bytes))).await;
                }
                Block::Thinking { .. } | Block::ToolResult(_) | Block::Opaque { .. } => {}
            }
        }
    }
}

/// Waits, and does not even yield where there is nothing to wait for.
async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

#[async_trait]
impl<B: Brain> Model for InProcess<B> {
    async fn call(
        &self,
        call: &ModelCall,
        watch: &(dyn Fn(Delta) + Send + Sync),
    ) -> Result<Reply, ModelError> {
        let reply = answered(&call.request, self.brain.reply(&call.request));
        let deadline = Duration::from_millis(call.deadline_ms);
        match timeout(deadline, self.speak(&reply, watch)).await {
            Ok(()) => Ok(reply),
            Err(_late) => Err(late(call, reply.usage)),
        }
    }

    fn quote(&self, _model: &str, _now: UnixMs) -> Option<Quote> {
        Some(self.quote.clone())
    }
}

/// The whole answer is charged: a model goes on speaking when nobody listens any more.
fn late(call: &ModelCall, usage: Option<Usage>) -> ModelError {
    let input = input_tokens(&call.request);
    let usage = usage.unwrap_or(Usage { input, ..Usage::default() });
    let words = format!("the simulated model gave no answer in {} ms", call.deadline_ms);
    ModelError { spent: Spent::Estimated(usage), ..ModelError::free(FaultClass::Timeout, words) }
}

#[cfg(test)]
mod tests {
    use kernel::json::Extra;
    use kernel::message::{Request, Stop, text_of};
    use kernel::units::Money;
    use tokio::time::Instant;

    use super::*;
    use crate::testing::{TODAY, Watched, call};

    struct Parrot;

    impl Brain for Parrot {
        fn name(&self) -> &'static str {
            "parrot"
        }

        fn reply(&self, request: &Request) -> Reply {
            let heard = request.messages.last().map(|message| message.text());
            Reply {
                content: vec![Block::text(format!("you said {}", heard.unwrap_or_default()))],
                stop: Stop::EndTurn,
                usage: None,
                model: None,
                fallback: None,
                id: None,
                extra: Extra::new(),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_speaks_word_by_word_and_states_its_usage() {
        let watched = Watched::new();
        let start = Instant::now();
        let model = InProcess::new(Parrot);
        let reply = model.call(&call("parrot", 1_000, 1), &|d| watched.see(d)).await.unwrap();
        assert_eq!(text_of(&reply.content), "you said hello");
        assert_eq!(watched.text(), "you said hello");
        assert_eq!(watched.pieces(), 3);
        assert_eq!(reply.usage, Some(Usage { input: 2, output: 4, ..Usage::default() }));
        assert_eq!(start.elapsed(), Duration::ZERO);
        let quote = model.quote("parrot", TODAY).unwrap();
        assert_eq!(quote.rule.cost(&reply.usage.unwrap()), Money::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn latency_is_a_first_wait_and_a_wait_for_each_token() {
        let latency = Latency { first_ms: 100, per_token_ms: 10 };
        let model = InProcess::new(Parrot).with_latency(latency);
        let start = Instant::now();
        model.call(&call("parrot", 1_000, 1), &|_| {}).await.unwrap();
        // "you ", "said " and "hello": one token, two and two.
        assert_eq!(start.elapsed(), Duration::from_millis(150));
    }

    #[tokio::test(start_paused = true)]
    async fn it_keeps_the_deadline_and_a_late_answer_is_charged() {
        let latency = Latency { first_ms: 5_000, per_token_ms: 0 };
        let model = InProcess::new(Parrot).with_latency(latency);
        let start = Instant::now();
        let error = model.call(&call("parrot", 1_000, 1), &|_| {}).await.unwrap_err();
        assert_eq!(start.elapsed(), Duration::from_millis(1_000));
        assert_eq!(error.fault.class, FaultClass::Timeout);
        let usage = Usage { input: 2, output: 4, ..Usage::default() };
        assert_eq!(error.spent, Spent::Estimated(usage));
    }

    #[tokio::test]
    async fn a_given_price_is_quoted() {
        let rule = Rule::flat(Rates { input: 7, output: 9, ..Rates::default() });
        let quote = Quote::of("rehearsal", rule);
        let model = InProcess::new(Parrot).with_quote(quote.clone());
        assert_eq!(model.quote("any", TODAY), Some(quote));
    }
}
