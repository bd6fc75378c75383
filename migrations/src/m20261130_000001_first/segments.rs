//! Segments: who is in them, and when time alone may change that. Derived data: it can be made
//! anew.

pub(crate) const STATEMENTS: &[&str] = &[
    // How far each tenant's segments are: by which version of the model, up to which place of the
    // change log, and while they are built, up to which profile. Who writes says which revision was
    // read, so that no two writers mix.
    "CREATE TABLE segment_progress (
        tenant {text} NOT NULL,
        revision {int} NOT NULL,
        model_version {int} NOT NULL,
        sequence {int} NOT NULL,
        part {int} NOT NULL,
        position {id} NOT NULL,
        built {int} NOT NULL,
        CONSTRAINT segment_progress_pk PRIMARY KEY (tenant),
        CONSTRAINT segment_progress_built_flag CHECK (built IN (0, 1))
    ) {wide}",
    // The stays of profiles in segments. Primary key: those of a profile.
    "CREATE TABLE segment_member (
        tenant {text} NOT NULL,
        profile_id {id} NOT NULL,
        segment {text} NOT NULL,
        enter_time {int} NOT NULL,
        member {int} NOT NULL,
        exit_time {int} NOT NULL,
        CONSTRAINT segment_member_pk PRIMARY KEY (tenant, profile_id, segment, enter_time),
        CONSTRAINT segment_member_flag CHECK (member IN (0, 1))
    ) {narrow}",
    // Serves: the members of a segment in order, and their number.
    "CREATE INDEX segment_member_by_segment ON segment_member (tenant, segment, profile_id) WHERE member = 1",
    // When time alone may change a profile's segments. Primary key: by profile.
    "CREATE TABLE segment_due (
        tenant {text} NOT NULL,
        profile_id {id} NOT NULL,
        due {int} NOT NULL,
        CONSTRAINT segment_due_pk PRIMARY KEY (tenant, profile_id)
    ) {narrow}",
    // Serves: whose time has come.
    "CREATE INDEX segment_due_by_time ON segment_due (tenant, due)",
];
