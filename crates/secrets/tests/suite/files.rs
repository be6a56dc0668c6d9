//! Files and environment variables as sources.
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{ask, name, of, shown, write};
use kernel::units::UnixMs;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use secrets::{Environment, Files, Owner, Permissions, SecretError, Source, Wanted};

const HERE: Owner = Owner::Installation;

#[tokio::test]
async fn files_are_read_in_their_owners_folder() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("smtp"), "pw\n", 0o600);
    write(&dir.path().join("tls/server.key"), "pem", 0o400);
    write(&dir.path().join("@acme/stripe"), "{\"live\":\"sk-1\",\"test\":\"sk-2\"}", 0o600);
    let files = Files::new(dir.path().to_owned(), Permissions::Refuse);
    let cases = [
        (HERE, "smtp", Some("pw")),
        (HERE, "tls/server.key", Some("pem")),
        (HERE, "tls", None),
        (HERE, "smtp/deeper", None),
        (HERE, "stripe", None),
        (of("acme"), "stripe#live", Some("sk-1")),
        (of("acme"), "smtp", None),
        (of("bolt"), "stripe", None),
    ];
    for (owner, wanted, expected) in cases {
        let found = shown(ask(&files, &owner, wanted, 0).await);
        assert_eq!(found, Ok(expected.map(str::to_owned)), "{wanted} of {owner}");
    }
    let gone = Files::new(dir.path().join("nowhere"), Permissions::Refuse);
    assert_eq!(shown(ask(&gone, &HERE, "smtp", 0).await), Ok(None));
}

#[tokio::test]
async fn links_lead_about_the_folder_as_kubernetes_lays_it_and_not_out_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let mounted = dir.path().join("mounted");
    write(&mounted.join("..2026_01/smtp"), "one", 0o600);
    write(&mounted.join("..2026_02/smtp"), "two", 0o600);
    write(&dir.path().join("outside"), "outside", 0o600);
    symlink("..2026_01", mounted.join("..data")).unwrap();
    symlink("..data/smtp", mounted.join("smtp")).unwrap();
    symlink("../outside", mounted.join("up")).unwrap();
    symlink(dir.path().join("outside"), mounted.join("away")).unwrap();
    symlink("loop", mounted.join("loop")).unwrap();

    let files = Files::new(mounted.clone(), Permissions::Refuse);
    let smtp = name("smtp");
    let wanted = Wanted { owner: &HERE, name: &smtp, field: None, now: UnixMs(0) };
    let before = files.mark(&wanted).unwrap();
    assert_eq!(shown(ask(&files, &HERE, "smtp", 0).await), Ok(Some("one".to_owned())));
    assert_eq!(files.mark(&wanted), Some(before.clone()));
    // As the kubelet changes them: all at once, by one link.
    symlink("..2026_02", mounted.join("..data_tmp")).unwrap();
    fs::rename(mounted.join("..data_tmp"), mounted.join("..data")).unwrap();
    assert_ne!(files.mark(&wanted), Some(before));
    assert_eq!(shown(ask(&files, &HERE, "smtp", 0).await), Ok(Some("two".to_owned())));

    for out in ["up", "away", "loop"] {
        let error = ask(&files, &HERE, out, 0).await.expect_err(out);
        assert!(!matches!(error, SecretError::Missing { .. }), "{out}: {error}");
    }
}

#[tokio::test]
async fn files_that_others_may_read_are_refused_or_warned_of() {
    let dir = tempfile::tempdir().unwrap();
    for mode in [0o640, 0o604, 0o620, 0o644] {
        let path = dir.path().join("key");
        fs::remove_file(&path).ok();
        write(&path, "value", mode);
        let strict = Files::new(dir.path().to_owned(), Permissions::Refuse);
        let error = ask(&strict, &HERE, "key", 0).await.unwrap_err();
        assert!(matches!(error, SecretError::Denied { .. }), "{mode:o}: {error}");
        assert!(error.to_string().contains("chmod 600"), "{error}");
        let mild = Files::new(dir.path().to_owned(), Permissions::Warn);
        assert_eq!(shown(ask(&mild, &HERE, "key", 0).await), Ok(Some("value".to_owned())));
    }
}

#[tokio::test]
async fn what_is_no_secret_is_refused_without_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let files = Files::new(dir.path().to_owned(), Permissions::Refuse);
    write(&dir.path().join("empty"), "\n", 0o600);
    write(&dir.path().join("long"), &"x".repeat(70_000), 0o600);
    write(&dir.path().join("plain"), "no object", 0o600);
    mknodat(CWD, dir.path().join("pipe"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let cases = [
        ("empty", "empty"),
        ("long", "longer than"),
        ("plain#field", "not a JSON object"),
        ("pipe", "not a regular file"),
    ];
    for (wanted, why) in cases {
        let error = ask(&files, &HERE, wanted, 0).await.expect_err(wanted);
        assert!(matches!(error, SecretError::Unusable { .. }), "{wanted}: {error}");
        assert!(error.to_string().contains(why), "{wanted}: {error}");
        assert!(!error.to_string().contains("no object"), "{error}");
    }
}

fn variables(name: &str) -> Option<OsString> {
    let value = match name {
        "APP_STRIPE_KEY" => "sk-1",
        "APP_DB" => "{\"password\":\"pw\"}",
        "APP_EMPTY" => "",
        "AWS_SECRET_ACCESS_KEY" => "not for handles",
        _ => return None,
    };
    Some(OsString::from(value))
}

#[tokio::test]
async fn variables_are_the_installations_and_have_the_prefix() {
    let env = Environment::new("APP_", variables).unwrap();
    let cases = [
        (HERE, "stripe-key", Some("sk-1")),
        (HERE, "stripe.key", Some("sk-1")),
        (HERE, "STRIPE_KEY", Some("sk-1")),
        (HERE, "db#password", Some("pw")),
        (HERE, "empty", None),
        (HERE, "AWS_SECRET_ACCESS_KEY", None),
        (of("acme"), "stripe-key", None),
    ];
    for (owner, wanted, expected) in cases {
        let found = shown(ask(&env, &owner, wanted, 0).await);
        assert_eq!(found, Ok(expected.map(str::to_owned)), "{wanted} of {owner}");
    }
    for wrong in ["", "A-B", "A=", "Ä"] {
        assert!(Environment::new(wrong, variables).is_err(), "{wrong}");
    }
}
