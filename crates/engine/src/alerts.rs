//! What operators are told without asking: a run trips, a cap is nearly used up,
//! something outside is left alone.
//!
//! An alert is a row that is committed together with the fact that causes it, so that
//! none is lost and none is invented; what is here is pure: the shapes, and what facts
//! and balances come to. [`sender`] brings the rows to those who subscribed. An alert is
//! for people: nothing in the house decides by one.

mod circuit;
pub mod sender;
mod trip;
mod warning;

pub(crate) use circuit::{opened, standing_open};
pub(crate) use trip::trips;
pub use warning::{Crossing, crossings, warnings};

use std::collections::BTreeSet;

use kernel::ledger::{Measure, Scope};
use kernel::units::{ContentHash, SessionId, Tenant, UnixMs};
use serde::{Deserialize, Serialize};

/// Hexadecimal digits of an alert's id.
const ID_DIGITS: usize = 32;

/// What an alert says once the content of its session was erased.
pub const ERASED: &str = "the content of its session was erased";

/// Longest piece of somebody else's words in an alert, in characters.
const WORDS_MAX: usize = 300;

/// What an alert is about. The codes are stable: receivers filter by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// So much of a cap is used that somebody wanted to know.
    CapWarning,
    /// A run parked because a cap has no room for its next call.
    CostCapExceeded,
    /// A run parked because it used all its turns.
    TurnCapReached,
    /// A run parked because it went round in circles.
    LoopDetected,
    /// A run parked because its model kept answering without the done signal.
    NoDoneSignal,
    /// A run parked because its provider was out for longer than its patience.
    ProviderOutage,
    /// A run parked until somebody mends something at its provider.
    ProviderNeedsMending,
    /// A run parked because the program met a mistake of its own in it.
    Faulted,
    /// A run parked because its owners died in the same act again and again.
    CrashLoop,
    /// Something outside failed too often and is left alone for a while.
    CircuitOpened,
    /// Somebody tries whether alerts arrive.
    Test,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 11] = [
        Kind::CapWarning,
        Kind::CostCapExceeded,
        Kind::TurnCapReached,
        Kind::LoopDetected,
        Kind::NoDoneSignal,
        Kind::ProviderOutage,
        Kind::ProviderNeedsMending,
        Kind::Faulted,
        Kind::CrashLoop,
        Kind::CircuitOpened,
        Kind::Test,
    ];

    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Kind::CapWarning => "cap_warning",
            Kind::CostCapExceeded => "cost_cap_exceeded",
            Kind::TurnCapReached => "turn_cap_reached",
            Kind::LoopDetected => "loop_detected",
            Kind::NoDoneSignal => "no_done_signal",
            Kind::ProviderOutage => "provider_outage",
            Kind::ProviderNeedsMending => "provider_needs_mending",
            Kind::Faulted => "faulted",
            Kind::CrashLoop => "crash_loop",
            Kind::CircuitOpened => "circuit_opened",
            Kind::Test => "test",
        }
    }
}

/// Something to be told. It is stored and sent as JSON: new fields are optional.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// What tells it from other alerts of its tenant: the same key is kept once.
    pub key: String,
    /// When it came to be.
    pub at: UnixMs,
    /// What it is about.
    pub kind: Kind,
    /// Whose it is. `None`: the installation's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Tenant>,
    /// The user of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The agent of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// The session whose fact caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The run in that session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<u32>,
    /// The cap that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<CapFigures>,
    /// All of it in words, for people: one line.
    pub text: String,
}

/// How a cap stands. Counts are nano-dollars, tokens or requests, as the measure says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapFigures {
    /// What the cap is put on.
    pub scope: Scope,
    /// What is counted.
    pub measure: Measure,
    /// The cap.
    pub max: u64,
    /// Used for certain.
    pub settled: u64,
    /// Reserved by calls in flight.
    pub held: u64,
}

impl Alert {
    /// The id that receivers tell alerts apart by: the same for the same tenant and key,
    /// whoever computes it and how often. 32 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> String {
        let owner = match &self.tenant {
            Some(tenant) => format!("tenant {}", tenant.0),
            None => "installation".to_owned(),
        };
        let mut digits = ContentHash::of(format!("{owner}\0{}", self.key).as_bytes()).to_string();
        digits.truncate(ID_DIGITS);
        digits
    }

    /// One structured line in the log of diagnostics.
    pub fn trace(&self) {
        let tenant = self.tenant.as_ref().map(|tenant| tenant.0.as_str());
        let session = self.session.map(tracing::field::display);
        let scope = self.cap.as_ref().map(|cap| tracing::field::display(&cap.scope));
        let (id, kind, run, text) = (self.id(), self.kind.code(), self.run, &self.text);
        tracing::warn!(id, kind, tenant, session, run, scope, text, "alert");
    }
}

/// Who wants to be told of what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscriptions {
    /// Parts of a cap, in thousandths from 1 to 1,000, that are worth a warning.
    pub warn_at_permille: Vec<u32>,
    /// Those who are told.
    pub subscribers: Vec<Subscriber>,
}

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// The operator's name for it, under which its deliveries are stored.
    pub name: String,
    /// What it wants to hear of. `None`: everything.
    pub kinds: Option<BTreeSet<Kind>>,
}

impl Subscriptions {
    /// The names of those who want to hear of this kind.
    #[must_use]
    pub fn to(&self, kind: Kind) -> Vec<String> {
        let wants =
            |one: &&Subscriber| one.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind));
        self.subscribers.iter().filter(wants).map(|one| one.name.clone()).collect()
    }
}

/// Words from outside in one line, without control characters, cut where they are long.
fn line(words: &str) -> String {
    let plain: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut line: String = plain.trim().chars().take(WORDS_MAX + 1).collect();
    if line.chars().count() > WORDS_MAX {
        line.pop();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(tenant: Option<&str>, key: &str) -> Alert {
        Alert {
            key: key.to_owned(),
            at: UnixMs(1),
            kind: Kind::Test,
            tenant: tenant.map(|name| Tenant(name.to_owned())),
            user: None,
            agent_id: None,
            session: None,
            run: None,
            cap: None,
            text: String::new(),
        }
    }

    #[test]
    fn ids_follow_from_tenant_and_key_alone() {
        let one = alert(Some("acme"), "a");
        let later = Alert { at: UnixMs(9), ..one.clone() };
        assert_eq!((one.id(), one.id().len()), (later.id(), ID_DIGITS));
        for other in [alert(Some("acme"), "b"), alert(Some("b"), "a"), alert(None, "a")] {
            assert_ne!(one.id(), other.id());
        }
    }

    #[test]
    fn codes_are_what_is_stored() {
        for kind in Kind::ALL {
            let stored = serde_json::to_value(kind).unwrap();
            assert_eq!(stored, kind.code());
        }
    }

    #[test]
    fn subscribers_hear_what_they_want() {
        let only = |name: &str, kinds: &[Kind]| Subscriber {
            name: name.to_owned(),
            kinds: Some(kinds.iter().copied().collect()),
        };
        let all = Subscriber { name: "all".to_owned(), kinds: None };
        let subscribers = vec![all, only("loops", &[Kind::CrashLoop]), only("nothing", &[])];
        let wanted = Subscriptions { warn_at_permille: vec![], subscribers };
        assert_eq!(wanted.to(Kind::CrashLoop), ["all", "loops"]);
        assert_eq!(wanted.to(Kind::CapWarning), ["all"]);
    }

    #[test]
    fn words_from_outside_stay_on_one_line() {
        assert_eq!(line(" a\r\nb\u{7} "), "a  b");
        assert_eq!(line(&"é".repeat(WORDS_MAX + 9)).chars().count(), WORDS_MAX + 1);
    }
}
