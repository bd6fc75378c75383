//! Since when a record's key is its present holder's, to find whose an object is.
//!
//! Expand only: of rows of before nothing is known, and every event counts.

use sea_orm_migration::prelude::*;

use crate::dialect::execute;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(manager, STATEMENTS).await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration(
            "nothing is taken back: go back to a copy of the database instead".to_owned(),
        ))
    }

    fn use_transaction(&self) -> Option<bool> {
        // All migrations run within one transaction, which begins in `up`.
        Some(false)
    }
}

pub(crate) const STATEMENTS: &[&str] = &[
    // The time of the deletion after which the key was given out again, in microseconds; the least
    // number where it was not.
    "ALTER TABLE record ADD COLUMN reused_since {int}",
];
