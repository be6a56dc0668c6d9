//! The section `tools.bash`: what the shell is granted.

use std::collections::BTreeMap;
use std::path::PathBuf;

use guard::shell::Grants;
use guard::url::Policy;
use tools::Bash;

use super::super::environment::is_name;
use super::super::expect::{Keys, Reader, Section};
use super::super::fallbacks::yes_or_no;
use super::super::provider::optional;
use super::super::yaml::Entry;

pub(super) const BASH: Keys = Keys {
    of: "`tools.bash`",
    known: &["allow", "network", "env", "read", "memory_mb", "processes"],
    required: &[],
};

pub(super) const NETWORK: Keys = Keys {
    of: "`tools.bash.network`",
    known: &["allow_hosts", "allow_ports", "deny_private"],
    required: &["allow_hosts"],
};

/// What a mebibyte is, in bytes.
const MIB: u64 = 1024 * 1024;

/// Reads the section.
pub(super) fn read(reader: &mut Reader, section: &Section) -> Option<Bash> {
    let usual = Bash::default();
    let allow = optional(section.get("allow"), |entry| allow(reader, entry));
    let network = optional(section.get("network"), |entry| network(reader, entry));
    let env = optional(section.get("env"), |entry| env(reader, entry));
    let paths = optional(section.get("read"), |entry| paths(reader, entry));
    let memory =
        optional(section.get("memory_mb"), |entry| reader.whole(entry, 64..=1_048_576, "MiB"));
    let tasks =
        optional(section.get("processes"), |entry| reader.whole(entry, 8..=65_536, "processes"));
    let mut limits = usual.limits;
    limits.memory_bytes_max = memory?.map_or(limits.memory_bytes_max, |mib: u64| mib * MIB);
    limits.tasks_max = tasks?.unwrap_or(limits.tasks_max);
    Some(Bash {
        allow: allow?.unwrap_or_default(),
        network: network?,
        env: env?.unwrap_or_default(),
        read: paths?.unwrap_or_default(),
        limits,
    })
}

/// The entries; one that would grant nothing is a mistake.
fn allow(reader: &mut Reader, entry: &Entry) -> Option<Vec<String>> {
    let mut all = Vec::new();
    let mut good = true;
    for (text, span) in reader.texts(entry)? {
        if Grants::new([&text]).unread().is_empty() {
            all.push(text);
        } else {
            let words = format!("`{text}` is more than the first words of a command");
            let hint = "write a program and its plain words, like `git status`, without signs of \
                        the shell; all that follows them is read and judged";
            reader.wrong::<()>(span, words, hint);
            good = false;
        }
    }
    good.then_some(all)
}

fn network(reader: &mut Reader, entry: &Entry) -> Option<Policy> {
    let section = reader.section(&entry.value, entry.key_span.clone(), &NETWORK)?;
    let hosts = section.get("allow_hosts").map(|entry| reader.texts(entry));
    let ports = optional(section.get("allow_ports"), |entry| {
        let ports = reader.items(entry)?;
        ports.iter().map(|port| reader.whole(port, 1..=u16::MAX, "(a port)")).collect()
    });
    let private = optional(section.get("deny_private"), |entry| yes_or_no(reader, entry));
    Some(Policy {
        allow_hosts: hosts??.into_iter().map(|(host, _)| host).collect(),
        allow_schemes: vec!["https".to_owned(), "http".to_owned()],
        allow_ports: ports?.unwrap_or_else(|| vec![443, 80]),
        deny_private: private?.unwrap_or(true),
    })
}

fn env(reader: &mut Reader, entry: &Entry) -> Option<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    let mut good = true;
    for variable in reader.mapping(entry)? {
        if !is_name(&variable.key) {
            let words = format!("`{}` is no name of a variable", variable.key);
            reader.wrong::<()>(variable.key_span.clone(), words, "write it like `CARGO_HOME`");
            good = false;
        } else if let Some(value) = reader.text(variable) {
            all.insert(variable.key.clone(), value);
        } else {
            good = false;
        }
    }
    good.then_some(all)
}

fn paths(reader: &mut Reader, entry: &Entry) -> Option<Vec<PathBuf>> {
    let mut all = Vec::new();
    let mut good = true;
    for (text, span) in reader.texts(entry)? {
        let path = PathBuf::from(&text);
        if path.is_absolute() {
            all.push(path);
        } else {
            let words = format!("`{text}` does not begin at the root");
            let hint = "write the whole path; the working directory is always readable";
            reader.wrong::<()>(span, words, hint);
            good = false;
        }
    }
    good.then_some(all)
}
