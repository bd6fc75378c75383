//! Events that are taken back or replaced, and what they were before.
//!
//! Expand only: events of before have no correction, and hold since the first write.

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
    "ALTER TABLE event ADD COLUMN since {int} NOT NULL DEFAULT 0",
    // The correction that holds, as a document; empty: there is none. An event that was taken back
    // has no record, and so is on no timeline. `content_hash` is that of the event before any
    // correction; zero: only corrections of it have come.
    "ALTER TABLE event ADD COLUMN correction {text} NOT NULL DEFAULT ''",
    // Primary key: an event as it was.
    "CREATE TABLE event_history (
        tenant {text} NOT NULL,
        source {text} NOT NULL,
        event_id {text} NOT NULL,
        until {int} NOT NULL,
        since {int} NOT NULL,
        record_key {text} NOT NULL,
        type {text} NOT NULL,
        sort_time {int} NOT NULL,
        channel {text} NOT NULL,
        content_hash {id} NOT NULL,
        body TEXT NOT NULL,
        correction {text} NOT NULL,
        CONSTRAINT event_history_pk PRIMARY KEY (tenant, source, event_id, until)
    ) {wide}",
    // Serves: the events that a record had.
    "CREATE INDEX event_history_by_record ON event_history (record_key, tenant, source, sort_time, event_id)",
    // Every correction as it was said, and events that came after a correction of them. Primary
    // key: was this said before.
    "CREATE TABLE event_correction (
        tenant {text} NOT NULL,
        source {text} NOT NULL,
        event_id {text} NOT NULL,
        version {int} NOT NULL,
        stamp_time {int} NOT NULL,
        content_hash {id} NOT NULL,
        sequence {int} NOT NULL,
        ordinal {int} NOT NULL,
        receive_time {int} NOT NULL,
        draft TEXT NOT NULL,
        CONSTRAINT event_correction_pk PRIMARY KEY (tenant, source, event_id, version, stamp_time, content_hash)
    ) {wide}",
];
