//! `jq` filters: they can read the environment and modules.

/// Words that reach out of the input.
const REACHING: [&str; 8] = [
    "env",
    "import",
    "include",
    "input_filename",
    "get_search_list",
    "modulemeta",
    "$ENV",
    "$__prog_args",
];

/// What harm a filter does.
pub(in crate::shell) fn harm(filter: &str) -> Option<String> {
    let is_word = |one: char| one.is_ascii_alphanumeric() || one == '_' || one == '$';
    let mut before = ' ';
    let mut rest = filter;
    while let Some(start) = rest.find(is_word) {
        before = rest[..start].chars().next_back().unwrap_or(if start == 0 { before } else { ' ' });
        let tail = &rest[start..];
        let end = tail.find(|one| !is_word(one)).unwrap_or(tail.len());
        let word = &tail[..end];
        // A field may be named like anything.
        if REACHING.contains(&word) && before != '.' {
            return Some(format!("uses `{word}`"));
        }
        rest = &tail[end..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_and_modules_are_out_of_reach() {
        for good in [".a.b", ".[] | select(.x > 1)", ".env", "map(.name) | length", "."] {
            assert_eq!(harm(good), None, "{good}");
        }
        for bad in
            ["env", "$ENV.PATH", "env.HOME", "import \"a\" as a; .", "input_filename", ". | env"]
        {
            assert!(harm(bad).is_some(), "{bad}");
        }
    }
}
