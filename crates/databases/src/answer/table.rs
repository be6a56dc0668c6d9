//! An answer as a Markdown table with no padding.

use std::fmt::Write;

use serde_json::Value;

use super::{Answer, Cut};

pub(super) fn draw(answer: &Answer) -> String {
    let mut text = String::new();
    line(&mut text, answer.columns.iter().map(|column| escape(&column.name)));
    line(&mut text, answer.columns.iter().map(|_| "---".to_owned()));
    for row in &answer.rows {
        line(&mut text, row.iter().map(cell));
    }
    let rows = answer.rows.len();
    let _ = match answer.cut {
        None => writeln!(text, "({rows} {})", if rows == 1 { "row" } else { "rows" }),
        Some(Cut::RowsMax(_)) => writeln!(text, "(the first {rows} rows; there are more)"),
        Some(Cut::AnswerBytesMax(bytes)) => {
            writeln!(text, "(the first {rows} rows; the next passes {bytes} bytes)")
        }
    };
    if answer.cells_cut > 0 {
        let _ = writeln!(text, "({} cells are cut)", answer.cells_cut);
    }
    text
}

fn line(text: &mut String, cells: impl Iterator<Item = String>) {
    text.push('|');
    for cell in cells {
        text.push_str(&cell);
        text.push('|');
    }
    text.push('\n');
}

/// NULL is a bare word; the text `NULL` stands in quotes.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::String(text) if text == "NULL" => "\"NULL\"".to_owned(),
        Value::String(text) => escape(text),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => escape(&value.to_string()),
    }
}

fn escape(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('|', "\\|");
    text.replace("\r\n", "\\n").replace(['\n', '\r'], "\\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Answer, Column, Cut};

    #[test]
    fn a_row_stays_on_its_line_and_null_is_told_from_its_name() {
        let column = |name: &str| Column { name: name.to_owned(), kind: String::new() };
        let answer = Answer {
            columns: vec![column("a|b"), column("c")],
            rows: vec![vec![json!(null), json!("NULL")], vec![json!("x\ny|z"), json!([1, "|"])]],
            cut: Some(Cut::RowsMax(2)),
            cells_cut: 1,
        };
        let expected = "|a\\|b|c|\n|---|---|\n|NULL|\"NULL\"|\n|x\\ny\\|z|[1,\"\\|\"]|\n\
                        (the first 2 rows; there are more)\n(1 cells are cut)\n";
        assert_eq!(answer.to_table(), expected);
    }
}
