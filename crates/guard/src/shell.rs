//! Shell commands: what they would run, read and write.
