//! Events as states of objects: an order, a shipment, a conversation.
//!
//! Expand only. Events from before have no channel and no object, and stand alone; which those are
//! follows from the model, which no migration knows.

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
    // The way it went; empty: not known.
    "ALTER TABLE event ADD COLUMN channel {text} NOT NULL DEFAULT ''",
    // Serves: the newest events of some types of a record, and how many there are of each type, by
    // channel too. The record's key comes first for the same reason as in `event_by_record`.
    "CREATE INDEX event_by_type ON event (record_key, tenant, source, type, sort_time, channel)",
    // Which objects an event names: its own, or a related one. Primary key: the events of a record
    // that name an object, in order; the records with events that name it. `sequence`: the write
    // that stored the event.
    "CREATE TABLE event_object (
        tenant {text} NOT NULL,
        kind {text} NOT NULL,
        object_id {text} NOT NULL,
        source {text} NOT NULL,
        record_key {text} NOT NULL,
        sort_time {int} NOT NULL,
        event_id {text} NOT NULL,
        own {int} NOT NULL,
        sequence {int} NOT NULL,
        CONSTRAINT event_object_pk PRIMARY KEY (tenant, kind, object_id, source, record_key, sort_time, event_id),
        CONSTRAINT event_object_own_flag CHECK (own IN (0, 1))
    ) {narrow}",
];
