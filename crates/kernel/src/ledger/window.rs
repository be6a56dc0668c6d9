//! Windows of the calendar: which one an instant falls into, and when it turns.
//!
//! Days begin at midnight of a settable offset from UTC, weeks on Monday (ISO 8601),
//! months on their first. There is no daylight saving: an offset is fixed.

use jiff::civil::{Date, DateTime, time};
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::units::UnixMs;

/// How long a budget counts before it begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// An hour of the clock.
    Hour,
    /// A day.
    Day,
    /// A week from Monday.
    Week,
    /// A month.
    Month,
    /// It never begins anew.
    Ever,
}

/// One window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its name: `2026-11-21T14`, `2026-11-21`, `2026-W47`, `2026-11`.
    pub name: String,
    /// The first instant after it.
    pub ends: UnixMs,
}

/// The farthest that local midnight may lie from midnight in UTC, in minutes.
pub const OFFSET_MINUTES_MAX: i32 = 18 * 60;

impl Window {
    /// The window that `now` falls into, where days begin `offset_minutes` before they do
    /// in UTC (east is positive; at most [`OFFSET_MINUTES_MAX`] either way). `None` where
    /// there are no windows, or no calendar for that instant.
    #[must_use]
    pub fn at(self, now: UnixMs, offset_minutes: i32) -> Option<Span> {
        let minutes = offset_minutes.clamp(-OFFSET_MINUTES_MAX, OFFSET_MINUTES_MAX);
        let offset = Offset::from_seconds(minutes * 60).ok()?;
        let now = Timestamp::from_millisecond(i64::try_from(now.0).ok()?).ok()?;
        let local = offset.to_datetime(now);
        let (name, next) = self.around(local)?;
        let ends = offset.to_timestamp(next).ok()?.as_millisecond();
        Some(Span { name, ends: UnixMs(u64::try_from(ends).ok()?) })
    }

    /// The window's name and the beginning of the next one.
    fn around(self, local: DateTime) -> Option<(String, DateTime)> {
        let date = local.date();
        let midnight = |date: Date| date.to_datetime(time(0, 0, 0, 0));
        match self {
            Window::Ever => None,
            Window::Hour => {
                let hour = date.to_datetime(time(local.hour(), 0, 0, 0));
                let name = format!("{date}T{:02}", local.hour());
                Some((name, hour.checked_add(1.hour()).ok()?))
            }
            Window::Day => Some((date.to_string(), midnight(date.tomorrow().ok()?))),
            Window::Week => {
                let week = date.iso_week_date();
                let monday = week.first_of_week().ok()?.date();
                let name = format!("{}-W{:02}", week.year(), week.week());
                Some((name, midnight(monday.checked_add(7.days()).ok()?)))
            }
            Window::Month => {
                let next = date.first_of_month().checked_add(1.month()).ok()?;
                Some((format!("{}-{:02}", date.year(), date.month()), midnight(next)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_turn_by_the_calendar() {
        // (window, offset in minutes, instant, name, end)
        let cases = [
            (Window::Hour, 0, "2026-11-21T14:59:59Z", "2026-11-21T14", "2026-11-21T15:00:00Z"),
            (Window::Day, 0, "2026-11-21T00:00:00Z", "2026-11-21", "2026-11-22T00:00:00Z"),
            (Window::Day, 60, "2026-11-21T23:00:00Z", "2026-11-22", "2026-11-22T23:00:00Z"),
            (Window::Day, -480, "2026-11-21T07:59:59Z", "2026-11-20", "2026-11-21T08:00:00Z"),
            (Window::Day, 330, "2026-02-28T18:30:00Z", "2026-03-01", "2026-03-01T18:30:00Z"),
            (Window::Week, 0, "2026-11-22T23:59:59Z", "2026-W47", "2026-11-23T00:00:00Z"),
            (Window::Week, 0, "2027-01-03T12:00:00Z", "2026-W53", "2027-01-04T00:00:00Z"),
            (Window::Month, 0, "2024-02-29T23:59:59Z", "2024-02", "2024-03-01T00:00:00Z"),
            (Window::Month, 60, "2026-12-31T23:00:00Z", "2027-01", "2027-01-31T23:00:00Z"),
        ];
        for (window, offset, at, name, ends) in cases {
            let instant = |text: &str| {
                let instant: Timestamp = text.parse().unwrap();
                UnixMs(instant.as_millisecond().cast_unsigned())
            };
            let expected = Span { name: name.to_owned(), ends: instant(ends) };
            assert_eq!(window.at(instant(at), offset), Some(expected), "{window:?} at {at}");
        }
    }

    #[test]
    fn what_never_turns_has_no_window_and_no_instant_is_too_large() {
        assert_eq!(Window::Ever.at(UnixMs(0), 0), None);
        assert_eq!(Window::Day.at(UnixMs(u64::MAX), 0), None);
        assert!(Window::Day.at(UnixMs(0), i32::MAX).is_some());
    }
}
