//! One text of the schema for both databases.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Runs a migration's statements, in order.
pub(crate) async fn execute(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    let backend = manager.get_database_backend();
    for statement in statements {
        manager
            .get_connection()
            .execute_unprepared(&in_dialect(statement, backend))
            .await?;
    }
    Ok(())
}

/// Puts each database's own words in. On `SQLite` narrow tables are kept in their primary key;
/// those with documents are not, since wide rows make a deep tree.
fn in_dialect(statement: &str, backend: DbBackend) -> String {
    let (text, int, id, bytes, new_id, narrow, wide) = match backend {
        DbBackend::Sqlite => (
            "TEXT",
            "INTEGER",
            "BLOB",
            "BLOB",
            "randomblob(16)",
            "STRICT, WITHOUT ROWID",
            "STRICT",
        ),
        _ => (
            "TEXT COLLATE \"C\"",
            "BIGINT",
            "UUID",
            "BYTEA",
            "gen_random_uuid()",
            "",
            "",
        ),
    };
    statement
        .replace("{text}", text)
        .replace("{int}", int)
        .replace("{id}", id)
        .replace("{bytes}", bytes)
        .replace("{new_id}", new_id)
        .replace("{narrow}", narrow)
        .replace("{wide}", wide)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::m20261130_000001_first;

    /// SQLite 3.40 and 3.41 take a sound table `WITHOUT ROWID` for a damaged one where another
    /// column comes between them.
    #[test]
    fn the_columns_of_a_key_come_first_in_tables_without_row_ids() {
        let mut tables = 0;
        let statements = all();
        for table in statements
            .iter()
            .filter(|table| table.starts_with("CREATE TABLE") && table.ends_with("{narrow}"))
        {
            let (columns, rest) = table.split_once("CONSTRAINT").expect("a key");
            let columns = columns
                .lines()
                .skip(1)
                .filter_map(|line| line.split_whitespace().next());
            let key = rest
                .split_once("PRIMARY KEY (")
                .and_then(|(_, key)| key.split_once(')'))
                .expect("a key")
                .0;
            for (column, key) in columns.zip(key.split(", ")) {
                assert_eq!(column, key, "{table}");
            }
            tables += 1;
        }
        assert!(tables > 10, "{tables}");
    }

    fn all() -> Vec<&'static str> {
        m20261130_000001_first::all().concat()
    }

    #[test]
    fn no_placeholder_is_left_in_any_statement() {
        for backend in [DbBackend::Sqlite, DbBackend::Postgres] {
            for statement in all() {
                let sql = in_dialect(statement, backend);
                assert!(!sql.contains('{'), "{sql}");
            }
        }
    }
}
