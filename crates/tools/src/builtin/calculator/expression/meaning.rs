//! What must be settled about an expression before it is computed: what a function is
//! of, what has two meanings, how many digits are asked for and how many are true.
//!
//! The language underneath reads `sin(2)^2` as the sine of 4 and `10 // 3` as 30.

use super::token::Token;
use super::{BETWEEN, PLACES_MAX, unit_length};

/// Functions whose results are true to [`FIGURES_TRUE`] digits.
const INEXACT: [&str; 19] = [
    "sqrt", "cbrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh",
    "acosh", "atanh", "ln", "log", "log2", "log10", "exp",
];

/// Other functions of one argument.
const EXACT: [&str; 4] = ["abs", "floor", "ceil", "round"];

/// Constants that are known to so many digits only.
const CONSTANTS: [&str; 4] = ["e", "phi", "i", "cis"];

/// Digits that are true of a root, a logarithm, a sine.
const FIGURES_TRUE: usize = 15;

/// Digits that are true of pi.
const FIGURES_OF_PI: usize = 36;

/// Words for results that are not decimal numbers.
const OTHER_FORMS: [&str; 22] = [
    "hex",
    "hexadecimal",
    "bin",
    "binary",
    "oct",
    "octal",
    "base",
    "ternary",
    "senary",
    "seximal",
    "fraction",
    "frac",
    "mixed_fraction",
    "mixed_frac",
    "float",
    "exact",
    "auto",
    "dec",
    "decimal",
    "true",
    "false",
    "not",
];

/// The digits that a result is shown with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Form {
    /// All where they end, ten places otherwise.
    Usual,
    /// `to 2 dp`
    Places(usize),
    /// `to 3 sf`
    Figures(usize),
    /// As a fraction or in another base: as the language underneath writes it.
    Other,
}

/// Takes `to 2 dp` off the end.
pub(super) fn take_form(tokens: &mut Vec<Token>) -> Result<Form, String> {
    let mut form = Form::Usual;
    if let [.., Token::Word(to), Token::Number(count), Token::Word(what)] = tokens.as_slice()
        && ["to", "as", "in"].contains(&to.as_str())
        && ["dp", "sf"].contains(&what.as_str())
    {
        let count = count.parse().unwrap_or(usize::MAX);
        if count > PLACES_MAX || (what == "sf" && count == 0) {
            return Err(format!("at most {PLACES_MAX} places can be asked for, as in `to 20 dp`"));
        }
        form = if what == "dp" { Form::Places(count) } else { Form::Figures(count) };
        tokens.truncate(tokens.len() - 3);
    }
    for word in words(tokens) {
        if ["dp", "sf"].contains(&word) {
            return Err(format!(
                "`{word}` stands at the end with a number, as in `1/7 to 20 {word}`"
            ));
        }
        if OTHER_FORMS.contains(&word) && form == Form::Usual {
            form = Form::Other;
        }
    }
    Ok(form)
}

/// How many digits of the result are true.
pub(super) fn figures_true(tokens: &[Token]) -> usize {
    let inexact = words(tokens).any(|word| INEXACT.contains(&word) || CONSTANTS.contains(&word))
        || tokens.contains(&Token::Sign('√'))
        || tokens
            .iter()
            .enumerate()
            .any(|(at, token)| *token == Token::Sign('^') && !is_whole(&tokens[at + 1..]));
    let pi = words(tokens).any(|word| ["pi", "π", "tau", "τ"].contains(&word));
    match (inexact, pi) {
        (true, _) => FIGURES_TRUE,
        (false, true) => FIGURES_OF_PI,
        (false, false) => usize::MAX,
    }
}

fn words(tokens: &[Token]) -> impl Iterator<Item = &str> {
    tokens.iter().filter_map(|token| match token {
        Token::Word(word) => Some(word.as_str()),
        Token::Number(_) | Token::Sign(_) => None,
    })
}

/// Whether an exponent is certainly a whole number.
fn is_whole(tokens: &[Token]) -> bool {
    let whole = |number: &str| number.bytes().all(|byte| byte.is_ascii_digit());
    let mut depth = 0_usize;
    for token in tokens {
        match token {
            Token::Number(number) if !whole(number) => return false,
            Token::Number(_) if depth == 0 => return true,
            Token::Sign('(') => depth += 1,
            Token::Sign(')') if depth == 1 => return true,
            Token::Sign(')') if depth > 1 => depth -= 1,
            Token::Number(_) | Token::Sign('+' | '-' | '*') => {}
            Token::Sign(_) | Token::Word(_) => return false,
        }
    }
    false
}

/// `12 in to cm` means inches; `255 in hex` does not.
pub(super) fn inches(tokens: &mut [Token]) {
    for at in 1..tokens.len() {
        let measured = matches!(tokens[at - 1], Token::Number(_));
        let ends = match tokens.get(at + 1) {
            None | Some(Token::Sign('+' | '-' | '*' | '/' | '^' | ')' | '²' | '³')) => true,
            Some(Token::Word(word)) => ["to", "in", "as"].contains(&word.as_str()),
            Some(Token::Sign(_) | Token::Number(_)) => false,
        };
        if measured && ends && tokens[at] == Token::Word("in".to_owned()) {
            tokens[at] = Token::Word("inches".to_owned());
        }
    }
}

/// Puts brackets around each function with what it is of.
pub(super) fn bind_functions(tokens: Vec<Token>) -> Result<Vec<Token>, String> {
    let mut out = Vec::with_capacity(tokens.len());
    let mut open = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let Some(name) = function(&tokens[at]) else {
            out.push(tokens[at].clone());
            match tokens[at] {
                Token::Sign('(') => open.push(false),
                Token::Sign(')') if open.pop() == Some(true) => out.push(Token::Sign(')')),
                Token::Sign(_) | Token::Number(_) | Token::Word(_) => {}
            }
            at += 1;
            continue;
        };
        out.extend([Token::Sign('('), tokens[at].clone(), Token::Sign('(')]);
        match tokens.get(at + 1) {
            Some(Token::Sign('(')) => open.push(true),
            Some(operand) if is_clear(operand, tokens.get(at + 2)) => {
                out.extend([operand.clone(), Token::Sign(')'), Token::Sign(')')]);
            }
            _ => {
                return Err(format!(
                    "it is not clear what `{name}` is of\nput brackets around it, like `{name}(2)`"
                ));
            }
        }
        at += 2;
    }
    Ok(out)
}

fn function(token: &Token) -> Option<&str> {
    match token {
        Token::Sign('√') => Some("sqrt"),
        Token::Word(word) if INEXACT.contains(&word.as_str()) || EXACT.contains(&word.as_str()) => {
            Some(word)
        }
        Token::Word(_) | Token::Number(_) | Token::Sign(_) => None,
    }
}

/// Whether one piece after a function is all that the function is of: `ln 2 * 3`.
fn is_clear(operand: &Token, next: Option<&Token>) -> bool {
    let single = match operand {
        Token::Number(_) => true,
        Token::Word(word) => !BETWEEN.contains(&word.as_str()) && function(operand).is_none(),
        Token::Sign(_) => false,
    };
    let ends = match next {
        None | Some(Token::Sign('+' | '-' | '*' | ')')) => true,
        Some(Token::Word(word)) => BETWEEN.contains(&word.as_str()),
        Some(Token::Sign(_) | Token::Number(_)) => false,
    };
    single && ends
}

/// Refuses what would be read otherwise than people mean it.
pub(super) fn check_meaning(tokens: &[Token]) -> Result<(), String> {
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        let refusal = match (before, token) {
            (Some(Token::Sign('!')), Token::Sign('!')) => {
                "`!!` can mean two things\nwrite `(5!)!`, or the product"
            }
            (Some(Token::Sign('²' | '³')), Token::Sign('²' | '³')) => {
                "two powers one after the other can mean two things\nwrite `2^23` or `(2^2)^3`"
            }
            (_, Token::Sign('/')) if !before.is_some_and(ends_operand) => {
                "`/` needs a number before it\nfor the whole part of a quotient write `floor(10 / 3)`"
            }
            (Some(Token::Number(_)), Token::Sign('/')) if is_share(tokens, at) => {
                "a fraction before a unit can mean two things\n\
                 write `(1/2) hour`, or `1 / (2 hours)`"
            }
            (_, Token::Number(_) | Token::Word(_) | Token::Sign(_)) => continue,
        };
        return Err(refusal.to_owned());
    }
    Ok(())
}

fn ends_operand(token: &Token) -> bool {
    match token {
        Token::Number(_) => true,
        Token::Word(word) => !BETWEEN.contains(&word.as_str()),
        Token::Sign(c) => ")!%²³".contains(*c),
    }
}

/// Whether the `/` at `at` is that of `1/2 hour`: numbers on both sides, then a unit.
fn is_share(tokens: &[Token], at: usize) -> bool {
    let exponent = at >= 2 && tokens[at - 2] == Token::Sign('^');
    let number = matches!(tokens.get(at + 1), Some(Token::Number(_)));
    !exponent && number && unit_length(&tokens[at + 2..]) > 0
}
