//! A brain that follows a script.
