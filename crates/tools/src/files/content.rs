//! The bytes of a regular file, read from a descriptor that was asked what it is.

use std::fs::File;
use std::io::{self, Read};

use kernel::units::ContentHash;
use rustix::fs::{FileType, Stat, fstat};

use super::FILE_BYTES_MAX;
use crate::failure::{Failure, told};

/// A regular file as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    /// All its bytes.
    pub(crate) bytes: Vec<u8>,
    /// Its permission bits.
    pub(crate) mode: u32,
    /// Its owner and group.
    pub(crate) owner: (u32, u32),
}

impl Content {
    pub(crate) fn hash(&self) -> ContentHash {
        ContentHash::of(&self.bytes)
    }

    /// Reads all of an open file.
    pub(crate) fn of(name: &str, file: File) -> Result<Self, Failure> {
        let stat = regular(name, &file)?;
        let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
        if size > FILE_BYTES_MAX {
            return too_large(name);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        let read = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
        read.map_err(|error| super::worded(name, &error))?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return too_large(name);
        }
        Ok(Content { bytes, mode: stat.st_mode & 0o777, owner: (stat.st_uid, stat.st_gid) })
    }
}

fn too_large<T>(name: &str) -> Result<T, Failure> {
    told(format!(
        "`{name}` is larger than {FILE_BYTES_MAX} bytes, the most that this tool handles\n\
         use `grep` to find lines in it"
    ))
}

/// What an open file is, where it is a regular one.
pub(crate) fn regular(name: &str, file: &File) -> Result<Stat, Failure> {
    let stat = fstat(file).map_err(|error| super::worded(name, &io::Error::from(error)))?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(stat),
        FileType::Directory => told(format!("`{name}` is a folder\nuse `glob` to list it")),
        FileType::Symlink
        | FileType::Fifo
        | FileType::Socket
        | FileType::CharacterDevice
        | FileType::BlockDevice
        | FileType::Unknown => told(format!("`{name}` is not a regular file")),
    }
}
