//! From the file's shape to a script that can be played.

use kernel::json::RawJson;
use kernel::message::{Arguments, Stop, Usage};
use serde_json::{Map, Value};

use super::yaml::{self, Mistake, Spanned};
use super::{Call, Entry, Script, Turn, shape};

/// Longest script, in bytes.
pub const SCRIPT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Most turns that one entry may be repeated for.
pub const TURNS_MAX: u64 = 100_000;

pub(super) fn read(text: &str) -> Result<Script, Mistake> {
    if text.len() > SCRIPT_BYTES_MAX {
        let words = format!("the script has {} bytes", text.len());
        return Err(Mistake::at(1, 1, words, format!("at most {SCRIPT_BYTES_MAX} bytes are read")));
    }
    let file: shape::File = yaml::read(text)?;
    let entries: Vec<Entry> = file.turns.into_iter().map(entry).collect::<Result<_, _>>()?;
    if entries.is_empty() {
        return Err(Mistake::at(
            1,
            1,
            "the script has no turns",
            "write at least one turn below `turns:`",
        ));
    }
    Ok(Script { entries })
}

fn entry(mut written: Spanned<shape::Turn>) -> Result<Entry, Mistake> {
    let repeat = written.value.repeat.take();
    let repeat = match repeat {
        Some(repeat) if repeat.value == 0 || repeat.value > TURNS_MAX => {
            let words = format!("`repeat` is {}", repeat.value);
            return Err(Mistake::of(&repeat, words, format!("from 1 to {TURNS_MAX}")));
        }
        Some(repeat) => repeat.value,
        None => 1,
    };
    let ways = match written.value.either.take() {
        Some(ways) => either(&written, ways)?,
        None if written.value.when.is_some() => {
            let hint = "put the turns to choose from below `either:`, the last one without `when`";
            return Err(Mistake::of(&written, "`when` stands outside of `either`", hint));
        }
        None => vec![turn(written)?],
    };
    Ok(Entry { repeat, ways })
}

fn either(
    written: &Spanned<shape::Turn>,
    ways: Vec<Spanned<shape::Turn>>,
) -> Result<Vec<Turn>, Mistake> {
    let shape::Turn { when, expect, thinking, text, tools, stop, usage, repeat: _, either: _ } =
        &written.value;
    let alone = when.is_none()
        && expect.is_none()
        && thinking.is_none()
        && text.is_none()
        && tools.is_none()
        && stop.is_none()
        && usage.is_none();
    if !alone {
        return Err(Mistake::of(
            written,
            "`either` stands beside an answer",
            "only `repeat` may stand beside `either`",
        ));
    }
    for way in &ways {
        if way.value.either.is_some() || way.value.repeat.is_some() {
            return Err(Mistake::of(
                way,
                "`either` or `repeat` inside of `either`",
                "put it around the whole choice",
            ));
        }
    }
    if ways.is_empty() {
        return Err(Mistake::of(
            written,
            "`either` has no turns",
            "write at least one turn below it",
        ));
    }
    ways.into_iter().map(turn).collect()
}

fn turn(written: Spanned<shape::Turn>) -> Result<Turn, Mistake> {
    let says = written.value.text.as_deref().is_some_and(|text| !text.is_empty());
    let calls = written.value.tools.as_ref().is_some_and(|tools| !tools.is_empty());
    if !says && !calls {
        return Err(Mistake::of(
            &written,
            "the turn says nothing",
            "give it `text` or `tools`, or both",
        ));
    }
    let mistake = |words: &str, hint: &str| Mistake::of(&written, words, hint);
    for call in written.value.tools.iter().flatten() {
        if !matches!(call.input, Value::Object(_) | Value::String(_) | Value::Null) {
            return Err(mistake(
                &format!("the input of `{}` is not a mapping", call.name),
                "write a mapping; a text is sent as it stands, to rehearse broken JSON",
            ));
        }
    }
    let stop = match (written.value.stop, calls) {
        (Some(stop), _) => stop_of(stop),
        (None, true) => Stop::ToolUse,
        (None, false) => Stop::EndTurn,
    };
    let turn = written.value;
    Ok(Turn {
        when: turn.when,
        expect: match turn.expect {
            None => Vec::new(),
            Some(shape::OneOrMore::One(text)) => vec![text],
            Some(shape::OneOrMore::More(texts)) => texts,
        },
        thinking: turn.thinking,
        text: turn.text.filter(|text| !text.is_empty()),
        tools: turn.tools.unwrap_or_default().into_iter().map(call).collect(),
        stop,
        usage: turn.usage.map(usage_of),
    })
}

fn call(written: shape::Call) -> Call {
    let input = match written.input {
        Value::Null => Arguments::Json(RawJson::of(&Map::new())),
        Value::String(text) => Arguments::Malformed(text),
        value @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Arguments::Json(RawJson::of(&value))
        }
    };
    Call { id: written.id, name: written.name, input }
}

fn stop_of(written: shape::Stop) -> Stop {
    match written {
        shape::Stop::EndTurn => Stop::EndTurn,
        shape::Stop::MaxTokens => Stop::MaxTokens,
        shape::Stop::StopSequence => Stop::StopSequence,
        shape::Stop::ToolUse => Stop::ToolUse,
        shape::Stop::PauseTurn => Stop::PauseTurn,
        shape::Stop::Refusal => Stop::Refusal,
        shape::Stop::ContextWindow => Stop::ContextWindow,
    }
}

fn usage_of(written: shape::Usage) -> Usage {
    Usage {
        input: written.input,
        output: written.output,
        cache_read: written.cache_read,
        cache_write_5m: written.cache_write_5m,
        cache_write_1h: written.cache_write_1h,
        web_searches: written.web_searches,
    }
}
