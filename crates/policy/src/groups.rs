//! Groups: names for sets of tools, models, hosts, paths and programs, so that policies
//! can speak of "some path of the call" and "every host of the call".
//!
//! Cedar has no loops, so membership is found out here. A call's path lies in a group when
//! a pattern fits it or a folder above it. That *every* item of a call lies in a group is
//! true only where there is one: what a tool did not find out is not vouched for.

mod host;
mod path;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::problem::{Place, Problems, did_you_mean};
use crate::text::is_name;
use crate::yaml::{Spanned, place};

pub(crate) use path::is_outside;

/// The kinds of groups: the key in a file, and the type in policies.
pub(crate) const KINDS: [(&str, &str); 5] = [
    ("tools", "Tools"),
    ("models", "Models"),
    ("hosts", "Hosts"),
    ("paths", "Paths"),
    ("commands", "Commands"),
];

/// Patterns by the name of their group, as written.
type Named = BTreeMap<String, Vec<Spanned<String>>>;

/// The groups of a file, as written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    tools: Named,
    models: Named,
    hosts: Named,
    paths: Named,
    commands: Named,
}

/// The groups of a policy set, ready to be asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Groups {
    tools: Kind<String>,
    models: Kind<String>,
    hosts: Kind<host::Pattern>,
    paths: Kind<path::Pattern>,
    commands: Kind<String>,
}

/// The groups of one kind.
#[derive(Clone, Debug)]
struct Kind<P>(BTreeMap<String, Vec<P>>);

impl<P> Default for Kind<P> {
    fn default() -> Self {
        Kind(BTreeMap::new())
    }
}

/// In which groups the items of a call lie.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Membership<'a> {
    /// Groups that some item lies in.
    pub(crate) any: BTreeSet<&'a str>,
    /// Groups that every item lies in, where there is an item.
    pub(crate) all: BTreeSet<&'a str>,
}

impl Groups {
    /// Reads what is written, beside the groups that are there already.
    pub(crate) fn read(
        written: Written,
        inherited: Option<&Groups>,
        problems: &mut Problems<'_>,
    ) -> Groups {
        let mut groups = inherited.cloned().unwrap_or_default();
        let name = |pattern: &str| Ok(pattern.to_owned());
        groups.tools.add(written.tools, name, problems);
        groups.models.add(written.models, name, problems);
        groups.commands.add(written.commands, name, problems);
        groups.hosts.add(written.hosts, host::Pattern::read, problems);
        groups.paths.add(written.paths, path::Pattern::read, problems);
        groups
    }

    /// The names of the groups of each kind, in the order of [`KINDS`].
    pub(crate) fn names(&self) -> [Vec<&str>; 5] {
        [
            self.tools.names(),
            self.models.names(),
            self.hosts.names(),
            self.paths.names(),
            self.commands.names(),
        ]
    }

    /// The groups that a tool lies in.
    pub(crate) fn of_tool(&self, tool: &str) -> BTreeSet<&str> {
        self.tools.of([tool], |pattern, name| fits(pattern, name)).any
    }

    /// The groups that a model lies in.
    pub(crate) fn of_model(&self, model: &str) -> BTreeSet<&str> {
        self.models.of([model], |pattern, name| fits(pattern, name)).any
    }

    /// The groups that hosts lie in.
    pub(crate) fn of_hosts<'a>(&self, hosts: impl IntoIterator<Item = &'a str>) -> Membership<'_> {
        self.hosts.of(hosts, host::Pattern::fits)
    }

    /// The groups that paths lie in.
    pub(crate) fn of_paths<'a>(&self, paths: impl IntoIterator<Item = &'a str>) -> Membership<'_> {
        self.paths.of(paths, path::Pattern::fits)
    }

    /// The groups that programs lie in.
    pub(crate) fn of_commands<'a>(
        &self,
        commands: impl IntoIterator<Item = &'a str>,
    ) -> Membership<'_> {
        self.commands.of(commands, |pattern, name| fits(pattern, name))
    }
}

impl<P> Kind<P> {
    fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    fn add(
        &mut self,
        written: Named,
        read: impl Fn(&str) -> Result<P, String>,
        problems: &mut Problems<'_>,
    ) {
        for (name, patterns) in written {
            let at = patterns.first().map_or(Place::START, |first| place(first.referenced));
            let wrong = if !is_name(&name) {
                Some(("is not plain", "small letters, digits and hyphens"))
            } else if self.0.contains_key(&name) {
                Some(("is there already", "every set has this group; choose another name"))
            } else {
                None
            };
            if let Some((wrong, hint)) = wrong {
                problems.add(at, format!("the group `{name}` {wrong}"), Some(hint.to_owned()));
                continue;
            }
            let mut read_patterns = Vec::new();
            for pattern in &patterns {
                match read(pattern.value.trim()) {
                    Ok(pattern) => read_patterns.push(pattern),
                    Err(hint) => {
                        let words = format!("`{}` is no pattern", pattern.value);
                        problems.add(place(pattern.referenced), words, Some(hint));
                    }
                }
            }
            self.0.insert(name, read_patterns);
        }
    }

    fn of<'a>(
        &self,
        items: impl IntoIterator<Item = &'a str>,
        fits: impl Fn(&P, &str) -> bool,
    ) -> Membership<'_> {
        if self.0.is_empty() {
            return Membership::default();
        }
        let items = items.into_iter().collect::<Vec<_>>();
        let mut found = Membership::default();
        for (name, patterns) in &self.0 {
            let within = |item: &&str| patterns.iter().any(|pattern| fits(pattern, item));
            if items.iter().any(within) {
                found.any.insert(name);
                if items.iter().all(within) {
                    found.all.insert(name);
                }
            }
        }
        found
    }
}

/// A hint for a group that a policy names and nobody wrote down.
pub(crate) fn unknown_group(groups: &Groups, words: &str) -> Option<String> {
    let (kind, wrong) = KINDS.iter().zip(groups.names()).find_map(|((key, of_type), names)| {
        let after = words.split_once(&format!("{of_type}::\""))?.1;
        Some(((key, names), after.split('"').next()?))
    })?;
    let (key, names) = kind;
    let names = names.into_iter().filter(|name| *name != wrong).collect::<Vec<_>>();
    did_you_mean(wrong, &names).or_else(|| Some(format!("name it under `groups: {key}:`")))
}

/// Whether a name is what a pattern says; `*` stands for any letters.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut rest) = name.strip_prefix(head) else { return false };
    let mut pieces = tail.split('*').collect::<Vec<_>>();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests;
