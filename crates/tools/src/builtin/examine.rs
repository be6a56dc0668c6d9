//! What a call would touch, read from its letters before anything runs.
//!
//! This is what policies decide upon, and a first no where the letters alone tell. What a
//! path really leads to is for the descriptors, and what a command really does is for the
//! cage: they hold whatever is found here.

use std::collections::BTreeSet;
use std::path::Path;

use engine::ports::ToolCall;
use kernel::verdict::{Examined, Judgement, Verdict};
use serde_json::Value;

use super::{Parts, Tool, bash, notes, weather, web_fetch, web_search};
use crate::failure::Failure;
use crate::files::{inside, never_written, shown};

/// The name under which the file tools sign.
const GUARD: &str = "files";

impl Tool {
    /// What a call whose input fits its schema would touch, and whether its letters alone
    /// forbid it.
    pub(crate) fn examine(self, parts: &Parts, call: &ToolCall, input: &Value) -> Examined {
        match self {
            Tool::Read => file(parts, call, input["path"].as_str(), false),
            Tool::Write | Tool::Edit => file(parts, call, input["path"].as_str(), true),
            Tool::Glob | Tool::Grep => {
                file(parts, call, input["path"].as_str().or(Some(".")), false)
            }
            Tool::Notes => notes::examine(parts, call, input),
            Tool::Bash => bash::examine(&parts.settings.bash, call, input),
            Tool::Weather => hosts(weather::hosts(&parts.settings)),
            Tool::WebSearch => hosts(web_search::hosts(&parts.settings)),
            Tool::WebFetch => web_fetch::examine(&parts.settings, &call.arguments),
            Tool::Calculator | Tool::EndTask => Examined::nothing(),
        }
    }
}

/// A call that names one path.
fn file(parts: &Parts, call: &ToolCall, path: Option<&str>, writes: bool) -> Examined {
    let (Some(workdir), Some(text)) = (&call.workdir, path) else {
        return Examined::nothing();
    };
    let (named, judgement) = match inside(workdir, text) {
        Ok(path) => (shown(&path), by_letters(parts, workdir, &path, writes)),
        Err(Failure::Told(words) | Failure::Unavailable(words) | Failure::Unknown(words)) => {
            (shown(Path::new(text)), denied(words.lines().next().unwrap_or_default()))
        }
    };
    Examined { paths: BTreeSet::from([named]), ..Examined::judged(judgement) }
}

fn by_letters(parts: &Parts, workdir: &Path, path: &Path, writes: bool) -> Judgement {
    let state = &parts.settings.state_dir;
    if workdir.join(path).starts_with(state) {
        return denied(format!("`{}` belongs to this program and is closed", shown(path)));
    }
    match never_written(path) {
        Some(words) if writes => denied(words),
        Some(_) | None => Judgement::allow(),
    }
}

fn denied(reason: impl Into<String>) -> Judgement {
    Judgement::new(Verdict::Deny, GUARD, reason)
}

/// A call that asks these servers.
fn hosts<'a>(addresses: impl IntoIterator<Item = &'a str>) -> Examined {
    let host = |address: &str| {
        let url = reqwest::Url::parse(address).ok()?;
        url.host_str().map(str::to_owned)
    };
    let hosts = addresses.into_iter().filter_map(host).collect();
    Examined { hosts, ..Examined::nothing() }
}
