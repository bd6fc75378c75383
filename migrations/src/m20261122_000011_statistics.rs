//! What was computed of all customers of a tenant: parameters, scales, and each segment as a whole.

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
            "what was computed is not thrown away: go back to a copy of the database instead"
                .to_owned(),
        ))
    }

    fn use_transaction(&self) -> Option<bool> {
        // All migrations run within one transaction, which begins in `up`.
        Some(false)
    }
}

pub(crate) const STATEMENTS: &[&str] = &[
    // A document for each tenant, in place of the one before. It can be computed anew at any time.
    "CREATE TABLE statistics (
        tenant {text} NOT NULL,
        body TEXT NOT NULL,
        CONSTRAINT statistics_pk PRIMARY KEY (tenant)
    ) {wide}",
];
