//! A statement and the verdict on it.

use kernel::verdict::{Examined, Judgement, Verdict};
use serde::Deserialize;
use serde_json::Value;
use sqlparser::ast::Statement;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::names::Listed;
use super::walk::{Found, Parts, Walk};
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
    if dialect == Dialect::Sqlite && in_without_brackets(&tokens) {
        return (None, vec!["`in` with a relation after it instead of a list".into()]);
    }
    let written = Parts {
        selects: count(&tokens, Keyword::SELECT),
        froms: count(&tokens, Keyword::FROM),
        joins: count(&tokens, Keyword::JOIN) + count(&tokens, Keyword::STRAIGHT_JOIN),
        tables: count(&tokens, Keyword::TABLE),
    };
    let statement = match only_statement(tokens, dialect) {
        Ok(statement) => statement,
        Err(error) => {
            return (None, vec![format!("not understood as {}: {error}", dialect.name())]);
        }
    };
    let listed = Listed::new(tables, dialect);
    let mut walk = Walk::new(dialect, &listed);
    walk.statement(&statement);
    let Found { hidden, mut reasons, seen } = walk.end();
    if reasons.is_empty() && seen != written {
        reasons.push("the parser did not keep all of its parts".into());
    }
    reasons.truncate(REASONS_MAX);
    (hidden, reasons)
}

/// How often a word stands in a statement, outside of quotes.
fn count(tokens: &[TokenWithSpan], keyword: Keyword) -> usize {
    tokens.iter().filter(|token| is(&token.token, keyword)).count()
}

fn is(token: &Token, keyword: Keyword) -> bool {
    let Token::Word(word) = token else {
        return false;
    };
    word.keyword == keyword && word.quote_style.is_none()
}

/// SQLite reads whole relations where others want a list: `id in secrets`.
fn in_without_brackets(tokens: &[TokenWithSpan]) -> bool {
    let words = tokens.iter().map(|token| &token.token);
    let words = words.filter(|token| !matches!(token, Token::Whitespace(_))).collect::<Vec<_>>();
    words.windows(2).any(|pair| is(pair[0], Keyword::IN) && *pair[1] != Token::LParen)
}

/// One statement with nothing behind it. The parser's own way to read several stops at an
/// `end` and never looks at what follows.
fn only_statement(tokens: Vec<TokenWithSpan>, dialect: Dialect) -> Result<Statement, ParserError> {
    let parser = Parser::new(dialect.grammar()).with_recursion_limit(PARSER_DEPTH_MAX);
    let mut parser = parser.with_tokens_with_locations(tokens);
    let statement = parser.parse_statement()?;
    let _ = parser.consume_token(&Token::SemiColon);
    parser.expect_token(&Token::EOF)?;
    Ok(statement)
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
