//! `windlass guard loop`: the loop detector on recorded runs.
//!
//! The verdict is the detector's own: a run inside Windlass is warned first, and stopped
//! when it goes on.

use kernel::breaker::loops::{Detector, Finding, Heard, Settings};
use serde_json::json;
use serde_json::value::RawValue;

use super::lines::{Fields, Wrong, fields, text_of};
use crate::cli::GuardLoopArgs;

/// A call of a recorded run.
struct Call {
    name: String,
    arguments: String,
    result: String,
    is_error: Option<bool>,
}

pub(super) fn settings(args: &GuardLoopArgs) -> Settings {
    let usual = Settings::default();
    Settings {
        enabled: true,
        window: args.window.unwrap_or(usual.window),
        same_result_max: args.same_result.unwrap_or(usual.same_result_max),
        same_error_max: args.same_error.unwrap_or(usual.same_error_max),
        same_failure_after_edits_max: args
            .same_failure_after_edits
            .unwrap_or(usual.same_failure_after_edits_max),
        cycle_len_max: args.cycle_length.unwrap_or(usual.cycle_len_max),
        cycle_rounds_max: args.cycle_rounds.unwrap_or(usual.cycle_rounds_max),
        equal_in_response_max: args.equal_in_response.unwrap_or(usual.equal_in_response_max),
        stale_steps_max: args.stale_steps.unwrap_or(usual.stale_steps_max),
    }
}

/// Judges one line.
pub(super) fn answer(line: &str, settings: Settings) -> Result<String, Wrong> {
    let run = fields(line).map_err(|words| Wrong { id: None, words })?;
    let id = run.get("id").map(|raw| raw.get().to_owned());
    let (calls, parallel) = read(&run).map_err(|words| Wrong { id: id.clone(), words })?;
    let finding = judge(&calls, parallel, settings);
    let verdict = if finding.is_some() { "trip" } else { "no_trip" };
    let at = finding.as_ref().map(|finding| finding.at);
    let reason = finding.map(|finding| finding.reason);
    // The id goes out as it came in, whatever it is.
    let id = id.as_deref().unwrap_or("null");
    Ok(format!(
        r#"{{"id":{id},"verdict":"{verdict}","at":{},"reason":{}}}"#,
        json!(at),
        json!(reason)
    ))
}

fn judge(calls: &[Call], parallel: bool, settings: Settings) -> Option<Finding> {
    let heard: Vec<Heard<'_>> = calls
        .iter()
        .map(|call| Heard {
            name: &call.name,
            arguments: &call.arguments,
            result: &call.result,
            is_error: call.is_error,
        })
        .collect();
    let mut detector = Detector::new(settings);
    if parallel {
        detector.hear_turn(&heard);
    } else {
        heard.iter().for_each(|call| detector.hear_turn(std::slice::from_ref(call)));
    }
    detector.finding().cloned()
}

fn read(run: &Fields<'_>) -> Result<(Vec<Call>, bool), String> {
    let calls = run.get("calls").ok_or_else(|| missing("`calls`", run))?;
    let calls: Vec<&RawValue> = serde_json::from_str(calls.get())
        .map_err(|_| "`calls` is not a list\nwrite \"calls\": [{…}, {…}]".to_owned())?;
    let calls: Result<Vec<Call>, String> =
        calls.iter().enumerate().map(|(place, call)| read_call(place, call)).collect();
    let parallel = flag(run, "parallel").map_err(|words| format!("`parallel` {words}"))?;
    Ok((calls?, parallel.unwrap_or(false)))
}

fn read_call(place: usize, call: &RawValue) -> Result<Call, String> {
    let of = |what: &str| format!("`calls[{place}].{what}`");
    let call: Fields<'_> = serde_json::from_str(call.get())
        .map_err(|_| format!("`calls[{place}]` is not an object\nwrite {FORM}"))?;
    let field = |name: &str| call.get(name).copied().ok_or_else(|| missing(&of(name), &call));
    let name: String = serde_json::from_str(field("name")?.get())
        .map_err(|_| format!("{} is not a text", of("name")))?;
    Ok(Call {
        name,
        arguments: text_of(field("args_json")?),
        result: text_of(field("result")?),
        is_error: flag(&call, "is_error").map_err(|words| format!("{} {words}", of("is_error")))?,
    })
}

/// The form of a call, in words of a hint.
const FORM: &str = r#"{"name": "…", "args_json": "{…}", "result": "…"}"#;

fn missing(what: &str, fields: &Fields<'_>) -> String {
    let known: Vec<String> = fields.keys().take(8).map(|name| format!("`{name}`")).collect();
    let there = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
    format!("{what} is missing; there is {there}\na call is {FORM}")
}

fn flag(fields: &Fields<'_>, name: &str) -> Result<Option<bool>, &'static str> {
    fields.get(name).map_or(Ok(None), |raw| {
        serde_json::from_str(raw.get()).map_err(|_| "is neither true nor false")
    })
}
