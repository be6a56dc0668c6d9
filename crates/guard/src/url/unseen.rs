//! Characters that a person who reads a text does not see, or sees in another place.

/// Code points that have no glyph or change the order of others: the default-ignorable ones
/// of Unicode's `DerivedCoreProperties`, bidirectional controls, interlinear marks and tags.
const UNSEEN: [(char, char); 17] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Code points that reorder or hide a whole stretch of text.
const REORDERING: [(char, char); 7] = [
    ('\u{61c}', '\u{61c}'),
    ('\u{200e}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2066}', '\u{206f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{fff9}', '\u{fffb}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Whether a character has no glyph of its own.
pub(crate) fn unseen(c: char) -> bool {
    among(c, &UNSEEN)
}

/// Whether a character changes how the text around it looks: not even a literal may have it,
/// because whoever approves a call reads something else than what runs.
pub(crate) fn reorders(c: char) -> bool {
    among(c, &REORDERING)
}

fn among(c: char, ranges: &[(char, char)]) -> bool {
    ranges.iter().any(|(first, last)| (*first..=*last).contains(&c))
}
