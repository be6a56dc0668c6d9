//! What came back: columns and rows, and whether that was all.
//!
//! Values are JSON that loses nothing: decimals as strings, instants as ISO 8601, bytes as
//! `{"hex": "…"}`, everything without a JSON shape as the database's own text.

mod collect;
mod table;

pub(crate) use collect::Collector;

use serde::Serialize;
use serde_json::Value;

/// Rows of one statement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// The rows, each with one value a column.
    pub rows: Vec<Vec<Value>>,
    /// Why these are not all rows, if they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
    /// Cells that were too long and end in a word that says so.
    pub cells_cut: usize,
}

/// A column of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name or alias.
    pub name: String,
    /// Its type in the database's own words; empty where it has none.
    #[serde(rename = "type")]
    pub kind: String,
}

/// Why an answer ends before its rows did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// This many rows were enough.
    RowsMax(usize),
    /// The next row would have passed this many bytes.
    AnswerBytesMax(usize),
}

impl Answer {
    /// A table in Markdown, for a model: one line a row and nothing aligned, since padding
    /// costs tokens and tells nothing.
    #[must_use]
    pub fn to_table(&self) -> String {
        table::draw(self)
    }
}
