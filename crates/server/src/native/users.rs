//! The members of the caller's tenant.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use engine::ports::Member;
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::rows;
use crate::Service;
use crate::caller::Caller;
use crate::extract::{Asked, Body, Named};
use crate::problem::{Problem, ProblemDetails};
use crate::view;

/// The longest name of a user, role or team, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// A page of members.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// The page after this one: `next` of the page before.
    #[serde(default)]
    after: String,
    /// Rows of the page: 1 to 500, 50 where absent.
    limit: Option<u32>,
}

/// List the tenant's users
#[utoipa::path(get, path = "/v1/users", operation_id = "list_users", tag = "users", params(Which), responses(
    (status = 200, description = "as it is now", body = view::Page<view::User>),
    (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
    Asked(which): Asked<Which>,
) -> Result<Json<view::Page<view::User>>, Problem> {
    caller.may(&service, "user.read", "users")?;
    let rows_max = rows(which.limit);
    let directory = service.engine.store.directory();
    let found = directory.members(caller.tenant(), &which.after, rows_max + 1).await?;
    let cursor = |member: &Member| member.user.clone();
    Ok(Json(view::Page::of(found, rows_max as usize, cursor, view::User::of)))
}

/// What a user is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Role {
    /// `member`, `operator`, `admin`, or a role of the tenant's own policies.
    role: String,
    /// The team that their calls are counted under.
    team: Option<String>,
}

/// Make a user, or change their role and team
#[utoipa::path(put, path = "/v1/users/{user}", operation_id = "set_user", tag = "users",
    params(("user" = String, Path)), request_body = Role,
    responses(
        (status = 200, description = "as it is now", body = view::User),
        (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub(crate) async fn set(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
    Named(user): Named,
    Body(Role { role, team }): Body<Role>,
) -> Result<Json<view::User>, Problem> {
    let judgement = caller.may(&service, "user.set", &format!("user/{user}"))?;
    for text in [Some(&user), Some(&role), team.as_ref()].into_iter().flatten() {
        let plain = !text.chars().any(|c| c.is_control() || c == '/');
        if text.is_empty() || text.len() > NAME_BYTES_MAX || !plain {
            let words = "names are 1 to 128 bytes without `/` and control characters";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong_body", words));
        }
    }
    let engine = &service.engine;
    let (tenant, made) = (caller.tenant().clone(), engine.world.now());
    let member = Member { tenant, user, role, team, made };
    let content = json!({ "role": member.role, "team": member.team });
    let subject = &member.user;
    let told = engine.told(&caller.who, &caller.place, "user.set", subject, &judgement, content);
    let directory = engine.store.directory();
    directory.set_member(member.clone(), told).await?;
    let found = directory.member(&member.tenant, &member.user).await?;
    Ok(Json(view::User::of(found.unwrap_or(member))))
}

/// Remove a user; their keys stop working at once
#[utoipa::path(delete, path = "/v1/users/{user}", operation_id = "remove_user", tag = "users",
    params(("user" = String, Path)),
    responses(
        (status = 204, description = "they are no member any more"),
        (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub(crate) async fn remove(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
    Named(user): Named,
) -> Result<StatusCode, Problem> {
    let judgement = caller.may(&service, "user.remove", &format!("user/{user}"))?;
    if user == caller.who.user {
        let words = "nobody removes themselves\nanother admin can";
        return Err(Problem::new(StatusCode::CONFLICT, "own_user", words));
    }
    let engine = &service.engine;
    let (who, place) = (&caller.who, &caller.place);
    let told = engine.told(who, place, "user.remove", &user, &judgement, json!({}));
    engine.store.directory().remove_member(caller.tenant(), &user, told).await?;
    Ok(StatusCode::NO_CONTENT)
}
