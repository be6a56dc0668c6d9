//! Which description a call was decided upon: between the decision and the call a server
//! may say something else.

use std::collections::{HashMap, VecDeque};

use crate::pin::Pin;

/// Calls that are remembered; older ones are decided by their stored pins alone.
const CALLS_MAX: usize = 4_096;

/// The pins of the calls that were examined last, by the calls' keys.
#[derive(Debug, Default)]
pub(crate) struct Decided {
    pins: HashMap<String, Decision>,
    order: VecDeque<String>,
}

/// What a call was examined under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) pin: Pin,
    /// Whether somebody was asked: then the call runs only because they agreed.
    pub(crate) asked: bool,
}

impl Decided {
    /// Remembers what a call was examined under.
    pub(crate) fn remember(&mut self, key: &str, decision: Decision) {
        if self.pins.insert(key.to_owned(), decision).is_none() {
            self.order.push_back(key.to_owned());
        }
        while self.order.len() > CALLS_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.pins.remove(&oldest);
            }
        }
    }

    /// What a call was examined under.
    pub(crate) fn of(&self, key: &str) -> Option<Decision> {
        self.pins.get(key).copied()
    }
}

#[cfg(test)]
mod tests {
    use kernel::units::ContentHash;

    use super::*;

    #[test]
    fn the_last_calls_are_remembered_and_no_more() {
        let pin = |n: usize| {
            let pin = Pin(ContentHash::of(&n.to_le_bytes()));
            Decision { pin, asked: false }
        };
        let mut decided = Decided::default();
        for call in 0..CALLS_MAX + 10 {
            decided.remember(&format!("call {call}"), pin(call));
            decided.remember(&format!("call {call}"), pin(call + 1));
        }
        assert_eq!(decided.of("call 9"), None);
        assert_eq!(decided.of("call 10"), Some(pin(11)));
        assert_eq!((decided.pins.len(), decided.order.len()), (CALLS_MAX, CALLS_MAX));
    }
}
