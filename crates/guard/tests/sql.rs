//! The corpus of SQL statements, and what must hold for any text at all.

mod score;

use guard::sql::{Dialect, Input, examine};
use proptest::prelude::*;

#[test]
fn the_corpus_is_judged_as_it_says() {
    score::score(include_str!("corpus/sql.jsonl"), |input: &Input| {
        examine(&input.sql, input.dialect, &input.tables).judgement.reasons
    });
}

fn plain(text: &str, dialect: Dialect) -> Vec<String> {
    examine(text, dialect, &["users".into()]).judgement.reasons
}

#[test]
fn the_kind_of_statement_is_told_even_where_it_is_hidden() {
    for (sql, kind) in [
        ("SELECT 1", "select"),
        ("(select 1)", "select"),
        ("with x as (select 1) select * from x", "with"),
        ("with x as (delete from users returning *) select * from x", "delete"),
        ("drop table users", "drop"),
        ("explain select 1", "explain"),
        ("/* a */ insert into users values (1)", "insert"),
        ("pragma x", "pragma"),
    ] {
        let found = examine(sql, Dialect::Postgres, &[]).statement;
        assert_eq!(found.as_deref(), Some(kind), "{sql}");
    }
}

#[test]
fn a_denial_names_what_is_not_listed() {
    let sql = "SELECT pg_sleep(1), s.password FROM users, audit.secrets s";
    let reasons = plain(sql, Dialect::Postgres);
    assert_eq!(
        reasons,
        ["the function `pg_sleep` is not listed", "the relation `audit.secrets` is not listed"]
    );
}

const DIALECTS: [Dialect; 3] = [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql];

const WORDS: [&str; 64] = [
    "select",
    "from",
    "users",
    "secrets",
    "where",
    "(",
    ")",
    "(",
    ")",
    ",",
    ",",
    "*",
    ".",
    "'",
    "''",
    "\"",
    "`",
    "[",
    "]",
    "--",
    "-- ",
    "/*",
    "*/",
    "#",
    "\n",
    ";",
    "union all",
    "with",
    "x",
    "as",
    "recursive",
    "in",
    "exists",
    "not",
    "case when",
    "then",
    "end",
    "join",
    "on",
    "left",
    "lateral",
    "values",
    "order by",
    "limit",
    "group by",
    "over",
    "partition by",
    "interval",
    "cast",
    "::",
    "array",
    "explain",
    "$1",
    "?",
    ":=",
    "@",
    "$$",
    "1",
    "1.e",
    "0x",
    "\\",
    "é",
    "e'",
    "u&",
];

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 2000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_text_makes_it_panic(
        words in prop::collection::vec(prop::sample::select(&WORDS[..]), 0..40),
        space in prop::sample::select(vec!["", " "]),
        noise in ".{0,20}",
    ) {
        let text = words.join(space);
        for dialect in DIALECTS {
            plain(&text, dialect);
            plain(&format!("select {text}"), dialect);
            plain(&format!("{text}{noise}"), dialect);
        }
    }

    /// Whatever stands in a literal, the statement around it stays the same.
    #[test]
    fn a_literal_with_its_quotes_doubled_changes_nothing(text in "[ -~é]{0,30}") {
        let text = text.replace('\\', "/").replace('\'', "''");
        for dialect in DIALECTS {
            let reasons = plain(&format!("select '{text}' from users"), dialect);
            prop_assert!(reasons.is_empty(), "{text}: {reasons:?}");
            let reasons = plain(&format!("select '{text}' from secrets"), dialect);
            prop_assert!(!reasons.is_empty(), "{}", text);
        }
    }
}

/// What opens once more must not double the work: 24 openers in a row, closed and not. Were it
/// so, this would not end in anybody's lifetime.
#[test]
fn nesting_costs_no_more_than_its_length() {
    let openers = [
        "(",
        "(select ",
        "select * from (",
        "exists (",
        "x in (",
        "lower(",
        "case when (",
        "cast(",
        "array[",
        "(values (",
        "coalesce(1, (",
        "not (",
        "- (",
        "interval (",
        "select (select (",
        "a.b(",
        "x[",
        "trim(",
        "extract(year from (",
        "users join (",
        "with x as (",
    ];
    for opener in openers {
        for dialect in DIALECTS {
            for before in ["select ", "select * from ", "select 1 from users where "] {
                let deep = opener.repeat(24);
                let closed = format!("{before}{deep}1{}", ")".repeat(24));
                plain(&closed, dialect);
                plain(&format!("{before}{deep}"), dialect);
            }
        }
    }
}

#[test]
fn what_is_too_long_or_too_deep_is_refused_and_long_lists_are_not() {
    let many = |piece: &str, times: usize| piece.repeat(times);
    let refused = [
        format!("SELECT '{}'", many("a", 70_000)),
        format!("SELECT {}1", many("1+", 20_000)),
        format!("SELECT 1{}", many(",1", 9_000)),
        format!("SELECT {}1", many("NOT ", 2_000)),
        format!("SELECT {}1", many("- ", 3_000)),
        format!("SELECT 1{}", many(" IS NULL", 1_500)),
        format!("SELECT 1{}", many(" LIKE 2", 1_500)),
        format!("SELECT {}1{}", many("(", 200), many(")", 200)),
        format!("SELECT {}'a'{}", many("lower(", 100), many(")", 100)),
        format!("SELECT {}1{}", many("CASE WHEN 1 THEN ", 300), many(" END", 300)),
        format!("SELECT {}1 FROM secrets", many("1 + ", 1_990)),
        format!("SELECT 1{} FROM secrets", many(" UNION SELECT 1", 1_300)),
        format!("SELECT * FROM secrets{}", many(", users", 1_500)),
        format!("SELECT * FROM secrets{}", many(" CROSS JOIN users", 900)),
    ];
    let allowed = [
        format!("SELECT {}1", many("1 + ", 1_900)),
        format!("SELECT 1{}", many(" UNION ALL SELECT 1", 900)),
        format!("SELECT {}'b'", many("'a' || ", 500)),
        format!("SELECT * FROM users WHERE id IN (0{})", many(", 1", 1_500)),
        format!("SELECT * FROM users WHERE id = 0{}", many(" OR id = 1", 700)),
    ];
    for dialect in DIALECTS {
        for sql in &refused {
            assert!(!plain(sql, dialect).is_empty(), "{}", &sql[..40]);
        }
        for sql in &allowed {
            assert_eq!(plain(sql, dialect), Vec::<String>::new(), "{}", &sql[..40]);
        }
    }
}
