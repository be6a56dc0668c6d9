//! Nudges between processes that share a PostgreSQL store, over `LISTEN` and `NOTIFY`.

pub use crate::postgres::Nudges as Postgres;
