//! The lines of an encrypted file.
//!
//! ```text
//! windlass-secrets 1
//! {"generation":7,"key":{"id":"…"},"data_key":"…","entries":2}
//! {"name":"smtp","version":3,…,"sealed":"…"}
//! {"tenant":"acme","name":"stripe","version":7,…,"sealed":"…","former":{…}}
//! seal …
//! ```
//! The key from outside opens the data key, the data key opens the values. Each value is
//! bound to its tenant, name and version; the seal is a keyed hash of all bytes before
//! it. So no entry can be changed, moved, left out or taken from an older file, and a
//! file is read as a whole or not at all.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::units::{Tenant, UnixMs};
use serde::{Deserialize, Serialize};

use super::key::Stretch;
use crate::error::SecretError;
use crate::handle::Name;
use crate::sealed::{Key, KeyId, binding, open, seal};
use crate::source::Owner;
use crate::value::Secret;

/// What the first line begins with.
const MAGIC: &str = "windlass-secrets ";

/// The format that is written, and the newest that is read.
const FORMAT: u64 = 1;

/// What the last line begins with.
const SEAL: &str = "seal ";

/// What is in a file, with its values still sealed.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// Grows by one with each change of the file.
    pub(super) generation: u64,
    /// The entries, in the order of the file.
    pub(super) entries: BTreeMap<(Owner, Name), Entry>,
}

/// One secret.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) created: UnixMs,
    pub(super) changed: UnixMs,
    pub(super) current: Stored,
    pub(super) former: Option<(Stored, UnixMs)>,
}

/// One sealed value. Versions are generations of the file, so that a name that was
/// removed and set again does not repeat one.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) version: u64,
    sealed: Vec<u8>,
}

impl Stored {
    pub(super) fn seal(
        data_key: &Key,
        at: &(Owner, Name),
        version: u64,
        value: &Secret,
    ) -> Result<Self, SecretError> {
        let sealed = seal(data_key, &bound(at, version), value.expose())?;
        Ok(Stored { version, sealed })
    }

    pub(super) fn open(&self, data_key: &Key, at: &(Owner, Name)) -> Option<Secret> {
        Secret::new(open(data_key, &bound(at, self.version), &self.sealed)?).ok()
    }
}

/// What a sealed value is bound to.
fn bound((owner, name): &(Owner, Name), version: u64) -> Vec<u8> {
    let (whose, tenant) = match owner {
        Owner::Installation => ("installation", ""),
        Owner::Tenant(Tenant(id)) => ("tenant", id.as_str()),
    };
    let words = ["windlass secrets 1: value", whose, tenant, name.as_str()].map(str::as_bytes);
    let [purpose, whose, tenant, name] = words;
    binding(&[purpose, whose, tenant, name, &version.to_le_bytes()])
}

/// The key from outside, and how it comes from a passphrase where it does.
#[derive(Debug)]
pub(super) struct Outer {
    pub(super) key: Key,
    pub(super) stretch: Option<Stretch>,
}

/// An opened file.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) document: Document,
    pub(super) data_key: Key,
    pub(super) outer: Outer,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderLine {
    generation: u64,
    key: KeyLine,
    data_key: String,
    entries: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyLine {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    argon2id: Option<Stretch>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryLine {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenant: Option<Tenant>,
    name: Name,
    version: u64,
    created: UnixMs,
    changed: UnixMs,
    sealed: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    former: Option<FormerLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FormerLine {
    version: u64,
    until: UnixMs,
    sealed: String,
}

/// What the data key is bound to when it is sealed.
fn bound_data_key(stretch: Option<&Stretch>) -> Result<Vec<u8>, SecretError> {
    let stretch = stretch.map(line).transpose()?.unwrap_or_default();
    Ok(binding(&[b"windlass secrets 1: data key", stretch.as_bytes()]))
}

fn line<T: Serialize>(shape: &T) -> Result<String, SecretError> {
    let failed = |why: serde_json::Error| SecretError::unusable("the secrets", why.to_string());
    serde_json::to_string(shape).map_err(failed)
}

/// The hash of everything before the last line.
fn seal_of(data_key: &Key, content: &[u8]) -> blake3::Hash {
    let key = data_key.derive("windlass secrets 1: seal of a file");
    blake3::keyed_hash(key.bytes(), content)
}

/// The bytes of a file.
pub(super) fn write(opened: &Opened) -> Result<Vec<u8>, SecretError> {
    let Opened { document, data_key, outer } = opened;
    let stretch = outer.stretch.as_ref();
    let wrapped = seal(&outer.key, &bound_data_key(stretch)?, data_key.bytes())?;
    let header = HeaderLine {
        generation: document.generation,
        key: KeyLine { id: outer.key.id().0, argon2id: stretch.cloned() },
        data_key: STANDARD.encode(wrapped),
        entries: document.entries.len(),
    };
    let mut text = format!("{MAGIC}{FORMAT}\n{}\n", line(&header)?);
    for ((owner, name), entry) in &document.entries {
        let former = entry.former.as_ref().map(|(stored, until)| FormerLine {
            version: stored.version,
            until: *until,
            sealed: STANDARD.encode(&stored.sealed),
        });
        let entry = EntryLine {
            tenant: match owner {
                Owner::Installation => None,
                Owner::Tenant(tenant) => Some(tenant.clone()),
            },
            name: name.clone(),
            version: entry.current.version,
            created: entry.created,
            changed: entry.changed,
            sealed: STANDARD.encode(&entry.current.sealed),
            former,
        };
        text.push_str(&line(&entry)?);
        text.push('\n');
    }
    let hash = seal_of(data_key, text.as_bytes());
    text.push_str(&format!("{SEAL}{}\n", STANDARD.encode(hash.as_bytes())));
    Ok(text.into_bytes())
}

/// Reads a file. `unlock` gives the key for what the header says about it.
pub(super) fn read(
    bytes: &[u8],
    file: &str,
    unlock: impl FnOnce(Option<&Stretch>) -> Result<Key, SecretError>,
) -> Result<Opened, SecretError> {
    let damaged = |why: &str| SecretError::damaged(file, why);
    let cut = || damaged("it was cut off\nhint: put a copy back; it is not written over");
    let after_magic = magic(bytes, file)?.ok_or_else(cut)?;
    let text = std::str::from_utf8(bytes).map_err(|_| damaged("it is not text any more"))?;
    let body = text.strip_suffix('\n').ok_or_else(cut)?;
    let (content, sealed) = body.rsplit_once('\n').ok_or_else(cut)?;
    let sealed = sealed.strip_prefix(SEAL).ok_or_else(cut)?;
    // With the line end that the seal counts in.
    let content = &text[..=content.len()];
    let mut lines = content[after_magic..].lines();
    let header = lines.next().ok_or_else(cut)?;
    let header: HeaderLine =
        serde_json::from_str(header).map_err(|_| damaged("its header is not one"))?;
    let outer =
        Outer { key: unlock(header.key.argon2id.as_ref())?, stretch: header.key.argon2id.clone() };
    let data_key = data_key(&header, &outer, file)?;
    let hash = STANDARD.decode(sealed).ok().and_then(|hash| blake3::Hash::from_slice(&hash).ok());
    let whole = hash == Some(seal_of(&data_key, content.as_bytes()));
    let suspected = (!whole).then_some(&data_key);
    let entries = entries(lines, suspected, file)?;
    if !whole || entries.len() != header.entries {
        let why = "its entries open, but its seal does not fit them: something was changed, \
                   left out or put back";
        return Err(damaged(why));
    }
    let document = Document { generation: header.generation, entries };
    Ok(Opened { document, data_key, outer })
}

/// The length of the first line; nothing where the file ends within it.
fn magic(bytes: &[u8], file: &str) -> Result<Option<usize>, SecretError> {
    let begin = &bytes[..bytes.len().min(MAGIC.len())];
    if begin != &MAGIC.as_bytes()[..begin.len()] {
        return Err(SecretError::damaged(file, "it does not begin as a file of secrets does"));
    }
    let Some(end) = bytes.iter().position(|b| *b == b'\n') else { return Ok(None) };
    let format = std::str::from_utf8(&bytes[MAGIC.len()..end]).ok();
    match format.and_then(|digits| digits.parse().ok().filter(|n: &u64| n.to_string() == digits)) {
        Some(FORMAT) => Ok(Some(end + 1)),
        Some(newer) if newer > FORMAT => {
            let why = format!(
                "it has format {newer}, and this program reads up to {FORMAT}\nhint: use a newer windlass"
            );
            Err(SecretError::unusable(file, why))
        }
        Some(_) | None => Err(SecretError::damaged(file, "its format is not a number")),
    }
}

/// Opens the data key, or tells a wrong key from a changed header.
fn data_key(header: &HeaderLine, outer: &Outer, file: &str) -> Result<Key, SecretError> {
    let KeyId(ours) = outer.key.id();
    let bound = bound_data_key(outer.stretch.as_ref())?;
    let sealed = STANDARD.decode(&header.data_key).unwrap_or_default();
    let opened = open(&outer.key, &bound, &sealed).and_then(|key| Key::of_slice(&key));
    match (opened, ours == header.key.id) {
        (Some(key), true) => Ok(key),
        (None, false) => {
            let theirs: String = header.key.id.chars().take(16).collect();
            let why = format!(
                "this is the wrong key: it is locked with key {theirs}, and this is {ours}"
            );
            Err(SecretError::unusable(file, why))
        }
        (Some(_), false) | (None, true) => {
            Err(SecretError::damaged(file, "its header was changed"))
        }
    }
}

/// Reads the entries. Where the seal does not fit, `suspected` is the key that finds the
/// ones that are not what was written; else no value is opened.
fn entries<'a>(
    lines: impl Iterator<Item = &'a str>,
    suspected: Option<&Key>,
    file: &str,
) -> Result<BTreeMap<(Owner, Name), Entry>, SecretError> {
    let mut entries = BTreeMap::new();
    let mut bad = Vec::new();
    for (number, line) in (1..).zip(lines) {
        match entry(line) {
            None => bad.push(format!("entry {number}")),
            Some((at, entry)) => {
                let opens = |stored: &Stored| {
                    suspected.is_none_or(|data_key| stored.open(data_key, &at).is_some())
                };
                let former = entry.former.as_ref();
                if !opens(&entry.current) || !former.is_none_or(|(stored, _)| opens(stored)) {
                    bad.push(format!("entry {number} (`{}` of {})", at.1, at.0));
                }
                entries.insert(at, entry);
            }
        }
    }
    if bad.is_empty() {
        return Ok(entries);
    }
    bad.truncate(5);
    Err(SecretError::damaged(file, format!("{} cannot be opened", bad.join(", "))))
}

fn entry(line: &str) -> Option<((Owner, Name), Entry)> {
    let line: EntryLine = serde_json::from_str(line).ok()?;
    let stored =
        |version, sealed: &str| Some(Stored { version, sealed: STANDARD.decode(sealed).ok()? });
    let former = match &line.former {
        None => None,
        Some(former) => Some((stored(former.version, &former.sealed)?, former.until)),
    };
    let current = stored(line.version, &line.sealed)?;
    let owner = line.tenant.map_or(Owner::Installation, Owner::Tenant);
    let entry = Entry { created: line.created, changed: line.changed, current, former };
    Some(((owner, line.name), entry))
}
