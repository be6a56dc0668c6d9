//! Rows as they arrive, until a limit says that it is enough.

use serde_json::{Map, Value};

use super::{Answer, Column, Cut};
use crate::Limits;

/// Bytes of a column's name; in SQLite a name may be a whole expression.
const NAME_BYTES_MAX: usize = 200;

/// An answer in the making.
pub(crate) struct Collector {
    limits: Limits,
    bytes: usize,
    answer: Answer,
}

impl Collector {
    pub(crate) fn new(limits: Limits, columns: Vec<Column>) -> Collector {
        let columns: Vec<_> = columns
            .into_iter()
            .map(|column| Column { name: head(&column.name, NAME_BYTES_MAX).to_owned(), ..column })
            .collect();
        let bytes = columns.iter().map(|column| column.name.len() + column.kind.len()).sum();
        let answer = Answer { columns, rows: Vec::new(), cut: None, cells_cut: 0 };
        Collector { limits, bytes, answer }
    }

    /// Takes a row. Returns whether another one is wanted.
    pub(crate) fn take(&mut self, row: Vec<Value>) -> bool {
        if self.answer.rows.len() >= self.limits.rows_max {
            self.answer.cut = Some(Cut::RowsMax(self.limits.rows_max));
            return false;
        }
        let bytes = self.bytes + row.iter().map(weight).sum::<usize>();
        if bytes > self.limits.answer_bytes_max {
            self.answer.cut = Some(Cut::AnswerBytesMax(self.limits.answer_bytes_max));
            return false;
        }
        self.bytes = bytes;
        self.answer.rows.push(row);
        true
    }

    /// Text as it came, or its beginning.
    pub(crate) fn text(&mut self, text: &str) -> Value {
        match self.shorten(text) {
            Some(short) => short,
            None => Value::from(text),
        }
    }

    /// What `read` makes of a text, or the text's beginning if it is too long.
    pub(crate) fn read(&mut self, text: &str, read: impl FnOnce(&str) -> Value) -> Value {
        match self.shorten(text) {
            Some(short) => short,
            None => read(text),
        }
    }

    /// Bytes, marked as such.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Value {
        let kept = bytes.len().min(self.limits.cell_bytes_max / 2);
        let mut cell = Map::new();
        cell.insert("hex".to_owned(), Value::from(hex(&bytes[..kept])));
        if kept < bytes.len() {
            self.answer.cells_cut += 1;
            cell.insert("cut_from_bytes".to_owned(), Value::from(bytes.len()));
        }
        Value::Object(cell)
    }

    pub(crate) fn finish(self) -> Answer {
        self.answer
    }

    fn shorten(&mut self, text: &str) -> Option<Value> {
        if text.len() <= self.limits.cell_bytes_max {
            return None;
        }
        self.answer.cells_cut += 1;
        let kept = head(text, self.limits.cell_bytes_max);
        Some(Value::from(format!("{kept}… (cut from {} bytes)", text.len())))
    }
}

fn head(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// Two digits a byte.
fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// About the bytes of a value in JSON.
fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 3,
        Value::Array(items) => 2 + items.iter().map(weight).sum::<usize>(),
        Value::Object(fields) => {
            2 + fields.iter().map(|(name, value)| name.len() + 4 + weight(value)).sum::<usize>()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{Column, Cut};
    use super::Collector;
    use crate::Limits;

    fn collector(rows_max: usize, answer_bytes_max: usize) -> Collector {
        let limits = Limits { rows_max, answer_bytes_max, cell_bytes_max: 8, ..Limits::default() };
        Collector::new(limits, vec![Column { name: "a".to_owned(), kind: String::new() }])
    }

    #[test]
    fn a_full_answer_says_that_it_is_cut_only_if_there_was_more() {
        let mut rows = collector(2, 1_000);
        assert!(rows.take(vec![Value::Null]) && rows.take(vec![Value::Null]));
        assert_eq!(rows.answer.cut, None);
        assert!(!rows.take(vec![Value::Null]));
        assert_eq!(rows.finish().cut, Some(Cut::RowsMax(2)));
    }

    #[test]
    fn bytes_are_counted_over_rows() {
        let mut rows = collector(100, 20);
        assert!(rows.take(vec![json!("1234567")]));
        assert!(!rows.take(vec![json!("1234567")]));
        assert_eq!(rows.finish().cut, Some(Cut::AnswerBytesMax(20)));
    }

    #[test]
    fn long_cells_are_cut_between_letters_and_counted() {
        let mut rows = collector(1, 1_000);
        assert_eq!(rows.text("12345678"), json!("12345678"));
        assert_eq!(rows.text("1234567é"), json!("1234567… (cut from 9 bytes)"));
        assert_eq!(rows.bytes(&[0, 255, 16, 1]), json!({"hex": "00ff1001"}));
        assert_eq!(rows.bytes(&[1; 5]), json!({"hex": "01010101", "cut_from_bytes": 5}));
        assert_eq!(rows.finish().cells_cut, 2);
    }
}
