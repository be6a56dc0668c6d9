//! The service as its users have it: tasks over HTTP, sent twice, sent wrongly, cut off by
//! restarts; and every call with somebody else's ids.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::house::{House, client, header, json_of, problem};
use crate::place::{FINISHED, Place};

/// An id of the right form that nobody has.
const NOBODYS: &str = "0198c0de-0000-7000-8000-000000000001";

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_done_over_http_and_read_again() {
    let house = House::open();
    let session = house.work("What is 17.5% of 2340? Save it as a note called tip.").await;
    assert_eq!((&session["status"], &session["user"]), (&json!("finished"), &json!("ann")));
    let result = session["run"]["result"].to_string();
    assert!(result.contains("409.5"), "{session}");
    let id = session["id"].as_str().expect("it has an id");

    let again = json_of(house.get(&format!("/v1/sessions/{id}")), StatusCode::OK).await;
    assert_eq!(again, session);
    let listed = json_of(house.get("/v1/sessions?status=finished"), StatusCode::OK).await;
    assert_eq!(listed["data"][0]["id"], session["id"]);
    let events = json_of(house.get(&format!("/v1/sessions/{id}/events?limit=2")), StatusCode::OK);
    let events = events.await;
    assert_eq!(events["data"][0]["fact"]["session_opened"]["tenant"], "acme");
    assert_eq!(events["next"], 2);
    let path = format!("/v1/sessions/{id}/runs?wait_s=60");
    let next = house.post(&path, json!({"input": "What is 2 + 2?"}));
    let next = json_of(next, StatusCode::ACCEPTED).await;
    assert_eq!((&next["run"]["number"], &next["status"]), (&json!(2), &json!("finished")));
    let fork = house.post(&format!("/v1/sessions/{id}/fork"), json!({"at": 3}));
    let fork = json_of(fork, StatusCode::CREATED).await;
    assert_ne!(fork["id"], session["id"]);

    let spend = json_of(house.get("/v1/spend"), StatusCode::OK).await;
    assert_eq!(spend["data"][0]["model"], "planner");
    let agents = json_of(house.get("/v1/agents"), StatusCode::OK).await;
    assert_eq!(agents["data"][0]["model"], "planner");
    // The command line sees the same store.
    house.place.run(&["--tenant", "acme", "log", "last", "--verify"]).code(FINISHED);
    house.place.run(&["--tenant", "acme", "audit", "verify"]).code(FINISHED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_sent_again_is_done_once() {
    let house = House::open();
    let body = json!({"agent": "default", "input": "What is 2 + 2?"});
    let send = |key: &str, body: &Value| {
        house.post("/v1/sessions", body.clone()).header("idempotency-key", key)
    };
    let first = json_of(send("one", &body), StatusCode::CREATED).await;
    let again = send("one", &body).send().await.expect("it answers");
    assert_eq!(header(&again, "idempotent-replayed"), "true");
    let again: Value = again.json().await.expect("it is JSON");
    assert_eq!(again["id"], first["id"]);
    let other = json!({"agent": "default", "input": "What is 3 + 3?"});
    let code = problem(send("one", &other), StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(code, "idempotency_mismatch");

    let crowd = (0..16).map(|_| send("crowd", &body).send());
    let mut ids = std::collections::BTreeSet::new();
    for answer in futures::future::join_all(crowd).await {
        let answer = answer.expect("it answers");
        // Who comes while the first is at it is told to come again.
        if answer.status() == StatusCode::CREATED {
            let session: Value = answer.json().await.expect("it is JSON");
            ids.insert(session["id"].to_string());
        } else {
            assert_eq!(answer.status(), StatusCode::CONFLICT);
            assert_eq!(header(&answer, "x-should-retry"), "true");
        }
    }
    assert_eq!(ids.len(), 1, "{ids:?}");

    // What was refused changed nothing and may be sent again under its key.
    let nameless = json!({"agent": "nobody", "input": "What is 2 + 2?"});
    for _ in 0..2 {
        let code = problem(send("none", &nameless), StatusCode::NOT_FOUND).await;
        assert_eq!(code, "no_such_agent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clumsy_requests_are_told_what_is_wrong() {
    let house = House::open();
    let begin = || house.ask(Method::POST, "/v1/sessions");
    let task = |more: Value| {
        let mut body = json!({"agent": "default", "input": "What is 2 + 2?"});
        body.as_object_mut()
            .expect("it is one")
            .extend(more.as_object().cloned().expect("so is it"));
        house.post("/v1/sessions", body)
    };
    let large = "x".repeat(9 * 1024 * 1024);
    let cases = [
        ("no body", begin(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json"),
        (
            "no JSON",
            begin().header("content-type", "application/json").body("{"),
            StatusCode::BAD_REQUEST,
            "bad_request",
        ),
        (
            "no fields",
            house.post("/v1/sessions", json!({})),
            StatusCode::UNPROCESSABLE_ENTITY,
            "wrong_body",
        ),
        (
            "a field that nobody knows",
            task(json!({"agnet": 1})),
            StatusCode::UNPROCESSABLE_ENTITY,
            "wrong_body",
        ),
        (
            "an empty task",
            task(json!({"input": " "})),
            StatusCode::UNPROCESSABLE_ENTITY,
            "empty_task",
        ),
        ("a huge body", task(json!({"input": large})), StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        (
            "money that is none",
            task(json!({"cap_usd": "lots"})),
            StatusCode::UNPROCESSABLE_ENTITY,
            "wrong_body",
        ),
        (
            "money below nothing",
            task(json!({"cap_usd": -1})),
            StatusCode::UNPROCESSABLE_ENTITY,
            "wrong_body",
        ),
        ("no turns", task(json!({"turns_max": 0})), StatusCode::UNPROCESSABLE_ENTITY, "wrong_body"),
        (
            "labels, which the key gives",
            task(json!({"labels": {"key": "other"}})),
            StatusCode::UNPROCESSABLE_ENTITY,
            "wrong_body",
        ),
        (
            "a folder of the machine",
            task(json!({"workdir": "/etc"})),
            StatusCode::FORBIDDEN,
            "denied",
        ),
        ("more trust", task(json!({"trust": "elevated"})), StatusCode::FORBIDDEN, "denied"),
        (
            "an idempotency key of nothing",
            task(json!({})).header("idempotency-key", ""),
            StatusCode::BAD_REQUEST,
            "bad_request",
        ),
        ("no path", house.get("/v2/nothing"), StatusCode::NOT_FOUND, "not_found"),
        (
            "no method",
            house.ask(Method::DELETE, "/v1/sessions"),
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
        ),
        (
            "a status that nobody has",
            house.get("/v1/sessions?status=odd"),
            StatusCode::BAD_REQUEST,
            "bad_request",
        ),
        (
            "a cursor that is none",
            house.get("/v1/sessions?before=1"),
            StatusCode::BAD_REQUEST,
            "bad_request",
        ),
        (
            "a query that nobody knows",
            house.get("/v1/sessions?sort=up"),
            StatusCode::BAD_REQUEST,
            "bad_request",
        ),
        ("a session that is none", house.get("/v1/sessions/x"), StatusCode::NOT_FOUND, "not_found"),
        (
            "a day that is none",
            house.get("/v1/spend?from=never"),
            StatusCode::BAD_REQUEST,
            "bad_request",
        ),
        (
            "a plain request for a socket",
            house.get(&format!("/v1/sessions/{NOBODYS}/ws")),
            StatusCode::NOT_FOUND,
            "not_found",
        ),
        (
            "a scope of nothing",
            house.ask(Method::PUT, "/v1/caps").json(&json!({"scope": "x"})),
            StatusCode::UNPROCESSABLE_ENTITY,
            "wrong_body",
        ),
    ];
    for (what, request, status, code) in cases {
        let found = problem(request, status).await;
        assert_eq!(found, code, "{what}");
    }
    // The service is as well as before.
    assert_eq!(house.work("What is 2 + 2?").await["status"], "finished");
}

#[tokio::test(flavor = "multi_thread")]
async fn l27_with_anothers_ids_every_call_is_a_404() {
    let house = House::open();
    let session = house.work("What is 2 + 2?").await;
    let session = session["id"].as_str().expect("it has an id").to_owned();
    let keys = json_of(house.get("/v1/keys"), StatusCode::OK).await;
    let key_id = keys["data"][0]["id"].as_str().expect("it has an id").to_owned();
    let document = json_of(house.get("/v1/openapi.json"), StatusCode::OK).await;
    let stranger = house.stranger();
    let bodies = |path: &str| match path {
        "/v1/sessions/{session}/runs" => json!({"input": "What is 2 + 2?"}),
        "/v1/sessions/{session}/approvals" => {
            json!({"call": "c", "arguments_hash": "0".repeat(64), "approve": true})
        }
        "/v1/users/{user}" => json!({"role": "admin"}),
        _ => json!({}),
    };
    let mut tried = 0;
    for (path, item) in document["paths"].as_object().expect("it has paths") {
        for verb in item.as_object().expect("it has verbs").keys() {
            let method = Method::from_bytes(verb.to_uppercase().as_bytes()).expect("it is one");
            let own = path.replace("{session}", &session).replace("{key}", &key_id);
            let own = own.replace("{user}", "ann");
            if own == *path {
                continue;
            }
            // A user of the same name is another tenant's own affair.
            if path.contains("{user}") && method == Method::PUT {
                continue;
            }
            tried += 1;
            let request = client()
                .request(method.clone(), format!("{}{own}", house.url))
                .bearer_auth(&stranger)
                .json(&bodies(path));
            let code = problem(request, StatusCode::NOT_FOUND).await;
            assert_eq!(code, "not_found", "{method} {path}");
        }
    }
    assert!(tried >= 10, "{tried} paths have an id");
    let lists = ["/v1/sessions", "/v1/approvals", "/v1/caps", "/v1/spend", "/v1/keys", "/v1/users"];
    for path in lists {
        let request = client().get(format!("{}{path}", house.url)).bearer_auth(&stranger);
        let text = json_of(request, StatusCode::OK).await.to_string();
        assert!(!text.contains(&session) && !text.contains(&key_id), "{path}: {text}");
        assert!(!text.contains("ann"), "{path}: {text}");
    }
    // Everything is as it was.
    let after = json_of(house.get(&format!("/v1/sessions/{session}")), StatusCode::OK).await;
    assert_eq!(after["status"], "finished");
}

#[tokio::test(flavor = "multi_thread")]
async fn members_see_their_own_and_admins_all() {
    let house = House::open();
    let (bob, cid) = (house.user("bob", "member"), house.user("cid", "member"));
    let as_user =
        |key: &str, path: &str| client().get(format!("{}{path}", house.url)).bearer_auth(key);
    let body = json!({"agent": "default", "input": "What is 2 + 2?"});
    let begin = client().post(format!("{}/v1/sessions?wait_s=60", house.url));
    let session = json_of(begin.bearer_auth(&bob).json(&body), StatusCode::CREATED).await;
    let path = format!("/v1/sessions/{}", session["id"].as_str().expect("it has an id"));
    assert_eq!(json_of(as_user(&bob, &path), StatusCode::OK).await["user"], "bob");
    assert_eq!(json_of(house.get(&path), StatusCode::OK).await["user"], "bob");
    assert_eq!(problem(as_user(&cid, &path), StatusCode::NOT_FOUND).await, "not_found");
    let listed = json_of(as_user(&cid, "/v1/sessions"), StatusCode::OK).await;
    assert_eq!(listed["data"], json!([]));
    for path in ["/v1/caps", "/v1/users"] {
        assert_eq!(problem(as_user(&cid, path), StatusCode::FORBIDDEN).await, "denied", "{path}");
    }
    let own = json_of(as_user(&cid, "/v1/keys"), StatusCode::OK).await;
    assert_eq!(own["data"].as_array().map(Vec::len), Some(1), "{own}");
}

#[tokio::test(flavor = "multi_thread")]
async fn l34_killed_or_told_to_stop_it_goes_on_when_it_starts_again() {
    for signal in [Signal::KILL, Signal::TERM] {
        let place = Place::new();
        let provider = place.provider(&["--latency-ms", "700"]);
        place.agent("anthropic", &provider.address, "");
        std::fs::create_dir(place.path("agents")).expect("the folder takes one");
        std::fs::rename(place.path("agent.yaml"), place.path("agents/tested.yaml")).expect("so");
        let mut house = House::in_place(place, &[]);
        let task = "What is 17.5% of 2340? Save the result as a note called tip.";
        let body = json!({"agent": "tested", "input": task});
        let begun = json_of(house.post("/v1/sessions", body), StatusCode::CREATED).await;
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        let ended = house.strike(signal);
        if signal == Signal::TERM {
            ended.code(FINISHED);
        }
        house.start(&[]);
        let path = format!("/v1/sessions/{}?wait_s=60", begun["id"].as_str().expect("an id"));
        let done = json_of(house.get(&path), StatusCode::OK).await;
        assert_eq!(done["status"], "finished", "{signal:?}: {done}");
        assert!(done["run"]["result"].to_string().contains("409.5"), "{done}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn asks_are_answered_over_http_by_somebody_else() {
    let place = Place::new();
    place.write("windlass.yaml", "policy: approvals\n");
    let house = House::in_place(place, &[]);
    let session = house.work("Save 'buy milk' as a note called shopping.").await;
    assert_eq!(session["run"]["code"], "awaits_approval", "{session}");
    let asked = json_of(house.get("/v1/approvals"), StatusCode::OK).await;
    let one = &asked["data"][0];
    assert_eq!(one["session"], session["id"]);
    let path = format!("/v1/sessions/{}/approvals?", session["id"].as_str().expect("an id"));
    let mut answer = json!({
        "call": one["call"], "arguments_hash": one["arguments_hash"], "approve": true,
    });
    // Nobody approves their own (L24), and an answer is for these arguments alone.
    let own = problem(house.post(&path, answer.clone()), StatusCode::FORBIDDEN).await;
    assert_eq!(own, "denied");
    let bob = house.user("bob", "operator");
    let as_bob =
        |body: &Value| client().post(format!("{}{path}", house.url)).bearer_auth(&bob).json(body);
    answer["arguments_hash"] = json!("0".repeat(64));
    assert_eq!(problem(as_bob(&answer), StatusCode::CONFLICT).await, "not_asked");
    answer["arguments_hash"] = one["arguments_hash"].clone();
    json_of(as_bob(&answer), StatusCode::OK).await;
    let path = format!("/v1/sessions/{}?wait_s=60", session["id"].as_str().expect("an id"));
    let done = json_of(house.get(&path), StatusCode::OK).await;
    assert_eq!(done["status"], "finished", "{done}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pages_of_named_origins_may_call() {
    let house = House::in_place(Place::new(), &["--allow-origin", "app://obsidian.md"]);
    for (origin, allowed) in [("app://obsidian.md", true), ("https://evil.example", false)] {
        let preflight = client()
            .request(Method::OPTIONS, format!("{}/v1/sessions", house.url))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,idempotency-key");
        let preflight = preflight.send().await.expect("it answers");
        let expected = if allowed { origin } else { "" };
        assert_eq!(header(&preflight, "access-control-allow-origin"), expected);
        let request = house.get("/v1/agents").header("origin", origin);
        let answer = request.send().await.expect("it answers");
        assert_eq!(header(&answer, "access-control-allow-origin"), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_does_not_say_what_they_want_is_cut_off() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let house = House::open();
    let address = house.url.trim_start_matches("http://");
    let mut silent = tokio::net::TcpStream::connect(address).await.expect("it listens");
    let mut line = tokio::net::TcpStream::connect(address).await.expect("it listens");
    line.write_all(b"GET /v1/sessions HTTP/1.1\r\nhost: x\r\nx-slow: ").await.expect("it takes it");
    let mut answer = Vec::new();
    line.read_to_end(&mut answer).await.expect("the line is closed from the other side");
    silent.read_to_end(&mut answer).await.expect("so is that of who says nothing");
    let mut line = tokio::net::TcpStream::connect(address).await.expect("it listens");
    let head = format!("GET / HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "x".repeat(100_000));
    // It may close before it has read all of it.
    let _cut_off = line.write_all(head.as_bytes()).await;
    let mut answer = Vec::new();
    let _cut_off = line.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(house.work("What is 2 + 2?").await["status"], "finished");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_and_its_page_are_served_to_everybody() {
    let house = House::open();
    let get = |path: &str| client().get(format!("{}{path}", house.url));
    let document = json_of(get("/v1/openapi.json"), StatusCode::OK).await;
    assert_eq!(document["openapi"], "3.1.0");
    let page = get("/docs").send().await.expect("it answers").text().await.expect("it has a text");
    for path in document["paths"].as_object().expect("it has paths").keys() {
        assert!(page.contains(path.as_str()), "the page has no {path}");
    }
    for probe in ["/healthz", "/readyz"] {
        assert_eq!(get(probe).send().await.expect("it answers").status(), StatusCode::OK);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_and_who_works_may_be_different_processes() {
    let mut house = House::in_place(Place::new(), &["--no-work"]);
    let body = json!({"agent": "default", "input": "What is 17.5% of 2340?"});
    let begun = json_of(house.post("/v1/sessions?wait_s=1", body), StatusCode::CREATED).await;
    assert_eq!(begun["status"], "running", "nobody works: {begun}");
    let mut worker = house.place.start(&["worker", "--listen", "127.0.0.1:0"]);
    let line = worker.until("works on");
    let url = line.rsplit(" on ").next().expect("it says where").trim();
    let ready = client().get(format!("{url}/readyz")).send().await.expect("it answers");
    assert_eq!(ready.status(), StatusCode::OK);
    let nothing = client().get(format!("{url}/v1/sessions")).bearer_auth(&house.key);
    assert_eq!(problem(nothing, StatusCode::NOT_FOUND).await, "not_found");
    let path = format!("/v1/sessions/{}?wait_s=60", begun["id"].as_str().expect("an id"));
    let done = json_of(house.get(&path), StatusCode::OK).await;
    assert!(done["run"]["result"].to_string().contains("409.5"), "{done}");
    worker.strike(Signal::TERM);
    worker.end().code(FINISHED);
    house.strike(Signal::TERM).code(FINISHED);
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_a_colleagues_session_is_not_acting_in_their_name() {
    let place = Place::new();
    place.write("windlass.yaml", "policy: approvals\n");
    let house = House::in_place(place, &[]);
    let session = house.work("Save 'buy milk' as a note called shopping.").await;
    let id = session["id"].as_str().expect("it has an id");
    // Operators look at everything; here they may also answer, and no more.
    let bob = house.user("bob", "operator");
    let post = |key: &str, path: &str, body: Value| {
        let url = format!("{}/v1/sessions/{id}/{path}", house.url);
        client().post(url).bearer_auth(key).json(&body)
    };
    let read = client().get(format!("{}/v1/sessions/{id}", house.url)).bearer_auth(&bob);
    json_of(read, StatusCode::OK).await;
    for (path, body) in [
        ("runs", json!({"input": "What is 2 + 2?"})),
        ("fork", json!({})),
        ("cancel", json!({})),
        ("resume", json!({"turns_more": 1})),
    ] {
        assert_eq!(
            problem(post(&bob, path, body), StatusCode::FORBIDDEN).await,
            "denied",
            "{path}"
        );
    }
    // An admin ends a colleague's run, and even then gives no task in their name.
    let cid = house.user("cid", "admin");
    json_of(post(&cid, "cancel?wait_s=60", json!({})), StatusCode::ACCEPTED).await;
    let task = json!({"input": "What is 2 + 2?"});
    assert_eq!(problem(post(&cid, "runs", task.clone()), StatusCode::FORBIDDEN).await, "denied");
    // The owner goes on, for as long as they are what they were.
    let done = post(&house.key, "runs?wait_s=60", task.clone());
    assert_eq!(json_of(done, StatusCode::ACCEPTED).await["run"]["number"], 2);
    house
        .place
        .run(&["--tenant", "acme", "users", "set", "ann", "--role", "member"])
        .code(FINISHED);
    let code = problem(post(&house.key, "runs", task), StatusCode::CONFLICT).await;
    assert_eq!(code, "role_changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gives_a_run_more_than_its_agent_has_without_the_right_to() {
    let house = House::open();
    let bob = house.user("bob", "member");
    let begin = |key: &str, cap: &str| {
        let body = json!({"agent": "default", "input": "What is 2 + 2?", "cap_usd": cap});
        client().post(format!("{}/v1/sessions?wait_s=60", house.url)).bearer_auth(key).json(&body)
    };
    // The general agent has a dollar.
    assert_eq!(problem(begin(&bob, "1000"), StatusCode::FORBIDDEN).await, "denied");
    let session = json_of(begin(&bob, "0.50"), StatusCode::CREATED).await;
    assert_eq!(session["run"]["cap_usd"], "0.50");
    let path = format!("{}/v1/sessions/{}/runs", house.url, session["id"].as_str().expect("an id"));
    let more = json!({"input": "What is 2 + 2?", "cap_usd": 1_000});
    let more = client().post(&path).bearer_auth(&bob).json(&more);
    assert_eq!(problem(more, StatusCode::FORBIDDEN).await, "denied");
    let turns = json!({"input": "What is 2 + 2?", "turns_max": 0});
    let turns = client().post(&path).bearer_auth(&bob).json(&turns);
    assert_eq!(problem(turns, StatusCode::UNPROCESSABLE_ENTITY).await, "wrong_body");
    json_of(begin(&house.key, "2"), StatusCode::CREATED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_folder_holds_nothing_of_the_services_own() {
    let place = Place::new();
    place.write("windlass.yaml", "roots: [.]\n");
    for folder in ["project", "workspaces/other"] {
        std::fs::create_dir_all(place.path(folder)).expect("the folder takes one");
    }
    std::os::unix::fs::symlink(place.path("workspaces"), place.path("project/link")).expect("so");
    let house = House::in_place(place, &[]);
    let begin = |folder: &str| {
        let workdir = house.place.path(folder);
        let body = json!({"agent": "default", "input": "What is 2 + 2?", "workdir": workdir});
        house.post("/v1/sessions?wait_s=60", body)
    };
    for folder in ["", "workspaces", "workspaces/other", ".windlass", "project/link", "nowhere"] {
        assert_eq!(problem(begin(folder), StatusCode::FORBIDDEN).await, "denied", "{folder}");
    }
    json_of(begin("project"), StatusCode::CREATED).await;
}
