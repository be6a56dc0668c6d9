//! The section `http_tools`: tools that are a request to an address of the operator's.

use kernel::agent::Effect;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde_json::{Value as Json, json};
use tools::{HttpTool, IDEMPOTENCY_KEY, SecretHeader, Template};

use super::expect::{Keys, Reader, Section};
use super::fallbacks::yes_or_no;
use super::provider::optional;
use super::schema;
use super::yaml::{Entry, Value};

/// Most tools of one file.
const TOOLS_MAX: usize = 128;

/// Longest name of a tool, in characters: what model providers take.
const NAME_CHARS_MAX: usize = 64;

/// Time for one exchange where the file says nothing, in seconds.
const TIMEOUT_SECONDS: u64 = 30;

/// The longest result shown at once where the file says nothing, in bytes.
const OUTPUT_BYTES_MAX: u64 = 32_768;

const TOOL: Keys = Keys {
    of: "the HTTP tool",
    known: &[
        "description",
        "input",
        "method",
        "url",
        "headers",
        "body",
        "effect",
        "secret",
        "idempotency_header",
        "reconcile_url",
        "timeout_seconds",
        "allow_private",
        "untrusted",
        "sensitive",
        "output_bytes_max",
    ],
    required: &["description", "url", "effect"],
};

const SECRET: Keys =
    Keys { of: "`secret`", known: &["handle", "header", "prefix"], required: &["handle"] };

/// Headers that belong to the connection or to this program.
const RESERVED: [&str; 7] = [
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "proxy-authorization",
    "transfer-encoding",
    "user-agent",
];

/// Reads the section, which may be missing.
pub(super) fn read(reader: &mut Reader, entry: Option<&Entry>) -> Option<Vec<HttpTool>> {
    let Some(entry) = entry else { return Some(Vec::new()) };
    let entries = reader.mapping(entry)?;
    if entries.len() > TOOLS_MAX {
        let words = format!("`http_tools` has more than {TOOLS_MAX} tools");
        return reader.wrong(entry.key_span.clone(), words, "leave out those that nobody needs");
    }
    let tools: Vec<Option<HttpTool>> = entries.iter().map(|one| tool(reader, one)).collect();
    tools.into_iter().collect()
}

fn tool(reader: &mut Reader, entry: &Entry) -> Option<HttpTool> {
    let name = name(reader, entry);
    let section = reader.section(&entry.value, entry.key_span.clone(), &TOOL)?;
    let description = section.get("description").and_then(|entry| reader.text(entry));
    let input = optional(section.get("input"), |entry| input(reader, entry));
    let method = optional(section.get("method"), |entry| method(reader, entry));
    let url = section.get("url").and_then(|entry| template(reader, entry));
    let reconcile_url = optional(section.get("reconcile_url"), |entry| template(reader, entry));
    let headers = optional(section.get("headers"), |entry| headers(reader, entry));
    let body = optional(section.get("body"), |entry| schema::json(reader, &entry.value));
    let effect = section.get("effect").and_then(|entry| effect(reader, entry));
    let secret = optional(section.get("secret"), |entry| secret(reader, entry));
    let key = optional(section.get("idempotency_header"), |entry| header(reader, entry));
    let seconds =
        optional(section.get("timeout_seconds"), |entry| reader.whole(entry, 1..=600, "seconds"));
    let mut flag = |key: &str| optional(section.get(key), |entry| yes_or_no(reader, entry));
    let (private, untrusted, sensitive) =
        (flag("allow_private"), flag("untrusted"), flag("sensitive"));
    let bytes = optional(section.get("output_bytes_max"), |entry| {
        reader.whole(entry, 1_024..=1_048_576, "bytes")
    });
    let tool = HttpTool {
        name: name?,
        description: description?,
        input: input?.unwrap_or_else(
            || json!({"type": "object", "properties": {}, "additionalProperties": false}),
        ),
        method: method?.unwrap_or(Method::GET),
        url: url?,
        headers: headers?.unwrap_or_default(),
        body: body?,
        effect: effect?,
        secret: secret?,
        idempotency_header: key?,
        reconcile_url: reconcile_url?,
        timeout_ms: seconds?.unwrap_or(TIMEOUT_SECONDS) * 1_000,
        allow_private: private?.unwrap_or(false),
        untrusted: untrusted?.unwrap_or(true),
        sensitive: sensitive?.unwrap_or(false),
        output_bytes_max: bytes?.unwrap_or(OUTPUT_BYTES_MAX),
    };
    fits_together(reader, &section, &tool)?;
    Some(tool)
}

fn name(reader: &mut Reader, entry: &Entry) -> Option<String> {
    let name = &entry.key;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let good = name.len() <= NAME_CHARS_MAX
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(plain)
        && !name.contains("__");
    if !good {
        let words = format!("`{name}` is no name of a tool");
        let hint = "`a` to `z`, digits, `-` and single `_`, at most 64, beginning with a letter";
        return reader.wrong(entry.key_span.clone(), words, hint);
    }
    if name == "sql_query" || tools::all_specs().iter().any(|spec| spec.name == *name) {
        let words = format!("`{name}` is the name of a built-in tool");
        return reader.wrong(entry.key_span.clone(), words, "give this one another name");
    }
    Some(name.clone())
}

fn input(reader: &mut Reader, entry: &Entry) -> Option<Json> {
    let read = schema::read(reader, entry)?;
    if read.get("type") == Some(&json!("object")) {
        return Some(read);
    }
    let words = "`input` is the schema of an object";
    reader.wrong(entry.key_span.clone(), words, "write `input: {type: object, properties: {…}}`")
}

fn method(reader: &mut Reader, entry: &Entry) -> Option<Method> {
    let said = reader.choice(entry, &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])?;
    Method::from_bytes(said.as_bytes()).ok()
}

fn template(reader: &mut Reader, entry: &Entry) -> Option<Template> {
    let said = reader.text(entry)?;
    match Template::read(&said) {
        Ok(template) => Some(template),
        Err(why) => {
            let hint = "write it like `https://api.example.com/orders/{id}`";
            reader.wrong(entry.value.span.clone(), why.to_string(), hint)
        }
    }
}

fn effect(reader: &mut Reader, entry: &Entry) -> Option<Effect> {
    Some(match reader.choice(entry, &["read", "idempotent", "effect"])? {
        "read" => Effect::Read,
        "idempotent" => Effect::Idempotent,
        _ => Effect::Effect,
    })
}

fn headers(reader: &mut Reader, entry: &Entry) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let read: Vec<_> = reader.mapping(entry)?.iter().map(|one| pair(reader, one)).collect();
    read.into_iter().collect()
}

fn pair(reader: &mut Reader, entry: &Entry) -> Option<(HeaderName, HeaderValue)> {
    let name = header_name(reader, entry, &entry.key);
    let value = match HeaderValue::from_str(&reader.text(entry)?) {
        Ok(value) => Some(value),
        Err(_) => {
            let hint = "visible ASCII on one line";
            reader.wrong(entry.key_span.clone(), "this is no value of a header", hint)
        }
    };
    Some((name?, value?))
}

fn header(reader: &mut Reader, entry: &Entry) -> Option<HeaderName> {
    let said = reader.text(entry)?;
    header_name(reader, entry, &said)
}

fn header_name(reader: &mut Reader, entry: &Entry, said: &str) -> Option<HeaderName> {
    let here = entry.key_span.clone();
    match HeaderName::from_bytes(said.as_bytes()) {
        Ok(name) if !RESERVED.contains(&name.as_str()) => Some(name),
        Ok(name) => {
            let words = format!("the header `{name}` is set by this program");
            reader.wrong(here, words, "leave it out")
        }
        Err(_) => {
            let words = format!("`{said}` is no name of a header");
            reader.wrong(here, words, "write it like `X-Api-Key`")
        }
    }
}

fn secret(reader: &mut Reader, entry: &Entry) -> Option<SecretHeader> {
    let section = reader.section(&entry.value, entry.key_span.clone(), &SECRET)?;
    let handle = section.get("handle").and_then(|entry| {
        let said = reader.text(entry)?;
        match said.parse() {
            Ok(handle) => Some(handle),
            Err(_) => {
                // What stands there may be the secret itself: it is not repeated.
                let hint = "write `secret://NAME`; the secret itself has no place in this file";
                reader.wrong(entry.key_span.clone(), "`handle` takes a handle", hint)
            }
        }
    });
    let header = optional(section.get("header"), |entry| header(reader, entry));
    let prefix = optional(section.get("prefix"), |entry| prefix(reader, entry));
    let header = header?.unwrap_or(AUTHORIZATION);
    let usual = if header == AUTHORIZATION { "Bearer " } else { "" };
    Some(SecretHeader {
        handle: handle?,
        prefix: prefix?.unwrap_or_else(|| usual.to_owned()),
        header,
    })
}

/// A text that may be empty, to say that nothing stands before a secret.
fn prefix(reader: &mut Reader, entry: &Entry) -> Option<String> {
    match &entry.value.value {
        Value::Text(text) if text.is_empty() => Some(String::new()),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Map(_) => reader.text(entry),
    }
}

/// What is right by itself and wrong together.
fn fits_together(reader: &mut Reader, section: &Section, tool: &HttpTool) -> Option<()> {
    let place = |key: &str| section.get(key).map_or(0..0, |entry| entry.value.span.clone());
    let mut right = Some(());
    let properties = tool.input.get("properties").and_then(Json::as_object);
    let known = |field: &str| {
        field == IDEMPOTENCY_KEY || properties.is_some_and(|all| all.contains_key(field))
    };
    for (key, template) in
        [("url", Some(&tool.url)), ("reconcile_url", tool.reconcile_url.as_ref())]
    {
        let Some(template) = template else { continue };
        if let Some(field) = template.fields().find(|field| !known(field)) {
            let words = format!("`{{{field}}}` is no field of `input`");
            right = reader.wrong(place(key), words, "add it to `input.properties`");
        }
        if template.scheme() == "http" && !tool.allow_private {
            let hint = "use `https`, or say `allow_private: true` for a server of your own network";
            right = reader.wrong(place(key), "`http` sends secrets in the clear", hint);
        }
    }
    let elsewhere = tool.reconcile_url.as_ref().filter(|url| url.host() != tool.url.host());
    if elsewhere.is_some() && tool.secret.is_some() {
        let words =
            "`reconcile_url` has another host than `url`, and the secret would go there too";
        right = reader.wrong(place("reconcile_url"), words, "use the same host");
    }
    right
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    TOOL.known.iter().chain(SECRET.known).copied()
}
