//! What each row was before: so that a read can answer as of any write.
//!
//! A row of `record`, `profile` and `identifier` holds `since` the write that put it there. A write
//! that replaces or removes one first copies it here, with itself as `until`. So what was true
//! after write *n* are the rows with `since` ≤ *n* that are in place, and those with `since` ≤ *n*
//! < `until` that are here; and what is never replaced costs nothing.
//!
//! The columns of a key come first, in its order: `SQLite` 3.40 to 3.41 takes a sound table
//! `WITHOUT ROWID` for a damaged one where another column is between them.
//!
//! Rows from before this migration hold since write 0, and all writes before it count as one, at
//! the time of the last.

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
            "history is not thrown away: go back to a copy of the database instead".to_owned(),
        ))
    }

    fn use_transaction(&self) -> Option<bool> {
        // All migrations run within one transaction, which begins in `up`.
        Some(false)
    }
}

pub(crate) const STATEMENTS: &[&str] = &[
    // The time of the tenant's last write: none is earlier than the one before.
    "ALTER TABLE tenant ADD COLUMN write_time {int} NOT NULL DEFAULT 0",
    "ALTER TABLE record ADD COLUMN since {int} NOT NULL DEFAULT 0",
    "ALTER TABLE profile ADD COLUMN since {int} NOT NULL DEFAULT 0",
    "ALTER TABLE identifier ADD COLUMN since {int} NOT NULL DEFAULT 0",
    // When each write was. Primary key: the last write at or before a time.
    "CREATE TABLE write_time (
        tenant {text} NOT NULL,
        time {int} NOT NULL,
        sequence {int} NOT NULL,
        CONSTRAINT write_time_pk PRIMARY KEY (tenant, time, sequence)
    ) {narrow}",
    "UPDATE tenant SET write_time = COALESCE((SELECT MAX(update_time) FROM profile WHERE profile.tenant = tenant.id), 0)",
    "INSERT INTO write_time (tenant, time, sequence) SELECT id, write_time, sequence FROM tenant",
    // Primary key: a record as it was.
    "CREATE TABLE record_history (
        tenant {text} NOT NULL,
        source {text} NOT NULL,
        record_key {text} NOT NULL,
        since {int} NOT NULL,
        until {int} NOT NULL,
        profile_id {id},
        body TEXT NOT NULL,
        CONSTRAINT record_history_pk PRIMARY KEY (tenant, source, record_key, until)
    ) {wide}",
    // Serves: the records that a profile had.
    "CREATE INDEX record_history_by_profile ON record_history (tenant, profile_id, until, since)",
    // Primary key: what an id stood for.
    "CREATE TABLE profile_history (
        tenant {text} NOT NULL,
        id {id} NOT NULL,
        until {int} NOT NULL,
        since {int} NOT NULL,
        revision {int} NOT NULL,
        update_time {int} NOT NULL,
        merged_into {id},
        deleted {int} NOT NULL,
        CONSTRAINT profile_history_pk PRIMARY KEY (tenant, id, until)
    ) {narrow}",
    // Primary key: the records that held an identifier.
    "CREATE TABLE identifier_history (
        tenant {text} NOT NULL,
        type {text} NOT NULL,
        value {text} NOT NULL,
        source {text} NOT NULL,
        record_key {text} NOT NULL,
        until {int} NOT NULL,
        since {int} NOT NULL,
        CONSTRAINT identifier_history_pk PRIMARY KEY (tenant, type, value, source, record_key, until)
    ) {narrow}",
];
