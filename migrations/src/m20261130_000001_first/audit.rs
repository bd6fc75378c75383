//! Audit logs: who read and who changed what is known of customers. Rows are only ever added, apart
//! from the head and the last tile of each level; `src/audit.rs` says how a change is found.

pub(crate) const STATEMENTS: &[&str] = &[
    // How far each log is, with the checkpoint of all its entries.
    "CREATE TABLE audit_head (
        tenant {text} NOT NULL,
        size {int} NOT NULL,
        checkpoint {text} NOT NULL,
        CONSTRAINT audit_head_pk PRIMARY KEY (tenant)
    ) {wide}",
    // Entries: up to 256 lines of JSON, compressed (zstd), with their least and greatest time
    // and fingerprints of the customers that they speak of, four bytes each.
    "CREATE TABLE audit_batch (
        tenant {text} NOT NULL,
        first_entry {int} NOT NULL,
        entries {int} NOT NULL,
        begin_time {int} NOT NULL,
        end_time {int} NOT NULL,
        customers {bytes} NOT NULL,
        body {bytes} NOT NULL,
        CONSTRAINT audit_batch_pk PRIMARY KEY (tenant, first_entry)
    ) {wide}",
    // Tiles of the Merkle tree (c2sp.org/tlog-tiles): up to 256 hashes of 32 bytes.
    "CREATE TABLE audit_tile (
        tenant {text} NOT NULL,
        level {int} NOT NULL,
        number {int} NOT NULL,
        hashes {bytes} NOT NULL,
        CONSTRAINT audit_tile_pk PRIMARY KEY (tenant, level, number)
    ) {wide}",
];
