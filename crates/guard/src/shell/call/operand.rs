//! What a word may be, class by class.

mod certain;
mod net;

use crate::shell::examine::Examiner;
use crate::shell::path;
use crate::shell::script::{awk, jq, sed};
use crate::shell::table::{Class, Language, Place, Tool};
use crate::shell::value::Value;

/// Parts of the names of options that no code of the workspace should be given: they take
/// configuration or code from elsewhere.
const TELLING: [&str; 14] = [
    "config",
    "eval",
    "exec",
    "import",
    "init",
    "loader",
    "plugin",
    "prefix",
    "preset",
    "require",
    "rcfile",
    "script-shell",
    "setup",
    "transform",
];

impl Examiner<'_> {
    /// An operand, or an option's value. Unknown text gets here only as a value.
    pub(super) fn operand(&mut self, title: &str, class: Class, value: &Value) {
        match class {
            Class::Text | Class::Pair => {}
            Class::Nothing => self.deny(format!("`{title}` takes no `{}`", value.shown())),
            Class::Place(place) => self.place(title, place, value),
            Class::Script(language) => self.script(title, language, value),
            Class::Tool(tool) => self.tool(title, tool, value),
            Class::Certain(certain) => self.certain(title, certain, value),
            Class::Net(net) => self.network(title, net, value),
        }
    }

    fn place(&mut self, title: &str, place: Place, value: &Value) {
        if value.unknown {
            return self.deny(format!("nobody knows which file `{title}` would be given"));
        }
        if matches!(place, Place::Write | Place::Local) {
            self.writes(value);
        } else {
            self.reads(value);
        }
        let odd = value.samples.iter().find_map(|sample| why_odd(place, sample));
        if let Some(why) = odd {
            self.deny(format!("`{}` for `{title}` {why}", value.shown()));
        }
    }

    fn script(&mut self, title: &str, language: Language, value: &Value) {
        let Some(text) = value.exact() else {
            return self.deny(format!("the script for `{title}` is not known"));
        };
        let found = match language {
            Language::Sed => sed::harm(text),
            Language::Awk => awk::harm(text),
            Language::Jq => jq::harm(text),
        };
        if let Some(why) = found {
            self.deny(format!("the script for `{title}` {why}"));
        }
    }

    /// Words that may be paths or not: none may lead out.
    fn tool(&mut self, title: &str, tool: Tool, value: &Value) {
        if value.unknown {
            return self.deny(format!("nobody knows what a word of `{title}` would be"));
        }
        let workspace = self.grants.workspace();
        let ways_out =
            value.samples.iter().filter_map(|sample| path::hides_a_way_out(sample, workspace));
        for reason in ways_out.collect::<Vec<_>>() {
            self.deny(reason);
        }
        let harmless = |sample: &String| match tool {
            Tool::Rest => !is_telling(sample),
            Tool::Launched => false,
            Tool::Target => is_target(sample),
            Tool::Revision => !sample.contains("::"),
        };
        if !value.samples.iter().all(harmless) {
            self.deny(format!("`{}` is nothing that `{title}` may be given", value.shown()));
        }
    }
}

/// Why a path is more than a path to a program, if so.
fn why_odd(place: Place, sample: &str) -> Option<&'static str> {
    match place {
        Place::Read | Place::Write => None,
        Place::Local | Place::Archive => sample.contains(':').then_some("is on another machine"),
        Place::Page => sample.starts_with('+').then_some("is a command of the pager"),
        Place::File if sample == "-" || sample.starts_with("/dev/") => {
            Some("is whatever it is fed")
        }
        Place::File | Place::Source => sample.starts_with('@').then_some("is a file of options"),
    }
}

fn is_target(sample: &str) -> bool {
    sample.starts_with(|one: char| one.is_ascii_alphanumeric() || matches!(one, '.' | '_' | ':'))
        && sample.chars().all(|one| one.is_ascii_alphanumeric() || "._-/:%".contains(one))
}

fn is_telling(sample: &str) -> bool {
    let name = sample.split('=').next().unwrap_or("").to_ascii_lowercase();
    name.starts_with("--") && TELLING.iter().any(|part| name.contains(part))
}
