//! Reading on in a result that was too long to show at once.
//!
//! A handle is the first digits of a payload's hash. It opens only payloads that this
//! very session was shown, so that no session reads another's results.

use kernel::json::RawJson;
use kernel::run::State;
use kernel::units::Tenant;
use serde::Deserialize;

use crate::Engine;
use crate::ports::{Payload, ToolOutput};

/// Digits of the hash that make a handle.
const HANDLE_DIGITS: usize = 16;

/// Bytes shown at a time.
const PART_BYTES: usize = 16 * 1024;

#[derive(Deserialize)]
struct Input {
    handle: String,
    #[serde(default)]
    offset: u64,
}

/// The words at the end of a cut result.
pub(super) fn trailer(payload: &Payload, shown: usize, lost_bytes: usize) -> String {
    let handle = &payload.hash.to_string()[..HANDLE_DIGITS];
    let left = payload.bytes.len().saturating_sub(shown);
    let lost = match lost_bytes {
        0 => String::new(),
        bytes => format!(" {bytes} bytes beyond them were too much to keep."),
    };
    format!(
        "\n[cut here: {left} more bytes. Read on with `more` and \
         {{\"handle\": \"{handle}\", \"offset\": {shown}}}.{lost}]"
    )
}

/// Shows the next part of a kept result.
pub(super) async fn read(
    engine: &Engine,
    tenant: &Tenant,
    state: &State,
    arguments: &RawJson,
) -> ToolOutput {
    let input: Input = match arguments.read() {
        Ok(input) => input,
        Err(why) => return ToolOutput::error(format!("the arguments do not fit: {why}")),
    };
    let handle = input.handle.trim();
    let known = state
        .payloads
        .iter()
        .find(|kept| handle.len() >= HANDLE_DIGITS && kept.hash.to_string().starts_with(handle));
    let Some(kept) = known else {
        let words = "this conversation has no cut result with that handle";
        return ToolOutput::error(words);
    };
    match engine.store.payload(tenant, kept.hash).await {
        Ok(bytes) => part(&String::from_utf8_lossy(&bytes), handle, input.offset),
        Err(why) => ToolOutput::error(format!("the kept result cannot be read: {why}")),
    }
}

pub(super) fn part(text: &str, handle: &str, offset: u64) -> ToolOutput {
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    if start >= text.len() {
        let length = text.len();
        return ToolOutput::error(format!("the result ends at byte {length}"));
    }
    let start = super::floor(text, start);
    let end = super::floor(text, start + PART_BYTES);
    let mut shown = text[start..end].to_owned();
    if end < text.len() {
        let left = text.len() - end;
        shown.push_str(&format!(
            "\n[{left} more bytes. Read on with {{\"handle\": \"{handle}\", \"offset\": {end}}}.]"
        ));
    }
    ToolOutput::ok(shown)
}
