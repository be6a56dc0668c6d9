//! A statement and the verdict on it.

use kernel::verdict::{Examined, Judgement, Verdict};
use serde::Deserialize;
use serde_json::Value;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::names::Listed;
use super::walk::Walk;
use super::{Dialect, GUARD, text};

/// How deep the parser may go before it gives up, in its own steps: a bracket takes several.
const PARSER_DEPTH_MAX: usize = 160;

/// How many reasons a denial gives.
const REASONS_MAX: usize = 8;

/// A statement in a file of cases.
#[derive(Clone, Debug, Deserialize)]
pub struct Input {
    /// The case's name, given back as it came.
    #[serde(default)]
    pub id: Value,
    /// Whose SQL it is: `sqlite`, `postgres` (`postgresql`) or `mysql` (`mariadb`).
    pub dialect: Dialect,
    /// The relations that may be read.
    #[serde(default)]
    pub tables: Vec<String>,
    /// The statement.
    pub sql: String,
}

/// What a statement would do, and whether it may: one query that only reads, over relations
/// in `tables`. `statement` of the answer is its first word in lower case, or the word of the
/// change that is hidden in it.
#[must_use]
pub fn examine(sql: &str, dialect: Dialect, tables: &[String]) -> Examined {
    let (statement, reasons) = match text::tokens(sql, dialect) {
        Ok(tokens) => {
            let first = first_word(&tokens);
            let (hidden, reasons) = judge(tokens, dialect, tables);
            (hidden.map(str::to_owned).or(first), reasons)
        }
        Err(reason) => (None, vec![reason]),
    };
    let judgement = match reasons.as_slice() {
        [] => Judgement::allow(),
        [..] => Judgement { verdict: Verdict::Deny, by: vec![GUARD.to_owned()], reasons },
    };
    Examined { statement, ..Examined::judged(judgement) }
}

fn judge(
    tokens: Vec<TokenWithSpan>,
    dialect: Dialect,
    tables: &[String],
) -> (Option<&'static str>, Vec<String>) {
    let parser = Parser::new(dialect.grammar()).with_recursion_limit(PARSER_DEPTH_MAX);
    let statements = match parser.with_tokens_with_locations(tokens).parse_statements() {
        Ok(statements) => statements,
        Err(error) => {
            return (None, vec![format!("not understood as {}: {error}", dialect.name())]);
        }
    };
    let [statement] = statements.as_slice() else {
        return (None, vec![format!("{} statements instead of one", statements.len())]);
    };
    let listed = Listed::new(tables, dialect);
    let mut walk = Walk::new(dialect, &listed);
    walk.statement(statement);
    let (hidden, mut reasons) = walk.end();
    reasons.truncate(REASONS_MAX);
    (hidden, reasons)
}

fn first_word(tokens: &[TokenWithSpan]) -> Option<String> {
    let passed =
        |token: &&TokenWithSpan| matches!(token.token, Token::Whitespace(_) | Token::LParen);
    let first = tokens.iter().find(|token| !passed(token))?;
    let Token::Word(word) = &first.token else {
        return None;
    };
    Some(word.value.to_ascii_lowercase())
}
