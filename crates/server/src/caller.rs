//! Who calls: a key, the member whose it is, and what both may do.
//!
//! A key that is wrong, has ended or belongs to nobody any more is told apart by nothing:
//! all of them are 401, with the same words.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use engine::ports::{Action, Grants, Principal};
use kernel::event::SessionScope;
use kernel::units::{Tenant, UnixMs};
use kernel::verdict::Judgement;

use crate::problem::Problem;
use crate::{Service, key};

/// The label that a key's calls are counted under.
pub(crate) const KEY_LABEL: &str = "key";

/// The label that a team's calls are counted under.
pub(crate) const TEAM_LABEL: &str = "team";

/// Somebody who has shown a key.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Who it is to policies.
    pub(crate) who: Principal,
    /// Where, for what is done beside sessions.
    pub(crate) place: SessionScope,
    /// What the key is good for.
    pub(crate) grants: Grants,
    /// When the key stops working.
    pub(crate) ends: Option<UnixMs>,
}

impl Caller {
    /// Whose sessions they are.
    pub(crate) fn tenant(&self) -> &Tenant {
        &self.who.tenant
    }

    /// Whether the key is good for an action. Policies are asked beside that.
    pub(crate) fn granted(&self, action: &str) -> Result<(), Problem> {
        if self.grants.allow(action) {
            return Ok(());
        }
        let words = format!("this key is not good for `{action}`\nuse a key that is");
        Err(Problem::forbidden(words))
    }

    /// Whether key and policies let the caller administer something.
    pub(crate) fn may(
        &self,
        service: &Service,
        name: &str,
        resource: &str,
    ) -> Result<Judgement, Problem> {
        self.granted(name)?;
        let action = Action::Administer { name, resource };
        Ok(service.engine.may(&self.who, &self.place, action)?)
    }

    /// Whether the caller sees what is a user's: their own, or by leave of policies.
    pub(crate) fn sees(&self, service: &Service, user: &str, what: &str) -> bool {
        user == self.who.user || self.may(service, "session.read", what).is_ok()
    }
}

impl FromRequestParts<Arc<Service>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        service: &Arc<Service>,
    ) -> Result<Self, Problem> {
        let shown = shown(&parts.headers).ok_or_else(|| {
            unknown("this needs a key: `Authorization: Bearer wl_…`, or `x-api-key`")
        })?;
        known(service, shown).await?.ok_or_else(|| {
            unknown("no such key, or it has ended\n`windlass keys create` makes one")
        })
    }
}

fn unknown(words: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", words)
}

/// The key that a request shows, in either of the customary headers.
pub(crate) fn shown(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|text| {
        let (scheme, key) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    bearer.or_else(|| headers.get("x-api-key")?.to_str().ok().map(str::trim))
}

/// Who a key belongs to, if it works now.
pub(crate) async fn known(service: &Service, text: &str) -> Result<Option<Caller>, Problem> {
    let Some(id) = key::id(text) else { return Ok(None) };
    let found = service.engine.store.directory().find_key(id).await?;
    let now = service.engine.world.now();
    let good = found.filter(|(key, _)| key.hash == key::hash(text) && key.works(now));
    let environment = &service.place.environment;
    let good = good.filter(|(key, _)| key.grants.allow_environment(environment));
    Ok(good.map(|(key, member)| {
        let mut labels = BTreeMap::from([(KEY_LABEL.to_owned(), key.id.clone())]);
        labels.extend(member.team.map(|team| (TEAM_LABEL.to_owned(), team)));
        let place = SessionScope { role: member.role.clone(), ..service.place.clone() };
        let who = Principal {
            tenant: member.tenant,
            user: member.user,
            role: member.role,
            labels,
            agent: None,
        };
        Caller { who, place, grants: key.grants, ends: key.ends }
    }))
}
