//! Expressions: every kind is either walked into or refused.

use sqlparser::ast::{
    AccessExpr, Array, CaseWhen, CastFormat, Expr, ExtractSyntax, Ident, Interval, MemberOf,
    Subscript, TypedString,
};

use super::{Dialect, Walk};

/// Words that are calls without parentheses and tell who is connected to what.
const TELLING: [&str; 7] = [
    "current_catalog",
    "current_role",
    "current_schema",
    "current_user",
    "session_user",
    "system_user",
    "user",
];

impl Walk<'_> {
    pub(super) fn expression(&mut self, expr: &Expr) {
        self.deeper(|walk| walk.expression_parts(expr));
    }

    fn maybe(&mut self, expr: Option<&Expr>) {
        expr.into_iter().for_each(|expr| self.expression(expr));
    }

    fn expression_parts(&mut self, expr: &Expr) {
        match expr {
            Expr::Value(_) | Expr::CompoundIdentifier(_) | Expr::Wildcard(_) => {}
            Expr::QualifiedWildcard(..) | Expr::MatchAgainst { .. } => {}
            Expr::Identifier(ident) => self.column(ident),
            Expr::BinaryOp { .. } => self.chain(expr),
            Expr::Function(function) => self.call(function),
            Expr::Subquery(query) => self.query(query),
            Expr::Exists { subquery, negated: _ } => self.query(subquery),
            Expr::InSubquery { expr, subquery, negated: _ } => {
                self.expression(expr);
                self.query(subquery);
            }
            Expr::IsFalse(inner)
            | Expr::IsNotFalse(inner)
            | Expr::IsTrue(inner)
            | Expr::IsNotTrue(inner)
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::IsUnknown(inner)
            | Expr::IsNotUnknown(inner)
            | Expr::Nested(inner)
            | Expr::IsJson { expr: inner, kind: _, unique_keys: _, negated: _ }
            | Expr::IsNormalized { expr: inner, form: _, negated: _ }
            | Expr::Ceil { expr: inner, field: _ }
            | Expr::Floor { expr: inner, field: _ }
            | Expr::Collate { expr: inner, collation: _ } => self.expression(inner),
            Expr::Extract { field: _, syntax, expr } => {
                self.found.seen.froms += usize::from(*syntax == ExtractSyntax::From);
                self.expression(expr);
            }
            Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => {
                self.found.seen.froms += 1;
                self.expression(left);
                self.expression(right);
            }
            Expr::UnaryOp { op, expr } => {
                self.prefix_operator(*op);
                self.expression(expr);
            }
            Expr::AtTimeZone { timestamp: left, time_zone: right }
            | Expr::Position { expr: left, r#in: right }
            | Expr::MemberOf(MemberOf { value: left, array: right })
            | Expr::RLike { negated: _, expr: left, pattern: right, regexp: _ } => {
                self.expression(left);
                self.expression(right);
            }
            Expr::AnyOp { left, compare_op, right, is_some: _ }
            | Expr::AllOp { left, compare_op, right } => {
                self.operator(compare_op);
                self.expression(left);
                self.expression(right);
            }
            Expr::InList { expr, list, negated: _ } => {
                self.expression(expr);
                self.expressions(list);
            }
            Expr::Tuple(list) => self.expressions(list),
            Expr::Array(Array { elem, named: _ }) => self.expressions(elem),
            Expr::GroupingSets(sets) | Expr::Cube(sets) | Expr::Rollup(sets) => {
                sets.iter().for_each(|set| self.expressions(set));
            }
            Expr::Between { expr, negated: _, low, high } => {
                [expr, low, high].into_iter().for_each(|expr| self.expression(expr));
            }
            Expr::Like { .. } | Expr::ILike { .. } | Expr::SimilarTo { .. } => self.like(expr),
            Expr::Convert { .. } | Expr::Cast { .. } | Expr::TypedString(_) => self.cast(expr),
            Expr::Substring { .. } | Expr::Trim { .. } | Expr::Overlay { .. } => self.cut(expr),
            Expr::Case { .. } => self.case(expr),
            Expr::CompoundFieldAccess { root, access_chain } => {
                self.expression(root);
                access_chain.iter().for_each(|access| self.access(access));
            }
            Expr::Prefixed { prefix, value } => self.prefixed(prefix, value),
            Expr::Interval(interval) => self.interval(interval),
            Expr::JsonAccess { .. }
            | Expr::InUnnest { .. }
            | Expr::Struct { .. }
            | Expr::Named { .. }
            | Expr::Dictionary(_)
            | Expr::Map(_)
            | Expr::OuterJoin(_)
            | Expr::Prior(_)
            | Expr::Lambda(_) => {
                self.deny(format!("not known in {}: `{expr}`", self.dialect.name()))
            }
        }
    }

    /// A chain of operators leans to the left and may be long.
    fn chain(&mut self, expr: &Expr) {
        let mut at = expr;
        while let Expr::BinaryOp { left, op, right } = at {
            self.operator(op);
            self.expression(right);
            at = left;
        }
        self.expression(at);
    }

    fn column(&mut self, ident: &Ident) {
        let name = ident.value.to_ascii_lowercase();
        // `user` is an ordinary name in MySQL, and all of them are in SQLite.
        let telling = match self.dialect {
            Dialect::Sqlite => false,
            Dialect::Postgres => TELLING.contains(&name.as_str()),
            Dialect::Mysql => name != "user" && TELLING.contains(&name.as_str()),
        };
        if telling && ident.quote_style.is_none() {
            self.deny(format!("`{name}` tells who is connected"));
        }
    }

    fn like(&mut self, expr: &Expr) {
        let (Expr::Like { negated: _, any: _, expr, pattern, escape_char }
        | Expr::ILike { negated: _, any: _, expr, pattern, escape_char }
        | Expr::SimilarTo { negated: _, expr, pattern, escape_char }) = expr
        else {
            return;
        };
        self.expression(expr);
        self.expression(pattern);
        self.maybe(escape_char.as_deref());
    }

    fn cast(&mut self, expr: &Expr) {
        if let Expr::Cast { kind: _, expr, data_type, format } = expr {
            self.expression(expr);
            self.data_type(data_type);
            match format {
                Some(CastFormat::Value(_) | CastFormat::ValueAtTimeZone(..)) => {
                    self.deny("a cast with a format is of another dialect");
                }
                None => {}
            }
        } else if let Expr::TypedString(TypedString { data_type, value: _, uses_odbc_syntax }) =
            expr
        {
            self.data_type(data_type);
            self.refuse(*uses_odbc_syntax, "a literal in braces");
        } else if let Expr::Convert {
            is_try: _,
            expr,
            data_type,
            // A character set is a name from the server's own table.
            charset: _,
            target_before_value: _,
            styles,
        } = expr
        {
            self.expression(expr);
            data_type.iter().for_each(|data_type| self.data_type(data_type));
            self.expressions(styles);
        }
    }

    fn cut(&mut self, expr: &Expr) {
        if let Expr::Substring { expr, substring_from, substring_for, special, shorthand: _ } = expr
        {
            let from = substring_from.is_some() && !special;
            self.found.seen.froms += usize::from(from);
            self.expression(expr);
            self.maybe(substring_from.as_deref());
            self.maybe(substring_for.as_deref());
        } else if let Expr::Trim { trim_where: _, trim_what, expr, trim_characters } = expr {
            self.found.seen.froms += usize::from(trim_what.is_some());
            self.expression(expr);
            self.maybe(trim_what.as_deref());
            self.expressions(trim_characters.as_deref().unwrap_or(&[]));
        } else if let Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } = expr {
            self.found.seen.froms += 1;
            [expr, overlay_what, overlay_from].into_iter().for_each(|expr| self.expression(expr));
            self.maybe(overlay_for.as_deref());
        }
    }

    fn case(&mut self, expr: &Expr) {
        let Expr::Case { case_token: _, end_token: _, operand, conditions, else_result } = expr
        else {
            return;
        };
        self.maybe(operand.as_deref());
        for CaseWhen { condition, result } in conditions {
            self.expression(condition);
            self.expression(result);
        }
        self.maybe(else_result.as_deref());
    }

    /// `row.field` and `array[1]`. A call after the dot is a function in a schema.
    fn access(&mut self, access: &AccessExpr) {
        match access {
            AccessExpr::Dot(Expr::Identifier(_)) => {}
            AccessExpr::Dot(other) => self.deny(format!("`.{other}` is not a field")),
            AccessExpr::Subscript(Subscript::Index { index }) => self.expression(index),
            AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, stride }) => {
                for bound in [lower_bound, upper_bound, stride] {
                    self.maybe(bound.as_ref());
                }
            }
        }
    }

    /// A string with its character set: `_utf8mb4'…'`.
    fn prefixed(&mut self, prefix: &Ident, value: &Expr) {
        let charset = prefix.value.starts_with('_') && self.dialect == Dialect::Mysql;
        self.refuse(!charset, "a string with a prefix of another dialect");
        self.expression(value);
    }

    fn interval(&mut self, interval: &Interval) {
        let Interval {
            value,
            leading_field: _,
            leading_precision: _,
            last_field: _,
            fractional_seconds_precision: _,
        } = interval;
        self.expression(value);
    }
}
