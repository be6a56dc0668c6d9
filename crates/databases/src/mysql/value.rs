//! MySQL's binary values as JSON, by their column.

use mysql_async::consts::{ColumnFlags, ColumnType};
use mysql_async::{Column, Value as Cell};
use serde_json::Value;

use crate::answer::Collector;
use crate::exact;

/// The character set that means bytes.
const BINARY: u16 = 63;

/// A type in MySQL's words.
pub(super) fn type_name(column: &Column) -> &'static str {
    use ColumnType::*;
    let flags = column.flags();
    match column.column_type() {
        _ if flags.contains(ColumnFlags::ENUM_FLAG) => "enum",
        _ if flags.contains(ColumnFlags::SET_FLAG) => "set",
        MYSQL_TYPE_TINY => "tinyint",
        MYSQL_TYPE_SHORT => "smallint",
        MYSQL_TYPE_INT24 => "mediumint",
        MYSQL_TYPE_LONG => "int",
        MYSQL_TYPE_LONGLONG => "bigint",
        MYSQL_TYPE_FLOAT => "float",
        MYSQL_TYPE_DOUBLE => "double",
        MYSQL_TYPE_DECIMAL | MYSQL_TYPE_NEWDECIMAL => "decimal",
        MYSQL_TYPE_TIMESTAMP | MYSQL_TYPE_TIMESTAMP2 => "timestamp",
        MYSQL_TYPE_DATETIME | MYSQL_TYPE_DATETIME2 => "datetime",
        MYSQL_TYPE_DATE | MYSQL_TYPE_NEWDATE => "date",
        MYSQL_TYPE_TIME | MYSQL_TYPE_TIME2 => "time",
        MYSQL_TYPE_YEAR => "year",
        MYSQL_TYPE_BIT => "bit",
        MYSQL_TYPE_JSON => "json",
        MYSQL_TYPE_ENUM => "enum",
        MYSQL_TYPE_SET => "set",
        MYSQL_TYPE_GEOMETRY => "geometry",
        MYSQL_TYPE_VECTOR => "vector",
        MYSQL_TYPE_NULL => "null",
        MYSQL_TYPE_VARCHAR | MYSQL_TYPE_VAR_STRING if is_binary(column) => "varbinary",
        MYSQL_TYPE_VARCHAR | MYSQL_TYPE_VAR_STRING => "varchar",
        MYSQL_TYPE_STRING if is_binary(column) => "binary",
        MYSQL_TYPE_STRING => "char",
        MYSQL_TYPE_TINY_BLOB | MYSQL_TYPE_MEDIUM_BLOB | MYSQL_TYPE_LONG_BLOB | MYSQL_TYPE_BLOB
            if is_binary(column) =>
        {
            "blob"
        }
        MYSQL_TYPE_TINY_BLOB | MYSQL_TYPE_MEDIUM_BLOB | MYSQL_TYPE_LONG_BLOB | MYSQL_TYPE_BLOB => {
            "text"
        }
        MYSQL_TYPE_TYPED_ARRAY | MYSQL_TYPE_UNKNOWN => "",
    }
}

/// One cell.
pub(super) fn read(answer: &mut Collector, column: &Column, cell: Cell) -> Value {
    match cell {
        Cell::NULL => Value::Null,
        Cell::Int(number) => Value::from(number),
        Cell::UInt(number) => Value::from(number),
        // By its shortest text: a float as a double has digits that nobody stored.
        Cell::Float(number) => number.to_string().parse::<f64>().map_or(Value::Null, Value::from),
        Cell::Double(number) => Value::from(number),
        Cell::Date(year, month, day, hour, minute, second, micros) => {
            let date = format!("{year:04}-{month:02}-{day:02}");
            let kind = column.column_type();
            if matches!(kind, ColumnType::MYSQL_TYPE_DATE | ColumnType::MYSQL_TYPE_NEWDATE) {
                return Value::from(date);
            }
            let zone = if kind == ColumnType::MYSQL_TYPE_TIMESTAMP { "Z" } else { "" };
            let fraction = fraction(micros);
            Value::from(format!("{date}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"))
        }
        Cell::Time(negative, days, hours, minutes, seconds, micros) => {
            let (sign, hours) = (if negative { "-" } else { "" }, days * 24 + u32::from(hours));
            let fraction = fraction(micros);
            Value::from(format!("{sign}{hours:02}:{minutes:02}:{seconds:02}{fraction}"))
        }
        Cell::Bytes(bytes) => text_or_bytes(answer, column, &bytes),
    }
}

/// What a cell took to send, about.
pub(super) fn bytes(cell: &Cell) -> usize {
    match cell {
        Cell::Bytes(bytes) => bytes.len(),
        Cell::NULL
        | Cell::Int(_)
        | Cell::UInt(_)
        | Cell::Float(_)
        | Cell::Double(_)
        | Cell::Date(..)
        | Cell::Time(..) => 12,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the character set tells of every other type")]
fn text_or_bytes(answer: &mut Collector, column: &Column, bytes: &[u8]) -> Value {
    match column.column_type() {
        ColumnType::MYSQL_TYPE_BIT if bytes.len() <= 8 => {
            Value::from(bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))
        }
        ColumnType::MYSQL_TYPE_JSON => answer.read(&String::from_utf8_lossy(bytes), exact::json),
        ColumnType::MYSQL_TYPE_DECIMAL | ColumnType::MYSQL_TYPE_NEWDECIMAL => {
            answer.text(&String::from_utf8_lossy(bytes))
        }
        ColumnType::MYSQL_TYPE_GEOMETRY | ColumnType::MYSQL_TYPE_VECTOR => answer.bytes(bytes),
        // Numbers and dates never come as bytes here; of the rest the character set tells.
        _ if is_binary(column) => answer.bytes(bytes),
        _ => answer.text(&String::from_utf8_lossy(bytes)),
    }
}

fn is_binary(column: &Column) -> bool {
    column.character_set() == BINARY
}

fn fraction(micros: u32) -> String {
    if micros == 0 { String::new() } else { format!(".{micros:06}") }
}
