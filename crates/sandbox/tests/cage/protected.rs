//! Names that stay as they are, whether they are there or not, also when cages share a
//! working directory; and what is refused because it cannot be protected.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;

use sandbox::{Cage, CageError, Grant, Mode, Protected};
use tokio::io::AsyncWriteExt;

use crate::world::{Before, World, bash, probes, text, walled};

#[tokio::test]
async fn placeholders_are_there_while_a_cage_lives_and_gone_with_the_last() {
    let probe = walled().await;
    let world = World::new(Before::Empty);
    let before = world.fixed();
    let cage = world.cage(&probe);
    let script = "read; mkdir .git 2>/dev/null && echo BROKEN; echo x > .git/a && echo BROKEN; \
                  mv .git g && echo BROKEN; rmdir .git && echo BROKEN; true";
    let args = ["-c", script].map(str::to_owned);
    let mut second = cage.spawn("bash", &args).await.unwrap();
    assert!(world.work().join(".git").is_dir());
    // Another cage of the same working directory comes and goes meanwhile.
    assert_eq!(bash(&cage, "true").await.code, 0);
    assert!(world.work().join(".git").is_dir(), "the last one clears away, not the first");
    second.stdin.take().unwrap().write_all(b"now\n").await.unwrap();
    let mut out = String::new();
    let stdout = second.stdout.take().unwrap();
    tokio::io::AsyncReadExt::read_to_string(&mut { stdout }, &mut out).await.unwrap();
    assert_eq!(second.wait().await.unwrap().code, 0);
    assert!(!out.contains("BROKEN"), "{out}");
    assert_eq!(world.fixed(), before);
}

/// They come and go beside each other: no moment in which a name is free.
#[tokio::test]
async fn many_cages_share_one_working_directory() {
    const CAGES: usize = 6;
    const ROUNDS: usize = 5;
    let probe = walled().await;
    let world = World::new(Before::Empty);
    let before = world.fixed();
    let cage = world.cage(&probe);
    let script =
        "mkdir .git 2> /dev/null && echo BROKEN; echo x > .git/config && echo BROKEN; true";
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..CAGES {
        let cage = cage.clone();
        running.spawn(async move {
            let mut said = String::new();
            for _ in 0..ROUNDS {
                said += &text(&bash(&cage, script).await);
            }
            said
        });
    }
    let said = running.join_all().await.concat();
    assert!(!said.contains("BROKEN"), "{said}");
    assert_eq!(world.fixed(), before);
}

#[tokio::test]
async fn what_somebody_else_put_into_a_placeholder_stays() {
    let probe = walled().await;
    let world = World::new(Before::Empty);
    let mut caged = world.cage(&probe).spawn("cat", &[]).await.unwrap();
    fs::write(world.work().join(".git/theirs"), "x").unwrap();
    drop(caged.stdin.take());
    caged.wait().await.unwrap();
    assert!(world.work().join(".git/theirs").exists());
    assert!(!world.work().join("windlass.yaml").exists());
}

#[tokio::test]
async fn new_repositories_below_are_reported() {
    for probe in probes().await {
        let world = World::new(Before::Full);
        let plant = "mkdir -p src/new/.git && mkdir -p src/bare/objects src/bare/refs && \
                     echo 'ref: refs/heads/x' > src/bare/HEAD";
        let ended = bash(&world.cage(&probe), plant).await;
        let expected = ["src/bare", "src/new/.git"].map(PathBuf::from);
        assert_eq!(ended.repositories, expected, "{:?} {}", probe.mode(), text(&ended));
        assert!(ended.searched_all);
        let again = bash(&world.cage(&probe), "true").await;
        assert!(again.repositories.is_empty(), "{again:?}");
        let cage = world.cage_of(&probe, |grant| grant.limits.search_entries_max = 3);
        assert!(!bash(&cage, "true").await.searched_all);
    }
}

/// A folder around a repository can be moved, with its protection; another one in its
/// place is no old acquaintance.
#[tokio::test]
async fn a_repository_in_place_of_another_is_new() {
    let probe = walled().await;
    let world = World::new(Before::Full);
    let swap = "mv lib moved && mkdir -p lib/.git && echo x > lib/.git/config; \
                echo x >> moved/.git/config";
    let ended = bash(&world.cage(&probe), swap).await;
    assert_eq!(ended.repositories, ["lib/.git", "moved/.git"].map(PathBuf::from), "{ended:?}");
    let moved = fs::read_to_string(world.work().join("moved/.git/config"));
    assert_eq!(moved.unwrap(), "[core]\n");
}

#[tokio::test]
async fn repositories_of_any_kind_and_name_are_protected() {
    use std::os::unix::ffi::OsStrExt;
    let odd = std::ffi::OsStr::from_bytes(b"src/\xff \n'");
    for probe in probes().await {
        let world = World::new(Before::Full);
        let bare = ["src/bare/objects", "src/bare/refs"].map(|path| world.work().join(path));
        for folder in [world.work().join(odd).join(".git"), bare[0].clone(), bare[1].clone()] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(world.work().join("src/bare/HEAD"), "ref: refs/heads/x").unwrap();
        let write = "echo x > src/bare/config && echo BROKEN; echo x > src/*/.git/config && echo BROKEN; \
                     mv src/bare/HEAD src/h && echo BROKEN; echo done";
        let ended = bash(&world.cage(&probe), write).await;
        assert_eq!(String::from_utf8_lossy(&ended.stdout), "done\n", "{:?}", probe.mode());
    }
}

#[tokio::test]
async fn a_working_directory_that_is_a_repository_as_a_whole_is_read_only() {
    for probe in probes().await {
        let world = World::new(Before::Empty);
        for folder in ["objects", "refs"] {
            fs::create_dir(world.work().join(folder)).unwrap();
        }
        fs::write(world.work().join("HEAD"), "ref: refs/heads/x").unwrap();
        let refused = world.cage(&probe).run("true", &[], b"").await.unwrap_err();
        assert!(refused.to_string().contains("a repository as a whole"), "{refused}");
        let reading = world.cage_of(&probe, |grant| grant.writable = false);
        assert_eq!(bash(&reading, "true").await.code, 0, "{:?}", probe.mode());
    }
}

/// What goes wrong before anything of ours runs inside is told in bubblewrap's words.
#[tokio::test]
async fn walls_that_do_not_stand_say_why() {
    let probe = walled().await;
    let world = World::new(Before::Full);
    let extra = world.root.join("extra");
    fs::write(&extra, "").unwrap();
    let cage = world.cage_of(&probe, |grant| grant.read.push(extra.clone()));
    fs::remove_file(&extra).unwrap();
    let before = world.fixed();
    let refused = cage.run("true", &[], b"").await.unwrap_err();
    assert!(matches!(refused, CageError::Refused(_)), "{refused:?}");
    assert!(refused.to_string().contains("bwrap: "), "{refused}");
    assert_eq!(world.fixed(), before);
}

/// What each kind of cage lets happen at the top of the working directory.
#[tokio::test]
async fn new_names_at_the_top_need_namespaces() {
    for probe in probes().await {
        let world = World::new(Before::Full);
        let ended = bash(&world.cage(&probe), "echo x > new.txt && mkdir target").await;
        assert_eq!(ended.code == 0, probe.mode() == Mode::Namespaces, "{ended:?}");
        assert_eq!(world.work().join("new.txt").exists(), probe.mode() == Mode::Namespaces);
    }
}

#[tokio::test]
async fn a_grant_to_read_changes_nothing() {
    for probe in probes().await {
        let world = World::new(Before::Empty);
        let cage = world.cage_of(&probe, |grant| grant.writable = false);
        let script =
            "cat src/a.txt; echo x > src/a.txt; echo x > src/new; echo x > new; rm notes.txt";
        let ended = bash(&cage, script).await;
        assert_eq!(String::from_utf8_lossy(&ended.stdout), "a", "{:?}", probe.mode());
        assert_eq!(fs::read_to_string(world.work().join("src/a.txt")).unwrap(), "a");
        assert!(!world.work().join("src/new").exists() && !world.work().join("new").exists());
        assert!(world.work().join("notes.txt").exists());
    }
}

#[tokio::test]
async fn a_link_in_place_of_a_protected_name_is_refused() {
    for probe in probes().await {
        let world = World::new(Before::Empty);
        symlink("src", world.work().join(".git")).unwrap();
        let args = ["-c".to_owned(), "true".to_owned()];
        let refused = world.cage(&probe).run("bash", &args, b"").await.unwrap_err();
        assert!(matches!(refused, CageError::Refused(_)), "{refused}");
        assert!(refused.to_string().contains("`.git` is a link"), "{refused}");
    }
}

#[tokio::test]
async fn grants_that_hold_too_much_are_refused() {
    for probe in probes().await {
        let world = World::new(Before::Full);
        let odd = |change: &dyn Fn(&mut Grant)| {
            let mut grant = Grant::writing(world.work());
            change(&mut grant);
            Cage::new(Arc::clone(&probe), grant).map(drop)
        };
        odd(&|_| {}).unwrap();
        for (name, refused) in [
            ("root", odd(&|grant| grant.workdir = "/".into())),
            ("system", odd(&|grant| grant.workdir = "/usr/share".into())),
            ("missing", odd(&|grant| grant.workdir = "/no/such/folder".into())),
            ("temp", odd(&|grant| grant.workdir = std::env::temp_dir())),
            ("read all", odd(&|grant| grant.read.push("/".into()))),
            ("read above", odd(&|grant| grant.read.push(world.root.clone()))),
            ("a path", odd(&|grant| grant.protected.push(Protected::new("a/b")))),
            ("up", odd(&|grant| grant.protected.push(Protected::new("..")))),
        ] {
            assert!(matches!(refused, Err(CageError::Grant(_))), "{name}: {refused:?}");
        }
    }
}
