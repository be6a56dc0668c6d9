//! The result of a task in the shape that an agent asks for.
//!
//! The shape is the schema of `result` in the input of `end_task`. Texts take the answer,
//! numbers take what was calculated. What no tool's answer can fill is not made up:
//! then there is no value, and the field that is missing is named.

use serde_json::{Map, Value as Json};

use super::plan::{Deed, Part};
use super::progress::{Progress, State};

/// Deepest schema that is filled.
const DEPTH_MAX: usize = 8;

/// A value for the schema, or the path of what cannot be filled.
pub(super) fn result(
    schema: &Json,
    progress: &Progress<'_, '_>,
    answer: &str,
) -> Result<Json, String> {
    let facts = Facts {
        answer,
        numbers: numbers(progress),
        notes: notes(progress),
        complete: is_complete(progress),
    };
    fill(schema, "result", &facts, DEPTH_MAX)
}

/// What a result can be made of.
struct Facts<'a> {
    answer: &'a str,
    numbers: Vec<Json>,
    notes: Vec<String>,
    complete: bool,
}

fn fill(schema: &Json, name: &str, facts: &Facts<'_>, depth: usize) -> Result<Json, String> {
    let kind = schema.get("type");
    let kind = kind.and_then(|kind| kind.get(0).unwrap_or(kind).as_str());
    let missing = || Err(name.to_owned());
    if depth == 0 || schema.get("enum").is_some() || schema.get("const").is_some() {
        return missing();
    }
    match kind {
        None | Some("string") => Ok(Json::String(text(name, facts))),
        Some("number") => facts.numbers.last().cloned().map_or_else(missing, Ok),
        Some("integer") => facts
            .numbers
            .iter()
            .rev()
            .find(|number| number.is_i64() || number.is_u64())
            .cloned()
            .map_or_else(missing, Ok),
        Some("boolean") if matches!(name, "done" | "ok" | "success" | "complete" | "completed") => {
            Ok(Json::Bool(facts.complete))
        }
        Some("array") => list(schema, name, facts),
        Some("object") => object(schema, facts, depth),
        Some(_) => missing(),
    }
}

fn text(name: &str, facts: &Facts<'_>) -> String {
    match facts.notes.last() {
        Some(note) if matches!(name, "note" | "note_name" | "saved_as") => note.clone(),
        Some(_) | None => facts.answer.to_owned(),
    }
}

fn list(schema: &Json, name: &str, facts: &Facts<'_>) -> Result<Json, String> {
    let items = schema.get("items").and_then(|items| items.get("type")).and_then(Json::as_str);
    match items {
        Some("number") => Ok(Json::Array(facts.numbers.clone())),
        Some("string") if name.contains("note") => {
            Ok(facts.notes.iter().cloned().map(Json::String).collect())
        }
        None | Some("string") => {
            Ok(facts.answer.lines().map(|line| Json::String(line.to_owned())).collect())
        }
        Some(_) => Err(name.to_owned()),
    }
}

/// Required fields must be filled; others are where they can be.
fn object(schema: &Json, facts: &Facts<'_>, depth: usize) -> Result<Json, String> {
    let required: Vec<&str> = match schema.get("required") {
        Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
        Some(_) | None => Vec::new(),
    };
    let mut filled = Map::new();
    if let Some(Json::Object(properties)) = schema.get("properties") {
        for (name, schema) in properties {
            match fill(schema, name, facts, depth - 1) {
                Ok(value) => {
                    filled.insert(name.clone(), value);
                }
                Err(missing) if required.contains(&name.as_str()) => return Err(missing),
                Err(_) => {}
            }
        }
    }
    Ok(Json::Object(filled))
}

/// What was calculated, as far as it is plain numbers.
fn numbers(progress: &Progress<'_, '_>) -> Vec<Json> {
    let calculated = |step: usize| {
        let answer =
            progress.answer(step).filter(|_| progress.plan.steps[step].deed == Deed::Calculate)?;
        let plain = answer.trim().trim_start_matches("approx. ");
        let first = plain.split(' ').next().unwrap_or(plain);
        serde_json::from_str::<serde_json::Number>(first).ok().map(Json::Number)
    };
    (0..progress.states.len()).filter_map(calculated).collect()
}

fn notes(progress: &Progress<'_, '_>) -> Vec<String> {
    let saved = |step: &usize| {
        let deed = progress.plan.steps[*step].deed;
        progress.answer(*step).is_some() && matches!(deed, Deed::SaveNote | Deed::AppendNote)
    };
    (0..progress.states.len())
        .filter(saved)
        .filter_map(|step| progress.field(step, "name"))
        .collect()
}

fn is_complete(progress: &Progress<'_, '_>) -> bool {
    let done = progress.states.iter().all(|state| matches!(state, State::Done(_)));
    let heard = progress.plan.parts.iter().all(|part| match part {
        Part::Step(_) | Part::Say(_) | Part::Mended(_) => true,
        Part::Unclear(_) | Part::Strange(_) | Part::TooMany(_) => false,
    });
    done && heard
}
