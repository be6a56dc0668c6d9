//! One place that a request may go to.

use std::fmt;
use std::net::IpAddr;

use kernel::verdict::Judgement;
use url::{Host as Read, Url};

use super::host::{self, Listed};
use super::spelling::{self, Authority};
use super::{Policy, address, denied};

/// A host as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A name in lower case, international parts in punycode.
    Name(String),
    /// An address.
    Address(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Address(address) => address.fmt(f),
        }
    }
}

/// A URL that a policy allows. Where its host is a name, what it resolves to is still to be
/// checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    url: Url,
    host: Host,
    port: u16,
    pub(super) listed: Listed,
}

/// Reads a URL and says where it leads, if it may be asked.
///
/// # Errors
/// The denial with its reason.
pub fn check(text: &str, policy: &Policy) -> Result<Target, Judgement> {
    let Some(authority) = spelling::authority(text).map_err(denied)? else {
        return Err(denied("the URL does not begin with a scheme and `//`"));
    };
    let url = Url::parse(text).map_err(|error| denied(format!("not a URL: {error}")))?;
    Target::allowed(url, Some(authority), policy)
}

impl Target {
    fn allowed(
        url: Url,
        authority: Option<Authority<'_>>,
        policy: &Policy,
    ) -> Result<Self, Judgement> {
        scheme_allowed(&url, policy)?;
        let read = url.host().ok_or_else(|| denied("the URL has no host"))?;
        let host = match authority {
            Some(authority) => as_spelled(authority, &read).map_err(denied)?,
            None => as_read(&read),
        };
        let port = port_allowed(&url, policy)?;
        let Some(listed) = host::listed(&host, &policy.allow_hosts) else {
            return Err(denied(format!("`{host}` is not an allowed host")));
        };
        host::permitted(&host, listed, policy.deny_private).map_err(denied)?;
        let target = Target { url, host, port, listed };
        if let Host::Address(ip) = target.host {
            address::check_address(ip, &target, policy)?;
        }
        Ok(target)
    }

    /// Where a redirect from here leads: `location` is read relative to this URL and judged
    /// as if it had been asked for. Counting and loops are a [`super::Trail`]'s.
    ///
    /// # Errors
    /// The denial with its reason.
    pub fn redirected(&self, location: &str, policy: &Policy) -> Result<Target, Judgement> {
        let authority = spelling::authority(location).map_err(denied)?;
        let url = self.url.join(location);
        let url = url.map_err(|error| denied(format!("the redirect is not a URL: {error}")))?;
        Target::allowed(url, authority, policy)
    }

    /// The URL to ask for.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port, also where the URL does not name it.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether credentials that were meant for `before` may be sent here: the scheme, the
    /// host and the port are the same.
    #[must_use]
    pub fn keeps_credentials_of(&self, before: &Target) -> bool {
        self.url.scheme() == before.url.scheme()
            && self.host == before.host
            && self.port == before.port
    }
}

fn scheme_allowed(url: &Url, policy: &Policy) -> Result<(), Judgement> {
    let scheme = url.scheme();
    let listed = if policy.allow_schemes.is_empty() {
        scheme == "https"
    } else {
        policy.allow_schemes.iter().any(|allowed| allowed.eq_ignore_ascii_case(scheme))
    };
    if listed && matches!(scheme, "http" | "https") {
        return Ok(());
    }
    Err(denied(format!("the scheme `{scheme}` is not allowed")))
}

fn port_allowed(url: &Url, policy: &Policy) -> Result<u16, Judgement> {
    let usual = if url.scheme() == "https" { 443 } else { 80 };
    let port = url.port().unwrap_or(usual);
    let listed = if policy.allow_ports.is_empty() {
        port == usual
    } else {
        policy.allow_ports.contains(&port)
    };
    if listed { Ok(port) } else { Err(denied(format!("port {port} is not allowed"))) }
}

fn as_read(read: &Read<&str>) -> Host {
    match read {
        Read::Domain(name) => Host::Name((*name).to_owned()),
        Read::Ipv4(address) => Host::Address(IpAddr::V4(*address)),
        Read::Ipv6(address) => Host::Address(IpAddr::V6(*address)),
    }
}

/// The host that was read, where everybody would have read the same.
fn as_spelled(authority: Authority<'_>, read: &Read<&str>) -> Result<Host, String> {
    if let Some(port) = authority.port {
        spelling::port(port)?;
    }
    match read {
        Read::Domain(name) => host::name_as_spelled(authority.host, name)?,
        Read::Ipv4(address) if address.to_string() != authority.host => {
            return Err(format!("`{}` is another spelling of {address}", authority.host));
        }
        Read::Ipv4(_) | Read::Ipv6(_) => {}
    }
    Ok(as_read(read))
}
