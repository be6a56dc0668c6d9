//! The encrypted file: what is set comes back, and what was changed by anybody else does
//! not.
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::thread;

use crate::support::{file_in, name, nothing_set, of, read, secret, shown, write, write_key};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::units::UnixMs;
use secrets::{EncryptedFile, Key, KeySource, Owner, SecretError, Wanted};

const NOW: UnixMs = UnixMs(1_000_000);
const HOUR_MS: u64 = 3_600_000;

fn set(file: &EncryptedFile, owner: &Owner, named: &str, value: &str) -> String {
    file.set(owner, &name(named), &secret(value), 0, NOW).unwrap().version.0
}

fn value(file: &EncryptedFile, owner: &Owner, named: &str) -> Result<Option<String>, SecretError> {
    shown(read(file, owner, named, NOW.0))
}

#[test]
fn a_secret_is_set_read_listed_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let file = file_in(dir.path());
    assert_eq!(value(&file, &of("acme"), "stripe"), Ok(None));
    assert_eq!(file.list(NOW), Ok(Vec::new()));

    let first = file.set(&of("acme"), &name("stripe"), &secret("sk-1"), 0, NOW).unwrap();
    assert!(first.created && first.former_until.is_none());
    assert_eq!((first.tenant.as_deref(), first.version.0.as_str()), (Some("acme"), "1"));
    set(&file, &Owner::Installation, "smtp", "pw");
    assert_eq!(value(&file, &of("acme"), "stripe"), Ok(Some("sk-1".to_owned())));

    let later = NOW.plus_ms(5);
    let second = file.set(&of("acme"), &name("stripe"), &secret("sk-2"), 0, later).unwrap();
    assert!(!second.created && second.key == first.key);
    let listed = file.list(later).unwrap();
    let names: Vec<_> = listed.iter().map(|l| (l.tenant.as_deref(), l.name.as_str())).collect();
    assert_eq!(names, [(None, "smtp"), (Some("acme"), "stripe")]);
    assert_eq!((listed[1].created, listed[1].changed), (NOW, later));
    assert_eq!(listed[1].version, second.version);

    let removed = file.remove(&of("acme"), &name("stripe"), later).unwrap();
    assert_eq!(removed.version, second.version);
    assert_eq!(value(&file, &of("acme"), "stripe"), Ok(None));
    let again = file.remove(&of("acme"), &name("stripe"), later);
    assert!(matches!(again, Err(SecretError::Missing { .. })), "{again:?}");
    let reset = file.set(&of("acme"), &name("stripe"), &secret("sk-3"), 0, later).unwrap();
    assert!(![first.version, second.version].contains(&reset.version), "a version came again");
}

#[test]
fn one_owner_never_reads_the_entry_of_another() {
    let dir = tempfile::tempdir().unwrap();
    let file = file_in(dir.path());
    set(&file, &of("acme"), "key", "of acme");
    for other in [of("acme2"), of("ACME"), of(""), Owner::Installation] {
        assert_eq!(value(&file, &other, "key"), Ok(None), "{other}");
    }
}

#[test]
fn values_are_nowhere_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let file = file_in(dir.path());
    set(&file, &of("acme"), "key", "correct horse battery staple");
    file.rotate_key(None, NOW).unwrap();
    for entry in fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
        let content = String::from_utf8(fs::read(&path).unwrap()).unwrap();
        assert!(!content.contains("horse"), "{}", path.display());
        assert!(!content.contains(&STANDARD.encode("correct horse")[..12]), "{}", path.display());
    }
}

/// A small file with everything in it: an entry with a former value, and one without.
fn sample(dir: &Path) -> EncryptedFile {
    let file = file_in(dir);
    set(&file, &Owner::Installation, "smtp", "pw-0");
    set(&file, &of("acme"), "stripe", "sk-1");
    file.set(&of("acme"), &name("stripe"), &secret("sk-2"), HOUR_MS, NOW).unwrap();
    file
}

/// A damaged file gives no value and no list, and is not written over.
fn check_refused(file: &EncryptedFile, damaged: &[u8], what: &str) -> SecretError {
    fs::write(file.path(), damaged).unwrap();
    let error = value(file, &of("acme"), "stripe").expect_err(what);
    assert_eq!(file.list(NOW).expect_err(what), error, "{what}");
    let set = file.set(&of("acme"), &name("stripe"), &secret("sk-3"), 0, NOW);
    assert_eq!(set.expect_err(what), error, "{what}");
    assert_eq!(file.rotate_key(None, NOW).expect_err(what), error, "{what}");
    assert_eq!(file.remove(&of("acme"), &name("stripe"), NOW).expect_err(what), error, "{what}");
    assert_eq!(fs::read(file.path()).unwrap(), damaged, "{what} was written over");
    error
}

#[test]
fn a_file_that_was_cut_anywhere_is_refused_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let file = sample(dir.path());
    let whole = fs::read(file.path()).unwrap();
    for length in 0..whole.len() {
        let error = check_refused(&file, &whole[..length], &format!("cut at {length}"));
        let SecretError::Damaged { why, .. } = &error else { panic!("{length}: {error}") };
        assert!(why.starts_with("it was cut off"), "{length}: {why}");
    }
}

#[test]
fn a_file_with_any_byte_changed_is_refused_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let file = sample(dir.path());
    let whole = fs::read(file.path()).unwrap();
    let mut damaged = 0;
    for at in 0..whole.len() {
        for flip in [0x01, 0x20, 0x80] {
            let mut changed = whole.clone();
            changed[at] ^= flip;
            let error = check_refused(&file, &changed, &format!("byte {at} ^ {flip:#x}"));
            match &error {
                SecretError::Damaged { .. } => damaged += 1,
                // The digit of the format may become a newer one.
                SecretError::Unusable { why, .. } => assert!(why.contains("newer"), "{at}: {why}"),
                SecretError::Missing { .. }
                | SecretError::Denied { .. }
                | SecretError::Unavailable { .. } => panic!("{at}: {error}"),
            }
        }
    }
    assert!(damaged >= whole.len() * 3 - 1, "{damaged}");
}

#[test]
fn the_damaged_entry_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = sample(dir.path());
    let text = fs::read_to_string(file.path()).unwrap();
    let at = text.find("\"sealed\":\"").unwrap() + 40;
    let mut changed = text.into_bytes();
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    let error = check_refused(&file, &changed, "entry").to_string();
    assert!(error.contains("entry 1 (`smtp` of the installation) cannot be opened"), "{error}");
}

#[test]
fn entries_are_not_swapped_dropped_doubled_or_rolled_back() {
    let dir = tempfile::tempdir().unwrap();
    let file = file_in(dir.path());
    set(&file, &of("acme"), "key", "old");
    set(&file, &of("bolt"), "key", "bolt's");
    let before = fs::read_to_string(file.path()).unwrap();
    set(&file, &of("acme"), "key", "new");
    let after = fs::read_to_string(file.path()).unwrap();
    let [old, new] = [&before, &after].map(|text| text.lines().collect::<Vec<_>>());
    // Lines: magic, header, acme, bolt, seal.
    let renamed = |from: &str, to: &str| new[3].replace(from, to);
    let cases: [(&str, Vec<&str>); 6] = [
        ("rolled back", vec![new[0], new[1], old[2], new[3], new[4]]),
        ("dropped", vec![new[0], new[1], new[2], new[4]]),
        ("doubled", vec![new[0], new[1], new[2], new[3], new[3], new[4]]),
        ("reordered", vec![new[0], new[1], new[3], new[2], new[4]]),
        ("an older seal", vec![new[0], new[1], new[2], new[3], old[4]]),
        ("an older header", vec![new[0], old[1], new[2], new[3], new[4]]),
    ];
    for (what, lines) in cases {
        let error = check_refused_at(&file, &(lines.join("\n") + "\n"), what);
        assert!(matches!(error, SecretError::Damaged { .. }), "{what}: {error}");
    }
    for (from, to) in [("bolt", "acme"), ("\"key\"", "\"kex\""), ("\"version\":2", "\"version\":9")]
    {
        let moved = renamed(from, to);
        assert_ne!(moved, new[3], "{from} is not there");
        let lines = [new[0], new[1], &moved, new[4]];
        let error = check_refused_at(&file, &(lines.join("\n") + "\n"), from);
        assert!(error.to_string().contains("entry 1 ("), "{from}: {error}");
    }
}

fn check_refused_at(file: &EncryptedFile, content: &str, what: &str) -> SecretError {
    fs::write(file.path(), content).unwrap();
    value(file, &of("acme"), "key").expect_err(what)
}

#[test]
fn a_wrong_key_and_a_lost_key_are_told_from_damage() {
    let dir = tempfile::tempdir().unwrap();
    let file = sample(dir.path());
    let right = fs::read_to_string(dir.path().join("key")).unwrap();
    let whole = fs::read(file.path()).unwrap();
    let wrong = write_key(&dir.path().join("key"));
    let error = check_refused(&file, &whole, "wrong key").to_string();
    assert!(error.contains("this is the wrong key"), "{error}");
    assert!(error.contains(&wrong.id().0), "{error}");
    assert!(error.contains(&Key::read(right.as_bytes()).unwrap().id().0), "{error}");

    fs::remove_file(dir.path().join("key")).unwrap();
    let error = check_refused(&file, &whole, "lost key").to_string();
    assert!(error.contains("put its file back"), "{error}");
    assert!(!dir.path().join("key").exists(), "a new key was made over an old file");

    write(&dir.path().join("key"), "bm90IGEga2V5", 0o600);
    let error = check_refused(&file, &whole, "no key").to_string();
    assert!(error.contains("not 32 bytes in base64") && !error.contains("bm90"), "{error}");

    write(&dir.path().join("key"), &right, 0o600);
    assert_eq!(value(&file, &of("acme"), "stripe"), Ok(Some("sk-2".to_owned())));
}

#[test]
fn a_key_file_that_others_may_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = sample(dir.path());
    for mode in [0o640, 0o604, 0o620, 0o602, 0o666] {
        fs::set_permissions(dir.path().join("key"), fs::Permissions::from_mode(mode)).unwrap();
        let error = value(&file, &of("acme"), "stripe").unwrap_err();
        let SecretError::Denied { why, .. } = &error else { panic!("{mode:o}: {error}") };
        assert!(why.contains(&format!("{mode:o}")) && why.contains("chmod 600"), "{why}");
    }
}

#[test]
fn a_newer_format_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = sample(dir.path());
    let error = check_refused(&file, b"windlass-secrets 2\nsomething new\n", "newer");
    let SecretError::Unusable { why, .. } = &error else { panic!("{error}") };
    assert!(why.contains("format 2") && why.contains("newer windlass"), "{why}");
    for wrong in ["windlass-secrets 01\n", "windlass-secrets +1\n", "windlass-secrets x\n", "PK\n"]
    {
        let error = check_refused(&file, wrong.as_bytes(), wrong);
        assert!(matches!(error, SecretError::Damaged { .. }), "{wrong}: {error}");
    }
}

#[test]
fn a_former_value_stays_good_for_its_overlap() {
    let dir = tempfile::tempdir().unwrap();
    let file = file_in(dir.path());
    let at = of("acme");
    set(&file, &at, "key", "one");
    let done = file.set(&at, &name("key"), &secret("two"), HOUR_MS, NOW).unwrap();
    let until = NOW.plus_ms(HOUR_MS);
    assert_eq!(done.former_until, Some(until));
    let good = |now: UnixMs| {
        let found = read(&file, &at, "key", now.0).unwrap().unwrap();
        found.good(now).map(|(_, value)| crate::support::text(value)).collect::<Vec<_>>()
    };
    assert_eq!(good(NOW), ["two", "one"]);
    assert_eq!(good(UnixMs(until.0 - 1)), ["two", "one"]);
    assert_eq!(good(until), ["two"]);
    file.rotate_key(None, NOW).unwrap();
    assert_eq!(good(NOW), ["two", "one"], "rotating the key lost one");
    assert_eq!(file.list(NOW).unwrap()[0].former_until, Some(until));
    assert_eq!(file.list(until).unwrap()[0].former_until, None);

    // What is over leaves the file with its next change.
    file.set(&of("bolt"), &name("key"), &secret("x"), 0, until).unwrap();
    assert!(!fs::read_to_string(file.path()).unwrap().contains("former"));
    file.set(&at, &name("key"), &secret("three"), 0, NOW).unwrap();
    assert_eq!(good(NOW), ["three"], "a value without overlap stays");
    let error = file.set(&at, &name("key"), &secret("x"), u64::MAX, NOW).unwrap_err();
    assert!(matches!(error, SecretError::Unusable { .. }), "{error}");
}

#[test]
fn a_field_is_picked_from_both_values_where_both_have_it() {
    let dir = tempfile::tempdir().unwrap();
    let (file, at, db) = (file_in(dir.path()), of("acme"), name("db"));
    let good = |field: &str| {
        let wanted = Wanted { owner: &at, name: &db, field: Some(field), now: NOW };
        let found = file.read(&wanted).unwrap().unwrap();
        found.good(NOW).map(|(_, value)| crate::support::text(value)).collect::<Vec<_>>()
    };
    file.set(&at, &db, &secret(r#"{"password":"one"}"#), 0, NOW).unwrap();
    let new = secret(r#"{"password":"two","user":"ada"}"#);
    file.set(&at, &db, &new, HOUR_MS, NOW).unwrap();
    assert_eq!(good("password"), ["two", "one"]);
    assert_eq!(good("user"), ["ada"]);
}

#[test]
fn rotating_the_key_changes_every_sealed_byte_and_no_value() {
    let dir = tempfile::tempdir().unwrap();
    let file = sample(dir.path());
    let before = fs::read_to_string(file.path()).unwrap();
    let versions: Vec<_> = file.list(NOW).unwrap().into_iter().map(|l| l.version).collect();
    let done = file.rotate_key(None, NOW).unwrap();
    assert_eq!((done.entries, &done.old_key), (2, &done.new_key));
    let after = fs::read_to_string(file.path()).unwrap();
    for sealed in before.split('"').filter(|part| part.len() > 50) {
        assert!(!after.contains(sealed));
    }
    assert_eq!(value(&file, &of("acme"), "stripe"), Ok(Some("sk-2".to_owned())));
    assert_eq!(value(&file, &Owner::Installation, "smtp"), Ok(Some("pw-0".to_owned())));
    let kept: Vec<_> = file.list(NOW).unwrap().into_iter().map(|l| l.version).collect();
    assert_eq!(kept, versions);

    let to = KeySource::File(dir.path().join("other"));
    let done = file.rotate_key(Some(&to), NOW).unwrap();
    assert_ne!(done.old_key, done.new_key);
    let moved = EncryptedFile::new(file.path().to_owned(), to, nothing_set);
    assert_eq!(value(&moved, &of("acme"), "stripe"), Ok(Some("sk-2".to_owned())));
    let error = value(&file, &of("acme"), "stripe").unwrap_err().to_string();
    assert!(error.contains("wrong key"), "{error}");
}

#[test]
fn a_passphrase_opens_what_it_locked() {
    let dir = tempfile::tempdir().unwrap();
    let at = |phrase: &str| {
        let key = KeySource::Passphrase(secret(phrase));
        EncryptedFile::new(dir.path().join("secrets.enc"), key, nothing_set)
    };
    let file = at("correct horse");
    set(&file, &of("acme"), "key", "value");
    assert_eq!(value(&at("correct horse"), &of("acme"), "key"), Ok(Some("value".to_owned())));
    let error = value(&at("correct horsf"), &of("acme"), "key").unwrap_err().to_string();
    assert!(error.contains("wrong key") && !error.contains("hors"), "{error}");

    write_key(&dir.path().join("key"));
    let error = value(&file_in(dir.path()), &of("acme"), "key").unwrap_err().to_string();
    assert!(error.contains("a passphrase and not with a key"), "{error}");

    // A file that asks for more work than any of ours is not obeyed.
    let text = fs::read_to_string(file.path()).unwrap();
    fs::write(file.path(), text.replace("\"memory_kib\":65536", "\"memory_kib\":4294967295"))
        .unwrap();
    let error = value(&at("correct horse"), &of("acme"), "key").unwrap_err();
    assert!(matches!(error, SecretError::Damaged { .. }), "{error}");
}

#[test]
fn many_writers_at_once_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (writers, each) = (4, 12);
    thread::scope(|scope| {
        for writer in 0..writers {
            // A file of its own for each, as for processes; the key file is made in the race too.
            let file = file_in(dir.path());
            scope.spawn(move || {
                for n in 0..each {
                    set(
                        &file,
                        &of(&format!("t{writer}")),
                        &format!("s{n}"),
                        &format!("{writer}/{n}"),
                    );
                }
            });
        }
        let file = file_in(dir.path());
        scope.spawn(move || {
            for _ in 0..50 {
                file.list(NOW).expect("a reader saw half a change");
            }
        });
    });
    let file = file_in(dir.path());
    let listed = file.list(NOW).unwrap();
    assert_eq!(listed.len(), writers * each);
    let versions: BTreeSet<_> = listed.iter().map(|l| l.version.0.clone()).collect();
    assert_eq!(versions.len(), listed.len(), "two changes have one version");
    for writer in 0..writers {
        let last = value(&file, &of(&format!("t{writer}")), "s11");
        assert_eq!(last, Ok(Some(format!("{writer}/11"))));
    }
}

#[test]
fn files_that_begin_at_once_agree_on_their_key() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: usize| {
        let key = KeySource::File(dir.path().join("keys/key"));
        EncryptedFile::new(dir.path().join(format!("{n}.enc")), key, nothing_set)
    };
    thread::scope(|scope| {
        for n in 0..8 {
            let file = at(n);
            scope.spawn(move || set(&file, &of("acme"), "key", "value"));
        }
    });
    for n in 0..8 {
        assert_eq!(value(&at(n), &of("acme"), "key"), Ok(Some("value".to_owned())), "{n}");
    }
}

#[test]
fn what_a_crash_left_behind_is_no_obstacle() {
    let dir = tempfile::tempdir().unwrap();
    let file = sample(dir.path());
    let precious = dir.path().join("precious");
    fs::write(&precious, "precious").unwrap();
    let fresh = dir.path().join("secrets.enc.new");
    fs::write(&fresh, "half a fi").unwrap();
    set(&file, &of("acme"), "stripe", "sk-3");
    symlink(&precious, &fresh).unwrap();
    set(&file, &of("acme"), "stripe", "sk-4");
    assert_eq!(value(&file, &of("acme"), "stripe"), Ok(Some("sk-4".to_owned())));
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious", "a link was written through");
}
