//! Outages to rehearse: which request goes wrong, and how.
//!
//! A plan is a list (`ok,529,ok`: the requests in their order, then all well) or rates
//! (`429:0.1,cut:0.05`: drawn by seed and request number, so that the same seed gives the
//! same outages whatever the timing). A request can also ask for its own fault.

use std::fmt;
use std::str::FromStr;

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// HTTP 429 with `retry-after`.
    RateLimited,
    /// No room for anybody: HTTP 529, or 503 in OpenAI's protocol. No `retry-after`.
    Overloaded,
    /// HTTP 500.
    Broken,
    /// The answer stops in the middle and the connection breaks.
    Cut,
    /// The answer becomes something that is no JSON.
    Malformed,
    /// The answer comes in pieces with long waits between them.
    Drip,
    /// The connection breaks in the middle of the response's headers.
    Refused,
}

/// Every fault with its name in plans and headers.
const NAMES: [(Fault, &str); 7] = [
    (Fault::RateLimited, "429"),
    (Fault::Overloaded, "529"),
    (Fault::Broken, "500"),
    (Fault::Cut, "cut"),
    (Fault::Malformed, "malformed"),
    (Fault::Drip, "drip"),
    (Fault::Refused, "refused"),
];

/// The word for a request that goes well.
const WELL: &str = "ok";

/// The sum of all rates cannot pass this: chances are counted in millionths.
const ALWAYS_PPM: u32 = 1_000_000;

impl Fault {
    /// The name in plans, headers and the meter.
    #[must_use]
    pub fn name(self) -> &'static str {
        let named = NAMES.iter().find(|(fault, _)| *fault == self);
        named.expect("INVARIANT: a test finds every fault in the list").1
    }

    /// Reads a name; `ok` is no fault.
    ///
    /// # Errors
    /// A word that is no fault's name, with all names as a hint.
    pub fn read(name: &str) -> Result<Option<Fault>, NotAPlan> {
        let name = name.trim();
        if name == WELL {
            return Ok(None);
        }
        let named = NAMES.iter().find(|(_, known)| *known == name);
        named.map(|(fault, _)| Some(*fault)).ok_or_else(|| NotAPlan::Unknown(name.to_owned()))
    }
}

/// Which requests go wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FaultPlan {
    /// None.
    #[default]
    Never,
    /// The first requests, in their order; all later ones go well.
    Listed(Vec<Option<Fault>>),
    /// Each request by chance: faults with their rates in millionths.
    Rates(Vec<(Fault, u32)>),
}

/// Why a text is not a plan of faults.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPlan {
    /// A word that names no fault.
    #[error(
        "`{0}` is not a fault\nhint: use {WELL}, {known}",
        known = NAMES.map(|(_, name)| name).join(", ")
    )]
    Unknown(String),
    /// A rate that is no number between 0 and 1.
    #[error(
        "`{0}` is not a rate\nhint: write a part of one with at most six decimals, like `cut:0.05`"
    )]
    NotARate(String),
    /// Rates that sum up to more than every request.
    #[error("the rates sum up to more than 1\nhint: each request has at most one fault")]
    TooMany,
    /// A list and rates in one text.
    #[error("`{0}` mixes a list with rates\nhint: write either `ok,529,ok` or `429:0.1,cut:0.05`")]
    Mixed(String),
}

impl FaultPlan {
    /// The fault of request number `number` (0 for the first).
    #[must_use]
    pub fn pick(&self, seed: u64, number: u64) -> Option<Fault> {
        match self {
            FaultPlan::Never => None,
            FaultPlan::Listed(faults) => {
                usize::try_from(number).ok().and_then(|at| faults.get(at)).copied().flatten()
            }
            FaultPlan::Rates(rates) => drawn(rates, seed, number),
        }
    }
}

/// A draw that hangs on the seed and the number alone. The odd factor sets neighbours
/// far apart (Knuth's multiplicative hashing, 2⁶⁴ divided by the golden ratio).
fn drawn(rates: &[(Fault, u32)], seed: u64, number: u64) -> Option<Fault> {
    let mixed = seed ^ number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut draw = fastrand::Rng::with_seed(mixed).u32(0..ALWAYS_PPM);
    for (fault, ppm) in rates {
        match draw.checked_sub(*ppm) {
            None => return Some(*fault),
            Some(left) => draw = left,
        }
    }
    None
}

impl FromStr for FaultPlan {
    type Err = NotAPlan;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split(',').map(str::trim).filter(|p| !p.is_empty()).collect();
        let rated = parts.iter().filter(|part| part.contains(':')).count();
        match (parts.len(), rated) {
            (0, _) => Ok(FaultPlan::Never),
            (_, 0) => {
                parts.into_iter().map(Fault::read).collect::<Result<_, _>>().map(Self::Listed)
            }
            (all, some) if all == some => rates(&parts).map(FaultPlan::Rates),
            (_, _) => Err(NotAPlan::Mixed(text.to_owned())),
        }
    }
}

fn rates(parts: &[&str]) -> Result<Vec<(Fault, u32)>, NotAPlan> {
    let mut rates = Vec::new();
    let mut all_ppm = 0;
    for part in parts {
        let (name, rate) = part.split_once(':').unwrap_or((part, ""));
        let rate_ppm = ppm(rate.trim()).ok_or_else(|| NotAPlan::NotARate(rate.to_owned()))?;
        all_ppm += rate_ppm;
        if all_ppm > ALWAYS_PPM {
            return Err(NotAPlan::TooMany);
        }
        // `ok` may have a rate too: it says nothing new.
        rates.extend(Fault::read(name)?.map(|fault| (fault, rate_ppm)));
    }
    Ok(rates)
}

/// Reads a decimal between 0 and 1 as millionths.
fn ppm(text: &str) -> Option<u32> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > 6 {
        return None;
    }
    let whole: u32 = whole.parse().ok().filter(|whole| *whole <= 1)?;
    let part: u32 = format!("{decimals:0<6}").parse().ok()?;
    Some(whole * ALWAYS_PPM + part).filter(|ppm| *ppm <= ALWAYS_PPM)
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Fault; 7] = [
        Fault::RateLimited,
        Fault::Overloaded,
        Fault::Broken,
        Fault::Cut,
        Fault::Malformed,
        Fault::Drip,
        Fault::Refused,
    ];

    #[test]
    fn every_fault_has_a_name_that_reads_back() {
        for fault in ALL {
            assert_eq!(Fault::read(fault.name()), Ok(Some(fault)));
        }
    }

    #[test]
    fn a_list_is_taken_in_order_and_then_all_is_well() {
        let plan: FaultPlan = "ok, 529,ok ,cut".parse().unwrap();
        let picked: Vec<_> = (0..6).map(|number| plan.pick(9, number)).collect();
        let expected = [None, Some(Fault::Overloaded), None, Some(Fault::Cut), None, None];
        assert_eq!(picked, expected);
        assert_eq!("".parse(), Ok(FaultPlan::Never));
        assert_eq!(FaultPlan::Never.pick(1, 1), None);
    }

    #[test]
    fn rates_come_true_and_the_same_seed_draws_the_same() {
        let plan: FaultPlan = "429:0.1,cut:0.05".parse().unwrap();
        let draws = |seed| (0..10_000).map(|n| plan.pick(seed, n)).collect::<Vec<_>>();
        let count = |fault| draws(7).iter().filter(|drawn| **drawn == fault).count();
        assert!((900..1_100).contains(&count(Some(Fault::RateLimited))));
        assert!((420..580).contains(&count(Some(Fault::Cut))));
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
        let always: FaultPlan = "500:1".parse().unwrap();
        assert!((0..100).all(|n| always.pick(1, n) == Some(Fault::Broken)));
        let never: FaultPlan = "500:0,ok:1".parse().unwrap();
        assert!((0..100).all(|n| never.pick(1, n).is_none()));
    }

    #[test]
    fn what_is_no_plan_says_why() {
        let cases = [
            ("503", "`503` is not a fault\nhint: use ok, 429, 529, 500, cut"),
            ("429:0.1,cut", "mixes a list with rates"),
            ("429:1.5", "`1.5` is not a rate"),
            ("429:", "`` is not a rate"),
            ("429:-1", "`-1` is not a rate"),
            ("429:0.0000001", "is not a rate"),
            ("nonsense:0.1", "`nonsense` is not a fault"),
            ("429:0.6,cut:0.6", "more than 1"),
        ];
        for (text, words) in cases {
            let error = text.parse::<FaultPlan>().unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
