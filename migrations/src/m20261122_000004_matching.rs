//! Probabilistic identity: match keys, scored pairs, people's decisions, and the log of merges and splits.
//!
//! Match keys and pairs are derived from records and the model; decisions and the log are not.

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
        Some(true)
    }
}

pub(crate) const STATEMENTS: &[&str] = &[
    // Which records may be compared. Primary key: the records under a key, least first.
    "CREATE TABLE match_key (
        tenant {text} NOT NULL,
        key_hash {int} NOT NULL,
        source {text} NOT NULL,
        record_key {text} NOT NULL,
        CONSTRAINT match_key_pk PRIMARY KEY (tenant, key_hash, source, record_key)
    ) {narrow}",
    // Records that were compared and found to be alike. Each pair stands twice, once from each end. Primary key: the
    // pairs of a record. `queue_weight` stands, at the lesser end, in pairs that a person may decide.
    "CREATE TABLE match_pair (
        tenant {text} NOT NULL,
        source {text} NOT NULL,
        record_key {text} NOT NULL,
        other_source {text} NOT NULL,
        other_key {text} NOT NULL,
        verdict {text} NOT NULL,
        weight {int} NOT NULL,
        queue_weight {int},
        CONSTRAINT match_pair_pk PRIMARY KEY (tenant, source, record_key, other_source, other_key)
    ) {narrow}",
    // Serves: the review queue, strongest first.
    "CREATE INDEX match_pair_queue ON match_pair
        (tenant, queue_weight, source, record_key, other_source, other_key) WHERE queue_weight IS NOT NULL",
    // What people decided. Primary key: decisions by id.
    "CREATE TABLE decision (
        tenant {text} NOT NULL,
        id {id} NOT NULL,
        sequence {int} NOT NULL,
        withdrawn {int} NOT NULL,
        body TEXT NOT NULL,
        CONSTRAINT decision_pk PRIMARY KEY (tenant, id),
        CONSTRAINT decision_withdrawn_flag CHECK (withdrawn IN (0, 1))
    ) {wide}",
    // Serves: decisions, newest first.
    "CREATE INDEX decision_by_sequence ON decision (tenant, sequence)",
    // Which records decisions in force speak of. Primary key: the decisions about a record.
    "CREATE TABLE decision_record (
        tenant {text} NOT NULL,
        source {text} NOT NULL,
        record_key {text} NOT NULL,
        decision_id {id} NOT NULL,
        CONSTRAINT decision_record_pk PRIMARY KEY (tenant, source, record_key, decision_id)
    ) {narrow}",
    // Requests that changed something and carry an id of their own, with what was answered, so that the same request
    // sent again changes nothing.
    "CREATE TABLE request (
        tenant {text} NOT NULL,
        request_id {text} NOT NULL,
        sequence {int} NOT NULL,
        content_hash {id} NOT NULL,
        answer TEXT NOT NULL,
        CONSTRAINT request_pk PRIMARY KEY (tenant, request_id)
    ) {wide}",
    // Merges and splits, each once for each profile that it concerns. Primary key: the changes of a profile, in order.
    "CREATE TABLE identity_change (
        tenant {text} NOT NULL,
        profile_id {id} NOT NULL,
        sequence {int} NOT NULL,
        ordinal {int} NOT NULL,
        body TEXT NOT NULL,
        CONSTRAINT identity_change_pk PRIMARY KEY (tenant, profile_id, sequence, ordinal)
    ) {wide}",
    // Serves: all changes of a tenant, newest first.
    "CREATE INDEX identity_change_by_sequence ON identity_change (tenant, sequence, ordinal)",
];
