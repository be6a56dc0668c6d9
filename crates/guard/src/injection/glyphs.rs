//! A text as a reader sees it: one list of plain lower-case characters, each with the bytes
//! of the original that it stands for.
//!
//! Invisible characters, accents, styled letters, look-alikes and escapes are undone here,
//! and only here. Whatever is found later can be pointed at in the original.

use unicode_normalization::char::decompose_compatible;

use super::{escapes, lookalikes};

/// One character that a reader sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Glyph {
    /// The character, lower-case, without accent.
    pub(super) ch: char,
    /// Where it begins in the original, in bytes.
    pub(super) start: usize,
    /// Where it ends in the original, in bytes.
    pub(super) end: usize,
    /// It was a capital.
    pub(super) upper: bool,
    /// It was written in a way that hides it from a plain search.
    pub(super) odd: bool,
}

/// Reads a text that begins at byte `base` of the original.
pub(super) fn read(text: &str, base: usize) -> Vec<Glyph> {
    let mut glyphs = Vec::with_capacity(text.len());
    let mut at = 0;
    let mut broken = false;
    while let Some(first) = text[at..].chars().next() {
        let (ch, bytes, escaped) = match escapes::at(&text[at..]) {
            Some((ch, bytes)) => (ch, bytes, true),
            None => (first, first.len_utf8(), false),
        };
        let span = (base + at, base + at + bytes);
        at += bytes;
        if is_invisible(ch) {
            broken |= glyphs.last().is_some_and(|last: &Glyph| last.ch.is_ascii_alphanumeric());
            continue;
        }
        let odd = (escaped || broken) && ch.is_ascii_alphanumeric();
        broken = false;
        push_plain(&mut glyphs, ch, span, odd);
    }
    lookalikes::undo(&mut glyphs);
    glyphs
}

fn push_plain(glyphs: &mut Vec<Glyph>, ch: char, (start, end): (usize, usize), odd: bool) {
    let upper = ch.is_uppercase();
    let mut push = |plain: char| {
        if is_accent(plain) {
            return;
        }
        let odd = odd || (plain.is_ascii_alphanumeric() && is_styled(ch));
        glyphs.extend(plain.to_lowercase().filter(|one| !is_accent(*one)).map(|one| Glyph {
            ch: spelled(one),
            start,
            end,
            upper,
            odd,
        }));
    };
    if ch.is_ascii() || is_hangul(ch) {
        push(ch);
    } else {
        decompose_compatible(ch, push);
    }
}

/// Letters that differ only in spelling habits, as one letter.
fn spelled(ch: char) -> char {
    match ch {
        'ı' => 'i',
        'ł' => 'l',
        'ø' => 'o',
        'đ' => 'd',
        'ß' => 's',
        'ى' => 'ي',
        'ة' => 'ه',
        '’' | '‘' | 'ʼ' | '`' | '´' => '\'',
        '“' | '”' | '„' | '«' | '»' | '「' | '」' => '"',
        '‐' | '‑' | '–' | '—' => '-',
        other => other,
    }
}

/// Accents of Latin, Greek and Cyrillic, and the vowel signs and hamzas of Arabic. The signs
/// of Indian and South-East Asian scripts are letters to their readers and stay.
fn is_accent(ch: char) -> bool {
    matches!(ch, '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{655}' | '\u{670}' | '\u{640}')
}

/// Mathematical and enclosed letters: a Latin letter in fancy dress.
fn is_styled(ch: char) -> bool {
    matches!(ch, '\u{1d400}'..='\u{1d7ff}' | '\u{2460}'..='\u{24ff}' | '\u{1f100}'..='\u{1f1ff}'
        | '\u{ff01}'..='\u{ff5e}' | '\u{2100}'..='\u{214f}')
}

fn is_hangul(ch: char) -> bool {
    matches!(ch, '\u{ac00}'..='\u{d7a3}')
}

/// Characters that take no room on the page: joiners, direction marks, selectors, tags.
pub(super) fn is_invisible(ch: char) -> bool {
    matches!(ch,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        read(text, 0).iter().map(|glyph| glyph.ch).collect()
    }

    #[test]
    fn disguises_fall() {
        for (written, seen) in [
            ("Ig\u{200b}nore", "ignore"),
            ("\u{202e}x\u{202c}", "x"),
            ("іgnоrе аll", "ignore all"),
            ("𝐈𝐠𝐧𝐨𝐫𝐞 𝓪𝓵𝓵", "ignore all"),
            ("ｉｇｎｏｒｅ", "ignore"),
            ("ɪɢɴᴏʀᴇ", "ignore"),
            ("préalables", "prealables"),
            ("игнорируй", "игнорируи"),
            ("무시해", "무시해"),
            ("&#105;&#x67;n&lt;", "ign<"),
            (r"\u0069gn\x6fre", "ignore"),
            ("%69gnore", "ignore"),
            ("don’t", "don't"),
        ] {
            assert_eq!(plain(written), seen, "{written}");
        }
    }

    #[test]
    fn each_glyph_points_at_its_bytes() {
        let text = "é\u{200b}&#105;z";
        let spans = read(text, 10).iter().map(|one| (one.start, one.end)).collect::<Vec<_>>();
        assert_eq!(spans, [(10, 12), (15, 21), (21, 22)]);
    }
}
