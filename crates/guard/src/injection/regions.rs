//! Where in a document a phrase stands: in a comment, in an element that is not shown, in an
//! attribute, in code, in quotation marks.

use std::sync::LazyLock;

use regex::Regex;

use super::glyphs::Glyph;
use super::shapes::with_fast_borders;

/// A hidden element is followed for so many bytes to find its end.
const HIDDEN_BYTES_MAX: usize = 4096;

/// A kind of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Not shown to a reader of the page.
    Hidden,
    /// A comment, or an attribute that is rarely shown.
    Aside,
    /// Program text.
    Code,
    /// In quotation marks or quoted lines.
    Quoted,
}

/// A place in the original, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    /// Its kind.
    pub(super) place: Place,
    start: usize,
    end: usize,
}

impl Region {
    /// Whether a range lies in it.
    pub(super) fn holds(&self, start: usize, end: usize) -> bool {
        self.start <= start && end <= self.end
    }
}

static PLAIN: LazyLock<Vec<(Place, Regex)>> = LazyLock::new(|| {
    let plain = [
        (Place::Hidden, r"(?s)<!--.*?(?:-->|\z)"),
        (Place::Hidden, r"(?m)^\[(?://|comment|_metadata_[^\]]*)\]:\s*(?:#|<>).*$"),
        (Place::Aside, r#"\b(?:alt|title|aria-label|content|data-[a-z-]+)\s*=\s*"[^"]*""#),
        (Place::Aside, r"!\[[^\]]*\]"),
        (Place::Aside, r#"\]\([^()\s]*\s+"[^"]*"\)"#),
        (Place::Code, r"(?s)```.*?(?:```|\z)"),
        (Place::Code, r#"(?s)""".*?""""#),
        (Place::Code, r"(?s)<(?:code|pre)\b.*?</(?:code|pre)>"),
        (Place::Quoted, r#""[^"\n]{4,600}""#),
        (Place::Quoted, r"(?:^|[\s(:])'[^'\n]{4,400}'(?:[\s.,;:)]|\z)"),
        (Place::Quoted, r"(?m)^\s*>.*$"),
    ];
    let compiled = plain.into_iter().map(|(place, pattern)| {
        (
            place,
            Regex::new(&with_fast_borders(pattern))
                .expect("INVARIANT: a test compiles every pattern"),
        )
    });
    compiled.collect()
});

static UNSHOWN: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r#"(?x)<([a-z][a-z0-9]*)\b[^<>]*?(?:
        display\s*:\s*none | visibility\s*:\s*hidden | font-size\s*:\s*[01](?:px|pt|em|\b)
        | opacity\s*:\s*0(?:\.0\d*)?(?:[;"'\s]|$) | [^-]color\s*:\s*(?:\#fff(?:fff)?\b|white|transparent|rgba?\(255,\s*255,\s*255)
        | \bhidden\b | aria-hidden\s*=\s*"?true | text-indent\s*:\s*-\d{3} | (?:left|top)\s*:\s*-\d{3}
        | class\s*=\s*"[^"]*(?:sr-only|visually-hidden|invisible) )[^<>]*>"#;
    Regex::new(&with_fast_borders(pattern)).expect("INVARIANT: a test compiles every pattern")
});

/// The places of a text, given with its glyphs and the start of each in it.
pub(super) fn find(text: &str, at: &[usize], glyphs: &[Glyph]) -> Vec<Region> {
    let mut regions = Vec::new();
    let mut add = |place: Place, start: usize, end: usize| {
        let first = at.partition_point(|byte| *byte <= start).saturating_sub(1);
        let last = at.partition_point(|byte| *byte < end).saturating_sub(1);
        if let (Some(first), Some(last)) = (glyphs.get(first), glyphs.get(last)) {
            regions.push(Region { place, start: first.start, end: last.end });
        }
    };
    for (place, pattern) in PLAIN.iter() {
        pattern.find_iter(text).for_each(|found| add(*place, found.start(), found.end()));
    }
    for opened in UNSHOWN.captures_iter(text) {
        let (Some(whole), Some(name)) = (opened.get(0), opened.get(1)) else { continue };
        let rest = &text[whole.end()..];
        let near = &rest[..rest.floor_char_boundary(HIDDEN_BYTES_MAX)];
        let close = near.find(&format!("</{}", name.as_str())).unwrap_or(near.len());
        add(Place::Hidden, whole.start(), whole.end() + close);
    }
    regions
}
