//! When to stop asking: what is broken is left alone for a while, then tried with care.
//!
//! Pure: what happened and the present instant come in, and what may be done comes out.

pub mod circuit;
