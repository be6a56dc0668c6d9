//! The schema that every policy is checked against: what there is to speak of, and the
//! names of a set's groups.

use std::fmt::Write as _;

use cedar_policy::Schema;

use crate::groups::{Groups, KINDS};

/// Everything but the groups.
const FIXED: &str = include_str!("../data/schema.cedarschema");

/// A name that no group has: an enumeration must not be empty.
const NOBODY: &str = "(none)";

/// The schema of a set with these groups.
pub(crate) fn with(groups: &Groups) -> Schema {
    let mut text = FIXED.to_owned();
    for ((_, of_type), names) in KINDS.iter().zip(groups.names()) {
        let names = if names.is_empty() { vec![NOBODY] } else { names };
        let quoted = names.iter().map(|name| format!("\"{name}\""));
        let quoted = quoted.collect::<Vec<_>>().join(", ");
        writeln!(text, "entity {of_type} enum [{quoted}];")
            .expect("INVARIANT: writing to a string succeeds");
    }
    let (schema, _) = Schema::from_cedarschema_str(&text)
        .expect("INVARIANT: the fixed schema reads, and names of groups are plain");
    schema
}
