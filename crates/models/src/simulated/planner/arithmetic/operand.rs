//! The things one calculates with: numbers, functions in words, references.

use super::expression::{Expression, Operator};
use super::{DEPTH_MAX, Reader, chain, units};
use crate::simulated::planner::lexer::Kind;
use crate::simulated::planner::{numerals, reference};

/// Functions of one number, and how they are spoken.
const FUNCTIONS: &[(&str, &str)] = &[
    ("square root", "sqrt"),
    ("cube root", "cbrt"),
    ("root", "sqrt"),
    ("sqrt", "sqrt"),
    ("cbrt", "cbrt"),
    ("sine", "sin"),
    ("sin", "sin"),
    ("cosine", "cos"),
    ("cos", "cos"),
    ("tangent", "tan"),
    ("tan", "tan"),
    ("natural logarithm", "ln"),
    ("natural log", "ln"),
    ("ln", "ln"),
    ("logarithm", "log10"),
    ("log10", "log10"),
    ("log", "log10"),
    ("absolute value", "abs"),
    ("abs", "abs"),
];

/// Words that multiply or divide what follows them.
const SHARES: &[(&str, (Operator, &str))] = &[
    ("half", (Operator::Divide, "2")),
    ("a half", (Operator::Divide, "2")),
    ("one half", (Operator::Divide, "2")),
    ("a third", (Operator::Divide, "3")),
    ("one third", (Operator::Divide, "3")),
    ("a quarter", (Operator::Divide, "4")),
    ("one quarter", (Operator::Divide, "4")),
    ("a fifth", (Operator::Divide, "5")),
    ("a tenth", (Operator::Divide, "10")),
    ("twice", (Operator::Multiply, "2")),
    ("double", (Operator::Multiply, "2")),
    ("triple", (Operator::Multiply, "3")),
    ("a dozen", (Operator::Multiply, "12")),
];

/// Calculations with a list: "the sum of 3, 4 and 5".
const LISTS: &[(&str, Operator)] = &[
    ("sum of", Operator::Add),
    ("total of", Operator::Add),
    ("product of", Operator::Multiply),
    ("difference between", Operator::Subtract),
    ("difference of", Operator::Subtract),
    ("ratio of", Operator::Divide),
    ("quotient of", Operator::Divide),
];

/// Names of money. Amounts are calculated without them.
const CURRENCIES: &[&str] = &["euros", "euro", "eur", "dollars", "dollar", "usd", "€", "$"];

impl Reader<'_, '_> {
    /// A number, a function, something in parentheses, a reference.
    pub(super) fn operand(&mut self) -> Option<Expression> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let found = self.operand_inside();
        self.depth -= 1;
        found
    }

    fn operand_inside(&mut self) -> Option<Expression> {
        if self.take("(") {
            let inner = self.calculation()?;
            let value = self.take(")").then_some(inner)?;
            return Some(self.measured(value));
        }
        if self.take_any(&["-", "minus", "negative"]) {
            return Some(Expression::Minus(Box::new(self.operand()?)));
        }
        if let Some((earlier, length)) =
            reference::at_start(self.rest()).filter(|_| !self.names_a_list())
        {
            self.at += length;
            return Some(Expression::Earlier(earlier));
        }
        let article = self.take("the");
        let ways: &[fn(&mut Self) -> Option<Expression>] = if article {
            &[Self::function, Self::of_a_list, Self::tip, Self::share]
        } else {
            &[Self::share, Self::amount, Self::function, Self::of_a_list, Self::tip]
        };
        let before = self.at;
        ways.iter().find_map(|way| {
            self.at = before;
            way(self)
        })
    }

    /// "the sum of …" is no reference to a sum.
    fn names_a_list(&mut self) -> bool {
        let before = self.at;
        self.take("the");
        let found = self.take_one(LISTS).is_some();
        self.at = before;
        found
    }

    fn share(&mut self) -> Option<Expression> {
        let (operator, number) = self.take_one(SHARES)?;
        let whole = self.after("of", Self::operand)?;
        Some(Expression::join(operator, whole, Expression::Number(number.to_owned())))
    }

    /// A number with what belongs to it: "3 million", "17.5%", "5 feet 3 inches".
    fn amount(&mut self) -> Option<Expression> {
        let digits = self.digits()?;
        if self.take_any(&["%", "percent", "per cent"]) {
            self.take_any(&["vat", "tax", "sales tax", "tip", "interest"]);
            let percent = Expression::Percent(Box::new(Expression::Number(digits)));
            // A share of a share groups to the right: 10% of (20% of 500).
            return if self.take("of") {
                let whole = self.after("the", Self::operand)?;
                Some(Expression::join(Operator::Of, percent, whole))
            } else {
                Some(percent)
            };
        }
        self.take_any(CURRENCIES);
        let number = Expression::Number(digits);
        let first = self.measured(number);
        let another = matches!(first, Expression::Measure(..))
            && self.rest().first().is_some_and(|t| t.kind == Kind::Number);
        if !another {
            return Some(first);
        }
        let before = self.at;
        match self.amount() {
            Some(second @ Expression::Measure(..)) => {
                Some(Expression::join(Operator::Add, first, second))
            }
            Some(_) | None => {
                self.at = before;
                Some(first)
            }
        }
    }

    pub(super) fn digits(&mut self) -> Option<String> {
        let first = self.rest().first()?;
        if self.take_any(&["pi", "π"]) {
            return Some("pi".to_owned());
        }
        if first.kind != Kind::Number {
            let (number, length) = numerals::read(self.rest())?;
            self.at += length;
            return Some(number);
        }
        self.at += 1;
        let scale = self.rest().first().and_then(|next| numerals::scale(&next.word));
        match scale {
            Some(scale) => {
                self.at += 1;
                Some(scaled(&first.word, scale))
            }
            None => Some(first.word.clone()),
        }
    }

    /// With the unit that stands here, if one does. "in" is a unit only before "to".
    fn measured(&mut self, number: Expression) -> Expression {
        let inches = matches!(self.rest(), [unit, to, ..] if unit.word == "in" && matches!(to.word.as_str(), "to" | "in"));
        if inches {
            self.at += 1;
            return Expression::Measure(Box::new(number), "inches");
        }
        match units::read(self.rest()) {
            Some((unit, length)) => {
                self.at += length;
                Expression::Measure(Box::new(number), unit)
            }
            None => number,
        }
    }

    fn function(&mut self) -> Option<Expression> {
        if let Some(name) = self.take_one(FUNCTIONS) {
            let inner = self.after("of", Self::operand)?;
            return Some(Expression::Call(name, Box::new(inner)));
        }
        if self.take("factorial of") {
            return Some(Expression::Factorial(Box::new(self.operand()?)));
        }
        let exponent = self.take_one(&[("square of", "2"), ("cube of", "3")])?;
        let base = self.operand()?;
        Some(Expression::join(Operator::Power, base, Expression::Number(exponent.to_owned())))
    }

    fn of_a_list(&mut self) -> Option<Expression> {
        if self.take_any(&["average of", "mean of", "average", "mean"]) {
            let items = self.list()?;
            let count = Expression::Number(items.len().to_string());
            return Some(Expression::join(Operator::Divide, chain(Operator::Add, items)?, count));
        }
        if self.take("remainder of") {
            let whole = self.operand()?;
            let divisor =
                self.take_any(&["divided by", "and", "/", "by"]).then(|| self.operand())??;
            return Some(Expression::join(Operator::Remainder, whole, divisor));
        }
        let operator = self.take_one(LISTS)?;
        let items = if operator == Operator::Divide { self.pair()? } else { self.list()? };
        chain(operator, items)
    }

    /// "9 to 3", "9 and 3".
    fn pair(&mut self) -> Option<Vec<Expression>> {
        let first = self.operand()?;
        let second = self.take_any(&["to", "and"]).then(|| self.operand())??;
        Some(vec![first, second])
    }

    /// "tip of 15% on 64.20", "tax on 80 at 19%".
    fn tip(&mut self) -> Option<Expression> {
        self.take("a");
        if !self.take_any(&["tip", "tax", "vat", "discount", "commission", "interest", "fee"]) {
            return None;
        }
        let share_first = self.take("of");
        let first = if share_first { self.operand()? } else { self.after("on", Self::operand)? };
        let second =
            self.take_any(&["on", "of", "from", "for", "at", "with"]).then(|| self.operand())??;
        let (share, whole) = if share_first { (first, second) } else { (second, first) };
        matches!(share, Expression::Percent(_))
            .then(|| Expression::join(Operator::Of, share, whole))
    }
}

/// A decimal number times a whole one, written out exactly: "3.5 million" is `3500000`.
fn scaled(digits: &str, scale: u64) -> String {
    let whole = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(scale));
    whole.map_or_else(|| format!("({digits} * {scale})"), |product| product.to_string())
}
