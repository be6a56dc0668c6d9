//! One line in, one line out, for each guard that judges a text alone.
//!
//! The id goes out as it came in, whatever it is. What is judged, and how, is the guards'.

use guard::injection;
use kernel::verdict::{Judgement, Verdict};
use redact::{Body, Redactor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::lines::{Fields, Wrong, fields, text_of};

/// A guard's answer, for the wire.
#[derive(Serialize)]
struct Judged {
    verdict: Verdict,
    reasons: Vec<String>,
}

impl From<Judgement> for Judged {
    fn from(judgement: Judgement) -> Self {
        Judged { verdict: judgement.verdict, reasons: judgement.reasons }
    }
}

/// A tool result, of any JSON.
#[derive(Deserialize)]
struct Returned<'l> {
    #[serde(borrow)]
    result: &'l RawValue,
}

/// A text, or the pieces of one.
#[derive(Deserialize)]
struct Text {
    text: Option<String>,
    chunks: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Redacted {
    text: String,
}

pub(super) fn shell(line: &str) -> Result<String, Wrong> {
    let form = r#"{"id": "…", "allow": ["git status"], "command": "…"}"#;
    answer(line, form, |line| {
        let input: guard::shell::Input = read(line)?;
        Ok(Judged::from(input.examine().judgement))
    })
}

pub(super) fn url(line: &str) -> Result<String, Wrong> {
    let form = r#"{"id": "…", "policy": {"allow_hosts": ["…"]}, "url": "https://…", "dns": {}}"#;
    answer(line, form, |line| {
        let input: guard::url::Input = read(line)?;
        Ok(Judged::from(guard::url::judge(&input).judgement))
    })
}

pub(super) fn sql(line: &str) -> Result<String, Wrong> {
    let form = r#"{"id": "…", "dialect": "sqlite", "tables": ["…"], "sql": "select …"}"#;
    answer(line, form, |line| {
        let input: guard::sql::Input = read(line)?;
        let examined = guard::sql::examine(&input.sql, input.dialect, &input.tables);
        Ok(Judged::from(examined.judgement))
    })
}

pub(super) fn injection(line: &str) -> Result<String, Wrong> {
    let form = r#"{"id": "…", "tool": "…", "result": "…"}"#;
    answer(line, form, |line| {
        let input: Returned<'_> = read(line)?;
        Ok(injection::scan(&text_of(input.result)))
    })
}

pub(super) fn redact(line: &str, redactor: &Redactor) -> Result<String, Wrong> {
    let form = r#"{"id": "…", "text": "…"} or {"id": "…", "chunks": ["…", "…"]}"#;
    answer(line, form, |line| {
        let body = match read(line)? {
            Text { text: Some(text), chunks: None } => Body::Text(text),
            Text { text: None, chunks: Some(chunks) } => Body::Chunks(chunks),
            Text { text: Some(_), chunks: Some(_) } => {
                return Err("`text` and `chunks` are two cases".to_owned());
            }
            Text { text: None, chunks: None } => {
                return Err("`text` is missing, and so is `chunks`".to_owned());
            }
        };
        Ok(Redacted { text: body.redacted(redactor) })
    })
}

/// Judges a line, and puts its id before the answer.
fn answer<'l, A: Serialize>(
    line: &'l str,
    form: &str,
    judge: impl FnOnce(&'l str) -> Result<A, String>,
) -> Result<String, Wrong> {
    let given: Fields<'_> = fields(line).map_err(|words| Wrong { id: None, words })?;
    let id = given.get("id").map(|raw| raw.get().to_owned());
    let said = judge(line).and_then(|answer| serde_json::to_string(&answer).map_err(words_of));
    match said {
        Ok(said) => {
            let id = id.as_deref().unwrap_or("null");
            Ok(format!(r#"{{"id":{id},{}"#, said.trim_start_matches('{')))
        }
        Err(why) => Err(Wrong { id, words: format!("{why}\nwrite {form}") }),
    }
}

fn read<'l, T: Deserialize<'l>>(line: &'l str) -> Result<T, String> {
    serde_json::from_str(line).map_err(words_of)
}

/// What the reader says, without a place: the line is the place.
fn words_of(error: serde_json::Error) -> String {
    let words = error.to_string();
    words.rfind(" at line ").map_or(words.clone(), |at| words[..at].to_owned())
}
