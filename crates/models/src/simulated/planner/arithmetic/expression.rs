//! A calculation as a tree, and how it is written for the calculator.
//!
//! Only the parentheses that are needed are written, so that people recognise what they
//! asked: "17.5% of 2340" stays `17.5% of 2340`.

use crate::simulated::planner::reference::Earlier;

/// A calculation.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::simulated::planner) enum Expression {
    /// A decimal number.
    Number(String),
    /// A number of hundredths.
    Percent(Box<Expression>),
    /// A number with a unit.
    Measure(Box<Expression>, &'static str),
    /// Something that an earlier step comes to.
    Earlier(Earlier),
    /// Two parts and what joins them.
    Join(Operator, Box<Expression>, Box<Expression>),
    /// A function of the calculator.
    Call(&'static str, Box<Expression>),
    /// The opposite number.
    Minus(Box<Expression>),
    /// `n!`.
    Factorial(Box<Expression>),
    /// In another unit, or to a number of decimals.
    Convert(Box<Expression>, String),
}

/// What joins two parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulated::planner) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    /// A share of something: `20% of 80`.
    Of,
    Power,
}

impl Operator {
    fn sign(self) -> &'static str {
        match self {
            Operator::Add => " + ",
            Operator::Subtract => " - ",
            Operator::Multiply => " * ",
            Operator::Divide => " / ",
            Operator::Remainder => " mod ",
            Operator::Of => " of ",
            Operator::Power => "^",
        }
    }

    /// How tightly it binds. `of` counts as loose, so that it is always set in
    /// parentheses beside other signs: readers and calculators differ about its place.
    fn tightness(self) -> u8 {
        match self {
            Operator::Of => 1,
            Operator::Add | Operator::Subtract => 2,
            Operator::Multiply | Operator::Divide | Operator::Remainder => 3,
            Operator::Power => 5,
        }
    }
}

/// A part of a written calculation.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::simulated::planner) enum Written {
    /// As it stands.
    Text(String),
    /// To be filled in, in parentheses unless it is a plain number.
    Earlier(Earlier),
}

impl Expression {
    /// Two parts joined in the sense of everyday language: `80 - 20%` is a discount, not
    /// a subtraction of 0.2, and a percentage of something is `of`, whatever the word.
    pub(super) fn join(operator: Operator, left: Expression, right: Expression) -> Expression {
        let share =
            matches!(right, Expression::Percent(_)) && !matches!(left, Expression::Percent(_));
        match operator {
            Operator::Add | Operator::Subtract if share => {
                let one = Expression::Number("1".to_owned());
                let factor = Expression::plain(operator, one, right);
                Expression::plain(Operator::Multiply, left, factor)
            }
            Operator::Multiply if share => Expression::plain(Operator::Of, right, left),
            Operator::Multiply if matches!(left, Expression::Percent(_)) => {
                Expression::plain(Operator::Of, left, right)
            }
            Operator::Of if !matches!(left, Expression::Percent(_)) => {
                Expression::plain(Operator::Multiply, left, right)
            }
            Operator::Add
            | Operator::Subtract
            | Operator::Multiply
            | Operator::Divide
            | Operator::Remainder
            | Operator::Of
            | Operator::Power => Expression::plain(operator, left, right),
        }
    }

    fn plain(operator: Operator, left: Expression, right: Expression) -> Expression {
        Expression::Join(operator, Box::new(left), Box::new(right))
    }

    /// Whether there is something to calculate.
    pub(super) fn is_calculation(&self) -> bool {
        match self {
            Expression::Number(_) | Expression::Earlier(_) => false,
            Expression::Percent(inner)
            | Expression::Measure(inner, _)
            | Expression::Minus(inner) => inner.is_calculation(),
            Expression::Join(..)
            | Expression::Call(..)
            | Expression::Factorial(_)
            | Expression::Convert(..) => true,
        }
    }

    /// The calculation as the calculator reads it.
    pub(in crate::simulated::planner) fn written(&self) -> Vec<Written> {
        let mut parts = Vec::new();
        self.write(0, &mut parts);
        parts
    }

    /// Writes the calculation where what stands around it binds with `around`.
    fn write(&self, around: u8, parts: &mut Vec<Written>) {
        let enclosed = self.tightness() < around;
        if enclosed {
            say(parts, "(");
        }
        match self {
            Expression::Number(digits) => say(parts, digits),
            Expression::Percent(inner) => {
                inner.write(8, parts);
                say(parts, "%");
            }
            Expression::Measure(inner, unit) => {
                inner.write(8, parts);
                say(parts, &format!(" {unit}"));
            }
            Expression::Earlier(earlier) => parts.push(Written::Earlier(*earlier)),
            Expression::Join(operator, left, right) => {
                // Power is the one that groups to the right; asking for more on both
                // sides writes parentheses there, which is never wrong.
                let tight = operator.tightness();
                left.write(
                    if *operator == Operator::Power || *operator == Operator::Of {
                        tight + 1
                    } else {
                        tight
                    },
                    parts,
                );
                say(parts, operator.sign());
                right.write(tight + 1, parts);
            }
            Expression::Call(function, inner) => {
                say(parts, &format!("{function}("));
                inner.write(0, parts);
                say(parts, ")");
            }
            Expression::Minus(inner) => {
                say(parts, "-");
                inner.write(5, parts);
            }
            Expression::Factorial(inner) => {
                inner.write(8, parts);
                say(parts, "!");
            }
            Expression::Convert(inner, unit) => {
                inner.write(1, parts);
                say(parts, &format!(" to {unit}"));
            }
        }
        if enclosed {
            say(parts, ")");
        }
    }

    fn tightness(&self) -> u8 {
        match self {
            Expression::Convert(..) => 0,
            Expression::Join(operator, ..) => operator.tightness(),
            Expression::Minus(_) => 4,
            Expression::Measure(..) => 6,
            Expression::Percent(_) | Expression::Factorial(_) => 7,
            Expression::Number(_) | Expression::Earlier(_) | Expression::Call(..) => 9,
        }
    }
}

fn say(parts: &mut Vec<Written>, words: &str) {
    match parts.last_mut() {
        Some(Written::Text(text)) => text.push_str(words),
        Some(Written::Earlier(_)) | None => parts.push(Written::Text(words.to_owned())),
    }
}
