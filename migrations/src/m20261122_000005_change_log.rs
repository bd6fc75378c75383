//! The change log: what each write changed for those who read profiles.

use sea_orm_migration::prelude::*;

use crate::dialect;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::execute(manager, STATEMENTS).await
    }

    fn use_transaction(&self) -> Option<bool> {
        // All migrations run within one transaction, which begins in `up`.
        Some(false)
    }
}

pub(crate) const STATEMENTS: &[&str] = &[
    // Each write has an entry, of one part or several; the oldest are thrown away. Primary key: the
    // log from a write on. `changes` is a JSON document of `bytes` bytes.
    "CREATE TABLE change_log (
        tenant {text} NOT NULL,
        sequence {int} NOT NULL,
        part {int} NOT NULL,
        last {int} NOT NULL,
        time {int} NOT NULL,
        bytes {int} NOT NULL,
        changes TEXT NOT NULL,
        CONSTRAINT change_log_pk PRIMARY KEY (tenant, sequence, part),
        CONSTRAINT change_log_last_flag CHECK (last IN (0, 1))
    ) {wide}",
];
