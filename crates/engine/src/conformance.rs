//! The suite that every implementation of a port must pass.
//!
//! Each behaviour is one function over a fresh store; [`all`] runs them in order, and
//! [`reopened`] asks what is left after a store was closed and opened again. A failure
//! names the law that is broken and what was seen instead. Nothing here knows how a
//! store works, reads a clock or sleeps.

pub mod alerts;
pub mod audit;
pub mod caps;
pub mod crowd;
pub mod doors;
pub mod leases;
pub mod lists;
pub mod log;
pub mod money;
pub mod payloads;
pub mod reopen;
pub mod sample;
pub mod tenants;

pub use reopen::reopened;

use std::fmt::Debug;
use std::sync::Arc;

use futures::future::BoxFuture;

use crate::ports::{Store, StoreError};

/// A law of the port that an implementation does not keep.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("broken law: {law}\nseen: {seen}")]
pub struct Broken {
    /// The law, as a sentence.
    pub law: String,
    /// What was seen instead.
    pub seen: String,
}

/// What a behaviour comes to.
pub type Kept = Result<(), Broken>;

/// One behaviour, over a store that nobody has written to.
pub type Behaviour = fn(&Arc<dyn Store>) -> BoxFuture<'_, Kept>;

/// Every behaviour of a store, by name.
pub const STORE: [(&str, Behaviour); 43] = [
    ("log: opens, appends and reads", |s| Box::pin(log::opens_appends_and_reads(s))),
    ("log: reads page by page", |s| Box::pin(log::reads_page_by_page(s))),
    ("log: keeps the chain and its head", |s| Box::pin(log::keeps_the_chain(s))),
    ("log: refuses misuse", |s| Box::pin(log::refuses_misuse(s))),
    ("log: refuses the stale", |s| Box::pin(log::refuses_the_stale(s))),
    ("leases: fence the owner before", |s| Box::pin(leases::fence_the_owner_before(s))),
    ("leases: let others write beside", |s| Box::pin(leases::let_others_write_beside(s))),
    ("leases: hold until they end", |s| Box::pin(leases::hold_until_they_end(s))),
    ("leases: are taken over by epoch", |s| Box::pin(leases::are_taken_over_by_epoch(s))),
    ("leases: renew and release", |s| Box::pin(leases::renew_and_release(s))),
    ("lists: due sessions, oldest first", |s| Box::pin(lists::due_oldest_first(s))),
    ("lists: leased sessions are not due", |s| Box::pin(lists::leased_are_not_due(s))),
    ("lists: newest first, page by page", |s| Box::pin(lists::newest_first_by_page(s))),
    ("lists: briefs as committed", |s| Box::pin(lists::briefs_as_committed(s))),
    ("tenants: a foreign id is missing", |s| Box::pin(tenants::a_foreign_id_is_missing(s))),
    ("tenants: the same id is another's", |s| Box::pin(tenants::the_same_id_twice(s))),
    ("money: moves follow the balance", |s| Box::pin(money::moves_follow_the_balance(s))),
    ("money: a refusal changes nothing", |s| Box::pin(money::a_refusal_changes_nothing(s))),
    ("money: spend is summed by day", |s| Box::pin(money::spend_is_summed(s))),
    ("caps: every scope or none", |s| Box::pin(caps::every_scope_or_none(s))),
    ("caps: by configuration and by hand", |s| {
        Box::pin(caps::caps_by_configuration_and_by_hand(s))
    }),
    ("caps: shared balances are listed", |s| Box::pin(caps::shared_balances_are_listed(s))),
    ("caps: waiting for room", |s| Box::pin(caps::waiting_for_room(s))),
    ("alerts: kept with their facts", |s| Box::pin(alerts::kept_with_their_facts(s))),
    ("alerts: caps warn once", |s| Box::pin(alerts::caps_warn_once(s))),
    ("alerts: raised once", |s| Box::pin(alerts::raised_once(s))),
    ("alerts: taken by one at a time", |s| Box::pin(alerts::taken_by_one_at_a_time(s))),
    ("alerts: ends are kept", |s| Box::pin(alerts::ends_are_kept(s))),
    ("alerts: old ones are forgotten", |s| Box::pin(alerts::old_ones_are_forgotten(s))),
    ("alerts: many takers, each once", |s| Box::pin(alerts::many_takers_each_once(s))),
    ("audit: chained with their facts", |s| Box::pin(audit::chained_with_their_facts(s))),
    ("audit: content is erased", |s| Box::pin(audit::content_is_erased(s))),
    ("audit: pruned from the beginning", |s| Box::pin(audit::pruned_from_the_beginning(s))),
    ("content: comes and is erased", |s| Box::pin(audit::content_comes_and_is_erased(s))),
    ("content: erasable, page by page", |s| Box::pin(audit::erasable_by_page(s))),
    ("content: erased for good", |s| Box::pin(audit::erased_for_good(s))),
    ("payloads: owned by their session", |s| Box::pin(payloads::owned_by_their_session(s))),
    ("payloads: kept once, checked", |s| Box::pin(payloads::kept_once_and_checked(s))),
    ("doors: members come and go", |s| Box::pin(doors::members_come_and_go(s))),
    ("doors: keys are found and end", |s| Box::pin(doors::keys_are_found_and_end(s))),
    ("doors: requests are done once", |s| Box::pin(doors::requests_are_done_once(s))),
    ("crowd: one cap, many holders", |s| Box::pin(crowd::one_cap_many_holders(s))),
    ("crowd: one session, many writers", |s| Box::pin(crowd::one_session_many_writers(s))),
];

/// Runs every behaviour, each over a store of its own. `make` opens a new, empty one.
///
/// # Errors
/// The first law that is broken, with the behaviour's name.
pub async fn all(make: impl AsyncFn() -> Arc<dyn Store>) -> Kept {
    for (name, behaviour) in STORE {
        let store = make().await;
        let named = |broken: Broken| Broken { law: format!("{name}: {}", broken.law), ..broken };
        behaviour(&store).await.map_err(named)?;
    }
    Ok(())
}

fn broken(law: &str, seen: impl Into<String>) -> Broken {
    Broken { law: law.to_owned(), seen: seen.into() }
}

/// Checks that two things are the same.
fn same<T: PartialEq + Debug>(law: &str, found: T, expected: T) -> Kept {
    if found == expected {
        return Ok(());
    }
    Err(broken(law, format!("{found:?}\nexpected: {expected:?}")))
}

/// Brings what a call that must succeed gave.
fn works<T>(law: &str, result: Result<T, StoreError>) -> Result<T, Broken> {
    result.map_err(|error| broken(law, format!("{error:?}")))
}

/// Checks that a call failed as it should.
fn fails<T: Debug>(
    law: &str,
    result: Result<T, StoreError>,
    expected: impl FnOnce(&StoreError) -> bool,
) -> Kept {
    match result {
        Err(error) if expected(&error) => Ok(()),
        other => Err(broken(law, format!("{other:?}"))),
    }
}

fn is_missing(error: &StoreError) -> bool {
    matches!(error, StoreError::Missing(_))
}

fn is_misused(error: &StoreError) -> bool {
    matches!(error, StoreError::Misused(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;

    #[tokio::test]
    async fn the_store_in_memory_conforms() {
        let make = async || Arc::new(Memory::new()) as Arc<dyn Store>;
        all(make).await.unwrap_or_else(|broken| panic!("{broken}"));
    }

    #[tokio::test]
    async fn what_was_committed_is_still_there_when_a_store_is_opened_again() {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let open = async || Arc::clone(&store);
        reopened(open, async |_store| {}).await.unwrap_or_else(|broken| panic!("{broken}"));
    }
}
