//! What committed facts come to in the audit.

use std::sync::Arc;

use bytes::Bytes;
use kernel::event::{Fact, Opening, Outcome, Parked, Returned, Sealed};
use kernel::message::Arguments;
use kernel::run::{Call, State};
use kernel::units::{ContentHash, Tenant, UnixMs};
use kernel::verdict::{Judgement, Trust, Verdict};
use serde_json::{Value, json};

use super::{CONTENT_BYTES_MAX, Entry, Record};

/// Hexadecimal digits of a trace's id.
const TRACE_DIGITS: usize = 32;

/// Blanks what must not be kept, by tenant and environment.
pub type Redact = dyn Fn(&Tenant, &str, &str) -> String + Send + Sync;

/// The entries that new facts of a session cause. `state` is the session's after them;
/// `calls` are the calls that facts name only by their ids. What a fork inherits was told
/// when its parent did it.
#[must_use]
pub fn entries(
    tenant: &Tenant,
    state: &State,
    events: &[Sealed],
    calls: &[(u64, Call)],
    redact: &Arc<Redact>,
) -> Vec<Record> {
    let Some(opening) = &state.opening else { return Vec::new() };
    let inherited = opening.forked_from.as_ref().map_or(0, |fork| fork.seq);
    let scribe = Scribe { tenant, state, opening, redact };
    let own = events.iter().filter(|sealed| sealed.event.seq > inherited);
    own.filter_map(|sealed| {
        let call = calls.iter().find(|(seq, _)| *seq == sealed.event.seq);
        scribe.record(sealed, call.map(|(_, call)| call))
    })
    .collect()
}

/// Who writes the entries of one commit.
struct Scribe<'a> {
    tenant: &'a Tenant,
    state: &'a State,
    opening: &'a Opening,
    redact: &'a Arc<Redact>,
}

impl Scribe<'_> {
    fn record(&self, sealed: &Sealed, call: Option<&Call>) -> Option<Record> {
        let (at, seq) = (sealed.event.at, sealed.event.seq);
        let plain = |action: &str, subject: &str| self.entry(at, seq, action, subject);
        Some(match &sealed.event.fact {
            Fact::SessionOpened(opening) => self.opened(at, seq, opening),
            Fact::RunStarted { .. } => bare(plain("run.start", &self.opening.agent_id)),
            Fact::ModelReplied { reply, cost, .. } => bare(Entry {
                request_id: reply.id.clone(),
                cost: Some(*cost),
                outcome: Some("ok".to_owned()),
                ..plain("model.call", self.model(reply.fallback.as_deref()))
            }),
            Fact::ModelFailed { fault, cost, fallback, .. } => Record {
                entry: Entry {
                    request_id: fault.request_id.clone(),
                    cost: Some(*cost),
                    outcome: Some("error".to_owned()),
                    ..plain("model.call", self.model(fallback.as_deref()))
                },
                content: self.content(json!({ "why": fault.message })),
            },
            Fact::ModelLost { cost } => bare(Entry {
                cost: Some(*cost),
                outcome: Some("lost".to_owned()),
                ..plain("model.call", self.model(None))
            }),
            Fact::ToolsJudged { rulings } => {
                let asked = rulings.iter().filter(|one| one.judgement.verdict == Verdict::Ask);
                let calls: Vec<&str> = asked.map(|one| one.call.as_str()).collect();
                (!calls.is_empty()).then(|| bare(plain("approval.ask", &calls.join(" "))))?
            }
            Fact::ApprovalDecided { answer, by, words, .. } => {
                let call = call?;
                Record {
                    entry: Entry {
                        user: by.clone(),
                        agent_id: None,
                        outcome: Some(answer.name().to_owned()),
                        ..about(plain("approval.decide", &call.name), call)
                    },
                    content: self.content(json!({ "words": words })),
                }
            }
            Fact::ToolReturned(returned) => self.returned(plain, returned, call?),
            Fact::RunWoken { by, cap: Some(cap), .. } => Record {
                entry: Entry { user: by.clone(), agent_id: None, ..plain("cap.raise", "task") },
                content: self.content(json!({ "cap": cap.to_string() })),
            },
            Fact::CancelAsked { by } => bare(Entry {
                user: by.clone(),
                agent_id: None,
                ..plain("run.cancel", &self.opening.agent_id)
            }),
            Fact::RunParked { why, .. } => bare(Entry {
                outcome: Some(why.code().to_owned()),
                ..plain("run.park", trip(why)?)
            }),
            Fact::RunFinished { .. } => bare(self.ended(at, seq, "finished")),
            Fact::RunFailed { code, .. } => bare(self.ended(at, seq, code.code())),
            Fact::RunCancelled {} => bare(self.ended(at, seq, "cancelled")),
            Fact::Notified(_)
            | Fact::Budgeted { .. }
            | Fact::ModelBegun { .. }
            | Fact::ResultsCleared(_)
            | Fact::Summarised { .. }
            | Fact::TurnsDropped { .. }
            | Fact::ToolBegun { .. }
            | Fact::ChildBegun { .. }
            | Fact::RunWoken { cap: None, .. } => return None,
        })
    }

    /// A session, with what it did not get; one that may use everything says so.
    fn opened(&self, at: UnixMs, seq: u64, opening: &Opening) -> Record {
        let scope = opening.scope.clone().unwrap_or_default();
        let tools: Vec<&str> =
            self.state.agent.tools.iter().map(|tool| tool.name.as_str()).collect();
        let elevated = (scope.trust == Trust::Elevated).then(|| "elevated".to_owned());
        Record {
            entry: Entry {
                outcome: elevated,
                ..self.entry(at, seq, "session.open", &opening.agent_id)
            },
            content: self.content(json!({
                "agent": opening.agent.to_string(),
                "trust": scope.trust,
                "task_type": scope.task_type,
                "tools": tools,
                "dropped": scope.dropped,
                "workdir": opening.workdir,
                "parent": opening.parent.as_ref().map(|parent| parent.session),
            })),
        }
    }

    fn returned(
        &self,
        plain: impl Fn(&str, &str) -> Entry,
        returned: &Returned,
        call: &Call,
    ) -> Record {
        let whole = returned.rest.as_ref().map(|rest| rest.bytes);
        let judgement = call.judgement.as_ref();
        let mut content = json!({ "arguments": arguments(&call.arguments) });
        if let Some(Judgement { reasons, .. }) = judgement.filter(|one| !one.reasons.is_empty()) {
            content["reasons"] = json!(reasons);
        }
        if let Some(signs) = &returned.signs {
            content["injection"] = json!(signs);
        }
        Record {
            entry: Entry {
                outcome: Some(outcome(returned.outcome).to_owned()),
                result_bytes: Some(whole.unwrap_or(returned.content.len() as u64)),
                took_ms: Some(returned.took_ms),
                cost: returned.child.map(|end| end.spent),
                ..about(plain("tool.call", &call.name), call)
            },
            content: self.content(content),
        }
    }

    fn ended(&self, at: UnixMs, seq: u64, how: &str) -> Entry {
        Entry {
            outcome: Some(how.to_owned()),
            ..self.entry(at, seq, "run.end", &self.opening.agent_id)
        }
    }

    fn entry(&self, at: UnixMs, seq: u64, action: &str, subject: &str) -> Entry {
        let scope = self.opening.scope.clone().unwrap_or_default();
        let run = self.state.run.as_ref().map(|run| run.number);
        let trace = format!("trace/{}/{}", self.state.session, run.unwrap_or(0));
        let mut trace_id = ContentHash::of(trace.as_bytes()).to_string();
        trace_id.truncate(TRACE_DIGITS);
        Entry {
            role: scope.role,
            agent_id: Some(self.opening.agent_id.clone()),
            session: Some(self.state.session),
            run,
            event: Some(seq),
            trace_id: Some(trace_id),
            ..Entry::of(at, action, subject, &self.opening.user, &scope.environment)
        }
    }

    fn model<'b>(&'b self, fallback: Option<&'b str>) -> &'b str {
        fallback.unwrap_or(&self.state.agent.model)
    }

    /// Content as it is kept: redacted, and cut where it is long.
    fn content(&self, content: Value) -> Option<Bytes> {
        let scope = self.opening.scope.as_ref();
        let environment = scope.map_or("", |scope| scope.environment.as_str());
        let mut text = (self.redact)(self.tenant, environment, &content.to_string());
        if text.len() > CONTENT_BYTES_MAX {
            let bytes = text.len();
            let mut end = CONTENT_BYTES_MAX / 2;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            text = json!({ "cut": text, "bytes": bytes }).to_string();
        }
        Some(Bytes::from(text))
    }
}

fn bare(entry: Entry) -> Record {
    Record { entry, content: None }
}

/// An entry about a call, with the verdict on it.
fn about(entry: Entry, call: &Call) -> Entry {
    let judgement = call.judgement.as_ref();
    Entry {
        call: Some(call.id.clone()),
        verdict: judgement.map(|judgement| judgement.verdict),
        by: judgement.map(|judgement| judgement.by.clone()).unwrap_or_default(),
        ..entry
    }
}

fn arguments(arguments: &Arguments) -> Value {
    match arguments {
        Arguments::Json(raw) => raw.value(),
        Arguments::Malformed(text) => Value::String(text.clone()),
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::Error => "error",
        Outcome::OutcomeUnknown => "outcome_unknown",
        Outcome::Cancelled => "cancelled",
    }
}

/// What stopped a run; nothing where it only sleeps.
fn trip(why: &Parked) -> Option<&'static str> {
    match why {
        Parked::TurnCap { .. }
        | Parked::CostCapExceeded(_)
        | Parked::NeedsMending(_)
        | Parked::NoDoneSignal
        | Parked::Faulted { .. }
        | Parked::CrashLoop { .. }
        | Parked::LoopDetected { .. } => Some("trip"),
        Parked::AwaitsApproval { .. } => Some("approval"),
        Parked::Outage(_)
        | Parked::Interrupted
        | Parked::Forked
        | Parked::HandedOver
        | Parked::WaitsForChild { .. } => None,
    }
}
