//! "delegate: compute 2+2 and 3+3 to two helpers": a task whose parts go to children.
//!
//! Parts are separated by `;`, by line breaks, or where there are none of these by "and".
//! A child gets its part word for word, and understands it or not.

use kernel::agent::DELEGATE;

use super::plan::{Deed, Part, Piece, Plan, Step, Value};

/// Most parts of one request. What comes behind them is left, and said to be.
const PARTS_MAX: usize = 8;

/// Words for those who shall do it, at the end of the request.
const HELPERS: [&str; 8] =
    ["helper", "helpers", "child", "children", "agent", "agents", "worker", "workers"];

/// The plan of a request that begins with "delegate"; `None` for any other.
pub(super) fn plan(texts: &[&str]) -> Option<Plan> {
    let [text] = texts else { return None };
    let parts = parts(wanted(text)?);
    let left = parts.len().saturating_sub(PARTS_MAX);
    let mut plan = Plan::default();
    for (number, part) in parts.into_iter().take(PARTS_MAX).enumerate() {
        let task = Value::Text(vec![Piece::Words(part)]);
        plan.steps.push(Step { deed: Deed::Delegate, input: vec![("task", task)], after: 0 });
        plan.parts.push(Part::Step(number));
    }
    if left > 0 {
        plan.parts.push(Part::TooMany(left));
    }
    (!plan.steps.is_empty()).then_some(plan)
}

/// What stands behind the word, without those who shall do it.
fn wanted(text: &str) -> Option<&str> {
    let text = text.trim();
    let (word, rest) = text.split_at_checked(DELEGATE.len())?;
    let rest = rest.trim_start_matches(':');
    if !word.eq_ignore_ascii_case(DELEGATE) || !rest.starts_with(char::is_whitespace) {
        return None;
    }
    let rest = rest.trim().trim_end_matches('.');
    Some(match rest.rsplit_once(" to ") {
        Some((before, who)) if names_helpers(who) => before.trim(),
        Some(_) | None => rest,
    })
}

fn names_helpers(words: &str) -> bool {
    let last = words.split_whitespace().last().unwrap_or_default().to_lowercase();
    HELPERS.contains(&last.as_str()) && words.split_whitespace().count() <= 3
}

fn parts(text: &str) -> Vec<String> {
    let marked = text.contains([';', '\n']);
    let pieces: Vec<&str> =
        if marked { text.split([';', '\n']).collect() } else { text.split(" and ").collect() };
    let pieces = pieces.into_iter().map(str::trim).filter(|piece| !piece.is_empty());
    pieces.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_go_to_children() {
        let cases: [(&str, Option<&[&str]>); 7] = [
            ("delegate: compute 2+2 and 3+3 to two helpers", Some(&["compute 2+2", "3+3"])),
            ("Delegate 1+1; weather in Rome and Oslo", Some(&["1+1", "weather in Rome and Oslo"])),
            ("delegate: convert 5 miles to km", Some(&["convert 5 miles to km"])),
            ("delegate: 2+2 to a child.", Some(&["2+2"])),
            ("delegate", None),
            ("delegated work is fun", None),
            ("compute 2+2", None),
        ];
        for (text, parts) in cases {
            let said = plan(&[text]).map(|plan| {
                plan.steps.iter().map(|step| format!("{:?}", step.input)).collect::<Vec<_>>()
            });
            assert_eq!(said.as_ref().map(Vec::len), parts.map(<[_]>::len), "{text}: {said:?}");
            for (step, part) in said.iter().flatten().zip(parts.into_iter().flatten()) {
                assert!(step.contains(&format!("{part:?}")), "{text}: {step}");
            }
        }
    }
}
