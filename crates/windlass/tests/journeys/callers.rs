//! Who may call: keys that are wrong, over, too narrow, rotated and revoked; users who
//! come and go.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::house::{House, client, json_of, problem};
use crate::place::{FINISHED, REFUSED, USAGE};

fn with(house: &House, key: &str, path: &str) -> RequestBuilder {
    client().get(format!("{}{path}", house.url)).bearer_auth(key)
}

fn id(key: &str) -> &str {
    key.split('_').nth(1).expect("a key has two parts")
}

#[tokio::test(flavor = "multi_thread")]
async fn l29_whatever_is_no_key_is_401_with_the_same_words() {
    let house = House::open();
    let mut forged = house.key.clone();
    forged.replace_range(forged.len() - 1.., if forged.ends_with('0') { "1" } else { "0" });
    let ended = house.key_for(&["--expires", "0s"]);
    let revoked = house.key_for(&[]);
    let revoke = ["--tenant", "acme", "keys", "revoke", id(&revoked)];
    house.place.run(&revoke).code(FINISHED);
    let elsewhere = house.key_for(&["--environment", "production"]);
    let injected = format!("wl_{}_{}", "' OR '1'='1' -- ", "0".repeat(64));
    let mut words = std::collections::BTreeSet::new();
    for key in [&forged, &ended, &revoked, &elsewhere, &injected, &"wl_".to_owned()] {
        let answer = with(&house, key, "/v1/sessions").send().await.expect("it answers");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{key}");
        assert_eq!(crate::house::header(&answer, "www-authenticate"), "Bearer");
        let told: Value = answer.json().await.expect("it is JSON");
        words.insert(told["detail"].to_string());
    }
    assert_eq!(words.len(), 1, "nothing tells them apart: {words:?}");
    let none = client().get(format!("{}/v1/sessions", house.url));
    assert_eq!(problem(none, StatusCode::UNAUTHORIZED).await, "unauthorized");
    // The other customary header.
    let header = client().get(format!("{}/v1/sessions", house.url)).header("x-api-key", &house.key);
    json_of(header, StatusCode::OK).await;
    // No key is kept: neither in the store's file nor beside it.
    let secret = house.key.rsplit('_').next().expect("it has one").as_bytes();
    for name in ["windlass.db", "windlass.db-wal"] {
        let bytes = std::fs::read(house.place.path(".windlass").join(name)).unwrap_or_default();
        assert!(!bytes.windows(secret.len()).any(|part| part == secret), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_good_for_what_it_was_made_for() {
    let house = House::open();
    let reader = house.key_for(&["--action", "session.read", "--action", "agent.*"]);
    json_of(with(&house, &reader, "/v1/sessions"), StatusCode::OK).await;
    json_of(with(&house, &reader, "/v1/agents"), StatusCode::OK).await;
    let body = json!({"agent": "default", "input": "What is 2 + 2?"});
    let begin = |key: &str| {
        client().post(format!("{}/v1/sessions", house.url)).bearer_auth(key).json(&body)
    };
    assert_eq!(problem(begin(&reader), StatusCode::FORBIDDEN).await, "denied");
    assert_eq!(problem(with(&house, &reader, "/v1/keys"), StatusCode::FORBIDDEN).await, "denied");
    for narrow in [["--agent", "other"], ["--model", "claude-sonnet-5-5"]] {
        let key = house.key_for(&narrow);
        let agents = json_of(with(&house, &key, "/v1/agents"), StatusCode::OK).await;
        assert_eq!(agents["data"], json!([]), "{narrow:?}");
        assert_eq!(problem(begin(&key), StatusCode::FORBIDDEN).await, "denied", "{narrow:?}");
    }
    // A key makes none that can do more than it can.
    let maker = house.key_for(&["--action", "key.*", "--action", "run.*"]);
    let make = |grants: Value| {
        let request = client().post(format!("{}/v1/keys", house.url)).bearer_auth(&maker);
        request.json(&json!({"grants": grants}))
    };
    for more in [json!({}), json!({"actions": ["*"]}), json!({"actions": ["cap.raise"]})] {
        assert_eq!(problem(make(more.clone()), StatusCode::FORBIDDEN).await, "denied", "{more}");
    }
    // Nor one that works longer.
    let short = house.key_for(&["--expires", "1h"]);
    let longer = |expires_s: Option<u64>| {
        let request = client().post(format!("{}/v1/keys", house.url)).bearer_auth(&short);
        request.json(&json!({"expires_s": expires_s}))
    };
    for expires_s in [None, Some(7_200)] {
        assert_eq!(problem(longer(expires_s), StatusCode::FORBIDDEN).await, "denied");
    }
    json_of(longer(Some(60)), StatusCode::CREATED).await;
    let made = json_of(make(json!({"actions": ["run.start"]})), StatusCode::CREATED).await;
    let key = made["key"].as_str().expect("it is shown once");
    json_of(begin(key), StatusCode::CREATED).await;
    let listed = json_of(house.get("/v1/keys"), StatusCode::OK).await.to_string();
    assert!(listed.contains(id(key)) && !listed.contains(key), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_rotate_with_an_overlap_and_end_at_once() {
    let house = House::open();
    let old = house.key_for(&["--name", "ci"]);
    let rotate = |overlap_s: u64| {
        house.post(&format!("/v1/keys/{}/rotate", id(&old)), json!({"overlap_s": overlap_s}))
    };
    let made = json_of(rotate(3_600), StatusCode::CREATED).await;
    let new = made["key"].as_str().expect("it is shown once").to_owned();
    assert_eq!(made["name"], "ci");
    for key in [&old, &new] {
        json_of(with(&house, key, "/v1/agents"), StatusCode::OK).await;
    }
    let revoke = house.ask(Method::DELETE, &format!("/v1/keys/{}", id(&old)));
    assert_eq!(revoke.send().await.expect("it answers").status(), StatusCode::NO_CONTENT);
    let code = problem(with(&house, &old, "/v1/agents"), StatusCode::UNAUTHORIZED).await;
    assert_eq!(code, "unauthorized");
    assert_eq!(problem(rotate(1), StatusCode::CONFLICT).await, "key_ended");
    json_of(with(&house, &new, "/v1/agents"), StatusCode::OK).await;
    // The audit knows who made and ended which.
    let audit = house.place.run(&["--tenant", "acme", "audit", "search", "--json"]).code(FINISHED);
    for action in ["user.set", "key.create", "key.rotate", "key.revoke"] {
        assert!(audit.out.contains(action), "{action}: {}", audit.out);
    }
    assert!(!audit.out.contains(&new), "no key is told to the audit");
}

#[tokio::test(flavor = "multi_thread")]
async fn users_come_and_go_with_their_keys() {
    let house = House::open();
    let bob = house.user("bob", "member");
    assert_eq!(problem(with(&house, &bob, "/v1/users"), StatusCode::FORBIDDEN).await, "denied");
    let promote = house.ask(Method::PUT, "/v1/users/bob").json(&json!({"role": "admin"}));
    assert_eq!(json_of(promote, StatusCode::OK).await["role"], "admin");
    let users = json_of(with(&house, &bob, "/v1/users"), StatusCode::OK).await;
    assert_eq!(users["data"].as_array().map(Vec::len), Some(2), "{users}");
    let own = house.ask(Method::DELETE, "/v1/users/ann");
    assert_eq!(problem(own, StatusCode::CONFLICT).await, "own_user");
    let remove = house.ask(Method::DELETE, "/v1/users/bob");
    assert_eq!(remove.send().await.expect("it answers").status(), StatusCode::NO_CONTENT);
    let code = problem(with(&house, &bob, "/v1/agents"), StatusCode::UNAUTHORIZED).await;
    assert_eq!(code, "unauthorized");
    let remove = house.ask(Method::DELETE, "/v1/users/bob");
    assert_eq!(problem(remove, StatusCode::NOT_FOUND).await, "not_found");
}

#[test]
fn the_command_line_says_what_to_do_next() {
    let place = crate::place::Place::new();
    let create = ["keys", "create"];
    place.run(&create).code(USAGE).says("`windlass init` makes the first");
    place.run(&["keys", "list"]).code(FINISHED).says("no keys here yet");
    let made = place.run(&["init"]).code(FINISHED).says("shown once").says("next: windlass serve");
    let key = made.out.trim().to_owned();
    place.run(&["init"]).code(REFUSED).says("has users already, `local` among them");
    place.run(&["keys", "list"]).code(FINISHED).says(id(&key)).does_not_say(&key);
    place.run(&["keys", "revoke", "ffff"]).code(USAGE).says("there is no key `ffff`");
    place.run(&["users", "set", "a/b"]).code(USAGE).says("without `/`");
    place.run(&["users", "list"]).code(FINISHED).says("local").says("admin");
    place.run(&["serve", "--agents", "nowhere"]).code(USAGE).says("cannot read the agents");
    place.run(&["serve", "--allow-origin", "x"]).code(USAGE).says("is no origin");
    place.write("bad.yaml", "agent_id: x\n");
    place.run(&["serve", "--agents", "."]).code(USAGE).says("bad.yaml");
}
