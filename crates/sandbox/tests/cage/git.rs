//! `git` in a repository that wants to run programs.

use std::process::Command;

use crate::world::{Before, SECRET, World, bash, probes, text};

/// A repository whose configuration and hooks say so on every occasion.
fn hostile() -> World {
    let world = World::new(Before::Empty);
    let pwn = format!("echo {SECRET} >> {}/src/pwned; false", world.work().display());
    let script = format!(
        "rm -rf lib; git init -q . && git config user.name a && git config user.email a@b.example \
         && git add src && git commit -qm one && echo b >> src/a.txt \
         && git config core.fsmonitor '{pwn}' && git config core.pager '{pwn}' \
         && git config core.editor '{pwn}' && git config core.sshCommand '{pwn}' \
         && git config credential.helper '!{pwn}' && git config pager.log '{pwn}' \
         && git config gpg.program '{pwn}' && git config core.askPass '{pwn}' \
         && for hook in pre-commit post-checkout pre-push post-index-change; do \
            printf '#!/bin/sh\\n%s\\n' '{pwn}' > .git/hooks/$hook; chmod +x .git/hooks/$hook; done"
    );
    let ran = Command::new("bash").args(["-c", &script]).current_dir(world.work()).output();
    let ran = ran.expect("this test needs git: apt-get install git");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    world
}

const COMMANDS: &str = "git status --short; git --no-optional-locks diff --stat; git log --oneline; \
                        git -p log --oneline; git ls-remote ssh://nobody@host.invalid/x; \
                        git ls-remote ext::sh; git checkout -q -b other; git commit -qam two; true";

fn pwned(world: &World) -> bool {
    world.work().join("src/pwned").exists()
}

#[tokio::test]
async fn a_repository_runs_nothing_by_itself() {
    for probe in probes().await {
        let world = hostile();
        let before = world.fixed();
        let ended = bash(&world.cage(&probe), COMMANDS).await;
        let said = text(&ended);
        assert!(said.contains("src/a.txt") && said.contains("one"), "{:?} {said}", probe.mode());
        assert!(!pwned(&world), "{:?} {said}", probe.mode());
        assert_eq!(world.fixed(), before, "{:?} {said}", probe.mode());
    }
    let world = hostile();
    let ran = Command::new("bash").args(["-c", COMMANDS]).current_dir(world.work()).output();
    assert!(pwned(&world), "the repository is harmless: {ran:?}");
}

/// What attributes and `diff.external` name is still run: it is in the cage as well.
#[tokio::test]
async fn what_git_runs_all_the_same_is_caged() {
    for probe in probes().await {
        let world = hostile();
        let outside = world.root.join("outside/new");
        let set = format!("git config diff.external 'echo x > {}; echo ran #'", outside.display());
        let ran = Command::new("bash").args(["-c", &set]).current_dir(world.work()).status();
        assert!(ran.unwrap().success());
        let ended = bash(&world.cage(&probe), "git diff").await;
        assert!(text(&ended).contains("ran"), "{:?} {ended:?}", probe.mode());
        assert!(!outside.exists(), "{:?}", probe.mode());
    }
}
