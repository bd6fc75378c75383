//! What is particular to PostgreSQL: it can be away, several may share it, and its schema is made
//! by others.

mod connections;
mod pooler;
mod settings;

use std::time::Duration;

use customer_profile::store::sql::{Options, SqlStore};
use customer_profile::store::{Changes, Committed, Error, EventPage, Store};
use profile_core::records::Event;
use sea_orm::{ConnectionTrait, Database};

use super::build::*;
use crate::support::postgres::Postgres;
use crate::support::stores::{postgres, postgres_options};

fn impatient(server: &Postgres) -> Options {
    let timeout = Duration::from_millis(500);
    Options {
        acquire_timeout: timeout,
        statement_timeout: timeout,
        ..postgres_options(server)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_opens_while_its_database_is_away_and_tells_so() {
    let mut server = Postgres::start();
    server.stop();
    let store = SqlStore::connect(&impatient(&server))
        .await
        .expect("opening calls nobody");
    let away = |error: Error| assert!(matches!(error, Error::Unavailable(_)), "{error}");
    away(store.check().await.expect_err("away"));
    away(store.id().await.expect_err("away"));
    away(store.profiles(&tenant(), &[]).await.expect_err("away"));
    away(store.begin(&tenant()).await.err().expect("away"));

    server.start_again();
    assert!(matches!(store.check().await, Err(Error::Schema(_))));
    SqlStore::migrate(&postgres_options(&server))
        .await
        .expect("the schema is made");
    store.check().await.expect("all is well");
    assert_eq!(put(&store, &Changes::default()).await.0, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_meets_an_outage_is_whole_or_nothing() {
    let mut server = Postgres::start();
    let store = postgres(&server).await;
    put(&store, &profile(id(1), &[key("1")])).await;
    let transaction = store.begin(&tenant()).await.expect("a turn");
    server.stop();
    let error = transaction
        .commit(time(9), &profile(id(2), &[key("2")]))
        .await
        .expect_err("the server is away");
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
    server.start_again();
    let mut read = store.profiles(&tenant(), &[id(1), id(2)]).await;
    for _ in 0..20 {
        if read.is_ok() {
            break;
        }
        // A connection that died is found out by its first use.
        read = store.profiles(&tenant(), &[id(1), id(2)]).await;
    }
    let read = read.expect("the server is back");
    assert_eq!(
        (
            read.sequence.0,
            read.value[0].is_some(),
            read.value[1].is_some()
        ),
        (1, true, false)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_at_one_database_take_turns() {
    let server = Postgres::start();
    let (one, two) = (postgres(&server).await, postgres(&server).await);
    assert_eq!(
        one.id().await.expect("an id"),
        two.id().await.expect("an id")
    );
    let write_ten = async |store: &SqlStore| {
        let mut numbers = Vec::new();
        for _ in 0..10 {
            numbers.push(put(store, &Changes::default()).await.0);
        }
        numbers
    };
    let (first, second) = tokio::join!(write_ten(&one), write_ten(&two));
    let mut numbers = [first, second].concat();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<i64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_does_not_come_in_time_is_unavailable() {
    let server = Postgres::start();
    let (patient, other) = (
        postgres(&server).await,
        SqlStore::connect(&impatient(&server))
            .await
            .expect("a store"),
    );
    let holder = patient.begin(&tenant()).await.expect("a turn");
    let error = other
        .begin(&tenant())
        .await
        .err()
        .expect("the turn is taken");
    assert!(
        matches!(&error, Error::Unavailable(text) if text.contains("57014")),
        "{error}"
    );
    holder
        .commit(time(9), &Changes::default())
        .await
        .expect("a commit");
    assert_eq!(put(&other, &Changes::default()).await.0, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appended_row_that_is_there_is_refused_by_its_constraint() {
    let server = Postgres::start();
    let store = postgres(&server).await;
    let changes = events(vec![event(&key("1"), "e", 1)]);
    put(&store, &changes).await;
    let error = write(&store, &tenant(), &changes)
        .await
        .expect_err("it is there");
    assert!(
        matches!(&error, Error::Refused(text) if text.ends_with("constraint event_pk")),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_that_run_at_once_end_in_one_schema() {
    let server = Postgres::start();
    let options = postgres_options(&server);
    let runs = futures::future::join_all((0..4).map(|_| SqlStore::migrate(&options))).await;
    assert!(runs.iter().all(Result::is_ok), "{runs:?}");
    SqlStore::connect(&options)
        .await
        .expect("a store")
        .check()
        .await
        .expect("all is well");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_a_later_version_is_left_alone() {
    let server = Postgres::start();
    let store = postgres(&server).await;
    let db = Database::connect(server.url()).await.expect("a connection");
    db.execute_unprepared("INSERT INTO seaql_migrations VALUES ('m29990101_000001_later', 0)")
        .await
        .expect("a row");
    let error = store.check().await.expect_err("it is newer");
    assert!(
        matches!(&error, Error::Schema(text) if text.contains("m29990101")),
        "{error}"
    );
    let error = SqlStore::migrate(&postgres_options(&server))
        .await
        .expect_err("it is newer");
    assert!(matches!(error, Error::Schema(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hot_query_goes_by_its_index_from_the_first_row_on() {
    let server = Postgres::start();
    let store = postgres(&server).await;
    // On empty tables: the plan that a connection keeps while they grow.
    check_plans(&store).await;

    let keys: Vec<_> = (0..3_000).map(|number| key(&number.to_string())).collect();
    let mut changes = profile(id(1), &keys[..1]);
    for (number, key) in (1..).zip(&keys) {
        changes
            .records
            .extend((number > 1).then(|| record(key, Some(id(number)), "x")));
        changes
            .profiles
            .extend((number > 1).then(|| live(id(number), 1)));
        changes
            .added_identifiers
            .push((email(&key.key), key.clone()));
        changes.added_terms.push(term(&key.key, "name", key));
        let letters: String = key
            .key
            .bytes()
            .map(|digit| char::from(digit - b'0' + b'a'))
            .collect();
        changes.added_terms.push(term(&letters, "family_name", key));
        changes.events.push(event(key, &key.key, 1));
        changes
            .statements
            .push(statement(key, 1, profile_core::records::Sequence(1), 0));
    }
    put(&store, &changes).await;
    let db = Database::connect(server.url()).await.expect("a connection");
    db.execute_unprepared("ANALYZE").await.expect("statistics");
    check_plans(&store).await;
}

/// The rows of events that a page read, over all of its records and types, also those that it threw
/// away.
async fn rows_read(store: &SqlStore, page: &EventPage) -> usize {
    let plan = store
        .explain_events(&tenant(), &[key("1"), key("2")], page)
        .await
        .expect("a plan");
    let number = |line: &str, before: &str| {
        let digits = line
            .split_once(before)
            .map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect());
        digits
            .and_then(|digits: String| digits.parse::<usize>().ok())
            .unwrap_or_else(|| panic!("{plan}"))
    };
    let (mut rows, mut loops) = (0, 0);
    for line in plan.lines() {
        if line.contains(" on event") && line.contains("Scan") {
            loops = number(line, "loops=");
            rows += number(line, "actual rows=") * loops;
        } else if line.contains("->") {
            loops = 0;
        } else if line.contains("Rows Removed by Filter") {
            rows += number(line, "Filter: ") * loops;
        }
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_customer_with_a_hundred_thousand_events_reads_no_more_than_of_one_with_a_hundred()
 {
    let server = Postgres::start();
    let store = postgres(&server).await;
    let kinds = ["chat", "order", "return"];
    let some = |numbers: std::ops::Range<i64>| {
        let each = numbers.map(|number| {
            let kind = kinds[usize::from(number % 50 == 0) + usize::from(number % 1_000 == 0)];
            Event {
                kind: kind.to_owned(),
                ..event(
                    &key(&(1 + number % 2).to_string()),
                    &format!("e{number}"),
                    number,
                )
            }
        });
        events(each.collect())
    };
    let newest = EventPage {
        limit: 20,
        ..EventPage::default()
    };
    let of_types = EventPage {
        kinds: vec!["order".to_owned(), "chat".to_owned()],
        ..newest.clone()
    };
    let middle = Some(event(&key("1"), "e60", 60).position());
    let after = EventPage {
        after: middle.clone(),
        ..newest.clone()
    };
    let before = EventPage {
        from: middle,
        ..newest.clone()
    };
    put(&store, &some(0..200)).await;
    let mut few = Vec::new();
    for page in [&newest, &of_types, &after, &before] {
        few.push(rows_read(&store, page).await);
    }
    for start in (200..100_000).step_by(9_980) {
        put(&store, &some(start..start + 9_980)).await;
    }
    let db = Database::connect(server.url()).await.expect("a connection");
    db.execute_unprepared("ANALYZE").await.expect("statistics");
    for (page, few) in [&newest, &of_types, &after, &before].into_iter().zip(few) {
        let rows = rows_read(&store, page).await;
        assert!(
            (1..=100).contains(&rows) && rows <= few + 60,
            "{rows} rows, {few} before: {page:?}"
        );
    }
}

/// The indexes that each query must look up in, each with its last condition.
const LOOKUPS: [(&str, &[(&str, &str)]); 37] = [
    (
        "profiles",
        &[
            ("profile_pk", "(id = "),
            ("record_by_profile", "(profile_id = "),
            ("tenant_pk", "(id = "),
        ],
    ),
    (
        "find_by_identifiers",
        &[
            ("identifier_pk", "(value = "),
            ("record_pk", "(record_key = "),
        ],
    ),
    ("find_by_records", &[("record_pk", "(record_key = ")]),
    ("records", &[("record_pk", "(record_key = ")]),
    (
        "holders",
        &[
            ("identifier_pk", "(value = "),
            ("record_pk", "(record_key = "),
        ],
    ),
    (
        "known_statements",
        &[("record_version_pk", "(content_hash = ")],
    ),
    ("known_events", &[("event_pk", "(event_id = ")]),
    ("profile_rows", &[("profile_pk", "(id = ")]),
    ("members", &[("record_by_profile", "(profile_id = ")]),
    ("keyed", &[("match_key_pk", "(key_hash = ")]),
    ("pairs", &[("match_pair_pk", "(record_key = ")]),
    (
        "decisions_about",
        &[
            ("decision_record_pk", "(record_key = "),
            ("decision_pk", "(id = "),
        ],
    ),
    ("remove identifiers", &[("identifier_pk", "(record_key = ")]),
    (
        "read_log",
        &[
            ("tenant_pk", "(id = "),
            ("change_log_pk", "ROW(sequence, part) > "),
        ],
    ),
    (
        "writes_after",
        &[("tenant_pk", "(id = "), ("change_log_pk", "(sequence > ")],
    ),
    ("memberships", &[("segment_member_pk", "(profile_id = ")]),
    (
        "list_members",
        &[
            ("segment_member_by_segment", "(profile_id > "),
            ("profile_pk", "(id = "),
        ],
    ),
    ("list_due", &[("segment_due_by_time", "(due <= ")]),
    ("list_profiles", &[("profile_pk", "(id > ")]),
    (
        "find_by_terms",
        &[
            ("record_term_pk", "(term >= "),
            ("record_pk", "(record_key = "),
        ],
    ),
    (
        "find_words",
        &[
            ("search_word_by_sound", "(sound = "),
            ("search_word_pk", "(term >= "),
            ("search_word_by_end", "(reversed >= "),
        ],
    ),
    (
        "forget words",
        &[
            ("record_term_pk", "(term = "),
            ("search_word_pk", "(term = "),
        ],
    ),
    ("list_events", &[("event_by_record", "(sort_time >= ")]),
    (
        "list_events: before",
        &[("event_by_record", "(sort_time >= ")],
    ),
    ("list_events: types", &[("event_by_type", "(sort_time >= ")]),
    ("count_events", &[("event_by_type", "(sort_time >= ")]),
    (
        "list_object_events",
        &[
            ("event_object_pk", "(sort_time <= "),
            ("event_pk", "(event_id = "),
        ],
    ),
    (
        "find_by_objects",
        &[
            ("event_object_pk", "(object_id = "),
            ("record_pk", "(record_key = "),
        ],
    ),
    (
        "attached_events",
        &[("event_object_attached", "(object_id = ")],
    ),
    ("claims", &[("event_object_pk", "(object_id = ")]),
    ("count_waiting", &[("event_by_record", "(record_source > ")]),
    ("list_waiting", &[("event_by_record", "(record_source > ")]),
    (
        "write_at",
        &[
            ("write_time_pk", "(\"time\" <= "),
            ("model_activation_pk", "(tenant = "),
        ],
    ),
    (
        "profile_after: row",
        &[
            ("profile_pk", "(id = "),
            ("profile_history_pk", "(until > "),
        ],
    ),
    (
        "profile_after: records",
        &[
            ("record_by_profile", "(profile_id = "),
            ("record_history_by_profile", "(since <= "),
        ],
    ),
    (
        "find_by_record_after",
        &[
            ("record_pk", "(record_key = "),
            ("record_history_pk", "(until > "),
        ],
    ),
    (
        "find_by_identifier_after",
        &[
            ("identifier_pk", "(value = "),
            ("identifier_history_pk", "(value = "),
            ("record_pk", "(record_key = "),
            ("record_history_pk", "(until > "),
        ],
    ),
];

#[tokio::test]
async fn a_tenant_that_has_gone_is_not_made_again_by_a_late_write() {
    let server = Postgres::start();
    let store = postgres(&server).await;
    put(&store, &Changes::default()).await;
    let late = store.attempt(&tenant()).await.expect("an attempt");
    server.sql("DELETE FROM tenant");
    let committed = late.commit(time(2), &Changes::default()).await;
    let committed = committed.expect("no failure");
    assert!(matches!(committed, Committed::NotNext(_)));
    assert_eq!(server.sql("SELECT count(*) FROM tenant").trim(), "0");
    store.close().await;
}

async fn check_plans(store: &SqlStore) {
    let plans = store.plans(&tenant()).await.expect("plans");
    assert_eq!(plans.len(), LOOKUPS.len());
    for (plan, (method, lookups)) in plans.iter().zip(LOOKUPS) {
        assert_eq!(plan.method, method);
        for (index, condition) in lookups {
            let mut lines = plan
                .text
                .lines()
                .skip_while(|line| !line.contains(&format!(" using {index} on ")));
            let looks_up = lines
                .nth(1)
                .is_some_and(|line| line.contains("Index Cond") && line.contains(condition));
            assert!(
                looks_up,
                "{method}: no look-up in {index} by {condition}\n{}",
                plan.text
            );
        }
        assert!(
            !plan.text.contains("Seq Scan") && !plan.text.contains("Join Filter"),
            "{method}:\n{}",
            plan.text
        );
    }
}
