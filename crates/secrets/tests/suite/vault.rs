//! Vault, against a server that answers as its documentation says.
use std::ffi::OsString;
use std::path::Path;

use crate::support::{ask, name, of, shown, write};
use secrets::{Credential, KvVersion, Owner, SecretError, Vault, VaultAuth, VaultConfiguration};
use serde_json::{Value, json};
use wiremock::matchers::{body_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn variables(name: &str) -> Option<OsString> {
    match name {
        "VAULT_TOKEN" => Some(OsString::from("hvs.static")),
        "SECRET_ID" => Some(OsString::from("secret-id")),
        _ => None,
    }
}

fn approle() -> VaultAuth {
    let secret_id = Credential::Env("SECRET_ID".to_owned());
    VaultAuth::Approle { role_id: "role-id".to_owned(), secret_id, mount: "approle".to_owned() }
}

fn config(server: &MockServer, auth: VaultAuth) -> VaultConfiguration {
    VaultConfiguration {
        address: server.uri(),
        mount: "secret".to_owned(),
        kv: KvVersion::Two,
        prefix: Some(name("windlass")),
        namespace: None,
        auth,
        ca_file: None,
        plain_http: false,
        tenant: None,
    }
}

fn vault(server: &MockServer, auth: VaultAuth) -> Vault {
    Vault::new(&config(server, auth), variables).unwrap()
}

/// The answer of a login or a renewal.
fn granted(token: &str, lease_s: u64) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({
        "request_id": "d9b6b0a5", "lease_id": "", "renewable": false, "lease_duration": 0,
        "data": null, "wrap_info": null, "warnings": null,
        "auth": {
            "client_token": token, "accessor": "8609694a", "policies": ["default"],
            "token_policies": ["default"], "metadata": {"role_name": "windlass"},
            "lease_duration": lease_s, "renewable": true, "entity_id": "", "token_type": "service",
            "orphan": true, "mfa_requirement": null, "num_uses": 0
        }
    }))
}

/// The answer of KV version 2.
fn version_2(data: &Value, version: u64) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({
        "request_id": "5d3f0c5e", "lease_id": "", "renewable": false, "lease_duration": 0,
        "data": {
            "data": data,
            "metadata": {
                "created_time": "2026-03-22T02:24:06.945319214Z", "custom_metadata": null,
                "deletion_time": "", "destroyed": false, "version": version
            }
        },
        "wrap_info": null, "warnings": null, "auth": null, "mount_type": "kv"
    }))
}

fn errors(status: u16, words: &[&str]) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({ "errors": words }))
}

fn login(token: &str, lease_s: u64) -> Mock {
    Mock::given(method("POST"))
        .and(path("/v1/auth/approle/login"))
        .and(body_json(json!({"role_id": "role-id", "secret_id": "secret-id"})))
        .respond_with(granted(token, lease_s))
}

const AT: &str = "/v1/secret/data/windlass/@acme/stripe";

fn reading(token: &str) -> wiremock::MockBuilder {
    Mock::given(method("GET")).and(path(AT)).and(header("X-Vault-Token", token))
}

#[tokio::test]
async fn a_secret_of_version_2_is_read_in_its_tenants_folder() {
    let server = MockServer::start().await;
    login("hvs.1", 3_600).expect(1).mount(&server).await;
    let data = json!({"key": "sk-1", "port": 5432});
    reading("hvs.1").respond_with(version_2(&data, 7)).mount(&server).await;
    let shared = "/v1/secret/data/windlass/mail/smtp";
    let of_all = Mock::given(method("GET")).and(path(shared));
    of_all.respond_with(version_2(&json!({"value": "pw", "note": "x"}), 1)).mount(&server).await;

    let vault = vault(&server, approle());
    let found = ask(&vault, &of("acme"), "stripe#key", 0).await.unwrap().unwrap();
    assert_eq!(
        (crate::support::text(&found.value).as_str(), found.version.0.as_str()),
        ("sk-1", "7")
    );
    let port = shown(ask(&vault, &of("acme"), "stripe#port", 0).await);
    assert_eq!(port, Ok(Some("5432".to_owned())));
    let whole = ask(&vault, &of("acme"), "stripe", 0).await.unwrap_err();
    assert!(whole.to_string().contains("hint: name one"), "{whole}");
    let smtp = shown(ask(&vault, &Owner::Installation, "mail/smtp", 0).await);
    assert_eq!(smtp, Ok(Some("pw".to_owned())));
}

#[tokio::test]
async fn a_secret_of_version_1_is_read_with_its_lease() {
    let server = MockServer::start().await;
    let at = "/v1/kv/windlass/@acme/stripe";
    let body = json!({
        "request_id": "3e5a", "lease_id": "", "renewable": false, "lease_duration": 600,
        "data": {"value": "sk-1", "ttl": "10m"}, "wrap_info": null, "warnings": null, "auth": null
    });
    let answer = ResponseTemplate::new(200).set_body_json(body);
    let lookup = errors(403, &["permission denied"]);
    let looking = Mock::given(method("GET")).and(path("/v1/auth/token/lookup-self"));
    looking.respond_with(lookup).expect(1).mount(&server).await;
    let get = Mock::given(method("GET")).and(path(at)).and(header("X-Vault-Token", "hvs.static"));
    let get = get.and(header("X-Vault-Namespace", "team")).and(header("X-Vault-Request", "true"));
    get.respond_with(answer).expect(2).mount(&server).await;
    let config = VaultConfiguration {
        mount: "kv".to_owned(),
        kv: KvVersion::One,
        namespace: Some("team".to_owned()),
        ..config(&server, VaultAuth::Token(Credential::Env("VAULT_TOKEN".to_owned())))
    };
    let vault = Vault::new(&config, variables).unwrap();
    let found = ask(&vault, &of("acme"), "stripe", 0).await.unwrap().unwrap();
    assert_eq!(
        (crate::support::text(&found.value).as_str(), found.fresh_ms),
        ("sk-1", Some(600_000))
    );
    let again = ask(&vault, &of("acme"), "stripe", 0).await.unwrap().unwrap();
    assert_eq!(again.version, found.version);
}

#[tokio::test]
async fn a_pod_enters_with_its_own_token() {
    let server = MockServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    let jwt_file = dir.path().join("token");
    write(&jwt_file, "ey.pod.token\n", 0o644);
    Mock::given(method("POST"))
        .and(path("/v1/auth/k8s/prod/login"))
        .and(body_json(json!({"role": "windlass", "jwt": "ey.pod.token"})))
        .respond_with(granted("hvs.pod", 60))
        .mount(&server)
        .await;
    reading("hvs.pod").respond_with(version_2(&json!({"key": "x"}), 1)).mount(&server).await;
    let (role, mount) = ("windlass".to_owned(), "k8s/prod".to_owned());
    let vault = vault(&server, VaultAuth::Kubernetes { role, jwt_file, mount });
    assert_eq!(shown(ask(&vault, &of("acme"), "stripe", 0).await), Ok(Some("x".to_owned())));
}

#[tokio::test]
async fn an_expired_token_means_one_new_login() {
    let server = MockServer::start().await;
    login("hvs.old", 3_600).up_to_n_times(1).expect(1).mount(&server).await;
    login("hvs.new", 3_600).expect(1).mount(&server).await;
    let denied = errors(403, &["permission denied", "invalid token"]);
    let good = version_2(&json!({"key": "x"}), 1);
    reading("hvs.old").respond_with(good.clone()).up_to_n_times(1).mount(&server).await;
    reading("hvs.old").respond_with(denied).expect(1).mount(&server).await;
    reading("hvs.new").respond_with(good).expect(1).mount(&server).await;
    let vault = vault(&server, approle());
    assert!(ask(&vault, &of("acme"), "stripe", 0).await.is_ok());
    assert!(ask(&vault, &of("acme"), "stripe", 60_000).await.is_ok());
}

#[tokio::test]
async fn a_secret_that_is_refused_for_good_causes_no_login_after_login() {
    let server = MockServer::start().await;
    login("hvs.1", 3_600).expect(2).mount(&server).await;
    let denied = errors(403, &["1 error occurred:\n\t* permission denied\n\n"]);
    Mock::given(method("GET")).and(path(AT)).respond_with(denied).expect(7).mount(&server).await;
    let vault = vault(&server, approle());
    for now in [0, 1, 9_999, 10_000, 10_001, 15_000] {
        let error = ask(&vault, &of("acme"), "stripe", now).await.unwrap_err();
        let SecretError::Denied { why, .. } = &error else { panic!("{error}") };
        assert!(why.contains("permission denied"), "{why}");
    }
}

#[tokio::test]
async fn a_token_is_renewed_in_time_and_replaced_at_its_end() {
    let server = MockServer::start().await;
    login("hvs.1", 90).up_to_n_times(1).expect(1).mount(&server).await;
    login("hvs.2", 90).expect(1).mount(&server).await;
    let renewing = || {
        let renew = Mock::given(method("POST")).and(path("/v1/auth/token/renew-self"));
        renew.and(header("X-Vault-Token", "hvs.1"))
    };
    renewing().respond_with(granted("hvs.1", 90)).up_to_n_times(1).expect(1).mount(&server).await;
    // The end of its longest life: a second is all that it gets.
    renewing().respond_with(granted("hvs.1", 1)).expect(1).mount(&server).await;
    let good = version_2(&json!({"key": "x"}), 1);
    reading("hvs.1").respond_with(good.clone()).expect(4).mount(&server).await;
    reading("hvs.2").respond_with(good).expect(1).mount(&server).await;
    let vault = vault(&server, approle());
    // Good for 60 s, renewed at 60 s, good until 120 s, at its end then.
    for now in [0, 59_999, 60_000, 119_999, 120_000] {
        assert!(ask(&vault, &of("acme"), "stripe", now).await.is_ok(), "{now}");
    }
}

#[tokio::test]
async fn a_token_that_somebody_else_writes_is_read_again() {
    let server = MockServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    write(&file, "hvs.first\n", 0o600);
    let known =
        json!({"data": {"id": "x", "ttl": 3600, "renewable": false, "path": "auth/token/create"}});
    let looking = Mock::given(method("GET")).and(path("/v1/auth/token/lookup-self"));
    let known = ResponseTemplate::new(200).set_body_json(known);
    looking.respond_with(known).expect(2).mount(&server).await;
    let good = version_2(&json!({"key": "x"}), 1);
    reading("hvs.first").respond_with(good.clone()).up_to_n_times(1).mount(&server).await;
    reading("hvs.first").respond_with(errors(403, &["permission denied"])).mount(&server).await;
    reading("hvs.second").respond_with(good).mount(&server).await;
    let vault = vault(&server, VaultAuth::Token(Credential::File(file.clone())));
    assert!(ask(&vault, &of("acme"), "stripe", 0).await.is_ok());
    write(&file, "hvs.second\n", 0o600);
    assert!(ask(&vault, &of("acme"), "stripe", 20_000).await.is_ok());
}

#[tokio::test]
async fn what_vault_answers_says_what_to_do_next() {
    let no_mount =
        "no handler for route \"secret/data/windlass/@acme/stripe\". route entry not found.";
    let deleted = ResponseTemplate::new(404).set_body_json(json!({
        "data": {"data": null, "metadata": {"created_time": "2026-03-22T02:24:06Z",
            "deletion_time": "2026-03-22T02:36:43Z", "destroyed": false, "version": 2}}
    }));
    let redirect = ResponseTemplate::new(307).insert_header("Location", "http://127.0.0.1:1/v1/x");
    let busy = errors(429, &["too many requests"]).insert_header("Retry-After", "7");
    let cases = [
        ("absent", errors(404, &[]), "absent", ""),
        ("deleted", deleted, "absent", ""),
        ("not mounted", errors(404, &[no_mount]), "secret_unusable", "look at `mount`"),
        ("bad request", errors(400, &["missing path"]), "secret_unusable", "missing path"),
        (
            "sealed",
            errors(503, &["Vault is sealed"]),
            "secret_source_unavailable",
            "Vault is sealed",
        ),
        ("failing", errors(500, &["internal error"]), "secret_source_unavailable", "500"),
        (
            "behind",
            errors(412, &["required index state not present"]),
            "secret_source_unavailable",
            "412",
        ),
        ("stand-by", errors(473, &[]), "secret_source_unavailable", "473"),
        ("busy", busy, "secret_source_unavailable", "429"),
        ("redirected", redirect, "secret_unusable", "name the active node"),
        (
            "no JSON",
            ResponseTemplate::new(200).set_body_string("<html>"),
            "secret_damaged",
            "KV engine",
        ),
        (
            "too long",
            ResponseTemplate::new(200).set_body_string("x".repeat(1_100_000)),
            "secret_unusable",
            "longer",
        ),
        ("no field", version_2(&json!({}), 1), "secret_unusable", "no such field"),
        (
            "other engine",
            ResponseTemplate::new(200).set_body_json(json!({"data": {"key": "sk-9"}})),
            "secret_unusable",
            "kv: 1",
        ),
    ];
    for (what, answer, code, words) in cases {
        let server = MockServer::start().await;
        login("hvs.1", 3_600).mount(&server).await;
        Mock::given(method("GET")).and(path(AT)).respond_with(answer).mount(&server).await;
        let vault = vault(&server, approle());
        match ask(&vault, &of("acme"), "stripe", 0).await {
            Ok(found) => assert_eq!((code, found), ("absent", None), "{what}"),
            Err(error) => {
                assert_eq!(error.code(), code, "{what}: {error}");
                assert!(error.to_string().contains(words), "{what}: {error}");
                assert!(!error.to_string().contains("hvs.") && !error.to_string().contains("sk-9"));
                let after =
                    matches!(error, SecretError::Unavailable { retry_after_ms: Some(7_000), .. });
                assert_eq!(after, what == "busy", "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_login_that_fails_says_why() {
    let server = MockServer::start().await;
    let wrong = errors(400, &["invalid role or secret ID"]);
    let entry = Mock::given(method("POST")).and(path("/v1/auth/approle/login"));
    entry.respond_with(wrong).mount(&server).await;
    let refused = vault(&server, approle());
    let error = ask(&refused, &of("acme"), "stripe", 0).await.unwrap_err();
    assert_eq!(error.code(), "secret_denied");
    assert!(error.to_string().contains("invalid role or secret ID"), "{error}");
    assert!(!error.to_string().contains("secret-id"), "{error}");

    let unset = vault(&server, VaultAuth::Token(Credential::Env("UNSET".to_owned())));
    let error = ask(&unset, &of("acme"), "stripe", 0).await.unwrap_err();
    assert_eq!((error.code(), error.to_string().contains("UNSET")), ("secret_unusable", true));

    let gone = VaultConfiguration {
        address: "http://127.0.0.1:1".to_owned(),
        ..config(&server, approle())
    };
    let gone = Vault::new(&gone, variables).unwrap();
    let error = ask(&gone, &of("acme"), "stripe", 0).await.unwrap_err();
    assert_eq!(error.code(), "secret_source_unavailable", "{error}");
}

#[tokio::test]
async fn addresses_that_would_leak_are_refused_before_anything_is_sent() {
    let server = MockServer::start().await;
    let good = config(&server, approle());
    let at = |address: &str| VaultConfiguration { address: address.to_owned(), ..good.clone() };
    let cases = [
        (at("http://vault.example.com:8200"), "without encryption"),
        (at("ftp://vault.example.com"), "neither https nor http"),
        (at("vault.example.com"), "not an address"),
        (at("https://user:pw@vault.example.com"), "no user, password"),
        (VaultConfiguration { mount: "../sys".to_owned(), ..good.clone() }, "mounted"),
        (
            VaultConfiguration {
                ca_file: Some(Path::new("/nowhere/ca.pem").to_owned()),
                ..at("https://vault.example.com")
            },
            "not there",
        ),
    ];
    for (config, why) in cases {
        let error = Vault::new(&config, variables).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    let plain = VaultConfiguration { plain_http: true, ..at("http://vault.example.com:8200") };
    assert!(Vault::new(&plain, variables).is_ok());
}
