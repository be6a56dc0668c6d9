//! Pieces of a session's content, each sealed for its own place.
//!
//! Where text is kept, a piece is `~` and base64: no JSON begins so. Where bytes are kept it
//! is `~` and the bytes themselves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use engine::audit::Entry;
use engine::ports::StoreError;
use kernel::units::{ContentHash, SessionId, Tenant};
use secrets::SecretError;
use secrets::envelope::{self, SessionKey};

/// What a sealed piece begins with.
const MARK: u8 = b'~';

/// Whether something looks like a sealed piece. What a person wrote may look like one too,
/// in a session that is not sealed.
pub(super) fn is_sealed(stored: &[u8]) -> bool {
    stored.first() == Some(&MARK)
}

/// Where a piece belongs: it opens there and nowhere else.
pub(super) struct Place {
    what: &'static str,
    parts: Vec<Vec<u8>>,
}

impl Place {
    fn new(what: &'static str, tenant: &Tenant, session: SessionId, more: &[&[u8]]) -> Self {
        let first = [what.as_bytes(), tenant.0.as_bytes(), session.0.as_bytes()];
        let parts = first.iter().chain(more).map(|part| part.to_vec()).collect();
        Place { what, parts }
    }

    /// The body of an event.
    pub(super) fn event(tenant: &Tenant, session: SessionId, seq: u64) -> Self {
        Place::new("event", tenant, session, &[&seq.to_le_bytes()])
    }

    /// The title of a session.
    pub(super) fn title(tenant: &Tenant, session: SessionId) -> Self {
        Place::new("title", tenant, session, &[])
    }

    /// A payload of a session.
    pub(super) fn payload(tenant: &Tenant, session: SessionId, hash: ContentHash) -> Self {
        Place::new("payload", tenant, session, &[&hash.0])
    }

    /// What people wrote in an entry about a session. The chain of the audit binds it to
    /// its entry as well.
    pub(super) fn audit(tenant: &Tenant, entry: &Entry) -> Option<Self> {
        let (at, event) = (entry.at.0.to_le_bytes(), entry.event.unwrap_or_default().to_le_bytes());
        let more: [&[u8]; 3] = [&at, &event, entry.action.as_bytes()];
        Some(Place::new("audit", tenant, entry.session?, &more))
    }

    /// Seals text as text.
    pub(super) fn seal(&self, key: &SessionKey, plain: &str) -> Result<String, StoreError> {
        self.seal_text(key, plain.as_bytes())
    }

    /// The text of what [`Place::seal`] made.
    pub(super) fn open(&self, key: &SessionKey, stored: &str) -> Result<String, StoreError> {
        let plain = self.open_text(key, stored.as_bytes())?;
        String::from_utf8(plain).map_err(|_| self.damaged("it is no text"))
    }

    /// Seals bytes as text.
    pub(super) fn seal_text(&self, key: &SessionKey, plain: &[u8]) -> Result<String, StoreError> {
        let sealed = self.sealed(key, plain)?;
        let mut text = String::with_capacity(1 + sealed.len().div_ceil(3) * 4);
        text.push(char::from(MARK));
        STANDARD_NO_PAD.encode_string(sealed, &mut text);
        Ok(text)
    }

    /// The bytes of what [`Place::seal_text`] made.
    pub(super) fn open_text(&self, key: &SessionKey, stored: &[u8]) -> Result<Vec<u8>, StoreError> {
        let text = self.unmarked(stored)?;
        let sealed =
            STANDARD_NO_PAD.decode(text).map_err(|_| self.damaged("it is cut or altered"))?;
        self.plain(key, &sealed)
    }

    /// Seals bytes as bytes.
    pub(super) fn seal_bytes(&self, key: &SessionKey, plain: &[u8]) -> Result<Bytes, StoreError> {
        Ok([&[MARK], self.sealed(key, plain)?.as_slice()].concat().into())
    }

    /// The bytes of what [`Place::seal_bytes`] made, which must have this hash.
    pub(super) fn open_bytes(
        &self,
        key: &SessionKey,
        stored: &[u8],
        hash: ContentHash,
    ) -> Result<Bytes, StoreError> {
        let plain = self.plain(key, self.unmarked(stored)?)?;
        if ContentHash::of(&plain) != hash {
            return Err(self.damaged("it does not have its hash"));
        }
        Ok(plain.into())
    }

    fn unmarked<'a>(&self, stored: &'a [u8]) -> Result<&'a [u8], StoreError> {
        stored.strip_prefix(&[MARK]).ok_or_else(|| self.damaged("it is not sealed"))
    }

    fn of(&self) -> Vec<&[u8]> {
        self.parts.iter().map(Vec::as_slice).collect()
    }

    fn sealed(&self, key: &SessionKey, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        envelope::seal(key, &self.of(), plain).map_err(|why| match why {
            SecretError::Unavailable { .. } => StoreError::Unavailable(why.to_string()),
            SecretError::Missing { .. }
            | SecretError::Denied { .. }
            | SecretError::Damaged { .. }
            | SecretError::Unusable { .. } => StoreError::Misused(why.to_string()),
        })
    }

    fn plain(&self, key: &SessionKey, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let opened = envelope::open(key, &self.of(), sealed);
        let mut plain = opened.map_err(|why| self.damaged(&why.to_string()))?;
        Ok(std::mem::take(&mut *plain))
    }

    fn damaged(&self, why: &str) -> StoreError {
        let what = self.what;
        StoreError::Damaged(format!("a sealed piece ({what}) cannot be opened: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use kernel::units::UnixMs;

    use super::*;

    #[test]
    fn a_piece_opens_in_its_own_place_alone() {
        let key = SessionKey::generate().unwrap();
        let (acme, bolt) = (Tenant("acme".to_owned()), Tenant("bolt".to_owned()));
        let [one, two] = [1, 2].map(|number| SessionId(uuid::Uuid::from_u128(number)));
        let mut entry = Entry::of(UnixMs(7), "tool.call", "read", "ada", "production");
        entry.session = Some(one);
        let later = Entry { event: Some(9), ..entry.clone() };
        let hash = ContentHash::of(b"plain");
        let places = [
            Place::event(&acme, one, 7),
            Place::event(&acme, one, 8),
            Place::event(&acme, two, 7),
            Place::event(&bolt, one, 7),
            Place::title(&acme, one),
            Place::title(&acme, two),
            Place::payload(&acme, one, hash),
            Place::payload(&acme, one, ContentHash::of(b"other")),
            Place::audit(&acme, &entry).unwrap(),
            Place::audit(&acme, &later).unwrap(),
        ];
        for (at, place) in places.iter().enumerate() {
            let text = place.seal(&key, "plain").unwrap();
            let bytes = place.seal_bytes(&key, b"plain").unwrap();
            assert!(text.starts_with('~') && is_sealed(&bytes));
            assert!(!text.contains("plain"));
            for (other_at, other) in places.iter().enumerate() {
                let (text, bytes) = (other.open(&key, &text), other.open_bytes(&key, &bytes, hash));
                assert_eq!((text.is_ok(), bytes.is_ok()), (at == other_at, at == other_at));
            }
        }
    }

    #[test]
    fn what_is_cut_altered_or_not_sealed_is_damage_and_no_garbage() {
        let key = SessionKey::generate().unwrap();
        let place = Place::title(&Tenant("acme".to_owned()), SessionId(uuid::Uuid::nil()));
        let sealed = place.seal(&key, "“plain”").unwrap();
        assert_eq!(place.open(&key, &sealed).unwrap(), "“plain”");
        for at in 0..sealed.len() {
            let mut altered = sealed.clone().into_bytes();
            altered[at] ^= 2;
            let altered = String::from_utf8(altered).unwrap();
            for wrong in [&sealed[..at], &altered] {
                let error = place.open(&key, wrong).unwrap_err();
                assert!(matches!(error, StoreError::Damaged(_)), "{at}: {error}");
            }
        }
    }
}
