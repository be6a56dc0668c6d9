//! Foreign words made fit for a line of ours.

/// One line of at most so many characters: control and direction characters become spaces,
/// runs of space one.
pub(crate) fn line(text: &str, chars_max: usize) -> String {
    let plain = text.chars().map(|c| if is_hidden(c) { ' ' } else { c });
    let plain: String = plain.take(chars_max * 4).collect();
    let one: Vec<&str> = plain.split_whitespace().collect();
    let one = one.join(" ");
    match one.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &one[..end]),
        None => one,
    }
}

/// Whether a character shows nothing or changes how others are shown: controls, marks of
/// direction, tags.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// At most so many bytes of a text, cut between characters.
pub(crate) fn start(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_ends() {
        assert_eq!(line("a\n\tb\u{202e}c\u{1b}[2J", 80), "a b c [2J");
        assert_eq!(line("żółw żółw", 4), "żółw…");
        assert_eq!(line(&"x".repeat(1_000_000), 3), "xxx…");
    }

    #[test]
    fn a_start_ends_between_characters() {
        assert_eq!(start("żż", 3), "ż");
        assert_eq!(start("ab", 9), "ab");
    }
}
