//! Where sessions are kept, and how workers are nudged: implementations of the engine's
//! `Store` and `Dispatch` ports.
//!
//! [`sealing`] stands in front of any of them and seals what people wrote.
//!
//! SQL lives here and nowhere else. Rules live in `engine::ports` and `kernel`; a store
//! only makes them durable, and passes `engine::conformance`.

pub mod dispatch;
pub mod postgres;
pub mod sealing;
pub mod sqlite;
