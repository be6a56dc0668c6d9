//! Calls: the function must be listed, and what makes rows or text must not be told to make
//! too much of it.

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArgumentList, FunctionArguments, JsonReturningClause, ObjectName, Value, WindowFrame,
    WindowFrameBound, WindowSpec, WindowType,
};

use super::super::functions::{self, Place};
use super::super::names::folded;
use super::super::{Dialect, MADE_COUNT_MAX};
use super::Walk;

impl Walk<'_> {
    pub(super) fn call(&mut self, function: &Function) {
        let Function {
            name,
            uses_odbc_syntax,
            parameters,
            args,
            within_group,
            filter,
            null_treatment: _,
            over,
        } = function;
        self.refuse(*uses_odbc_syntax, "a call in braces");
        self.refuse(*parameters != FunctionArguments::None, "a call with two lists of arguments");
        match args {
            FunctionArguments::None => self.named_call(name, &[], Place::Expression),
            FunctionArguments::Subquery(query) => {
                self.named_call(name, &[], Place::Expression);
                self.query(query);
            }
            FunctionArguments::List(FunctionArgumentList {
                duplicate_treatment: _,
                args,
                clauses,
            }) => {
                self.named_call(name, args, Place::Expression);
                args.iter().for_each(|arg| self.argument(arg));
                clauses.iter().for_each(|clause| self.clause(clause));
            }
        }
        self.ordered(within_group);
        filter.iter().for_each(|expr| self.expression(expr));
        match over {
            Some(WindowType::WindowSpec(spec)) => self.window(spec),
            Some(WindowType::NamedWindow(_)) | None => {}
        }
    }

    /// Checks a function's name, and how much it is told to make.
    pub(super) fn named_call(&mut self, name: &ObjectName, args: &[FunctionArg], place: Place) {
        match self.function_name(name) {
            Some(found) if functions::listed(self.dialect, &found, place) => {
                if functions::makes(&found) && args.iter().any(makes_too_much) {
                    self.deny(format!("`{found}` is told to make too much or too uncertain a lot"));
                }
            }
            Some(found) => self.deny(format!("the function `{found}` is not listed")),
            None => self.deny(format!("the function `{name}` is not listed")),
        }
    }

    /// A function's name as it is listed. A schema before it leads to functions that nobody
    /// knows, but for PostgreSQL's own; so do quotes in MySQL.
    fn function_name(&self, name: &ObjectName) -> Option<String> {
        let parts = name.0.iter().map(|part| part.as_ident()).collect::<Option<Vec<_>>>()?;
        let ident = match parts.as_slice() {
            [ident] => ident,
            [schema, ident]
                if self.dialect == Dialect::Postgres
                    && folded(schema, self.dialect) == "pg_catalog" =>
            {
                ident
            }
            [..] => return None,
        };
        match self.dialect {
            Dialect::Postgres => Some(folded(ident, self.dialect)),
            Dialect::Sqlite => Some(ident.value.to_ascii_lowercase()),
            Dialect::Mysql => ident.quote_style.is_none().then(|| ident.value.to_ascii_lowercase()),
        }
    }

    pub(super) fn argument(&mut self, arg: &FunctionArg) {
        let arg = match arg {
            FunctionArg::Named { name: _, arg, operator: _ } | FunctionArg::Unnamed(arg) => arg,
            FunctionArg::ExprNamed { name, arg, operator: _ } => {
                self.expression(name);
                arg
            }
        };
        match arg {
            FunctionArgExpr::Expr(expr) => self.expression(expr),
            FunctionArgExpr::QualifiedWildcard(_) | FunctionArgExpr::Wildcard => {}
            FunctionArgExpr::WildcardWithOptions(_) => self.deny("a `*` with options"),
        }
    }

    fn clause(&mut self, clause: &FunctionArgumentClause) {
        match clause {
            FunctionArgumentClause::OrderBy(exprs) => self.ordered(exprs),
            FunctionArgumentClause::Limit(expr) => self.expression(expr),
            FunctionArgumentClause::JsonReturningClause(JsonReturningClause { data_type }) => {
                self.data_type(data_type);
            }
            FunctionArgumentClause::IgnoreOrRespectNulls(_)
            | FunctionArgumentClause::Separator(_)
            | FunctionArgumentClause::JsonNullClause(_) => {}
            FunctionArgumentClause::Where(_)
            | FunctionArgumentClause::OnOverflow(_)
            | FunctionArgumentClause::Having(_) => {
                self.deny("a call with clauses of another dialect")
            }
        }
    }

    pub(super) fn window(&mut self, spec: &WindowSpec) {
        let WindowSpec { window_name: _, partition_by, order_by, window_frame } = spec;
        self.expressions(partition_by);
        self.ordered(order_by);
        if let Some(WindowFrame { units: _, start_bound, end_bound }) = window_frame {
            for bound in [Some(start_bound), end_bound.as_ref()].into_iter().flatten() {
                match bound {
                    WindowFrameBound::CurrentRow => {}
                    WindowFrameBound::Preceding(expr) | WindowFrameBound::Following(expr) => {
                        expr.iter().for_each(|expr| self.expression(expr));
                    }
                }
            }
        }
    }
}

fn makes_too_much(arg: &FunctionArg) -> bool {
    let (FunctionArg::Named { arg, .. }
    | FunctionArg::ExprNamed { arg, .. }
    | FunctionArg::Unnamed(arg)) = arg;
    match arg {
        FunctionArgExpr::Expr(expr) => too_much(expr),
        FunctionArgExpr::QualifiedWildcard(_)
        | FunctionArgExpr::Wildcard
        | FunctionArgExpr::WildcardWithOptions(_) => false,
    }
}

/// Whether an argument could be a very large number: it is one, or a product, or a width in a
/// format. Columns, dates and subqueries are taken at their word.
fn too_much(expr: &Expr) -> bool {
    let expr = plain(expr);
    if let Expr::Value(value) = expr {
        return large_value(&value.value);
    }
    if let Expr::BinaryOp { left, op, right } = expr {
        return grows(op) || too_much(left) || too_much(right);
    }
    if let Expr::Function(Function { args: FunctionArguments::List(list), .. }) = expr {
        return list.args.iter().any(makes_too_much);
    }
    false
}

fn large_value(value: &Value) -> bool {
    if let Value::Number(digits, _) = value {
        return large(digits);
    }
    if let Value::SingleQuotedString(text) = value {
        return wide(text);
    }
    !matches!(value, Value::Placeholder(_) | Value::Boolean(_) | Value::Null)
}

/// Whether an operator makes more of two small numbers.
fn grows(op: &BinaryOperator) -> bool {
    !matches!(
        op,
        BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Divide
            | BinaryOperator::StringConcat
            | BinaryOperator::Arrow
            | BinaryOperator::LongArrow
    )
}

fn large(digits: &str) -> bool {
    !digits.replace('_', "").parse().is_ok_and(|number: f64| number <= count_max())
}

fn plain(mut expr: &Expr) -> &Expr {
    while let Expr::Nested(inner)
    | Expr::UnaryOp { expr: inner, op: _ }
    | Expr::Cast { expr: inner, .. } = expr
    {
        expr = inner;
    }
    expr
}

/// Whether a format asks for more places than anybody reads.
fn wide(text: &str) -> bool {
    let runs = text.split(|c: char| !c.is_ascii_digit());
    runs.filter(|run| !run.is_empty()).any(large)
}

#[expect(clippy::cast_precision_loss, reason = "a million is exact")]
fn count_max() -> f64 {
    MADE_COUNT_MAX as f64
}
