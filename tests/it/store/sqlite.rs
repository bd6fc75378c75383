//! What SQLite alone promises: a file that one process has, and that keeps what was written.

use customer_profile::store::sql::{Migrate, Options, SqlStore};
use customer_profile::store::{Changes, Error, Store};
use tempfile::TempDir;

use super::build::*;
use crate::support::stores::{sqlite, sqlite_options};

#[tokio::test]
async fn a_second_one_at_the_same_file_is_told_so() {
    let dir = TempDir::new().expect("a temporary directory");
    let first = sqlite(&dir).await;
    let second = SqlStore::open(&sqlite_options(&dir), Migrate::Auto).await;
    let error = second.err().expect("the file is taken");
    assert!(
        matches!(&error, Error::Open(text) if text.contains("another process")),
        "{error}"
    );
    assert!(
        SqlStore::migrate(&sqlite_options(&dir)).await.is_err(),
        "a migration of a database in use"
    );
    first.close().await;
    drop(first);
    sqlite(&dir).await;
}

#[tokio::test]
async fn what_was_written_is_there_when_the_file_is_opened_again() {
    let dir = TempDir::new().expect("a temporary directory");
    let store = sqlite(&dir).await;
    put(&store, &profile(id(1), &[key("1")])).await;
    let id_before = store.id().await.expect("an id");
    store.close().await;
    drop(store);

    let store = sqlite(&dir).await;
    assert_eq!(store.id().await.expect("an id"), id_before);
    let read = store.profiles(&tenant(), &[id(1)]).await.expect("a read");
    assert_eq!((read.sequence.0, read.value[0].is_some()), (1, true));
    assert_eq!(put(&store, &Changes::default()).await.0, 2);
}

#[tokio::test]
async fn a_file_without_the_schema_is_told_apart() {
    let dir = TempDir::new().expect("a temporary directory");
    let store = SqlStore::open(&sqlite_options(&dir), Migrate::Check)
        .await
        .expect("the store opens");
    assert!(matches!(store.check().await, Err(Error::Schema(_))));
    let error = store
        .profiles(&tenant(), &[id(1)])
        .await
        .expect_err("there are no tables");
    assert!(matches!(error, Error::Schema(_)), "{error}");
}

#[tokio::test]
async fn a_path_that_leads_nowhere_is_an_error_of_opening() {
    let opened = SqlStore::open(
        &Options::new("sqlite:///no/such/place/cp.db"),
        Migrate::Auto,
    )
    .await;
    assert!(matches!(opened.err(), Some(Error::Open(_))));
}

#[tokio::test]
async fn each_hot_query_goes_by_its_index() {
    let dir = TempDir::new().expect("a temporary directory");
    let store = sqlite(&dir).await;
    let plans = store.plans(&tenant()).await.expect("plans");
    let mut expected = steps_of_look_ups();
    expected.push((
        "read_log",
        vec![
            "t USING PRIMARY KEY (id=?)",
            "c USING INDEX sqlite_autoindex_change_log_1 (tenant=? AND (sequence,part)>(?,?))",
        ],
    ));
    expected.push((
        "writes_after",
        vec![
            "t USING PRIMARY KEY (id=?)",
            "c USING INDEX sqlite_autoindex_change_log_1 (tenant=? AND sequence>?)",
        ],
    ));
    expected.extend(steps_of_segments());
    expected.extend(steps_of_searches());
    expected.extend(steps_of_timelines());
    expected.extend(steps_of_the_past());
    assert_eq!(plans.len(), expected.len());
    for (plan, (method, steps)) in plans.iter().zip(expected) {
        assert_eq!(plan.method, method);
        for step in steps {
            assert!(
                plan.text.contains(step),
                "{method}: no {step:?} in\n{}",
                plan.text
            );
        }
        for table in ["r", "i", "p", "e", "t", "v", "w", "x", "identifier"] {
            assert!(
                !plan
                    .text
                    .lines()
                    .any(|line| line == format!("SCAN {table}")),
                "{method}:\n{}",
                plan.text
            );
        }
    }
    // The newest of a record come out of the index in order, so that only so many are read; what is
    // sorted in the end is those few.
    for listing in plans
        .iter()
        .filter(|plan| plan.method.starts_with("list_events"))
    {
        let sorts: Vec<&str> = listing
            .text
            .lines()
            .filter(|line| line.contains("TEMP B-TREE"))
            .collect();
        assert_eq!(sorts, ["USE TEMP B-TREE FOR ORDER BY"], "{}", listing.text);
    }
}

/// By what profiles, records and the rows of a write are found.
fn steps_of_look_ups() -> Vec<(&'static str, Vec<&'static str>)> {
    let record = "r USING INDEX sqlite_autoindex_record_1 (tenant=? AND source=? AND record_key=?)";
    vec![
        (
            "profiles",
            vec![
                "p USING PRIMARY KEY (tenant=? AND id=?)",
                "record_by_profile (tenant=? AND profile_id=?)",
            ],
        ),
        (
            "find_by_identifiers",
            vec![
                "i USING PRIMARY KEY (tenant=? AND type=? AND value=?)",
                "(tenant=? AND source=? AND record_key=?)",
            ],
        ),
        ("find_by_records", vec![record]),
        ("records", vec![record]),
        (
            "holders",
            vec![
                "i USING PRIMARY KEY (tenant=? AND type=? AND value=?)",
                "(tenant=? AND source=? AND record_key=?)",
            ],
        ),
        (
            "known_statements",
            vec![
                "(tenant=? AND source=? AND record_key=? AND version=? AND stamp_time=? AND content_hash=?)",
            ],
        ),
        (
            "known_events",
            vec!["e USING INDEX sqlite_autoindex_event_1 (tenant=? AND source=? AND event_id=?)"],
        ),
        (
            "profile_rows",
            vec!["p USING PRIMARY KEY (tenant=? AND id=?)"],
        ),
        (
            "members",
            vec!["record_by_profile (tenant=? AND profile_id=?)"],
        ),
        (
            "keyed",
            vec!["m USING PRIMARY KEY (tenant=? AND key_hash=?)"],
        ),
        (
            "pairs",
            vec!["m USING PRIMARY KEY (tenant=? AND source=? AND record_key=?)"],
        ),
        (
            "decisions_about",
            vec![
                "a USING PRIMARY KEY (tenant=? AND source=? AND record_key=?)",
                "(tenant=? AND id=?)",
            ],
        ),
        (
            "remove identifiers",
            vec![
                "identifier USING PRIMARY KEY (tenant=? AND type=? AND value=? AND source=? AND record_key=?)",
            ],
        ),
    ]
}

/// By what events are listed, counted, and found by objects.
fn steps_of_timelines() -> Vec<(&'static str, Vec<&'static str>)> {
    let by_record = "event_by_record (record_key=? AND tenant=? AND record_source=? AND sort_time>? AND sort_time<?)";
    vec![
        ("list_events", vec![by_record]),
        ("list_events: before", vec![by_record]),
        (
            "list_events: types",
            vec![
                "event_by_type (record_key=? AND tenant=? AND record_source=? AND type=? AND sort_time>? AND sort_time<?)",
            ],
        ),
        (
            "count_events",
            vec![
                "e USING COVERING INDEX event_by_type (record_key=? AND tenant=? AND record_source=?)",
            ],
        ),
        (
            "list_object_events",
            vec![
                "x USING PRIMARY KEY \
                 (tenant=? AND kind=? AND object_id=? AND record_source=? AND record_key=? \
                 AND sort_time>? AND sort_time<?)",
                "e USING INDEX sqlite_autoindex_event_1 (tenant=? AND source=? AND event_id=?)",
            ],
        ),
        (
            "find_by_objects",
            vec![
                "x USING PRIMARY KEY (tenant=? AND kind=? AND object_id=?)",
                "(tenant=? AND source=? AND record_key=?)",
            ],
        ),
        (
            "attached_events",
            vec!["event_object_attached (tenant=? AND kind=? AND object_id=?)"],
        ),
        (
            "claims",
            vec!["x USING PRIMARY KEY (tenant=? AND kind=? AND object_id=?)"],
        ),
        (
            "count_waiting",
            vec!["event_by_record (record_key=? AND tenant=? AND record_source>?)"],
        ),
        (
            "list_waiting",
            vec!["event_by_record (record_key=? AND tenant=? AND record_source>?)"],
        ),
    ]
}

/// By what segments look up.
fn steps_of_segments() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        (
            "memberships",
            vec!["m USING PRIMARY KEY (tenant=? AND profile_id=?)"],
        ),
        (
            "list_members",
            vec![
                "segment_member_by_segment (tenant=? AND segment=? AND profile_id>?)",
                "p EXISTS USING PRIMARY KEY (tenant=? AND id=?)",
            ],
        ),
        ("list_due", vec!["segment_due_by_time (tenant=? AND due<?)"]),
        (
            "list_profiles",
            vec!["profile USING PRIMARY KEY (tenant=? AND id>?)"],
        ),
    ]
}

/// By what searches look up, and a write what is left of words.
fn steps_of_searches() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        (
            "find_by_terms",
            vec![
                "t USING PRIMARY KEY (tenant=? AND term>? AND term<?)",
                "(tenant=? AND source=? AND record_key=?)",
            ],
        ),
        (
            "find_words",
            vec![
                "w USING COVERING INDEX search_word_by_sound (tenant=? AND sound=?)",
                "w USING PRIMARY KEY (tenant=? AND term>? AND term<?)",
                "w USING COVERING INDEX search_word_by_end (tenant=? AND reversed>? AND reversed<?)",
            ],
        ),
        (
            "forget words",
            vec![
                "search_word USING PRIMARY KEY (tenant=? AND term=?)",
                "t USING PRIMARY KEY (tenant=? AND term=?)",
            ],
        ),
    ]
}

/// By what reads of the past look up: among the rows in place and among those that were replaced.
fn steps_of_the_past() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        (
            "write_at",
            vec![
                "w USING PRIMARY KEY (tenant=? AND time<?)",
                "a USING PRIMARY KEY (tenant=?)",
            ],
        ),
        (
            "profile_after: row",
            vec![
                "t USING PRIMARY KEY (tenant=? AND id=?)",
                "t USING PRIMARY KEY (tenant=? AND id=? AND until>?)",
            ],
        ),
        (
            "profile_after: records",
            vec![
                "record_by_profile (tenant=? AND profile_id=?)",
                "(tenant=? AND profile_id=? AND until>?)",
            ],
        ),
        (
            "find_by_record_after",
            vec![
                "(tenant=? AND source=? AND record_key=?)",
                "(tenant=? AND source=? AND record_key=? AND until>?)",
            ],
        ),
        (
            "find_by_identifier_after",
            vec![
                "t USING PRIMARY KEY (tenant=? AND type=? AND value=?)",
                "(tenant=? AND source=? AND record_key=?)",
                "(tenant=? AND source=? AND record_key=? AND until>?)",
            ],
        ),
    ]
}
