//! The versions of a tenant's model, and what was learned of all its customers.

pub(crate) const STATEMENTS: &[&str] = &[
    // Primary key: a version; the latest ones. `weights` is empty for those that are compiled in.
    "CREATE TABLE model (
        tenant {text} NOT NULL,
        version {int} NOT NULL,
        file TEXT NOT NULL,
        weights TEXT NOT NULL,
        create_time {int} NOT NULL,
        note TEXT NOT NULL,
        CONSTRAINT model_pk PRIMARY KEY (tenant, version)
    ) {wide}",
    // Append-only. Primary key: when a version came into force, and by which write.
    "CREATE TABLE model_activation (
        tenant {text} NOT NULL,
        version {int} NOT NULL,
        sequence {int} NOT NULL,
        activate_time {int} NOT NULL,
        CONSTRAINT model_activation_pk PRIMARY KEY (tenant, version)
    ) {narrow}",
    // What was computed of all customers of a tenant: parameters, scales, and each segment as a
    // whole. A document for each tenant, in place of the one before. It can be computed anew at any
    // time.
    "CREATE TABLE statistics (
        tenant {text} NOT NULL,
        body TEXT NOT NULL,
        CONSTRAINT statistics_pk PRIMARY KEY (tenant)
    ) {wide}",
];
