//! Sessions: beginning them, reading them, forking them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::door::{Owner, Task};
use engine::ports::{Listing, Status, StoreError, Wish};
use kernel::message::Block;
use kernel::units::{Money, SessionId};
use kernel::verdict::Trust;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::runs::{Wait, until_rest};
use super::{check_turns, may_begin, own, rows, seen};
use crate::Service;
use crate::caller::Caller;
use crate::extract::{Asked, Body, Session};
use crate::once::{Did, once};
use crate::problem::{Problem, ProblemDetails};
use crate::view;

/// A session with its first task.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSession {
    /// The agent's name, as in `/v1/agents`.
    agent: String,
    /// The task in words.
    input: String,
    /// The most that the run may cost, in dollars; the agent's own cap where absent.
    #[serde(default, deserialize_with = "crate::extract::dollars")]
    #[schema(value_type = Option<String>)]
    cap_usd: Option<Money>,
    /// Model responses that it may take.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 10000)]
    turns_max: Option<u32>,
    /// The folder of the file tools, under one of the installation's roots; a new one
    /// where absent.
    #[serde(default)]
    workdir: Option<String>,
    /// Less trust than the agent has: `read_only`, `standard`, `elevated`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    trust: Option<Trust>,
    /// The kind of task, where the installation knows kinds.
    #[serde(default)]
    task_type: Option<String>,
}

/// Begin a session with a task
///
/// Answers at once; the run goes on whoever listens. With `wait_s` the answer comes when the
/// run is at rest, or after that time.
#[utoipa::path(post, path = "/v1/sessions", operation_id = "begin_session", tag = "sessions", params(Wait,
        ("Idempotency-Key" = Option<String>, Header, description = "does it once, however often it is sent")),
    request_body = NewSession,
    responses(
        (status = 201, description = "made", body = view::Session),
        (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub(crate) async fn begin(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
    Asked(wait): Asked<Wait>,
    headers: HeaderMap,
    Body(new): Body<NewSession>,
) -> Result<Response, Problem> {
    caller.granted("run.start")?;
    check_turns("turns_max", new.turns_max)?;
    let request = format!("POST /v1/sessions {}", serde_json::to_string(&new).unwrap_or_default());
    let memo = service.engine.world.session_id().to_string();
    let did = once(&service, &caller, &headers, &request, memo, async |memo| {
        let id = memo.text.parse().map_err(Problem::fault)?;
        // Somebody may have begun it whose answer was lost.
        if memo.begun && service.engine.store.look(caller.tenant(), id).await.is_ok() {
            return Ok(id);
        }
        start(&service, &caller, id, new).await
    })
    .await?;
    until_rest(&service, &caller, did.session, wait).await?;
    let view = whole(&service, &caller, did.session).await?;
    let mut response = (StatusCode::CREATED, Json(view)).into_response();
    let place = HeaderValue::from_str(&format!("/v1/sessions/{}", did.session));
    place.into_iter().for_each(|place| {
        response.headers_mut().insert(header::LOCATION, place);
    });
    Ok(marked(response, &did))
}

/// Says whether an answer was given before.
pub(crate) fn marked(mut response: Response, did: &Did) -> Response {
    if did.before {
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    response
}

/// Begins a session under an id, unless it was begun before.
async fn start(
    service: &Service,
    caller: &Caller,
    id: SessionId,
    new: NewSession,
) -> Result<SessionId, Problem> {
    if !caller.grants.allow_agent(&new.agent) {
        let words = format!("this key is not good for the agent `{}`", new.agent);
        return Err(Problem::forbidden(words));
    }
    let wish =
        Wish { agent: new.agent, workdir: new.workdir, trust: new.trust, task_type: new.task_type };
    let cast = service.roster.cast(&caller.who, &wish).await?;
    may_begin(service, caller, &cast.agent.agent, new.cap_usd)?;
    let owner = Owner {
        tenant: caller.who.tenant.clone(),
        user: caller.who.user.clone(),
        labels: caller.who.labels.clone(),
        workdir: Some(cast.workdir),
        scope: cast.scope,
    };
    let task = Task { cap: new.cap_usd, turns_max: new.turns_max, ..Task::of(new.input) };
    let engine = service.engine.with(cast.outfit);
    match engine.start_as(id, &owner, &cast.agent, task).await {
        // Somebody began it before, and its answer was lost.
        Err(engine::error::EngineError::Store(StoreError::Stale { .. })) => Ok(id),
        other => Ok(other.map(|()| id)?),
    }
}

/// Which sessions to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only this status.
    status: Option<String>,
    /// The page after this one: `next` of the page before.
    before: Option<String>,
    /// Rows of the page: 1 to 500, 50 where absent.
    limit: Option<u32>,
}

/// List sessions, newest first
///
/// A member sees their own; who may read those of others sees all of the tenant's. A page may
/// then have fewer rows than asked for and still a `next`.
#[utoipa::path(get, path = "/v1/sessions", operation_id = "list_sessions", tag = "sessions", params(Which), responses(
    (status = 200, description = "as it is now", body = view::Page<view::Session>),
    (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
    Asked(which): Asked<Which>,
) -> Result<Json<view::Page<view::Session>>, Problem> {
    caller.granted("session.read")?;
    let before = which.before.map(|text| {
        text.parse::<SessionId>().map_err(|_| Problem::bad("`before` is no cursor of this list"))
    });
    let status = which.status.as_deref().map(status).transpose()?;
    let rows_max = rows(which.limit);
    let listing = Listing { status, before: before.transpose()?, rows_max: rows_max + 1 };
    let mut listed = service.engine.store.list(caller.tenant(), &listing).await?;
    let more = listed.len() > rows_max as usize;
    listed.truncate(rows_max as usize);
    let next = if more { listed.last().map(|row| row.session.to_string()) } else { None };
    let others = caller.may(&service, "session.read", "sessions").is_ok();
    listed.retain(|row| {
        (others || row.brief.user == caller.who.user)
            && caller.grants.allow_agent(&row.brief.agent_id)
    });
    Ok(Json(view::Page { data: listed.iter().map(view::Session::row).collect(), next }))
}

fn status(text: &str) -> Result<Status, Problem> {
    let all = [
        Status::Idle,
        Status::Running,
        Status::Parked,
        Status::Finished,
        Status::Failed,
        Status::Cancelled,
    ];
    all.into_iter().find(|status| view::word(*status) == text).ok_or_else(|| {
        let names: Vec<&str> = all.into_iter().map(view::word).collect();
        Problem::bad(format!("there is no status `{text}`; there are: {}", names.join(", ")))
    })
}

/// Read a session with its run
#[utoipa::path(get, path = "/v1/sessions/{session}", operation_id = "read_session", tag = "sessions",
    params(("session" = String, Path), Wait),
    responses(
        (status = 200, description = "as it is now", body = view::Session),
        (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub(crate) async fn read(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
    Session(session): Session,
    Asked(wait): Asked<Wait>,
) -> Result<Json<view::Session>, Problem> {
    caller.granted("session.read")?;
    seen(&service, &caller, session).await?;
    until_rest(&service, &caller, session, wait).await?;
    whole(&service, &caller, session).await.map(Json)
}

/// A session as it is now.
pub(crate) async fn whole(
    service: &Service,
    caller: &Caller,
    session: SessionId,
) -> Result<view::Session, Problem> {
    let state = service.engine.state(caller.tenant(), session).await?;
    let listed = service.engine.store.look(caller.tenant(), session).await?;
    Ok(view::Session::whole(&listed, &state))
}

/// Where to fork.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fork {
    /// The last event that both share; the last one that there is where absent.
    at: Option<u64>,
}

/// Make a session that continues another
#[utoipa::path(post, path = "/v1/sessions/{session}/fork", operation_id = "fork_session", tag = "sessions",
    params(("session" = String, Path)), request_body = Option<Fork>,
    responses(
        (status = 201, description = "made", body = view::Session),
        (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub(crate) async fn fork(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
    Session(session): Session,
    body: Option<Body<Fork>>,
) -> Result<(StatusCode, Json<view::Session>), Problem> {
    caller.granted("session.fork")?;
    own(&service, &caller, session).await?;
    let at = body.and_then(|Body(fork)| fork.at);
    let fork = service.engine.fork(caller.tenant(), session, at).await?;
    Ok((StatusCode::CREATED, Json(whole(&service, &caller, fork).await?)))
}

/// The blocks of a task in words.
pub(crate) fn words(text: String) -> Vec<Block> {
    vec![Block::text(text)]
}
