//! Signing where a chain ends, so that nobody who can write the store can rewrite what was
//! exported. Ed25519; the key is a file beside the store's database, readable by its owner.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context as _;
use engine::audit::ChainHead;
use kernel::units::{Tenant, UnixMs};
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

/// The file of the signing key in the store's folder.
const KEY_FILE: &str = "audit.key";

/// A head with proof of who exported it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SignedHead {
    /// Whose chain it is.
    pub(super) tenant: Tenant,
    /// Where the exported part begins: the number and hash before its first entry.
    pub(super) first: ChainHead,
    /// Where it ends.
    pub(super) last: ChainHead,
    /// When it was exported.
    pub(super) at: UnixMs,
    /// The key, 64 hexadecimal digits.
    pub(super) public_key: String,
    /// The signature, 128 hexadecimal digits.
    pub(super) signature: String,
}

/// What is signed: all of a head but the signature, in one fixed form.
fn message(head: &SignedHead) -> String {
    let SignedHead { tenant, first, last, at, .. } = head;
    format!(
        "windlass audit head\n{}\n{} {}\n{} {}\n{}",
        tenant.0, first.seq, first.hash, last.seq, last.hash, at.0
    )
}

/// Signs where a chain ends, with the store's key; makes that at the first time.
///
/// # Errors
/// The key cannot be read or made.
pub(super) fn sign(
    store: &Path,
    tenant: &Tenant,
    (first, last): (ChainHead, ChainHead),
    at: UnixMs,
) -> anyhow::Result<SignedHead> {
    let pair = key_pair(&store.join(KEY_FILE))?;
    let mut head = SignedHead {
        tenant: tenant.clone(),
        first,
        last,
        at,
        public_key: hex(pair.public_key().as_ref()),
        signature: String::new(),
    };
    head.signature = hex(pair.sign(message(&head).as_bytes()).as_ref());
    Ok(head)
}

/// Whether the signature is that of the key that the head names.
pub(super) fn is_signed(head: &SignedHead) -> bool {
    let (Some(key), Some(signature)) = (bytes(&head.public_key), bytes(&head.signature)) else {
        return false;
    };
    UnparsedPublicKey::new(&ED25519, key).verify(message(head).as_bytes(), &signature).is_ok()
}

fn key_pair(path: &Path) -> anyhow::Result<Ed25519KeyPair> {
    if !path.exists() {
        make_key(path).with_context(|| format!("cannot make `{}`", path.display()))?;
    }
    let bytes = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ed25519KeyPair::from_pkcs8(&bytes).map_err(|why| {
        let path = path.display();
        anyhow::anyhow!("`{path}` is no signing key: {why}\nput it aside; a new one is made then")
    })
}

fn make_key(path: &Path) -> anyhow::Result<()> {
    let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?;
    let mut options = std::fs::OpenOptions::new();
    // Of two exports at once one makes the key, and the other reads it.
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            file.write_all(key.as_ref())?;
            Ok(file.sync_all()?)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes();
    let pairs = digits.chunks(2).map(|pair| {
        let text = std::str::from_utf8(pair).ok().filter(|text| text.len() == 2)?;
        u8::from_str_radix(text, 16).ok()
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_bound_to_everything_that_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let tenant = Tenant("acme".to_owned());
        let empty = ChainHead::empty(&tenant);
        let last = ChainHead { seq: 9, ..empty };
        let head = sign(folder.path(), &tenant, (empty, last), UnixMs(7)).unwrap();
        assert!(is_signed(&head));
        let again = sign(folder.path(), &tenant, (empty, last), UnixMs(7)).unwrap();
        assert_eq!(head, again, "the key is kept");
        let changes: [fn(&mut SignedHead); 6] = [
            |head| head.tenant.0.push('x'),
            |head| head.last.seq += 1,
            |head| head.first.seq += 1,
            |head| head.last.hash = kernel::units::ContentHash::of(b"other"),
            |head| head.at.0 += 1,
            |head| head.signature.replace_range(..2, "zz"),
        ];
        for change in changes {
            let mut other = head.clone();
            change(&mut other);
            assert!(!is_signed(&other), "{other:?}");
        }
    }
}
