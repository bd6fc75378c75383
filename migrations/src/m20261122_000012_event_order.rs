//! The indexes of a record's events in the whole order of a timeline: so that its newest come out
//! of them in order whatever a database believes of their number, and only so many are read.

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
    "DROP INDEX event_by_record",
    // Serves: the newest events of a record, from any position on. The record's key comes first,
    // for the reason that it did.
    "CREATE INDEX event_by_record ON event (record_key, tenant, source, sort_time, event_id)",
    "DROP INDEX event_by_type",
    // Serves: the newest events of some types, and how many there are of each, over some channels.
    "CREATE INDEX event_by_type ON event (record_key, tenant, source, type, sort_time, event_id, channel)",
];
