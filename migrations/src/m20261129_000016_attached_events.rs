//! Events on records of other sources: a carrier's scan on the shop's record.
//!
//! So far an event's record was of the event's own source. Now the two are apart, and the indexes
//! that lead from a record to its events go by the record's.

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
    // An event that waits for its record has an empty `record_key`, and its own source here. One
    // that was taken back has neither.
    "ALTER TABLE event ADD COLUMN record_source {text} NOT NULL DEFAULT ''",
    "UPDATE event SET record_source = source WHERE record_key <> ''",
    "DROP INDEX event_by_record",
    "DROP INDEX event_by_type",
    // Serves: the newest events of a record; those that wait, by source and time.
    "CREATE INDEX event_by_record ON event (record_key, tenant, record_source, sort_time, source, event_id)",
    // Serves: the newest events of some types of a record, and how many there are of each type, by
    // channel and source too.
    "CREATE INDEX event_by_type ON event (record_key, tenant, record_source, type, sort_time, source, event_id, channel)",
    "ALTER TABLE event_history ADD COLUMN record_source {text} NOT NULL DEFAULT ''",
    "UPDATE event_history SET record_source = source WHERE record_key <> ''",
    "DROP INDEX event_history_by_record",
    "CREATE INDEX event_history_by_record ON event_history (record_key, tenant, record_source, sort_time, source, event_id)",
    "CREATE TABLE event_object_before AS SELECT * FROM event_object",
    "DROP TABLE event_object",
    // Which objects an event names: its own, or a related one. Primary key: the events of a record
    // that name an object, in order; the records with events that name it. `sequence`: the write
    // that stored the event. `attached`: the event names no record itself.
    "CREATE TABLE event_object (
        tenant {text} NOT NULL,
        kind {text} NOT NULL,
        object_id {text} NOT NULL,
        record_source {text} NOT NULL,
        record_key {text} NOT NULL,
        sort_time {int} NOT NULL,
        source {text} NOT NULL,
        event_id {text} NOT NULL,
        own {int} NOT NULL,
        sequence {int} NOT NULL,
        attached {int} NOT NULL,
        CONSTRAINT event_object_pk PRIMARY KEY (tenant, kind, object_id, record_source, record_key, sort_time, source, event_id),
        CONSTRAINT event_object_own_flag CHECK (own IN (0, 1)),
        CONSTRAINT event_object_attached_flag CHECK (attached IN (0, 1))
    ) {narrow}",
    "INSERT INTO event_object (tenant, kind, object_id, record_source, record_key, sort_time, source, event_id, own, sequence, attached)
        SELECT tenant, kind, object_id, source, record_key, sort_time, source, event_id, own, sequence, 0 FROM event_object_before",
    "DROP TABLE event_object_before",
    // Serves: the events without a record of their own that name an object.
    "CREATE INDEX event_object_attached ON event_object (tenant, kind, object_id, source, event_id) WHERE attached = 1",
];
