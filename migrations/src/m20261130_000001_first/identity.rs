//! Probabilistic identity: blocking keys, scored pairs, people's decisions, and the log of merges
//! and splits.
//!
//! Keys and pairs are derived from records and the model; decisions and the log are not.

pub(crate) const STATEMENTS: &[&str] = &[
    // Which records may be compared. Primary key: the records under a key, least first.
    "CREATE TABLE match_key (
        tenant {text} NOT NULL,
        key_hash {int} NOT NULL,
        source {text} NOT NULL,
        record_key {text} NOT NULL,
        CONSTRAINT match_key_pk PRIMARY KEY (tenant, key_hash, source, record_key)
    ) {narrow}",
    // Records that were compared and found to be alike. Each pair stands twice, once from each end.
    // Primary key: the pairs of a record. `queued`: a person may decide it. `lesser`: seen from the
    // lesser end.
    "CREATE TABLE match_pair (
        tenant {text} NOT NULL,
        source {text} NOT NULL,
        record_key {text} NOT NULL,
        other_source {text} NOT NULL,
        other_key {text} NOT NULL,
        verdict {text} NOT NULL,
        weight {int} NOT NULL,
        queued {int} NOT NULL,
        lesser {int} NOT NULL,
        CONSTRAINT match_pair_pk PRIMARY KEY (tenant, source, record_key, other_source, other_key),
        CONSTRAINT match_pair_flags CHECK (queued IN (0, 1) AND lesser IN (0, 1))
    ) {narrow}",
    // Serves: the review queue, strongest first.
    "CREATE INDEX match_pair_queue ON match_pair
        (tenant, weight, source, record_key, other_source, other_key) WHERE queued = 1 AND lesser = 1",
    // What people decided. Primary key: decisions by id.
    "CREATE TABLE decision (
        tenant {text} NOT NULL,
        id {text} NOT NULL,
        sequence {int} NOT NULL,
        withdrawn {int} NOT NULL,
        body TEXT NOT NULL,
        CONSTRAINT decision_pk PRIMARY KEY (tenant, id),
        CONSTRAINT decision_withdrawn_flag CHECK (withdrawn IN (0, 1))
    ) {wide}",
    // Which records decisions speak of, withdrawn ones too. Primary key: the decisions about a
    // record.
    "CREATE TABLE decision_record (
        tenant {text} NOT NULL,
        source {text} NOT NULL,
        record_key {text} NOT NULL,
        decision_id {text} NOT NULL,
        CONSTRAINT decision_record_pk PRIMARY KEY (tenant, source, record_key, decision_id)
    ) {narrow}",
    // Requests that changed something and carry an id of their own, with what was answered, so that
    // the same request sent again changes nothing.
    "CREATE TABLE request (
        tenant {text} NOT NULL,
        request_id {text} NOT NULL,
        sequence {int} NOT NULL,
        content_hash {id} NOT NULL,
        answer TEXT NOT NULL,
        CONSTRAINT request_pk PRIMARY KEY (tenant, request_id)
    ) {wide}",
    // Merges and splits, each once for each profile that it concerns. Primary key: the changes of a
    // profile, in order.
    "CREATE TABLE identity_change (
        tenant {text} NOT NULL,
        profile_id {id} NOT NULL,
        sequence {int} NOT NULL,
        ordinal {int} NOT NULL,
        main {int} NOT NULL,
        body TEXT NOT NULL,
        CONSTRAINT identity_change_pk PRIMARY KEY (tenant, profile_id, sequence, ordinal),
        CONSTRAINT identity_change_main_flag CHECK (main IN (0, 1))
    ) {wide}",
    // Serves: all changes of a tenant, each once, newest first.
    "CREATE INDEX identity_change_by_sequence ON identity_change (tenant, sequence, ordinal) WHERE main = 1",
];
