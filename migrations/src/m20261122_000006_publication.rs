//! How far each publication is, and what could not be published.

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
    // All changes of the writes up to `sequence` are told, and of the next one so many changes. Who
    // tells them holds the lease (none: the empty text) and says that it lives by counting
    // `lease_beat` up.
    "CREATE TABLE publication (
        tenant {text} NOT NULL,
        name {text} NOT NULL,
        sequence {int} NOT NULL,
        changes {int} NOT NULL,
        lease_owner {text} NOT NULL,
        lease_beat {int} NOT NULL,
        failures {int} NOT NULL,
        last_error {text} NOT NULL,
        CONSTRAINT publication_pk PRIMARY KEY (tenant, name)
    ) {narrow}",
    // A change, by its write and its place in it, that its target refused. Primary key: the dead
    // letters of a publication.
    "CREATE TABLE dead_letter (
        tenant {text} NOT NULL,
        publication {text} NOT NULL,
        sequence {int} NOT NULL,
        change {int} NOT NULL,
        time {int} NOT NULL,
        attempts {int} NOT NULL,
        replay {int} NOT NULL,
        reason {text} NOT NULL,
        payload TEXT NOT NULL,
        CONSTRAINT dead_letter_pk PRIMARY KEY (tenant, publication, sequence, change),
        CONSTRAINT dead_letter_replay_flag CHECK (replay IN (0, 1))
    ) {wide}",
    // Those that are to be tried again: few, and looked for all the time.
    "CREATE INDEX dead_letter_to_replay ON dead_letter (tenant, publication, sequence, change) WHERE replay = 1",
];
