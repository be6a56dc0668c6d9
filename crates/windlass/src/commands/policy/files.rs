//! `windlass policy check` and `test`: what is wrong with policy files, and how their
//! examples come out.

use std::path::Path;

use anstream::{eprintln, println};
use owo_colors::OwoColorize;
use policy::{PolicySet, TenantSet};

use crate::cli::{FilesArgs, HereArgs};
use crate::config::{Chosen, Look, PolicyFiles};
use crate::exit::End;
use crate::here;

/// How a file is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layer {
    /// As an installation's: it grants.
    Grants,
    /// As a tenant's: it narrows.
    Narrows,
}

pub(super) fn check(flags: &HereArgs, args: &FilesArgs) -> anyhow::Result<End> {
    each(flags, args, |file, layer| {
        let (words, warnings) = checked(file, layer)?;
        println!("{words}");
        if let Some(warnings) = warnings {
            eprint!("{}", warnings);
        }
        Ok(End::Finished)
    })
}

pub(super) fn test(flags: &HereArgs, args: &FilesArgs) -> anyhow::Result<End> {
    each(flags, args, |file, layer| {
        let tried = match layer {
            Layer::Grants => file.read_as(PolicySet::read)?.test(),
            Layer::Narrows => file.read_as(TenantSet::read)?.alone().test(),
        };
        tried.iter().for_each(|one| println!("{one}"));
        let failed = tried.iter().filter(|one| one.failure.is_some()).count();
        println!("{}: {} examples, {failed} failed", shown(file), tried.len());
        Ok(if failed == 0 { End::Finished } else { End::Usage })
    })
}

/// What an installation's policy file comes to, for the check of any kind of file.
pub(in crate::commands) fn summary(file: &Path) -> anyhow::Result<String> {
    let file = Chosen::File(file.to_owned());
    Ok(checked(&file, Layer::Grants)?.0)
}

/// Does it for each file; one that is wrong does not keep the others from their turn.
fn each(
    flags: &HereArgs,
    args: &FilesArgs,
    act: impl Fn(&Chosen, Layer) -> anyhow::Result<End>,
) -> anyhow::Result<End> {
    // The rules of a place that is itself wrong are the question, not an obstacle.
    let known = here::installation(flags).map(|file| file.permits.policies).unwrap_or_default();
    let mut end = End::Finished;
    for named in &args.files {
        let file = Chosen::of(named);
        let layer =
            if args.narrows || is_tenants(&known, &file) { Layer::Narrows } else { Layer::Grants };
        match act(&file, layer) {
            Ok(End::Finished) => {}
            Ok(other) => end = other,
            Err(error) => {
                end = End::Usage;
                eprintln!("{} {}", "error:".red().bold(), crate::words_of(&error).trim_end());
            }
        }
    }
    Ok(end)
}

/// Whether the installation's file names this one for a tenant.
fn is_tenants(known: &PolicyFiles, file: &Chosen) -> bool {
    let Chosen::File(file) = file else { return false };
    let same = |other: &Path| match (file.canonicalize(), other.canonicalize()) {
        (Ok(file), Ok(other)) => file == other,
        (Ok(_) | Err(_), _) => false,
    };
    known.tenants.values().any(|other| same(other))
}

/// What a file comes to, and what is not good in it.
fn checked(file: &Chosen, layer: Layer) -> anyhow::Result<(String, Option<String>)> {
    if layer == Layer::Narrows {
        return narrows(file);
    }
    let set = file.read_as(PolicySet::load)?;
    let policies = set.listed().filter(|one| one.id.starts_with(&format!("{}/", set.name())));
    let words = format!(
        "{}: ok\n  {} policies on {} laws · {} examples hold",
        shown(file),
        policies.count(),
        policy::laws().len(),
        set.test().len()
    );
    Ok((words, warnings(file, &set)?))
}

fn narrows(file: &Chosen) -> anyhow::Result<(String, Option<String>)> {
    let set = file.read_as(TenantSet::load)?;
    let set = set.alone();
    let words = format!(
        "{}: ok\n  {} policies that narrow · {} examples hold",
        shown(file),
        set.len(),
        set.test().len()
    );
    Ok((words, warnings(file, set)?))
}

fn warnings(file: &Chosen, set: &PolicySet) -> anyhow::Result<Option<String>> {
    if set.warnings().is_empty() {
        return Ok(None);
    }
    Ok(Some(file.report(set.warnings().to_vec())?.show(Look::Plain)))
}

fn shown(file: &Chosen) -> String {
    match file {
        Chosen::Template(name) => format!("template {name}"),
        Chosen::File(file) => file.display().to_string(),
    }
}
