//! When to stop asking: what is broken is left alone for a while, then tried with care, and
//! a run that goes round in circles is told so and stopped.
//!
//! Pure: what happened and the present instant come in, and what may be done comes out.

pub mod circuit;
pub mod loops;
