//! The text of a statement: whether everybody would cut it into the same pieces.
//!
//! Two readers that disagree on where a string ends see two different statements, and a guard
//! that reads one lets the other through. So literals, quoted names and comments are found
//! here by the engine's own rules, and the parser has to find the same.

mod outside;
mod regions;

use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, Whitespace};

use super::{Dialect, SQL_BYTES_MAX, SQL_TOKENS_MAX};
use regions::{Escapes, Flaw, Kind, Region, regions};

/// The parser's tokens of a statement, where there is one way to read it.
pub(super) fn tokens(sql: &str, dialect: Dialect) -> Result<Vec<TokenWithSpan>, String> {
    if sql.len() > SQL_BYTES_MAX {
        return Err(format!("the statement is longer than {SQL_BYTES_MAX} bytes"));
    }
    let chars = sql.chars().collect::<Vec<_>>();
    let found = only_reading(&chars, dialect)?;
    outside::check(&chars, &found, dialect)?;
    let tokens = Tokenizer::new(dialect.grammar(), sql).tokenize_with_location();
    let tokens = tokens.map_err(|error| format!("cannot be read: {error}"))?;
    if tokens.iter().filter(|token| !blank(&token.token)).count() > SQL_TOKENS_MAX {
        return Err(format!("the statement has more than {SQL_TOKENS_MAX} words and signs"));
    }
    agree(&chars, &found, &tokens)?;
    Ok(tokens)
}

/// The regions of a text, where no setting of the engine would move their borders to
/// somewhere that it could read as well.
fn only_reading(chars: &[char], dialect: Dialect) -> Result<Vec<Region>, String> {
    let others: &[Escapes] = match dialect {
        Dialect::Sqlite => &[],
        // `standard_conforming_strings` could be off.
        Dialect::Postgres => &[Escapes::SINGLE],
        // `NO_BACKSLASH_ESCAPES` and `ANSI_QUOTES` could be on.
        Dialect::Mysql => &[Escapes::SINGLE, Escapes::NONE],
    };
    let found = regions(chars, dialect, Escapes::usual(dialect)).map_err(|flaw| match flaw {
        Flaw::Unterminated(what) => format!("{what} is not closed"),
        Flaw::Refused(why) => why,
    })?;
    for escapes in others {
        let ambiguous = match regions(chars, dialect, *escapes) {
            // A backslash outside of a string is an error in every setting.
            Ok(otherwise) => otherwise != found && !outside::backslash(chars, &otherwise),
            Err(Flaw::Unterminated(_)) => false,
            Err(Flaw::Refused(_)) => true,
        };
        if ambiguous {
            return Err("a backslash before a quote: where the string ends depends on the \
                        server's settings"
                .into());
        }
    }
    Ok(found)
}

fn agree(chars: &[char], found: &[Region], tokens: &[TokenWithSpan]) -> Result<(), String> {
    let at = locations(chars);
    let ours = found.iter().filter(|region| region.kind != Kind::Digits);
    let ours = ours.map(|region| (at[region.start], at[region.end]));
    let theirs = tokens.iter().filter(|token| opaque(&token.token));
    if ours.eq(theirs.map(|token| (token.span.start, token.span.end))) {
        return Ok(());
    }
    Err("it is not certain where its strings and comments begin and end".into())
}

/// The parser's name for each place between two characters.
fn locations(chars: &[char]) -> Vec<Location> {
    let mut at = Location::new(1, 1);
    let mut all = Vec::with_capacity(chars.len() + 1);
    for c in chars {
        all.push(at);
        at = match c {
            '\n' => Location::new(at.line + 1, 1),
            _ => Location::new(at.line, at.column + 1),
        };
    }
    all.push(at);
    all
}

fn blank(token: &Token) -> bool {
    matches!(token, Token::Whitespace(_))
}

/// Whether a token is one whose inside is not SQL.
fn opaque(token: &Token) -> bool {
    if let Token::Word(word) = token {
        return word.quote_style.is_some();
    }
    if let Token::Whitespace(space) = token {
        return comment(space);
    }
    matches!(
        token,
        Token::SingleQuotedString(_)
            | Token::DoubleQuotedString(_)
            | Token::TripleSingleQuotedString(_)
            | Token::TripleDoubleQuotedString(_)
            | Token::DollarQuotedString(_)
            | Token::SingleQuotedByteStringLiteral(_)
            | Token::DoubleQuotedByteStringLiteral(_)
            | Token::TripleSingleQuotedByteStringLiteral(_)
            | Token::TripleDoubleQuotedByteStringLiteral(_)
            | Token::SingleQuotedRawStringLiteral(_)
            | Token::DoubleQuotedRawStringLiteral(_)
            | Token::TripleSingleQuotedRawStringLiteral(_)
            | Token::TripleDoubleQuotedRawStringLiteral(_)
            | Token::NationalStringLiteral(_)
            | Token::QuoteDelimitedStringLiteral(_)
            | Token::NationalQuoteDelimitedStringLiteral(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
    )
}

fn comment(space: &Whitespace) -> bool {
    match space {
        Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_) => true,
        Whitespace::Space | Whitespace::Newline | Whitespace::Tab => false,
    }
}
