//! Addresses: which of them are public, and what the others are.
//!
//! The table is the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890 and the RFCs
//! that added to them), with the addresses under which clouds serve credentials. IPv6 is
//! closed: outside of `2000::/3` only NAT64's well-known prefix is looked into.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::IpNet;
use kernel::verdict::Judgement;

use super::host::Listed;
use super::target::Host;
use super::{Policy, Target, denied};

mod table;

use table::{Class, RANGES};

/// Checks one address of a target.
///
/// # Errors
/// The denial with its reason.
pub fn check_address(ip: IpAddr, target: &Target, policy: &Policy) -> Result<(), Judgement> {
    let Some((class, what)) = special(ip) else {
        return Ok(());
    };
    let lifted = match class {
        Class::Private => !policy.deny_private,
        Class::Metadata => {
            let named = *target.host() == Host::Address(ip) && target.listed == Listed::Itself;
            named && !policy.deny_private
        }
        Class::Never => false,
    };
    if lifted {
        return Ok(());
    }
    let at = match target.host() {
        Host::Name(name) => format!("`{name}` resolves to {ip}: "),
        Host::Address(_) => format!("{ip}: "),
    };
    Err(denied(at + what))
}

/// Checks all that a name resolved to. One address that is not allowed spoils the answer: who
/// mixes public and private ones wants the check to see the one and the connection the other.
///
/// # Errors
/// The denial with its reason.
pub fn check_answer(
    addresses: &[IpAddr],
    target: &Target,
    policy: &Policy,
) -> Result<(), Judgement> {
    if addresses.is_empty() {
        return Err(denied(format!("`{}` does not resolve", target.host())));
    }
    addresses.iter().try_for_each(|ip| check_address(*ip, target, policy))
}

/// What an address is, where it is not an ordinary public one.
fn special(ip: IpAddr) -> Option<(Class, &'static str)> {
    if let Some(found) = registered(ip) {
        return Some(found);
    }
    match ip {
        IpAddr::V4(_) => None,
        IpAddr::V6(six) => match translated(six) {
            Some(four) => registered(IpAddr::V4(four)).map(|(_, what)| (Class::Never, what)),
            None if six.segments()[0] >> 13 != 1 => {
                Some((Class::Never, "outside of the global unicast addresses, 2000::/3"))
            }
            None if isatap(six) => {
                Some((Class::Never, "ISATAP, an IPv4 address in an IPv6 one (RFC 5214)"))
            }
            None => None,
        },
    }
}

fn registered(ip: IpAddr) -> Option<(Class, &'static str)> {
    static TABLE: LazyLock<Vec<(IpNet, Class, &str)>> = LazyLock::new(|| {
        let read = |(net, class, what): &(&str, Class, &'static str)| {
            (net.parse().expect("INVARIANT: the table is made of networks"), *class, *what)
        };
        RANGES.iter().map(read).collect()
    });
    let found = TABLE.iter().find(|(net, ..)| net.contains(&ip));
    found.map(|(_, class, what)| (*class, *what))
}

/// The IPv4 address that NAT64's well-known prefix leads to (RFC 6052). On networks without
/// IPv4 every public name resolves to such an address, so what is inside is judged.
fn translated(six: Ipv6Addr) -> Option<Ipv4Addr> {
    let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = six.segments() else {
        return None;
    };
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    Some(Ipv4Addr::new(a, b, c, d))
}

fn isatap(six: Ipv6Addr) -> bool {
    matches!(six.segments(), [_, _, _, _, 0 | 0x200, 0x5efe, _, _])
}
