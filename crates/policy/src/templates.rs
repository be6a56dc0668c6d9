//! Policy sets to begin with: the one that is used where nothing is configured, and the
//! three steps by which an organisation comes to trust its agents.

use crate::set::PolicySet;

/// A policy set that comes with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its name.
    pub name: &'static str,
    /// What it is for, in a few words.
    pub about: &'static str,
    /// The file, to be used as it is or as a beginning.
    pub text: &'static str,
}

/// The name of the set that is used where nothing is configured.
pub const DEFAULT: &str = "default";

/// All templates: the default, then the steps of the adoption path in their order.
pub const TEMPLATES: [Template; 4] = [
    Template {
        name: DEFAULT,
        about: "one person at their own machine",
        text: include_str!("../data/default.yaml"),
    },
    Template {
        name: "read-only",
        about: "agents look and change nothing",
        text: include_str!("../data/read-only.yaml"),
    },
    Template {
        name: "approvals",
        about: "agents ask before they change anything",
        text: include_str!("../data/approvals.yaml"),
    },
    Template {
        name: "full",
        about: "agents work by themselves within their trust",
        text: include_str!("../data/full.yaml"),
    },
];

/// The template of that name.
#[must_use]
pub fn template(name: &str) -> Option<Template> {
    TEMPLATES.into_iter().find(|template| template.name == name)
}

impl Template {
    /// The template as a set.
    #[must_use]
    pub fn set(&self) -> PolicySet {
        PolicySet::load(self.text, self.name).expect("INVARIANT: every template is tested")
    }
}
