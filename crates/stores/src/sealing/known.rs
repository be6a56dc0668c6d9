//! Keys of sessions that were used before, so that they are not unwrapped for each piece.
//! Keys are overwritten in memory when they go. Nothing here is ever printed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::units::{SessionId, Tenant};
use secrets::envelope::SessionKey;

/// Sessions whose keys are remembered.
const SESSIONS_MAX: usize = 4_096;

/// A session's key; `None`: it is not sealed.
type Key = Option<Arc<SessionKey>>;

/// What is known of sessions. A session's key never changes.
#[derive(Default)]
pub(super) struct Known(Mutex<HashMap<(Tenant, SessionId), Key>>);

impl Known {
    fn keys(&self) -> MutexGuard<'_, HashMap<(Tenant, SessionId), Key>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a session. `None`: nothing.
    pub(super) fn get(&self, tenant: &Tenant, session: SessionId) -> Option<Key> {
        self.keys().get(&(tenant.clone(), session)).cloned()
    }

    pub(super) fn put(&self, tenant: &Tenant, session: SessionId, key: Key) {
        let mut keys = self.keys();
        if keys.len() >= SESSIONS_MAX {
            keys.clear();
        }
        keys.insert((tenant.clone(), session), key);
    }

    pub(super) fn forget(&self, tenant: &Tenant, session: SessionId) {
        self.keys().remove(&(tenant.clone(), session));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_no_more_than_its_bound_and_forgets() {
        let (known, tenant) = (Known::default(), Tenant("t".to_owned()));
        let session = |number| SessionId(uuid::Uuid::from_u128(number));
        for number in 0..10 * SESSIONS_MAX as u128 {
            known.put(&tenant, session(number), None);
            assert!(known.keys().len() <= SESSIONS_MAX);
        }
        let last = session(10 * SESSIONS_MAX as u128 - 1);
        assert!(known.get(&tenant, last).is_some());
        assert!(known.get(&Tenant("other".to_owned()), last).is_none(), "L27");
        known.forget(&tenant, last);
        assert!(known.get(&tenant, last).is_none());
    }
}
