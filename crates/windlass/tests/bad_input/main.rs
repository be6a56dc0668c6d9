//! What people and disks do wrong: each case ends with its exit code and with words that
//! say what to do next, and loses nothing.

#[allow(dead_code, reason = "shared with the other suite; each uses its part")]
#[path = "../journeys/place.rs"]
mod place;

mod crowd;
mod damage;
mod full;
mod pipes;
mod usage;
mod words;
