//! SQL statements: what they would read, and that they only read.
