//! Calls that wait for somebody's answer.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use engine::ports::Action;
use kernel::run::Given;
use kernel::units::ContentHash;
use serde::Deserialize;
use utoipa::ToSchema;

use super::sessions::whole;
use super::{equipped, seen};
use crate::Service;
use crate::caller::Caller;
use crate::extract::{Body, Session};
use crate::problem::{Problem, ProblemDetails};
use crate::view;

/// The longest words of an answer, in bytes.
const WORDS_BYTES_MAX: usize = 4_096;

/// List the calls that wait for an answer
///
/// A member sees their own and those that they may answer.
#[utoipa::path(get, path = "/v1/approvals", operation_id = "list_approvals", tag = "approvals", responses(
    (status = 200, description = "as it is now", body = view::Page<view::Approval>),
    (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
) -> Result<Json<view::Page<view::Approval>>, Problem> {
    caller.granted("session.read")?;
    let asked = service.engine.approvals(caller.tenant()).await?;
    let visible = asked.into_iter().filter(|one| {
        let decide = Action::ApprovalDecide { tool: &one.tool, asked_by: &one.user };
        let own = one.user == caller.who.user;
        let agent = caller.grants.allow_agent(&one.agent_id);
        agent && (own || service.engine.may(&caller.who, &caller.place, decide).is_ok())
    });
    Ok(Json(view::Page { data: visible.map(view::Approval::of).collect(), next: None }))
}

/// An answer to one call.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAnswer {
    /// The id of the call.
    call: String,
    /// `arguments_hash` as it was shown: the answer is about these arguments and no others.
    arguments_hash: String,
    /// Yes or no.
    approve: bool,
    /// What to say to the model.
    #[serde(default)]
    words: String,
}

/// Answer what was asked about a call
#[utoipa::path(post, path = "/v1/sessions/{session}/approvals", operation_id = "answer_approval", tag = "approvals",
    params(("session" = String, Path)), request_body = NewAnswer,
    responses(
        (status = 200, description = "as it is now", body = view::Session),
        (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub(crate) async fn answer(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
    Session(session): Session,
    Body(new): Body<NewAnswer>,
) -> Result<Json<view::Session>, Problem> {
    caller.granted("approval.decide")?;
    let missing = || Problem::missing(&format!("session `{session}`"));
    // Who may answer need not see whole sessions; another tenant's is missing in any case.
    let listed = service.engine.store.look(caller.tenant(), session).await?;
    if !caller.grants.allow_agent(&listed.brief.agent_id) {
        return Err(missing());
    }
    let unprocessable =
        |words: &str| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong_body", words);
    let arguments = ContentHash::from_hex(&new.arguments_hash)
        .ok_or_else(|| unprocessable("`arguments_hash` is 64 hexadecimal digits"))?;
    if new.words.len() > WORDS_BYTES_MAX {
        return Err(unprocessable("`words` are at most 4096 bytes"));
    }
    let NewAnswer { call, approve, words, .. } = new;
    let given = Given { call, arguments, approve, by: caller.who.user.clone(), words };
    let state = service.engine.state(caller.tenant(), session).await?;
    let engine = equipped(&service, &state).await?;
    engine.answer(&caller.who, session, given).await?;
    if seen(&service, &caller, session).await.is_ok() {
        return whole(&service, &caller, session).await.map(Json);
    }
    let listed = service.engine.store.look(caller.tenant(), session).await?;
    Ok(Json(view::Session::row(&listed)))
}
