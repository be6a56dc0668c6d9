//! What is refused before anything is parsed: texts that are too long or too deep, and
//! characters that hide what a person would see.
//!
//! The parser behind this recurses, so depth is bounded on the raw text, without knowing
//! what is quoted: the count may be too high, never too low.

use super::refusal::{Read, refuse};

/// How long a command may be.
pub const COMMAND_BYTES_MAX: usize = 16 * 1024;
/// How deep brackets of all kinds may lie in each other, quoted ones counted too.
pub const DEPTH_BRACKETS_MAX: usize = 10;
/// How many words that open a compound command may stand in a command, so that those do
/// not nest without brackets either.
pub const OPENERS_WORDS_MAX: usize = 24;

/// Words that open a nested command, or a pipeline that nests by itself.
const OPENERS: [&str; 10] =
    ["if", "while", "until", "for", "case", "select", "function", "coproc", "elif", "!"];

/// Refuses a text that must not reach the parser.
pub(super) fn screen(command: &str) -> Read<()> {
    if command.len() > COMMAND_BYTES_MAX {
        return refuse(format!("longer than {COMMAND_BYTES_MAX} bytes"));
    }
    if let Some(hidden) = command.chars().find(|one| is_hidden(*one)) {
        return refuse(format!("the character U+{:04X} hides what runs", u32::from(hidden)));
    }
    if depth(command) > DEPTH_BRACKETS_MAX {
        return refuse(format!("brackets lie more than {DEPTH_BRACKETS_MAX} deep in each other"));
    }
    let words = command.split(|one: char| one.is_whitespace() || "();&|{}`$".contains(one));
    if words.filter(|word| OPENERS.contains(word)).count() > OPENERS_WORDS_MAX {
        return refuse(format!("more than {OPENERS_WORDS_MAX} compound commands"));
    }
    Ok(())
}

/// The deepest nesting of brackets. A closing one without an opening one is not counted.
fn depth(command: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0_usize);
    for one in command.chars() {
        match one {
            '(' | '{' | '[' => now += 1,
            ')' | '}' | ']' => now = now.saturating_sub(1),
            _ => {}
        }
        most = most.max(now);
    }
    most
}

/// Control and format characters, blanks that bash takes for letters, and characters that
/// change the direction of what follows.
fn is_hidden(one: char) -> bool {
    match one {
        '\n' | '\t' => false,
        _ if one.is_control() => true,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' => {
            true
        }
        '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' => true,
        '\u{ffa0}' | '\u{fff0}'..='\u{fffd}' | '\u{e0000}'..='\u{e0fff}' => true,
        '\u{e000}'..='\u{f8ff}' => true,
        _ => one.is_whitespace() && one != ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_deep_and_long_texts_are_refused() {
        for good in ["ls -la\n\tpwd", "echo 'naïve – 日本'", "((((((((((1"] {
            assert_eq!(screen(good), Ok(()), "{good:?}");
        }
        let long = "a".repeat(COMMAND_BYTES_MAX + 1);
        let openers = "if ".repeat(OPENERS_WORDS_MAX + 1);
        for bad in ["ls\r", "l\u{0}s", "ls\u{200b}", "ls\u{a0}x", "a\u{202e}b", &long, &openers] {
            assert!(screen(bad).is_err(), "{bad:?}");
        }
        assert!(screen(&"(".repeat(DEPTH_BRACKETS_MAX + 1)).is_err());
    }
}
