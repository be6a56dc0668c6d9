//! Giving a file new bytes in one step, through descriptors.
//!
//! INVARIANT: until the rename the target is untouched, and every failure before it is
//! told as "nothing was changed"; from the rename on, no failure is.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use kernel::units::ContentHash;
use rustix::fs::{Gid, Mode, Uid, fchmod, fchown};

use super::{CallId, OnStep, Step, Target};
use crate::failure::{Failure, told};
use crate::files::{Content, Folder, TEMP_PREFIX, shown, sync_folder, worded};

/// The temporary file of a call.
pub(super) fn temp_name(key: ContentHash) -> String {
    format!("{TEMP_PREFIX}{}.tmp", &key.to_string()[..32])
}

/// Replaces the target, which held `before`, by `bytes`.
pub(super) fn replace(
    id: &CallId,
    target: &Target,
    before: Option<&Content>,
    bytes: &[u8],
    on_step: &OnStep,
) -> Result<(), Failure> {
    let name = shown(&target.path);
    let failed = |error: io::Error| worded(&name, &error);
    on_step(Step::Intended).map_err(failed)?;
    let (Some(above), Some(last)) = (target.path.parent(), target.path.file_name()) else {
        return told(format!("`{name}` is a folder"));
    };
    let dir = target.folder.make(above)?;
    let temp = temp_name(id.key);
    let renamed = write_temp(&dir, &temp, before, bytes, on_step)
        .map_err(failed)
        .and_then(|()| unchanged(target, before))
        .and_then(|()| dir.rename(&temp, &dir, last).map_err(failed));
    if let Err(failure) = renamed {
        let _ = dir.remove_file(&temp);
        return Err(failure);
    }
    let kept = on_step(Step::Renamed).and_then(|()| sync_folder(&dir));
    kept.and_then(|()| on_step(Step::Kept)).map_err(|error| {
        Failure::Unknown(format!(
            "`{name}` has its new content, but the disk does not confirm that it will keep it: {error}"
        ))
    })
}

/// Writes the temporary file durably, with the permissions and owner of the old one.
fn write_temp(
    dir: &Dir,
    temp: &str,
    before: Option<&Content>,
    bytes: &[u8],
    on_step: &OnStep,
) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    if before.is_some() {
        options.mode(0o600); // until it has the permissions of the old file
    }
    // Its name is this call's alone: what stands there is of an earlier try.
    let _ = dir.remove_file(temp);
    let mut file = dir.open_with(temp, &options)?.into_std();
    on_step(Step::TempMade)?;
    file.write_all(bytes)?;
    if let Some(before) = before {
        take_over(&file, before)?;
    }
    file.sync_all()?;
    on_step(Step::TempWritten)
}

fn take_over(file: &File, before: &Content) -> io::Result<()> {
    // Giving a file away is for the superuser; for everybody else it stays theirs.
    let (owner, group) = before.owner;
    let _ = fchown(file, Some(Uid::from_raw(owner)), Some(Gid::from_raw(group)));
    #[allow(clippy::useless_conversion)] // the width of a mode differs by system
    let mode = Mode::from_raw_mode(before.mode.try_into().unwrap_or(0o600));
    Ok(fchmod(file, mode)?)
}

/// Refuses to go on where somebody else has changed the target meanwhile.
fn unchanged(target: &Target, before: Option<&Content>) -> Result<(), Failure> {
    let now = target.folder.read_to_replace(&target.path)?;
    if now.as_ref().map(Content::hash) == before.map(Content::hash) {
        return Ok(());
    }
    told(format!(
        "`{}` was changed by somebody else in this very moment; nothing was changed\n\
         read it again and repeat the change",
        shown(&target.path)
    ))
}

/// Removes what a crash left of this call.
pub(super) fn clean(target: &Target, id: &CallId) {
    remove_temp(&target.folder, &target.path, id.key);
}

/// The same for a call whose record is given up.
pub(super) fn clean_old(root: &Path, path: &Path, key: ContentHash) {
    // No folder is hidden from our own broom: the name is only ever ours.
    if let Ok(folder) = Folder::open(root, Path::new("")) {
        remove_temp(&folder, path, key);
    }
}

fn remove_temp(folder: &Folder, path: &Path, key: ContentHash) {
    let above = path.parent().unwrap_or(Path::new(""));
    if let Ok(dir) = folder.folder(above) {
        let _ = dir.remove_file(OsStr::new(&temp_name(key)));
    }
}
