//! Reading an expression before it is computed: only arithmetic gets through, and what
//! people write is turned into what is meant.
//!
//! Why it is needed: the language underneath has functions, variables, dice and strings,
//! with which a text can run for ever or run out of stack; it reads `1,2,3` as 123,
//! `2340*17.5%` as `40950%` and `100 km / 2 hours` as 50 km times hours.

mod meaning;
mod token;

pub(super) use meaning::Form;
use token::{Token, tokens};

/// What is to be computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rewritten {
    /// The expression as the language underneath must read it.
    pub(super) text: String,
    /// The digits that the result is shown with.
    pub(super) form: Form,
    /// How many digits of the result are true.
    pub(super) figures_true: usize,
}

/// Pieces of an expression.
const TOKENS_MAX: usize = 400;

/// Brackets within brackets.
const DEPTH_MAX: usize = 50;

/// Decimal places that may be asked for.
const PLACES_MAX: usize = 1_000;

/// Words that stand between two operands.
const BETWEEN: [&str; 12] =
    ["of", "to", "in", "as", "into", "mod", "and", "or", "xor", "per", "choose", "permute"];

/// Words of the language underneath that are no arithmetic.
const CLOSED: [&str; 24] = [
    "sample",
    "roll",
    "mean",
    "average",
    "fib",
    "fibonacci",
    "print",
    "println",
    "today",
    "tomorrow",
    "yesterday",
    "date",
    "string",
    "text",
    "codepoint",
    "char",
    "character",
    "roman",
    "roman_numeral",
    "words",
    "version",
    "trans",
    "earth",
    "boolean",
];

/// The expression as the language underneath must read it.
///
/// # Errors
/// Words for the model.
pub(super) fn rewritten(text: &str) -> Result<Rewritten, String> {
    let text = text.trim().trim_end_matches(['=', '?']).trim_start_matches('=');
    let mut tokens = multiplications(tokens(text)?);
    if tokens.is_empty() {
        return Err("there is nothing to compute".to_owned());
    }
    if tokens.len() > TOKENS_MAX {
        return Err(format!(
            "the expression has more than {TOKENS_MAX} parts\ncompute it in pieces"
        ));
    }
    check_brackets(&tokens)?;
    check_words(&tokens)?;
    let form = meaning::take_form(&mut tokens)?;
    meaning::inches(&mut tokens);
    let figures_true = meaning::figures_true(&tokens);
    let tokens = meaning::bind_functions(tokens)?;
    meaning::check_meaning(&tokens)?;
    let mut out = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        at += rewrite(&tokens, at, &mut out)?;
    }
    Ok(Rewritten { text: out.join(" "), form, figures_true })
}

/// `3 x 4` and `3x4` are multiplications, `**` is a power.
fn multiplications(tokens: Vec<Token>) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        // `2x + 3` is no multiplication but an unknown.
        let before_sign = matches!(rest.peek(), None | Some(Token::Sign('+' | '-')));
        let after_operand =
            matches!(out.last(), Some(Token::Number(_) | Token::Sign(')' | '%' | '!' | '²' | '³')));
        match token {
            Token::Word(word) if after_operand && word.starts_with(['x', 'X']) => {
                let rest = &word[1..];
                if rest.is_empty() && !before_sign {
                    out.push(Token::Sign('*'));
                } else if !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()) {
                    out.extend([Token::Sign('*'), Token::Number(rest.to_owned())]);
                } else {
                    out.push(Token::Word(word));
                }
            }
            Token::Sign('*') if out.last() == Some(&Token::Sign('*')) => {
                out.pop();
                out.push(Token::Sign('^'));
            }
            Token::Word(word) if word == "percent" => out.push(Token::Sign('%')),
            token @ (Token::Word(_) | Token::Number(_) | Token::Sign(_)) => out.push(token),
        }
    }
    out
}

fn check_brackets(tokens: &[Token]) -> Result<(), String> {
    let mut depth = 0_usize;
    for token in tokens {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') if depth == 0 => {
                return Err("a `)` closes nothing".to_owned());
            }
            Token::Sign(')') => depth -= 1,
            Token::Sign(_) | Token::Number(_) | Token::Word(_) => {}
        }
        if depth > DEPTH_MAX {
            return Err(format!("more than {DEPTH_MAX} brackets within brackets"));
        }
    }
    if depth > 0 {
        return Err("a `(` is never closed".to_owned());
    }
    Ok(())
}

fn check_words(tokens: &[Token]) -> Result<(), String> {
    for token in tokens {
        let Token::Word(word) = token else {
            continue;
        };
        let lower = word.to_lowercase();
        let dice = lower.strip_prefix('d').is_some_and(|n| n.parse::<u64>().is_ok());
        if dice || CLOSED.contains(&lower.as_str()) {
            return Err(format!(
                "`{word}` cannot be used here\nuse numbers, units and functions like `sqrt`"
            ));
        }
    }
    Ok(())
}

/// Writes what begins at `at`; how many tokens that was.
fn rewrite(tokens: &[Token], at: usize, out: &mut Vec<String>) -> Result<usize, String> {
    let next = tokens.get(at + 1);
    match &tokens[at] {
        Token::Number(number)
            if next == Some(&Token::Sign('%')) && is_percent(tokens.get(at + 2)) =>
        {
            let of = matches!(tokens.get(at + 2), Some(Token::Word(word)) if word == "of");
            check_percent(tokens, at, of)?;
            out.push(format!("({number} / 100)"));
            if of {
                out.push("*".to_owned());
            }
            Ok(if of { 3 } else { 2 })
        }
        Token::Number(number) => {
            let divides = at > 0 && is_division(&tokens[at - 1]);
            let unit = if divides { unit_length(&tokens[at + 1..]) } else { 0 };
            let rest = tokens[at + 1..at + 1 + unit].iter().map(plainly);
            let whole = [number.clone()].into_iter().chain(rest).collect::<Vec<_>>().join(" ");
            out.push(if unit > 0 { format!("({whole})") } else { whole });
            Ok(1 + unit)
        }
        Token::Sign('%') if is_percent(next) => {
            let of = matches!(next, Some(Token::Word(word)) if word == "of");
            match at.checked_sub(1).map(|before| &tokens[before]) {
                // `12 / 80 to %`
                Some(Token::Word(word)) if BETWEEN.contains(&word.as_str()) => {
                    out.push("%".to_owned());
                }
                Some(Token::Sign(')')) => percent_of_bracket(out, of)?,
                Some(_) | None => return Err(LONE_PERCENT.to_owned()),
            }
            if of {
                out.push("*".to_owned());
            }
            Ok(if of { 2 } else { 1 })
        }
        Token::Sign('√') => {
            out.push("sqrt".to_owned());
            Ok(1)
        }
        token @ (Token::Word(_) | Token::Sign(_)) => {
            out.push(plainly(token));
            Ok(1)
        }
    }
}

const LONE_PERCENT: &str = "`%` follows a number, like `5%`, or a bracket";

/// Makes the bracket that ends `out` a percentage.
fn percent_of_bracket(out: &mut Vec<String>, of: bool) -> Result<(), String> {
    let mut depth = 0;
    let open = out.iter().rposition(|part| {
        depth += i32::from(part == ")") - i32::from(part == "(");
        depth == 0
    });
    let open = open.ok_or_else(|| LONE_PERCENT.to_owned())?;
    let before = open.checked_sub(1).map(|before| out[before].as_str());
    match before {
        None | Some("(" | "*") => {}
        Some("+" | "-") if of => {}
        Some("+" | "-") => return Err(TWO_MEANINGS.to_owned()),
        Some(_) => return Err("put brackets around the whole percentage: `((…)%)`".to_owned()),
    }
    out.insert(open, "(".to_owned());
    out.push("/ 100)".to_owned());
    Ok(())
}

fn plainly(token: &Token) -> String {
    match token {
        Token::Number(text) | Token::Word(text) => text.clone(),
        Token::Sign('²') => "^2".to_owned(),
        Token::Sign('³') => "^3".to_owned(),
        Token::Sign('%') => "mod".to_owned(),
        Token::Sign(c) => c.to_string(),
    }
}

/// Whether a `%` before `next` is a percentage, and not the rest of a division.
fn is_percent(next: Option<&Token>) -> bool {
    match next {
        None => true,
        Some(Token::Number(_)) => false,
        Some(Token::Word(word)) => BETWEEN.contains(&word.as_str()),
        Some(Token::Sign(c)) => !matches!(c, '(' | '√'),
    }
}

const TWO_MEANINGS: &str = "adding a percentage can mean two things\n\
                            say of what it is: `100 + 10% of 100`, or write `100 * (1 + 10%)`";

/// Refuses percentages that people mean in two ways. `1 + 10%` is the same in both.
fn check_percent(tokens: &[Token], at: usize, of: bool) -> Result<(), String> {
    let back = |steps: usize| at.checked_sub(steps).map(|before| &tokens[before]);
    let one = back(2) == Some(&Token::Number("1".to_owned()))
        && matches!(back(3), None | Some(Token::Sign('(')));
    match (back(1), back(2)) {
        (Some(Token::Sign('/' | '^')), _) if of => {
            Err("put brackets around the percentage: `10 / (20% of 50)`".to_owned())
        }
        (
            Some(Token::Sign('+' | '-')),
            Some(Token::Number(_) | Token::Word(_) | Token::Sign(')' | '!' | '²' | '³')),
        ) if !of && !one => Err(TWO_MEANINGS.to_owned()),
        _ => Ok(()),
    }
}

fn is_division(token: &Token) -> bool {
    match token {
        Token::Sign(c) => *c == '/',
        Token::Word(word) => word == "per",
        Token::Number(_) => false,
    }
}

/// How many tokens after a divisor's number are its unit: `2 hours`, `3 m²`, `3 m^2`.
fn unit_length(tokens: &[Token]) -> usize {
    match tokens {
        [Token::Word(word), ..] if BETWEEN.contains(&word.as_str()) => 0,
        [Token::Word(_), Token::Sign('^'), Token::Number(_), ..] => 3,
        [Token::Word(_), Token::Sign('²' | '³'), ..] => 2,
        [Token::Word(_), ..] => 1,
        _ => 0,
    }
}
