//! The schema of the customer-profile database, on PostgreSQL and on SQLite.
//!
//! Offers [`up`], which brings a database to this version's schema, and [`schema()`], which tells
//! without changing anything how a database stands to it. Knows nothing of the service's own types:
//! a migration that was released never changes, whatever becomes of the code that reads the tables.
//!
//! Later changes go expand → backfill → constrain → contract, one concern a file, so that the
//! version before can run on the new schema while servers are replaced one by one.

mod dialect;
mod m20261130_000001_first;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseConnection, DbBackend, Statement, TransactionTrait};

/// Any number will do, as long as every version uses the same: "cprofile" in ASCII.
const ADVISORY_LOCK: i64 = 0x6370_726f_6669_6c65;

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m20261130_000001_first::Migration)]
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
