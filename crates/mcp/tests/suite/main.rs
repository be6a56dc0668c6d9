//! MCP servers, badly behaved and real ones.
//!
//! The bad ones are written in raw JSON-RPC lines or raw HTTP, so that they can do what no
//! library would. The real ones come from npm, at versions that are committed.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod actor;
mod changes;
mod ends;
mod floods;
mod http;
mod listed;
mod real;
mod stage;
mod talks;
