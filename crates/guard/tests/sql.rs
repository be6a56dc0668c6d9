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
