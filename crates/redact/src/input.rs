//! The form in which people try their own cases: a line of JSON with a text, or with the
//! pieces that a stream would bring.

use serde::{Deserialize, Serialize};

use crate::Redactor;

/// A case: `{"id":"…","text":"…"}` or `{"id":"…","chunks":["…", …]}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Comes back with the answer.
    pub id: String,
    /// What is redacted.
    #[serde(flatten)]
    pub body: Body,
}

/// What a case holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// A whole text.
    Text(String),
    /// A text as a stream brings it.
    Chunks(Vec<String>),
}

/// The answer to a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// The case.
    pub id: String,
    /// Its text, redacted; of chunks: everything that was released, in one.
    pub text: String,
}

impl Input {
    /// Redacts the case.
    #[must_use]
    pub fn answer(&self, redactor: &Redactor) -> Output {
        Output { id: self.id.clone(), text: self.body.redacted(redactor) }
    }
}

impl Body {
    /// The text, redacted; chunks go through a stream.
    #[must_use]
    pub fn redacted(&self, redactor: &Redactor) -> String {
        match self {
            Body::Text(text) => redactor.text(text).into_owned(),
            Body::Chunks(chunks) => {
                let mut stream = redactor.stream();
                let mut out = chunks.iter().map(|chunk| stream.push(chunk)).collect::<String>();
                out.push_str(&stream.finish());
                out
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_answered_alike() {
        let redactor = Redactor::default();
        for line in [
            r#"{"id":"1","text":"write to a@example.com"}"#,
            r#"{"id":"1","chunks":["write to a@exa","mple.com"]}"#,
        ] {
            let input: Input = serde_json::from_str(line).unwrap();
            let answer = serde_json::to_string(&input.answer(&redactor)).unwrap();
            assert_eq!(answer, r#"{"id":"1","text":"write to [redacted:email]"}"#);
        }
    }
}
