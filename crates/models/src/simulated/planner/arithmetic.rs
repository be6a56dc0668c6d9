//! Arithmetic in everyday English → an [`Expression`].
//!
//! A clause is arithmetic only if all of it is: a number somewhere in a sentence makes no
//! sum of it. `forms` knows the whole sentences ("subtract 3 from 10"), `operand` the
//! things one calculates with ("the square root of 144"), this file what joins them.

mod expression;
mod forms;
mod operand;
mod units;

pub(super) use expression::{Expression, Operator, Written};

use super::lexer::{Kind, Token, phrase_length};
use super::{numerals, reference};

/// Deepest nesting of parentheses and functions.
const DEPTH_MAX: usize = 32;

/// The calculation that a clause asks for.
pub(super) fn read(clause: &[Token<'_>]) -> Option<Expression> {
    forms::read(clause).filter(Expression::is_calculation)
}

/// Words that join two numbers.
const JOINING: &[&str] = &[
    "+",
    "-",
    "*",
    "/",
    "^",
    "%",
    "plus",
    "minus",
    "times",
    "x",
    "divided",
    "multiplied",
    "over",
    "mod",
    "modulo",
    "percent",
    "squared",
    "cubed",
    "to",
    "off",
    "less",
];

/// Words that begin a calculation.
const OPENING: &[&str] = &[
    "sqrt",
    "sin",
    "cos",
    "tan",
    "log",
    "ln",
    "twice",
    "half",
    "double",
    "factorial",
    "times",
    "divided",
    "multiplied",
    "minus",
];

/// How far [`begins`] looks for a joining word, in tokens.
const LOOK_TOKENS_MAX: usize = 4;

/// Whether these tokens look like the beginning of a calculation.
pub(super) fn begins(tokens: &[Token<'_>]) -> bool {
    let Some(first) = tokens.first() else { return false };
    let number =
        first.kind == Kind::Number || first.word == "(" || numerals::read(tokens).is_some();
    let named =
        if number { 1 } else { reference::at_start(tokens).map_or(0, |(_, length)| length) };
    let joined = tokens.iter().skip(named).take(LOOK_TOKENS_MAX).take_while(|token| !parts(token));
    OPENING.contains(&first.word.as_str())
        || named > 0 && joined.into_iter().any(|token| JOINING.contains(&token.word.as_str()))
}

fn parts(token: &Token<'_>) -> bool {
    matches!(token.word.as_str(), "," | "and" | "then")
}

/// Words behind which "and" and commas list numbers.
const LISTING: &[&str] = &[
    "sum",
    "total",
    "product",
    "average",
    "mean",
    "difference",
    "between",
    "multiply",
    "subtract",
    "ratio",
];

/// Whether "and" in this clause may stand between numbers of one calculation.
pub(super) fn takes_a_list(tokens: &[Token<'_>]) -> bool {
    let adds_number = |pair: &[Token<'_>]| pair[0].word == "add" && pair[1].kind == Kind::Number;
    tokens.iter().any(|token| LISTING.contains(&token.word.as_str()))
        || tokens.windows(2).any(adds_number)
}

/// Reads a clause from left to right. Every method takes what it understands and gives
/// `None`, with the place undefined, where it does not.
struct Reader<'t, 'a> {
    tokens: &'t [Token<'a>],
    at: usize,
    depth: usize,
}

impl<'t, 'a> Reader<'t, 'a> {
    fn new(tokens: &'t [Token<'a>]) -> Self {
        Reader { tokens, at: 0, depth: 0 }
    }

    fn rest(&self) -> &'t [Token<'a>] {
        &self.tokens[self.at..]
    }

    fn is_done(&self) -> bool {
        self.at == self.tokens.len()
    }

    /// Takes a phrase if it stands here.
    fn take(&mut self, phrase: &str) -> bool {
        let length = phrase_length(self.rest(), phrase);
        self.at += length.unwrap_or(0);
        length.is_some()
    }

    /// Takes the first of the phrases that stands here.
    fn take_any(&mut self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.take(phrase))
    }

    /// Takes the meaning of the first phrase that stands here.
    fn take_one<T: Copy>(&mut self, phrases: &[(&str, T)]) -> Option<T> {
        phrases.iter().find(|(phrase, _)| self.take(phrase)).map(|(_, meaning)| *meaning)
    }

    /// `a + b - c`, with an optional "in km" at the end.
    fn calculation(&mut self) -> Option<Expression> {
        let value = self.sum()?;
        let value = self.converted(value);
        if self.take("rounded") { self.rounded(value) } else { Some(value) }
    }

    /// "to two decimals", behind "round" or "rounded".
    fn rounded(&mut self, value: Expression) -> Option<Expression> {
        self.take_any(&["off to", "to", "at"]);
        let places = if self.take_any(&["a whole number", "the nearest whole number", "an integer"])
        {
            "0".to_owned()
        } else {
            let places = self.digits()?;
            let named =
                ["decimal places", "decimal place", "decimals", "decimal", "places", "digits"];
            self.take_any(&named).then_some(places)?
        };
        Some(Expression::Convert(Box::new(value), format!("{places} dp")))
    }

    fn converted(&mut self, value: Expression) -> Expression {
        let before = self.at;
        if self.take_any(&["to", "in", "into", "as"]) {
            self.take_any(&["a", "the"]);
            if self.take_any(&["percent", "percentage", "%"]) {
                return Expression::Convert(Box::new(value), "%".to_owned());
            }
            if let Some((unit, length)) = units::read(self.rest()) {
                self.at += length;
                return Expression::Convert(Box::new(value), unit.to_owned());
            }
        }
        self.at = before;
        value
    }

    fn sum(&mut self) -> Option<Expression> {
        const SIGNS: &[(&str, Operator)] = &[
            ("+", Operator::Add),
            ("plus", Operator::Add),
            ("added to", Operator::Add),
            ("increased by", Operator::Add),
            ("-", Operator::Subtract),
            ("minus", Operator::Subtract),
            ("less", Operator::Subtract),
            ("decreased by", Operator::Subtract),
            ("reduced by", Operator::Subtract),
        ];
        let first = self.product()?;
        self.joined(first, SIGNS, Self::product)
    }

    fn product(&mut self) -> Option<Expression> {
        const SIGNS: &[(&str, Operator)] = &[
            ("*", Operator::Multiply),
            ("x", Operator::Multiply),
            ("times", Operator::Multiply),
            ("multiplied by", Operator::Multiply),
            ("multiplied with", Operator::Multiply),
            ("/", Operator::Divide),
            (":", Operator::Divide),
            ("over", Operator::Divide),
            ("divided by", Operator::Divide),
            ("mod", Operator::Remainder),
            ("modulo", Operator::Remainder),
            ("of", Operator::Of),
        ];
        let first = self.power()?;
        self.joined(first, SIGNS, Self::power)
    }

    fn joined(
        &mut self,
        first: Expression,
        signs: &[(&str, Operator)],
        part: fn(&mut Self) -> Option<Expression>,
    ) -> Option<Expression> {
        let mut value = first;
        while let Some(operator) = self.take_one(signs) {
            value = Expression::join(operator, value, part(self)?);
        }
        Some(value)
    }

    fn power(&mut self) -> Option<Expression> {
        let base = self.operand()?;
        let base = self.raised(base)?;
        if self.take("off") {
            let whole = self.after("of", Self::operand)?;
            return Some(Expression::join(Operator::Subtract, whole, base));
        }
        Some(base)
    }

    /// What may stand behind a number: squares, powers, `!`.
    fn raised(&mut self, base: Expression) -> Option<Expression> {
        let mut value = base;
        loop {
            let exponent = if self.take("squared") {
                Expression::Number("2".to_owned())
            } else if self.take("cubed") {
                Expression::Number("3".to_owned())
            } else if self.take_any(&[
                "^",
                "* *",
                "to the power of",
                "raised to the power of",
                "to the power",
            ]) {
                self.operand()?
            } else if let Some(exponent) = self.ordinal_power() {
                exponent
            } else if self.take_any(&["!", "factorial"]) {
                value = Expression::Factorial(Box::new(value));
                continue;
            } else {
                return Some(value);
            };
            value = Expression::join(Operator::Power, value, exponent);
        }
    }

    /// "to the 10th power".
    fn ordinal_power(&mut self) -> Option<Expression> {
        let before = self.at;
        let digits = self.take("to the").then(|| self.digits()).flatten();
        let ordinal = self.take_any(&["th", "rd", "nd", "st"]);
        match digits.filter(|_| ordinal) {
            Some(digits) => {
                self.take("power");
                Some(Expression::Number(digits))
            }
            None => {
                self.at = before;
                None
            }
        }
    }

    /// Steps over a small word if it stands here, then reads on.
    fn after(
        &mut self,
        word: &str,
        part: fn(&mut Self) -> Option<Expression>,
    ) -> Option<Expression> {
        self.take(word);
        self.take("the");
        part(self)
    }

    /// `a, b and c`: two parts or more.
    fn list(&mut self) -> Option<Vec<Expression>> {
        let mut items = vec![self.sum()?];
        while self.take_any(&[", and", ",", "and", "with"]) {
            items.push(self.sum()?);
        }
        (items.len() > 1).then_some(items)
    }
}

/// `a + b + c` of a list.
fn chain(operator: Operator, items: Vec<Expression>) -> Option<Expression> {
    items.into_iter().reduce(|left, right| Expression::join(operator, left, right))
}

#[cfg(test)]
mod tests {
    use super::super::{clauses, lexer};
    use super::*;

    fn shown(text: &str) -> String {
        let clauses = clauses::split(lexer::tokens(text), text);
        let show = |part: Written| match part {
            Written::Text(text) => text,
            Written::Earlier(earlier) => format!("<{earlier:?}>"),
        };
        let one = |clause: &Vec<Token<'_>>| match read(clause) {
            Some(found) => found.written().into_iter().map(show).collect(),
            None => "?".to_owned(),
        };
        clauses.iter().map(one).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn sentences_become_calculations() {
        let cases = include_str!("../../../tests/planner/arithmetic.txt");
        let mut wrong = Vec::new();
        for line in cases.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (text, expected) =
                line.split_once(" => ").expect("a case is `words => calculation`");
            let found = shown(text);
            if found != expected {
                wrong.push(format!("{text}\n  expected {expected}\n  found    {found}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    fn computes(calculation: &str) -> Result<fend_core::FendResult, String> {
        fend_core::evaluate(calculation, &mut fend_core::Context::new())
    }

    #[test]
    fn the_calculator_reads_every_calculation() {
        let cases = include_str!("../../../tests/planner/arithmetic.txt");
        for (_, expected) in cases.lines().filter_map(|line| line.split_once(" => ")) {
            let calculations = expected.split("; ");
            for calculation in calculations.filter(|one| *one != "?" && !one.contains("<Last>")) {
                assert!(computes(calculation).is_ok(), "{calculation}");
            }
        }
    }

    #[test]
    fn the_calculator_knows_every_unit() {
        for (unit, _) in units::UNITS {
            let calculation = format!("3 {unit} * 2");
            assert!(computes(&calculation).is_ok(), "{calculation}");
        }
    }
}
