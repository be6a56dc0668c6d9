//! What the installation's file says about secrets, and the sources that come of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::units::Tenant;
use serde::Deserialize;

use crate::aws::{Aws, AwsConfiguration};
use crate::encrypted::{EncryptedFile, KeySource};
use crate::environment::{Environment, Variables};
use crate::error::SecretError;
use crate::files::Files;
use crate::private::Permissions;
use crate::secrets::{Grants, Limits, Secrets, Shelf};
use crate::source::Source;
use crate::vault::{Vault, VaultConfiguration};

/// The most sources of one installation.
const SOURCES_MAX: usize = 32;

/// The longest time that a limit may say, in milliseconds: a day.
const TIME_MS_MAX: u64 = 24 * 3_600 * 1_000;

/// The most that the cache may hold, in bytes.
const CACHE_BYTES_MAX: usize = 256 * 1_024 * 1_024;

/// The part of the file about secrets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Configuration {
    /// Where to look, in order.
    pub sources: Vec<SourceConfiguration>,
    /// Which of the installation's secrets tenants may use: `"*"` or a list of tenants.
    pub grants: Grants,
    /// See [`Limits::ttl_ms`].
    pub ttl_ms: u64,
    /// See [`Limits::stale_ms_max`].
    pub stale_ms_max: u64,
    /// See [`Limits::overlap_ms`].
    pub overlap_ms: u64,
    /// See [`Limits::cache_bytes_max`].
    pub cache_bytes_max: usize,
}

impl Default for Configuration {
    /// The encrypted file in the store's folder, and nothing granted.
    fn default() -> Self {
        let Limits { ttl_ms, stale_ms_max, overlap_ms, cache_bytes_max } = Limits::default();
        let path = PathBuf::from("secrets.enc");
        let encrypted = EncryptedConfiguration { path, key: None, tenant: None };
        let sources = vec![SourceConfiguration::Encrypted(encrypted)];
        let grants = Grants::default();
        Configuration { sources, grants, ttl_ms, stale_ms_max, overlap_ms, cache_bytes_max }
    }
}

/// One source.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceConfiguration {
    /// Environment variables.
    Env(EnvConfiguration),
    /// One file for each secret.
    File(FileConfiguration),
    /// The encrypted file.
    Encrypted(EncryptedConfiguration),
    /// AWS Secrets Manager.
    AwsSecretsManager(AwsConfiguration),
    /// Vault.
    Vault(VaultConfiguration),
}

/// Environment variables.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvConfiguration {
    /// What the variables begin with.
    pub prefix: String,
    /// The tenant that they belong to; the installation where it is missing.
    #[serde(default)]
    pub tenant: Option<String>,
}

/// A folder with a file for each secret.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileConfiguration {
    /// The folder.
    pub dir: PathBuf,
    /// What happens to files that others may read or write.
    #[serde(default)]
    pub permissions: Permissions,
    /// The tenant that the folder belongs to; nothing where it has a part for each.
    #[serde(default)]
    pub tenant: Option<String>,
}

/// The encrypted file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncryptedConfiguration {
    /// The file.
    pub path: PathBuf,
    /// Where its key is; see [`KeySource::usual`] for where it is missing.
    #[serde(default)]
    pub key: Option<KeySource>,
    /// The tenant that the file belongs to; nothing where it has a part for each.
    #[serde(default)]
    pub tenant: Option<String>,
}

impl Configuration {
    /// The secrets that it describes. Relative paths start at `base`.
    ///
    /// # Errors
    /// [`SecretError::Unusable`] for what cannot work. Nothing is read or connected to,
    /// but certificates.
    pub fn open(&self, base: &Path, variables: Variables) -> Result<Secrets, SecretError> {
        if self.sources.len() > SOURCES_MAX {
            let why = format!("there are more than {SOURCES_MAX} of them");
            return Err(SecretError::unusable("sources", why));
        }
        let sources = self.sources.iter();
        let shelves = sources.map(|source| source.shelf(base, variables));
        let shelves = shelves.collect::<Result<Vec<Shelf>, SecretError>>()?;
        Ok(Secrets::new(shelves, self.grants.clone(), self.limits()?))
    }

    /// The encrypted file that commands change: the first of the sources.
    ///
    /// # Errors
    /// [`SecretError::Unusable`]: no source is one, or it has no place for its key.
    pub fn encrypted(
        &self,
        base: &Path,
        variables: Variables,
    ) -> Result<EncryptedFile, SecretError> {
        let found = self.sources.iter().find_map(|source| match source {
            SourceConfiguration::Encrypted(encrypted) => Some(encrypted),
            SourceConfiguration::Env(_)
            | SourceConfiguration::File(_)
            | SourceConfiguration::AwsSecretsManager(_)
            | SourceConfiguration::Vault(_) => None,
        });
        let why = "none of the sources is an encrypted file";
        found.ok_or_else(|| SecretError::unusable("sources", why))?.file(base, variables)
    }

    fn limits(&self) -> Result<Limits, SecretError> {
        for (name, ms) in [
            ("ttl_ms", self.ttl_ms),
            ("stale_ms_max", self.stale_ms_max),
            ("overlap_ms", self.overlap_ms),
        ] {
            if ms > TIME_MS_MAX {
                return Err(SecretError::unusable(name, format!("at most {TIME_MS_MAX} ms")));
            }
        }
        if self.cache_bytes_max > CACHE_BYTES_MAX {
            let why = format!("at most {CACHE_BYTES_MAX} bytes");
            return Err(SecretError::unusable("cache_bytes_max", why));
        }
        let Configuration { ttl_ms, stale_ms_max, overlap_ms, cache_bytes_max, .. } = *self;
        Ok(Limits { ttl_ms, stale_ms_max, overlap_ms, cache_bytes_max })
    }
}

impl SourceConfiguration {
    fn shelf(&self, base: &Path, variables: Variables) -> Result<Shelf, SecretError> {
        let (source, tenant): (Arc<dyn Source>, _) = match self {
            SourceConfiguration::Env(env) => {
                (Arc::new(Environment::new(&env.prefix, variables)?), &env.tenant)
            }
            SourceConfiguration::File(file) => {
                (Arc::new(Files::new(base.join(&file.dir), file.permissions)), &file.tenant)
            }
            SourceConfiguration::Encrypted(encrypted) => {
                (Arc::new(encrypted.file(base, variables)?), &encrypted.tenant)
            }
            SourceConfiguration::AwsSecretsManager(aws) => {
                (Arc::new(Aws::new(aws.clone())), &aws.tenant)
            }
            SourceConfiguration::Vault(vault) => {
                let at = vault.based_at(base);
                (Arc::new(Vault::new(&at, variables)?), &vault.tenant)
            }
        };
        Ok(Shelf { source, tenant: tenant.clone().map(Tenant) })
    }
}

impl EncryptedConfiguration {
    fn file(&self, base: &Path, variables: Variables) -> Result<EncryptedFile, SecretError> {
        let key = match &self.key {
            Some(KeySource::File(path)) => KeySource::File(base.join(path)),
            Some(other) => other.clone(),
            None => KeySource::usual(variables)?,
        };
        Ok(EncryptedFile::new(base.join(&self.path), key, variables))
    }
}
