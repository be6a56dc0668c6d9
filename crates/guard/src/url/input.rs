//! A case in a file: a URL with everything that the world would answer.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use kernel::verdict::{Examined, Judgement};
use serde::Deserialize;
use serde_json::Value;

use super::{Host, Policy, Target, Trail, check, check_answer, denied};

/// A URL, what names resolve to, and the redirects that would follow.
#[derive(Clone, Debug, Deserialize)]
pub struct Input {
    /// The case's name, given back as it came.
    #[serde(default)]
    pub id: Value,
    /// Where requests may go.
    #[serde(default)]
    pub policy: Policy,
    /// The URL.
    pub url: String,
    /// What names resolve to. A name that is missing does not resolve.
    #[serde(default, deserialize_with = "super::given")]
    pub dns: BTreeMap<String, Vec<String>>,
    /// The `Location` of each answer, in their order; relative ones are read against the
    /// URL before.
    #[serde(default, deserialize_with = "super::given")]
    pub redirects: Vec<String>,
}

/// The verdict on a URL with its redirects, and the hosts that would be asked.
#[must_use]
pub fn judge(input: &Input) -> Examined {
    let mut hosts = BTreeSet::new();
    let judgement = match walk(input, &mut hosts) {
        Ok(()) => Judgement::allow(),
        Err(refused) => refused,
    };
    Examined { hosts, ..Examined::judged(judgement) }
}

fn walk(input: &Input, hosts: &mut BTreeSet<String>) -> Result<(), Judgement> {
    let mut here = check(&input.url, &input.policy)?;
    let mut trail = Trail::new(&here);
    arrive(&here, input, hosts)?;
    for location in &input.redirects {
        here = trail.follow(&here, location, &input.policy)?;
        arrive(&here, input, hosts)?;
    }
    Ok(())
}

fn arrive(here: &Target, input: &Input, hosts: &mut BTreeSet<String>) -> Result<(), Judgement> {
    hosts.insert(here.host().to_string());
    match here.host() {
        Host::Address(_) => Ok(()),
        Host::Name(name) => check_answer(&resolve(name, &input.dns)?, here, &input.policy),
    }
}

fn resolve(name: &str, dns: &BTreeMap<String, Vec<String>>) -> Result<Vec<IpAddr>, Judgement> {
    let same = |key: &str| {
        let key = key.strip_suffix('.').unwrap_or(key);
        key.eq_ignore_ascii_case(name)
            || matches!(url::Host::parse(key), Ok(url::Host::Domain(key)) if key == name)
    };
    let answers = dns.iter().filter(|(key, _)| same(key)).flat_map(|(_, answers)| answers);
    let read = |text: &String| {
        text.parse().map_err(|_| denied(format!("`{name}` resolves to `{text}`, no address")))
    };
    answers.map(read).collect()
}
