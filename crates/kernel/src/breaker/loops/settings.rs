//! The numbers of the loop detector.

use serde::{Deserialize, Serialize};

/// When repetition counts as a loop. Each number is the one at which it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Whether anything is detected at all.
    pub enabled: bool,
    /// Calls that are looked back at, from 4 to [`Settings::WINDOW_MAX`].
    pub window: u32,
    /// Equal calls with equal results within the window.
    pub same_result_max: u32,
    /// Calls that differ in jitter only and fail with the same error, within the window.
    pub same_error_max: u32,
    /// Checks that fail in the same way although something new was edited before each.
    pub same_failure_after_edits_max: u32,
    /// Length of the longest circle that is looked for, in calls, up to
    /// [`Settings::CYCLE_LEN_MAX`].
    pub cycle_len_max: u32,
    /// Rounds of such a circle.
    pub cycle_rounds_max: u32,
    /// Equal calls inside one response, whatever they bring.
    pub equal_in_response_max: u32,
    /// Steps in a row that bring nothing new.
    pub stale_steps_max: u32,
}

impl Settings {
    /// The longest window, in calls.
    pub const WINDOW_MAX: u32 = 100;
    /// The longest circle, in calls.
    pub const CYCLE_LEN_MAX: u32 = 10;

    /// Whether nothing was set.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Settings::default()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            enabled: true,
            window: 20,
            same_result_max: 3,
            same_error_max: 3,
            same_failure_after_edits_max: 5,
            cycle_len_max: 4,
            cycle_rounds_max: 3,
            equal_in_response_max: 4,
            stale_steps_max: 10,
        }
    }
}
