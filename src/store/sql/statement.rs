//! One text for both databases: statements over sets of rows, with the differences of the databases
//! in one place.
//!
//! A statement works on a whole set, however large, and its text does not depend on the set's size,
//! so that it is prepared once a connection. A set travels as one array for each column on
//! PostgreSQL (`unnest`), and as one JSON text on SQLite (`json_each`).

use sea_orm::sea_query::ArrayType;
use sea_orm::{DbBackend, Statement, Value};
use uuid::Uuid;

use crate::store::{Error, Result};

/// Which database speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Postgres,
    Sqlite,
}

impl Dialect {
    pub(super) fn backend(self) -> DbBackend {
        match self {
            Self::Postgres => DbBackend::Postgres,
            Self::Sqlite => DbBackend::Sqlite,
        }
    }

    /// Joins a table to those before it: for each of their rows, the rows of the table for which a
    /// condition holds.
    ///
    /// The plan is the written one, whatever the statistics say. On PostgreSQL `OFFSET 0` keeps the
    /// planner from turning the join round, as it would while the table is small, to begin with all
    /// rows of the tenant. On SQLite `CROSS JOIN` fixes the order.
    pub(super) fn look_up(self, table: &str, alias: &str, condition: &str) -> String {
        match self {
            Self::Postgres => {
                format!(
                    "CROSS JOIN LATERAL (SELECT * FROM {table} AS {alias} WHERE {condition} OFFSET 0) AS {alias}"
                )
            }
            Self::Sqlite => format!("CROSS JOIN {table} AS {alias} ON {condition}"),
        }
    }

    /// Names the index that a table is looked up by, after the table's alias, where the database
    /// would guess wrong: SQLite, which has no statistics, takes any index that gives the rows in
    /// order for as good as one that finds fewer. PostgreSQL knows no such word.
    pub(super) fn indexed_by(self, index: &str) -> String {
        match self {
            Self::Postgres => String::new(),
            Self::Sqlite => format!(" INDEXED BY {index}"),
        }
    }

    /// Deletes the rows of a table whose key, after the tenant, is in the set called `removed`.
    ///
    /// On PostgreSQL by the place of each row, looked up first, for the same reason as in
    /// [`look_up`](Self::look_up): as a join it would begin with all rows of the tenant. A place is
    /// good for as long as the statement runs.
    pub(super) fn delete(self, table: &str, tenant: &str, key: &[&str], removed: &str) -> String {
        match self {
            Self::Postgres => {
                let same: Vec<String> = key
                    .iter()
                    .map(|name| format!("t.{name} = removed.{name}"))
                    .collect();
                let same = same.join(" AND ");
                format!(
                    "DELETE FROM {table} WHERE ctid = ANY (ARRAY (SELECT found.ctid FROM {removed} CROSS JOIN LATERAL \
                     (SELECT t.ctid FROM {table} AS t WHERE t.tenant = {tenant} AND {same} OFFSET 0) AS found))"
                )
            }
            Self::Sqlite => {
                let key = key.join(", ");
                format!(
                    "DELETE FROM {table} WHERE tenant = {tenant} AND ({key}) IN (SELECT {key} FROM {removed})"
                )
            }
        }
    }

    /// Distinct texts as one JSON list, in no order.
    pub(super) fn distinct_list(self, expression: &str) -> String {
        match self {
            Self::Postgres => format!("json_agg(DISTINCT {expression})::text"),
            Self::Sqlite => format!("json_group_array(DISTINCT {expression})"),
        }
    }
}

/// One column of a set.
pub(super) enum Column {
    Text(Vec<String>),
    Int(Vec<i64>),
    Id(Vec<Uuid>),
    /// The nil id stands for none.
    OptionalId(Vec<Uuid>),
    Bytes(Vec<Vec<u8>>),
}

impl Column {
    pub(super) fn text<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Text(texts.into_iter().map(str::to_owned).collect())
    }

    pub(super) fn optional_id(ids: impl IntoIterator<Item = Option<Uuid>>) -> Self {
        Self::OptionalId(ids.into_iter().map(Option::unwrap_or_default).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(texts) => texts.len(),
            Self::Int(numbers) => numbers.len(),
            Self::Id(ids) | Self::OptionalId(ids) => ids.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    /// Text with NUL is refused here: PostgreSQL cannot keep it, and SQLite's JSON functions cut it
    /// short, so that a key would be taken for another one.
    fn check(&self) -> Result<()> {
        match self {
            Self::Text(texts) if texts.iter().any(|text| text.contains('\0')) => {
                Err(Error::Refused("a NUL character in text".to_owned()))
            }
            _ => Ok(()),
        }
    }

    fn postgres_type(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Int(_) => "bigint",
            Self::Id(_) | Self::OptionalId(_) => "uuid",
            Self::Bytes(_) => "bytea",
        }
    }

    fn into_array(self) -> Value {
        match self {
            Self::Text(texts) => array(ArrayType::String, texts),
            Self::Int(numbers) => array(ArrayType::BigInt, numbers),
            Self::Id(ids) | Self::OptionalId(ids) => array(ArrayType::Uuid, ids),
            Self::Bytes(bytes) => array(ArrayType::Bytes, bytes),
        }
    }

    fn write_json(&self, index: usize, json: &mut String) {
        use std::fmt::Write;
        let _infallible = match self {
            Self::Text(texts) => write!(json, "{}", serde_json::Value::from(texts[index].as_str())),
            Self::Int(numbers) => write!(json, "{}", numbers[index]),
            Self::OptionalId(ids) if ids[index].is_nil() => write!(json, "null"),
            Self::Id(ids) | Self::OptionalId(ids) => write!(json, "\"{}\"", ids[index].simple()),
            Self::Bytes(bytes) => {
                json.push('"');
                let mut bytes = bytes[index].iter();
                let written = bytes.try_for_each(|byte| write!(json, "{byte:02x}"));
                json.push('"');
                written
            }
        };
    }
}

fn array<T: Into<Value>>(of: ArrayType, items: Vec<T>) -> Value {
    Value::Array(
        of,
        Some(Box::new(items.into_iter().map(Into::into).collect())),
    )
}

/// A statement in the making: hands out the names of parameters and sets, to be put into the text.
pub(super) struct Sql {
    pub(super) dialect: Dialect,
    values: Vec<Value>,
    /// A part of the statement, by name: sets have rows only if it has one. PostgreSQL only.
    gate: Option<&'static str>,
}

impl Sql {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            values: Vec::new(),
            gate: None,
        }
    }

    /// From here on sets have rows only if a part of the statement has one.
    pub(super) fn only_if(&mut self, part: &'static str) {
        self.gate = Some(part);
    }

    /// A parameter.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// A limit on rows.
    pub(super) fn limit(&mut self, limit: usize) -> String {
        self.bind(i64::try_from(limit).unwrap_or(i64::MAX))
    }

    /// A set of rows to select from, with the given columns and `ord`, the row's place from 1.
    pub(super) fn rows(&mut self, alias: &str, columns: Vec<(&str, Column)>) -> Result<String> {
        columns.iter().try_for_each(|(_, column)| column.check())?;
        Ok(match self.dialect {
            Dialect::Postgres => self.unnest(alias, columns),
            Dialect::Sqlite => self.json_each(alias, &columns),
        })
    }

    fn unnest(&mut self, alias: &str, columns: Vec<(&str, Column)>) -> String {
        let (mut shown, mut arrays, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for (name, column) in columns {
            shown.push(match column {
                Column::OptionalId(_) => {
                    format!("NULLIF({name}, '{}'::uuid) AS {name}", Uuid::nil())
                }
                _ => name.to_owned(),
            });
            let kind = column.postgres_type();
            arrays.push(format!("{}::{kind}[]", self.bind(column.into_array())));
            names.push(name);
        }
        let (shown, arrays, names) = (shown.join(", "), arrays.join(", "), names.join(", "));
        let gate = self.gate.map_or_else(String::new, |part| {
            format!(" WHERE EXISTS (SELECT 1 FROM {part})")
        });
        format!(
            "(SELECT {shown}, ord FROM unnest({arrays}) WITH ORDINALITY AS given({names}, ord){gate}) AS {alias}"
        )
    }

    fn json_each(&mut self, alias: &str, columns: &[(&str, Column)]) -> String {
        let mut json = String::from("[");
        for row in 0..columns.first().map_or(0, |(_, column)| column.len()) {
            json.push_str(if row == 0 { "[" } else { ",[" });
            for (place, (_, column)) in columns.iter().enumerate() {
                if place > 0 {
                    json.push(',');
                }
                column.write_json(row, &mut json);
            }
            json.push(']');
        }
        json.push(']');
        let parameter = self.bind(json);
        let shown: Vec<String> = columns
            .iter()
            .enumerate()
            .map(|(place, (name, column))| match column {
                Column::Text(_) | Column::Int(_) => format!("value->>{place} AS {name}"),
                Column::Id(_) | Column::OptionalId(_) | Column::Bytes(_) => {
                    format!("unhex(value->>{place}) AS {name}")
                }
            })
            .collect();
        format!(
            "(SELECT {}, key + 1 AS ord FROM json_each({parameter})) AS {alias}",
            shown.join(", ")
        )
    }

    /// A sub-select that may name the tables before it, for `LIMIT` within each of their rows.
    /// Answers what to select from, and how to name each of its columns, which are texts or
    /// numbers. (SQLite has no `LATERAL`; there the rows of the sub-select go through a JSON list,
    /// which may depend on the tables before it.)
    pub(super) fn lateral<const N: usize>(
        &self,
        alias: &str,
        columns: [&str; N],
        select: &str,
    ) -> (String, [String; N]) {
        match self.dialect {
            Dialect::Postgres => (
                format!("LATERAL ({select}) AS {alias}"),
                columns.map(|column| format!("{alias}.{column}")),
            ),
            Dialect::Sqlite => {
                let list = format!(
                    "SELECT json_group_array(json_array({})) FROM ({select})",
                    columns.join(", ")
                );
                let mut place = 0;
                let names = columns.map(|_| {
                    place += 1;
                    format!("{alias}.value->>{}", place - 1)
                });
                (format!("json_each(({list})) AS {alias}"), names)
            }
        }
    }

    /// The finished statement.
    pub(super) fn statement(self, text: String) -> Statement {
        Statement::from_sql_and_values(self.dialect.backend(), text, self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_rows(dialect: Dialect) -> (String, Vec<Value>) {
        let mut sql = Sql::new(dialect);
        let ids = vec![Uuid::nil(), Uuid::from_u128(1)];
        let columns = vec![
            ("a", Column::text(["x\"", "ß"])),
            ("b", Column::OptionalId(ids)),
        ];
        let text = sql.rows("asked", columns).expect("no NUL");
        (text, sql.values)
    }

    #[test]
    fn a_set_is_one_array_a_column_on_postgresql() {
        let (text, values) = two_rows(Dialect::Postgres);
        insta::assert_snapshot!(text, @"(SELECT a, NULLIF(b, '00000000-0000-0000-0000-000000000000'::uuid) AS b, ord FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS given(a, b, ord)) AS asked");
        assert_eq!(values.len(), 2);
    }

    #[test]
    fn a_set_is_one_json_text_on_sqlite() {
        let (text, values) = two_rows(Dialect::Sqlite);
        insta::assert_snapshot!(text, @"(SELECT value->>0 AS a, unhex(value->>1) AS b, key + 1 AS ord FROM json_each($1)) AS asked");
        let json = r#"[["x\"",null],["ß","00000000000000000000000000000001"]]"#;
        assert_eq!(values, [Value::from(json)]);
    }

    #[test]
    fn the_text_does_not_depend_on_the_size_of_the_set() {
        for dialect in [Dialect::Postgres, Dialect::Sqlite] {
            let of = |size| {
                Sql::new(dialect)
                    .rows("asked", vec![("n", Column::Int(vec![7; size]))])
                    .expect("no text")
            };
            assert_eq!(of(0), of(1000));
        }
    }

    #[test]
    fn nul_is_refused_before_it_reaches_a_database() {
        for dialect in [Dialect::Postgres, Dialect::Sqlite] {
            let refused = Sql::new(dialect).rows("asked", vec![("a", Column::text(["a\0b"]))]);
            assert!(matches!(refused, Err(Error::Refused(_))));
        }
    }
}
