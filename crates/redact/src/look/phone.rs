//! Telephone numbers: international ones by their form (ITU-T E.164), national ones by
//! the forms of many countries, anything else by the word before it.

use super::Search;
use super::number::Window;
use crate::check::digits::{is_day, number, of};
use crate::class::Class;
use crate::words::before;

/// Words back from a number that may say that it is a telephone.
const WORDS_NEAR: usize = 4;

/// Verbs say so only from nearer: `call me at …`, but not `call the function with …`.
const VERBS_NEAR: usize = 3;

impl Search<'_> {
    /// Whether a window is a telephone number.
    pub(super) fn phone(&mut self, window: &Window<'_>) -> bool {
        if !self.classes.contains(Class::Phone) || is_date(window) {
            return false;
        }
        let by_form = is_international(window);
        let (national, may_be) = (is_national(window), may_be(window));
        let likely = by_form || ((national || may_be) && self.is_called(window, national));
        if !likely || slashed(window) {
            return false;
        }
        self.add(Class::Phone, "phone", (window.outer_start(), window.end()));
        true
    }

    /// Whether the words before it let it be a telephone number, or say so.
    fn is_called(&self, window: &Window<'_>, by_form: bool) -> bool {
        let words = before(window.text, window.outer_start());
        let known = &self.rules.words;
        let is_other = |word: &&String| known.not_person_words.contains(*word);
        let mut near = words.iter().take(WORDS_NEAR).take_while(|word| !is_other(word)).enumerate();
        let said = near.any(|(at, word)| {
            known.phone_words.contains(word)
                || (at < VERBS_NEAR && known.phone_verbs.contains(word))
        });
        said || (by_form && !words.iter().take(2).any(|word| is_other(&word)))
    }
}

/// A path, not a sentence, goes on to this number.
fn slashed(window: &Window<'_>) -> bool {
    window.text[..window.outer_start()].ends_with('/')
}

/// Year, month, day in either order, perhaps with a time after them.
fn is_date(window: &Window<'_>) -> bool {
    let value = |at: usize| window.group(at).parse::<u64>().unwrap_or(0);
    let year = |at: usize| window.group(at).len() == 4 && (1900..=2100).contains(&value(at));
    let short = |at: usize| matches!(window.group(at).len(), 1 | 2);
    if window.groups.len() < 3 || window.plus {
        return false;
    }
    (0..window.groups.len() - 2).any(|at| {
        let forward =
            year(at) && short(at + 1) && short(at + 2) && is_day(value(at + 1), value(at + 2));
        let backward = short(at)
            && short(at + 1)
            && year(at + 2)
            && (is_day(value(at + 1), value(at)) || is_day(value(at), value(at + 1)));
        forward || backward
    })
}

/// A plus or two zeros, the code of a country, and a length that its plan allows.
fn is_international(window: &Window<'_>) -> bool {
    let digits = of(&window.text[window.start()..window.end()]);
    if window.plus {
        return is_plan(&digits) && !sums(window);
    }
    digits.starts_with(&[0, 0])
        && digits.len() >= 11
        && window.groups.len() > 1
        && is_plan(&digits[2..])
}

/// `x = +12345678`: a sum, not a call.
fn sums(window: &Window<'_>) -> bool {
    let before = window.text[..window.outer_start()].trim_end_matches(' ');
    before.ends_with(['=', '*', '^', '+', '×'])
}

fn is_plan(digits: &[u8]) -> bool {
    let length = digits.len();
    let country = number(&digits[..digits.len().min(3)]);
    match (digits.first(), country) {
        (Some(1), _) => length == 11 && digits[1] > 1 && digits[4] > 1,
        (Some(7), _) => length == 11,
        (Some(0) | None, _) => false,
        (Some(_), 210 | 214 | 215 | 217 | 219 | 259 | 292..=296 | 384 | 388 | 422 | 424..=499)
            if !(430..=499).contains(&country) =>
        {
            false
        }
        (Some(_), _) => (8..=15).contains(&length),
    }
}

/// National forms that are hardly anything else.
fn is_national(window: &Window<'_>) -> bool {
    let first = window.group(0);
    let lengths = window.lengths().collect::<Vec<_>>();
    let sign = window.separator();
    let digits = window.digits();
    let leading_zero = first.starts_with('0') && !first.starts_with("00");
    let service = lengths == [4, 3, 3] && matches!(first, "1300" | "1800");
    let russian = lengths == [1, 3, 3, 2, 2] && matches!(first, "7" | "8") && sign.is_none();
    if is_north_american(window) || service || russian {
        return true;
    }
    let in_parentheses = window.paren && !window.plus && matches!(first.len(), 2..=5);
    if in_parentheses && lengths.len() > 1 {
        return (9..=12).contains(&digits);
    }
    let pairs = lengths == [2, 2, 2, 2, 2] && sign.is_some();
    let dotted = window.groups.iter().any(|group| group.after == b'.');
    let grouped = lengths.len() > 1 && lengths.len() < 7 && (!dotted || pairs);
    let area = match first.len() {
        2 => {
            pairs
                || matches!(
                    lengths[1..],
                    [8] | [4, 4] | [3, 3, 2, 2] | [3, 2, 2] | [3, 4] | [4, 3] | [3, 2, 2, 2]
                )
        }
        3..=5 => true,
        _ => false,
    };
    leading_zero && grouped && area && (9..=12).contains(&digits)
}

/// 3-3-4 as it is written in North America. Its plan has no area that begins with 0 or 1,
/// but people who make numbers up do not know that.
fn is_north_american(window: &Window<'_>) -> bool {
    let skip = usize::from(window.groups.len() == 4 && window.group(0) == "1");
    let area = window.group(skip);
    let signs = window.groups.iter().skip(skip).map(|group| group.after).take(2);
    let signs = signs.collect::<Vec<_>>();
    let in_plan = area.starts_with(|c: char| ('2'..='9').contains(&c));
    let written = match signs[..] {
        [b'-', b'-'] | [b')', b'-' | b' ' | b'.'] => !area.starts_with('0'),
        [b'.', b'.'] => in_plan,
        [b' ', b' '] => skip == 1 && in_plan,
        _ => false,
    };
    written && window.lengths().skip(skip).eq([3, 3, 4])
}

/// What a word such as `phone` makes a telephone number of.
fn may_be(window: &Window<'_>) -> bool {
    let digits = window.digits();
    let first = window.group(0);
    let epoch = window.groups.len() == 1 && first.starts_with('1') && matches!(digits, 10 | 13);
    (7..=15).contains(&digits)
        && !epoch
        && window.lengths().all(|length| length > 1 || window.groups.len() < 6)
}
