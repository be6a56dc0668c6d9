//! What the usual programs may be given: their options and operands, as data.
//!
//! The tables are closed: an option that is not listed is not understood, which also settles
//! abbreviations. Dangerous ones are listed only so that the reason can say what they do.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The files, each with its form explained in `text.table`.
const FILES: [&str; 5] = [
    include_str!("tables/text.table"),
    include_str!("tables/files.table"),
    include_str!("tables/git.table"),
    include_str!("tables/build.table"),
    include_str!("tables/system.table"),
];

static TABLE: LazyLock<BTreeMap<&'static str, Spec>> = LazyLock::new(|| {
    let mut table = BTreeMap::new();
    for file in FILES {
        read(file, &mut table);
    }
    table
});

/// What is known of a program, or of one of its subcommands.
#[derive(Clone, Debug, Default)]
pub(super) struct Spec {
    pub(super) traits: Traits,
    /// A class for each operand; the last one stands for all that follow.
    pub(super) operands: Vec<Class>,
    pub(super) options: BTreeMap<&'static str, Opt>,
    /// One of these options must be given: without one it does something else.
    pub(super) needs: Vec<&'static str>,
    /// With one of these it runs nothing of what it is fed.
    pub(super) alone: Vec<&'static str>,
}

/// How a program reads its arguments, and what it is there for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traits {
    pub(super) kind: Kind,
    /// A file whose name begins with a dash can do no harm as an option.
    pub(super) globs: bool,
    /// `-5` is an option.
    pub(super) numbers: bool,
    /// Long options have one dash, and short ones cannot be joined.
    pub(super) single: bool,
    /// Options end at the first operand.
    pub(super) posix: bool,
    /// An entry must spell the subcommand.
    pub(super) named: bool,
    /// Operands are text that is printed, whatever they are.
    pub(super) anytext: bool,
    /// The first operand is a subcommand with a table of its own.
    pub(super) subcommands: bool,
}

/// What a program is there for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// It reads and prints.
    #[default]
    Reads,
    /// It changes files.
    Writes,
    /// It runs the code of the workspace.
    Runs,
}

/// What an option does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opt {
    /// It stands alone.
    Switch,
    /// It stands alone, and in the first operand's place.
    Instead,
    /// It takes a value; `instead`: which stands in the first operand's place.
    Value { class: Class, instead: bool },
    /// It may have a value, glued to it.
    Glued(Class),
    /// It is never granted, because it does this.
    Never(&'static str),
}

/// Small enums whose values have a name in the tables.
macro_rules! named {
    ($($(#[$doc:meta])* $kind:ident { $($(#[$of:meta])* $variant:ident = $name:literal,)* })*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $kind {
            $($(#[$of])* $variant,)*
        }

        impl $kind {
            fn named(name: &str) -> Option<$kind> {
                match name {
                    $($name => Some($kind::$variant),)*
                    _ => None,
                }
            }
        })*
    };
}

/// What a value or an operand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Text that names nothing.
    Text,
    /// There may be none.
    Nothing,
    /// A name and its value, as two words.
    Pair,
    /// A file or folder.
    Place(Place),
    /// A program in a small language.
    Script(Language),
    /// A word for a tool, which may be a path or not.
    Tool(Tool),
    /// One of a few words, or of a certain form.
    Certain(Certain),
    /// About the network.
    Net(Net),
}

impl Class {
    fn named(name: &str) -> Option<Class> {
        match name {
            "text" => Some(Class::Text),
            "none" => Some(Class::Nothing),
            "pair" => Some(Class::Pair),
            _ => Place::named(name)
                .map(Class::Place)
                .or_else(|| Language::named(name).map(Class::Script))
                .or_else(|| Tool::named(name).map(Class::Tool))
                .or_else(|| Certain::named(name).map(Class::Certain))
                .or_else(|| Net::named(name).map(Class::Net)),
        }
    }
}

named! {
    /// How a file or folder is used.
    Place {
        /// It is read.
        Read = "read",
        /// It is changed.
        Write = "write",
        /// It is changed, and on this machine.
        Local = "local",
        /// It is paged through: a plus begins commands.
        Page = "page",
        /// It is an archive on this machine.
        Archive = "archive",
        /// Its code runs, or is looked at by a tool that runs code.
        File = "file",
        /// A compiler reads it.
        Source = "source",
    }
    /// A small language.
    Language {
        Sed = "sed",
        Awk = "awk",
        Jq = "jq",
    }
    /// Words for tools.
    Tool {
        /// Arguments of code of the workspace.
        Rest = "rest",
        /// A program that an entry must have named.
        Launched = "launched",
        /// A target of a build, without assignments.
        Target = "target",
        /// A revision or a path of git.
        Revision = "revision",
    }
    /// Words of which only some are understood.
    Certain {
        /// A setting of `dd`.
        Dd = "dd",
        /// The name of a script, a page or a check.
        Name = "name",
        /// A package by name.
        Package = "package",
        /// A remote by name or over HTTPS.
        Remote = "remote",
        Stash = "stash",
        Remotes = "remotes",
        Notes = "notes",
        Worktrees = "worktrees",
        Submodules = "submodules",
        Configs = "configs",
        Bisects = "bisects",
        Reflog = "reflog",
        Nextest = "nextest",
        GoMod = "gomod",
        KubeConfigs = "kubeconfigs",
        Listing = "listing",
        KubeOut = "kubeout",
        /// Levels of lints, and lints.
        Lint = "lint",
        /// Arguments of `rustfmt` that only look.
        Format = "fmtflag",
        /// Arguments of Rust's test harness.
        Libtest = "libtest",
        /// A format for `date`, which would set the clock without its plus.
        DateFormat = "dateformat",
        /// A number with a unit.
        Number = "number",
        /// A process, or how to choose some.
        Process = "process",
    }
    /// Words about the network.
    Net {
        /// An address on the internet.
        Url = "url",
        /// A host on the internet.
        Host = "host",
        /// An HTTP method that reads.
        Method = "method",
        /// What `curl` prints.
        Printed = "format",
        /// What is sent: known, and not a file.
        Sent = "sent",
        /// Standard output.
        Dash = "dash",
    }
}

static NEVER: LazyLock<BTreeMap<&'static str, &'static str>> = LazyLock::new(|| {
    let lines = include_str!("tables/never.table").lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once(": "));
    pairs.flat_map(|(names, why)| names.split(' ').map(move |name| (name, why))).collect()
});

/// Why a program is never granted, if so.
pub(super) fn never(name: &str) -> Option<&'static str> {
    NEVER.get(name).copied()
}

/// The table of a program, or of its subcommand.
pub(super) fn find(name: &str) -> Option<&'static Spec> {
    TABLE.get(name)
}

fn read(file: &'static str, table: &mut BTreeMap<&'static str, Spec>) {
    let mut now: Option<(&'static str, Spec)> = None;
    for line in file.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        if let Some((name, traits)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            table.extend(now.take());
            now = Some((name, begin(name, traits.trim(), table)));
            continue;
        }
        // INVARIANT: the files are part of this crate, and a test reads all of them.
        let (_, spec) = now.as_mut().expect("INVARIANT: a table begins with a section");
        match line.split_once(": ") {
            Some(("operands", rest)) => {
                spec.operands = rest.split_whitespace().map(class).collect()
            }
            Some(("needs", rest)) => spec.needs = rest.split_whitespace().collect(),
            Some(("alone", rest)) => spec.alone = rest.split_whitespace().collect(),
            Some(_) | None => spec.options.extend(line.split_whitespace().map(option)),
        }
    }
    table.extend(now);
}

/// A section with its traits, and what it takes over from another.
fn begin(name: &str, line: &'static str, table: &BTreeMap<&'static str, Spec>) -> Spec {
    let (words, model) = match line.split_once("like ") {
        Some((words, model)) => (words, Some(model.trim())),
        None => (line, None),
    };
    let mut spec = match model {
        Some(model) => table
            .get(model)
            .unwrap_or_else(|| panic!("INVARIANT: `{name}` is like a section before it"))
            .clone(),
        None => Spec::default(),
    };
    let traits = &mut spec.traits;
    for word in words.split_whitespace() {
        match word {
            "reads" => traits.kind = Kind::Reads,
            "writes" => traits.kind = Kind::Writes,
            "runs" => traits.kind = Kind::Runs,
            "globs" => traits.globs = true,
            "numbers" => traits.numbers = true,
            "single" => traits.single = true,
            "posix" => traits.posix = true,
            "named" => traits.named = true,
            "anytext" => traits.anytext = true,
            "subcommands" => traits.subcommands = true,
            _ => panic!("INVARIANT: `{name}` has known traits, not `{word}`"),
        }
    }
    spec
}

fn class(name: &str) -> Class {
    Class::named(name).unwrap_or_else(|| panic!("INVARIANT: `{name}` is a class"))
}

fn option(word: &'static str) -> (&'static str, Opt) {
    let Some(at) = word.find(['=', '?', '!']) else {
        return match word.strip_suffix('*') {
            Some(name) => (name, Opt::Instead),
            None => (word, Opt::Switch),
        };
    };
    let (name, rest) = (&word[..at], &word[at + 1..]);
    let starred = rest.strip_suffix('*');
    let of = |name: &str| if name.is_empty() { Class::Text } else { class(name) };
    let opt = match word.as_bytes()[at] {
        b'!' => Opt::Never(harm(rest)),
        b'?' => Opt::Glued(of(rest)),
        _ => Opt::Value { class: of(starred.unwrap_or(rest)), instead: starred.is_some() },
    };
    (name, opt)
}

fn harm(letter: &str) -> &'static str {
    match letter {
        "x" => "runs a program",
        "w" => "writes a file",
        "c" => "overrides configuration",
        "l" => "reads names or commands from a file",
        "d" => "works in another folder",
        "p" => "leaves the workspace",
        "n" => "changes who is asked over the network",
        "f" => "sends a file",
        _ => panic!("INVARIANT: `{letter}` is a kind of harm"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_read() {
        assert!(TABLE.len() > 250, "{}", TABLE.len());
        let sort = find("sort").unwrap();
        assert_eq!(sort.options["-o"], Opt::Never("writes a file"));
        assert_eq!(sort.options["-k"], Opt::Value { class: Class::Text, instead: false });
        assert_eq!(find("egrep").unwrap().operands, [Class::Text, Class::Place(Place::Read)]);
        let text = Opt::Value { class: Class::Text, instead: true };
        assert_eq!(find("grep").unwrap().options["-e"], text);
        assert!(find("git log").unwrap().traits.numbers);
        assert_eq!(never("sudo"), Some("raises privileges"));
        assert_eq!(never("ls"), None);
    }

    #[test]
    fn no_table_is_open_at_its_end() {
        for (name, spec) in TABLE.iter() {
            assert!(!spec.operands.is_empty(), "`{name}` says nothing of its operands");
        }
    }
}
