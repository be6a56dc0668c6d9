//! Where the key of an encrypted file comes from: a file, the environment, a passphrase.

use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::disk;
use crate::environment::Variables;
use crate::error::SecretError;
use crate::private::{self, Permissions};
use crate::sealed::{KEY_BYTES, Key, random};
use crate::value::{Secret, without_line_end};

/// The longest key file, in bytes.
const KEY_FILE_BYTES_MAX: usize = 1_024;

/// Length of a salt, in bytes.
const SALT_BYTES: usize = 16;

/// What stretching a passphrase takes: the second choice of RFC 9106, section 4.
const MEMORY_KIB: u32 = 64 * 1_024;
const PASSES: u32 = 3;
const LANES: u32 = 4;

/// The most that a file may ask for, so that a changed one cannot eat the machine.
const MEMORY_KIB_MAX: u32 = 1_024 * 1_024;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 16;

/// The variable with the key, in base64.
const KEY_VARIABLE: &str = "WINDLASS_SECRETS_KEY";

/// The variable with a passphrase.
const PASSPHRASE_VARIABLE: &str = "WINDLASS_SECRETS_PASSPHRASE";

/// Where the key comes from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum KeySource {
    /// A file with 32 bytes in base64, for its owner alone. It is made when the first
    /// secret is set.
    File(PathBuf),
    /// An environment variable with the same.
    Env(String),
    /// An environment variable with a passphrase.
    PassphraseEnv(String),
    /// A passphrase that somebody typed.
    #[serde(skip)]
    Passphrase(Secret),
}

/// The key file where nobody names one: `windlass/secrets.key` in the user's folder for
/// configuration. It is not beside the data, so that a copy of the data has no key in it.
#[must_use]
pub fn default_key_file(variables: Variables) -> Option<PathBuf> {
    let set = |name| variables(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let configuration =
        set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")));
    configuration.map(|folder| folder.join("windlass").join("secrets.key"))
}

impl KeySource {
    /// The source where the configuration names none: the variable with a key, the one
    /// with a passphrase, or the default key file.
    ///
    /// # Errors
    /// [`SecretError::Unusable`]: there is no folder for a key file either.
    pub fn usual(variables: Variables) -> Result<Self, SecretError> {
        let set = |name: &str| variables(name).is_some_and(|value| !value.is_empty());
        if set(KEY_VARIABLE) {
            return Ok(KeySource::Env(KEY_VARIABLE.to_owned()));
        }
        if set(PASSPHRASE_VARIABLE) {
            return Ok(KeySource::PassphraseEnv(PASSPHRASE_VARIABLE.to_owned()));
        }
        default_key_file(variables).map(KeySource::File).ok_or_else(|| {
            let why = format!("neither `{KEY_VARIABLE}` nor `HOME` is set");
            SecretError::unusable("the key of the encrypted secrets", why)
        })
    }

    /// The key for a file that was locked in this way.
    pub(super) fn key(
        &self,
        stretch: Option<&Stretch>,
        variables: Variables,
        file: &str,
    ) -> Result<Key, SecretError> {
        let other =
            |what: &str| Err(SecretError::unusable(file, format!("it is locked with {what}")));
        match (self.passphrase(variables)?, stretch) {
            (Some(phrase), Some(stretch)) => stretch.key(&phrase, file),
            (Some(_), None) => other("a key and not with a passphrase"),
            (None, Some(_)) => other("a passphrase and not with a key"),
            (None, None) => self.whole_key(variables)?.ok_or_else(|| self.absent()),
        }
    }

    /// A key for a new file, and how it comes from a passphrase where it does.
    pub(super) fn fresh(
        &self,
        variables: Variables,
    ) -> Result<(Key, Option<Stretch>), SecretError> {
        if let Some(phrase) = self.passphrase(variables)? {
            let stretch = Stretch::fresh()?;
            let key = stretch.key(&phrase, "the passphrase")?;
            return Ok((key, Some(stretch)));
        }
        if let Some(key) = self.whole_key(variables)? {
            return Ok((key, None));
        }
        let KeySource::File(path) = self else { return Err(self.absent()) };
        make(path)?;
        // Read back: another process may have been faster with a key of its own.
        Ok((self.whole_key(variables)?.ok_or_else(|| self.absent())?, None))
    }

    fn passphrase(&self, variables: Variables) -> Result<Option<Secret>, SecretError> {
        match self {
            KeySource::Passphrase(phrase) => Ok(Some(phrase.clone())),
            KeySource::PassphraseEnv(name) => {
                let text = variables(name).ok_or_else(|| self.absent())?;
                let phrase = Secret::new(text.into_vec());
                phrase.map(Some).map_err(|why| SecretError::unusable(name, why.to_string()))
            }
            KeySource::File(_) | KeySource::Env(_) => Ok(None),
        }
    }

    /// The key that needs no stretching; nothing where its file is not there.
    fn whole_key(&self, variables: Variables) -> Result<Option<Key>, SecretError> {
        let (what, text) = match self {
            KeySource::File(path) => {
                let refuse = Some(Permissions::Refuse);
                let read = private::read(path, refuse, KEY_FILE_BYTES_MAX)?;
                let Some(bytes) = read else { return Ok(None) };
                (path.display().to_string(), without_line_end(bytes))
            }
            KeySource::Env(name) => {
                let text = variables(name).ok_or_else(|| self.absent())?;
                (name.clone(), Zeroizing::new(text.into_vec()))
            }
            KeySource::PassphraseEnv(_) | KeySource::Passphrase(_) => return Ok(None),
        };
        let why = "it is not 32 bytes in base64\nhint: `openssl rand -base64 32` makes a key";
        Key::read(&text).map(Some).ok_or_else(|| SecretError::unusable(what, why))
    }

    fn absent(&self) -> SecretError {
        let (what, hint) = match self {
            KeySource::File(path) => {
                let hint = "the secrets can only be read with their key; put its file back";
                (path.display().to_string(), hint)
            }
            KeySource::Env(name) => (name.clone(), "set it to the key of the secrets, in base64"),
            KeySource::PassphraseEnv(name) => (name.clone(), "set it to the passphrase"),
            KeySource::Passphrase(_) => ("the passphrase".to_owned(), "type it"),
        };
        SecretError::unusable(what, format!("it is not there\nhint: {hint}"))
    }
}

fn make(path: &Path) -> Result<(), SecretError> {
    disk::make_folder_of(path)?;
    let text = Key::generate()?.written();
    let line = Zeroizing::new(format!("{}\n", *text));
    disk::create(path, line.as_bytes())
}

/// How a key comes from a passphrase: Argon2id with these numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stretch {
    salt: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Stretch {
    fn fresh() -> Result<Self, SecretError> {
        let salt = STANDARD.encode(random::<SALT_BYTES>()?);
        Ok(Stretch { salt, memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES })
    }

    fn key(&self, phrase: &Secret, file: &str) -> Result<Key, SecretError> {
        let damaged = || SecretError::damaged(file, "what it says about its passphrase is not so");
        let numbers =
            [(self.memory_kib, MEMORY_KIB_MAX), (self.passes, PASSES_MAX), (self.lanes, LANES_MAX)];
        if numbers.iter().any(|(number, max)| number > max) {
            return Err(damaged());
        }
        let salt = STANDARD.decode(&self.salt).map_err(|_| damaged())?;
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(KEY_BYTES));
        let argon =
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params.map_err(|_| damaged())?);
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        let stretched = argon.hash_password_into(phrase.expose(), &salt, key.as_mut_slice());
        stretched.map_err(|_| damaged())?;
        Ok(Key::of(&key))
    }
}
