//! Changing a file once, whatever crashes.
//!
//! Before a file is changed, an intent is on disk: the target and the hashes of what it
//! held and will hold. Afterwards anybody can tell from the file alone whether the change
//! happened. The new bytes go to a temporary file in the same folder and take the
//! target's name in one step, so the target is always the old file or the new one.
//! Changes inside one working directory wait for each other, in this process and in
//! others of ours; none is lost between two.

mod record;
mod replace;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::ports::{Reconciled, ToolCall, ToolOutput};
use kernel::units::{ContentHash, SessionId};

use crate::failure::{Failure, told};
use crate::files::{Content, FILE_BYTES_MAX, Folder, Stop, shown};
use record::{Record, Records};

/// The folder of records.
const FOLDER: &str = "effects";

/// Locks that folders share. Two folders may share one and then wait for each other.
const LOCKS: usize = 64;

/// The steps of a change. A crash may come after each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// What is to be done is known.
    Composed,
    /// The intent is durable.
    Intended,
    /// The temporary file exists and is empty.
    TempMade,
    /// The temporary file is durable.
    TempWritten,
    /// The target has its new bytes.
    Renamed,
    /// And keeps them through a loss of power.
    Kept,
    /// The record says so.
    Marked,
}

impl Step {
    /// All steps in order.
    #[cfg(test)]
    pub(crate) const ALL: [Step; 7] = [
        Step::Composed,
        Step::Intended,
        Step::TempMade,
        Step::TempWritten,
        Step::Renamed,
        Step::Kept,
        Step::Marked,
    ];
}

/// Told of each step; may fail it. Only tests do.
pub(crate) type OnStep = Arc<dyn Fn(Step) -> std::io::Result<()> + Send + Sync>;

/// The file that a call changes.
#[derive(Debug)]
pub(crate) struct Target {
    /// The folder that the call may work in.
    pub(crate) folder: Folder,
    /// The file in it.
    pub(crate) path: PathBuf,
}

/// What a call makes of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Composed {
    /// The bytes that the file will hold.
    pub(crate) bytes: Vec<u8>,
    /// The words for the model once it does.
    pub(crate) output: String,
}

/// Which call a record belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallId {
    /// Names the record: from tenant, session and key.
    pub(crate) key: ContentHash,
    /// What was asked: from tool and arguments.
    pub(crate) asked: ContentHash,
    /// Whose call it is, so that the record can go with the session's content.
    pub(crate) session: Option<SessionId>,
}

impl CallId {
    pub(crate) fn of(call: &ToolCall) -> Self {
        let session = call.session.to_string();
        let key = framed(&[call.tenant.0.as_bytes(), session.as_bytes(), call.key.as_bytes()]);
        let asked = framed(&[call.spec.name.as_bytes(), &call.arguments.canonical()]);
        CallId { key, asked, session: Some(call.session) }
    }
}

/// The hash of parts that cannot run into each other.
fn framed(parts: &[&[u8]]) -> ContentHash {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(*part);
    }
    ContentHash::of(&bytes)
}

/// What became of a change.
enum Became {
    Done(String),
    NotDone,
    Unknown(String),
}

/// Removes what the program wrote down about changes that these sessions made to files. The
/// files stay as they are. Tells how many records there were.
///
/// # Errors
/// The folder of the state cannot be read or written.
pub fn forget_effects(state_dir: &Path, sessions: &BTreeSet<SessionId>) -> std::io::Result<usize> {
    Records::new(state_dir.join(FOLDER)).forget_sessions(sessions)
}

/// Changes to files, with their records.
pub(crate) struct Effects {
    records: Records,
    locks: Vec<Mutex<()>>,
    on_step: OnStep,
}

impl std::fmt::Debug for Effects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Effects").field("records", &self.records).finish_non_exhaustive()
    }
}

impl Effects {
    /// Keeps records in the folder `effects` of `state_dir`, once there is a first.
    pub(crate) fn new(state_dir: &Path, on_step: OnStep) -> Self {
        let locks = (0..LOCKS).map(|_| Mutex::new(())).collect();
        Effects { records: Records::new(state_dir.join(FOLDER)), locks, on_step }
    }

    /// Makes the folder of records. Before a working directory is opened for a change, so
    /// that the program's own folder exists and is closed from the first change on.
    pub(crate) fn prepare(&self) -> Result<(), Failure> {
        self.records.make_dir().map_err(|error| no_record(&error))
    }

    /// Changes the file: once, however often it is asked for the same call.
    pub(crate) fn perform(
        &self,
        id: &CallId,
        target: &Target,
        stop: &Stop,
        compose: impl FnOnce(Option<&Content>) -> Result<Composed, Failure>,
    ) -> Result<String, Failure> {
        let _mine = self.lock(&target.folder);
        let _ours = target.folder.lock(stop)?;
        // Whoever waited has given up: nothing may begin that nobody looks after. This is
        // asked under the lock, which `reconcile` takes too.
        if stop.is_set() {
            return told("stopped before anything was changed");
        }
        match self.became(id, target) {
            Some(Became::Done(output)) => return Ok(output),
            Some(Became::Unknown(words)) => return Err(Failure::Unknown(words)),
            Some(Became::NotDone) => replace::clean(target, id),
            None => {}
        }
        let before = target.folder.read_to_replace(&target.path)?;
        let composed = compose(before.as_ref())?;
        if composed.bytes.len() as u64 > FILE_BYTES_MAX {
            return told(too_large(&shown(&target.path)));
        }
        self.change(id, target, before.as_ref(), composed)
    }

    fn change(
        &self,
        id: &CallId,
        target: &Target,
        before: Option<&Content>,
        composed: Composed,
    ) -> Result<String, Failure> {
        let name = shown(&target.path);
        let failed = |error: std::io::Error| crate::files::worded(&name, &error);
        (self.on_step)(Step::Composed).map_err(failed)?;
        let record = Record::new(id, target, before.map(Content::hash), &composed);
        self.records.keep(id, &record).map_err(|error| no_record(&error))?;
        let replaced = replace::replace(id, target, before, &composed.bytes, &self.on_step);
        match replaced {
            Ok(()) => {}
            // The old file is whole: the intent is void.
            Err(void @ (Failure::Told(_) | Failure::Unavailable(_))) => {
                self.records.forget(id);
                return Err(void);
            }
            Err(Failure::Unknown(words)) => return Err(Failure::Unknown(words)),
        }
        // The mark only saves a later look at the file, which may have changed again.
        let _ = self.records.mark_done(id);
        let _ = (self.on_step)(Step::Marked);
        Ok(composed.output)
    }

    /// Finds out what became of a call, and changes nothing.
    pub(crate) fn reconcile(&self, id: &CallId, target: &Target) -> Reconciled {
        let _mine = self.lock(&target.folder);
        match self.became(id, target) {
            Some(Became::Done(output)) => Reconciled::Done(ToolOutput::ok(output)),
            Some(Became::Unknown(words)) => Reconciled::Unknown(words),
            Some(Became::NotDone) | None => Reconciled::NotDone,
        }
    }

    /// What a call without a usable target came to: nothing, unless there is a record.
    pub(crate) fn reconcile_lost(&self, id: &CallId, why: &str) -> Reconciled {
        match self.records.find(id) {
            Ok(None) => Reconciled::NotDone,
            Ok(Some(_)) | Err(_) => Reconciled::Unknown(why.to_owned()),
        }
    }

    /// What the record and the file say. `None`: there is no record, so nothing began.
    fn became(&self, id: &CallId, target: &Target) -> Option<Became> {
        let record = match self.records.find(id) {
            Ok(record) => record?,
            Err(words) => return Some(Became::Unknown(words)),
        };
        if !record.belongs(id, target) {
            let words = "the record of this call is that of another call";
            return Some(Became::Unknown(words.to_owned()));
        }
        if self.records.is_done(id) {
            return Some(Became::Done(record.output));
        }
        let name = shown(&target.path);
        let now = match target.folder.read_to_replace(&target.path) {
            Ok(content) => content.as_ref().map(Content::hash),
            Err(_) => {
                let words = format!("`{name}` was being changed and can no longer be read");
                return Some(Became::Unknown(words));
            }
        };
        if now == Some(record.after) {
            return Some(Became::Done(record.output));
        }
        if now == record.before {
            return Some(Became::NotDone);
        }
        let words = format!(
            "`{name}` was being changed, and now holds neither what it held before nor what it \
             should hold; somebody else has changed it"
        );
        Some(Became::Unknown(words))
    }

    fn lock(&self, folder: &Folder) -> MutexGuard<'_, ()> {
        let (device, inode) = folder.id();
        let at = (device.wrapping_mul(31).wrapping_add(inode) % LOCKS as u64) as usize;
        // A crash under the lock leaves what any crash leaves; the record tells it.
        self.locks[at].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The words for a change that would make a file too large.
pub(crate) fn too_large(name: &str) -> String {
    format!("`{name}` would be larger than {FILE_BYTES_MAX} bytes; nothing was changed")
}

fn no_record(error: &std::io::Error) -> Failure {
    Failure::Told(format!(
        "nothing was changed, because the intent could not be recorded first: {error}\n\
         the folder of the program's state must be writable and have room"
    ))
}

#[cfg(test)]
mod tests;
