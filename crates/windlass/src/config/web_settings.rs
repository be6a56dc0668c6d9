//! The section `tools.web_fetch`: from where pages may be fetched.

use guard::url::Policy;

use super::expect::{Keys, Reader};
use super::fallbacks::yes_or_no;
use super::provider::optional;
use super::yaml::Entry;

const WEB_FETCH: Keys = Keys {
    of: "`tools.web_fetch`",
    known: &["allow_hosts", "allow_http", "allow_private", "ports"],
    required: &["allow_hosts"],
};

/// Reads the section.
pub(super) fn read(reader: &mut Reader, entry: &Entry) -> Option<Policy> {
    let section = reader.section(&entry.value, entry.key_span.clone(), &WEB_FETCH)?;
    let allow_hosts = section.get("allow_hosts").and_then(|entry| hosts(reader, entry));
    let http = optional(section.get("allow_http"), |entry| yes_or_no(reader, entry));
    let private = optional(section.get("allow_private"), |entry| yes_or_no(reader, entry));
    let ports = optional(section.get("ports"), |entry| ports(reader, entry));
    let plain = http?.unwrap_or(false).then(|| "http".to_owned());
    Some(Policy {
        allow_hosts: allow_hosts?,
        allow_schemes: std::iter::once("https".to_owned()).chain(plain).collect(),
        allow_ports: ports?.unwrap_or_default(),
        deny_private: !private?.unwrap_or(false),
    })
}

/// Reads a list of hosts, as a policy has them.
pub(super) fn hosts(reader: &mut Reader, entry: &Entry) -> Option<Vec<String>> {
    let texts = reader.texts(entry)?;
    let mut right = Some(());
    for (host, span) in &texts {
        let is_host = |c: char| c.is_alphanumeric() || ".-_*:[]".contains(c);
        if !host.chars().all(is_host) {
            let words = format!("`{}` holds names of hosts, without scheme and path", entry.key);
            let hint = "write `docs.example.com`, or `*.example.com` for all below it";
            right = reader.wrong(span.clone(), words, hint);
        }
    }
    right.map(|()| texts.into_iter().map(|(host, _)| host).collect())
}

fn ports(reader: &mut Reader, entry: &Entry) -> Option<Vec<u16>> {
    let items = reader.items(entry)?;
    let ports: Vec<_> = items.iter().map(|item| reader.whole(item, 1..=65_535, "ports")).collect();
    ports.into_iter().collect()
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    WEB_FETCH.known.iter().copied()
}
