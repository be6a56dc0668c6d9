//! `${NAME}` and `${NAME:-default}` inside a text.
//!
//! `$${` stands for a plain `${`. A default holds where the variable is missing or
//! empty, as in a shell. Nothing nests, and what a variable brings is not read again.

use super::Environment;

/// A reference that cannot be followed, with its spelling in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unresolved {
    /// As it stands in the text.
    pub(super) spelled: String,
    /// What is wrong with it.
    pub(super) words: String,
    /// What to do.
    pub(super) hint: String,
}

/// Whether a text refers to the environment at all.
pub(super) fn refers(text: &str) -> bool {
    text.replace("$${", "").contains("${")
}

/// The text with every reference followed, or all of the references that lead nowhere.
pub(super) fn expand(text: &str, environment: Environment) -> Result<String, Vec<Unresolved>> {
    let (mut out, mut wrong) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if let Some(before) = rest[..at].strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        out.push_str(&rest[..at]);
        let from_here = &rest[at..];
        let length = from_here.find('}').map_or(from_here.len(), |close| close + 1);
        match resolve(&from_here[..length], environment) {
            Ok(value) => out.push_str(&value),
            Err(unresolved) => wrong.push(unresolved),
        }
        rest = &from_here[length..];
    }
    out.push_str(rest);
    if wrong.is_empty() { Ok(out) } else { Err(wrong) }
}

/// Follows one reference, spelled from `${` to `}`.
fn resolve(spelled: &str, environment: Environment) -> Result<String, Unresolved> {
    let first_line = spelled.lines().next().unwrap_or_default();
    let unresolved =
        |words: String, hint: String| Unresolved { spelled: first_line.to_owned(), words, hint };
    let inside = spelled.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let (name, default) = match inside.map(|inside| inside.split_once(":-")) {
        Some(Some((name, default))) => (name, Some(default)),
        Some(None) => (inside.unwrap_or_default(), None),
        None => ("", None),
    };
    if !is_name(name) {
        return Err(unresolved(
            format!("`{first_line}` is not a reference like `${{NAME}}` or `${{NAME:-default}}`"),
            "for a plain `${` write `$${`".to_owned(),
        ));
    }
    match (environment(name), default) {
        (Some(value), Some(default)) if value.is_empty() => Ok(default.to_owned()),
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(unresolved(
            format!("the environment variable `{name}` is not set"),
            format!("set it, or give a default: `${{{name}:-…}}`"),
        )),
    }
}

/// Whether a text can be the name of an environment variable.
pub(super) fn is_name(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !text.is_empty() && text.bytes().all(word) && !text.as_bytes()[0].is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(name: &str) -> Option<String> {
        match name {
            "CITY" => Some("Oslo".to_owned()),
            "EMPTY" => Some(String::new()),
            "NESTED" => Some("${CITY}".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn references_are_followed_once() {
        for (text, expanded) in [
            ("plain $5 and $CITY", "plain $5 and $CITY"),
            ("in ${CITY}, ${CITY}!", "in Oslo, Oslo!"),
            ("${NOWHERE:-Bergen}", "Bergen"),
            ("${EMPTY:-Bergen}|${EMPTY}|", "Bergen||"),
            ("${NOWHERE:-}", ""),
            ("$${CITY} is ${CITY}", "${CITY} is Oslo"),
            ("${NESTED}", "${CITY}"),
        ] {
            assert_eq!(expand(text, &world).as_deref(), Ok(expanded), "{text}");
        }
    }

    #[test]
    fn every_reference_that_leads_nowhere_is_named() {
        let spelled = |text: &str| -> Vec<String> {
            let wrong = expand(text, &world).expect_err("a reference leads nowhere");
            wrong.into_iter().map(|one| one.spelled).collect()
        };
        assert_eq!(spelled("${A} ${CITY} ${B}"), ["${A}", "${B}"]);
        assert_eq!(spelled("${}"), ["${}"]);
        assert_eq!(spelled("${a b}"), ["${a b}"]);
        assert_eq!(spelled("${CITY\nand on"), ["${CITY"]);
        assert_eq!(spelled("${1A}"), ["${1A}"]);
    }
}
