//! Simple commands: assignments, redirects, a name, words.

use brush_parser::ast;

use super::redirect::feeds;
use super::{Examiner, Feed};
use crate::shell::assign;
use crate::shell::path;
use crate::shell::value::{Binding, Value};
use crate::shell::word;

impl Examiner<'_> {
    pub(super) fn simple(&mut self, simple: &ast::SimpleCommand) {
        let mut assigned = Vec::new();
        for item in simple.prefix.iter().flat_map(|prefix| &prefix.0) {
            self.prefix_item(item, &mut assigned);
        }
        let Some(name) = &simple.word_or_name else {
            return self.assignments(assigned);
        };
        let mut words = self.name(&name.value);
        for item in simple.suffix.iter().flat_map(|suffix| &suffix.0) {
            self.suffix_item(item, &mut words);
        }
        for (name, value) in &assigned {
            self.environment_value(name, value.exact());
        }
        let names = assigned.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        let outer = self.feed;
        if redirects_of(simple).any(feeds) {
            self.feed = Feed::Text;
            if words.iter().any(|word| word.exact() == Some("exec")) {
                self.deny("`exec` that changes what everything after it is fed with");
            }
        }
        self.call(&words, &names, 0);
        self.feed = outer;
    }

    /// Assignments without a command: variables of the shell.
    fn assignments(&mut self, assigned: Vec<(String, Value)>) {
        for (name, value) in assigned {
            self.bind(&name, Binding::of(&value));
        }
    }

    fn prefix_item(
        &mut self,
        item: &ast::CommandPrefixOrSuffixItem,
        assigned: &mut Vec<(String, Value)>,
    ) {
        match item {
            ast::CommandPrefixOrSuffixItem::IoRedirect(redirect) => self.redirect(redirect),
            ast::CommandPrefixOrSuffixItem::AssignmentWord(assignment, word) => {
                match self.assignment(assignment, &word.value) {
                    Some(pair) => assigned.push(pair),
                    None => self.deny(format!("the assignment `{}`", word.value)),
                }
            }
            ast::CommandPrefixOrSuffixItem::Word(_)
            | ast::CommandPrefixOrSuffixItem::ProcessSubstitution(..) => {
                self.deny("a word before the command that is not understood");
            }
        }
    }

    /// `name=value`: not to an element, not added to what is there, not a list.
    fn assignment(
        &mut self,
        assignment: &ast::Assignment,
        written: &str,
    ) -> Option<(String, Value)> {
        let value = written.split_once('=').map(|(_, value)| self.word(value))?;
        let plain = match (&assignment.name, &assignment.value) {
            (ast::AssignmentName::VariableName(name), ast::AssignmentValue::Scalar(_)) => name,
            (ast::AssignmentName::ArrayElementName(..), ast::AssignmentValue::Scalar(_))
            | (_, ast::AssignmentValue::Array(_)) => return None,
        };
        (!assignment.append).then(|| (plain.clone(), value))
    }

    fn name(&mut self, written: &str) -> Vec<Value> {
        if written == "[" {
            return vec![Value::text(written)];
        }
        if word::literal(written).is_none() || written.contains('{') && written.contains('}') {
            self.deny(format!("`{written}` is expanded to the name of a program"));
        }
        self.words(written)
    }

    fn suffix_item(&mut self, item: &ast::CommandPrefixOrSuffixItem, words: &mut Vec<Value>) {
        match item {
            ast::CommandPrefixOrSuffixItem::IoRedirect(redirect) => self.redirect(redirect),
            ast::CommandPrefixOrSuffixItem::Word(word)
            | ast::CommandPrefixOrSuffixItem::AssignmentWord(
                ast::Assignment { value: ast::AssignmentValue::Scalar(_), .. },
                word,
            ) => words.extend(self.words(&word.value)),
            ast::CommandPrefixOrSuffixItem::AssignmentWord(_, word) => {
                self.deny(format!("the assignment `{}`", word.value));
            }
            ast::CommandPrefixOrSuffixItem::ProcessSubstitution(side, shell) => {
                let pipe = self.process(side, shell);
                words.push(pipe);
            }
        }
    }

    /// The value of a variable before a command: known, and no path to somewhere else. Even
    /// `LANGUAGE` is one that catalogues are looked up by.
    pub(in crate::shell) fn environment_value(&mut self, name: &str, value: Option<&str>) {
        let why = match value {
            None => Some("nobody knows what it would be".to_owned()),
            Some(text) => path::hides_a_way_out(text, self.grants.workspace()),
        };
        if let Some(why) = why {
            self.deny(format!("the variable `{name}` for a program: {why}"));
        }
    }

    /// Whether variables before a command may reach it.
    pub(in crate::shell) fn environment(&mut self, names: &[String], for_code: bool) {
        for reason in names.iter().filter_map(|name| assign::refused(name, for_code)) {
            self.deny(reason);
        }
    }
}

fn redirects_of(simple: &ast::SimpleCommand) -> impl Iterator<Item = &ast::IoRedirect> {
    let prefix = simple.prefix.iter().flat_map(|prefix| &prefix.0);
    let suffix = simple.suffix.iter().flat_map(|suffix| &suffix.0);
    prefix.chain(suffix).filter_map(|item| match item {
        ast::CommandPrefixOrSuffixItem::IoRedirect(redirect) => Some(redirect),
        ast::CommandPrefixOrSuffixItem::Word(_)
        | ast::CommandPrefixOrSuffixItem::AssignmentWord(..)
        | ast::CommandPrefixOrSuffixItem::ProcessSubstitution(..) => None,
    })
}

/// What a command of a pipeline hands to the next one. Only plain words are looked at: one
/// that is spelled in another way could be an option that prints any text.
pub(super) fn what_it_prints(command: &ast::Command) -> Feed {
    let ast::Command::Simple(simple) = command else { return Feed::Text };
    let Some(words) = plain_words(simple) else { return Feed::Text };
    let words = words.iter().map(String::as_str).collect::<Vec<_>>();
    let Some((name, arguments)) = words.split_first() else { return Feed::Text };
    let has = |part: &str| arguments.iter().any(|word| word.contains(part));
    let first = arguments.first().copied().unwrap_or("");
    let names = match *name {
        // It prints names that begin with where it was told to begin. A format could print
        // anything, and a long list shows where links lead.
        "find" => !has("printf") && !arguments.contains(&"-ls"),
        "grep" => lists_names(first) && !has("--label"),
        "rg" => matches!(first, "-l" | "--files" | "--files-with-matches") && !has("-r"),
        "git" => first == "ls-files" && !has("--format"),
        "ls" => arguments.iter().all(|word| !word.starts_with('-') || *word == "-1"),
        _ => false,
    };
    if names { Feed::Names } else { Feed::Text }
}

/// `-l` or `-rl`, as the first word, where it is no other option's value.
fn lists_names(first: &str) -> bool {
    let letters = first.strip_prefix('-').unwrap_or("");
    letters.contains('l') && letters.chars().all(|one| "lrRinwEFsI".contains(one))
}

/// The words of a command without variables and redirects, but for errors to nowhere.
fn plain_words(simple: &ast::SimpleCommand) -> Option<Vec<String>> {
    if simple.prefix.is_some() {
        return None;
    }
    let mut words = vec![word::literal(&simple.word_or_name.as_ref()?.value)?];
    for item in simple.suffix.iter().flat_map(|suffix| &suffix.0) {
        match item {
            ast::CommandPrefixOrSuffixItem::Word(word) => words.push(word::literal(&word.value)?),
            ast::CommandPrefixOrSuffixItem::IoRedirect(ast::IoRedirect::File(
                Some(2),
                ast::IoFileRedirectKind::Write,
                ast::IoFileRedirectTarget::Filename(target),
            )) if target.value == "/dev/null" => {}
            ast::CommandPrefixOrSuffixItem::IoRedirect(_)
            | ast::CommandPrefixOrSuffixItem::AssignmentWord(..)
            | ast::CommandPrefixOrSuffixItem::ProcessSubstitution(..) => return None,
        }
    }
    Some(words)
}
