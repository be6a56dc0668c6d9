//! Small languages inside of arguments, read just far enough to know that they do not run,
//! write or reach for anything. Each says what harm it found.

pub(super) mod awk;
pub(super) mod jq;
pub(super) mod sed;
