//! Queries: their parts, and which names are visible in them.

use sqlparser::ast::{
    Cte, Distinct, Expr, Fetch, GroupByExpr, GroupByWithModifier, LimitClause,
    NamedWindowDefinition, NamedWindowExpr, Offset, OrderBy, OrderByExpr, OrderByKind,
    OrderByOptions, OrderBySort, Parens, Query, Select, SelectFlavor, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier, TableAlias,
    TableAliasColumnDef, TableFactor, TableWithJoins, Values, WildcardAdditionalOptions, With,
};

use super::super::names::folded;
use super::{Dialect, Walk};

impl Walk<'_> {
    pub(super) fn query(&mut self, query: &Query) {
        self.deeper(|walk| walk.query_parts(query));
    }

    fn query_parts(&mut self, query: &Query) {
        let Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        let visible = self.own.len();
        if let Some(with) = with {
            self.with(with);
        }
        self.body(body);
        order_by.iter().for_each(|order| self.order_by(order));
        limit_clause.iter().for_each(|limit| self.limit(limit));
        if let Some(Fetch { with_ties: _, percent: _, quantity }) = fetch {
            quantity.iter().for_each(|expr| self.expression(expr));
        }
        self.refuse(!locks.is_empty(), "it locks rows (`for update`, `for share`)");
        self.refuse(for_clause.is_some(), "a `for` clause of another dialect");
        self.refuse(settings.is_some(), "a query must not change settings");
        self.refuse(format_clause.is_some(), "a `format` clause of another dialect");
        self.refuse(!pipe_operators.is_empty(), "pipes are of another dialect");
        self.own.truncate(visible);
    }

    /// The names of a `with`. One that refers to itself means itself where it is recursive,
    /// and a relation where it is not. SQLite needs no word for it. A name that is given
    /// further down counts as a relation, though some engines would find it.
    fn with(&mut self, with: &With) {
        let With { with_token: _, recursive, cte_tables } = with;
        let recursive = *recursive || self.dialect == Dialect::Sqlite;
        for Cte { alias, query, from, materialized: _, closing_paren_token: _ } in cte_tables {
            self.refuse(from.is_some(), "a `from` after a `with` is of another dialect");
            self.alias(alias);
            self.refuse(
                recursive && endless(query, &alias.name.value),
                "a recursion that nothing ends: no `where`, no join, no `limit`",
            );
            let name = folded(&alias.name, self.dialect);
            if recursive {
                self.own.push(name);
                self.query(query);
            } else {
                self.query(query);
                self.own.push(name);
            }
        }
    }

    /// A body; unions are chains to the left and may be long.
    pub(super) fn body(&mut self, body: &SetExpr) {
        let mut at = body;
        while let SetExpr::SetOperation { left, op, set_quantifier, right } = at {
            self.refuse(matches!(op, SetOperator::Minus), "`minus` is of another dialect");
            self.refuse(
                matches!(
                    set_quantifier,
                    SetQuantifier::ByName
                        | SetQuantifier::AllByName
                        | SetQuantifier::DistinctByName
                ),
                "`by name` is of another dialect",
            );
            self.deeper(|walk| walk.body(right));
            at = left;
        }
        match at {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::Values(values) => self.values(values),
            SetExpr::Table(table) => self.table_command(table),
            SetExpr::Insert(_)
            | SetExpr::Update(_)
            | SetExpr::Delete(_)
            | SetExpr::Merge(_)
            | SetExpr::SetOperation { .. } => self.change(at),
        }
    }

    fn values(&mut self, values: &Values) {
        let Values { explicit_row: _, value_keyword, rows } = values;
        self.refuse(*value_keyword, "`value` is of another dialect");
        for Parens { opening_token: _, content, closing_token: _ } in rows {
            self.expressions(content);
        }
    }

    fn select(&mut self, select: &Select) {
        let Select {
            select_token: _,
            optimizer_hints,
            distinct,
            // Flags for MySQL's planner, without arguments.
            select_modifiers: _,
            top,
            top_before_distinct: _,
            projection,
            exclude,
            into,
            from,
            lateral_views,
            prewhere,
            selection,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having,
            named_window,
            qualify,
            window_before_qualify: _,
            value_table_mode,
            flavor,
        } = select;
        self.found.seen.selects += 1;
        self.found.seen.froms += usize::from(!from.is_empty());
        if let Some(Distinct::On(exprs)) = distinct {
            self.expressions(exprs);
        }
        projection.iter().for_each(|item| self.item(item));
        from.iter().for_each(|tables| self.table_with_joins(tables));
        selection.iter().chain(having).for_each(|expr| self.expression(expr));
        self.group_by(group_by);
        named_window.iter().for_each(|window| self.named_window(window));
        self.refuse(into.is_some(), "`select into` writes its result somewhere");
        self.refuse(!optimizer_hints.is_empty(), "a comment that the planner obeys");
        let foreign = top.is_some()
            || exclude.is_some()
            || !lateral_views.is_empty()
            || prewhere.is_some()
            || !connect_by.is_empty()
            || !cluster_by.is_empty()
            || !distribute_by.is_empty()
            || !sort_by.is_empty()
            || qualify.is_some()
            || value_table_mode.is_some()
            || *flavor != SelectFlavor::Standard;
        self.refuse(foreign, "a `select` with clauses of another dialect");
    }

    fn item(&mut self, item: &SelectItem) {
        match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, alias: _ } => {
                self.expression(expr);
            }
            SelectItem::QualifiedWildcard(kind, options) => {
                if let SelectItemQualifiedWildcardKind::Expr(expr) = kind {
                    self.expression(expr);
                }
                self.wildcard(options);
            }
            SelectItem::Wildcard(options) => self.wildcard(options),
            SelectItem::ExprWithAliases { .. } => self.deny("several aliases for one column"),
        }
    }

    fn wildcard(&mut self, options: &WildcardAdditionalOptions) {
        let WildcardAdditionalOptions {
            wildcard_token: _,
            opt_ilike,
            opt_exclude,
            opt_except,
            opt_replace,
            opt_rename,
            opt_alias: _,
        } = options;
        let foreign = opt_ilike.is_some()
            || opt_exclude.is_some()
            || opt_except.is_some()
            || opt_replace.is_some()
            || opt_rename.is_some();
        self.refuse(foreign, "a `*` with options of another dialect");
    }

    fn group_by(&mut self, group_by: &GroupByExpr) {
        match group_by {
            GroupByExpr::Expressions(exprs, modifiers) => {
                self.expressions(exprs);
                let foreign = modifiers.iter().any(|how| *how != GroupByWithModifier::Rollup);
                self.refuse(foreign, "a `group by` with options of another dialect");
            }
            GroupByExpr::All(_) => self.deny("`group by all` is of another dialect"),
        }
    }

    fn named_window(&mut self, window: &NamedWindowDefinition) {
        match &window.1 {
            NamedWindowExpr::NamedWindow(_) => {}
            NamedWindowExpr::WindowSpec(spec) => self.window(spec),
        }
    }

    fn order_by(&mut self, order: &OrderBy) {
        let OrderBy { kind, interpolate } = order;
        self.refuse(interpolate.is_some(), "`interpolate` is of another dialect");
        match kind {
            OrderByKind::Expressions(exprs) => self.ordered(exprs),
            OrderByKind::All(_) => self.deny("`order by all` is of another dialect"),
        }
    }

    pub(super) fn ordered(&mut self, exprs: &[OrderByExpr]) {
        for OrderByExpr { expr, options, with_fill } in exprs {
            let OrderByOptions { sort, nulls_first: _ } = options;
            self.expression(expr);
            self.refuse(
                matches!(sort, Some(OrderBySort::Using(_))),
                "`order by … using` calls an operator",
            );
            self.refuse(with_fill.is_some(), "`with fill` is of another dialect");
        }
    }

    fn limit(&mut self, limit: &LimitClause) {
        match limit {
            LimitClause::LimitOffset { limit, offset, limit_by } => {
                limit.iter().for_each(|expr| self.expression(expr));
                if let Some(Offset { value, rows: _ }) = offset {
                    self.expression(value);
                }
                self.refuse(!limit_by.is_empty(), "`limit by` is of another dialect");
            }
            LimitClause::OffsetCommaLimit { offset, limit } => {
                self.expression(offset);
                self.expression(limit);
            }
        }
    }

    pub(super) fn alias(&mut self, alias: &TableAlias) {
        let TableAlias { explicit: _, name: _, columns, at } = alias;
        self.refuse(at.is_some(), "`at` after an alias is of another dialect");
        for TableAliasColumnDef { name: _, data_type } in columns {
            data_type.iter().for_each(|data_type| self.data_type(data_type));
        }
    }

    pub(super) fn expressions(&mut self, exprs: &[Expr]) {
        exprs.iter().for_each(|expr| self.expression(expr));
    }
}

/// Whether a recursive part takes all that it made before, and always makes more.
fn endless(query: &Query, name: &str) -> bool {
    let SetExpr::SetOperation { op: SetOperator::Union, right, .. } = query.body.as_ref() else {
        return false;
    };
    let SetExpr::Select(select) = right.as_ref() else {
        return false;
    };
    let [TableWithJoins { relation: TableFactor::Table { name: from, .. }, joins }] =
        select.from.as_slice()
    else {
        return false;
    };
    let itself = matches!(from.0.as_slice(), [part] if part.as_ident().is_some_and(
        |ident| ident.value.eq_ignore_ascii_case(name)
    ));
    let bounded = select.selection.is_some()
        || select.having.is_some()
        || query.limit_clause.is_some()
        || query.fetch.is_some();
    itself && joins.is_empty() && !bounded
}
