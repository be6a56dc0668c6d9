//! A note's title as a file's name.
//!
//! INVARIANT: the name depends on the title alone. A title that is a safe name is kept;
//! any other is made safe and gets eight digits of its hash, so that two titles do not
//! meet in one file.

use std::path::PathBuf;

use kernel::units::ContentHash;

/// The longest name without its ending, in bytes.
const NAME_BYTES_MAX: usize = 100;

/// Bytes of the hash at the end of a name that was made safe, with its hyphen.
const MARK_BYTES: usize = 9;

/// The file's name for a title. Given a file's own name, with or without `.md`, the same.
pub(super) fn file_name(title: &str) -> PathBuf {
    let title = title.trim();
    let title = title.strip_suffix(".md").unwrap_or(title).trim_end();
    if safe(title, NAME_BYTES_MAX) == title {
        return format!("{title}.md").into();
    }
    let hash = ContentHash::of(title.as_bytes()).to_string();
    let safe = safe(title, NAME_BYTES_MAX - MARK_BYTES);
    format!("{safe}-{}.md", &hash[..MARK_BYTES - 1]).into()
}

fn safe(title: &str, bytes_max: usize) -> String {
    let mut name = String::new();
    for c in title.chars() {
        let c = if is_safe(c) { c } else { '-' };
        let again = matches!(c, '-' | ' ') && name.ends_with(c);
        if name.len() + c.len_utf8() > bytes_max {
            break;
        }
        if !again {
            name.push(c);
        }
    }
    let name = name.trim_start_matches(['.', '-', ' ']).trim_end_matches(['.', '-', ' ']);
    if name.is_empty() { "note".to_owned() } else { name.to_owned() }
}

/// Characters that every common file system and shell takes as a part of a name.
fn is_safe(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || "-_.,+=@#&()!'".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_title_is_a_safe_name_of_its_own() {
        let cases = [
            ("tip", "tip.md"),
            ("tip.md", "tip.md"),
            ("  Shopping list ", "Shopping list.md"),
            ("Überraschung für 2026", "Überraschung für 2026.md"),
            ("日本語", "日本語.md"),
        ];
        for (title, wanted) in cases {
            assert_eq!(file_name(title), PathBuf::from(wanted), "{title}");
        }
        let hostile = [
            "../../etc/passwd",
            "/etc/passwd",
            "a/b",
            "a\\b",
            "a\0b",
            "a\nb",
            ".hidden",
            "..",
            ".",
            "-rf",
            "CON:",
            "a*b?",
            "\u{202e}gnp",
            "a  b",
            "a--b",
            "",
            "   ",
            "...",
            &"x".repeat(400),
            &"é".repeat(300),
            "🙂",
        ];
        let mut seen = std::collections::BTreeSet::new();
        for title in hostile {
            let name = file_name(title);
            let text = name.to_str().unwrap();
            assert!(text.len() <= NAME_BYTES_MAX + 3, "{title:?}: {text}");
            assert!(
                !text.starts_with(['.', '-']) && !text.contains(['/', '\\', '\0', '\n']),
                "{text}"
            );
            assert_eq!(name.components().count(), 1, "{text}");
            assert_eq!(file_name(text), name, "a name given as a title leads to the same file");
            seen.insert(text.to_owned());
        }
        // Only the two empty titles are one.
        assert_eq!(seen.len(), hostile.len() - 1);
    }
}
