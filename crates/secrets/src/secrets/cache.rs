//! Values that were read, with their age and a limit on their bytes.

use std::collections::BTreeMap;

use kernel::units::{Tenant, UnixMs};

use crate::handle::Handle;
use crate::source::{Former, Mark, Owner, Versioned};

/// What a value is kept under: no two tenants share an entry.
pub(super) type Key = (Tenant, Handle);

/// What an entry takes beside its texts and values, in bytes, roughly.
const ENTRY_BYTES: usize = 512;

/// How long a source that was out is not asked again for a value that is still known, in
/// milliseconds.
const SOURCE_REST_MS: u64 = 5_000;

/// Where a value was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) shelf: usize,
    pub(super) owner: Owner,
}

/// A value that was read.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) versioned: Versioned,
    pub(super) place: Place,
    pub(super) mark: Option<Mark>,
    read_at: UnixMs,
    rests_until: UnixMs,
    used: u64,
}

impl Entry {
    pub(super) fn new(
        versioned: Versioned,
        place: Place,
        mark: Option<Mark>,
        read_at: UnixMs,
    ) -> Self {
        Entry { versioned, place, mark, read_at, rests_until: UnixMs(0), used: 0 }
    }

    /// Whether it was read in the last `ms` milliseconds. A clock that was set back makes
    /// no value young.
    pub(super) fn read_within(&self, ms: u64, now: UnixMs) -> bool {
        self.read_at <= now && now < self.read_at.plus_ms(ms)
    }

    /// Whether its source need not be asked again yet.
    pub(super) fn is_fresh(&self, ttl_ms: u64, now: UnixMs) -> bool {
        self.read_within(self.versioned.fresh_ms.unwrap_or(u64::MAX).min(ttl_ms), now)
    }

    /// Whether its source was out a moment ago.
    pub(super) fn waits_for_its_source(&self, now: UnixMs) -> bool {
        now < self.rests_until
    }

    /// The value without a former one that is over.
    pub(super) fn good_at(&self, now: UnixMs) -> Versioned {
        let mut versioned = self.versioned.clone();
        versioned.former.take_if(|former| former.until <= now);
        versioned
    }

    fn bytes(&self, (tenant, handle): &Key) -> usize {
        let former = self.versioned.former.as_ref();
        let values = self.versioned.value.length_bytes()
            + former.map_or(0, |former| former.value.length_bytes());
        let field = handle.field.as_ref().map_or(0, String::len);
        ENTRY_BYTES + values + tenant.0.len() + handle.name.as_str().len() + field
    }
}

/// The entries, and how much they take.
#[derive(Debug)]
pub(super) struct Cache {
    entries: BTreeMap<Key, Entry>,
    bytes: usize,
    bytes_max: usize,
    uses: u64,
}

impl Cache {
    pub(super) fn new(bytes_max: usize) -> Self {
        Cache { entries: BTreeMap::new(), bytes: 0, bytes_max, uses: 0 }
    }

    pub(super) fn get(&mut self, key: &Key) -> Option<Entry> {
        let entry = self.entries.get_mut(key)?;
        self.uses += 1;
        entry.used = self.uses;
        Some(entry.clone())
    }

    /// Keeps a value that was just read, and gives it back with the one before. Where the
    /// source does not keep those itself, the last one that was seen in the same place
    /// stays good for `overlap_ms`. What was read longer ago than `keep_ms` goes.
    pub(super) fn put(
        &mut self,
        key: Key,
        mut entry: Entry,
        overlap_ms: Option<u64>,
        keep_ms: u64,
        now: UnixMs,
    ) -> Versioned {
        let before = self.remove(&key).filter(|before| before.place == entry.place);
        if let (Some(overlap_ms), Some(before)) = (overlap_ms, before) {
            entry.versioned.former = former(before.versioned, &entry.versioned, overlap_ms, now);
        }
        self.drop_where(|entry| !entry.read_within(keep_ms, now));
        let (versioned, bytes) = (entry.good_at(now), entry.bytes(&key));
        if bytes > self.bytes_max {
            return versioned;
        }
        while self.bytes.saturating_add(bytes) > self.bytes_max {
            let Some(oldest) = self.entries.values().map(|entry| entry.used).min() else { break };
            self.drop_where(|entry| entry.used == oldest);
        }
        self.uses += 1;
        entry.used = self.uses;
        self.bytes += bytes;
        self.entries.insert(key, entry);
        versioned
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        self.bytes -= entry.bytes(key);
        Some(entry)
    }

    /// Notes that the source of a value is out.
    pub(super) fn wait_for_source(&mut self, key: &Key, now: UnixMs) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.rests_until = now.plus_ms(SOURCE_REST_MS);
        }
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }

    fn drop_where(&mut self, gone: impl Fn(&Entry) -> bool) {
        self.entries.retain(|_, entry| !gone(entry));
        self.bytes = self.entries.iter().map(|(key, entry)| entry.bytes(key)).sum();
    }
}

/// The value before this one: the last that was seen, or the one before it where nothing
/// has changed.
fn former(before: Versioned, new: &Versioned, overlap_ms: u64, now: UnixMs) -> Option<Former> {
    if before.version == new.version {
        return before.former;
    }
    let until = now.plus_ms(overlap_ms);
    (overlap_ms > 0).then_some(Former { value: before.value, version: before.version, until })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Version;
    use crate::value::Secret;

    fn key(name: &str) -> Key {
        (Tenant("acme".to_owned()), format!("secret://{name}").parse().unwrap())
    }

    fn entry(length: usize) -> Entry {
        let value = Secret::new(vec![7; length]).unwrap();
        let place = Place { shelf: 0, owner: Owner::Installation };
        Entry::new(Versioned::new(value, Version("1".to_owned())), place, None, UnixMs(0))
    }

    #[test]
    fn the_least_used_go_first_and_the_limit_holds() {
        let mut cache = Cache::new(3 * (ENTRY_BYTES + 1_000 + 5));
        let put = |cache: &mut Cache, name: &str, length| {
            cache.put(key(name), entry(length), None, 1_000, UnixMs(0));
            assert!(cache.bytes <= cache.bytes_max);
        };
        for name in ["a", "b", "c"] {
            put(&mut cache, name, 1_000);
        }
        assert!(cache.get(&key("a")).is_some());
        put(&mut cache, "d", 1_000);
        assert!(cache.get(&key("b")).is_none(), "the least used stays");
        assert!(cache.get(&key("a")).is_some() && cache.get(&key("c")).is_some());
        put(&mut cache, "big", 60_000);
        assert!(cache.get(&key("big")).is_none(), "what does not fit is kept");
        assert_eq!(cache.entries.len(), 3, "what does not fit drives others out");
    }

    #[test]
    fn values_do_not_stay_past_their_time() {
        let mut cache = Cache::new(100_000);
        cache.put(key("old"), entry(10), None, 1_000, UnixMs(0));
        let later = Entry { read_at: UnixMs(1_000), ..entry(10) };
        cache.put(key("new"), later, None, 1_000, UnixMs(1_000));
        assert!(cache.get(&key("old")).is_none());
        assert_eq!(cache.bytes, cache.entries.iter().map(|(k, e)| e.bytes(k)).sum::<usize>());
    }
}
