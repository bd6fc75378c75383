//! What happened, the objects that it happened to, and what was corrected.

pub(crate) const STATEMENTS: &[&str] = &[
    // Primary key: was this event told before. An event that waits for its record has an empty
    // `record_key`, and its own source as `record_source`; one that was taken back has neither.
    // `channel`: the way it went; empty: not known. `correction`: the one that holds, a document;
    // empty: there is none. `content_hash` is that of the event before any correction; zero: only
    // corrections of it have come.
    "CREATE TABLE event (
        tenant {text} NOT NULL,
        source {text} NOT NULL,
        event_id {text} NOT NULL,
        record_source {text} NOT NULL,
        record_key {text} NOT NULL,
        type {text} NOT NULL,
        sort_time {int} NOT NULL,
        channel {text} NOT NULL,
        content_hash {id} NOT NULL,
        body TEXT NOT NULL,
        correction {text} NOT NULL DEFAULT '',
        since {int} NOT NULL,
        CONSTRAINT event_pk PRIMARY KEY (tenant, source, event_id)
    ) {wide}",
    // Serves: the newest events of a record, from any position on; those that wait, by source and
    // time. The record's key comes first, so that the index is of no use for an event's own name:
    // while the table is small PostgreSQL holds any index for as good as the right one, and keeps
    // to that plan. All of the order of a timeline, so that its newest come out of it in order
    // whatever a database believes of their number, and only so many are read.
    "CREATE INDEX event_by_record ON event (record_key, tenant, record_source, sort_time, source, event_id)",
    // Serves: the newest events of some types of a record, and how many there are of each type, by
    // channel and source too.
    "CREATE INDEX event_by_type ON event (record_key, tenant, record_source, type, sort_time, source, event_id, channel)",
    // Primary key: an event as it was.
    "CREATE TABLE event_history (
        tenant {text} NOT NULL,
        source {text} NOT NULL,
        event_id {text} NOT NULL,
        until {int} NOT NULL,
        since {int} NOT NULL,
        record_source {text} NOT NULL,
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
    "CREATE INDEX event_history_by_record ON event_history (record_key, tenant, record_source, sort_time, source, event_id)",
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
    // Serves: the events without a record of their own that name an object.
    "CREATE INDEX event_object_attached ON event_object (tenant, kind, object_id, source, event_id) WHERE attached = 1",
];
