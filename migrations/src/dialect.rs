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
    let (text, int, id, new_id, narrow, wide) = match backend {
        DbBackend::Sqlite => (
            "TEXT",
            "INTEGER",
            "BLOB",
            "randomblob(16)",
            "STRICT, WITHOUT ROWID",
            "STRICT",
        ),
        _ => (
            "TEXT COLLATE \"C\"",
            "BIGINT",
            "UUID",
            "gen_random_uuid()",
            "",
            "",
        ),
    };
    statement
        .replace("{text}", text)
        .replace("{int}", int)
        .replace("{id}", id)
        .replace("{new_id}", new_id)
        .replace("{narrow}", narrow)
        .replace("{wide}", wide)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        m20261122_000001_records_and_history as records, m20261122_000002_history as history,
        m20261122_000003_models as models, m20261122_000004_matching as matching,
        m20261122_000005_change_log as log, m20261122_000006_publication as publication,
        m20261122_000007_rollups as rollups, m20261122_000008_event_objects as objects,
        m20261122_000009_segments as segments, m20261122_000010_search_words as search,
        m20261122_000011_statistics as statistics, m20261122_000012_event_order as order,
        m20261122_000013_event_corrections as corrections, m20261129_000014_segment_stays as stays,
        m20261129_000015_api_keys as api_keys, m20261129_000016_attached_events as attached,
    };

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
        [
            records::STATEMENTS,
            history::STATEMENTS,
            models::STATEMENTS,
            matching::STATEMENTS,
            log::STATEMENTS,
            publication::STATEMENTS,
            rollups::STATEMENTS,
            objects::STATEMENTS,
            segments::STATEMENTS,
            search::STATEMENTS,
            statistics::STATEMENTS,
            order::STATEMENTS,
            corrections::STATEMENTS,
            stays::STATEMENTS,
            api_keys::STATEMENTS,
            attached::STATEMENTS,
        ]
        .concat()
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
