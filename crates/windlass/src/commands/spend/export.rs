//! Spend for billing programs: CSV and JSON lines with the same stable columns.
//!
//! Every line belongs to one tenant and one version of the prices. A column that the lines
//! were not summed by is empty. Amounts are exact decimal dollars.

use serde_json::{Map, Value, json};

use super::group::{By, Line};
use crate::show;

/// The columns of what lines can be summed by.
const KEYS: [By; 7] = [By::Tenant, By::Month, By::Day, By::User, By::Agent, By::Model, By::Prices];

/// The columns of sums.
const SUMS: [&str; 5] = ["calls", "input_tokens", "output_tokens", "usd", "estimated_usd"];

/// What an export is summed by: everything, or what is asked for and what a bill needs.
pub(super) fn keys(asked: &[By]) -> Vec<By> {
    let needed = |by: &By| match by {
        By::Tenant | By::Prices => true,
        By::Month => asked.contains(&By::Day),
        By::User | By::Agent | By::Model | By::Day => false,
    };
    KEYS.into_iter().filter(|by| asked.is_empty() || asked.contains(by) || needed(by)).collect()
}

/// A header and a line for each sum (RFC 4180, with line feeds).
pub(super) fn csv(lines: &[Line]) -> String {
    let header: Vec<&str> = KEYS.iter().map(|by| by.word()).chain(SUMS).collect();
    let mut out = header.join(",") + "\n";
    for line in lines {
        let keys = KEYS.iter().map(|by| field(line.key(*by)));
        let counts = [line.calls, line.input_tokens, line.output_tokens].map(|n| n.to_string());
        let money = [line.amount, line.estimated].map(show::decimal);
        let fields: Vec<String> = keys.chain(counts).chain(money).collect();
        out.push_str(&fields.join(","));
        out.push('\n');
    }
    out
}

fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

/// One JSON object a line, with the keys that the lines were summed by.
pub(super) fn json(lines: &[Line]) -> String {
    lines.iter().map(|line| show::object(&object(line)) + "\n").collect()
}

fn object(line: &Line) -> Value {
    let keys = line.keys.iter().map(|(by, value)| (by.word().to_owned(), json!(value)));
    let mut object: Map<String, Value> = keys.collect();
    let sums = json!({
        "calls": line.calls,
        "input_tokens": line.input_tokens,
        "output_tokens": line.output_tokens,
        "usd": show::decimal(line.amount),
        "estimated_usd": show::decimal(line.estimated),
        "amount_nano_usd": line.amount,
        "estimated_nano_usd": line.estimated,
    });
    object.extend(sums.as_object().cloned().unwrap_or_default());
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::super::group::{lines, tests::spent};
    use super::*;

    #[test]
    fn a_bill_has_the_same_columns_whatever_it_is_summed_by() {
        let rows = [spent("acme, inc", 0, "a\"b", 1_000_000_001), spent("zoo", 31, "c", 20)];
        let header = "tenant,month,day,user,agent,model,prices,\
                      calls,input_tokens,output_tokens,usd,estimated_usd\n";
        let of = |by: &[By]| csv(&lines(&rows, &keys(by)));
        let whole = "\"acme, inc\",1970-01,1970-01-01,\"a\"\"b\",a,m,2026-11-21,\
                     1,10,3,1.000000001,0.50\n\
                     zoo,1970-02,1970-02-01,c,a,m,2026-11-21,1,10,3,0.00000002,0.00000001\n";
        assert_eq!(of(&[]), format!("{header}{whole}"));
        let months = "\"acme, inc\",1970-01,,,,,2026-11-21,1,10,3,1.000000001,0.50\n\
                      zoo,1970-02,,,,,2026-11-21,1,10,3,0.00000002,0.00000001\n";
        assert_eq!(of(&[By::Month]), format!("{header}{months}"));
        assert_eq!(csv(&[]), header);
        assert_eq!(keys(&[By::Day]), [By::Tenant, By::Month, By::Day, By::Prices]);
    }
}
