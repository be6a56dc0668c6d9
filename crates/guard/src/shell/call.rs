//! One simple command after expansion: builtins, launchers, programs, and the entry that
//! covers it.

mod builtin;
mod launch;
mod operand;
mod options;
mod tar;

use super::examine::{Examiner, Feed};
use super::path;
use super::table::{self, Class, Kind, Spec, Tool};
use super::value::Value;

/// Options of `git` itself that change nothing but how it prints.
const GIT_QUIET: [&str; 4] = ["--no-pager", "-P", "--no-optional-locks", "--literal-pathspecs"];

impl Examiner<'_> {
    /// A command. `assigned`: variables set for it alone; `spelled`: how many of its words an
    /// entry has already spelled.
    pub(super) fn call(&mut self, words: &[Value], assigned: &[String], spelled: usize) {
        let Some(first) = words.first() else { return };
        let Some(name) = first.exact().filter(|_| !first.expanded) else {
            return self.deny(format!("`{}` is expanded to the name of a program", first.shown()));
        };
        if name.is_empty()
            || !name.is_ascii()
            || name.contains(|one: char| one.is_ascii_whitespace())
        {
            return self.deny(format!("`{name}` is not the name of a program"));
        }
        let words = plainly(name, words);
        let words = words.as_slice();
        let spelled = spelled.max(self.grants.spelled(words));
        if self.builtin(name, words, assigned) || self.launcher(name, words, assigned, spelled) {
            return;
        }
        self.found.commands.insert(name.to_owned());
        if let Some(why) = table::never(name) {
            return self.deny(format!("`{name}` {why}"));
        }
        if spelled == 0 {
            self.ask(format!("no entry allows `{name}`"));
        }
        self.program(name, words, assigned, spelled);
    }

    fn program(&mut self, name: &str, words: &[Value], assigned: &[String], spelled: usize) {
        if self.moved && name.contains('/') {
            self.deny(format!("`{name}` in another folder is another program"));
        }
        if name == "git" && self.moved {
            self.deny("`git` in another folder: its configuration may run programs");
        }
        // A module that the entry names is as bounded as a program that it names.
        let module = name.starts_with("python")
            && spelled > 2
            && words.get(1).and_then(Value::exact) == Some("-m");
        let known = lookup(name, words).filter(|(_, depth)| !module || *depth > 1);
        let Some((spec, depth)) = known else {
            self.environment(assigned, true);
            return self.stranger(name, words, spelled);
        };
        let title = shown(&words[..depth]);
        self.environment(assigned, spec.traits.kind == Kind::Runs);
        if spec.traits.subcommands && !is_option(words.get(depth)) {
            return match words.get(depth) {
                Some(_) if spelled > depth => self.stranger(&title, words, spelled),
                Some(word) => self.deny(format!("`{title} {}` is not known", word.shown())),
                None if spec.traits.kind == Kind::Runs => {
                    self.deny(format!("`{title}` without a subcommand"));
                }
                None => {}
            };
        }
        if spec.traits.named && spelled > 0 && spelled < depth {
            self.ask(format!("`{title}` changes something: no entry spells it"));
        }
        let launches = spec.operands.first() == Some(&Class::Tool(Tool::Launched));
        if launches && spelled > depth && !is_option(words.get(depth)) {
            return self.launch(words, depth, &[], spelled);
        }
        self.arguments(&title, spec, &words[depth..], spelled.saturating_sub(depth));
    }

    /// A program of which nothing is known: what it is given must not lead out, and its
    /// options must be spelled by the entry.
    fn stranger(&mut self, name: &str, words: &[Value], spelled: usize) {
        if self.feed != Feed::Own {
            self.ask(format!("nobody knows what `{name}` does with what it is fed"));
        }
        for (index, value) in words.iter().enumerate() {
            if value.unknown || value.dash || value.samples.len() > 1 {
                self.deny(format!("`{name}` is not known, nor what `{}` would be", value.shown()));
            }
            let workspace = self.grants.workspace();
            match path::hides_a_way_out(value.sample(), workspace) {
                Some(reason) => self.deny(reason),
                None if index > 0 && !value.sample().starts_with('-') => {
                    self.found.paths.insert(path::shown(value.sample(), workspace));
                }
                None => {}
            }
            // A word that is more than a name could be text that it runs.
            let plain = |one: char| one.is_alphanumeric() || "._-/:+,@".contains(one);
            if index >= spelled && !value.sample().chars().all(plain) {
                self.deny(format!("nobody knows what `{}` means to `{name}`", value.shown()));
            }
            let harmless = ["--help", "--version"].contains(&value.sample());
            if index >= spelled && value.sample().starts_with(['-', '+', '@']) && !harmless {
                self.ask(format!("nobody knows what `{}` means to `{name}`", value.shown()));
            }
        }
    }
}

/// The table for a command, of the longest name that has one, and how many words that is.
fn lookup(name: &str, words: &[Value]) -> Option<(&'static Spec, usize)> {
    if name == "tar" && tar::makes_an_archive(words) {
        return table::find("tar c").map(|spec| (spec, 1));
    }
    let depth_max = words.len().min(3);
    (1..=depth_max).rev().find_map(|depth| {
        let exact = words[..depth].iter().all(|word| word.exact().is_some());
        let name = exact.then(|| shown(&words[..depth]))?;
        table::find(&name).map(|spec| (spec, depth))
    })
}

fn shown(words: &[Value]) -> String {
    words.iter().map(Value::shown).collect::<Vec<_>>().join(" ")
}

fn is_option(word: Option<&Value>) -> bool {
    word.is_some_and(|word| word.sample().starts_with('-'))
}

/// The words of a command, or of an entry, in their plain form: `git --no-pager log` is
/// `git log`, `tar xzf` is `tar -x -z -f`.
pub(super) fn plainly(name: &str, words: &[Value]) -> Vec<Value> {
    if name == "tar" {
        return tar::unbundled(words);
    }
    let quiet = |word: &Value| word.exact().is_some_and(|text| GIT_QUIET.contains(&text));
    let skipped = match name {
        "git" => words[1..].iter().take_while(|word| quiet(word)).count(),
        _ => 0,
    };
    let mut kept = words.to_vec();
    kept.drain(1..=skipped).for_each(drop);
    kept
}
