//! Databases that a tool may ask, over connections that enforce what a parser only judges.
//!
//! One statement, a reader's, over relations that were listed, inside numbers: time, rows,
//! bytes. Each of these is asked of the database itself (its authorizer, its locks, its
//! grants, its cursors) and not of the statement's text. A parser may stand in front of
//! this crate; nothing here relies on one. Every query has a connection of its own, so
//! that no setting, lock or temporary table outlives it. What each engine can and cannot
//! promise is written in `docs/databases.md`.

mod answer;
mod database;
mod error;
mod exact;
mod mysql;
mod postgres;
mod settings;
mod sqlite;
mod tls;

pub use answer::{Answer, Column, Cut};
pub use database::Database;
pub use error::{DatabaseError, Next};
pub use settings::{Dialect, Limits, Settings};
