//! Checking a tool's input against its schema, with mistakes worded for a model: which
//! field, what was expected, what may have been meant.
//!
//! A schema is compiled at its first use and kept by content hash. References are never
//! fetched from anywhere.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use kernel::units::ContentHash;
use serde_json::Value;

use crate::words::plain;

/// Compiled schemas kept at once; beyond it all are dropped and made anew when needed.
const SCHEMAS_MAX: usize = 256;

/// Mistakes told at once.
const MISTAKES_MAX: usize = 8;

/// The longest wrong value that is shown, in characters.
const VALUE_CHARS_MAX: usize = 60;

/// How alike a wrong word must be to a right one to be offered instead.
const LIKENESS_MIN: f64 = 0.75;

/// Compiled schemas.
#[derive(Debug, Default)]
pub(crate) struct Schemas(Mutex<BTreeMap<ContentHash, Arc<Validator>>>);

impl Schemas {
    /// Checks `input` for the tool `name`.
    ///
    /// # Errors
    /// Words for the model.
    pub(crate) fn check(&self, name: &str, schema: &Value, input: &Value) -> Result<(), String> {
        let validator = self
            .compiled(schema)
            .map_err(|words| format!("the schema of the tool `{name}` cannot be used: {words}"))?;
        let mistakes: Vec<String> =
            validator.iter_errors(input).take(MISTAKES_MAX).map(|e| worded(&e, schema)).collect();
        if mistakes.is_empty() {
            return Ok(());
        }
        Err(format!("the input does not fit the tool `{name}`\n- {}", mistakes.join("\n- ")))
    }

    fn compiled(&self, schema: &Value) -> Result<Arc<Validator>, String> {
        let hash = ContentHash::of(schema.to_string().as_bytes());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = kept.get(&hash) {
            return Ok(validator.clone());
        }
        let validator = jsonschema::validator_for(schema).map_err(|error| error.to_string())?;
        let validator = Arc::new(validator);
        if kept.len() >= SCHEMAS_MAX {
            kept.clear();
        }
        kept.insert(hash, validator.clone());
        Ok(validator)
    }
}

fn worded(error: &ValidationError<'_>, schema: &Value) -> String {
    let place = place(error.instance_path().as_str());
    let got: &Value = error.instance();
    let kind = error.kind();
    if let ValidationErrorKind::Required { property } = kind {
        return missing(&place, property.as_str().unwrap_or_default(), schema);
    }
    if let ValidationErrorKind::AdditionalProperties { unexpected } = kind {
        return unknown(&place, unexpected, got, schema);
    }
    if let ValidationErrorKind::Type { kind } = kind {
        let wanted = match kind {
            TypeKind::Single(one) => one.to_string(),
            TypeKind::Multiple(many) => {
                many.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" or ")
            }
        };
        return format!("{} must be of type {wanted}, not {}", of(&place), short(got));
    }
    if let ValidationErrorKind::Enum { options } = kind {
        return not_one_of(&place, got, options);
    }
    if let ValidationErrorKind::Pattern { pattern } = kind {
        return format!("{} must match `{pattern}`, but is {}", of(&place), short(got));
    }
    if let ValidationErrorKind::MinLength { limit: 1 } = kind {
        return format!("{} must not be empty", of(&place));
    }
    format!("{}: {}", of(&place), plain(&error.to_string(), 200))
}

fn missing(place: &str, name: &str, schema: &Value) -> String {
    let said =
        schema.pointer("/properties").and_then(|all| all.get(name)).filter(|_| place.is_empty());
    let kind = said.and_then(|field| field.get("type")?.as_str());
    let kind = kind.map_or(String::new(), |kind| format!(" (type {kind})"));
    format!("`{}` is missing{kind}", joined(place, name))
}

fn unknown(place: &str, unexpected: &[String], got: &Value, schema: &Value) -> String {
    let fields = fields(place, schema);
    let free: Vec<&str> =
        fields.iter().copied().filter(|field| got.get(*field).is_none()).collect();
    let told = unexpected.iter().take(MISTAKES_MAX).map(|name| {
        let shown = joined(place, &short_text(name));
        match nearest(name, &free) {
            Some(near) => format!("`{shown}` is not a field; did you mean `{near}`?"),
            None if fields.is_empty() => format!("`{shown}` is not a field"),
            None => format!("`{shown}` is not a field; there are: {}", quoted(&fields)),
        }
    });
    let mut told: Vec<String> = told.collect();
    if unexpected.len() > MISTAKES_MAX {
        told.push(format!("and {} more are not fields", unexpected.len() - MISTAKES_MAX));
    }
    told.join("\n- ")
}

fn not_one_of(place: &str, got: &Value, options: &Value) -> String {
    let options: Vec<&str> =
        options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let near = got.as_str().and_then(|got| nearest(got, &options));
    let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    format!("{} must be one of {}, not {}{near}", of(place), quoted(&options), short(got))
}

/// The names of the fields of the object at `place`; only the outermost is looked up.
fn fields<'s>(place: &str, schema: &'s Value) -> Vec<&'s str> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let properties = properties.filter(|_| place.is_empty());
    properties.into_iter().flat_map(|map| map.keys()).map(String::as_str).collect()
}

fn nearest<'a>(word: &str, words: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    let rated =
        words.iter().map(|known| (strsim::jaro_winkler(&word, &known.to_lowercase()), *known));
    let best = rated.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= LIKENESS_MIN).then_some(best.1)
}

/// `/a/0/b` as `a.0.b`.
fn place(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

fn of(place: &str) -> String {
    if place.is_empty() { "the input".to_owned() } else { format!("`{place}`") }
}

fn joined(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn short(value: &Value) -> String {
    format!("`{}`", short_text(&value.to_string()))
}

fn short_text(text: &str) -> String {
    plain(text, VALUE_CHARS_MAX)
}

#[cfg(test)]
mod tests;
