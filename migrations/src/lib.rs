//! The schema of the customer-profile database, on PostgreSQL and on SQLite.
//!
//! Offers [`up`], which brings a database to this version's schema, and [`schema()`], which tells
//! without changing anything how a database stands to it. Knows nothing of the service's own types:
//! a migration that was released never changes, whatever becomes of the code that reads the tables.
//!
//! Later changes go expand → backfill → constrain → contract, one concern a file, so that the
//! version before can run on the new schema while servers are replaced one by one.

mod dialect;
mod m20261122_000001_records_and_history;
mod m20261122_000002_history;
mod m20261122_000003_models;
mod m20261122_000004_matching;
mod m20261122_000005_change_log;
mod m20261122_000006_publication;
mod m20261122_000007_rollups;
mod m20261122_000008_event_objects;
mod m20261122_000009_segments;
mod m20261122_000010_search_words;
mod m20261122_000011_statistics;
mod m20261122_000012_event_order;
mod m20261122_000013_event_corrections;
mod m20261122_000014_reused_keys;
mod m20261129_000014_segment_stays;
mod m20261129_000015_api_keys;
mod m20261129_000016_attached_events;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseConnection, DbBackend, Statement, TransactionTrait};

/// Any number will do, as long as every version uses the same: "cprofile" in ASCII.
const ADVISORY_LOCK: i64 = 0x6370_726f_6669_6c65;

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_000001_records_and_history::Migration),
            Box::new(m20261122_000002_history::Migration),
            Box::new(m20261122_000003_models::Migration),
            Box::new(m20261122_000004_matching::Migration),
            Box::new(m20261122_000005_change_log::Migration),
            Box::new(m20261122_000006_publication::Migration),
            Box::new(m20261122_000007_rollups::Migration),
            Box::new(m20261122_000008_event_objects::Migration),
            Box::new(m20261122_000009_segments::Migration),
            Box::new(m20261122_000010_search_words::Migration),
            Box::new(m20261122_000011_statistics::Migration),
            Box::new(m20261122_000012_event_order::Migration),
            Box::new(m20261122_000013_event_corrections::Migration),
            Box::new(m20261122_000014_reused_keys::Migration),
            Box::new(m20261129_000014_segment_stays::Migration),
            Box::new(m20261129_000015_api_keys::Migration),
            Box::new(m20261129_000016_attached_events::Migration),
        ]
    }
}

/// How a database stands to the schema of this version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schema {
    /// Nothing was migrated yet.
    Missing,
    /// This many migrations are still to be applied.
    Older(usize),
    /// As it should be.
    Right,
    /// A later version has migrated it: this migration is not known here.
    Newer(String),
}

/// Tells how the database stands. Changes nothing and needs no rights beyond reading.
///
/// # Errors
/// Those of the driver.
pub async fn schema(db: &DatabaseConnection) -> Result<Schema, DbErr> {
    let known: Vec<String> = Migrator::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect();
    let manager = SchemaManager::new(db);
    let table = Migrator::migration_table_name().to_string();
    if !manager.has_table(&table).await? {
        return Ok(Schema::Missing);
    }
    let query = format!("SELECT version FROM {table} ORDER BY version");
    let rows = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), query))
        .await?;
    let applied = rows
        .iter()
        .map(|row| row.try_get("", "version"))
        .collect::<Result<Vec<String>, _>>()?;
    Ok(compare(&known, &applied))
}

fn compare(known: &[String], applied: &[String]) -> Schema {
    if let Some(unknown) = applied.iter().find(|name| !known.contains(name)) {
        return Schema::Newer(unknown.clone());
    }
    match known.iter().filter(|name| !applied.contains(name)).count() {
        0 => Schema::Right,
        _ if applied.is_empty() => Schema::Missing,
        missing => Schema::Older(missing),
    }
}

/// Applies what is missing, all of it or nothing. On PostgreSQL an advisory lock is held for the
/// run, so that several may start at once: the first does the work, the others find it done.
///
/// # Errors
/// Those of the driver; [`DbErr::Migration`] when a later version has migrated the database.
///
/// # Cancel safety
/// Dropped before it ends, it leaves nothing.
pub async fn up(db: &DatabaseConnection) -> Result<(), DbErr> {
    let transaction = db.begin().await?;
    if db.get_database_backend() == DbBackend::Postgres {
        let lock = format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})");
        transaction.execute_unprepared(&lock).await?;
    }
    Migrator::up(&transaction, None).await?;
    transaction.commit().await
}

#[cfg(test)]
mod tests {
    use super::{Schema, compare};

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn what_is_applied_is_compared_with_what_is_known() {
        let known = names(&["m1", "m2", "m3"]);
        assert_eq!(compare(&known, &[]), Schema::Missing);
        assert_eq!(compare(&known, &names(&["m1"])), Schema::Older(2));
        assert_eq!(compare(&known, &known), Schema::Right);
        assert_eq!(
            compare(&known, &names(&["m1", "m2", "m3", "m4"])),
            Schema::Newer("m4".to_owned())
        );
    }
}
