//! What stands in a `from`: relations, subqueries, functions that return rows.

use sqlparser::ast::{
    FunctionArg, Ident, Join, JoinConstraint, JoinOperator, JsonTableColumn, JsonTableNamedColumn,
    JsonTableNestedColumn, ObjectName, Table, TableAlias, TableFactor, TableFunctionArgs,
    TableSample, TableSampleKind, TableSampleQuantity, TableWithJoins,
};

use super::super::functions::Place;
use super::super::names::Relation;
use super::{Dialect, Walk};

impl Walk<'_> {
    pub(super) fn table_with_joins(&mut self, tables: &TableWithJoins) {
        let TableWithJoins { relation, joins } = tables;
        self.deeper(|walk| walk.factor(relation));
        for Join { relation, global, join_operator } in joins {
            self.found.seen.joins += 1;
            self.refuse(*global, "`global join` is of another dialect");
            self.deeper(|walk| walk.factor(relation));
            self.join(join_operator);
        }
    }

    fn join(&mut self, operator: &JoinOperator) {
        match operator {
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint)
            | JoinOperator::Right(constraint)
            | JoinOperator::RightOuter(constraint)
            | JoinOperator::FullOuter(constraint)
            | JoinOperator::CrossJoin(constraint)
            | JoinOperator::StraightJoin(constraint) => match constraint {
                JoinConstraint::On(expr) => self.expression(expr),
                JoinConstraint::Using(_) | JoinConstraint::Natural | JoinConstraint::None => {}
            },
            JoinOperator::Semi(_)
            | JoinOperator::LeftSemi(_)
            | JoinOperator::RightSemi(_)
            | JoinOperator::Anti(_)
            | JoinOperator::LeftAnti(_)
            | JoinOperator::RightAnti(_)
            | JoinOperator::CrossApply
            | JoinOperator::OuterApply
            | JoinOperator::AsOf { .. }
            | JoinOperator::ArrayJoin
            | JoinOperator::LeftArrayJoin
            | JoinOperator::InnerArrayJoin => self.deny("a join of another dialect"),
        }
    }

    fn factor(&mut self, factor: &TableFactor) {
        match factor {
            TableFactor::Table { .. } => self.table(factor),
            TableFactor::Derived { lateral: _, subquery, alias, sample } => {
                self.query(subquery);
                self.maybe_alias(alias.as_ref());
                sample.iter().for_each(|sample| self.sample(sample));
            }
            TableFactor::Function { lateral: _, name, args, with_ordinality: _, alias } => {
                self.table_function(name, args);
                self.maybe_alias(alias.as_ref());
            }
            TableFactor::UNNEST {
                alias,
                array_exprs,
                with_offset,
                with_offset_alias: _,
                with_ordinality: _,
            } => {
                self.refuse(*with_offset, "`with offset` is of another dialect");
                self.expressions(array_exprs);
                self.maybe_alias(alias.as_ref());
            }
            TableFactor::JsonTable { json_expr, json_path: _, columns, alias } => {
                self.expression(json_expr);
                columns.iter().for_each(|column| self.json_column(column));
                self.maybe_alias(alias.as_ref());
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                self.deeper(|walk| walk.table_with_joins(table_with_joins));
                self.maybe_alias(alias.as_ref());
            }
            TableFactor::TableFunction { .. }
            | TableFactor::OpenJsonTable { .. }
            | TableFactor::Pivot { .. }
            | TableFactor::Unpivot { .. }
            | TableFactor::UnpivotExpr { .. }
            | TableFactor::MatchRecognize { .. }
            | TableFactor::XmlTable { .. }
            | TableFactor::SemanticView { .. } => {
                self.deny("a `from` that this guard does not know");
            }
        }
    }

    fn table(&mut self, factor: &TableFactor) {
        let TableFactor::Table {
            name,
            alias,
            args,
            with_hints,
            version,
            with_ordinality: _,
            partitions: _,
            json_path,
            sample,
            // MySQL's `use index (…)`: names only.
            index_hints: _,
        } = factor
        else {
            return self.deny("a `from` that this guard does not know");
        };
        match args {
            Some(TableFunctionArgs { args, settings }) => {
                self.refuse(settings.is_some(), "`settings` is of another dialect");
                self.table_function(name, args);
            }
            None => self.relation(name),
        }
        self.maybe_alias(alias.as_ref());
        sample.iter().for_each(|sample| self.sample(sample));
        let foreign = !with_hints.is_empty() || version.is_some() || json_path.is_some();
        self.refuse(foreign, "a relation with options of another dialect");
    }

    fn relation(&mut self, name: &ObjectName) {
        let Some(relation) = Relation::named(name, self.dialect) else {
            return self.deny("a relation whose name is not a plain name");
        };
        let nothing = self.dialect == Dialect::Mysql && name.to_string().to_lowercase() == "dual";
        if !nothing {
            self.look_up(&relation);
        }
    }

    /// `table users`. The parser does not keep the quotes, so a name that they would change
    /// could be either.
    pub(super) fn table_command(&mut self, table: &Table) {
        let Table { table_name, schema_name } = table;
        self.found.seen.tables += 1;
        let parts = schema_name.iter().chain(table_name).map(Ident::new).collect::<Vec<_>>();
        let folds = parts.iter().any(|part| part.value.chars().any(|c| c.is_ascii_uppercase()));
        if self.dialect == Dialect::Postgres && folds {
            return self.deny("`table` with a name in capitals");
        }
        self.relation(&ObjectName::from(parts));
    }

    fn table_function(&mut self, name: &ObjectName, args: &[FunctionArg]) {
        self.named_call(name, args, Place::Table);
        args.iter().for_each(|arg| self.argument(arg));
    }

    fn json_column(&mut self, column: &JsonTableColumn) {
        match column {
            JsonTableColumn::Named(JsonTableNamedColumn {
                name: _,
                r#type,
                path: _,
                exists: _,
                on_empty: _,
                on_error: _,
            }) => self.data_type(r#type),
            JsonTableColumn::ForOrdinality(_) => {}
            JsonTableColumn::Nested(JsonTableNestedColumn { path: _, columns }) => {
                self.deeper(|walk| columns.iter().for_each(|column| walk.json_column(column)));
            }
        }
    }

    fn sample(&mut self, sample: &TableSampleKind) {
        let (TableSampleKind::BeforeTableAlias(sample) | TableSampleKind::AfterTableAlias(sample)) =
            sample;
        let TableSample { modifier: _, name: _, quantity, seed: _, bucket, offset } =
            sample.as_ref();
        if let Some(TableSampleQuantity { parenthesized: _, value, unit: _ }) = quantity {
            self.expression(value);
        }
        self.refuse(
            bucket.is_some() || offset.is_some() || self.dialect != Dialect::Postgres,
            "a sample of another dialect",
        );
    }

    fn maybe_alias(&mut self, alias: Option<&TableAlias>) {
        alias.into_iter().for_each(|alias| self.alias(alias));
    }
}
