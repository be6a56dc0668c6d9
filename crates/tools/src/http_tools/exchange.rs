//! One exchange with a server, and what its end means for the call.

use std::time::Duration;

use engine::ports::{Reconciled, ToolCall, ToolError, ToolOutput};
use kernel::agent::Effect;
use reqwest::StatusCode;
use reqwest::header::HeaderValue;
use secrets::{SecretError, Versioned};
use serde_json::Value;

use super::{HttpOutside, HttpTool, SecretHeader, Template, request};
use crate::files::Stop;
use crate::outward::{self, Limits, Lost, Opened, Outgoing, denial};
use crate::page::{self, Type};
use crate::words::cut;

/// The largest reply, in bytes.
const REPLY_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// Time to connect, in milliseconds.
const CONNECT_MS: u64 = 5_000;

/// What is repeated of a refusal's body, in characters.
const REASON_CHARS_MAX: usize = 2_000;

/// Why a call has no reply.
enum Failed {
    /// It cannot be sent as it is: words for the model.
    Unfit(String),
    /// Nothing was sent; it may work later.
    NotSent(String),
    /// Something was sent, and nobody knows what became of it.
    Unanswered(String),
}

/// A reply, with the secret that was sent for it.
struct Answered {
    status: StatusCode,
    /// The body as text, without the secret; words where there is none to be had.
    body: Result<String, String>,
}

/// Sends the call, and says what its end means.
pub(super) async fn run(
    tool: &HttpTool,
    outside: &HttpOutside,
    call: &ToolCall,
    input: &Value,
) -> Result<ToolOutput, ToolError> {
    let class = call.spec.effect_of(&call.arguments);
    if class == Effect::Idempotent && !tool.takes_key() {
        return Err(ToolError::Unavailable(format!(
            "`{}` was idempotent when the session began, and has no place for its key any more\n\
             go on without it",
            tool.name
        )));
    }
    let outgoing = || request::outgoing(tool, input, &call.key);
    match ask(tool, outside, call, input, &tool.url, &outgoing).await {
        Ok(answered) => ended(tool, class, answered),
        Err(Failed::Unfit(words)) => Ok(ToolOutput::error(words)),
        Err(Failed::NotSent(words)) => {
            Err(ToolError::Unavailable(format!("{words}\nnothing was sent; it may work later")))
        }
        Err(Failed::Unanswered(words)) => match class {
            Effect::Read => Err(ToolError::Unavailable(format!("{words}\nit may work later"))),
            Effect::Idempotent | Effect::Effect => lost(tool, outside, call, input, words).await,
        },
    }
}

/// An effect without an answer: where its server can be asked, it may be known to be done.
/// That it is not there yet says nothing: the request may still be under way.
async fn lost(
    tool: &HttpTool,
    outside: &HttpOutside,
    call: &ToolCall,
    input: &Value,
    words: String,
) -> Result<ToolOutput, ToolError> {
    match reconcile(tool, outside, call, input).await {
        Reconciled::Done(output) => Ok(output),
        Reconciled::NotDone | Reconciled::Unknown(_) => Err(ToolError::OutcomeUnknown(words)),
    }
}

/// What the server says became of a call.
pub(super) async fn reconcile(
    tool: &HttpTool,
    outside: &HttpOutside,
    call: &ToolCall,
    input: &Value,
) -> Reconciled {
    if call.spec.effect_of(&call.arguments) == Effect::Read {
        return Reconciled::NotDone;
    }
    let Some(template) = &tool.reconcile_url else {
        return Reconciled::Unknown(format!("`{}` has no `reconcile_url` to ask", tool.name));
    };
    let question = || Ok(request::question(tool));
    match ask(tool, outside, call, input, template, &question).await {
        Ok(Answered { status: StatusCode::OK, body: Ok(body) }) => {
            Reconciled::Done(ToolOutput::ok(body))
        }
        Ok(Answered { status: StatusCode::NOT_FOUND, .. }) => Reconciled::NotDone,
        Ok(Answered { status, body: Ok(_) }) => {
            Reconciled::Unknown(format!("asked what became of it, the server says {status}"))
        }
        Ok(Answered { body: Err(words), .. })
        | Err(Failed::Unfit(words) | Failed::NotSent(words) | Failed::Unanswered(words)) => {
            Reconciled::Unknown(words)
        }
    }
}

/// One exchange, and one more with a fresh secret where the first was refused with 401:
/// then nothing was done.
async fn ask(
    tool: &HttpTool,
    outside: &HttpOutside,
    call: &ToolCall,
    input: &Value,
    template: &Template,
    outgoing: &(dyn Fn() -> Result<Outgoing, String> + Sync),
) -> Result<Answered, Failed> {
    let secret = secret(tool, outside, call, None).await?;
    let first = send(tool, outside, call, input, template, outgoing, secret.as_ref());
    let first = within(tool, first).await?;
    let refused = first.0 == StatusCode::UNAUTHORIZED;
    let Some(used) = secret.filter(|_| refused) else {
        return Ok(first.1);
    };
    let fresh = self::secret(tool, outside, call, Some(&used)).await?;
    match fresh.filter(|fresh| fresh.version != used.version) {
        None => Ok(first.1),
        Some(fresh) => {
            let again = send(tool, outside, call, input, template, outgoing, Some(&fresh));
            Ok(within(tool, again).await?.1)
        }
    }
}

async fn within<T>(
    tool: &HttpTool,
    work: impl Future<Output = Result<T, Failed>>,
) -> Result<T, Failed> {
    let limit = Duration::from_millis(tool.timeout_ms);
    let late = || Failed::Unanswered(format!("no answer within {} ms", tool.timeout_ms));
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_late| Err(late()))
}

/// The tool's secret for the tenant of the call; another one than `rejected`, if there is.
async fn secret(
    tool: &HttpTool,
    outside: &HttpOutside,
    call: &ToolCall,
    rejected: Option<&Versioned>,
) -> Result<Option<Versioned>, Failed> {
    let Some(SecretHeader { handle, .. }) = &tool.secret else {
        return Ok(None);
    };
    let (secrets, now) = (&outside.secrets, (outside.now)());
    let found = match rejected {
        None => secrets.resolve(&call.tenant, handle, now).await,
        Some(old) => secrets.refresh(&call.tenant, handle, &old.version, now).await,
    };
    found.map(Some).map_err(|error| {
        // Why is for operators; a model can do nothing with it.
        tracing::error!(tool = tool.name, tenant = call.tenant.0, "no secret for a tool: {error}");
        let what = match error {
            SecretError::Missing { .. } => "is not set",
            SecretError::Denied { .. } => "is refused",
            SecretError::Unavailable { .. } => "cannot be reached now",
            SecretError::Damaged { .. } | SecretError::Unusable { .. } => "cannot be used",
        };
        Failed::NotSent(format!("the secret of the tool `{}` {what}", tool.name))
    })
}

async fn send(
    tool: &HttpTool,
    outside: &HttpOutside,
    call: &ToolCall,
    input: &Value,
    template: &Template,
    outgoing: &(dyn Fn() -> Result<Outgoing, String> + Sync),
    secret: Option<&Versioned>,
) -> Result<(StatusCode, Answered), Failed> {
    let target = tool.target(template, input, &call.key);
    let (target, policy) = target.map_err(|refused| Failed::Unfit(denial(&refused)))?;
    let mut outgoing = outgoing().map_err(Failed::Unfit)?;
    if let (Some(place), Some(secret)) = (&tool.secret, secret) {
        outgoing.headers.insert(place.header.clone(), value(place, secret)?);
    }
    let limits = Limits { connect_ms: CONNECT_MS, total_ms: tool.timeout_ms };
    let opened = outward::open(&*outside.resolver, limits, &target, &policy, outgoing).await;
    let opened = opened.map_err(|lost| match lost {
        Lost::Refused(judgement) => Failed::Unfit(denial(&judgement)),
        Lost::NotSent(words) => Failed::NotSent(words),
        Lost::Unanswered(words) => Failed::Unanswered(words),
    })?;
    let status = opened.status();
    let body = body(opened, target.url()).await;
    let blank = |text: String| match secret {
        Some(secret) => secret.blank(&text).into_owned(),
        None => text,
    };
    Ok((status, Answered { status, body: body.map(blank) }))
}

fn value(place: &SecretHeader, secret: &Versioned) -> Result<HeaderValue, Failed> {
    let unfit = || Failed::NotSent("the secret is no value of a header".to_owned());
    let text = secret.value.expose_text().map_err(|_| unfit())?;
    let text = [place.prefix.as_str(), text].concat();
    let mut value = HeaderValue::try_from(text).map_err(|_| unfit())?;
    value.set_sensitive(true);
    Ok(value)
}

/// The body as text. What is no text is named.
async fn body(opened: Opened, base: &reqwest::Url) -> Result<String, String> {
    let kind = Type::of(opened.headers());
    let body = opened.read(REPLY_BYTES_MAX).await.map_err(|lost| match lost {
        Lost::Refused(judgement) => denial(&judgement),
        Lost::NotSent(words) | Lost::Unanswered(words) => words,
    })?;
    let text = kind.kind().and_then(|is| Some((kind.decode(&body, is)?, is)));
    Ok(match text {
        Some((text, is)) => page::shown(&text, is, base, &Stop::default()).text,
        None => format!("[{} bytes of `{}`, which is no text]", body.len(), kind.name),
    })
}

/// What a reply means for the call.
fn ended(tool: &HttpTool, class: Effect, answered: Answered) -> Result<ToolOutput, ToolError> {
    let Answered { status, body } = answered;
    let code = status.as_u16();
    if status.is_success() {
        return match body {
            Ok(body) if body.trim().is_empty() => {
                Ok(ToolOutput::ok(format!("done: status {code}, without a body")))
            }
            Ok(body) => Ok(ToolOutput::ok(body)),
            Err(words) if class == Effect::Read => Err(ToolError::Unavailable(words)),
            Err(words) => Ok(ToolOutput::ok(format!(
                "done: status {code}; what the server says of it cannot be shown: {words}"
            ))),
        };
    }
    let said = body.unwrap_or_default();
    let said = cut(said.trim(), REASON_CHARS_MAX);
    let colon = if said.is_empty() { "" } else { ":\n" };
    let words = format!("`{}` answers with status {code}{colon}{said}", tool.name);
    match (code, class) {
        (300..=399 | 408 | 500..=599, Effect::Idempotent | Effect::Effect) => {
            Err(ToolError::OutcomeUnknown(words))
        }
        (300..=399 | 401 | 403 | 408 | 429 | 500..=599, _) => Err(ToolError::Unavailable(words)),
        _ => Ok(ToolOutput::error(words)),
    }
}
