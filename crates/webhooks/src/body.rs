//! What is sent: one JSON object.

use engine::alerts::Alert;
use serde::Serialize;

use crate::hook::Shape;

/// The whole alert, its id first.
#[derive(Serialize)]
struct Full<'a> {
    id: &'a str,
    #[serde(flatten)]
    alert: &'a Alert,
}

#[derive(Serialize)]
struct Slack {
    text: String,
}

/// The bytes of a request's body.
///
/// # Errors
/// Only those of the JSON library; an alert has nothing that JSON cannot say.
pub(crate) fn body(shape: Shape, id: &str, alert: &Alert) -> serde_json::Result<Vec<u8>> {
    match shape {
        Shape::Full => serde_json::to_vec(&Full { id, alert }),
        Shape::Slack => serde_json::to_vec(&Slack { text: escaped(&alert.text) }),
    }
}

/// Words in which nothing is a mention or a link
/// (<https://api.slack.com/reference/surfaces/formatting#escaping>).
fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use engine::conformance::alerts::alert;

    use super::*;

    #[test]
    fn the_whole_alert_begins_with_its_id() {
        let alert = alert("t", "a", 5);
        let sent = String::from_utf8(body(Shape::Full, "i", &alert).unwrap()).unwrap();
        let expected = r#"{"id":"i","key":"a","at":5,"kind":"faulted","tenant":"t","user":"ada","agent_id":"reference","run":1,"text":"run 1 is parked — “quoted”"}"#;
        assert_eq!(sent, expected);
    }

    #[test]
    fn words_for_a_chat_mention_nobody() {
        let loud = Alert { text: "<!channel> a & b".to_owned(), ..alert("t", "a", 5) };
        let sent = String::from_utf8(body(Shape::Slack, "i", &loud).unwrap()).unwrap();
        assert_eq!(sent, r#"{"text":"&lt;!channel&gt; a &amp; b"}"#);
    }
}
