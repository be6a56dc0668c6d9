//! Reading on in a result that was too long to show at once.
//!
//! A handle is the first digits of a payload's hash, or the number of the event that
//! holds a result. It opens only what this very session was shown, so that no session
//! reads another's results.

use kernel::event::{Fact, HANDLE_DIGITS, PayloadRef, event_of_handle};
use kernel::frame;
use kernel::json::RawJson;
use kernel::run::State;
use kernel::units::Tenant;
use serde::Deserialize;

use crate::Engine;
use crate::ports::{Payload, ToolOutput};

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
    let bytes = payload.bytes.len() as u64;
    let handle = PayloadRef { hash: payload.hash, bytes }.handle();
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
    if let Some(seq) = event_of_handle(handle) {
        return read_event(engine, tenant, state, (handle, seq), input.offset).await;
    }
    let known = state
        .payloads
        .iter()
        .find(|kept| handle.len() >= HANDLE_DIGITS && kept.hash.to_string().starts_with(handle));
    let Some(kept) = known else {
        let words = "this conversation has no cut result with that handle";
        return ToolOutput::error(words);
    };
    match engine.store.payload(tenant, Some(state.session), kept.hash).await {
        Ok(bytes) => part(&String::from_utf8_lossy(&bytes), handle, input.offset),
        Err(why) => ToolOutput::error(format!("the kept result cannot be read: {why}")),
    }
}

/// Shows a part of a result that stands in this session's log and was cleared from what
/// the model reads.
async fn read_event(
    engine: &Engine,
    tenant: &Tenant,
    state: &State,
    (handle, seq): (&str, u64),
    offset: u64,
) -> ToolOutput {
    let rows = engine.store.read(tenant, state.session, seq.saturating_sub(1), 1).await;
    let row = match rows {
        Ok(rows) => rows.into_iter().find(|row| row.seq == seq),
        Err(why) => return ToolOutput::error(format!("the result cannot be read: {why}")),
    };
    match row.and_then(|row| serde_json::from_str(&row.body).ok()) {
        Some(Fact::ToolReturned(returned)) => part(&returned.content, handle, offset),
        Some(_) | None => ToolOutput::error("this conversation has no result with that handle"),
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
    let mut shown = frame::part(text, start..end);
    if end < text.len() {
        let left = text.len() - end;
        shown.push_str(&format!(
            "\n[{left} more bytes. Read on with {{\"handle\": \"{handle}\", \"offset\": {end}}}.]"
        ));
    }
    ToolOutput::ok(shown)
}
