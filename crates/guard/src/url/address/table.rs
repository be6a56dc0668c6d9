//! What is not a public address, and why. The first match counts.

/// How strictly a range is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Somebody's own network: a policy may lift it.
    Private,
    /// Credentials are served here: it must be listed by itself as well.
    Metadata,
    /// Nobody's address, or one that hides another.
    Never,
}

use Class::{Metadata, Never, Private};

/// Ranges with their class and what they are.
pub(super) const RANGES: [(&str, Class, &str); 56] = [
    ("169.254.169.254/32", Metadata, "the metadata service of most clouds"),
    ("169.254.170.2/32", Metadata, "the credentials of a container (Amazon ECS)"),
    ("169.254.170.23/32", Metadata, "the credentials of a pod (Amazon EKS)"),
    ("169.254.0.23/32", Metadata, "the metadata service of Tencent Cloud"),
    ("169.254.42.42/32", Metadata, "the metadata service of Scaleway"),
    ("100.100.100.200/32", Metadata, "the metadata service of Alibaba Cloud"),
    ("168.63.129.16/32", Metadata, "the host service of Azure"),
    ("192.0.0.192/32", Metadata, "the metadata service of Oracle Cloud (classic)"),
    ("fd00:ec2::254/128", Metadata, "the metadata service of Amazon EC2"),
    ("fd00:ec2::23/128", Metadata, "the credentials of a pod (Amazon EKS)"),
    ("fd20:ce::254/128", Metadata, "the metadata service of Google Cloud"),
    ("fd00:42::42/128", Metadata, "the metadata service of Scaleway"),
    ("fe80::a9fe:a9fe/128", Metadata, "the metadata service of OpenStack"),
    ("0.0.0.0/8", Never, "\"this network\", on many systems this machine (RFC 791)"),
    ("10.0.0.0/8", Private, "a private network (RFC 1918)"),
    ("100.64.0.0/10", Private, "a provider's shared address space (RFC 6598)"),
    ("127.0.0.0/8", Private, "this machine (RFC 1122)"),
    ("169.254.0.0/16", Private, "link-local (RFC 3927)"),
    ("172.16.0.0/12", Private, "a private network (RFC 1918)"),
    ("192.0.0.0/24", Never, "protocol assignments (RFC 6890)"),
    ("192.0.2.0/24", Never, "documentation (RFC 5737)"),
    ("192.88.99.0/24", Never, "6to4 relays, deprecated (RFC 7526)"),
    ("192.168.0.0/16", Private, "a private network (RFC 1918)"),
    ("198.18.0.0/15", Private, "networks for benchmarks (RFC 2544)"),
    ("198.51.100.0/24", Never, "documentation (RFC 5737)"),
    ("203.0.113.0/24", Never, "documentation (RFC 5737)"),
    ("224.0.0.0/4", Never, "multicast (RFC 1112)"),
    ("255.255.255.255/32", Never, "broadcast (RFC 919)"),
    ("240.0.0.0/4", Never, "reserved (RFC 1112)"),
    ("::/128", Never, "the unspecified address, on many systems this machine (RFC 4291)"),
    ("::1/128", Private, "this machine (RFC 4291)"),
    ("::ffff:0:0/96", Never, "an IPv4 address in an IPv6 one (RFC 4291)"),
    ("::ffff:0:0:0/96", Never, "an IPv4 address in an IPv6 one (RFC 2765)"),
    ("::/96", Never, "an IPv4 address in an IPv6 one, deprecated (RFC 4291)"),
    ("64:ff9b:1::/48", Never, "translation within a network (RFC 8215)"),
    ("100::/64", Never, "discarded (RFC 6666)"),
    ("100:0:0:1::/64", Never, "a dummy prefix (RFC 9780)"),
    ("2001::/32", Never, "Teredo, an IPv4 address in an IPv6 one (RFC 4380)"),
    ("2001:2::/48", Never, "networks for benchmarks (RFC 5180)"),
    ("2001:db8::/32", Never, "documentation (RFC 3849)"),
    ("2001:10::/28", Never, "ORCHID, deprecated (RFC 4843)"),
    ("2001:20::/28", Never, "ORCHIDv2, names that look like addresses (RFC 7343)"),
    ("2001:30::/28", Never, "names of drones (RFC 9374)"),
    ("2001::/23", Never, "protocol assignments (RFC 2928)"),
    ("2002::/16", Never, "6to4, an IPv4 address in an IPv6 one (RFC 3056)"),
    ("2620:4f:8000::/48", Never, "a sink for reverse queries of private addresses (RFC 7534)"),
    ("192.31.196.0/24", Never, "a sink for reverse queries of private addresses (RFC 7535)"),
    ("192.52.193.0/24", Never, "relays for multicast (RFC 7450)"),
    ("192.175.48.0/24", Never, "a sink for reverse queries of private addresses (RFC 7534)"),
    ("3ffe::/16", Never, "the 6bone, given back (RFC 3701)"),
    ("3fff::/20", Never, "documentation (RFC 9637)"),
    ("5f00::/16", Never, "segment routing (RFC 9602)"),
    ("fc00::/7", Private, "a private network (RFC 4193)"),
    ("fe80::/10", Private, "link-local (RFC 4291)"),
    ("fec0::/10", Never, "site-local, deprecated (RFC 3879)"),
    ("ff00::/8", Never, "multicast (RFC 4291)"),
];
