//! Bars of block characters, as wide as there is room beside a table.

use std::io::IsTerminal;

use comfy_table::{Cell, Color, Table};

/// The widest bar, in cells: beyond it nobody sees more.
const WIDTH_MAX: usize = 40;

/// The narrowest bar that says anything, in cells.
const WIDTH_MIN: usize = 6;

/// The width that is counted with where nobody knows one, in cells.
const TERMINAL_WIDTH: usize = 100;

/// A cell filled from the left by one to seven eighths.
const EIGHTHS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// The cells that are free beside a table, or 0 where they are too few for a bar.
pub(crate) fn room_beside(table: &Table) -> usize {
    let width = known_width().unwrap_or(TERMINAL_WIDTH);
    // A column brings a space on either side.
    let room = width.saturating_sub(width_of(table) + 2).min(WIDTH_MAX);
    if room < WIDTH_MIN { 0 } else { room }
}

/// The terminal's width, or what `COLUMNS` says where the output goes elsewhere.
pub(crate) fn known_width() -> Option<usize> {
    let told = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    Table::new().width().map(usize::from).or_else(told)
}

/// The width of a table as it would be printed.
pub(crate) fn width_of(table: &Table) -> usize {
    table.lines().map(|line| line.chars().count()).max().unwrap_or_default()
}

/// So much of `whole` as a bar, to an eighth of a cell. What is more than nothing is seen,
/// and what is more than the whole is the whole.
pub(crate) fn bar(part: u64, whole: u64, width: usize) -> String {
    let eighths = (u128::from(part) * width as u128 * 8).checked_div(u128::from(whole));
    let seen = usize::from(part > 0);
    let most = width * 8;
    let eighths = eighths.map_or(most, |n| usize::try_from(n).unwrap_or(most)).clamp(seen, most);
    let mut bar = "█".repeat(eighths / 8);
    bar.extend((eighths % 8).checked_sub(1).map(|rest| EIGHTHS[rest]));
    bar
}

/// A cell in a colour, where the output is a terminal that may be coloured.
pub(crate) fn coloured(words: String, colour: Color) -> Cell {
    let may = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    if may { Cell::new(words).fg(colour) } else { Cell::new(words) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_part() {
        for (part, whole, width, expected) in [
            (0, 100, 10, ""),
            (1, 1_000_000, 10, "▏"),
            (50, 100, 4, "██"),
            (1, 16, 2, "▏"),
            (7, 16, 2, "▉"),
            (9, 16, 2, "█▏"),
            (100, 100, 3, "███"),
            (150, 100, 3, "███"),
            (u64::MAX, u64::MAX, 2, "██"),
            (3, 0, 2, "██"),
            (0, 0, 2, "██"),
        ] {
            assert_eq!(bar(part, whole, width), expected, "{part} of {whole} in {width}");
        }
    }
}
