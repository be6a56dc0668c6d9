//! A text cut into pieces, as a model's server would stream it.

/// Characters in one piece.
const PIECE_CHARS: usize = 24;

/// The text in pieces of at most [`PIECE_CHARS`] characters, never within a character.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.char_indices().nth(PIECE_CHARS).map_or(rest.len(), |(at, _)| at);
        let (piece, after) = rest.split_at(end);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}
