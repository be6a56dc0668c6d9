//! Launchers: programs that run the program that follows. They are taken off, and what
//! they would run must itself be allowed.

use crate::shell::examine::{Examiner, Feed};
use crate::shell::table::{self, Kind};
use crate::shell::value::Value;

/// How many launchers may stand before a program.
const LAUNCHERS_MAX: usize = 8;
/// Programs that only print and look at what they are given, so that names of files from
/// elsewhere can do no harm: what `xargs` may run.
const FOR_NAMES: [&str; 17] = [
    "basename",
    "cat",
    "cut",
    "dirname",
    "du",
    "echo",
    "file",
    "grep",
    "head",
    "ls",
    "md5sum",
    "nl",
    "realpath",
    "sha256sum",
    "stat",
    "tail",
    "wc",
];

/// Words that stand for a name that `xargs` got, and the options that say so.
const PLACES: [&str; 4] = ["{}", "%", "-I{}", "-I%"];

impl Examiner<'_> {
    /// Whether it was one.
    pub(super) fn launcher(
        &mut self,
        name: &str,
        words: &[Value],
        assigned: &[String],
        spelled: usize,
    ) -> bool {
        let (at, harmless) = match name {
            "command" | "builtin" | "exec" => (plain(words), true),
            "time" => (after(words, &["-p"], &[]), true),
            "nice" => (nice(words), true),
            "timeout" => (timeout(words), true),
            "env" if words.len() > 1 => return self.env(words, assigned, spelled),
            "nohup" | "setsid" | "stdbuf" | "ionice" => (
                after(
                    words,
                    &["-w", "-f", "-oL", "-eL", "-iL", "-o0", "-e0", "-c2", "-c3"],
                    &["-n"],
                ),
                false,
            ),
            "xargs" => {
                self.xargs(words, assigned, spelled);
                return true;
            }
            _ => return false,
        };
        self.found.commands.insert(name.to_owned());
        if name == "command" && is_lookup(words) {
            self.environment(assigned, true);
            return self.looks_up(words);
        }
        let Some(at) = at.filter(|at| *at < words.len()) else {
            if name != "exec" || words.len() > 1 {
                self.deny(format!("`{name}` with options that are not understood"));
            }
            return true;
        };
        if !harmless && spelled == 0 {
            self.ask(format!("no entry allows `{name}`"));
        }
        self.launch(words, at, assigned, spelled);
        true
    }

    /// Runs what stands from `at` on.
    pub(super) fn launch(
        &mut self,
        words: &[Value],
        at: usize,
        assigned: &[String],
        spelled: usize,
    ) {
        if self.launchers == LAUNCHERS_MAX {
            return self.deny(format!("more than {LAUNCHERS_MAX} launchers before a program"));
        }
        self.launchers += 1;
        self.call(&words[at..], assigned, spelled.saturating_sub(at));
        self.launchers -= 1;
    }

    /// `command -v name` only says where a program is.
    fn looks_up(&mut self, words: &[Value]) -> bool {
        if words[2..].iter().any(|value| value.exact().is_none()) {
            self.deny("`command -v` of a name that is not known");
        }
        true
    }

    /// `env A=b program`: without options, and with assignments as strict as elsewhere.
    fn env(&mut self, words: &[Value], assigned: &[String], spelled: usize) -> bool {
        self.found.commands.insert("env".to_owned());
        let mut names = assigned.to_vec();
        for (index, value) in words.iter().enumerate().skip(1) {
            match value.exact().and_then(|text| text.split_once('=')) {
                Some((name, set)) if !name.starts_with('-') => {
                    self.environment_value(name, Some(set));
                    names.push(name.to_owned());
                }
                _ if value.sample().starts_with('-') => {
                    self.deny(format!("`env` with the option `{}`", value.shown()));
                    return true;
                }
                _ => {
                    self.launch(words, index, &names, spelled);
                    return true;
                }
            }
        }
        self.environment(&names, true);
        if spelled == 0 {
            self.ask("no entry allows `env`");
        }
        true
    }

    /// `xargs program`, where it gets names of files of the workspace, and the program can
    /// only look at them.
    fn xargs(&mut self, words: &[Value], assigned: &[String], spelled: usize) {
        self.found.commands.insert("xargs".to_owned());
        self.environment(assigned, true);
        if spelled == 0 {
            self.ask("no entry allows `xargs`");
        }
        let flags = ["-0", "-r", "-t", "-x", "--null", "--no-run-if-empty", "-I{}", "-I%"];
        let valued = ["-n", "-L", "-P", "-d", "-I", "--max-args", "--max-procs"];
        let at = after(words, &flags, &valued).filter(|at| *at < words.len());
        let Some(at) = at else {
            return self.deny("`xargs` with options that are not understood, or without a program");
        };
        // A name in the middle of a word could lead out of where it lies.
        let placed = |word: &&Value| word.sample().contains(['{', '%']);
        if words.iter().filter(placed).any(|word| !PLACES.contains(&word.sample())) {
            self.deny("`xargs` that puts names into the middle of words");
        }
        let mark = words[..at].iter().skip_while(|word| word.sample() != "-I").nth(1);
        if mark.is_some_and(|mark| !PLACES.contains(&mark.sample())) {
            self.deny("`xargs` with a mark of its own");
        }
        let name = words[at].exact().unwrap_or("");
        let spec = table::find(name).filter(|spec| spec.traits.kind == Kind::Reads);
        let looks = spec.is_some_and(|spec| spec.traits.globs || spec.traits.anytext);
        match self.feed {
            Feed::Names if looks && FOR_NAMES.contains(&name) => {}
            Feed::Names => {
                self.deny(format!(
                    "`xargs {name}` would do more than look at the names it is given"
                ));
            }
            Feed::Own | Feed::Text => {
                self.deny(format!("nobody knows what `xargs` would give to `{name}`"));
            }
        }
        self.launch(words, at, &[], spelled);
    }
}

fn plain(words: &[Value]) -> Option<usize> {
    match words.get(1).map(Value::sample) {
        Some(first) if first.starts_with('-') => None,
        Some(_) => Some(1),
        None => None,
    }
}

fn is_lookup(words: &[Value]) -> bool {
    matches!(words.get(1).and_then(Value::exact), Some("-v" | "-V"))
}

/// The index after the options: `flags` stand alone, each of `valued` takes the next word.
fn after(words: &[Value], flags: &[&str], valued: &[&str]) -> Option<usize> {
    let mut at = 1;
    while let Some(text) = words.get(at).map(Value::sample).filter(|text| text.starts_with('-')) {
        let exact = words[at].exact().is_some() && !words[at].expanded;
        let glued = valued.iter().any(|option| {
            let rest = text.strip_prefix(option).map(|rest| rest.trim_start_matches('='));
            rest.is_some_and(|rest| {
                !rest.is_empty() && rest.chars().all(|one| one.is_ascii_digit())
            })
        });
        at += match text {
            _ if !exact => return None,
            _ if flags.contains(&text) || glued => 1,
            _ if valued.contains(&text) => {
                words.get(at + 1).and_then(Value::exact)?;
                2
            }
            _ => return None,
        };
    }
    Some(at)
}

/// `nice`, `nice -n 5`, `nice -5`.
fn nice(words: &[Value]) -> Option<usize> {
    match words.get(1).and_then(Value::exact) {
        Some("-n") => number(words.get(2)?.exact()?).map(|()| 3),
        Some(text) if text.starts_with('-') => {
            let digits = text.strip_prefix("--adjustment=").or_else(|| text.strip_prefix('-'))?;
            number(digits.strip_prefix('n').unwrap_or(digits)).map(|()| 2)
        }
        Some(_) => Some(1),
        None => None,
    }
}

fn number(text: &str) -> Option<()> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    (!digits.is_empty() && digits.chars().all(|one| one.is_ascii_digit())).then_some(())
}

/// `timeout [-k 5] [-s KILL] 10s program`.
fn timeout(words: &[Value]) -> Option<usize> {
    let at = after(words, &["--preserve-status", "--foreground", "-v"], &["-k", "-s"])?;
    let duration = words.get(at)?.exact()?;
    let digits = duration.trim_end_matches(['s', 'm', 'h', 'd']);
    let is_number = digits.chars().all(|one| one.is_ascii_digit() || one == '.');
    (is_number && !digits.is_empty()).then_some(at + 1)
}
