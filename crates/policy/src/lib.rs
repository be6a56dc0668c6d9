//! Who may do what: Cedar policies behind the engine's port.
//!
//! Answers allow, ask or deny, with the policies that decided and a reason for people.
//! Policies are files that are checked whole when they are loaded: names, types, and the
//! examples that they carry. Everything here is a function of its arguments: files are read
//! and answers are told elsewhere.

mod asked;
mod conditions;
mod example;
mod explain;
mod facts;
mod groups;
mod index;
mod kind;
mod layers;
mod problem;
#[cfg(test)]
mod properties;
pub mod roots;
mod schema;
pub mod scope;
mod set;
mod templates;
mod text;
mod yaml;

pub use asked::{Asked, NoQuestion, Posed};
pub use example::ExampleResult;
pub use explain::{Explanation, Held, Outcome, Told};
pub use layers::Policies;
pub use problem::Problem;
pub use set::{LAWS, Listed, PolicySet, TenantSet, laws};
pub use templates::{DEFAULT, TEMPLATES, Template, template};
