//! The way from a handle to a value: sources in order, and a cache in front of them.
//!
//! A tenant's own secrets come first, in every source; then those of the installation,
//! where they are granted to it. Values are resolved when they are used and kept for a
//! while; many who ask for one at once cause one reading. Time is an argument.

mod cache;
mod grants;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use kernel::units::{Tenant, UnixMs};
use tokio::sync::Semaphore;

use crate::error::SecretError;
use crate::handle::Handle;
use crate::source::{Owner, Source, Version, Versioned, Wanted};
use cache::{Cache, Entry, Key, Place};
pub use grants::{Granted, Grants};

/// How long one look-up may take with everything in it, in milliseconds.
const DEADLINE_MS: u64 = 15_000;

/// Look-ups at once; the others wait within their deadline.
const LOOKUPS_MAX: usize = 32;

/// How long a value that was just read is not read again, whoever rejects it, in
/// milliseconds.
const REFRESH_GAP_MS: u64 = 1_000;

/// Limits of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a value is used without asking its source, in milliseconds. Files are
    /// looked at each time and need not wait for it.
    pub ttl_ms: u64,
    /// How much longer a value is used while its source is out, in milliseconds.
    pub stale_ms_max: u64,
    /// How long a replaced value stays good, where its source does not say, in milliseconds.
    pub overlap_ms: u64,
    /// How much the cache holds, in bytes.
    pub cache_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            ttl_ms: 60_000,
            stale_ms_max: 300_000,
            overlap_ms: 300_000,
            cache_bytes_max: 1_024 * 1_024,
        }
    }
}

/// A source, and whose it is.
#[derive(Clone, Debug)]
pub struct Shelf {
    /// The source.
    pub source: Arc<dyn Source>,
    /// The tenant that the whole source belongs to. Without one it has a part for the
    /// installation and one for each tenant.
    pub tenant: Option<Tenant>,
}

/// Sources with a cache. Clones share both.
#[derive(Clone, Debug)]
pub struct Secrets(Arc<Inner>);

type Found = Result<Versioned, SecretError>;
type Flight = BoxFuture<'static, Found>;

#[derive(Debug)]
struct Inner {
    shelves: Vec<Shelf>,
    grants: Grants,
    limits: Limits,
    cache: Mutex<Cache>,
    flights: Mutex<BTreeMap<Key, WeakShared<Flight>>>,
    room: Semaphore,
}

impl Secrets {
    /// Sources in the order in which they are asked.
    #[must_use]
    pub fn new(shelves: Vec<Shelf>, grants: Grants, limits: Limits) -> Self {
        let cache = Mutex::new(Cache::new(limits.cache_bytes_max));
        let room = Semaphore::new(LOOKUPS_MAX);
        Secrets(Arc::new(Inner { shelves, grants, limits, cache, flights: Mutex::default(), room }))
    }

    /// The value of a handle for a tenant at `now`.
    ///
    /// # Errors
    /// [`SecretError::Missing`] where no source has it for this tenant, whoever else's it
    /// is; or what the first source said that could not answer.
    pub async fn resolve(&self, tenant: &Tenant, handle: &Handle, now: UnixMs) -> Found {
        let key = (tenant.clone(), handle.clone());
        match self.0.remembered(&key, now) {
            Some(entry) => Ok(entry.good_at(now)),
            None => self.fetch(key, now).await,
        }
    }

    /// The value after the other side has rejected the one with this version, as with a
    /// 401. It is read again, unless that has just been done. Where the version is still
    /// the same, its `former` may be what the other side knows; else there is nothing to
    /// try.
    ///
    /// # Errors
    /// As [`Secrets::resolve`].
    pub async fn refresh(
        &self,
        tenant: &Tenant,
        handle: &Handle,
        rejected: &Version,
        now: UnixMs,
    ) -> Found {
        let key = (tenant.clone(), handle.clone());
        let known = self.0.remembered(&key, now).filter(|entry| {
            entry.versioned.version != *rejected
                || entry.read_within(REFRESH_GAP_MS, now)
                || entry.waits_for_its_source(now)
        });
        match known {
            Some(entry) => Ok(entry.good_at(now)),
            None => self.fetch(key, now).await,
        }
    }

    /// Forgets every value. They are overwritten as soon as nobody uses them.
    pub fn forget(&self) {
        self.0.cache().clear();
    }

    /// Joins the look-up that is under way for this key, or begins one.
    async fn fetch(&self, key: Key, now: UnixMs) -> Found {
        let flight = {
            let mut flights = self.0.flights.lock().unwrap_or_else(PoisonError::into_inner);
            match flights.get(&key).and_then(WeakShared::upgrade) {
                Some(flight) => flight,
                None => {
                    // What nobody waits for any more does not go on; it only has a name here.
                    flights.retain(|_, flight| flight.upgrade().is_some());
                    let flight = begin(Arc::clone(&self.0), key.clone(), now);
                    if let Some(weak) = flight.downgrade() {
                        flights.insert(key, weak);
                    }
                    flight
                }
            }
        };
        flight.await
    }
}

/// One look-up for however many wait for it. It does not stop when the first of them
/// goes, and all of them get its answer, an error too.
fn begin(inner: Arc<Inner>, key: Key, now: UnixMs) -> Shared<Flight> {
    let flight = async move {
        let found = inner.look_up(&key, now).await;
        let mut flights = inner.flights.lock().unwrap_or_else(PoisonError::into_inner);
        flights.remove(&key);
        found
    };
    flight.boxed().shared()
}

impl Inner {
    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known and may still be used.
    fn remembered(&self, key: &Key, now: UnixMs) -> Option<Entry> {
        let entry = self.cache().get(key)?;
        let fresh = entry.is_fresh(self.limits.ttl_ms, now)
            && entry.mark == self.mark(&entry.place, key, now);
        let waits = entry.waits_for_its_source(now) && self.is_usable(&entry, now);
        (fresh || waits).then_some(entry)
    }

    /// Whether a value is not too old to be used while its source is out.
    fn is_usable(&self, entry: &Entry, now: UnixMs) -> bool {
        let oldest = self.limits.ttl_ms.saturating_add(self.limits.stale_ms_max);
        entry.read_within(oldest, now)
    }

    fn mark(&self, place: &Place, (_, handle): &Key, now: UnixMs) -> Option<crate::Mark> {
        let shelf = self.shelves.get(place.shelf)?;
        shelf.source.mark(&wanted(&place.owner, handle, now))
    }

    async fn look_up(&self, key: &Key, now: UnixMs) -> Found {
        let limited = async {
            // INVARIANT: nothing closes it, so an error here cannot come.
            let _room = self.room.acquire().await;
            self.ask_in_order(key, now).await
        };
        let found = tokio::time::timeout(Duration::from_millis(DEADLINE_MS), limited).await;
        let late = |_| Err(SecretError::unavailable(key.1.to_string(), "it took too long"));
        match found.unwrap_or_else(late) {
            Ok((versioned, place, mark)) => {
                let keeps_former = self.shelves[place.shelf].source.keeps_former();
                let overlap_ms = (!keeps_former).then_some(self.limits.overlap_ms);
                let entry = Entry::new(versioned, place, mark, now);
                let keep_ms = self.limits.ttl_ms.saturating_add(self.limits.stale_ms_max);
                Ok(self.cache().put(key.clone(), entry, overlap_ms, keep_ms, now))
            }
            Err(error @ SecretError::Unavailable { .. }) => self.without_source(key, error, now),
            Err(error) => {
                self.cache().remove(key);
                Err(error)
            }
        }
    }

    /// What is used while a source is out: the last value, where it is not too old.
    fn without_source(&self, key: &Key, error: SecretError, now: UnixMs) -> Found {
        let mut cache = self.cache();
        match cache.get(key).filter(|entry| self.is_usable(entry, now)) {
            Some(entry) => {
                cache.wait_for_source(key, now);
                tracing::warn!(secret = %key.1, %error, "using the last value of a secret");
                Ok(entry.good_at(now))
            }
            None => {
                cache.remove(key);
                Err(error)
            }
        }
    }

    /// Asks the sources, a tenant's own parts first.
    async fn ask_in_order(
        &self,
        (tenant, handle): &Key,
        now: UnixMs,
    ) -> Result<(Versioned, Place, Option<crate::Mark>), SecretError> {
        for place in self.places(tenant, handle) {
            let source = &self.shelves[place.shelf].source;
            let wanted = wanted(&place.owner, handle, now);
            // Before reading: a change in between is then seen the next time.
            let mark = source.mark(&wanted);
            if let Some(versioned) = source.read(&wanted).await? {
                return Ok((versioned, place, mark));
            }
        }
        // The same words whether it is nowhere, another tenant's or not granted.
        let hint = "set it with `windlass secrets set`, or grant the installation's to the tenant";
        Err(SecretError::Missing { what: handle.to_string(), hint: hint.to_owned() })
    }

    /// Where a tenant's handle may lead, in order.
    fn places(&self, tenant: &Tenant, handle: &Handle) -> Vec<Place> {
        let fits = |shelf: &Shelf| handle.kind.is_none_or(|kind| kind == shelf.source.kind());
        let shelves = || self.shelves.iter().enumerate().filter(|(_, shelf)| fits(shelf));
        let own = shelves().filter_map(|(at, shelf)| match &shelf.tenant {
            Some(whose) if whose == tenant => Some(Place { shelf: at, owner: Owner::Installation }),
            Some(_) => None,
            None => Some(Place { shelf: at, owner: Owner::Tenant(tenant.clone()) }),
        });
        let granted = self.grants.allow(tenant, &handle.name);
        let shared = shelves()
            .filter(|(_, shelf)| granted && shelf.tenant.is_none())
            .map(|(at, _)| Place { shelf: at, owner: Owner::Installation });
        own.chain(shared).collect()
    }
}

fn wanted<'a>(owner: &'a Owner, handle: &'a Handle, now: UnixMs) -> Wanted<'a> {
    Wanted { owner, name: &handle.name, field: handle.field.as_deref(), now }
}
