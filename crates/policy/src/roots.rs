//! Where sessions may work: the working directory lies under one of the configured roots.
//!
//! A comparison of names only: both sides come with their links resolved, which whoever
//! opens the directory has to do anyway.

use std::path::{Component, Path, PathBuf};

/// Whether a working directory lies under one of the roots, or why not.
///
/// # Errors
/// In words: it does not, there are no roots, or a path is not resolved.
pub fn admits(workdir: &Path, roots: &[PathBuf]) -> Result<(), String> {
    if !is_resolved(workdir) {
        return Err(format!("the working directory `{}` is not resolved", workdir.display()));
    }
    if let Some(root) = roots.iter().find(|root| !is_resolved(root)) {
        return Err(format!("the root `{}` is not resolved", root.display()));
    }
    if roots.iter().any(|root| workdir.starts_with(root)) {
        return Ok(());
    }
    let names = roots.iter().map(|root| format!("`{}`", root.display())).collect::<Vec<_>>();
    let known = match names.as_slice() {
        [] => "no roots are configured".to_owned(),
        names => format!("the roots are {}", names.join(", ")),
    };
    Err(format!("the working directory `{}` lies under no root; {known}", workdir.display()))
}

/// Whether a path is absolute and climbs nowhere.
fn is_resolved(path: &Path) -> bool {
    path.is_absolute() && !path.components().any(|part| part == Component::ParentDir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(workdir: &str, roots: &[&str], admitted: bool) {
        let roots = roots.iter().map(PathBuf::from).collect::<Vec<_>>();
        let said = admits(Path::new(workdir), &roots);
        assert_eq!(said.is_ok(), admitted, "{workdir} under {roots:?}: {said:?}");
    }

    #[test]
    fn a_directory_lies_under_a_root_by_whole_names() {
        check("/srv/work", &["/srv/work"], true);
        check("/srv/work/a/b", &["/home", "/srv/work"], true);
        check("/srv/work/a", &["/srv/work/"], true);
        check("/srv/workshop", &["/srv/work"], false);
        check("/srv", &["/srv/work"], false);
        check("/anything", &["/"], true);
        check("/anything", &[], false);
    }

    #[test]
    fn what_is_not_resolved_is_not_admitted() {
        check("/srv/work/../../etc", &["/srv/work"], false);
        check("work", &["/srv/work"], false);
        check("/srv/work", &["srv/work"], false);
        check("/srv/work", &["/srv/work", "/srv/../etc"], false);
        check("", &["/"], false);
    }
}
