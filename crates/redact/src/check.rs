//! Arithmetic that tells a real number from digits that look like one.

pub(crate) mod digits;
pub(crate) mod iban;
pub(crate) mod national;
pub(crate) mod value;
