//! Weather and search against servers that answer well and badly.

use engine::ports::{ToolError, Toolbox};
use serde_json::{Value, json};
use wiremock::matchers::{body_json, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::Ground;
use crate::settings::{HttpLimits, SearchEngine, Secret, Settings};

/// Limits under which a test that waits for a time-out does not wait long.
const QUICK: HttpLimits =
    HttpLimits { connect_ms: 300, total_ms: 300, reply_bytes_max: 20_000, redirects_max: 2 };

fn ground(server: &MockServer, search: Option<SearchEngine>) -> Ground {
    Ground::with(|settings: &mut Settings| {
        settings.weather_base_url = Some(server.uri());
        settings.search = search;
        settings.http = QUICK;
    })
}

async fn answers(server: &MockServer, at: &str, reply: ResponseTemplate) {
    Mock::given(path(at)).respond_with(reply).mount(server).await;
}

fn json_reply(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

fn places() -> Value {
    json!({"results": [
        {"name": "Paris", "admin1": "Île-de-France", "country": "France", "latitude": 48.85, "longitude": 2.35},
        {"name": "Paris", "admin1": "Texas", "country": "United States", "latitude": 33.66, "longitude": -95.55},
    ]})
}

fn forecast() -> Value {
    json!({
        "current": {"temperature_2m": 7.1, "apparent_temperature": 4.0, "weather_code": 61, "wind_speed_10m": 12, "relative_humidity_2m": 81},
        "daily": {
            "time": ["2026-11-21", "2026-11-22", "2026-11-23"],
            "temperature_2m_min": [3.5, 4.0, null],
            "temperature_2m_max": [8.2, 9.0, 10.0],
            "weather_code": [3, 95, 250],
            "precipitation_sum": [0.0, 12.5, 0.0],
            "precipitation_probability_max": [5, 90, null],
            "wind_speed_10m_max": [20.0, 60.1, 10.0],
        },
    })
}

#[tokio::test]
async fn the_weather_is_told_for_the_right_place_and_day() {
    let server = MockServer::start().await;
    answers(&server, "/v1/search", json_reply(places())).await;
    answers(&server, "/v1/forecast", json_reply(forecast())).await;
    let ground = ground(&server, None);
    let cases = [
        (
            json!({"place": "Paris"}),
            "Weather in Paris, Île-de-France, France\nnow: 7.1 °C, feels like 4.0 °C, light rain, wind 12 km/h, humidity 81 %\n2026-11-21: from 3.5 °C, up to 8.2 °C, overcast, precipitation 0.0 mm, chance of precipitation 5 %, wind up to 20.0 km/h\n",
        ),
        (
            json!({"place": "Paris, texas", "day": "tomorrow"}),
            "Weather in Paris, Texas, United States\n2026-11-22: from 4.0 °C, up to 9.0 °C, thunderstorm, precipitation 12.5 mm, chance of precipitation 90 %, wind up to 60.1 km/h\n",
        ),
        (
            json!({"place": "Paris, United States", "day": "2026-11-23"}),
            "Weather in Paris, Texas, United States\n2026-11-23: up to 10.0 °C, weather code 250, precipitation 0.0 mm, wind up to 10.0 km/h\n",
        ),
    ];
    for (input, wanted) in cases {
        assert_eq!(ground.good("weather", input.clone()).await, wanted, "{input}");
    }
    for (input, part) in [
        (
            json!({"place": "Paris, Narnia"}),
            "no place called `Paris, Narnia` was found\nthere are `Paris, Île-de-France, France`",
        ),
        (json!({"place": "Paris", "day": "2031-01-01"}), "it goes from 2026-11-21 to 2026-11-23"),
        (json!({"place": ","}), "names no place"),
    ] {
        let words = ground.bad("weather", input).await;
        assert!(words.contains(part), "{words}");
    }
    let asked = server.received_requests().await.unwrap();
    let texan =
        asked.iter().filter(|request| request.url.query().unwrap_or("").contains("latitude=33.66"));
    assert_eq!(texan.count(), 2, "the forecast was asked for where the place is");
}

#[tokio::test]
async fn servers_that_answer_badly_are_told_and_nothing_hangs() {
    let slow = std::time::Duration::from_secs(5);
    let cases = [
        (ResponseTemplate::new(500), "status 500\nthe service has a fault"),
        (ResponseTemplate::new(503).insert_header("retry-after", "7"), "(try again in 7 s)"),
        (ResponseTemplate::new(429), "too many requests"),
        (
            ResponseTemplate::new(401).set_body_json(json!({"message": "bad\nkey"})),
            "status 401: bad key",
        ),
        (
            ResponseTemplate::new(400)
                .set_body_json(json!({"error": true, "reason": "no such thing"})),
            "no such thing",
        ),
        (ResponseTemplate::new(200).set_body_string("<html>"), "not JSON"),
        (ResponseTemplate::new(200).set_body_string(""), "not JSON"),
        (ResponseTemplate::new(200).set_body_string("x".repeat(20_001)), "more than 20000 bytes"),
        (json_reply(json!({})), "no place called"),
        (json_reply(json!({"results": "none"})), "no place called"),
        (json_reply(json!({"results": [{"name": "Paris"}]})), "a place that is nowhere"),
        (json_reply(places()).set_delay(slow), "did not answer in time"),
        (ResponseTemplate::new(302).insert_header("location", "/v1/search"), ""),
        (
            ResponseTemplate::new(302).insert_header("location", "http://203.0.113.1/"),
            "points to another address",
        ),
    ];
    for (reply, part) in cases {
        let server = MockServer::start().await;
        answers(&server, "/v1/search", reply).await;
        let words = ground(&server, None).bad("weather", json!({"place": "Paris"})).await;
        assert!(words.contains(part), "{words}");
    }
    let no_dates = json!({"daily": {"time": ["\u{1b}[2J do as I say", "x".repeat(9_000)]}});
    for reply in [
        json_reply(json!({})),
        json_reply(json!({"daily": {"time": []}})),
        json_reply(json!([1])),
        json_reply(no_dates),
    ] {
        let server = MockServer::start().await;
        answers(&server, "/v1/search", json_reply(places())).await;
        answers(&server, "/v1/forecast", reply).await;
        let words = ground(&server, None).bad("weather", json!({"place": "Paris"})).await;
        assert!(words.contains("without a forecast"), "{words}");
    }
}

#[tokio::test]
async fn without_network_the_tool_says_so() {
    // A port that was just free: nobody listens.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ground = Ground::with(|settings| {
        settings.weather_base_url = Some(format!("http://{free}"));
        settings.http = QUICK;
    });
    let words = ground.bad("weather", json!({"place": "Paris"})).await;
    assert!(words.contains("cannot be reached: Connection refused"), "{words}");
    let ground = Ground::with(|settings| settings.weather_base_url = Some("not an address".into()));
    let words = ground.bad("weather", json!({"place": "Paris"})).await;
    assert!(words.contains("address of the place search is not valid"), "{words}");
}

/// What no other input would help is told apart from what the input is to blame for.
#[tokio::test]
async fn a_service_that_is_out_is_told_apart_from_a_wrong_input() {
    let slow = json_reply(places()).set_delay(std::time::Duration::from_secs(5));
    let cases = [
        (ResponseTemplate::new(500), true),
        (ResponseTemplate::new(429), true),
        (ResponseTemplate::new(401), true),
        (ResponseTemplate::new(200).set_body_string("<html>"), true),
        (slow, true),
        (ResponseTemplate::new(400), false),
        (ResponseTemplate::new(404), false),
        (json_reply(json!({"results": []})), false),
    ];
    for (reply, out) in cases {
        let server = MockServer::start().await;
        answers(&server, "/v1/search", reply.clone()).await;
        let ground = ground(&server, None);
        let end = ground.toolbox.run(&ground.call("weather", "k", json!({"place": "Paris"}))).await;
        let told_out = matches!(end, Err(ToolError::Unavailable(_)));
        assert_eq!(told_out, out, "{reply:?}: {end:?}");
    }
}

fn brave(server: &MockServer) -> Option<SearchEngine> {
    Some(SearchEngine::Brave { key: Secret::new("brave-key"), base_url: Some(server.uri()) })
}

#[tokio::test]
async fn each_engine_is_asked_in_its_own_way_and_told_in_the_same() {
    let server = MockServer::start().await;
    let found = json!([
        {"title": "The <strong>Rust</strong> &amp; book", "url": "https://a.example/", "description": "About\n\u{1b}[31m it", "content": "About it"},
        {"title": "No address"},
        {"title": "", "url": "https://b.example/"},
        {"title": "Third", "url": "https://c.example/"},
    ]);
    Mock::given(method("GET"))
        .and(path("/res/v1/web/search"))
        .and(query_param("q", "rust & co"))
        .and(query_param("count", "2"))
        .and(header("x-subscription-token", "brave-key"))
        .respond_with(json_reply(json!({"web": {"results": found}})))
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .and(path("/search"))
        .and(header("authorization", "Bearer tavily-key"))
        .and(body_json(json!({"query": "rust & co", "max_results": 2})))
        .respond_with(json_reply(json!({"results": found})))
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .and(path("/search"))
        .and(query_param("q", "rust & co"))
        .and(query_param("format", "json"))
        .respond_with(json_reply(json!({"results": found})))
        .mount(&server)
        .await;
    let engines = [
        brave(&server).unwrap(),
        SearchEngine::Tavily { key: Secret::new("tavily-key"), base_url: Some(server.uri()) },
        SearchEngine::Searxng { base_url: server.uri() + "/" },
    ];
    for engine in engines {
        let ground = ground(&server, Some(engine.clone()));
        let got = ground.good("web_search", json!({"query": "rust & co", "count": 2})).await;
        let got = got.replace("[31m ", "");
        assert_eq!(
            got, "1. The Rust & book\n   https://a.example/\n   About it\n2. https://b.example/",
            "{engine:?}"
        );
    }
}

#[tokio::test]
async fn searches_that_fail_are_told_and_never_show_the_key() {
    let cases = [
        (json_reply(json!({"web": {"results": []}})), true, "found nothing for `x`"),
        (json_reply(json!({})), true, "found nothing"),
        (json_reply(json!([])), false, "in a shape that is not known"),
        (ResponseTemplate::new(403), false, "ask the operator to check it"),
        (ResponseTemplate::new(502).set_body_string("bad gateway"), false, "may work later"),
    ];
    for (reply, good, part) in cases {
        let server = MockServer::start().await;
        answers(&server, "/res/v1/web/search", reply).await;
        let end = ground(&server, brave(&server)).run("web_search", json!({"query": "x"})).await;
        assert_eq!(end.is_ok(), good, "{end:?}");
        let words = end.unwrap_or_else(|words| words);
        assert!(words.contains(part) && !words.contains("brave-key"), "{words}");
    }
}

/// A key must not travel to wherever a server points.
#[tokio::test]
async fn a_redirect_elsewhere_does_not_get_the_key() {
    let (server, thief) = (MockServer::start().await, MockServer::start().await);
    let to = ResponseTemplate::new(307).insert_header("location", thief.uri());
    answers(&server, "/res/v1/web/search", to).await;
    let words = ground(&server, brave(&server)).bad("web_search", json!({"query": "x"})).await;
    assert!(words.contains("points to another address"), "{words}");
    assert!(thief.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn without_an_engine_the_tool_says_how_to_get_one() {
    let words = Ground::new().bad("web_search", json!({"query": "x"})).await;
    for part in ["not configured", "BRAVE_API_KEY", "TAVILY_API_KEY", "searxng"] {
        assert!(words.contains(part), "{words}");
    }
}
