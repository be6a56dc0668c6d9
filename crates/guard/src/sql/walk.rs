//! The way through a statement's tree: everything that it names is looked up, everything that
//! is not known is a reason to refuse.
//!
//! Structs are taken apart without `..` and foreign enums matched without a wildcard, so that
//! what a newer parser adds does not compile before somebody decides on it. Where a list says
//! what is allowed (types, operators), the rest is not.

mod call;
mod expression;
mod query;
mod relation;
mod types;

use sqlparser::ast::{DescribeAlias, Expr, SetExpr, Statement, UtilityOption};

use super::names::{Listed, Relation};
use super::{Dialect, TREE_DEPTH_MAX};

/// Words that bring relations in, counted in a statement's text and in its tree. Where they
/// differ, the parser took one of them for a name or dropped it, and an engine may not:
/// `count(*) over from secrets` is a window called `from` to the one and a query to the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) selects: usize,
    pub(super) froms: usize,
    pub(super) joins: usize,
    pub(super) tables: usize,
}

/// What a walk found.
pub(super) struct Found {
    /// The word of a change that is hidden in the statement.
    pub(super) hidden: Option<&'static str>,
    /// Why it may not run.
    pub(super) reasons: Vec<String>,
    /// The parts that were walked through.
    pub(super) seen: Parts,
}

pub(super) struct Walk<'a> {
    dialect: Dialect,
    listed: &'a Listed,
    /// The names that the query gives to its own parts and that are visible here.
    own: Vec<String>,
    depth: usize,
    found: Found,
}

impl<'a> Walk<'a> {
    pub(super) fn new(dialect: Dialect, listed: &'a Listed) -> Self {
        let found = Found { hidden: None, reasons: Vec::new(), seen: Parts::default() };
        Walk { dialect, listed, own: Vec::new(), depth: 0, found }
    }

    pub(super) fn end(self) -> Found {
        self.found
    }

    pub(super) fn statement(&mut self, statement: &Statement) {
        if let Statement::Query(query) = statement {
            self.query(query);
        } else if let Statement::Explain {
            describe_alias: DescribeAlias::Explain,
            analyze,
            verbose: _,
            query_plan: _,
            estimate,
            statement,
            format: _,
            options,
        } = statement
        {
            self.refuse(*analyze, "`explain analyze` runs the statement");
            self.refuse(*estimate, "`explain estimate` is not allowed");
            options.iter().flatten().for_each(|option| self.explain_option(option));
            if let Statement::Query(query) = statement.as_ref() {
                self.query(query);
            } else {
                self.deny("only a query may be explained");
            }
        } else {
            self.deny("not a query: only what reads is allowed");
        }
    }

    /// What PostgreSQL's `explain (…)` may be told. `analyze` runs the statement.
    fn explain_option(&mut self, option: &UtilityOption) {
        let UtilityOption { name, arg } = option;
        let name = name.value.to_ascii_lowercase();
        let harmless = matches!(name.as_str(), "format" | "verbose" | "costs" | "summary");
        let plain = matches!(arg, None | Some(Expr::Identifier(_) | Expr::Value(_)));
        self.refuse(!harmless || !plain, &format!("`explain ({name})` is not allowed"));
    }

    /// Notes that a change is hidden here.
    fn change(&mut self, body: &SetExpr) {
        let word = match body {
            SetExpr::Insert(_) => "insert",
            SetExpr::Update(_) => "update",
            SetExpr::Delete(_) => "delete",
            SetExpr::Merge(_) => "merge",
            SetExpr::Select(_)
            | SetExpr::Query(_)
            | SetExpr::SetOperation { .. }
            | SetExpr::Values(_)
            | SetExpr::Table(_) => return,
        };
        self.found.hidden = Some(word);
        self.deny(format!("a hidden `{word}`: only what reads is allowed"));
    }

    /// Checks that a relation is listed or the query's own.
    fn look_up(&mut self, relation: &Relation) {
        let own = relation.bare().is_some_and(|name| self.own.iter().any(|own| own == name));
        if !own && !self.listed.contains(relation) {
            self.deny(format!("the relation `{}` is not listed", relation.shown()));
        }
    }

    /// Goes one node deeper, if that is not too deep.
    fn deeper(&mut self, go: impl FnOnce(&mut Self)) {
        if self.depth == TREE_DEPTH_MAX {
            return self.deny("too deeply nested");
        }
        self.depth += 1;
        go(self);
        self.depth -= 1;
    }

    fn refuse(&mut self, present: bool, why: &str) {
        if present {
            self.deny(why);
        }
    }

    fn deny(&mut self, why: impl Into<String>) {
        let why = why.into();
        if !self.found.reasons.contains(&why) {
            self.found.reasons.push(why);
        }
    }
}
