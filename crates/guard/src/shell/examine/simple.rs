//! Simple commands: assignments, redirects, a name, words.

use brush_parser::ast;

use super::{Examiner, Feed};
use crate::shell::assign;
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
        let names = assigned.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        self.call(&words, &names, 0);
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
    fn assignment(&mut self, assignment: &ast::Assignment, written: &str) -> Option<(String, Value)> {
        let value = written.split_once('=').map(|(_, value)| self.word(value))?;
        let plain = match (&assignment.name, &assignment.value) {
            (ast::AssignmentName::VariableName(name), ast::AssignmentValue::Scalar(_)) => name,
            (ast::AssignmentName::ArrayElementName(..), ast::AssignmentValue::Scalar(_))
            | (_, ast::AssignmentValue::Array(_)) => return None,
        };
        (!assignment.append).then(|| (plain.clone(), value))
    }

    fn name(&mut self, written: &str) -> Vec<Value> {
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

    /// Whether variables before a command may reach it.
    pub(in crate::shell) fn environment(&mut self, names: &[String], for_code: bool) {
        for reason in names.iter().filter_map(|name| assign::refused(name, for_code)) {
            self.deny(reason);
        }
    }
}

/// What a command of a pipeline hands to the next one.
pub(super) fn what_it_prints(command: &ast::Command) -> Feed {
    let ast::Command::Simple(simple) = command else { return Feed::Text };
    let first = simple.word_or_name.as_ref().map_or("", |name| name.value.as_str());
    let suffix = simple.suffix.iter().flat_map(|suffix| &suffix.0);
    let words = suffix.filter_map(|item| match item {
        ast::CommandPrefixOrSuffixItem::Word(word) => Some(word.value.as_str()),
        ast::CommandPrefixOrSuffixItem::IoRedirect(_)
        | ast::CommandPrefixOrSuffixItem::AssignmentWord(..)
        | ast::CommandPrefixOrSuffixItem::ProcessSubstitution(..) => None,
    });
    let words = words.collect::<Vec<_>>();
    let lists = |long: &str, short: char| {
        words.iter().any(|word| {
            *word == long || word.starts_with('-') && !word.starts_with("--") && word.contains(short)
        })
    };
    match first {
        // What it prints begins with where it was told to begin; a format could print anything.
        "find" if !words.iter().any(|word| word.contains("printf")) => {
            Feed::Names { bare: words.first().is_none_or(|word| word.starts_with('-')) }
        }
        "grep" if lists("--files-with-matches", 'l') => Feed::Names { bare: true },
        "rg" if lists("--files-with-matches", 'l') || words.contains(&"--files") => {
            Feed::Names { bare: true }
        }
        "git" if words.first() == Some(&"ls-files") => Feed::Names { bare: true },
        "ls" if words.iter().all(|word| !word.starts_with('-') || *word == "-1") => {
            Feed::Names { bare: true }
        }
        _ => Feed::Text,
    }
}
