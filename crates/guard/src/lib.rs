//! What a call would do, read from its text before anything runs: shell commands, URLs,
//! SQL, and signs of injection in results.
//!
//! Pure: text in, a verdict with reasons out. What is not understood is not allowed. The
//! sandbox is the boundary; nothing here relies on being the only one.

pub mod injection;
pub mod shell;
pub mod sql;
pub mod url;
