//! No value appears in the debug form of anything that holds one, or in an error.
use std::ffi::OsString;
use std::fmt::Debug;
use std::sync::Arc;

use crate::support::{file_in, handle, name, nothing_set, of, read, secret, tenant, write};
use kernel::units::UnixMs;
use secrets::{
    Aws, AwsConfiguration, Credential, EncryptedFile, Environment, Files, Former, Grants, Handle,
    Key, KeySource, KvVersion, Limits, Owner, Permissions, Secret, Secrets, Shelf, Vault,
    VaultAuth, VaultConfiguration, Version, Versioned,
};

const VALUE: &str = "correct-horse-battery";

fn variables(name: &str) -> Option<OsString> {
    (name != "HOME").then(|| OsString::from(VALUE))
}

/// Neither the value nor its bytes as a list of numbers, in either form of `Debug`.
fn check<T: Debug>(holder: &T) {
    let numbers = format!("{:?}", &VALUE.as_bytes()[..4]);
    let numbers = numbers.trim_matches(['[', ']']);
    for shown in [format!("{holder:?}"), format!("{holder:#?}").replace("\n", " ")] {
        assert!(!shown.contains("horse"), "{shown}");
        assert!(!shown.contains(numbers), "{shown}");
        let spaced = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(!spaced.contains(numbers), "{shown}");
    }
}

#[test]
fn the_check_sees_what_it_looks_for() {
    for leak in [format!("{:?}", VALUE.as_bytes()), VALUE.to_owned()] {
        let caught = std::panic::catch_unwind(|| check(&leak));
        assert!(caught.is_err(), "{leak}");
    }
    assert!(std::panic::catch_unwind(|| check(&VALUE.as_bytes())).is_err());
}

#[test]
fn values_and_keys_do_not_show() {
    let value = secret(VALUE);
    check(&value);
    assert_eq!(format!("{value:?}"), "Secret(…)");
    let former =
        Former { value: value.clone(), version: Version::of(&value).unwrap(), until: UnixMs(9) };
    let version = Version("2".to_owned());
    check(&former);
    check(&Versioned { former: Some(former), ..Versioned::new(value.clone(), version) });
    check(&KeySource::Passphrase(value));
    let key = Key::of(&VALUE.as_bytes().repeat(2)[..32].try_into().unwrap());
    check(&key);
    check(&secrets::envelope::TenantKey::read(key.written().as_bytes()).unwrap());
}

#[tokio::test]
async fn sources_and_the_cache_do_not_show_what_they_hold() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("files/@acme/key"), VALUE, 0o600);
    let files = Files::new(dir.path().join("files"), Permissions::Refuse);
    let env = Environment::new("APP_", variables).unwrap();
    let file = EncryptedFile::new(
        dir.path().join("secrets.enc"),
        KeySource::Passphrase(secret(VALUE)),
        nothing_set,
    );
    let changed = file.set(&of("acme"), &name("sealed"), &secret(VALUE), 0, UnixMs(0)).unwrap();
    check(&changed);
    check(&file.list(UnixMs(0)).unwrap());
    let json = serde_json::to_string(&changed).unwrap();
    assert!(!json.contains("horse"), "{json}");
    read(&file, &of("acme"), "sealed", 0).unwrap().unwrap();
    check(&file);
    let config = VaultConfiguration {
        address: "http://127.0.0.1:1".to_owned(),
        mount: "secret".to_owned(),
        kv: KvVersion::Two,
        prefix: None,
        namespace: None,
        auth: VaultAuth::Token(Credential::Env("TOKEN".to_owned())),
        ca_file: None,
        plain_http: false,
        tenant: None,
    };
    check(&Vault::new(&config, variables).unwrap());
    let (region, endpoint) = (None, None);
    check(&Aws::new(AwsConfiguration { region, prefix: String::new(), endpoint, tenant: None }));
    check(&env);

    let shelves = vec![
        Shelf { source: Arc::new(files), tenant: None },
        Shelf { source: Arc::new(file), tenant: None },
    ];
    let secrets = Secrets::new(shelves, Grants::default(), Limits::default());
    for wanted in ["secret://key", "enc:sealed"] {
        let found = secrets.resolve(&tenant("acme"), &handle(wanted), UnixMs(0)).await.unwrap();
        assert!(found.value.is(VALUE.as_bytes()));
        check(&found);
    }
    check(&secrets);
}

#[tokio::test]
async fn errors_do_not_repeat_what_they_are_about() {
    let dir = tempfile::tempdir().unwrap();
    // A value where JSON is wanted, a key that is none, a value that is too long.
    let env = Environment::new("APP_", variables).unwrap();
    let error = crate::support::ask(&env, &Owner::Installation, "key#field", 0).await.unwrap_err();
    check(&error);
    check(&error.to_string());
    write(&dir.path().join("key"), VALUE, 0o600);
    let file = file_in(dir.path());
    let error = file.set(&of("acme"), &name("x"), &secret("x"), 0, UnixMs(0)).unwrap_err();
    check(&error.to_string());
    let error = Secret::new(VALUE.as_bytes().repeat(10_000)).unwrap_err();
    check(&error.to_string());
    // A value that somebody wrote in a handle's place.
    let error = VALUE.parse::<Handle>().unwrap_err();
    check(&error);
    check(&error.to_string());
}
