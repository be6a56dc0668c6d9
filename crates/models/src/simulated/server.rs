//! placeholder until the parts are joined

pub mod fault;
mod line;
pub mod meter;
