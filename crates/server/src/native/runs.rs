//! Runs: the next task of a session, waking, cancelling, and waiting for one.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use engine::door::Task;
use engine::ports::Status;
use kernel::event::Fact;
use kernel::message::text_of;
use kernel::units::{Money, SessionId};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};

use super::sessions::{marked, whole, words};
use super::{check_turns, entrusted, equipped, may_begin, own};
use crate::Service;
use crate::caller::Caller;
use crate::extract::{Asked, Body, Session};
use crate::follow::Bell;
use crate::once::once;
use crate::problem::{Problem, ProblemDetails};
use crate::view;

/// The longest wait for a run, in seconds.
const WAIT_S_MAX: u64 = 120;

/// How long to wait for a run.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wait {
    /// Answer when the run is at rest (it ended, or is parked), at the latest after so many
    /// seconds: 0 to 120.
    #[serde(default)]
    #[param(minimum = 0, maximum = 120)]
    wait_s: u64,
}

/// The next task of a session.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRun {
    /// The task in words.
    input: String,
    /// The most that it may cost, in dollars; the agent's own cap where absent.
    #[serde(default, deserialize_with = "crate::extract::dollars")]
    #[schema(value_type = Option<String>)]
    cap_usd: Option<Money>,
    /// Model responses that it may take.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 10000)]
    turns_max: Option<u32>,
}

/// Give a session its next task
#[utoipa::path(post, path = "/v1/sessions/{session}/runs", operation_id = "begin_run", tag = "runs",
    params(("session" = String, Path), Wait,
        ("Idempotency-Key" = Option<String>, Header, description = "does it once, however often it is sent")),
    request_body = NewRun,
    responses(
        (status = 202, description = "taken", body = view::Session),
        (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub(crate) async fn say(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
    Session(session): Session,
    Asked(wait): Asked<Wait>,
    headers: HeaderMap,
    Body(new): Body<NewRun>,
) -> Result<Response, Problem> {
    caller.granted("run.start")?;
    check_turns("turns_max", new.turns_max)?;
    let state = own(&service, &caller, session).await?;
    may_begin(&service, &caller, &state.agent, new.cap_usd)?;
    let run = state.run.as_ref().map_or(0, |run| run.number);
    let request = format!(
        "POST /v1/sessions/{session}/runs {}",
        serde_json::to_string(&new).unwrap_or_default()
    );
    let did = once(&service, &caller, &headers, &request, run.to_string(), async |memo| {
        let was: u32 = memo.text.parse().map_err(Problem::fault)?;
        if memo.begun && was_begun(&service, &caller, session, was, &new.input).await? {
            return Ok(session);
        }
        let engine = equipped(&service, &state).await?;
        let (cap, turns_max) = (new.cap_usd, new.turns_max);
        let task = Task { input: words(new.input), done: None, cap, turns_max };
        engine.say(caller.tenant(), session, task).await?;
        Ok(session)
    })
    .await?;
    until_rest(&service, &caller, session, wait).await?;
    let view = whole(&service, &caller, session).await?;
    Ok(marked((StatusCode::ACCEPTED, Json(view)).into_response(), &did))
}

/// Whether a run with this task was begun after run `was`, by somebody whose answer was lost.
async fn was_begun(
    service: &Service,
    caller: &Caller,
    session: SessionId,
    was: u32,
    task: &str,
) -> Result<bool, Problem> {
    let log = service.engine.log(caller.tenant(), session).await?;
    Ok(log.iter().any(|sealed| {
        let begun = matches!(&sealed.event.fact, Fact::RunStarted { run, input, .. }
            if *run > was && text_of(input) == task);
        begun
    }))
}

/// What a parked run is given to go on with.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resume {
    /// Model responses to add.
    turns_more: Option<u32>,
    /// A new cap for the run, in dollars. Policies say who may set one.
    #[serde(default, deserialize_with = "crate::extract::dollars")]
    #[schema(value_type = Option<String>)]
    cap_usd: Option<Money>,
}

/// Wake a parked run
#[utoipa::path(post, path = "/v1/sessions/{session}/resume", operation_id = "resume_run", tag = "runs",
    params(("session" = String, Path), Wait), request_body = Option<Resume>,
    responses(
        (status = 202, description = "taken", body = view::Session),
        (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub(crate) async fn resume(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
    Session(session): Session,
    Asked(wait): Asked<Wait>,
    body: Option<Body<Resume>>,
) -> Result<(StatusCode, Json<view::Session>), Problem> {
    caller.granted("run.resume")?;
    entrusted(&service, &caller, session, "run.resume").await?;
    let Resume { turns_more, cap_usd } = body.map(|Body(body)| body).unwrap_or_default();
    check_turns("turns_more", turns_more)?;
    if cap_usd.is_some() {
        caller.granted("cap.raise")?;
    }
    let state = service.engine.state(caller.tenant(), session).await?;
    let engine = equipped(&service, &state).await?;
    engine.resume(&caller.who, session, turns_more, cap_usd).await?;
    until_rest(&service, &caller, session, wait).await?;
    Ok((StatusCode::ACCEPTED, Json(whole(&service, &caller, session).await?)))
}

/// Ask for the end of a run
///
/// One that is under way is ended by its worker at its next step.
#[utoipa::path(post, path = "/v1/sessions/{session}/cancel", operation_id = "cancel_run", tag = "runs",
    params(("session" = String, Path), Wait),
    responses(
        (status = 202, description = "taken", body = view::Session),
        (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub(crate) async fn cancel(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
    Session(session): Session,
    Asked(wait): Asked<Wait>,
) -> Result<(StatusCode, Json<view::Session>), Problem> {
    caller.granted("run.cancel")?;
    entrusted(&service, &caller, session, "run.cancel").await?;
    service.engine.cancel(caller.tenant(), session, &caller.who.user).await?;
    until_rest(&service, &caller, session, wait).await?;
    Ok((StatusCode::ACCEPTED, Json(whole(&service, &caller, session).await?)))
}

/// Waits until a session's run is at rest, its time is over, or the service stops.
pub(crate) async fn until_rest(
    service: &Arc<Service>,
    caller: &Caller,
    session: SessionId,
    wait: Wait,
) -> Result<(), Problem> {
    let until = Instant::now() + Duration::from_secs(wait.wait_s.min(WAIT_S_MAX));
    let mut bell = Bell::at(service, session);
    while until > Instant::now() {
        let listed = service.engine.store.look(caller.tenant(), session).await?;
        let now = service.engine.world.now();
        match listed.brief.status {
            Status::Running => {}
            // It was handed over, or its time has come: a worker takes it up by itself.
            Status::Parked if listed.brief.due.is_some_and(|due| due <= now) => {}
            Status::Idle
            | Status::Parked
            | Status::Finished
            | Status::Failed
            | Status::Cancelled => return Ok(()),
        }
        tokio::select! {
            () = bell.rings() => {}
            () = tokio::time::sleep_until(until) => {}
            () = service.stopping.cancelled() => return Ok(()),
        }
    }
    Ok(())
}
