//! Requests that may be sent again: with an `Idempotency-Key` a request is done once, and
//! its first answer is given again for a day.
//!
//! What is kept is the session that it led to, and not what was answered: that is looked up
//! again, so that no words of people are kept beside the log. A request that was refused
//! changed nothing and is not kept; sent again, it is tried again.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use engine::ports::{Answer, Asked, Asking};
use kernel::units::{ContentHash, SessionId};
use tokio_util::task::AbortOnDropHandle;

use crate::Service;
use crate::caller::Caller;
use crate::problem::Problem;

/// The header, as in the draft of the IETF's working group on HTTP APIs.
pub(crate) const HEADER: &str = "idempotency-key";

/// The longest key, in bytes.
const KEY_BYTES_MAX: usize = 255;

/// How long somebody may take over a request before another may, in milliseconds.
const WORK_MS_MAX: u64 = 60_000;

/// How long answers are kept, in milliseconds: one day.
const KEPT_MS: u64 = 86_400_000;

/// How often old answers are forgotten, and how many at a time.
const FORGET_EVERY: Duration = Duration::from_secs(600);
const FORGET_ROWS_MAX: u32 = 1_000;

/// What a request is going to do, for whoever comes after a crash.
#[derive(Clone, Debug)]
pub(crate) struct Memo {
    /// As it was left.
    pub(crate) text: String,
    /// Whether somebody began before, and left no answer.
    pub(crate) begun: bool,
}

/// What became of a request.
pub(crate) struct Did {
    /// The session that it led to.
    pub(crate) session: SessionId,
    /// Whether it was done by an earlier request under the same key.
    pub(crate) before: bool,
}

/// Does a request, once if it has a key. `request` is what it is: its path and body;
/// `memo` what it is going to do.
pub(crate) async fn once(
    service: &Service,
    caller: &Caller,
    headers: &HeaderMap,
    request: &str,
    memo: String,
    work: impl AsyncFnOnce(Memo) -> Result<SessionId, Problem>,
) -> Result<Did, Problem> {
    let Some(key) = key(headers)? else {
        let session = work(Memo { text: memo, begun: false }).await?;
        return Ok(Did { session, before: false });
    };
    let (answers, now) = (service.engine.store.answers(), service.engine.world.now());
    let tenant = caller.tenant();
    let key = format!("{}/{key}", caller.who.user);
    let asking = Asking {
        tenant: tenant.clone(),
        key: key.clone(),
        request: ContentHash::of(request.as_bytes()),
        memo,
        now,
        until: now.plus_ms(WORK_MS_MAX),
    };
    let memo = match answers.ask(asking).await? {
        Asked::Yours { memo, begun } => Memo { text: memo, begun },
        Asked::Done(answer) => {
            let session = std::str::from_utf8(&answer.body).ok().and_then(|id| id.parse().ok());
            let session = session.ok_or_else(|| Problem::fault("a kept answer is no session"))?;
            return Ok(Did { session, before: true });
        }
        Asked::Busy => {
            let words = "a request with this idempotency key is being worked on";
            return Err(Problem::new(StatusCode::CONFLICT, "in_progress", words).after_s(1));
        }
        Asked::Other => {
            let words = "this idempotency key was used for another request\n\
                         use a new key for each request";
            return Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_mismatch",
                words,
            ));
        }
    };
    let begun = memo.begun;
    match work(memo).await {
        Ok(session) => {
            let body = Bytes::from(session.to_string());
            answers.answered(tenant, &key, Answer { status: 200, body }).await?;
            Ok(Did { session, before: false })
        }
        Err(problem) => {
            // What was begun before, or may have been now, is looked for by whoever is next.
            if !begun && !problem.is_fault() {
                // Where this fails the key is free again after its time.
                let _given_back = answers.give_back(tenant, &key).await;
            }
            Err(problem)
        }
    }
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(HEADER) else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| !text.is_empty() && text.len() <= KEY_BYTES_MAX);
    let words = || format!("`Idempotency-Key` is 1 to {KEY_BYTES_MAX} visible ASCII characters");
    text.map(|text| Some(text.to_owned())).ok_or_else(|| Problem::bad(words()))
}

/// Forgets what is old, from time to time, while it is kept.
pub(crate) fn forget_old(service: Arc<Service>) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        loop {
            let now = service.engine.world.now();
            let before = kernel::units::UnixMs(now.0.saturating_sub(KEPT_MS));
            let forget = service.engine.store.answers().forget_answers(before, FORGET_ROWS_MAX);
            match forget.await {
                Ok(count) if count == u64::from(FORGET_ROWS_MAX) => continue,
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "cannot forget old answers; trying later"),
            }
            tokio::time::sleep(FORGET_EVERY).await;
        }
    }))
}
