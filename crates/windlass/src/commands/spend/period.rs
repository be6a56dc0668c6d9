//! A day or a month of the calendar, as days counted from 1970-01-01 in UTC.

use std::str::FromStr;

use jiff::civil::Date;

/// Milliseconds in a day.
pub(super) const DAY_MS: u64 = 86_400_000;

/// The beginning of the count.
const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// The days from `first` to `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    /// The first day.
    pub(crate) first: u64,
    /// The last day.
    pub(crate) last: u64,
}

impl FromStr for Period {
    type Err = String;

    /// Reads a day like `2026-11-21` or a month like `2026-11`.
    fn from_str(text: &str) -> Result<Self, String> {
        let read = |text: &str| text.parse::<Date>().ok();
        let (first, last) = match (read(text), read(&format!("{text}-01"))) {
            (Some(day), _) => (day, day),
            (None, Some(month)) => (month, month.last_of_month()),
            (None, None) => return Err("write a day like `2026-11-21` or a month".to_owned()),
        };
        let number = |day: Date| {
            let days = day.since(EPOCH).ok().map(|span| span.get_days());
            days.and_then(|days| u64::try_from(days).ok())
        };
        match (number(first), number(last)) {
            (Some(first), Some(last)) => Ok(Period { first, last }),
            (_, _) => Err("there are no books from before 1970".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_months_are_read() {
        let cases = [
            ("1970-01-01", Some((0, 0))),
            ("1970-02", Some((31, 58))),
            ("2024-02", Some((19_754, 19_782))),
            ("2026-11-21", Some((20_778, 20_778))),
            ("1969-12", None),
            ("2026", None),
            ("2026-13", None),
            ("2026-02-30", None),
            ("today", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let read = text.parse::<Period>().ok().map(|period| (period.first, period.last));
            assert_eq!(read, expected, "{text}");
        }
    }
}
