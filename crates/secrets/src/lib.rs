//! Where secrets come from, as values that cannot be printed.
//!
//! Tools hold a [`Handle`]; [`Secrets`] turns it into a value when the value is needed,
//! for one tenant, from the environment, files, an encrypted file, AWS Secrets Manager or
//! Vault. A tenant reaches its own secrets and what the installation granted to it. No
//! value leaves this crate in an error, a log line or a list. [`envelope`] encrypts
//! content under keys that can be destroyed.

mod aws;
mod blank;
mod configuration;
mod encrypted;
pub mod envelope;
mod environment;
mod error;
mod field;
mod files;
mod handle;
mod private;
mod sealed;
mod secrets;
mod source;
mod value;
mod vault;

pub use aws::{Aws, AwsConfiguration};
pub use configuration::{
    Configuration, EncryptedConfiguration, EnvConfiguration, FileConfiguration, SourceConfiguration,
};
pub use encrypted::{Changed, EncryptedFile, KeySource, Listed, Rotated, default_key_file};
pub use environment::{Environment, Variables, process_variables};
pub use error::SecretError;
pub use files::Files;
pub use handle::{Handle, Kind, Name, NotAHandle};
pub use private::Permissions;
pub use sealed::{Key, KeyId};
pub use secrets::{Granted, Grants, Limits, Secrets, Shelf};
pub use source::{Former, Mark, Owner, Source, Version, Versioned, Wanted};
pub use value::{BadValue, SECRET_BYTES_MAX, Secret};
pub use vault::{Credential, KvVersion, Vault, VaultAuth, VaultConfiguration};
