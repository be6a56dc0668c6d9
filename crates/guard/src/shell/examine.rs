//! The walk over a command: every list, pipeline, compound command and redirect, in the
//! order in which bash would come to them.
//!
//! One step per kind of node, no node left out: what is not named here does not compile.

mod expand;
mod redirect;
mod simple;
mod test;

use std::collections::BTreeSet;

use brush_parser::ast;
use kernel::verdict::{Examined, Judgement, Verdict};

use super::Grants;
use super::lex::{self, Kind, Token};
use super::refusal::Read;
use super::value::{Binding, Scope};
use super::{grammar, screen};

/// How deep substitutions may lie in each other.
const NESTING_MAX: usize = 8;
/// How many words are looked at, those of substitutions included.
const WORDS_MAX: usize = 4_000;
/// How many reasons are kept.
const REASONS_MAX: usize = 16;

/// Where a pipeline gets its input from, as far as it matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Feed {
    /// From outside of the command, or from a file.
    #[default]
    Own,
    /// From a program that prints names of files below the working directory.
    Names,
    /// From any other program.
    Text,
}

/// Reads one command and keeps what it finds.
pub(super) struct Examiner<'a> {
    pub(super) grants: &'a Grants,
    pub(super) found: Examined,
    pub(super) scope: Scope,
    /// The working directory was changed.
    pub(super) moved: bool,
    pub(super) feed: Feed,
    /// Launchers that stand before the program now looked at.
    pub(super) launchers: usize,
    nesting: usize,
    words: usize,
}

impl<'a> Examiner<'a> {
    pub(super) fn new(grants: &'a Grants) -> Self {
        Examiner {
            grants,
            found: Examined::nothing(),
            scope: Scope::default(),
            moved: false,
            feed: Feed::Own,
            launchers: 0,
            nesting: 0,
            words: 0,
        }
    }

    /// Looks at a whole text.
    pub(super) fn text(&mut self, command: &str) {
        if let Err(refusal) = self.try_text(command) {
            self.deny(refusal.0);
        }
    }

    fn try_text(&mut self, command: &str) -> Read<()> {
        screen::screen(command)?;
        let tokens = lex::tokens(command)?;
        let program = grammar::parse(command, &tokens)?;
        self.scope.repeat(set_more_than_once(&tokens));
        program.complete_commands.iter().for_each(|list| self.list(list));
        Ok(())
    }

    /// A substitution: a shell of its own, with what is known so far, and the same input.
    pub(super) fn nested(&mut self, command: &str) {
        if self.nesting == NESTING_MAX {
            return self.deny(format!("substitutions lie more than {NESTING_MAX} deep"));
        }
        self.nesting += 1;
        self.apart(|this| this.text(command));
        self.nesting -= 1;
    }

    /// Something that cannot change the variables of the shell around it, or may not run.
    fn apart(&mut self, run: impl FnOnce(&mut Self)) {
        let (scope, feed) = (self.scope.clone(), self.feed);
        run(self);
        (self.scope, self.feed) = (scope, feed);
    }

    pub(super) fn deny(&mut self, reason: impl Into<String>) {
        self.judge(Verdict::Deny, reason.into());
    }

    pub(super) fn ask(&mut self, reason: impl Into<String>) {
        self.judge(Verdict::Ask, reason.into());
    }

    fn judge(&mut self, verdict: Verdict, reason: String) {
        let judgement = &mut self.found.judgement;
        if judgement.verdict == verdict && judgement.reasons.len() >= REASONS_MAX {
            return;
        }
        let before = std::mem::replace(judgement, Judgement::allow());
        *judgement = before.and(Judgement::new(verdict, "shell", reason));
    }

    /// Counts a word; false once there were too many.
    pub(super) fn count_word(&mut self) -> bool {
        self.words += 1;
        if self.words == WORDS_MAX {
            self.deny(format!("more than {WORDS_MAX} words"));
        }
        self.words < WORDS_MAX
    }

    fn list(&mut self, list: &ast::CompoundList) {
        for ast::CompoundListItem(and_or, separator) in &list.0 {
            match separator {
                ast::SeparatorOperator::Sequence => self.and_or(and_or),
                ast::SeparatorOperator::Async => self.apart(|this| this.and_or(and_or)),
            }
        }
    }

    /// What the first pipeline binds is certain; what a later one binds is so only for those
    /// that `&&` ties to it.
    fn and_or(&mut self, list: &ast::AndOrList) {
        self.pipeline(&list.first);
        let certain = self.scope.clone();
        for next in &list.additional {
            match next {
                ast::AndOr::And(pipeline) => self.pipeline(pipeline),
                ast::AndOr::Or(pipeline) => {
                    self.scope = certain.clone();
                    self.pipeline(pipeline);
                    self.scope = certain.clone();
                }
            }
        }
        self.scope = certain;
    }

    fn pipeline(&mut self, pipeline: &ast::Pipeline) {
        if let [only] = pipeline.seq.as_slice() {
            return self.command(only);
        }
        let outer = self.feed;
        for (index, command) in pipeline.seq.iter().enumerate() {
            let before = index.checked_sub(1).and_then(|before| pipeline.seq.get(before));
            let feed = before.map_or(outer, simple::what_it_prints);
            self.apart(|this| {
                this.feed = feed;
                this.command(command);
            });
        }
    }

    fn command(&mut self, command: &ast::Command) {
        match command {
            ast::Command::Simple(simple) => self.simple(simple),
            ast::Command::Compound(compound, redirects) => {
                self.redirects(redirects.as_ref());
                let outer = self.feed;
                if redirects.iter().flat_map(|list| &list.0).any(redirect::feeds) {
                    self.feed = Feed::Text;
                }
                self.compound(compound);
                self.feed = outer;
            }
            ast::Command::Function(function) => {
                self.deny(format!("it defines the function `{}`", function.fname.value));
            }
            ast::Command::ExtendedTest(test, redirects) => {
                self.redirects(redirects.as_ref());
                self.extended_test(&test.expr);
            }
        }
    }

    fn compound(&mut self, compound: &ast::CompoundCommand) {
        match compound {
            ast::CompoundCommand::BraceGroup(group) => self.list(&group.list),
            ast::CompoundCommand::Subshell(shell) => self.apart(|this| this.list(&shell.list)),
            ast::CompoundCommand::ForClause(clause) => self.apart(|this| this.for_clause(clause)),
            ast::CompoundCommand::CaseClause(clause) => self.case_clause(clause),
            ast::CompoundCommand::IfClause(clause) => self.apart(|this| this.if_clause(clause)),
            ast::CompoundCommand::WhileClause(clause)
            | ast::CompoundCommand::UntilClause(clause) => self.apart(|this| {
                this.list(&clause.0);
                this.list(&clause.1.list);
            }),
            ast::CompoundCommand::Arithmetic(_) | ast::CompoundCommand::ArithmeticForClause(_) => {
                self.deny("an arithmetic command: it can set variables and run commands");
            }
            ast::CompoundCommand::Coprocess(_) => self.deny("a coprocess"),
        }
    }

    fn for_clause(&mut self, clause: &ast::ForClauseCommand) {
        let Some(values) = &clause.values else {
            return self.deny("a loop over the arguments of the shell");
        };
        let words = values.iter().flat_map(|word| self.words(&word.value)).collect::<Vec<_>>();
        self.bind(&clause.variable_name, Binding::any_of(&words));
        self.list(&clause.body.list);
    }

    /// A variable gets a value, if its name is nobody's configuration.
    pub(super) fn bind(&mut self, name: &str, binding: Binding) {
        let plain = |one: char| one.is_ascii_alphanumeric() || one == '_';
        if name.is_empty()
            || !name.chars().all(plain)
            || name.starts_with(|one: char| one.is_ascii_digit())
        {
            return self.deny(format!("`{name}` is not a plain variable"));
        }
        if let Some(reason) = super::assign::refused(name, false) {
            self.deny(reason);
        }
        self.scope.bind(name, binding);
    }

    fn case_clause(&mut self, clause: &ast::CaseClauseCommand) {
        self.word(&clause.value.value);
        for case in &clause.cases {
            case.patterns.iter().for_each(|pattern| drop(self.word(&pattern.value)));
            self.apart(|this| case.cmd.iter().for_each(|list| this.list(list)));
        }
    }

    fn if_clause(&mut self, clause: &ast::IfClauseCommand) {
        self.list(&clause.condition);
        self.apart(|this| this.list(&clause.then));
        for other in clause.elses.iter().flatten() {
            self.apart(|this| {
                other.condition.iter().for_each(|condition| this.list(condition));
                this.list(&other.body);
            });
        }
    }
}

/// Names that a text sets in more than one place: counted generously, by the form of the
/// words.
fn set_more_than_once(tokens: &[Token]) -> BTreeSet<String> {
    let (mut once, mut more) = (BTreeSet::new(), BTreeSet::new());
    let mut names_follow = false;
    let mut before = "";
    for token in tokens {
        names_follow &= token.kind == Kind::Word;
        let assigned = token.text.split_once('=').map(|(name, _)| name.trim_end_matches('+'));
        let set = assigned.or((names_follow || before == "for").then_some(token.text.as_str()));
        let set = set.filter(|_| token.kind == Kind::Word);
        more.extend(set.filter(|name| !once.insert((*name).to_owned())).map(str::to_owned));
        names_follow |= token.text == "read" || token.text == "export";
        before = &token.text;
    }
    more
}
