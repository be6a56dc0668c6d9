//! Spend for people: a table with a bar behind each line, as wide as the terminal allows.

use comfy_table::{Cell, CellAlignment, Color, Table, presets};
use kernel::units::Money;

use super::group::{By, Line, total};
use crate::{bar, show};

/// Columns behind what the lines are summed by.
const SUMS: [&str; 5] = ["CALLS", "IN", "OUT", "SPENT", "ESTIMATED"];

pub(super) fn table(lines: &[Line], by: &[By]) -> Table {
    let plain = drawn(lines, by, 0);
    match bar::room_beside(&plain) {
        0 => plain,
        width => drawn(lines, by, width),
    }
}

/// The table with bars of at most `bar_width` cells.
fn drawn(lines: &[Line], by: &[By], bar_width: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(by.iter().map(|by| by.word().to_uppercase()).chain(SUMS.map(str::to_owned)));
    let dearest = lines.iter().map(|line| line.amount).max().unwrap_or_default();
    for line in lines {
        let keys = line.keys.iter().map(|(_, value)| show::one_line(value));
        let mut cells: Vec<Cell> = keys.chain(sums(line)).map(Cell::new).collect();
        if bar_width > 0 && dearest > Money::ZERO {
            let drawn = bar::bar(line.amount.0, dearest.0, bar_width);
            cells.push(bar::coloured(drawn, Color::Cyan));
        }
        table.add_row(cells);
    }
    let all = (0..by.len()).map(|at| if at == 0 { "all" } else { "" }.to_owned());
    table.add_row(all.chain(sums(&total(lines))));
    for column in by.len()..by.len() + SUMS.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn sums(line: &Line) -> [String; 5] {
    [
        show::count(line.calls),
        show::count(line.input_tokens),
        show::count(line.output_tokens),
        line.amount.to_string(),
        line.estimated.to_string(),
    ]
}
