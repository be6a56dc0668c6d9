//! Where secrets come from, as values that cannot be printed.
