//! Alerts as signed requests to the operator's own addresses.
//!
//! Requests have the shape of Standard Webhooks (<https://www.standardwebhooks.com>): a
//! receiver checks who sent them and when, and tells by the id what it has had before.
//! One try each: when to try again is decided in `engine`. Addresses may be anywhere, also
//! on private networks, for the operator wrote them; redirects are not followed.

mod answer;
mod body;
mod hook;
mod post;
mod sign;

pub use answer::Answer;
pub use hook::{Hook, NotAnAddress, Shape, address};
pub use post::Webhooks;
pub use sign::{NotASecret, Secret};
