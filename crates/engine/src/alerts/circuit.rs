//! Circuits that opened, as alerts. A circuit has no commit: whoever watches raises it.
//!
//! Only the first opening in a row is told, and one dependency at most once in a stretch
//! of time, whichever process saw it: a dependency that flaps, or that ten processes lose
//! at once, is one alert.

use kernel::breaker::circuit::Standing;
use kernel::units::UnixMs;

use super::{Alert, Kind, line};
use crate::circuits::{Dependency, Trouble};
use crate::tap::Seen;

/// The stretch in which one dependency is told at most once, in milliseconds.
const STRETCH_MS: u64 = 600_000;

/// The alert that something seen comes to, if it is an opening.
pub(crate) fn opened(seen: &Seen, now: UnixMs) -> Option<Alert> {
    match seen {
        Seen::CircuitOpened { of, openings: 1, for_ms, why } => Some(alert(of, *for_ms, why, now)),
        Seen::CircuitOpened { .. }
        | Seen::CircuitClosed(_)
        | Seen::Committed(..)
        | Seen::Coming(..) => None,
    }
}

/// The alert of a circuit that is open, for watchers who missed its opening.
pub(crate) fn standing_open(trouble: &Trouble, now: UnixMs) -> Option<Alert> {
    match trouble.standing {
        Standing::Open { for_ms } => Some(alert(&trouble.of, for_ms, &trouble.why, now)),
        Standing::Closed | Standing::HalfOpen => None,
    }
}

fn alert(of: &Dependency, for_ms: u64, why: &str, now: UnixMs) -> Alert {
    let seconds = for_ms.div_ceil(1_000);
    let why = if why.is_empty() { String::new() } else { format!(": {}", line(why)) };
    Alert {
        key: format!("circuit/{of}/{}", now.0 / STRETCH_MS),
        at: now,
        kind: Kind::CircuitOpened,
        tenant: None,
        user: None,
        agent_id: None,
        session: None,
        run: None,
        cap: None,
        text: format!("{of} failed too often and is left alone for {seconds} s{why}"),
    }
}

#[cfg(test)]
mod tests {
    use kernel::units::Tenant;

    use super::*;

    #[test]
    fn the_first_opening_in_a_row_is_told_and_once_in_a_stretch() {
        let seen = |openings| Seen::CircuitOpened {
            of: Dependency::Tool { tenant: Tenant("t".to_owned()), tool: "weather".to_owned() },
            for_ms: 9_500,
            openings,
            why: "it\ncrashed".to_owned(),
        };
        let first = opened(&seen(1), UnixMs(0)).expect("an opening");
        let text = "tool `weather` of `t` failed too often and is left alone for 10 s: it crashed";
        assert_eq!(first.text, text);
        assert_eq!(opened(&seen(2), UnixMs(0)), None);
        let again = |at| opened(&seen(1), UnixMs(at)).expect("an opening").id();
        assert_eq!(again(STRETCH_MS - 1), first.id());
        assert_ne!(again(STRETCH_MS), first.id());
    }
}
