//! Whole sentences that ask for a calculation.

use super::expression::{Expression, Operator};
use super::{Reader, chain, units};
use crate::simulated::planner::lexer::Token;
use crate::simulated::planner::reference::Earlier;

/// What stands before a calculation and adds nothing to it. Longer ones first.
const LEAD_INS: &[&str] = &[
    "what is the result of",
    "what's the result of",
    "what is the value of",
    "what do you get for",
    "what would",
    "what is",
    "what's",
    "what are",
    "whats",
    "what about",
    "how much is",
    "how much are",
    "how much does",
    "how much",
    "what does",
    "what do",
    "how about",
    "calculate",
    "compute",
    "evaluate",
    "solve",
    "work out",
    "figure out",
    "determine",
    "find out",
    "find",
    "tell me what is",
    "tell me what",
    "tell me",
    "give me",
    "show me",
    "do",
    "what",
    "is",
];

/// What stands behind a calculation and adds nothing to it.
const LEAD_OUTS: &[&str] =
    &["=", "equal to", "equals", "equal", "make", "makes", "be", "come to", "is what", "is", "?"];

type Form = fn(&mut Reader<'_, '_>) -> Option<Expression>;

/// The forms, tried in order; each must cover the whole clause.
const FORMS: &[Form] = &[how_many, percentage, command, continued, plain];

/// Most lead-ins in a row: "tell me what is".
const LEAD_INS_MAX: usize = 4;

pub(super) fn read(clause: &[Token<'_>]) -> Option<Expression> {
    let start = lead_in(clause);
    let inner = &clause[start..];
    FORMS.iter().find_map(|form| covering(*form, clause).or_else(|| covering(*form, inner)))
}

fn lead_in(clause: &[Token<'_>]) -> usize {
    let mut reader = Reader::new(clause);
    for _ in 0..LEAD_INS_MAX {
        if !reader.take_any(LEAD_INS) {
            break;
        }
    }
    reader.at
}

fn covering(form: Form, tokens: &[Token<'_>]) -> Option<Expression> {
    let mut reader = Reader::new(tokens);
    let found = form(&mut reader)?;
    while reader.take_any(LEAD_OUTS) {}
    reader.is_done().then_some(found)
}

/// "3 + 4 in km".
fn plain(reader: &mut Reader<'_, '_>) -> Option<Expression> {
    reader.calculation()
}

/// "how many km are 5 miles", "how many seconds are in a day".
fn how_many(reader: &mut Reader<'_, '_>) -> Option<Expression> {
    reader.take("how many").then_some(())?;
    let (unit, length) = units::read(reader.rest())?;
    reader.at += length;
    reader.take_any(&[
        "are there in",
        "are in",
        "is in",
        "are",
        "is",
        "in",
        "do",
        "does",
        "make up",
        "make",
    ]);
    reader.take("there in");
    let value = if reader.take_any(&["a", "an", "one"]) {
        let (unit, length) = units::read(reader.rest())?;
        reader.at += length;
        Expression::Measure(Box::new(Expression::Number("1".to_owned())), unit)
    } else {
        reader.sum()?
    };
    reader.take("have");
    Some(Expression::Convert(Box::new(value), unit.to_owned()))
}

/// "what percent of 80 is 20", "20 is what percent of 80", "what percentage is 20 of 80".
fn percentage(reader: &mut Reader<'_, '_>) -> Option<Expression> {
    const NAMES: &[&str] = &[
        "what percent",
        "what percentage",
        "which percentage",
        "how many percent",
        "percent",
        "percentage",
    ];
    let (part, whole) = if reader.take_any(NAMES) {
        if reader.take("of") {
            let whole = reader.sum()?;
            (reader.take_any(&["is", "are"]).then(|| reader.sum())??, whole)
        } else {
            let part = reader.take_any(&["is", "are"]).then(|| reader.operand())??;
            (part, reader.take("of").then(|| reader.operand())??)
        }
    } else {
        let part = reader.operand()?;
        (reader.take_any(&["is", "are"]) && reader.take_any(NAMES) && reader.take("of"))
            .then_some(())?;
        (part, reader.operand()?)
    };
    let ratio = Expression::join(Operator::Divide, part, whole);
    Some(Expression::Convert(Box::new(ratio), "%".to_owned()))
}

/// "multiply 6 by 7", "subtract 3 from it", "double that", "convert 5 miles to km".
fn command(reader: &mut Reader<'_, '_>) -> Option<Expression> {
    let two = || Expression::Number("2".to_owned());
    let names_a_function = matches!(reader.rest(), [what, of, ..] if matches!(what.word.as_str(), "square" | "cube") && matches!(of.word.as_str(), "root" | "of"));
    if names_a_function {
        return None;
    }
    if reader.take("round") {
        let value = reader.operand().unwrap_or(Expression::Earlier(Earlier::Last));
        return reader.rounded(value);
    }
    if reader.take_any(&["convert", "change", "turn", "express"]) {
        return reader.calculation();
    }
    if reader.take_any(&["add together", "add up", "sum up", "add", "sum"]) {
        let items = reader.list();
        return items.and_then(|items| chain(Operator::Add, items)).or_else(|| added(reader));
    }
    if reader.take_any(&["subtract", "take away", "deduct", "take"]) {
        return subtracted(reader);
    }
    if reader.take("multiply") {
        return joined(reader, Operator::Multiply, &["by", "with", "and", "times", ","]);
    }
    if reader.take("divide") {
        return joined(reader, Operator::Divide, &["by", "through", "into"]);
    }
    if reader.take("raise") {
        return joined(
            reader,
            Operator::Power,
            &["to the power of", "to the power", "to the", "to"],
        );
    }
    if reader.take_any(&["increase", "raise"]) {
        return joined(reader, Operator::Add, &["by"]);
    }
    if reader.take_any(&["decrease", "reduce", "lower"]) {
        return joined(reader, Operator::Subtract, &["by"]);
    }
    if reader.take_any(&["halve", "half"]) {
        return Some(Expression::join(
            Operator::Divide,
            reader.after("of", Reader::operand)?,
            two(),
        ));
    }
    if reader.take("square") {
        return Some(Expression::join(Operator::Power, reader.operand()?, two()));
    }
    let factor = reader.take_one(&[("double", "2"), ("triple", "3"), ("cube", "^")])?;
    let base = reader.operand()?;
    let cubed = factor == "^";
    let operator = if cubed { Operator::Power } else { Operator::Multiply };
    let number = if cubed { "3" } else { factor };
    Some(Expression::join(operator, base, Expression::Number(number.to_owned())))
}

/// "5 to it", or "5" alone: to the last result. The list reader has been here before.
fn added(reader: &mut Reader<'_, '_>) -> Option<Expression> {
    reader.at = 0;
    reader.take_any(&["add together", "add up", "add"]);
    let more = reader.sum()?;
    let base = if reader.take_any(&["to", "onto"]) {
        reader.sum()?
    } else {
        Expression::Earlier(Earlier::Last)
    };
    Some(Expression::join(Operator::Add, base, more))
}

/// "3 from 10", "20% off 80", or "3" alone: from the last result.
fn subtracted(reader: &mut Reader<'_, '_>) -> Option<Expression> {
    let less = reader.sum()?;
    let base = if reader.take_any(&["from", "off"]) {
        reader.sum()?
    } else {
        Expression::Earlier(Earlier::Last)
    };
    let complete = matches!(&less, Expression::Join(Operator::Multiply, ..)) && reader.is_done();
    if complete && base == Expression::Earlier(Earlier::Last) {
        return Some(less);
    }
    Some(Expression::join(Operator::Subtract, base, less))
}

/// "6 by 7", or "by 7" alone: the last result.
fn joined(reader: &mut Reader<'_, '_>, operator: Operator, words: &[&str]) -> Option<Expression> {
    let base = if words.contains(&"by") && reader.take("by") {
        reader.at -= 1;
        Expression::Earlier(Earlier::Last)
    } else {
        reader.operand().and_then(|base| reader.raised(base))?
    };
    let other = reader.take_any(words).then(|| reader.sum())??;
    Some(Expression::join(operator, base, other))
}

/// "times 3", "+ 5", "in km", "squared": goes on with the last result.
fn continued(reader: &mut Reader<'_, '_>) -> Option<Expression> {
    const SIGNS: &[(&str, Operator)] = &[
        ("times", Operator::Multiply),
        ("*", Operator::Multiply),
        ("x", Operator::Multiply),
        ("multiplied by", Operator::Multiply),
        ("divided by", Operator::Divide),
        ("/", Operator::Divide),
        ("plus", Operator::Add),
        ("+", Operator::Add),
        ("minus", Operator::Subtract),
        ("to the power of", Operator::Power),
    ];
    let last = Expression::Earlier(Earlier::Last);
    if let Some(operator) = reader.take_one(SIGNS) {
        let value = Expression::join(operator, last, reader.sum()?);
        return Some(reader.converted(value));
    }
    let before = reader.at;
    let value = reader.converted(last.clone());
    if reader.at > before {
        return Some(value);
    }
    reader.raised(last)
}
