//! What a word may be, class by class.

mod net;
mod tool;

use crate::shell::examine::Examiner;
use crate::shell::path;
use crate::shell::script::{awk, jq, sed};
use crate::shell::table::Class;
use crate::shell::value::Value;

impl Examiner<'_> {
    /// An operand, or an option's value. Unknown text gets here only as a value.
    pub(super) fn operand(&mut self, title: &str, class: Class, value: &Value) {
        match class {
            Class::Text | Class::Pair | Class::Mode | Class::Member => {}
            Class::Nothing => self.deny(format!("`{title}` takes no `{}`", value.shown())),
            Class::Read | Class::Write | Class::Page | Class::Archive | Class::File | Class::Source => {
                self.place(title, class, value);
            }
            Class::Sed | Class::Awk | Class::Jq => self.script(title, class, value),
            Class::Rest | Class::Revision | Class::Target | Class::Goal | Class::Launched => {
                self.word_of_a_tool(title, class, value);
            }
            Class::Script
            | Class::Package
            | Class::Remote
            | Class::Stash
            | Class::Remotes
            | Class::Notes
            | Class::Worktrees
            | Class::Submodules
            | Class::Configs
            | Class::Bisects
            | Class::Reflog
            | Class::Nextest
            | Class::GoMod
            | Class::KubeConfigs
            | Class::KubeOut
            | Class::DateFormat
            | Class::Number
            | Class::Process
            | Class::Dd => self.certain(title, class, value),
            Class::Url
            | Class::Host
            | Class::Method
            | Class::Format
            | Class::Body
            | Class::Header
            | Class::Dash => self.network(title, class, value),
        }
    }

    fn place(&mut self, title: &str, class: Class, value: &Value) {
        if value.unknown {
            return self.deny(format!("nobody knows which file `{title}` would be given"));
        }
        let sample = value.sample();
        match class {
            Class::Write => return self.writes(value),
            Class::Page if sample.starts_with('+') => {
                return self.deny(format!("`{sample}` is a command of `{title}`"));
            }
            Class::Archive if sample.contains(':') => {
                return self.deny(format!("`{sample}` is on another machine"));
            }
            Class::Source if sample.starts_with('@') => {
                return self.deny(format!("`{sample}` is a file of options"));
            }
            _ => self.reads(value),
        }
    }

    fn script(&mut self, title: &str, class: Class, value: &Value) {
        let Some(text) = value.exact() else {
            return self.deny(format!("the script for `{title}` is not known"));
        };
        let found = match class {
            Class::Sed => sed::harm(text),
            Class::Awk => awk::harm(text),
            _ => jq::harm(text),
        };
        if let Some(why) = found {
            self.deny(format!("the script for `{title}` {why}"));
        }
    }

    /// Words that may be paths or not: none may lead out.
    fn word_of_a_tool(&mut self, title: &str, class: Class, value: &Value) {
        if value.unknown {
            return self.deny(format!("nobody knows what a word of `{title}` would be"));
        }
        let workspace = self.grants.workspace();
        let ways_out = value.samples.iter().filter_map(|sample| path::hides_a_way_out(sample, workspace));
        for reason in ways_out.collect::<Vec<_>>() {
            self.deny(reason);
        }
        let sample = value.sample();
        let assigns = sample.contains('=') || sample.starts_with(['-', '+', '@']);
        let is_name = |one: char| one.is_ascii_alphanumeric() || "._-/:%".contains(one);
        match class {
            Class::Target | Class::Goal if assigns || !sample.chars().all(is_name) => {
                self.deny(format!("`{}` is not the name of a target of `{title}`", value.shown()));
            }
            Class::Launched => self.deny(format!("`{title}` runs `{}`: an entry must spell it", value.shown())),
            Class::Revision if sample.contains("::") => {
                self.deny(format!("`{}` names a program that git would run", value.shown()));
            }
            _ => {}
        }
    }
}
