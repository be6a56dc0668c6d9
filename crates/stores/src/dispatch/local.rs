//! Nudges within one process: the engine's own bounded queue, under the name that
//! assembly knows. What does not fit is dropped, and the sweep of what is due finds it.

pub use engine::memory::Nudges as Local;
