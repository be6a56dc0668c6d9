//! Reading an expression before it is computed: only arithmetic gets through, and what
//! people write is turned into what is meant.
//!
//! Why it is needed: the language underneath has functions, variables, dice and strings,
//! with which a text can run for ever or run out of stack; it reads `1,2,3` as 123,
//! `2340*17.5%` as `40950%` and `100 km / 2 hours` as 50 km times hours.

/// Pieces of an expression.
const TOKENS_MAX: usize = 400;

/// Brackets within brackets.
const DEPTH_MAX: usize = 50;

/// Digits of a power of ten, as in `1e9999`.
const EXPONENT_DIGITS_MAX: usize = 4;

/// Decimal places that may be asked for.
const PLACES_MAX: u32 = 1_000;

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

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Number(String),
    Word(String),
    Sign(char),
}

/// The expression as the language underneath must read it.
///
/// # Errors
/// Words for the model.
pub(super) fn rewritten(text: &str) -> Result<String, String> {
    let text = text.trim().trim_end_matches(['=', '?']).trim_start_matches('=');
    let tokens = multiplications(tokens(text)?);
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
    let mut out = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        at += rewrite(&tokens, at, &mut out)?;
    }
    Ok(out.join(" "))
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        let decimal = c == '.' && chars.get(at + 1).is_some_and(char::is_ascii_digit);
        if c.is_whitespace() {
            at += 1;
        } else if c.is_ascii_digit() || decimal {
            tokens.push(Token::Number(number(&chars, &mut at)?));
        } else if c.is_alphabetic() || c == '°' {
            let from = at;
            while chars
                .get(at)
                .is_some_and(|c| c.is_alphanumeric() && !is_power(*c) || matches!(c, '_' | '°'))
            {
                at += 1;
            }
            tokens.push(Token::Word(chars[from..at].iter().collect()));
        } else {
            tokens.push(Token::Sign(sign(c)?));
            at += 1;
        }
    }
    Ok(tokens)
}

fn is_power(c: char) -> bool {
    matches!(c, '²' | '³')
}

fn sign(c: char) -> Result<char, String> {
    match c {
        '+' | '-' | '*' | '/' | '^' | '%' | '(' | ')' | '!' | '²' | '³' | '√' => Ok(c),
        '×' | '·' | '⋅' | '∙' => Ok('*'),
        '÷' | '∕' => Ok('/'),
        '−' | '–' => Ok('-'),
        '[' | '{' => Ok('('),
        ']' | '}' => Ok(')'),
        ',' => Err(COMMA.to_owned()),
        '$' | '€' | '£' | '¥' => Err(format!(
            "`{c}` cannot be used here\nleave currency signs out and compute the numbers"
        )),
        _ => Err(format!(
            "`{}` cannot be used here\nuse numbers, units, functions and + - * / ^ % ( ) !",
            c.escape_default()
        )),
    }
}

const COMMA: &str = "`,` only groups thousands, as in `1,234.5`\n\
                     write decimals with `.`, and compute one value at a time";

/// A number: `12`, `1,234.5`, `.5`, `1e-7`, `0xff`, `1_000`.
fn number(chars: &[char], at: &mut usize) -> Result<String, String> {
    let mut number = String::new();
    let prefixed = chars[*at] == '0' && chars.get(*at + 1).is_some_and(|c| "xbo".contains(*c));
    if prefixed && chars.get(*at + 2).is_some_and(char::is_ascii_hexdigit) {
        while chars.get(*at).is_some_and(char::is_ascii_alphanumeric) {
            number.push(chars[*at]);
            *at += 1;
        }
        return Ok(number);
    }
    digits(chars, at, &mut number);
    while chars.get(*at) == Some(&',') {
        let group = chars[*at + 1..].iter().take_while(|c| c.is_ascii_digit()).count();
        let head = number.len() <= 3 || number.contains(',');
        if group != 3 || !head {
            return Err(COMMA.to_owned());
        }
        number.push(',');
        *at += 1;
        digits(chars, at, &mut number);
    }
    if chars.get(*at) == Some(&'.') {
        number.push('.');
        *at += 1;
        digits(chars, at, &mut number);
        if chars.get(*at) == Some(&'.') {
            return Err("a number has two decimal points".to_owned());
        }
    }
    exponent(chars, at, &mut number)?;
    Ok(number.replace(',', ""))
}

fn digits(chars: &[char], at: &mut usize, number: &mut String) {
    while let Some(c) = chars.get(*at).filter(|c| c.is_ascii_digit() || **c == '_') {
        if *c != '_' {
            number.push(*c);
        }
        *at += 1;
    }
}

fn exponent(chars: &[char], at: &mut usize, number: &mut String) -> Result<(), String> {
    if !matches!(chars.get(*at), Some('e' | 'E')) {
        return Ok(());
    }
    let signed = usize::from(matches!(chars.get(*at + 1), Some('+' | '-')));
    let from = *at + 1 + signed;
    let count = chars[from.min(chars.len())..].iter().take_while(|c| c.is_ascii_digit()).count();
    if count == 0 {
        return Ok(()); // Euler's number, or a unit
    }
    if count > EXPONENT_DIGITS_MAX {
        return Err(format!(
            "the power of ten has more than {EXPONENT_DIGITS_MAX} digits\nuse smaller numbers"
        ));
    }
    number.push('e');
    number.extend(&chars[*at + 1..from + count]);
    *at = from + count;
    Ok(())
}

/// `3 x 4` and `3x4` are multiplications, `**` is a power.
fn multiplications(tokens: Vec<Token>) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let after_operand =
            matches!(out.last(), Some(Token::Number(_) | Token::Sign(')' | '%' | '!' | '²' | '³')));
        match token {
            Token::Word(word) if after_operand && word.starts_with(['x', 'X']) => {
                let rest = &word[1..];
                if rest.is_empty() {
                    out.push(Token::Sign('*'));
                } else if rest.bytes().all(|b| b.is_ascii_digit()) {
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
    for (at, token) in tokens.iter().enumerate() {
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
        let places = at.checked_sub(1).map(|before| &tokens[before]);
        if let ("dp" | "sf", Some(Token::Number(places))) = (lower.as_str(), places) {
            if places.parse::<u32>().map_or(true, |places| places > PLACES_MAX) {
                return Err(format!("at most {PLACES_MAX} places can be asked for"));
            }
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
            Err("`%` follows a number, like `5%`\nwrite `(…) / 100` for a percentage of a bracket"
                .to_owned())
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

/// Refuses percentages that people mean in two ways.
fn check_percent(tokens: &[Token], at: usize, of: bool) -> Result<(), String> {
    let before = at.checked_sub(1).map(|before| &tokens[before]);
    let left = at.checked_sub(2).map(|left| &tokens[left]);
    match (before, left) {
        (Some(Token::Sign('/' | '^')), _) if of => {
            Err("put brackets around the percentage: `10 / (20% of 50)`".to_owned())
        }
        (
            Some(Token::Sign('+' | '-')),
            Some(Token::Number(_) | Token::Word(_) | Token::Sign(')' | '!')),
        ) if !of => Err("adding a percentage can mean two things\n\
                 say of what it is: `100 + 10% of 100`, or give a number: `100 + 0.1`"
            .to_owned()),
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
