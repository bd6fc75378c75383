//! The change log: what each write changed for those who read profiles; and how far it was told to
//! others.

pub(crate) const STATEMENTS: &[&str] = &[
    // Each write has an entry, of one part or several; the oldest are thrown away. Primary key: the
    // log from a write on. `changes` is a JSON document of `bytes` bytes. `footprint`, in the last
    // part: eight bytes for each thing that the write touched; one byte for everything.
    "CREATE TABLE change_log (
        tenant {text} NOT NULL,
        sequence {int} NOT NULL,
        part {int} NOT NULL,
        last {int} NOT NULL,
        time {int} NOT NULL,
        bytes {int} NOT NULL,
        footprint {bytes} NOT NULL,
        changes TEXT NOT NULL,
        CONSTRAINT change_log_pk PRIMARY KEY (tenant, sequence, part),
        CONSTRAINT change_log_last_flag CHECK (last IN (0, 1))
    ) {wide}",
    // All changes of the writes up to `sequence` are told, and of the next one so many changes. Who
    // tells them holds the lease (none: the empty text) and says that it lives by counting
    // `lease_beat` up.
    "CREATE TABLE publication (
        tenant {text} NOT NULL,
        name {text} NOT NULL,
        sequence {int} NOT NULL,
        changes {int} NOT NULL,
        lease_owner {text} NOT NULL,
        lease_beat {int} NOT NULL,
        failures {int} NOT NULL,
        last_error {text} NOT NULL,
        CONSTRAINT publication_pk PRIMARY KEY (tenant, name)
    ) {narrow}",
    // A change, by its write and its place in it, that its target refused. Primary key: the dead
    // letters of a publication.
    "CREATE TABLE dead_letter (
        tenant {text} NOT NULL,
        publication {text} NOT NULL,
        sequence {int} NOT NULL,
        change {int} NOT NULL,
        time {int} NOT NULL,
        attempts {int} NOT NULL,
        replay {int} NOT NULL,
        reason {text} NOT NULL,
        payload TEXT NOT NULL,
        CONSTRAINT dead_letter_pk PRIMARY KEY (tenant, publication, sequence, change),
        CONSTRAINT dead_letter_replay_flag CHECK (replay IN (0, 1))
    ) {wide}",
    // Those that are to be tried again: few, and looked for all the time.
    "CREATE INDEX dead_letter_to_replay ON dead_letter (tenant, publication, sequence, change) WHERE replay = 1",
];
