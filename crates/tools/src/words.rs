//! Foreign text made fit to be shown: short, and without surprises.

/// A text on one line, at most `chars_max` characters long.
pub(crate) fn plain(text: &str, chars_max: usize) -> String {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let words: Vec<&str> = text.split(blank).filter(|word| !word.is_empty()).collect();
    cut(&words.join(" "), chars_max)
}

/// The beginning of a text, at most `chars_max` characters long, marked where it is cut.
pub(crate) fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
