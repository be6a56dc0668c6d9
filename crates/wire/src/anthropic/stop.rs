//! Why a model stopped, in the vendor's words.

use kernel::message::Stop;

/// Reads a `stop_reason`.
pub(super) fn read_stop(word: &str) -> Stop {
    match word {
        "end_turn" => Stop::EndTurn,
        "max_tokens" => Stop::MaxTokens,
        "stop_sequence" => Stop::StopSequence,
        "tool_use" => Stop::ToolUse,
        "pause_turn" => Stop::PauseTurn,
        "refusal" => Stop::Refusal,
        "model_context_window_exceeded" => Stop::ContextWindow,
        other => Stop::Other(other.to_owned()),
    }
}

/// Writes a `stop_reason`.
pub(super) fn write_stop(stop: &Stop) -> &str {
    match stop {
        Stop::EndTurn => "end_turn",
        Stop::MaxTokens => "max_tokens",
        Stop::StopSequence => "stop_sequence",
        Stop::ToolUse => "tool_use",
        Stop::PauseTurn => "pause_turn",
        Stop::Refusal => "refusal",
        Stop::ContextWindow => "model_context_window_exceeded",
        Stop::Other(word) => word,
    }
}
