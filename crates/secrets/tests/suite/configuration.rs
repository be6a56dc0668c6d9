//! What the installation's file may say about secrets.
use std::ffi::OsString;
use std::path::Path;

use crate::support::{handle, name, nothing_set, of, secret, tenant, text, write};
use kernel::units::UnixMs;
use secrets::{
    Configuration, Credential, KeySource, KvVersion, Permissions, SourceConfiguration, VaultAuth,
    default_key_file,
};

const EVERYTHING: &str = r#"
sources:
  - env: { prefix: WINDLASS_SECRET_ }
  - env: { prefix: ACME_, tenant: acme }
  - file: { dir: run/secrets, permissions: warn }
  - encrypted: { path: secrets.enc, key: { env: WINDLASS_SECRETS_KEY } }
  - aws_secrets_manager: { region: eu-central-1, prefix: windlass/, endpoint: "http://127.0.0.1:5000" }
  - vault:
      address: https://vault.example.com:8200
      mount: secret
      kv: 2
      auth:
        approle: { role_id: 59d6d1ca, secret_id: { file: vault/secret-id } }
  - vault:
      address: https://vault.example.com:8200
      kv: 1
      auth:
        kubernetes: { role: windlass }
grants:
  smtp: "*"
  brave: [acme, bolt]
ttl_ms: 30000
stale_ms_max: 0
overlap_ms: 600000
cache_bytes_max: 65536
"#;

fn read(yaml: &str) -> Result<Configuration, String> {
    serde_saphyr::from_str(yaml).map_err(|error| error.to_string())
}

#[test]
fn everything_that_is_documented_is_read() {
    let config = read(EVERYTHING).unwrap();
    assert_eq!(config.sources.len(), 7);
    assert!(config.grants.allow(&tenant("zed"), &name("smtp")));
    assert!(config.grants.allow(&tenant("bolt"), &name("brave")));
    assert!(!config.grants.allow(&tenant("zed"), &name("brave")));
    assert_eq!((config.ttl_ms, config.stale_ms_max), (30_000, 0));
    let SourceConfiguration::File(file) = &config.sources[2] else { panic!() };
    assert_eq!(file.permissions, Permissions::Warn);
    let SourceConfiguration::Encrypted(encrypted) = &config.sources[3] else { panic!() };
    assert_eq!(encrypted.key, Some(KeySource::Env("WINDLASS_SECRETS_KEY".to_owned())));
    let SourceConfiguration::Vault(vault) = &config.sources[5] else { panic!() };
    let VaultAuth::Approle { secret_id, mount, .. } = &vault.auth else { panic!() };
    assert_eq!(*secret_id, Credential::File("vault/secret-id".into()));
    assert_eq!((vault.kv, mount.as_str()), (KvVersion::Two, "approle"));
    let SourceConfiguration::Vault(vault) = &config.sources[6] else { panic!() };
    let VaultAuth::Kubernetes { jwt_file, .. } = &vault.auth else { panic!() };
    assert!(jwt_file.ends_with("serviceaccount/token"));
    assert_eq!((vault.kv, vault.mount.as_str()), (KvVersion::One, "secret"));
    config.open(Path::new("/nowhere"), nothing_set).unwrap();
}

#[test]
fn mistakes_are_named() {
    let at = |source: &str| format!("sources:\n  - {source}");
    let cases = [
        (at("env: {}"), "prefix"),
        (at("env: { prefix: A_, sufix: B }"), "sufix"),
        (at("ent: { prefix: A_ }"), "ent"),
        (at("vault: { address: https://v, kv: 3, auth: { token: { env: T } } }"), "1 and 2"),
        (at("vault: { address: https://v, auth: { token: hvs.abc } }"), "token"),
        (at("file: { dir: x, permissions: ignore }"), "ignore"),
        ("grants: { smtp: all }".to_owned(), "\"*\""),
        ("grants: { ../smtp: [acme] }".to_owned(), "not a name"),
        ("tll_ms: 1".to_owned(), "tll_ms"),
    ];
    for (yaml, word) in cases {
        let error = read(&yaml).expect_err(&yaml);
        assert!(error.contains(word), "{yaml}: {error}");
    }
    let opened = [
        ("ttl_ms: 86400001", "ttl_ms"),
        ("cache_bytes_max: 999999999", "cache_bytes_max"),
        ("sources: [{ env: { prefix: A-B } }]", "prefix"),
        (
            "sources: [{ vault: { address: \"http://v\", auth: { token: { env: T } } } }]",
            "encryption",
        ),
    ];
    for (yaml, word) in opened {
        let config = read(yaml).expect(yaml);
        let error = config.open(Path::new("/nowhere"), home).map(drop).expect_err(yaml);
        assert!(error.to_string().contains(word), "{yaml}: {error}");
    }
}

fn home(name: &str) -> Option<OsString> {
    (name == "HOME").then(|| OsString::from("/nowhere/of/ada"))
}

#[test]
fn a_key_has_a_place_outside_of_the_data() {
    let key = |variables| KeySource::usual(variables);
    let file = Path::new("/nowhere/of/ada/.config/windlass/secrets.key");
    assert_eq!(key(home), Ok(KeySource::File(file.to_owned())));
    let configured: fn(&str) -> Option<OsString> =
        |name| (name == "XDG_CONFIG_HOME").then(|| OsString::from("/etc/xdg"));
    assert_eq!(default_key_file(configured), Some("/etc/xdg/windlass/secrets.key".into()));
    let passphrase: fn(&str) -> Option<OsString> =
        |name| (name == "WINDLASS_SECRETS_PASSPHRASE").then(|| OsString::from("x"));
    let named = KeySource::PassphraseEnv("WINDLASS_SECRETS_PASSPHRASE".to_owned());
    assert_eq!(key(passphrase), Ok(named));
    let both: fn(&str) -> Option<OsString> = |_| Some(OsString::from("x"));
    assert_eq!(key(both), Ok(KeySource::Env("WINDLASS_SECRETS_KEY".to_owned())));
    assert!(key(nothing_set).is_err());
}

#[tokio::test]
async fn commands_and_look_ups_use_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let config =
        read("sources: [{ encrypted: { path: state/secrets.enc, key: { file: keys/key } } }]");
    let config = config.unwrap();
    let secrets = config.open(dir.path(), nothing_set).unwrap();
    let file = config.encrypted(dir.path(), nothing_set).unwrap();
    file.set(&of("acme"), &name("key"), &secret("value"), 0, UnixMs(0)).unwrap();
    assert!(dir.path().join("keys/key").exists() && dir.path().join("state/secrets.enc").exists());
    let found = secrets.resolve(&tenant("acme"), &handle("secret://key"), UnixMs(0)).await;
    assert_eq!(text(&found.unwrap().value), "value");

    let none = read("sources: [{ file: { dir: x } }]").unwrap();
    assert!(none.encrypted(dir.path(), nothing_set).is_err());
    write(&dir.path().join("x/@acme/key"), "from a file", 0o600);
    let secrets = none.open(dir.path(), nothing_set).unwrap();
    let found = secrets.resolve(&tenant("acme"), &handle("secret://key"), UnixMs(0)).await;
    assert_eq!(text(&found.unwrap().value), "from a file");
}
