//! The encrypted file: secrets kept by windlass itself.
//!
//! A change reads the file whole, and replaces it whole under a lock; so a file that
//! cannot be read is never written over, and two processes never lose each other's
//! change. Nothing here returns a value but [`EncryptedFile::read`].

mod disk;
mod format;
mod key;
mod record;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use kernel::units::UnixMs;

use crate::environment::Variables;
use crate::error::SecretError;
use crate::field;
use crate::handle::{Kind, Name};
use crate::private;
use crate::sealed::Key;
use crate::source::{Former, Mark, Owner, Source, Version, Versioned, Wanted};
use crate::value::Secret;
use disk::Lock;
use format::{Document, Entry, Opened, Outer, Stored};
use key::Stretch;
pub use key::{KeySource, default_key_file};
pub use record::{Changed, Listed, Rotated};

/// The longest file, in bytes.
const FILE_BYTES_MAX: usize = 16 * 1_024 * 1_024;

/// The most entries in a file.
const ENTRIES_MAX: usize = 10_000;

/// The longest time for which a replaced value may stay good, in milliseconds: 30 days.
const OVERLAP_MS_MAX: u64 = 30 * 24 * 3_600 * 1_000;

/// An encrypted file and where its key comes from.
#[derive(Clone, Debug)]
pub struct EncryptedFile {
    path: PathBuf,
    key: KeySource,
    variables: Variables,
    /// The last key that came from a passphrase, because that takes long.
    stretched: Arc<Mutex<Option<Stretched>>>,
}

/// A key that came from a passphrase, and how.
#[derive(Debug)]
struct Stretched {
    stretch: Stretch,
    key: Key,
}

impl EncryptedFile {
    /// Reads nothing yet.
    #[must_use]
    pub fn new(path: PathBuf, key: KeySource, variables: Variables) -> Self {
        EncryptedFile { path, key, variables, stretched: Arc::default() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Sets a secret. A value that is there stays good for `overlap_ms` longer; with 0 it
    /// is gone at once. The file, and a key file, are made where there are none.
    ///
    /// # Errors
    /// As [`EncryptedFile::read`]; the file stays as it was.
    pub fn set(
        &self,
        owner: &Owner,
        name: &Name,
        value: &Secret,
        overlap_ms: u64,
        now: UnixMs,
    ) -> Result<Changed, SecretError> {
        if overlap_ms > OVERLAP_MS_MAX {
            let why = format!("a former value stays good for at most {OVERLAP_MS_MAX} ms");
            return Err(SecretError::unusable(name.as_str(), why));
        }
        disk::make_folder_of(&self.path)?;
        let lock = Lock::take(&self.path)?;
        let mut opened = match self.open()? {
            Some(opened) => opened,
            None => self.begin()?,
        };
        let document = &mut opened.document;
        let at = (owner.clone(), name.clone());
        if document.entries.len() >= ENTRIES_MAX && !document.entries.contains_key(&at) {
            return Err(SecretError::unusable(self.shown(), "it has no room for more entries"));
        }
        document.generation += 1;
        let version = document.generation;
        let current = Stored::seal(&opened.data_key, &at, version, value)?;
        let before = document.entries.remove(&at);
        let created = before.is_none();
        let entry = match before {
            None => Entry { created: now, changed: now, current, former: None },
            Some(before) => {
                let until = now.plus_ms(overlap_ms);
                let former = (overlap_ms > 0).then_some((before.current, until));
                Entry { created: before.created, changed: now, current, former }
            }
        };
        let former_until = entry.former.as_ref().map(|(_, until)| *until);
        document.entries.insert(at, entry);
        self.close(&mut opened, now, &lock)?;
        let key = opened.outer.key.id();
        Ok(Changed { created, former_until, ..Changed::new(owner, name, version, key) })
    }

    /// Takes a secret out, with its former value.
    ///
    /// # Errors
    /// [`SecretError::Missing`], or as [`EncryptedFile::read`].
    pub fn remove(&self, owner: &Owner, name: &Name, now: UnixMs) -> Result<Changed, SecretError> {
        let lock = self.lock_what_is_there(name)?;
        let mut opened = self.open()?.ok_or_else(|| self.missing(name))?;
        let at = (owner.clone(), name.clone());
        let removed = opened.document.entries.remove(&at).ok_or_else(|| self.missing(name))?;
        opened.document.generation += 1;
        self.close(&mut opened, now, &lock)?;
        Ok(Changed::new(owner, name, removed.current.version, opened.outer.key.id()))
    }

    /// What is there, without a value. An absent file is an empty one.
    ///
    /// # Errors
    /// As [`EncryptedFile::read`].
    pub fn list(&self, now: UnixMs) -> Result<Vec<Listed>, SecretError> {
        let Some(opened) = self.open()? else { return Ok(Vec::new()) };
        let entries = opened.document.entries.into_iter();
        let listed = entries.map(|((owner, name), entry)| Listed {
            tenant: owner.tenant().map(str::to_owned),
            name,
            version: Version(entry.current.version.to_string()),
            created: entry.created,
            changed: entry.changed,
            former_until: entry.former.map(|(_, until)| until).filter(|until| now < *until),
        });
        Ok(listed.collect())
    }

    /// A new data key, with every value encrypted anew; and where `to` is given, another
    /// key from outside. Former values that are over go.
    ///
    /// # Errors
    /// [`SecretError::Missing`] where there is no file, or as [`EncryptedFile::read`].
    pub fn rotate_key(&self, to: Option<&KeySource>, now: UnixMs) -> Result<Rotated, SecretError> {
        let nothing = || SecretError::Missing {
            what: self.shown(),
            hint: "there is no file yet; the first `windlass secrets set` makes it".to_owned(),
        };
        if !self.path.try_exists().map_err(|error| private::failed(&self.shown(), &error))? {
            return Err(nothing());
        }
        let lock = Lock::take(&self.path)?;
        let mut opened = self.open()?.ok_or_else(nothing)?;
        let old_key = opened.outer.key.id();
        if let Some(to) = to {
            let (key, stretch) = to.fresh(self.variables)?;
            opened.outer = Outer { key, stretch };
        }
        opened.document.generation += 1;
        let fresh = Key::generate()?;
        for (at, entry) in &mut opened.document.entries {
            self.seal_anew(&mut entry.current, at, &opened.data_key, &fresh)?;
            if let Some((stored, _)) = &mut entry.former {
                self.seal_anew(stored, at, &opened.data_key, &fresh)?;
            }
        }
        opened.data_key = fresh;
        self.close(&mut opened, now, &lock)?;
        let entries = opened.document.entries.len();
        Ok(Rotated { old_key, new_key: opened.outer.key.id(), entries })
    }

    /// A secret, or nothing where the file has none of this name, or is not there.
    ///
    /// # Errors
    /// [`SecretError::Denied`] by the file system, [`SecretError::Damaged`], or
    /// [`SecretError::Unusable`] with a wrong key or a newer format.
    pub fn read(&self, wanted: &Wanted<'_>) -> Result<Option<Versioned>, SecretError> {
        let Some(opened) = self.open()? else { return Ok(None) };
        let at = (wanted.owner.clone(), wanted.name.clone());
        let Some(entry) = opened.document.entries.get(&at) else { return Ok(None) };
        let current = self.value(&entry.current, &at, &opened.data_key, wanted)?;
        let version = |stored: &Stored| Version(stored.version.to_string());
        let former = entry.former.as_ref().filter(|(_, until)| wanted.now < *until);
        let former = former.and_then(|(stored, until)| {
            // A former value without the field that is wanted now is none.
            let value = self.value(stored, &at, &opened.data_key, wanted).ok()?;
            Some(Former { value, version: version(stored), until: *until })
        });
        Ok(Some(Versioned { former, ..Versioned::new(current, version(&entry.current)) }))
    }

    fn value(
        &self,
        stored: &Stored,
        at: &(Owner, Name),
        data_key: &Key,
        wanted: &Wanted<'_>,
    ) -> Result<Secret, SecretError> {
        let value = stored.open(data_key, at).ok_or_else(|| self.unopened(at))?;
        let Some(name) = wanted.field else { return Ok(value) };
        let unusable = |why| SecretError::unusable(wanted.shown(Kind::Enc), format!("{why}"));
        field::pick(value.expose(), name).map_err(unusable)
    }

    fn seal_anew(
        &self,
        stored: &mut Stored,
        at: &(Owner, Name),
        old: &Key,
        new: &Key,
    ) -> Result<(), SecretError> {
        let value = stored.open(old, at).ok_or_else(|| self.unopened(at))?;
        *stored = Stored::seal(new, at, stored.version, &value)?;
        Ok(())
    }

    /// Opens the file and checks all of it.
    fn open(&self) -> Result<Option<Opened>, SecretError> {
        // The content is encrypted: others may read it, for backups. What they change is
        // found out.
        let read = private::read(&self.path, None, FILE_BYTES_MAX)?;
        let Some(bytes) = read else { return Ok(None) };
        let unlock = |stretch: Option<&Stretch>| self.unlock(stretch);
        format::read(&bytes, &self.shown(), unlock).map(Some)
    }

    /// The key from outside; one from a passphrase is remembered.
    fn unlock(&self, stretch: Option<&Stretch>) -> Result<Key, SecretError> {
        let Some(stretch) = stretch else {
            return self.key.key(None, self.variables, &self.shown());
        };
        let mut last = self.stretched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = last.as_ref().filter(|known| known.stretch == *stretch) {
            return Ok(Key::of(known.key.bytes()));
        }
        let key = self.key.key(Some(stretch), self.variables, &self.shown())?;
        *last = Some(Stretched { stretch: stretch.clone(), key: Key::of(key.bytes()) });
        Ok(key)
    }

    /// A file that is not there yet.
    fn begin(&self) -> Result<Opened, SecretError> {
        let (key, stretch) = self.key.fresh(self.variables)?;
        let outer = Outer { key, stretch };
        Ok(Opened { document: Document::default(), data_key: Key::generate()?, outer })
    }

    /// Writes the file, without former values that are over.
    fn close(&self, opened: &mut Opened, now: UnixMs, lock: &Lock) -> Result<(), SecretError> {
        for entry in opened.document.entries.values_mut() {
            entry.former.take_if(|(_, until)| *until <= now);
        }
        let bytes = format::write(opened)?;
        if bytes.len() > FILE_BYTES_MAX {
            let why = format!("it would be longer than {FILE_BYTES_MAX} bytes");
            return Err(SecretError::unusable(self.shown(), why));
        }
        disk::replace(&self.path, &bytes, lock)
    }

    /// The lock for a change that makes no file.
    fn lock_what_is_there(&self, name: &Name) -> Result<Lock, SecretError> {
        match self.path.try_exists() {
            Ok(true) => Lock::take(&self.path),
            Ok(false) => Err(self.missing(name)),
            Err(error) => Err(private::failed(&self.shown(), &error)),
        }
    }

    fn missing(&self, name: &Name) -> SecretError {
        SecretError::Missing {
            what: format!("{}:{name}", Kind::Enc.word()),
            hint: "`windlass secrets list` shows what is there".to_owned(),
        }
    }

    fn unopened(&self, (owner, name): &(Owner, Name)) -> SecretError {
        SecretError::damaged(self.shown(), format!("`{name}` of {owner} cannot be opened"))
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }
}

#[async_trait]
impl Source for EncryptedFile {
    fn kind(&self) -> Kind {
        Kind::Enc
    }

    async fn read(&self, wanted: &Wanted<'_>) -> Result<Option<Versioned>, SecretError> {
        // On a thread of its own: a passphrase takes a while, and so does a long file.
        let (file, owner, name) = (self.clone(), wanted.owner.clone(), wanted.name.clone());
        let (field, now) = (wanted.field.map(str::to_owned), wanted.now);
        let reading = tokio::task::spawn_blocking(move || {
            let field = field.as_deref();
            EncryptedFile::read(&file, &Wanted { owner: &owner, name: &name, field, now })
        });
        let lost = |_| SecretError::unavailable(self.shown(), "reading it was given up");
        reading.await.map_err(lost)?
    }

    fn mark(&self, _: &Wanted<'_>) -> Option<Mark> {
        std::fs::metadata(&self.path).ok().map(|meta| private::mark(&meta))
    }

    fn keeps_former(&self) -> bool {
        true
    }
}
