//! Every stay in a segment is a row: taking a merge back needs those from before it.
//!
//! The index is derived data: it is made anew.

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
    "DROP TABLE segment_member",
    "DELETE FROM segment_due",
    "DELETE FROM segment_progress",
    // The stays of profiles in segments. Primary key: those of a profile.
    "CREATE TABLE segment_member (
        tenant {text} NOT NULL,
        profile_id {id} NOT NULL,
        segment {text} NOT NULL,
        enter_time {int} NOT NULL,
        member {int} NOT NULL,
        exit_time {int} NOT NULL,
        CONSTRAINT segment_member_pk PRIMARY KEY (tenant, profile_id, segment, enter_time),
        CONSTRAINT segment_member_flag CHECK (member IN (0, 1))
    ) {narrow}",
    // Serves: the members of a segment in order, and their number.
    "CREATE INDEX segment_member_by_segment ON segment_member (tenant, segment, profile_id) WHERE member = 1",
];
