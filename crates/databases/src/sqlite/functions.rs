//! SQLite's functions that compute and do nothing else.
//!
//! Left out: loading extensions, tokenizers, what tells of the connection or the build,
//! and whatever an application added.

/// In order, for the search. `like` and `glob` are also operators, `->` and `->>` only those.
const LISTED: [&str; 136] = [
    "->", "->>", "abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "avg", "bm25",
    "ceil", "ceiling", "char", "coalesce", "concat", "concat_ws", "cos", "cosh", "count",
    "cume_dist", "current_date", "current_time", "current_timestamp", "date", "datetime",
    "degrees", "dense_rank", "exp", "first_value", "floor", "format", "glob", "group_concat",
    "hex", "highlight", "if", "ifnull", "iif", "instr", "json", "json_array",
    "json_array_insert", "json_array_length", "json_each", "json_error_position", "json_extract",
    "json_group_array", "json_group_object", "json_insert", "json_object", "json_patch",
    "json_pretty", "json_quote", "json_remove", "json_replace", "json_set", "json_tree",
    "json_type", "json_valid", "jsonb", "jsonb_array", "jsonb_array_insert", "jsonb_extract",
    "jsonb_group_array", "jsonb_group_object", "jsonb_insert", "jsonb_object", "jsonb_patch",
    "jsonb_remove", "jsonb_replace", "jsonb_set", "julianday", "lag", "last_value", "lead",
    "length", "like", "likelihood", "likely", "ln", "log", "log10", "log2", "lower", "ltrim",
    "match", "max", "median", "min", "mod", "nth_value", "ntile", "nullif", "octet_length",
    "percent_rank", "percentile", "percentile_cont", "percentile_disc", "pi", "pow", "power",
    "printf", "quote", "radians", "rank", "replace", "round", "row_number", "rtrim", "sign",
    "sin", "sinh", "snippet", "soundex", "sqrt", "strftime", "string_agg", "substr", "substring",
    "sum", "tan", "tanh", "time", "timediff", "total", "trim", "trunc", "typeof", "unhex",
    "unicode", "unistr", "unixepoch", "unlikely", "upper",
];

/// Whether a statement may call it.
pub(super) fn is_listed(name: &str) -> bool {
    LISTED.binary_search(&name.to_lowercase().as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{LISTED, is_listed};

    #[test]
    fn the_list_is_in_order_and_holds_no_way_out() {
        assert!(LISTED.is_sorted());
        assert!(is_listed("COUNT") && is_listed("->>"));
        for out in ["load_extension", "fts3_tokenizer", "sqlite_compileoption_get", "readfile"] {
            assert!(!is_listed(out), "{out}");
        }
    }
}
