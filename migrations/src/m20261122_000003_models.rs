//! Models: every version that a tenant has had, and which of them came into force when.
//!
//! A tenant's model is part of its data: profiles are what the model in force makes of the records.
//! A version comes into force at most once, and each later than the one before, so that the number
//! alone tells which rules an answer is by; going back makes a new version of an old content.

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
    // Primary key: a version; the latest ones. `weights` is empty for those that are compiled in.
    "CREATE TABLE model (
        tenant {text} NOT NULL,
        version {int} NOT NULL,
        file TEXT NOT NULL,
        weights TEXT NOT NULL,
        create_time {int} NOT NULL,
        note TEXT NOT NULL,
        CONSTRAINT model_pk PRIMARY KEY (tenant, version)
    ) {wide}",
    // Append-only. Primary key: when a version came into force, and by which write.
    "CREATE TABLE model_activation (
        tenant {text} NOT NULL,
        version {int} NOT NULL,
        sequence {int} NOT NULL,
        activate_time {int} NOT NULL,
        CONSTRAINT model_activation_pk PRIMARY KEY (tenant, version)
    ) {narrow}",
    // The version in force, in the row that each writer holds and each reader reads; 0: none yet.
    "ALTER TABLE tenant ADD COLUMN model_version {int} NOT NULL DEFAULT 0",
];
