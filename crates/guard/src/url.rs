//! URLs: where a request would really go, and whether it may.
//!
//! A URL is read by the reader that the HTTP client uses (WHATWG), and refused where another
//! reader could see a different host in it. Names are compared with a list, addresses with
//! the IANA registries; every redirect is judged like the first URL. Nothing is resolved
//! here: a fetcher resolves once, asks [`check_answer`], and connects to one of those
//! addresses and to no other.
//!
//! ```
//! use guard::url::{Policy, Trail, check, check_answer};
//!
//! let policy = Policy { allow_hosts: vec!["*.example.com".into()], ..Policy::default() };
//! let target = check("https://docs.example.com/start", &policy).unwrap();
//! // The fetcher resolves `docs.example.com`, once, and connects to what was checked.
//! check_answer(&["93.184.215.14".parse().unwrap()], &target, &policy).unwrap();
//! // The server answers with a redirect.
//! let mut trail = Trail::new(&target);
//! let refused = trail.follow(&target, "http://169.254.169.254/latest", &policy).unwrap_err();
//! assert_eq!(refused.reasons, ["the scheme `http` is not allowed"]);
//! ```

mod address;
mod host;
mod input;
mod spelling;
mod target;
mod trail;
pub(crate) mod unseen;

pub use address::{check_address, check_answer};
pub use input::{Input, judge};
pub use target::{Host, Target, check};
pub use trail::Trail;

use kernel::verdict::{Judgement, Verdict};
use serde::{Deserialize, Deserializer};

/// The longest URL that is read, in bytes.
pub const URL_BYTES_MAX: usize = 4096;

/// How many redirects are followed, one after another.
pub const REDIRECTS_MAX: usize = 5;

/// The name under which this guard signs.
const GUARD: &str = "url";

/// Where requests may go. What is not listed is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Hosts: exact names, addresses, `*.example.com` for everything below `example.com`
    /// (at any depth; `example.com` itself is not below itself), or `*` for every host.
    /// What a wildcard stands for is plain ASCII: an international name must be on the list
    /// itself, in either form. An entry that is none of these matches nothing.
    #[serde(deserialize_with = "given")]
    pub allow_hosts: Vec<String>,
    /// `https`, `http` or both. Empty: `https`. Other schemes are never allowed.
    #[serde(deserialize_with = "given")]
    pub allow_schemes: Vec<String>,
    /// Ports. Empty: the one that belongs to the scheme.
    #[serde(deserialize_with = "given")]
    pub allow_ports: Vec<u16>,
    /// Whether private and local addresses are refused. Where they are not, an allowed host
    /// may have one; addresses with instance metadata must be listed themselves, and what is
    /// nobody's address (multicast, documentation, reserved) is refused all the same.
    #[serde(deserialize_with = "on_unless_false")]
    pub deny_private: bool,
}

impl Default for Policy {
    /// Nothing is allowed.
    fn default() -> Self {
        Policy {
            allow_hosts: Vec::new(),
            allow_schemes: Vec::new(),
            allow_ports: Vec::new(),
            deny_private: true,
        }
    }
}

/// A list that may be left out or null.
fn given<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

fn on_unless_false<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(true))
}

fn denied(reason: impl Into<String>) -> Judgement {
    Judgement::new(Verdict::Deny, GUARD, reason)
}
