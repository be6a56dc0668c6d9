//! Letters that look like Latin ones and are not.
//!
//! Turned, small-capital and boxed letters are always read as Latin. Cyrillic, Greek and
//! Armenian letters are read so only inside a word that also has Latin ones: a word in one
//! script is a word of its language.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::glyphs::Glyph;

/// Look-alikes by the Latin letter that they look like.
#[derive(Deserialize)]
struct Table {
    always: BTreeMap<char, String>,
    in_mixed_words: BTreeMap<char, String>,
}

struct Lookalikes {
    always: BTreeMap<char, char>,
    in_mixed_words: BTreeMap<char, char>,
}

static LOOKALIKES: LazyLock<Lookalikes> = LazyLock::new(|| {
    let text = include_str!("../../data/injection_lookalikes.json");
    let table: Table = serde_json::from_str(text)
        .expect("INVARIANT: the table is part of the program and read by every test");
    Lookalikes { always: inverted(table.always), in_mixed_words: inverted(table.in_mixed_words) }
});

fn inverted(table: BTreeMap<char, String>) -> BTreeMap<char, char> {
    let pairs = table.iter().flat_map(|(latin, like)| like.chars().map(|one| (one, *latin)));
    pairs.collect()
}

/// Writes Latin letters where a reader would see them.
pub(super) fn undo(glyphs: &mut [Glyph]) {
    if glyphs.iter().all(|glyph| glyph.ch.is_ascii()) {
        return;
    }
    for glyph in glyphs.iter_mut().filter(|glyph| !glyph.ch.is_ascii()) {
        if let Some(latin) = LOOKALIKES.always.get(&glyph.ch) {
            (glyph.ch, glyph.odd) = (*latin, true);
        }
    }
    for word in glyphs.chunk_by_mut(|one, next| in_word(one.ch) && in_word(next.ch)) {
        let latin = word.iter().any(|glyph| glyph.ch.is_ascii_alphabetic());
        if latin && word.iter().any(|glyph| !glyph.ch.is_ascii()) {
            undo_word(word);
        }
    }
}

fn in_word(ch: char) -> bool {
    ch.is_alphanumeric()
}

fn undo_word(word: &mut [Glyph]) {
    for glyph in word {
        if let Some(latin) = LOOKALIKES.in_mixed_words.get(&glyph.ch) {
            (glyph.ch, glyph.odd) = (*latin, true);
        }
    }
}
