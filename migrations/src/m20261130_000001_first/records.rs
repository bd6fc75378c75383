//! The database and its tenants, records with their identifiers, profiles, and API keys.

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
    // The write turn: the number and the time of the tenant's last write; no write's time is
    // earlier than that of the one before. `model_version`: the one in force; 0: none yet.
    // `tombstone_key`: hashes the names of erased records; none: nobody was erased.
    "CREATE TABLE tenant (
        id {text} NOT NULL,
        sequence {int} NOT NULL,
        model_version {int} NOT NULL DEFAULT 0,
        write_time {int} NOT NULL DEFAULT 0,
        tombstone_key {bytes},
        CONSTRAINT tenant_pk PRIMARY KEY (id)
    ) {narrow}",
    // The register: tenants that somebody has created. Servers that ask for credentials serve no
    // others. `delete_time`: since then it is not served.
    "CREATE TABLE tenant_register (
        id {text} NOT NULL,
        create_time {int} NOT NULL,
        delete_time {int},
        CONSTRAINT tenant_register_pk PRIMARY KEY (id)
    ) {narrow}",
    "INSERT INTO tenant_register (id, create_time) VALUES ('default', 0)",
    // What each source says now of each customer. Primary key: records by key, for writers.
    // `rollup`: what its events add up to, a document; empty: nothing. `reused_since`: the time of
    // the deletion after which the key was given out again, in microseconds; the least number where
    // it was not. `since`: the write that put the row there.
    "CREATE TABLE record (
        tenant {text} NOT NULL,
        source {text} NOT NULL,
        record_key {text} NOT NULL,
        profile_id {id},
        body TEXT NOT NULL,
        rollup TEXT NOT NULL DEFAULT '',
        reused_since {int} NOT NULL DEFAULT -9223372036854775808,
        since {int} NOT NULL,
        CONSTRAINT record_pk PRIMARY KEY (tenant, source, record_key)
    ) {wide}",
    // Serves: the records of a profile.
    "CREATE INDEX record_by_profile ON record (tenant, profile_id)",
    // Primary key: the holders of an identifier, least keys first.
    "CREATE TABLE identifier (
        tenant {text} NOT NULL,
        type {text} NOT NULL,
        value {text} NOT NULL,
        source {text} NOT NULL,
        record_key {text} NOT NULL,
        since {int} NOT NULL,
        CONSTRAINT identifier_pk PRIMARY KEY (tenant, type, value, source, record_key)
    ) {narrow}",
    // Names of profiles, redirected and deleted ones too. Primary key: profiles by id.
    "CREATE TABLE profile (
        tenant {text} NOT NULL,
        id {id} NOT NULL,
        revision {int} NOT NULL,
        update_time {int} NOT NULL,
        merged_into {id},
        deleted {int} NOT NULL,
        since {int} NOT NULL,
        CONSTRAINT profile_pk PRIMARY KEY (tenant, id),
        CONSTRAINT profile_deleted_flag CHECK (deleted IN (0, 1)),
        CONSTRAINT profile_one_state CHECK (merged_into IS NULL OR deleted = 0)
    ) {narrow}",
    // How far counting the events of before a definition has come: `definitions` names what was
    // counted, up to the record in order of key.
    "CREATE TABLE recount (
        tenant {text} NOT NULL,
        definitions {text} NOT NULL,
        source {text} NOT NULL,
        record_key {text} NOT NULL,
        counted {int} NOT NULL,
        done {int} NOT NULL,
        CONSTRAINT recount_pk PRIMARY KEY (tenant),
        CONSTRAINT recount_done_flag CHECK (done IN (0, 1))
    ) {wide}",
    // API keys. They belong to the database: a key says itself of which tenants it is. Tenants and
    // scopes: with a space between them. The hash is SHA-256 of the secret, in Base64; the secret
    // is not stored.
    "CREATE TABLE api_key (
        id {text} NOT NULL,
        name {text} NOT NULL,
        hash {text} NOT NULL,
        tenants {text} NOT NULL,
        scopes {text} NOT NULL,
        purpose {text},
        roles {text} NOT NULL,
        create_time {int} NOT NULL,
        expire_time {int},
        revoke_time {int},
        CONSTRAINT api_key_pk PRIMARY KEY (id)
    ) {narrow}",
];
