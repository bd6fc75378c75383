//! The first schema.
//!
//! - Every primary key leads with the tenant, so that the tables can be spread by it. No foreign
//!   keys: the writer keeps the tables in step, within one transaction, and rows of one tenant
//!   never point to another.
//! - Text that is compared is in byte order on every database: `COLLATE "C"` on PostgreSQL, as
//!   `SQLite` and Rust do it.
//! - Times are whole microseconds since 1970. 128-bit values (ids, hashes) are `uuid` on PostgreSQL
//!   and 16 bytes on `SQLite`.
//! - Documents (`body`, `draft`) are JSON in plain text: nothing looks into them, and they come
//!   back as they were put.
//! - The columns of a key come first, in its order: `SQLite` 3.40 to 3.41 takes a sound table
//!   `WITHOUT ROWID` for a damaged one where another column is between them.

mod audit;
mod changes;
mod erasures;
mod events;
mod history;
mod identity;
mod models;
mod records;
mod search;
mod segments;

use sea_orm_migration::prelude::*;

use crate::dialect;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statements in all() {
            dialect::execute(manager, statements).await?;
        }
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration(
            "the first schema is not taken back: drop the database instead".to_owned(),
        ))
    }

    fn use_transaction(&self) -> Option<bool> {
        // All migrations run within one transaction, which begins in `up`.
        Some(false)
    }
}

/// The statements, by what they are about.
pub(crate) fn all() -> [&'static [&'static str]; 10] {
    [
        records::STATEMENTS,
        history::STATEMENTS,
        events::STATEMENTS,
        models::STATEMENTS,
        identity::STATEMENTS,
        changes::STATEMENTS,
        segments::STATEMENTS,
        search::STATEMENTS,
        erasures::STATEMENTS,
        audit::STATEMENTS,
    ]
}
