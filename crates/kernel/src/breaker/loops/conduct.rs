//! What kind of act a call is, told by its tool's name and its command line.
//!
//! The kinds decide how much a repetition says: a test that is run again after an edit
//! and a wait between two looks are honest, the same read three times is not.

use super::field::{Field, field, is_among};
use super::tree::Tree;

/// What kind of act a call is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Conduct {
    /// It lets time pass.
    pub(super) waits: bool,
    /// It changes something.
    pub(super) edits: bool,
    /// It tests, builds or looks at a state that edits change.
    pub(super) checks: bool,
    /// It makes something whose id the caller may have drawn.
    pub(super) creates: bool,
    /// It asks for what is there: an id in it is what it is about.
    pub(super) asks: bool,
    /// It looks for something by words.
    pub(super) searches: bool,
}

const WAITS: &str = "\
    sleep wait delay pause timer";

const EDITS: &str = "\
    write edit patch replace insert create update delete remove rename move append apply \
    modify set put save fix add upload install mkdir copy change refactor rewrite \
    multiedit";

const CHECKS: &str = "\
    test tests build check lint compile verify validate run status diff typecheck format \
    fmt commit reload refresh deploy restart screenshot diagnostics execute exec";

const CREATES: &str = "\
    create new submit post send start insert register book place upload publish pay";

const ASKS: &str = "\
    get read fetch find lookup show describe view open load retrieve list check status delete \
    remove cancel close resolve track inspect";

const SEARCHES: &str = "search find lookup google bing retrieve web browse ask";

/// Programs that test, build or show what edits change.
const CHECKING: &str = "\
    cargo pytest npm npx yarn pnpm bun go make cmake ctest tox jest vitest mvn gradle \
    gradlew tsc mypy ruff eslint flake8 pylint dotnet phpunit rspec bundle rake node \
    python python3 ruby git bazel just deno";

/// Programs that change files.
const CHANGING: &str = "\
    mv cp rm tee touch mkdir patch chmod ln";

/// What kind of act this call is.
pub(super) fn conduct(name: &str, arguments: Option<&Tree>) -> Conduct {
    if let Some(command) = arguments.and_then(command) {
        return of_command(command);
    }
    let words = words(name);
    let among = |table: &str| words.iter().any(|word| is_among(table, word));
    Conduct {
        waits: among(WAITS),
        edits: among(EDITS),
        checks: among(CHECKS),
        creates: among(CREATES),
        asks: among(ASKS),
        searches: among(SEARCHES),
    }
}

/// The command line among the arguments, if there is one.
fn command(arguments: &Tree) -> Option<&str> {
    let Tree::Map(fields) = arguments else {
        return None;
    };
    fields.iter().find_map(|(name, value)| match value {
        Tree::Text(text) if field(name) == Field::Command => Some(text.as_str()),
        Tree::Text(_)
        | Tree::Null
        | Tree::Bool(_)
        | Tree::Number(_)
        | Tree::List(_)
        | Tree::Map(_) => None,
    })
}

fn of_command(command: &str) -> Conduct {
    let parts = command.split(['\n', ';', '|', '&']).map(str::trim);
    let programs: Vec<&str> = parts.filter_map(program).collect();
    let among = |table: &str| programs.iter().any(|program| is_among(table, program));
    let redirects = command.contains("> ") && !command.contains("/dev/null");
    Conduct {
        waits: programs.iter().all(|program| is_among(WAITS, program)) && !programs.is_empty(),
        edits: among(CHANGING) || redirects || in_place(command),
        checks: among(CHECKING) || programs.iter().any(|program| is_script(program)),
        creates: false,
        asks: false,
        searches: false,
    }
}

fn in_place(command: &str) -> bool {
    ["sed -i", "perl -pi", "git apply", "git checkout", "git stash", "pip install", "npm install"]
        .iter()
        .any(|words| command.contains(words))
}

/// The program that a part of a command line starts, without its folder.
fn program(part: &str) -> Option<&str> {
    let word = part.split_whitespace().find(|word| !word.contains('=') && *word != "sudo")?;
    Some(if is_script(word) { word } else { word.rsplit('/').next().unwrap_or(word) })
}

fn is_script(word: &str) -> bool {
    word.starts_with("./") || word.ends_with(".sh") || word.contains("test")
}

/// The words of a tool's name, in small letters: `readFile`, `read_file`, `fs.read-file`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for letter in name.chars().take(128) {
        if !letter.is_alphanumeric() || (small && letter.is_uppercase()) {
            words.push(String::new());
        }
        if letter.is_alphanumeric() {
            words
                .last_mut()
                .expect("INVARIANT: begins with one word")
                .extend(letter.to_lowercase());
        }
        small = letter.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_are_told_by_name_and_command() {
        let bash = |command: &str| {
            let arguments =
                Tree::Map([("command".to_owned(), Tree::Text(command.to_owned()))].into());
            conduct("bash", Some(&arguments))
        };
        let named = |name| conduct(name, None);
        for (conduct, letters) in [
            (named("read_file"), ""),
            (named("runTests"), "c"),
            (named("str_replace_editor"), "e"),
            (named("sleep"), "w"),
            (named("create_order"), "en"),
            (bash("cargo test -p x 2>&1 | tail"), "c"),
            (bash("cat a/b"), ""),
            (bash("sleep 5"), "w"),
            (bash("sed -i s/a/b/ x"), "e"),
            (bash("echo hi > a"), "e"),
            (bash("RUST_LOG=1 ./run_tests.sh"), "c"),
            (bash("ls -la"), ""),
            (bash(""), ""),
        ] {
            let flags = [
                (conduct.checks, 'c'),
                (conduct.edits, 'e'),
                (conduct.waits, 'w'),
                (conduct.creates, 'n'),
            ];
            let found: String =
                flags.iter().filter(|(on, _)| *on).map(|(_, letter)| letter).collect();
            assert_eq!(found, letters, "{conduct:?}");
        }
    }
}
