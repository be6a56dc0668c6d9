//! A brain of rules.
