//! Environment variables. They are the installation's: tenants see what is granted.
//!
//! The variable of a name is the prefix and the name in capitals, with `_` for whatever
//! is not a letter or a digit. Nothing without the prefix can be read, whatever a handle
//! says.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::error::SecretError;
use crate::field;
use crate::handle::{Kind, Name};
use crate::source::{Owner, Source, Version, Versioned, Wanted};
use crate::value::Secret;

/// How variables are looked up.
pub type Variables = fn(&str) -> Option<OsString>;

/// The variables of this process.
#[must_use]
pub fn process_variables(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Variables that begin with a prefix.
#[derive(Clone, Debug)]
pub struct Environment {
    prefix: String,
    variables: Variables,
}

impl Environment {
    /// # Errors
    /// [`SecretError::Unusable`]: the prefix is empty, or no beginning of a variable.
    pub fn new(prefix: impl Into<String>, variables: Variables) -> Result<Self, SecretError> {
        let prefix = prefix.into();
        let good = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if prefix.is_empty() || !prefix.bytes().all(good) {
            let why = "a prefix of variables has letters, digits and `_`, and at least one of them";
            return Err(SecretError::unusable(prefix, why));
        }
        Ok(Environment { prefix, variables })
    }

    /// The variable of a name.
    #[must_use]
    pub fn variable(&self, name: &Name) -> String {
        let capital =
            |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        self.prefix.chars().chain(name.as_str().chars().map(capital)).collect()
    }
}

#[async_trait]
impl Source for Environment {
    fn kind(&self) -> Kind {
        Kind::Env
    }

    async fn read(&self, wanted: &Wanted<'_>) -> Result<Option<Versioned>, SecretError> {
        let Owner::Installation = wanted.owner else { return Ok(None) };
        let variable = self.variable(wanted.name);
        let Some(text) = (self.variables)(&variable) else { return Ok(None) };
        let bytes = Zeroizing::new(text.into_vec());
        if bytes.is_empty() {
            // A variable that was emptied is one that was taken away.
            return Ok(None);
        }
        let unusable = |why: String| SecretError::unusable(&variable, why);
        let value = match wanted.field {
            None => Secret::new(bytes).map_err(|why| unusable(why.to_string()))?,
            Some(name) => field::pick(&bytes, name).map_err(|why| unusable(why.to_string()))?,
        };
        let version = Version::of(&value)?;
        Ok(Some(Versioned::new(value, version)))
    }
}
