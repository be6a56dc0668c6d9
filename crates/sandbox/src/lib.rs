//! The cage: how a foreign process is started so that it can do no more than it was given.
//!
//! A [`Cage`] holds a [`Grant`] and starts programs in it. Landlock and seccomp always
//! stand; namespaces stand where bubblewrap is usable, and without them less is granted
//! instead of trusted. What cannot be enforced is refused: nothing here degrades in
//! silence. What each mode guarantees is written in `docs/sandbox.md`.
//!
//! Programs are started by the program that uses this crate, which runs itself again as
//! launcher. So its `main` begins with [`launch::main_if_launcher`].

mod cage;
mod control;
mod environment;
mod error;
mod grant;
pub mod launch;
mod places;
mod probe;
mod proxy;
mod spec;

pub use cage::{Cage, Caged, Ended, Ending};
pub use error::{CageError, ProbeError};
pub use grant::{Grant, Limits, Network, Protected};
pub use probe::{Launcher, Mode, Probe};
pub use proxy::{Checked, Gate};
pub use spec::Stopped;
