//! The document as a page to read: every path with its parameters and bodies, and nothing
//! to run. Made once, from the same document that programs get.

use std::fmt::Write;

use serde_json::Value;
use utoipa::openapi::OpenApi;

const STYLE: &str = "\
body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}\
h1{margin-bottom:.2rem}h2{margin-top:2.5rem;border-bottom:1px solid #d0d7de;text-transform:capitalize}\
section{margin:1.2rem 0;padding:.8rem 1rem;border:1px solid #d0d7de;border-radius:8px}\
code{font:14px ui-monospace,monospace}.verb{display:inline-block;min-width:4rem;font-weight:700;color:#0550ae}\
p{margin:.4rem 0}table{border-collapse:collapse;width:100%;font-size:14px}\
td{padding:.25rem .5rem .25rem 0;vertical-align:top;border-top:1px solid #eaeef2}td:first-child{white-space:nowrap}\
.dim{color:#57606a}\
@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}section,h2{border-color:#30363d}\
td{border-color:#21262d}.verb{color:#79c0ff}.dim{color:#8b949e}}";

/// The page.
pub(crate) fn page(document: &OpenApi) -> String {
    let document = serde_json::to_value(document).unwrap_or_default();
    let info = &document["info"];
    let mut page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8>\
         <meta name=viewport content=\"width=device-width\"><title>{title}</title>\
         <style>{STYLE}</style><h1>{title}</h1><p>{words}</p>\
         <p class=dim>For programs: <a href=\"/v1/openapi.json\">/v1/openapi.json</a></p>",
        title = text(&info["title"]),
        words = text(&info["description"]),
    );
    let mut heading = String::new();
    for (path, verb, operation) in operations(&document) {
        let tag = text(&operation["tags"][0]);
        if tag != heading {
            put(&mut page, format_args!("<h2>{tag}</h2>"));
            heading = tag;
        }
        section(&mut page, &document, path, verb, operation);
    }
    page
}

/// Every operation, those of a tag together, in the order in which tags first come.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let mut all: Vec<(&str, &str, &Value)> = paths
        .flat_map(|(path, item)| {
            let verbs = item.as_object().into_iter().flatten();
            verbs.map(move |(verb, operation)| (path.as_str(), verb.as_str(), operation))
        })
        .filter(|(_, _, operation)| operation.is_object())
        .collect();
    let mut tags: Vec<String> = Vec::new();
    for (_, _, operation) in &all {
        let tag = text(&operation["tags"][0]);
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    all.sort_by_key(|(_, _, operation)| {
        let tag = text(&operation["tags"][0]);
        tags.iter().position(|known| *known == tag)
    });
    all
}

fn section(page: &mut String, document: &Value, path: &str, verb: &str, operation: &Value) {
    put(
        page,
        format_args!(
            "<section><p><code><span class=verb>{}</span> {}</code></p><p>{}</p>",
            verb.to_uppercase(),
            escaped(path),
            text(&operation["summary"]),
        ),
    );
    if operation["description"].is_string() {
        put(page, format_args!("<p class=dim>{}</p>", text(&operation["description"])));
    }
    let mut rows = String::new();
    for one in operation["parameters"].as_array().into_iter().flatten() {
        row(&mut rows, &one["name"], &text(&one["in"]), &one["description"]);
    }
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    let fields = &resolved(document, body)["properties"];
    for (name, field) in fields.as_object().into_iter().flatten() {
        row(&mut rows, &Value::from(name.as_str()), "body", &field["description"]);
    }
    if !rows.is_empty() {
        put(page, format_args!("<table>{rows}</table>"));
    }
    page.push_str("</section>");
}

fn row(rows: &mut String, name: &Value, place: &str, words: &Value) {
    let cells = [format!("<code>{}</code>", text(name)), place.to_owned(), text(words)];
    put(rows, format_args!("<tr><td>{}</td></tr>", cells.join("</td><td>")));
}

/// A schema, followed to where it is said. An optional body is one of two.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let variants = schema["oneOf"].as_array().into_iter().flatten();
    let schema = variants.into_iter().find(|one| one["$ref"].is_string()).unwrap_or(schema);
    match schema["$ref"].as_str().and_then(|place| place.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap_or(schema),
        None => schema,
    }
}

fn put(page: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing to a string never fails.
    let _ = page.write_fmt(words);
}

fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
