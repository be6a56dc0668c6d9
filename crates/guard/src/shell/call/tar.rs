//! `tar` has letters without a dash, and does quite different things by one of them.

use crate::shell::value::Value;

/// Letters whose value follows.
const VALUED: &str = "fbCFgHIKLNTVX";

/// `tar xzf a` as `tar -x -z -f a`: the letters take their values from the words that follow,
/// in their order.
pub(super) fn unbundled(words: &[Value]) -> Vec<Value> {
    let letters = words
        .get(1)
        .and_then(Value::exact)
        .filter(|text| !text.is_empty() && text.chars().all(|one| one.is_ascii_alphabetic()));
    let Some(letters) = letters else { return words.to_vec() };
    let mut rest = words[2..].iter();
    let mut whole = vec![words[0].clone()];
    for letter in letters.chars() {
        whole.push(Value::text(&format!("-{letter}")));
        if VALUED.contains(letter) {
            whole.extend(rest.next().cloned());
        }
    }
    whole.extend(rest.cloned());
    whole
}

/// Whether an option says so.
pub(super) fn makes_an_archive(words: &[Value]) -> bool {
    words.iter().skip(1).filter_map(Value::exact).any(|text| {
        let letters = text.strip_prefix('-').filter(|rest| !rest.starts_with('-')).unwrap_or("");
        text == "--create"
            || letters.chars().take_while(|one| !VALUED.contains(*one)).any(|one| one == 'c')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_take_their_values_in_order() {
        let words = ["tar", "cfC", "a.tar", "src", "x"].map(Value::text);
        let texts = unbundled(&words).iter().map(Value::shown).collect::<Vec<_>>();
        assert_eq!(texts, ["tar", "-c", "-f", "a.tar", "-C", "src", "x"]);
        assert!(makes_an_archive(&unbundled(&words)));
        assert!(!makes_an_archive(&["tar", "-tfc", "a"].map(Value::text)));
    }
}
