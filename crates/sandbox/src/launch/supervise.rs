//! The supervisor: one caged program from order to report.
//!
//! It lives in its own session with one thread. Everything that it makes on disk is
//! cleared away by it, also when its caller dies: then the line is closed.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::process::{getpid, set_child_subreaper, setsid};

use super::begin::begin;
use super::placeholder::Claim;
use super::repositories::{self, Found};
use super::room::{Room, house};
use super::workdir::Workdir;
use super::{descend, watch};
use crate::control;
use crate::spec::{Cover, End, Order, Report, Spec};

/// Descriptors of the supervisor.
const DESCRIPTORS_MAX: u64 = 16 * 1024;

/// Paths in a report, which is one message. A byte takes four at the most.
const PATHS_BYTES_MAX: usize = 12 * 1024;

/// What is told to somebody who types the launcher's word.
const NOT_FOR_PEOPLE: &str = "this is for the program itself: it starts caged programs so";

/// Does one order that comes over standard input.
pub(super) fn main() -> i32 {
    let Ok(line) = std::io::stdin().as_fd().try_clone_to_owned() else { return 2 };
    let Ok(Some((Order::Begin, attached))) = control::receive(&line) else {
        eprintln!("{NOT_FOR_PEOPLE}");
        return 2;
    };
    let report = match tend(&line, attached) {
        Ok(end) => Report::Ended(end),
        Err(why) => Report::Refused(why),
    };
    // Nobody listens any more where the caller died.
    let _ = control::send(&line, &report, &[]);
    0
}

/// Builds the cage, watches over it, and clears it away.
fn tend(line: &OwnedFd, attached: Vec<OwnedFd>) -> Result<End, String> {
    let Ok([spec, stdin, stdout, stderr]) = <[OwnedFd; 4]>::try_from(attached) else {
        return Err("the order came without its descriptors".into());
    };
    let spec: Spec = control::unpack(spec).map_err(|error| format!("the order: {error}"))?;
    // Each thing that is covered takes a descriptor.
    let _ = rlimit::increase_nofile_limit(DESCRIPTORS_MAX);
    setsid().map_err(|error| format!("a session of its own: {error}"))?;
    let reaping = set_child_subreaper(Some(getpid()));
    reaping.map_err(|error| format!("adopting what the program leaves: {error}"))?;

    let workdir = Workdir::open(&spec.workdir)?;
    let room = Room::make(&house(&spec.rooms)?)?;
    watch::disks(&workdir, &room, &spec.limits)?;
    let known = search(&workdir, &spec);
    if known.repositories.contains_key(Path::new("")) {
        return Err("the working directory is a repository as a whole, whose settings cannot be \
                    protected\ngrant reading only, or work in a checkout of it"
            .into());
    }
    let names = protected(&spec);
    let placed = spec.writable && spec.bubblewrap.is_some();
    // Claimed before the covers are listed: what they cover is there then.
    let claim = placed.then(|| Claim::take(&spec.rooms, &workdir, &names)).transpose()?;
    let covers = covers(&workdir, &spec, names, &known)?;

    let main = begin(line, &spec, &workdir, &room, covers, [stdin, stdout, stderr])?;
    watch::come_first();
    let (status, stopped) = watch::until_end(line, main, &workdir, &room, &spec.limits);
    let status = descend::end_all(main, status)?;
    watch::step_back();

    let after = search(&workdir, &spec);
    drop(claim);
    let searched_all = known.complete && after.complete;
    let (repositories, told_all) = told(after.since(&known));
    let searched_all = searched_all && told_all;
    Ok(End { code: descend::code(status), stopped, repositories, searched_all })
}

/// As many paths as fit into a report, and whether these are all.
fn told(mut paths: Vec<PathBuf>) -> (Vec<PathBuf>, bool) {
    let mut bytes = 0;
    let fit = paths.iter().take_while(|path| {
        bytes += path.as_os_str().len();
        bytes <= PATHS_BYTES_MAX
    });
    let (fit, all) = (fit.count(), paths.len());
    paths.truncate(fit);
    (paths, fit == all)
}

fn search(workdir: &Workdir, spec: &Spec) -> Found {
    if spec.writable {
        return repositories::search(workdir.path(), spec.limits.search_entries_max);
    }
    Found { complete: true, ..Found::default() }
}

/// The names to protect. A folder is a repository as a whole where it holds a `HEAD` and
/// some more, so that name belongs to `.git`.
fn protected(spec: &Spec) -> Vec<Cover> {
    let cover = |name: &str, hidden| Cover { path: name.into(), hidden, folder: true };
    let mut names: Vec<Cover> =
        spec.protected.iter().map(|one| cover(&one.name, one.hidden)).collect();
    let has = |name: &str| spec.protected.iter().any(|one| one.name == name);
    if has(".git") && !has("HEAD") {
        names.push(cover("HEAD", false));
    }
    names
}

/// Everything in the working directory that is not granted with it, as it is now.
fn covers(
    workdir: &Workdir,
    spec: &Spec,
    names: Vec<Cover>,
    known: &Found,
) -> Result<Vec<Cover>, String> {
    let cover = |path: &PathBuf| Cover { path: path.clone(), hidden: false, folder: true };
    let nested = known.repositories.keys().map(cover);
    let mut covers = Vec::new();
    for mut cover in names.into_iter().chain(nested) {
        match workdir.kind(&cover.path)? {
            Some(folder) => cover.folder = folder,
            // Nobody can make it: without namespaces no name can be made beside it.
            None if spec.bubblewrap.is_none() => {}
            // Nothing is there to be read, and nothing can be made in a closed folder.
            None => continue,
        }
        if spec.writable || cover.hidden {
            covers.push(cover);
        }
    }
    covers.sort();
    covers.dedup();
    Ok(covers)
}

/// A file that the walls must keep out of reach.
pub(super) fn canary(spec: &Spec) -> Result<PathBuf, String> {
    let path = spec.rooms.join("canary");
    let made = File::options().create(true).append(true).open(&path);
    made.map_err(|error| format!("`{}`: {error}", path.display()))?;
    Ok(path)
}
