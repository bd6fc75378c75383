//! Erasures, and the tombstones that keep the erased from coming back.

pub(crate) const STATEMENTS: &[&str] = &[
    // Keyed hashes of the names of erased records: statements about them are refused. Primary key:
    // whether a record was erased.
    "CREATE TABLE tombstone (
        tenant {text} NOT NULL,
        hash {id} NOT NULL,
        erasure {text} NOT NULL,
        CONSTRAINT tombstone_pk PRIMARY KEY (tenant, hash)
    ) {narrow}",
    // Serves: the release of an erasure.
    "CREATE INDEX tombstone_by_erasure ON tombstone (tenant, erasure)",
    // Receipts of erasures, released ones too. Nothing in them is personal.
    "CREATE TABLE erasure (
        tenant {text} NOT NULL,
        id {text} NOT NULL,
        sequence {int} NOT NULL,
        body TEXT NOT NULL,
        CONSTRAINT erasure_pk PRIMARY KEY (tenant, id)
    ) {wide}",
    // Serves: erasures, newest first.
    "CREATE INDEX erasure_by_sequence ON erasure (tenant, sequence, id)",
];
