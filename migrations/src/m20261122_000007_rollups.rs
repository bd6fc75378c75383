//! What a record's events add up to, beside the record: it changes with each event, and is not kept
//! for the past.

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
            "what was counted is not thrown away: go back to a copy of the database instead"
                .to_owned(),
        ))
    }

    fn use_transaction(&self) -> Option<bool> {
        // All migrations run within one transaction, which begins in `up`.
        Some(false)
    }
}

pub(crate) const STATEMENTS: &[&str] = &[
    // Documents, as `body` is. None: nothing was counted yet.
    "ALTER TABLE record ADD COLUMN rollup TEXT",
    // How far counting the events of before a definition has come: `definitions` names what was
    // counted, up to the record in order of key.
    "CREATE TABLE recount (
        tenant {text} NOT NULL,
        definitions {text} NOT NULL,
        source {text} NOT NULL,
        record_key {text} NOT NULL,
        counted {int} NOT NULL,
        done {int} NOT NULL,
        CONSTRAINT recount_pk PRIMARY KEY (tenant),
        CONSTRAINT recount_done_flag CHECK (done IN (0, 1))
    ) {wide}",
];
