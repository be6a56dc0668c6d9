//! The built-in tools: the way out of the model into the world.
//!
//! [`Builtin`] implements the engine's port: input is checked against the schema frozen
//! with the session, files are reached through directory descriptors only, and an effect
//! happens once, because its intent is on disk before it begins; commands run in a cage.
//! [`Guarded`] stands before several toolboxes: it marks what came from outside as data and
//! looks for orders in it. Nothing here decides who may call what. Making a [`Builtin`]
//! opens, compiles and connects nothing.

mod builtin;
mod effects;
mod failure;
mod files;
mod guarded;
mod http;
mod http_tools;
mod outward;
mod page;
mod schema;
mod settings;
mod sql_query;
mod toolbox;
mod words;

pub use builtin::{all_specs, delegate_spec, end_task_spec, more_spec, shell_runs, specs_with};
pub use effects::forget_effects;
pub use guarded::{Doubled, Guarded};
pub use http_tools::{
    BadTemplate, HttpOutside, HttpTool, HttpTools, IDEMPOTENCY_KEY, SecretHeader, Template,
};
pub use outward::{Resolve, SystemResolver};
pub use settings::{Bash, HttpLimits, SearchEngine, Secret, Settings};
pub use sql_query::{SqlDatabase, SqlOutside, SqlPlace, SqlQuery, sql_query_spec};
pub use toolbox::Builtin;
