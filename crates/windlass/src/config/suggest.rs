//! "Did you mean": the nearest of the names that would have been right.

/// A hint for a name that is none of `known`: the nearest one, or all of them.
pub(super) fn hint(wrong: &str, known: &[&str]) -> String {
    match nearest(wrong, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it may be one of: {}", known.join(", ")),
    }
}

/// The name that `wrong` was most likely meant to be.
pub(crate) fn nearest<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' ', '.'], "_");
    let wrong = plain(wrong);
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&wrong, &plain(name)), *name))
        .filter(|(distance, name)| *distance <= tolerance(name))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Slips that are still the same name: one in three letters, at most three.
fn tolerance(name: &str) -> usize {
    (name.chars().count() / 3).min(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let known = ["system_prompt", "max_tokens", "model", "agent_id"];
        for (wrong, near) in [
            ("systm_prompt", Some("system_prompt")),
            ("System-Prompt", Some("system_prompt")),
            ("max_token", Some("max_tokens")),
            ("modle", Some("model")),
            ("agentid", Some("agent_id")),
            ("colour", None),
            ("x", None),
        ] {
            assert_eq!(nearest(wrong, &known), near, "{wrong}");
        }
    }
}
