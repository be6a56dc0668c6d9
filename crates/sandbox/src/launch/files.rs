//! Landlock: which files a caged program reads, executes and changes.
//!
//! Rules allow and never forbid, and hold for all that lies below. So a folder in which
//! something is covered is never allowed as a whole where no mount covers it: its other
//! entries are, one by one, and then nothing can be made or removed in it directly.

use std::os::fd::OwnedFd;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
};
use rustix::fs::{FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;

use super::workdir::{Workdir, handle, kind};
use crate::places;
use crate::spec::{Entry, Reach};

/// Entries of folders that are allowed one by one.
const ENTRIES_MAX: usize = 8192;

/// Closes all files that are not granted, for ever.
pub(super) fn close(entry: &Entry) -> Result<(), String> {
    let abi = ABI::from(entry.abi);
    let rules = Rules { abi, ruleset: Some(ruleset(abi, entry.reach)?), entries: 0 };
    let status = rules.all(entry)?.restrict_self().map_err(|error| said(&error))?;
    if status.ruleset != RulesetStatus::FullyEnforced || !status.no_new_privs {
        return Err(format!("landlock is not enforced: {:?}", status.ruleset));
    }
    Ok(())
}

fn ruleset(abi: ABI, reach: Reach) -> Result<RulesetCreated, String> {
    let whole = || {
        let mut ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        ruleset = ruleset.handle_access(AccessFs::from_all(abi))?;
        let net = AccessNet::from_all(abi);
        // The cage's own loopback is no network: there is nobody else on it.
        if reach == Reach::Closed && !net.is_empty() {
            ruleset = ruleset.handle_access(net)?;
        }
        let scope = Scope::from_all(abi);
        if !scope.is_empty() {
            ruleset = ruleset.scope(scope)?;
        }
        ruleset.create()
    };
    whole().map_err(|error| said(&error))
}

fn said(error: &dyn std::fmt::Display) -> String {
    format!("landlock: {error}")
}

/// Rules as they are added.
struct Rules {
    abi: ABI,
    ruleset: Option<RulesetCreated>,
    /// Entries that were allowed one by one.
    entries: usize,
}

impl Rules {
    fn all(mut self, entry: &Entry) -> Result<RulesetCreated, String> {
        let read = AccessFs::from_read(self.abi);
        for path in places::SYSTEM.iter().chain(&places::KNOWLEDGE) {
            self.path(Path::new(path), read)?;
        }
        let device = AccessFs::ReadFile | AccessFs::WriteFile;
        for path in places::DEVICES {
            self.path(Path::new(path), device)?;
        }
        if entry.namespaces {
            // Both show nothing but what is in the cage.
            self.path(Path::new("/proc"), AccessFs::ReadFile | AccessFs::ReadDir)?;
            self.path(Path::new("/dev/pts"), device | self.terminal())?;
            self.path(Path::new("/dev"), AccessFs::ReadDir.into())?;
        } else {
            for path in places::PROC {
                self.path(Path::new(path), AccessFs::ReadFile.into())?;
            }
        }
        for path in &entry.read {
            self.path(path, read)?;
        }
        for path in &entry.write {
            self.path(path, self.change())?;
        }
        self.workdir(entry)?;
        self.ruleset.ok_or_else(|| "landlock: the rules are lost".into())
    }

    /// Reading and changing, without making devices or asking them for more.
    fn change(&self) -> BitFlags<AccessFs> {
        let devices = AccessFs::MakeChar | AccessFs::MakeBlock | self.terminal();
        AccessFs::from_all(self.abi) & !devices
    }

    fn terminal(&self) -> BitFlags<AccessFs> {
        AccessFs::from_all(self.abi) & AccessFs::IoctlDev
    }

    /// Allows something at a path, where there is something.
    fn path(&mut self, path: &Path, access: BitFlags<AccessFs>) -> Result<(), String> {
        match handle(path) {
            Ok(handle) => self.add(handle, access),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(()),
            Err(error) => Err(format!("landlock: `{}`: {error}", path.display())),
        }
    }

    fn add(&mut self, handle: OwnedFd, access: BitFlags<AccessFs>) -> Result<(), String> {
        let stat = fstat(&handle).map_err(|error| said(&error))?;
        let access = match kind(&stat) == FileType::Directory {
            true => access,
            false => access & AccessFs::from_file(self.abi),
        };
        let ruleset = self.ruleset.take().ok_or("landlock: the rules are lost")?;
        let added = ruleset.add_rule(PathBeneath::new(handle, access));
        self.ruleset = Some(added.map_err(|error| said(&error))?);
        Ok(())
    }

    fn workdir(&mut self, entry: &Entry) -> Result<(), String> {
        let access = if entry.writable { self.change() } else { AccessFs::from_read(self.abi) };
        if entry.namespaces {
            return self.path(&entry.workdir, access);
        }
        let workdir = Workdir::open(&entry.workdir)?;
        self.part(&workdir, Path::new("."), entry, access)
    }

    /// Allows what is at a path and everything below, except what is covered.
    fn part(
        &mut self,
        workdir: &Workdir,
        path: &Path,
        entry: &Entry,
        access: BitFlags<AccessFs>,
    ) -> Result<(), String> {
        let inside = path.strip_prefix(".").unwrap_or(path);
        let shown = |error: Errno| format!("landlock: `{}`: {error}", path.display());
        let handle = match workdir.handle(path) {
            Err(Errno::NOENT) => return Ok(()),
            handle => handle.map_err(shown)?,
        };
        let read = AccessFs::from_read(self.abi);
        if let Some(cover) = entry.covers.iter().find(|cover| cover.path == inside) {
            return if cover.hidden { Ok(()) } else { self.add(handle, access & read) };
        }
        match kind(&fstat(&handle).map_err(shown)?) {
            // What a link leads to is allowed where it lies, or it is not.
            FileType::Symlink | FileType::Socket => return Ok(()),
            FileType::Directory
                if entry.covers.iter().any(|cover| cover.path.starts_with(inside)) => {}
            FileType::Directory
            | FileType::RegularFile
            | FileType::Fifo
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => return self.add(handle, access),
        }
        self.add(handle, AccessFs::ReadDir.into())?;
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = openat(workdir, path, flags, Mode::empty()).map_err(shown)?;
        for name in names(folder).map_err(shown)? {
            self.entries += 1;
            if self.entries > ENTRIES_MAX {
                return Err(format!("landlock: more than {ENTRIES_MAX} entries to allow singly"));
            }
            self.part(workdir, &inside.join(name), entry, access)?;
        }
        Ok(())
    }
}

fn names(folder: OwnedFd) -> Result<Vec<std::ffi::OsString>, Errno> {
    use std::os::unix::ffi::OsStrExt;
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::new(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(std::ffi::OsStr::from_bytes(name).to_owned());
        }
    }
    Ok(names)
}
