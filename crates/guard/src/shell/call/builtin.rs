//! Builtins of the shell that need no entry, because they run nothing, write nothing and
//! cannot leave the workspace.

use crate::shell::assign;
use crate::shell::examine::{Examiner, Feed};
use crate::shell::path::ANY;
use crate::shell::value::{Binding, Value};

impl Examiner<'_> {
    /// Whether it was one of them.
    pub(super) fn builtin(&mut self, name: &str, words: &[Value], assigned: &[String]) -> bool {
        let arguments = &words[1..];
        match name {
            ":" | "true" | "false" => self.printed_nowhere(arguments),
            "cd" => self.change_folder(arguments),
            "[" => match arguments.split_last() {
                Some((last, inner)) if last.exact() == Some("]") => self.test_command(inner),
                Some(_) | None => self.deny("`[` without its `]`"),
            },
            "test" => self.test_command(arguments),
            "break" | "continue" | "exit" | "return" | "wait" | "shift" => {
                self.counted(name, arguments)
            }
            "read" => self.read(arguments),
            "export" => self.export(arguments),
            "set" => self.set(arguments),
            _ => return false,
        }
        // How `read` splits its line is set in front of it, and for it alone.
        let others = assigned.iter().filter(|one| name != "read" || *one != "IFS");
        self.environment(&others.cloned().collect::<Vec<_>>(), true);
        true
    }

    fn printed_nowhere(&mut self, arguments: &[Value]) {
        if arguments.iter().any(|value| value.splits) {
            self.deny("words that may become a pattern");
        }
    }

    /// `cd folder`. It would look in the folders of CDPATH first, which nobody can set here.
    fn change_folder(&mut self, arguments: &[Value]) {
        self.moved = true;
        let folders = match arguments {
            [option, rest @ ..] if matches!(option.exact(), Some("--" | "-P" | "-L")) => rest,
            all => all,
        };
        let known = |folder: &Value| {
            let certain = !folder.unknown && !folder.many && folder.samples.len() == 1;
            certain && !folder.sample().starts_with('-') && !folder.sample().is_empty()
        };
        match folders {
            [folder] if known(folder) => self.reads(folder),
            _ => self.deny("`cd` to a folder that is not known to be in the workspace"),
        }
    }

    fn counted(&mut self, name: &str, arguments: &[Value]) {
        let number = |value: &Value| {
            !value.unknown
                && value.samples.iter().all(|text| text.chars().all(|one| one.is_ascii_digit()))
        };
        if arguments.len() > 1 || !arguments.iter().all(number) {
            self.deny(format!("`{name}` takes a number"));
        }
    }

    /// `read -r name …`: the names hold whatever was read; one alone holds a name of a file,
    /// where it is fed with those.
    fn read(&mut self, arguments: &[Value]) {
        let mut names = Vec::new();
        let mut rest = arguments.iter();
        while let Some(value) = rest.next() {
            match value.exact() {
                Some("-r" | "-s") => {}
                Some("-d" | "-p" | "-n" | "-t") => drop(rest.next()),
                Some(name) if !name.starts_with('-') && !value.expanded => {
                    names.push(name);
                }
                Some(_) | None => self.deny(format!("`read {}`", value.shown())),
            }
        }
        let file = Binding::Known { samples: vec![ANY.to_string()], dash: true };
        match names.as_slice() {
            [only] if self.feed == Feed::Names => self.bind(only, file),
            several => several.iter().for_each(|name| self.bind(name, Binding::Unknown)),
        }
    }

    /// `export name=value`: it reaches every program that follows.
    fn export(&mut self, arguments: &[Value]) {
        for value in arguments {
            let text = value.exact().filter(|text| !text.starts_with('-'));
            let Some(text) = text else {
                self.deny(format!("`export {}`", value.shown()));
                continue;
            };
            let (name, bound) = match text.split_once('=') {
                Some((name, bound)) => (name, Some(bound)),
                None => (text, None),
            };
            if let Some(reason) = assign::refused(name, true) {
                self.deny(reason);
            }
            if let Some(bound) = bound {
                self.bind(name, Binding::of(&Value::text(bound)));
            }
        }
    }

    /// `set -euo pipefail`: how errors are treated, nothing else.
    fn set(&mut self, arguments: &[Value]) {
        let mut rest = arguments.iter().map(Value::exact);
        while let Some(text) = rest.next() {
            let letters = text.and_then(|text| text.strip_prefix(['-', '+'])).unwrap_or("?");
            let known = letters.chars().all(|one| "euxo".contains(one)) && !letters.is_empty();
            let named = !letters.ends_with('o')
                || matches!(rest.next(), Some(Some("pipefail" | "errexit" | "nounset" | "xtrace")));
            if !known || !named {
                return self.deny("`set` with more than the treatment of errors");
            }
        }
    }
}
