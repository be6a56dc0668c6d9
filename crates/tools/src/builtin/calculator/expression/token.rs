//! The pieces of an expression: numbers as people write them, words, and signs. What is
//! no arithmetic is refused here, by its first character.

/// Digits of a power of ten, as in `1e9999`.
const EXPONENT_DIGITS_MAX: usize = 4;

/// A piece of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Number(String),
    Word(String),
    Sign(char),
}

/// The pieces of a text.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        let decimal = c == '.' && chars.get(at + 1).is_some_and(char::is_ascii_digit);
        if c.is_whitespace() {
            at += 1;
        } else if c.is_ascii_digit() || decimal {
            let from = at;
            let number = number(&chars, &mut at)?;
            if chars[from..at].contains(&',') && is_argument(&tokens, &chars[at..]) {
                return Err(format!(
                    "`,` in the brackets of a function can mean two things\n\
                     write `{number}` without it, and give one value"
                ));
            }
            tokens.push(Token::Number(number));
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

/// Whether a number with commas is all that stands in brackets after a word, where it
/// may be meant as several: `log(8,100)`.
fn is_argument(before: &[Token], after: &[char]) -> bool {
    let after_word = match before {
        [.., Token::Word(word), Token::Sign('(')] => {
            let word = word.as_str();
            !super::BETWEEN.contains(&word) && !super::CLOSED.contains(&word)
        }
        _ => false,
    };
    let next = after.iter().find(|c| !c.is_whitespace());
    after_word && matches!(next, Some(')' | ']' | '}'))
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
        let head = number.contains(',') || (number.len() <= 3 && !number.starts_with('0'));
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
