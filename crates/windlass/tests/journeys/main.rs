//! Journeys through the real binary, as a newcomer makes them: a task, a talk, a pause, an
//! outage, a look at the books. Models are rules, scripts or the simulated provider on
//! this machine; nothing asks the network.

#[allow(dead_code, reason = "shared with the other suite; each uses its part")]
mod place;
#[allow(dead_code, clippy::unwrap_used, reason = "shared with the stores' own suite")]
#[path = "../../../stores/tests/suite/server.rs"]
mod server;

mod alerts;
mod approvals;
mod callers;
mod caps;
mod desk;
mod drills;
mod erasure;
mod guards;
mod house;
mod judges;
mod machines;
mod money;
mod outages;
mod outside;
mod pauses;
mod policies;
mod prices;
mod requests;
mod results;
mod scopes;
mod secrets;
mod services;
mod spend;
mod streams;
mod talks;
