//! What the three processes of a cage tell each other: the caller, the supervisor that it
//! starts, and the entrant that becomes the program.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::grant::{Limits, Protected};

/// From the caller to the supervisor. Travels in a sealed memory file.
#[derive(Serialize, Deserialize)]
pub(crate) struct Spec {
    /// Where bubblewrap is, where namespaces shall stand.
    pub(crate) bubblewrap: Option<PathBuf>,
    /// Landlock's version.
    pub(crate) abi: i32,
    /// The folder of private rooms.
    pub(crate) rooms: PathBuf,
    pub(crate) program: String,
    pub(crate) args: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    /// Canonical.
    pub(crate) workdir: PathBuf,
    pub(crate) writable: bool,
    pub(crate) protected: Vec<Protected>,
    /// Canonical.
    pub(crate) read: Vec<PathBuf>,
    pub(crate) reach: Reach,
    pub(crate) limits: Limits,
}

/// What of the network there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reach {
    /// None.
    Closed,
    /// The cage's own loopback.
    Loopback,
    /// The same, with a proxy listening on it.
    Proxy,
}

/// From the supervisor to the entrant. Travels in a memory file as well.
#[derive(Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Whether namespaces stand around the entrant.
    pub(crate) namespaces: bool,
    pub(crate) abi: i32,
    pub(crate) program: String,
    pub(crate) args: Vec<String>,
    /// All of it.
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) workdir: PathBuf,
    pub(crate) writable: bool,
    pub(crate) covers: Vec<Cover>,
    pub(crate) read: Vec<PathBuf>,
    /// Private folders.
    pub(crate) write: Vec<PathBuf>,
    /// A file that must be out of reach once the walls stand.
    pub(crate) canary: PathBuf,
    pub(crate) reach: Reach,
    pub(crate) limits: Limits,
}

/// Something in the working directory that is not granted with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Cover {
    /// Relative to the working directory.
    #[serde(with = "raw")]
    pub(crate) path: PathBuf,
    /// Whether its content cannot be read either.
    pub(crate) hidden: bool,
    /// Whether it is a folder.
    pub(crate) folder: bool,
}

/// From the caller to the supervisor. When the caller's end closes, that says `Stop` too.
#[derive(Serialize, Deserialize)]
pub(crate) enum Order {
    /// With the spec, standard input, output and errors.
    Begin,
    /// Kill everything, clean up, and report.
    Stop,
}

/// To the caller.
#[derive(Serialize, Deserialize)]
pub(crate) enum Report {
    /// With a socket that listens inside, for the proxy.
    Listening,
    /// The walls stand; the program comes next.
    Standing,
    /// The walls do not stand, and nothing was started.
    Refused(String),
    /// The program could not be executed.
    NoProgram(String),
    /// All processes are dead and everything is cleaned up.
    Ended(End),
}

/// How it ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) code: i32,
    pub(crate) stopped: Option<Stopped>,
    #[serde(with = "raws")]
    pub(crate) repositories: Vec<PathBuf>,
    pub(crate) searched_all: bool,
}

/// Paths are bytes on this side of the line: a program may call a folder anything.
mod raw {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::path::{Path, PathBuf};

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
        path.as_os_str().as_bytes().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
        Ok(OsString::from_vec(Vec::deserialize(from)?).into())
    }
}

/// The same for several.
mod raws {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::path::PathBuf;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(paths: &[PathBuf], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(paths.iter().map(|path| path.as_os_str().as_bytes()))
    }

    pub(super) fn deserialize<'de, D>(from: D) -> Result<Vec<PathBuf>, D::Error>
    where
        D: Deserializer<'de>,
    {
        let all: Vec<Vec<u8>> = Deserialize::deserialize(from)?;
        Ok(all.into_iter().map(|bytes| OsString::from_vec(bytes).into()).collect())
    }
}

/// Why a program was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// Its time was over.
    Deadline,
    /// It wrote more output than it may.
    Output,
    /// It had more processes and threads than it may.
    Tasks,
    /// Its processes together took more memory than they may.
    Memory,
    /// A disk was about to be full.
    Disk,
    /// Whoever started it asked for it.
    Request,
}
