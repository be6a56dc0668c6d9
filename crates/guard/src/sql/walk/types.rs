//! Types and operators: the ones that every installation has. Those that somebody made run
//! somebody's functions.

use sqlparser::ast::{ArrayElemTypeDef, BinaryOperator, DataType, ObjectName, UnaryOperator};

use super::super::names::folded;
use super::{Dialect, Walk};

/// Types of PostgreSQL that the parser does not know by name. Left out are those that look
/// something up in the catalog: `regclass`, `regproc`, `regrole`, ….
const POSTGRES_TYPES: &str = "
    bit bpchar box cidr circle citext datemultirange daterange hstore inet int4multirange int4range
    int8multirange int8range jsonpath line lseg ltree macaddr macaddr8 money name nummultirange
    numrange path point polygon timestamptz timetz tsmultirange tsquery tsrange tstzmultirange
    tstzrange tsvector
";

const MYSQL_TYPES: &str = "year geometry point";

impl Walk<'_> {
    pub(super) fn data_type(&mut self, data_type: &DataType) {
        if !self.known(data_type) {
            self.deny(format!("the type `{data_type}` is not listed"));
        }
    }

    fn known(&self, data_type: &DataType) -> bool {
        if let DataType::Array(
            ArrayElemTypeDef::AngleBracket(inner)
            | ArrayElemTypeDef::SquareBracket(inner, _)
            | ArrayElemTypeDef::Parenthesis(inner)
            | ArrayElemTypeDef::Qualified(inner, _),
        ) = data_type
        {
            return self.known(inner);
        }
        if let DataType::Custom(name, _) = data_type {
            return match self.dialect {
                // SQLite has no types: the name is read for its letters only.
                Dialect::Sqlite => true,
                Dialect::Postgres => self.named(name, POSTGRES_TYPES),
                Dialect::Mysql => self.named(name, MYSQL_TYPES),
            };
        }
        built_in(data_type)
    }

    fn named(&self, name: &ObjectName, list: &str) -> bool {
        let listed = |ident| {
            let name = folded(ident, Dialect::Postgres);
            list.split_whitespace().any(|listed| listed == name)
        };
        let parts = name.0.iter().map(|part| part.as_ident()).collect::<Option<Vec<_>>>();
        match parts.as_deref() {
            Some([ident]) => listed(ident),
            Some([schema, ident]) if self.dialect == Dialect::Postgres => {
                folded(schema, self.dialect) == "pg_catalog" && listed(ident)
            }
            Some([..]) | None => false,
        }
    }

    pub(super) fn operator(&mut self, op: &BinaryOperator) {
        if !known_operator(op) {
            self.deny(format!("the operator `{op}` is not listed"));
        }
    }

    pub(super) fn prefix_operator(&mut self, op: UnaryOperator) {
        let known = matches!(
            op,
            UnaryOperator::Plus
                | UnaryOperator::Minus
                | UnaryOperator::Not
                | UnaryOperator::BangNot
                | UnaryOperator::BitwiseNot
                | UnaryOperator::PGAbs
                | UnaryOperator::PGCubeRoot
                | UnaryOperator::PGSquareRoot
        );
        self.refuse(!known, &format!("the operator `{op}` is not listed"));
    }
}

fn built_in(data_type: &DataType) -> bool {
    use DataType as T;
    matches!(
        data_type,
        T::Character(_)
            | T::Char(_)
            | T::CharacterVarying(_)
            | T::CharVarying(_)
            | T::Varchar(_)
            | T::Nvarchar(_)
            | T::Text
            | T::TinyText
            | T::MediumText
            | T::LongText
            | T::Clob(_)
            | T::Uuid
            | T::Binary(_)
            | T::Varbinary(_)
            | T::Blob(_)
            | T::Bytea
            | T::Numeric(_)
            | T::Decimal(_)
            | T::DecimalUnsigned(_)
            | T::Dec(_)
            | T::DecUnsigned(_)
            | T::Float(_)
            | T::FloatUnsigned(_)
            | T::Float4
            | T::Float8
            | T::Real
            | T::RealUnsigned
            | T::Double(_)
            | T::DoubleUnsigned(_)
            | T::DoublePrecision
            | T::DoublePrecisionUnsigned
            | T::TinyInt(_)
            | T::TinyIntUnsigned(_)
            | T::SmallInt(_)
            | T::SmallIntUnsigned(_)
            | T::MediumInt(_)
            | T::MediumIntUnsigned(_)
            | T::Int(_)
            | T::IntUnsigned(_)
            | T::Integer(_)
            | T::IntegerUnsigned(_)
            | T::BigInt(_)
            | T::BigIntUnsigned(_)
            | T::Int2(_)
            | T::Int2Unsigned(_)
            | T::Int4(_)
            | T::Int4Unsigned(_)
            | T::Int8(_)
            | T::Int8Unsigned(_)
            | T::Signed
            | T::SignedInteger
            | T::Unsigned
            | T::UnsignedInteger
            | T::Bool
            | T::Boolean
            | T::Date
            | T::Time(..)
            | T::Datetime(_)
            | T::Timestamp(..)
            | T::Interval { .. }
            | T::JSON
            | T::JSONB
            | T::Bit(_)
            | T::BitVarying(_)
            | T::VarBit(_)
            | T::GeometricType(_)
            | T::TsVector
            | T::TsQuery
    )
}

fn known_operator(op: &BinaryOperator) -> bool {
    use BinaryOperator as B;
    matches!(
        op,
        B::Plus
            | B::Minus
            | B::Multiply
            | B::Divide
            | B::Modulo
            | B::StringConcat
            | B::Gt
            | B::Lt
            | B::GtEq
            | B::LtEq
            | B::Spaceship
            | B::Eq
            | B::NotEq
            | B::And
            | B::Or
            | B::Xor
            | B::BitwiseOr
            | B::BitwiseAnd
            | B::BitwiseXor
            | B::MyIntegerDivide
            | B::Match
            | B::Regexp
            | B::Glob
            | B::PGBitwiseXor
            | B::PGBitwiseShiftLeft
            | B::PGBitwiseShiftRight
            | B::PGExp
            | B::PGOverlap
            | B::PGRegexMatch
            | B::PGRegexIMatch
            | B::PGRegexNotMatch
            | B::PGRegexNotIMatch
            | B::PGLikeMatch
            | B::PGILikeMatch
            | B::PGNotLikeMatch
            | B::PGNotILikeMatch
            | B::PGStartsWith
            | B::Arrow
            | B::LongArrow
            | B::HashArrow
            | B::HashLongArrow
            | B::AtAt
            | B::AtArrow
            | B::ArrowAt
            | B::HashMinus
            | B::AtQuestion
            | B::Question
            | B::QuestionAnd
            | B::QuestionPipe
            | B::Overlaps
            | B::LtDashGt
    )
}
