//! Keys: made, shown once, rotated with an overlap, ended at once.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use engine::ports::{DIRECTORY_ROWS_MAX, Grants, Key};
use kernel::units::UnixMs;
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::rows;
use crate::caller::Caller;
use crate::extract::{Asked, Body, Named};
use crate::key::make;
use crate::problem::{Problem, ProblemDetails};
use crate::{Service, view};

/// The longest name of a key, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// The longest life and overlap, in seconds: ten years.
const SECONDS_MAX: u64 = 315_360_000;

/// A page of keys.
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

/// List keys, those that have ended too
///
/// A member sees their own.
#[utoipa::path(get, path = "/v1/keys", operation_id = "list_keys", tag = "keys", params(Which), responses(
    (status = 200, description = "as it is now", body = view::Page<view::KeyView>),
    (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
    Asked(which): Asked<Which>,
) -> Result<Json<view::Page<view::KeyView>>, Problem> {
    caller.granted("key.read")?;
    let others = caller.may(&service, "key.read", "keys").is_ok();
    let (rows_max, now) = (rows(which.limit), service.engine.world.now());
    let directory = service.engine.store.directory();
    let mut found = directory.keys(caller.tenant(), &which.after, rows_max + 1).await?;
    let more = found.len() > rows_max as usize;
    found.truncate(rows_max as usize);
    let next = if more { found.last().map(|key| key.id.clone()) } else { None };
    found.retain(|key| others || key.user == caller.who.user);
    Ok(Json(view::Page {
        data: found.iter().map(|key| view::KeyView::of(key, now)).collect(),
        next,
    }))
}

/// A new key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    /// The member who calls with it; the caller where absent.
    user: Option<String>,
    /// What it is for.
    #[serde(default)]
    name: String,
    /// What it is good for: `actions`, `agents`, `models`, `environments`, each a list; what
    /// is left out is not limited. Never more than the caller's own key.
    #[serde(default)]
    #[schema(value_type = Object)]
    grants: Grants,
    /// When it stops working, in seconds from now. It does not where absent.
    expires_s: Option<u64>,
}

/// Make a key
///
/// The key itself is in this answer and nowhere else.
#[utoipa::path(post, path = "/v1/keys", operation_id = "create_key", tag = "keys", request_body = NewKey, responses(
    (status = 201, description = "made", body = view::KeyView),
    (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub(crate) async fn create(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
    Body(new): Body<NewKey>,
) -> Result<(StatusCode, Json<view::KeyView>), Problem> {
    let user = new.user.unwrap_or_else(|| caller.who.user.clone());
    if new.name.len() > NAME_BYTES_MAX {
        return Err(wrong("`name` is at most 128 bytes"));
    }
    let now = service.engine.world.now();
    let ends = new.expires_s.map(|seconds| later(now, seconds)).transpose()?;
    no_more(&caller, &new.grants, ends)?;
    if service.engine.store.directory().member(caller.tenant(), &user).await?.is_none() {
        return Err(Problem::missing(&format!("user `{user}`")));
    }
    let draft = Draft { user, name: new.name, grants: new.grants, ends };
    let view = add(&service, &caller, "key.create", draft).await?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// A key makes none that can do more, or longer, than itself.
fn no_more(caller: &Caller, grants: &Grants, ends: Option<UnixMs>) -> Result<(), Problem> {
    if !grants.within(&caller.grants) {
        return Err(Problem::forbidden(
            "a key makes none that can do more\ngive `grants` that are part of this key's own",
        ));
    }
    let outlives = |own: UnixMs| ends.is_none_or(|ends| ends > own);
    if caller.ends.is_some_and(outlives) {
        return Err(Problem::forbidden(
            "a key makes none that works longer\ngive an `expires_s` within this key's own time",
        ));
    }
    Ok(())
}

struct Draft {
    user: String,
    name: String,
    grants: Grants,
    ends: Option<UnixMs>,
}

/// Makes a key if policies let the caller, and shows it this once.
async fn add(
    service: &Service,
    caller: &Caller,
    action: &str,
    draft: Draft,
) -> Result<view::KeyView, Problem> {
    let judgement = caller.may(service, action, &format!("user/{}", draft.user))?;
    let now = service.engine.world.now();
    let made = make().map_err(Problem::fault)?;
    let Draft { user, name, grants, ends } = draft;
    let tenant = caller.tenant().clone();
    let key = Key { id: made.id, hash: made.hash, tenant, user, name, grants, made: now, ends };
    let content = json!({
        "user": key.user, "name": key.name, "grants": key.grants, "ends": key.ends,
    });
    let (who, place) = (&caller.who, &caller.place);
    let told = service.engine.told(who, place, action, &key.id, &judgement, content);
    service.engine.store.directory().add_key(key.clone(), told).await?;
    Ok(view::KeyView::of(&key, now).with(made.text))
}

/// How to rotate.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rotation {
    /// How long the old key works beside the new one, in seconds; a day where absent.
    overlap_s: Option<u64>,
}

/// The overlap where nobody says another, in seconds.
const OVERLAP_S: u64 = 86_400;

/// Make a key in another's place
///
/// The new one has the same user and grants, and is in this answer; the old one works on
/// for the overlap.
#[utoipa::path(post, path = "/v1/keys/{key}/rotate", operation_id = "rotate_key", tag = "keys",
    params(("key" = String, Path)), request_body = Option<Rotation>,
    responses(
        (status = 201, description = "made", body = view::KeyView),
        (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub(crate) async fn rotate(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
    Named(id): Named,
    body: Option<Body<Rotation>>,
) -> Result<(StatusCode, Json<view::KeyView>), Problem> {
    caller.granted("key.rotate")?;
    let old = found(&service, &caller, &id).await?;
    let now = service.engine.world.now();
    if !old.works(now) {
        let words = "this key has ended\nmake a new one";
        return Err(Problem::new(StatusCode::CONFLICT, "key_ended", words));
    }
    no_more(&caller, &old.grants, old.ends)?;
    let overlap_s = body.and_then(|Body(body)| body.overlap_s).unwrap_or(OVERLAP_S);
    let ends = later(now, overlap_s)?;
    let Key { user, name, grants, .. } = old.clone();
    let draft = Draft { user, name, grants, ends: old.ends };
    let view = add(&service, &caller, "key.rotate", draft).await?;
    end(&service, &caller, "key.rotate", &old, ends).await?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// End a key at once
#[utoipa::path(delete, path = "/v1/keys/{key}", operation_id = "revoke_key", tag = "keys",
    params(("key" = String, Path)),
    responses(
        (status = 204, description = "it works no more"),
        (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub(crate) async fn revoke(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
    Named(id): Named,
) -> Result<StatusCode, Problem> {
    caller.granted("key.revoke")?;
    let key = found(&service, &caller, &id).await?;
    end(&service, &caller, "key.revoke", &key, service.engine.world.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A key that the caller sees: their own, or by leave of policies.
async fn found(service: &Service, caller: &Caller, id: &str) -> Result<Key, Problem> {
    let missing = || Problem::missing(&format!("key `{id}`"));
    // One behind the greatest id that is smaller: the list is by id.
    let directory = service.engine.store.directory();
    let mut after = String::new();
    loop {
        let page = directory.keys(caller.tenant(), &after, DIRECTORY_ROWS_MAX).await?;
        let Some(last) = page.last() else { return Err(missing()) };
        after = last.id.clone();
        if let Some(key) = page.into_iter().find(|key| key.id == id) {
            let own = key.user == caller.who.user;
            let sees = own || caller.may(service, "key.read", id).is_ok();
            return if sees { Ok(key) } else { Err(missing()) };
        }
    }
}

/// Lets a key end. One's own needs no leave.
async fn end(
    service: &Service,
    caller: &Caller,
    action: &str,
    key: &Key,
    at: UnixMs,
) -> Result<(), Problem> {
    let judgement = if key.user == caller.who.user {
        kernel::verdict::Judgement::allow()
    } else {
        caller.may(service, action, &format!("user/{}", key.user))?
    };
    let content = json!({ "user": key.user, "ends": at });
    let (who, place) = (&caller.who, &caller.place);
    let told = service.engine.told(who, place, action, &key.id, &judgement, content);
    Ok(service.engine.store.directory().end_key(caller.tenant(), &key.id, at, told).await?)
}

fn later(now: UnixMs, seconds: u64) -> Result<UnixMs, Problem> {
    if seconds > SECONDS_MAX {
        return Err(wrong("times are at most ten years: 315360000 seconds"));
    }
    Ok(now.plus_ms(seconds * 1_000))
}

fn wrong(words: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong_body", words)
}
