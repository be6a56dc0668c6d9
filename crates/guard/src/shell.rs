//! Shell commands: what they would run, read and write.
//!
//! A command is read as bash reads it, down to the last substitution, and compared with
//! **allow entries**. An entry is a prefix of the words of a simple command: `git status`,
//! `ls`, `cargo test`. It grants that program in its plain form: no other program, no write
//! to a file through a redirect or an option, no code or configuration from the arguments or
//! the environment, no operand outside of the workspace. Tools that are there to change
//! files (`rm`, `tee`, …) change them inside of the workspace only, and never those that
//! something runs or takes its configuration from; build tools and interpreters run what
//! lies in the workspace.
//!
//! `allow`: all of it is understood and granted. `ask`: it is understood, but no entry covers
//! a program, or a word whose value nobody knows. `deny`: it reaches for what no entry can
//! grant, or is not understood. Lexical and pure: links, races and what programs do with
//! what they are given are the sandbox's.

mod assign;
mod brace;
mod call;
mod examine;
mod grammar;
mod lex;
mod path;
mod refusal;
mod screen;
mod script;
mod table;
mod value;
mod word;

use kernel::verdict::Examined;
use serde::Deserialize;

pub use screen::{COMMAND_BYTES_MAX, DEPTH_BRACKETS_MAX, OPENERS_WORDS_MAX};

use call::plainly;
use examine::Examiner;
use value::Value;

/// A question, as `windlass guard shell` reads it line by line. Other fields are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Input {
    /// The allow entries.
    #[serde(default)]
    pub allow: Vec<String>,
    /// The command.
    pub command: String,
}

impl Input {
    /// The answer, for a workspace of which only the inside is known.
    #[must_use]
    pub fn examine(&self) -> Examined {
        examine(&self.command, &Grants::new(&self.allow))
    }
}

/// What the operator allows: entries, and where the workspace lies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    entries: Vec<Vec<String>>,
    unread: Vec<String>,
    workspace: Option<String>,
}

impl Grants {
    /// Reads allow entries. One that is more than plain words grants nothing: see
    /// [`Grants::unread`].
    #[must_use]
    pub fn new<S: AsRef<str>>(allow: impl IntoIterator<Item = S>) -> Self {
        let mut grants = Grants::default();
        for entry in allow {
            match words_of(entry.as_ref()) {
                Some(words) => grants.entries.push(words),
                None => grants.unread.push(entry.as_ref().to_owned()),
            }
        }
        grants
    }

    /// The same, with absolute paths below `root` known to be in the workspace.
    #[must_use]
    pub fn in_workspace(mut self, root: impl Into<String>) -> Self {
        self.workspace = Some(root.into()).filter(|root| root.starts_with('/') && root.len() > 1);
        self
    }

    /// Entries that grant nothing because they are not plain words: configuration should
    /// refuse them.
    #[must_use]
    pub fn unread(&self) -> &[String] {
        &self.unread
    }

    fn workspace(&self) -> Option<&str> {
        self.workspace.as_deref()
    }

    /// How many words of a command the longest entry spells that is a prefix of it.
    fn spelled(&self, words: &[Value]) -> usize {
        let spells = |entry: &&Vec<String>| {
            entry.len() <= words.len()
                && entry
                    .iter()
                    .zip(words)
                    .all(|(ours, word)| !word.expanded && word.exact() == Some(ours.as_str()))
        };
        self.entries.iter().filter(spells).map(Vec::len).max().unwrap_or(0)
    }
}

/// The words of an entry, where all of them are plain.
fn words_of(entry: &str) -> Option<Vec<String>> {
    screen::screen(entry).ok()?;
    let tokens = lex::tokens(entry).ok()?;
    let word = |token: &lex::Token| match token.kind {
        lex::Kind::Word => word::literal(&token.text).map(|text| Value::text(&text)),
        lex::Kind::Operator | lex::Kind::Body => None,
    };
    let words = tokens.iter().map(word).collect::<Option<Vec<_>>>()?;
    let name = words.first()?.exact()?.to_owned();
    let words = plainly(&name, &words);
    Some(words.iter().map(|word| word.sample().to_owned()).collect())
}

/// Reads a command and says what it would do: the programs that it would run, the paths
/// and hosts that it names, and whether it may.
#[must_use]
pub fn examine(command: &str, grants: &Grants) -> Examined {
    let mut examiner = Examiner::new(grants);
    examiner.text(command);
    examiner.found
}

#[cfg(test)]
mod tests {
    use kernel::verdict::Verdict;

    use super::*;

    fn verdict(allow: &[&str], command: &str) -> Verdict {
        examine(command, &Grants::new(allow)).judgement.verdict
    }

    #[test]
    fn what_a_command_names_is_found() {
        let grants = Grants::new(["cat", "curl", "timeout"]).in_workspace("/w/s/");
        let found = examine("timeout 5 cat /w/s/a ./b; curl -s https://example.com/x", &grants);
        assert_eq!(found.judgement.verdict, Verdict::Allow, "{:?}", found.judgement.reasons);
        assert_eq!(found.commands.iter().collect::<Vec<_>>(), ["cat", "curl", "timeout"]);
        assert_eq!(found.paths.iter().collect::<Vec<_>>(), ["./b", "a"]);
        assert_eq!(found.hosts.iter().collect::<Vec<_>>(), ["example.com"]);
    }

    #[test]
    fn absolute_paths_stay_where_the_workspace_is_known() {
        let here = Grants::new(["cat", "rm", "cd"]).in_workspace("/w/s");
        let verdict = |command| examine(command, &here).judgement.verdict;
        assert_eq!(verdict("cat /w/s/a && cd /w/s/src && rm /w/s/b"), Verdict::Allow);
        for outside in ["cat /w/sx", "cat /w/s/../x", "cat /w", "rm /w/s", "rm /w/s/.git/x"] {
            assert_eq!(verdict(outside), Verdict::Deny, "{outside}");
        }
    }

    #[test]
    fn without_an_entry_somebody_is_asked_unless_it_is_never_granted() {
        assert_eq!(verdict(&["ls"], "cat a"), Verdict::Ask);
        assert_eq!(verdict(&["git"], "git push"), Verdict::Ask);
        assert_eq!(verdict(&["ls"], "cat /etc/passwd"), Verdict::Deny);
        assert_eq!(verdict(&["sudo"], "sudo ls"), Verdict::Deny);
        assert_eq!(verdict(&[], "ls ("), Verdict::Deny);
    }

    #[test]
    fn an_entry_may_spell_an_option_that_writes_but_none_that_runs() {
        assert_eq!(verdict(&["sed -i"], "sed -i s/a/b/ src/a.rs"), Verdict::Allow);
        assert_eq!(verdict(&["sed -i"], "sed -i s/a/b/ .git/config"), Verdict::Deny);
        assert_eq!(verdict(&["sed"], "sed -i s/a/b/ src/a.rs"), Verdict::Deny);
        assert_eq!(verdict(&["python -c"], "python -c 1"), Verdict::Deny);
        assert_eq!(verdict(&["python -m build"], "python -m build"), Verdict::Allow);
        assert_eq!(verdict(&["git -c a.b=c log"], "git -c a.b=c log"), Verdict::Deny);
        assert_eq!(verdict(&["tar tzf"], "tar tzf a.tgz"), Verdict::Allow);
        assert_eq!(verdict(&["tar tf"], "tar -tzf a.tgz"), Verdict::Ask);
    }

    #[test]
    fn entries_that_are_not_plain_words_grant_nothing() {
        let grants = Grants::new(["ls *", "$x", "a; b", "", "git --no-pager log"]);
        assert_eq!(grants.unread(), ["ls *", "$x", "a; b", ""]);
        assert_eq!(examine("git log -1", &grants).judgement.verdict, Verdict::Allow);
    }
}
