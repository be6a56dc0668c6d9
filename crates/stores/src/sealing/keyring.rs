//! Where the keys of tenants come from: derived from one key of the installation's, which
//! is looked up when it is needed and kept nowhere.
//!
//! A tenant's key is BLAKE3's key derivation, in a context of its own, over the
//! installation's 32 bytes and the tenant's name. A session's key is random. It is kept
//! wrapped under its tenant's, with the id of the installation's key before it, so that a
//! missing or another key is told by name and never taken for damage.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use engine::ports::StoreError;
use kernel::units::{SessionId, Tenant};
use secrets::envelope::{SessionKey, TenantKey};
use secrets::{Key, Secret, SecretError};
use zeroize::Zeroizing;

/// What the derivation of tenants' keys is for. It never changes.
const TENANT_CONTEXT: &str = "windlass sealing 1: key of a tenant";

/// What a wrapped key begins with: the format of this module.
const FORMAT: u8 = 1;

/// The length of a key, in bytes.
const KEY_BYTES: usize = 32;

/// The length of a key's id, in bytes.
const KEY_ID_BYTES: usize = 16;

/// The most keys of one ring.
const KEYS_MAX: usize = 16;

/// Looks up the installation's key for a tenant: 32 bytes in base64.
pub type Fetch = Arc<
    dyn Fn(Tenant) -> Pin<Box<dyn Future<Output = Result<Secret, SecretError>> + Send>>
        + Send
        + Sync,
>;

/// The installation's keys: the one that seals, and those that only open.
#[derive(Clone, Default)]
pub struct Keyring {
    /// The first seals new sessions. Empty: new sessions are not sealed.
    keys: Vec<Fetch>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({} keys)", self.keys.len())
    }
}

impl Keyring {
    /// No key: what was sealed stays closed, new sessions are kept in the clear.
    #[must_use]
    pub fn empty() -> Self {
        Keyring::default()
    }

    /// New sessions are sealed under `key`. Those under one of `former` can still be opened
    /// and go on. No more than 15 of those are asked.
    #[must_use]
    pub fn new(key: Fetch, former: Vec<Fetch>) -> Self {
        let keys = std::iter::once(key).chain(former).take(KEYS_MAX).collect();
        Keyring { keys }
    }

    /// A key that is there already, for tests and tools.
    #[must_use]
    pub fn of(key: Secret) -> Self {
        let fetch = move |_| {
            let key = key.clone();
            Box::pin(async move { Ok(key) }) as Pin<Box<dyn Future<Output = _> + Send>>
        };
        Keyring::new(Arc::new(fetch), Vec::new())
    }

    /// A new key for a session, and the same wrapped. `None`: the ring is empty.
    pub(super) async fn fresh(
        &self,
        tenant: &Tenant,
        session: SessionId,
    ) -> Result<Option<(SessionKey, Bytes)>, StoreError> {
        let Some(first) = self.keys.first() else { return Ok(None) };
        let master = Master::fetch(first, tenant).await.map_err(|why| missing(session, &why))?;
        let made = SessionKey::generate().and_then(|key| {
            let wrapped = master.of(tenant).wrap(&key, &place(tenant, &session))?;
            Ok((key, wrapped))
        });
        let (key, wrapped) = made.map_err(|why| StoreError::Unavailable(why.to_string()))?;
        Ok(Some((key, [&[FORMAT], master.id.as_bytes(), &wrapped].concat().into())))
    }

    /// The key in what [`Keyring::fresh`] made.
    pub(super) async fn unwrap(
        &self,
        tenant: &Tenant,
        session: SessionId,
        wrapped: &[u8],
    ) -> Result<SessionKey, StoreError> {
        let (wanted, wrapped) = labelled(session, wrapped)?;
        let (mut others, mut failed) = (Vec::new(), None);
        for fetch in &self.keys {
            match Master::fetch(fetch, tenant).await {
                Ok(master) if master.id == wanted => {
                    let key = master.of(tenant).unwrap(wrapped, &place(tenant, &session));
                    return key.map_err(|why| damaged(session, &why.to_string()));
                }
                Ok(master) => others.push(master.id),
                Err(why) => failed = Some(why),
            }
        }
        Err(match failed {
            Some(why) => missing(session, &why),
            None => locked(session, wanted, &others),
        })
    }
}

/// The installation's key for a moment.
struct Master {
    id: String,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

impl Master {
    async fn fetch(fetch: &Fetch, tenant: &Tenant) -> Result<Self, SecretError> {
        let secret = fetch(tenant.clone()).await?;
        Master::read(secret.expose()).ok_or_else(|| SecretError::Unusable {
            what: "the key of `encryption`".to_owned(),
            why: "it is not 32 bytes in base64\nhint: `openssl rand -base64 32` makes one"
                .to_owned(),
        })
    }

    fn read(text: &[u8]) -> Option<Self> {
        let id = Key::read(text)?.id().0;
        // Sized beforehand, so that no copy of the key is left behind by growing.
        let mut room = Zeroizing::new([0; KEY_BYTES + 4]);
        let length = STANDARD.decode_slice(text.trim_ascii(), room.as_mut_slice()).ok()?;
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        bytes.copy_from_slice(room.get(..length).filter(|key| key.len() == KEY_BYTES)?);
        Some(Master { id, bytes })
    }

    /// A tenant's key. The installation's has one length, so that no two pairs of key and
    /// name make the same material.
    fn of(&self, tenant: &Tenant) -> TenantKey {
        let mut material = Zeroizing::new(Vec::with_capacity(KEY_BYTES + tenant.0.len()));
        material.extend_from_slice(self.bytes.as_slice());
        material.extend_from_slice(tenant.0.as_bytes());
        let derived = Zeroizing::new(blake3::derive_key(TENANT_CONTEXT, &material));
        let written = Key::of(&derived).written();
        TenantKey::read(written.as_bytes()).expect("INVARIANT: a key reads back as it was written")
    }
}

/// What a wrapped key is bound to.
fn place<'a>(tenant: &'a Tenant, session: &'a SessionId) -> [&'a [u8]; 2] {
    [tenant.0.as_bytes(), session.0.as_bytes()]
}

/// The id of the key that is needed, and what it wraps.
fn labelled(session: SessionId, wrapped: &[u8]) -> Result<(&str, &[u8]), StoreError> {
    let unreadable = || damaged(session, "it has no form that is known here");
    let (&FORMAT, rest) = wrapped.split_first().ok_or_else(unreadable)? else {
        return Err(unreadable());
    };
    let (id, wrapped) = rest.split_at_checked(KEY_ID_BYTES).ok_or_else(unreadable)?;
    Ok((std::str::from_utf8(id).map_err(|_| unreadable())?, wrapped))
}

fn damaged(session: SessionId, why: &str) -> StoreError {
    StoreError::Damaged(format!("the wrapped key of session {session} cannot be opened: {why}"))
}

fn locked(session: SessionId, wanted: &str, others: &[String]) -> StoreError {
    let have = match others {
        [] => "no key is configured".to_owned(),
        others => format!("configured is {}", others.join(", ")),
    };
    let why = format!(
        "it needs the key {wanted}, and {have}\nhint: name that key under `encryption` in the \
         installation's file, as `key` or in `former`; nothing was changed"
    );
    StoreError::Locked { session, why }
}

/// The key could not be looked up.
fn missing(session: SessionId, why: &SecretError) -> StoreError {
    match why {
        SecretError::Unavailable { .. } => {
            StoreError::Unavailable(format!("the key of `encryption`: {why}"))
        }
        SecretError::Missing { .. }
        | SecretError::Denied { .. }
        | SecretError::Damaged { .. }
        | SecretError::Unusable { .. } => {
            StoreError::Locked { session, why: format!("its key cannot be had: {why}") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_tenants_are_derived_and_differ() {
        // Fixed for ever: sessions that were sealed must open with every later version.
        let master = Master::read(STANDARD.encode([7; 32]).as_bytes()).unwrap();
        let id = |name: &str| master.of(&Tenant(name.to_owned())).id().0;
        assert_eq!(id("acme"), "0eaa3952cc8b4b67");
        assert_ne!(id("acme"), id("acme "));
        let other = Master::read(STANDARD.encode([8; 32]).as_bytes()).unwrap();
        assert_ne!(other.of(&Tenant("acme".to_owned())).id().0, id("acme"));
    }

    #[test]
    fn what_is_not_32_bytes_in_base64_is_no_key() {
        for wrong in ["", "x", "AAAA", &STANDARD.encode([7; 31]), &STANDARD.encode([7; 33])] {
            assert!(Master::read(wrong.as_bytes()).is_none(), "{wrong}");
        }
        assert!(Master::read(format!(" {}\n", STANDARD.encode([7; 32])).as_bytes()).is_some());
    }

    #[test]
    fn a_ring_shows_nothing_of_its_keys() {
        let ring = Keyring::of(Secret::of_text(STANDARD.encode([7; 32])).unwrap());
        assert_eq!(format!("{ring:?}"), "Keyring(1 keys)");
    }
}
