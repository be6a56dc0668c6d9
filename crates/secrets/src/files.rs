//! One file for each secret in a folder, as Docker and Kubernetes mount them.
//!
//! The installation's secrets lie in the folder itself, a tenant's in `@TENANT` there.
//! Links are followed within the folder and not out of it; one line end is cut off.

use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};

use crate::error::SecretError;
use crate::field;
use crate::handle::Kind;
use crate::private::{self, Permissions};
use crate::source::{Mark, Source, Version, Versioned, Wanted};
use crate::value::{SECRET_BYTES_MAX, Secret, without_line_end};

/// A folder of secrets.
#[derive(Clone, Debug)]
pub struct Files {
    dir: PathBuf,
    permissions: Permissions,
}

impl Files {
    /// The folder need not exist yet.
    #[must_use]
    pub fn new(dir: PathBuf, permissions: Permissions) -> Self {
        Files { dir, permissions }
    }

    fn open(&self, wanted: &Wanted<'_>) -> io::Result<std::fs::File> {
        let dir = Dir::open_ambient_dir(&self.dir, ambient_authority())?;
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(private::FLAGS);
        let path = wanted.owner.path(wanted.name);
        Ok(dir.open_with(Path::new(&path), &options)?.into_std())
    }

    fn read_now(&self, wanted: &Wanted<'_>) -> Result<Option<Versioned>, SecretError> {
        let what = wanted.shown(Kind::File);
        let file = match self.open(wanted) {
            Ok(file) => file,
            Err(error) if absent(&error) => return Ok(None),
            Err(error) => return Err(private::failed(&what, &error)),
        };
        if file.metadata().is_ok_and(|meta| meta.is_dir()) {
            // `tls` where `tls/server.key` is a secret.
            return Ok(None);
        }
        let path = self.dir.join(wanted.owner.path(wanted.name)).display().to_string();
        let permissions = Some(self.permissions);
        let bytes = private::read_open(file, &path, permissions, SECRET_BYTES_MAX + 2)?;
        let bytes = without_line_end(bytes);
        let unusable = |why: String| SecretError::unusable(&what, why);
        let value = match wanted.field {
            None => Secret::new(bytes).map_err(|why| unusable(why.to_string()))?,
            Some(name) => field::pick(&bytes, name).map_err(|why| unusable(why.to_string()))?,
        };
        let version = Version::of(&value)?;
        Ok(Some(Versioned::new(value, version)))
    }
}

/// A name below a file is as absent as one below nothing.
fn absent(error: &io::Error) -> bool {
    [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind())
}

#[async_trait]
impl Source for Files {
    fn kind(&self) -> Kind {
        Kind::File
    }

    async fn read(&self, wanted: &Wanted<'_>) -> Result<Option<Versioned>, SecretError> {
        self.read_now(wanted)
    }

    fn mark(&self, wanted: &Wanted<'_>) -> Option<Mark> {
        let meta = self.open(wanted).and_then(|file| file.metadata()).ok()?;
        Some(private::mark(&meta))
    }
}
