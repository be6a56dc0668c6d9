//! The caps that runs share, and what was spent.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use jiff::civil::Date;
use kernel::ledger::{Allowance, Scope};
use kernel::units::Money;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::rows;
use crate::Service;
use crate::caller::Caller;
use crate::extract::{Asked, Body};
use crate::problem::{Problem, ProblemDetails};
use crate::view;

/// Milliseconds in a day.
const DAY_MS: u64 = 86_400_000;

/// Days of spend that are told at a time.
const DAYS_MAX: u64 = 366;

/// A page of scopes.
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

/// List the shared scopes that were ever charged or set
#[utoipa::path(get, path = "/v1/caps", operation_id = "list_caps", tag = "caps", params(Which), responses(
    (status = 200, description = "as it is now", body = view::Page<view::ScopeView>),
    (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
    Asked(which): Asked<Which>,
) -> Result<Json<view::Page<view::ScopeView>>, Problem> {
    caller.may(&service, "cap.read", "caps")?;
    let rows_max = rows(which.limit);
    let store = &service.engine.store;
    let found = store.shared_balances(caller.tenant(), &which.after, rows_max + 1).await?;
    let cursor = |row: &(Scope, _)| row.0.to_string();
    Ok(Json(view::Page::of(found, rows_max as usize, cursor, |row| view::scope(&row))))
}

/// A cap for a shared scope. Without any limit it is given back to configuration.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCap {
    /// The scope, as in the list; without its window it goes for all windows.
    scope: String,
    /// Dollars.
    #[serde(default, deserialize_with = "crate::extract::dollars")]
    #[schema(value_type = Option<String>)]
    usd: Option<Money>,
    /// Tokens.
    tokens: Option<u64>,
    /// Model calls.
    requests: Option<u64>,
}

/// What setting a cap did.
#[derive(Serialize, ToSchema)]
pub(crate) struct Woken {
    scope: String,
    /// Parked runs that now find the room that they waited for.
    woken: Vec<String>,
}

/// Set the cap of a shared scope
#[utoipa::path(put, path = "/v1/caps", operation_id = "set_cap", tag = "caps", request_body = NewCap, responses(
    (status = 200, description = "as it is now", body = Woken),
    (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub(crate) async fn set(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
    Body(new): Body<NewCap>,
) -> Result<Json<Woken>, Problem> {
    caller.granted("cap.raise")?;
    let scope: Scope = new.scope.parse().map_err(|why: kernel::ledger::NotAScope| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong_body", why.to_string())
    })?;
    if !scope.is_shared() {
        let words = "a run's own cap is raised where the run is resumed: `cap_usd`";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong_body", words));
    }
    let NewCap { usd, tokens, requests, .. } = new;
    let cap = Allowance { money: usd, tokens, requests };
    let cap = (cap != Allowance::default()).then_some(cap);
    let woken = service.engine.set_cap(&caller.who, &caller.place, &scope, cap).await?;
    let woken = woken.iter().map(ToString::to_string).collect();
    Ok(Json(Woken { scope: scope.to_string(), woken }))
}

/// Which days.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Days {
    /// The first day, in UTC: `2026-11-01`. 30 days before the last where absent.
    from: Option<String>,
    /// The last day; today where absent.
    to: Option<String>,
}

/// What was spent, by day, user, agent, model and version of the prices
#[utoipa::path(get, path = "/v1/spend", operation_id = "read_spend", tag = "caps", params(Days), responses(
    (status = 200, description = "as it is now", body = view::Page<view::Spend>),
    (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub(crate) async fn spend(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
    Asked(days): Asked<Days>,
) -> Result<Json<view::Page<view::Spend>>, Problem> {
    caller.granted("spend.read")?;
    let today = service.engine.world.now().0 / DAY_MS;
    let to = days.to.as_deref().map_or(Ok(today), day)?;
    let from = days.from.as_deref().map_or(Ok(to.saturating_sub(30)), day)?;
    if to < from || to - from >= DAYS_MAX {
        return Err(Problem::bad(format!("`from` is before `to`, by at most {DAYS_MAX} days")));
    }
    let mut found = service.engine.store.spend(caller.tenant(), from, to).await?;
    if caller.may(&service, "spend.read", "spend").is_err() {
        found.retain(|row| row.user == caller.who.user);
    }
    Ok(Json(view::Page { data: found.into_iter().map(view::Spend::of).collect(), next: None }))
}

/// A day as the spend table counts them.
fn day(text: &str) -> Result<u64, Problem> {
    let wrong = || Problem::bad(format!("`{text}` is no day like `2026-11-01`"));
    let date: Date = text.parse().map_err(|_| wrong())?;
    let at = date.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| wrong())?;
    u64::try_from(at.timestamp().as_second()).map(|seconds| seconds / 86_400).map_err(|_| wrong())
}
