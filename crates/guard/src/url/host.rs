//! Names of hosts: whether a name is spelled so that everybody reads the same, and whether
//! it is listed.

use std::net::IpAddr;

use unicode_normalization::UnicodeNormalization;
use url::Host as Read;

use super::target::Host;
use super::unseen::unseen;

/// Names behind which clouds and clusters keep credentials. They must be listed themselves.
const INTERNAL_NAMES: [&str; 17] = [
    "alibaba-metadata.aliyun.internal",
    "instance-data",
    "instance-data.ec2.internal",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "metadata",
    "metadata.aws.internal",
    "metadata.azure.internal",
    "metadata.goog",
    "metadata.google.internal",
    "metadata.oraclecloud.com",
    "metadata.packet.net",
    "metadata.platformequinix.com",
    "metadata.tencentyun.com",
    "rancher-metadata",
];

/// How a host is on a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Listed {
    /// By `*`.
    Any,
    /// By a wildcard above it.
    Below,
    /// By itself.
    Itself,
}

/// The strongest way in which a host is listed, if it is.
pub(super) fn listed(host: &Host, entries: &[String]) -> Option<Listed> {
    entries.iter().filter_map(|entry| matches(host, entry)).max()
}

/// A wildcard covers plain names only: an international one under it could be anybody's
/// look-alike, so that part must be on the list.
fn matches(host: &Host, entry: &str) -> Option<Listed> {
    if entry == "*" {
        let covered = match host {
            Host::Name(name) => !international(name),
            Host::Address(_) => true,
        };
        return covered.then_some(Listed::Any);
    }
    if let Some(above) = entry.strip_prefix("*.") {
        let (Host::Name(name), Some(Host::Name(above))) = (host, entry_host(above)) else {
            return None;
        };
        let below = name.strip_suffix(above.as_str())?;
        return (below.ends_with('.') && !international(below)).then_some(Listed::Below);
    }
    (entry_host(entry).as_ref() == Some(host)).then_some(Listed::Itself)
}

fn international(name: &str) -> bool {
    name.split('.').any(|label| label.starts_with("xn--"))
}

/// The host that an entry of the list means: an address as everybody writes it, or a name in
/// the form that goes over the wire.
fn entry_host(entry: &str) -> Option<Host> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Some(Host::Address(address));
    }
    match Read::parse(entry).ok()? {
        Read::Domain(name) => name_as_spelled(entry, &name).ok().map(|()| Host::Name(name)),
        Read::Ipv4(_) | Read::Ipv6(_) => None,
    }
}

/// Whether a listed host may be asked at all: some names need more than a wildcard.
pub(super) fn permitted(host: &Host, how: Listed, deny_private: bool) -> Result<(), String> {
    let Host::Name(name) = host else {
        return Ok(());
    };
    if INTERNAL_NAMES.contains(&name.as_str()) && how != Listed::Itself {
        return Err(format!("`{name}` serves instance metadata or secrets"));
    }
    if deny_private && (name == "localhost" || name.ends_with(".localhost")) {
        return Err(format!("`{name}` is this machine"));
    }
    Ok(())
}

/// Whether a name, as it was written, could be read only as `read`: no empty labels, no dot
/// at its end, nothing that becomes another character on the way.
pub(super) fn name_as_spelled(written: &str, read: &str) -> Result<(), String> {
    if written.is_ascii() {
        if !written.eq_ignore_ascii_case(read) {
            return Err(format!("the host `{written}` would be read as `{read}`"));
        }
    } else {
        stays_international(written, read)?;
    }
    if read.ends_with('.') {
        return Err(format!("the host `{read}` ends with a dot"));
    }
    if read.len() > 253 {
        return Err("the host's name is longer than 253 bytes".into());
    }
    for label in read.split('.') {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if label.is_empty() || label.len() > 63 || !label.chars().all(plain) {
            return Err(format!("the host `{read}` has a part that is not a name"));
        }
    }
    Ok(())
}

/// An international name must stand in its own normal form and stay international: a
/// full-width `ａ`, a circled letter or a soft hyphen turns into something else on the way.
fn stays_international(written: &str, read: &str) -> Result<(), String> {
    let lower = written.to_lowercase();
    let normal = lower.nfkc().eq(lower.chars()) && !lower.chars().any(unseen);
    let labels = |text: &str| text.split('.').count();
    let stays = labels(&lower) == labels(read)
        && lower.split('.').zip(read.split('.')).all(|(before, after)| {
            if before.is_ascii() { before == after } else { after.starts_with("xn--") }
        });
    if normal && stays {
        return Ok(());
    }
    Err(format!("the host `{written}` has characters that turn into others: `{read}`"))
}
