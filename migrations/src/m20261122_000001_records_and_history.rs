//! Records with their identifiers, terms and history; profiles; memberships; events.
//!
//! - Every primary key leads with the tenant, so that the tables can be spread by it. No foreign
//!   keys: the writer keeps the tables in step, within one transaction, and rows of one tenant
//!   never point to another.
//! - Text that is compared is in byte order on every database: `COLLATE "C"` on PostgreSQL, as
//!   `SQLite` and Rust do it.
//! - Times are whole microseconds since 1970. 128-bit values (ids, hashes) are `uuid` on PostgreSQL
//!   and 16 bytes on `SQLite`.
//! - Documents (`body`, `draft`) are JSON in plain text: nothing looks into them, and they come
//!   back as they were put.

use sea_orm_migration::prelude::*;

use crate::dialect;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::execute(manager, STATEMENTS).await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration(
            "the first schema is not taken back: drop the database instead".to_owned(),
        ))
    }

    fn use_transaction(&self) -> Option<bool> {
        // All migrations run within one transaction, which begins in `up`.
        Some(false)
    }
}

pub(crate) const STATEMENTS: &[&str] = &[
    // Which database this is. Read tokens carry the id, so that a token of another database is told
    // apart.
    "CREATE TABLE store_info (
        only_row {int} NOT NULL,
        id {id} NOT NULL,
        CONSTRAINT store_info_pk PRIMARY KEY (only_row),
        CONSTRAINT store_info_one_row CHECK (only_row = 1)
    ) {wide}",
    "INSERT INTO store_info (only_row, id) VALUES (1, {new_id})",
    // The write turn: a writer holds its tenant's row from begin to commit.
    "CREATE TABLE tenant (
        id {text} NOT NULL,
        sequence {int} NOT NULL,
        CONSTRAINT tenant_pk PRIMARY KEY (id)
    ) {narrow}",
    // What each source says now of each customer. Primary key: records by key, for writers.
    "CREATE TABLE record (
        tenant {text} NOT NULL,
        source {text} NOT NULL,
        record_key {text} NOT NULL,
        profile_id {id},
        body TEXT NOT NULL,
        CONSTRAINT record_pk PRIMARY KEY (tenant, source, record_key)
    ) {wide}",
    // Serves: the records of a profile.
    "CREATE INDEX record_by_profile ON record (tenant, profile_id)",
    // Every statement about a record. Primary key: was this said before; all that was said about a
    // record.
    "CREATE TABLE record_version (
        tenant {text} NOT NULL,
        source {text} NOT NULL,
        record_key {text} NOT NULL,
        version {int} NOT NULL,
        stamp_time {int} NOT NULL,
        content_hash {id} NOT NULL,
        sequence {int} NOT NULL,
        ordinal {int} NOT NULL,
        receive_time {int} NOT NULL,
        draft TEXT NOT NULL,
        CONSTRAINT record_version_pk PRIMARY KEY (tenant, source, record_key, version, stamp_time, content_hash)
    ) {wide}",
    // Primary key: the holders of an identifier, least keys first.
    "CREATE TABLE identifier (
        tenant {text} NOT NULL,
        type {text} NOT NULL,
        value {text} NOT NULL,
        source {text} NOT NULL,
        record_key {text} NOT NULL,
        CONSTRAINT identifier_pk PRIMARY KEY (tenant, type, value, source, record_key)
    ) {narrow}",
    // Primary key: records with a term that begins with a prefix.
    "CREATE TABLE record_term (
        tenant {text} NOT NULL,
        term {text} NOT NULL,
        trait {text} NOT NULL,
        source {text} NOT NULL,
        record_key {text} NOT NULL,
        CONSTRAINT record_term_pk PRIMARY KEY (tenant, term, trait, source, record_key)
    ) {narrow}",
    // Names of profiles, redirected and deleted ones too. Primary key: profiles by id.
    "CREATE TABLE profile (
        tenant {text} NOT NULL,
        id {id} NOT NULL,
        revision {int} NOT NULL,
        update_time {int} NOT NULL,
        merged_into {id},
        deleted {int} NOT NULL,
        CONSTRAINT profile_pk PRIMARY KEY (tenant, id),
        CONSTRAINT profile_deleted_flag CHECK (deleted IN (0, 1)),
        CONSTRAINT profile_one_state CHECK (merged_into IS NULL OR deleted = 0)
    ) {narrow}",
    // Where each record has been. Primary key: the memberships of a record, in order.
    "CREATE TABLE membership (
        tenant {text} NOT NULL,
        source {text} NOT NULL,
        record_key {text} NOT NULL,
        sequence {int} NOT NULL,
        profile_id {id},
        change_time {int} NOT NULL,
        reason {text} NOT NULL,
        CONSTRAINT membership_pk PRIMARY KEY (tenant, source, record_key, sequence)
    ) {narrow}",
    // What happened. Primary key: was this event told before.
    "CREATE TABLE event (
        tenant {text} NOT NULL,
        source {text} NOT NULL,
        event_id {text} NOT NULL,
        record_key {text} NOT NULL,
        type {text} NOT NULL,
        sort_time {int} NOT NULL,
        content_hash {id} NOT NULL,
        body TEXT NOT NULL,
        CONSTRAINT event_pk PRIMARY KEY (tenant, source, event_id)
    ) {wide}",
    // Serves: the newest events of a record, from any position on. The record's key comes first, so
    // that the index is of no use for an event's own name: while the table is small PostgreSQL
    // holds any index for as good as the right one, and keeps to that plan.
    "CREATE INDEX event_by_record ON event (record_key, tenant, source, sort_time)",
];
