//! Content under keys that can be destroyed.
use secrets::SecretError;
use secrets::envelope::{CONTENT_BYTES_MAX, SessionKey, TenantKey, open, seal};

const OF: &[&[u8]] = &[b"acme", b"session-1"];
const PLACE: &[&[u8]] = &[b"acme", b"session-1", b"7"];

#[test]
fn content_comes_back_through_both_keys() {
    let tenant = TenantKey::generate().unwrap();
    let session = SessionKey::generate().unwrap();
    let sealed = seal(&session, PLACE, b"what was said").unwrap();
    let wrapped = tenant.wrap(&session, OF).unwrap();
    drop(session);

    let tenant = TenantKey::read(tenant.written().as_bytes()).unwrap();
    let session = tenant.unwrap(&wrapped, OF).unwrap();
    assert_eq!(open(&session, PLACE, &sealed).unwrap().as_slice(), b"what was said");
    assert_eq!(open(&session, PLACE, &seal(&session, PLACE, b"").unwrap()).unwrap().len(), 0);
}

#[test]
fn nothing_opens_with_another_key_or_in_another_place() {
    let tenant = TenantKey::generate().unwrap();
    let session = SessionKey::generate().unwrap();
    let sealed = seal(&session, PLACE, b"content").unwrap();
    let wrapped = tenant.wrap(&session, OF).unwrap();
    let damaged =
        |error: SecretError| assert!(matches!(error, SecretError::Damaged { .. }), "{error}");

    let places: [&[&[u8]]; 4] = [
        &[b"acme", b"session-1", b"8"],
        &[b"acme", b"session-17"],
        &[b"bolt", b"session-1", b"7"],
        &[b"acmesession-1", b"", b"7"],
    ];
    for place in places {
        damaged(open(&session, place, &sealed).unwrap_err());
        damaged(tenant.unwrap(&wrapped, place).unwrap_err());
    }
    damaged(open(&SessionKey::generate().unwrap(), PLACE, &sealed).unwrap_err());
    damaged(TenantKey::generate().unwrap().unwrap(&wrapped, OF).unwrap_err());
}

#[test]
fn a_piece_with_any_byte_changed_or_cut_does_not_open() {
    let session = SessionKey::generate().unwrap();
    let tenant = TenantKey::generate().unwrap();
    let sealed = seal(&session, PLACE, b"content").unwrap();
    let wrapped = tenant.wrap(&session, OF).unwrap();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 0x40;
        assert!(open(&session, PLACE, &changed).is_err(), "byte {at}");
        assert!(open(&session, PLACE, &sealed[..at]).is_err(), "cut at {at}");
    }
    for at in 0..wrapped.len() {
        let mut changed = wrapped.clone();
        changed[at] ^= 0x40;
        assert!(tenant.unwrap(&changed, OF).is_err(), "byte {at}");
        assert!(tenant.unwrap(&wrapped[..at], OF).is_err(), "cut at {at}");
    }
    let newer = [[2].as_slice(), &sealed[1..]].concat();
    let error = open(&session, PLACE, &newer).unwrap_err();
    assert!(matches!(error, SecretError::Unusable { .. }), "{error}");
}

#[test]
fn content_has_a_limit() {
    let session = SessionKey::generate().unwrap();
    let error = seal(&session, PLACE, &vec![0; CONTENT_BYTES_MAX + 1]).unwrap_err();
    assert!(matches!(error, SecretError::Unusable { .. }), "{error}");
}
