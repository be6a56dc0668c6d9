//! Secrets from every source, against files and stand-ins of the real servers.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod aws;
mod configuration;
mod encrypted;
mod envelope;
mod files;
mod never_printed;
mod resolve;
mod support;
mod vault;
