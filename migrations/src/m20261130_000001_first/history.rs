//! What was said, and what each row was before: so that a read can answer as of any write.
//!
//! A row of `record`, `profile`, `identifier` and `event` holds `since` the write that put it
//! there. A write that replaces or removes one first copies it to its history, with itself as
//! `until`. So what was true after write *n* are the rows with `since` ≤ *n* that are in place, and
//! those with `since` ≤ *n* < `until` that are in the history; and what is never replaced costs
//! nothing.

pub(crate) const STATEMENTS: &[&str] = &[
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
    // When each write was. Primary key: the last write at or before a time.
    "CREATE TABLE write_time (
        tenant {text} NOT NULL,
        time {int} NOT NULL,
        sequence {int} NOT NULL,
        CONSTRAINT write_time_pk PRIMARY KEY (tenant, time, sequence)
    ) {narrow}",
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
