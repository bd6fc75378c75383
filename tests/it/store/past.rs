//! The past: every state that was ever committed can still be read.

use profile_core::records::{ProfileId, RecordKey, Sequence, TenantId};

use customer_profile::store::{
    Activation, Changes, Error, PastWrite, ProfileRow, ProfileState, Store,
};

use super::build::*;

/// Writes at a time.
async fn put_at(store: &dyn Store, micros: i64, changes: &Changes) -> Sequence {
    let transaction = store.begin(&tenant()).await.expect("a turn");
    let sequence = transaction.sequence();
    transaction
        .commit(time(micros), changes)
        .await
        .expect("a commit");
    sequence
}

/// What a profile was after a write: its id, its revision and what its records say.
async fn after(
    store: &dyn Store,
    id: ProfileId,
    write: i64,
) -> Option<(ProfileId, i64, Vec<String>)> {
    let found = store
        .profile_after(&tenant(), id, Sequence(write))
        .await
        .expect("a read")?;
    let names = found
        .records
        .iter()
        .flat_map(|record| record.traits().map(|(_, value, _)| value.to_string()));
    Some((found.id, found.revision, names.collect()))
}

async fn home(store: &dyn Store, record: &RecordKey, write: i64) -> Option<ProfileId> {
    store
        .find_by_record_after(&tenant(), record, Sequence(write))
        .await
        .expect("a read")
}

async fn holders(store: &dyn Store, value: &str, write: i64) -> Vec<ProfileId> {
    store
        .find_by_identifier_after(&tenant(), &email(value), Sequence(write), 2)
        .await
        .expect("a read")
}

pub(crate) async fn the_last_write_at_a_time_is_found(store: &dyn Store) {
    for micros in [10, 20, 20, 30] {
        put_at(store, micros, &Changes::default()).await;
    }
    let write = |sequence, micros| {
        Some(PastWrite {
            sequence: Sequence(sequence),
            time: time(micros),
            model_version: 0,
        })
    };
    let expected = [
        (9, None),
        (10, write(1, 10)),
        (19, write(1, 10)),
        (20, write(3, 20)),
        (i64::MAX, write(4, 30)),
    ];
    for (micros, found) in expected {
        assert_eq!(
            store
                .write_at(&tenant(), time(micros))
                .await
                .expect("a read"),
            found,
            "at {micros}"
        );
    }
    let other = TenantId::new("other").expect("a name");
    assert_eq!(
        store.write_at(&other, time(99)).await.expect("a read"),
        None
    );
}

pub(crate) async fn the_model_that_was_in_force_is_told(store: &dyn Store) {
    for (version, sequence) in [(1, 2), (2, 4)] {
        put_at(store, sequence - 1, &Changes::default()).await;
        let activation = Activation {
            version,
            sequence: Sequence(sequence),
            time: time(sequence),
        };
        put_at(
            store,
            sequence,
            &Changes {
                activation: Some(activation),
                ..Changes::default()
            },
        )
        .await;
    }
    for (micros, version) in [(1, 0), (2, 1), (3, 1), (4, 2), (9, 2)] {
        let write = store
            .write_at(&tenant(), time(micros))
            .await
            .expect("a read")
            .expect("a write");
        assert_eq!(write.model_version, version, "at {micros}");
    }
}

pub(crate) async fn times_of_writes_never_go_back(store: &dyn Store) {
    assert_eq!(
        store.begin(&tenant()).await.expect("a turn").not_before(),
        time(0)
    );
    put_at(store, 20, &Changes::default()).await;
    let transaction = store.begin(&tenant()).await.expect("a turn");
    assert_eq!(transaction.not_before(), time(20));
    let refused = transaction.commit(time(19), &Changes::default()).await;
    assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
    assert_eq!(put_at(store, 20, &Changes::default()).await, Sequence(2));
}

pub(crate) async fn a_profile_is_read_as_it_was_after_each_write(store: &dyn Store) {
    let (one, two) = (key("1"), key("2"));
    // 1: two profiles. 2: one record says something else. 3: they become one. 4: they part again.
    // 5: one is gone.
    let mut first = profile(id(1), std::slice::from_ref(&one));
    first.records.push(record(&two, Some(id(2)), "2"));
    first.profiles.push(live(id(2), 1));
    let merged = ProfileRow {
        state: ProfileState::MergedInto(id(1)),
        ..live(id(2), 2)
    };
    let deleted = ProfileRow {
        state: ProfileState::Deleted,
        ..live(id(2), 4)
    };
    let of = |records, profiles| Changes {
        records,
        profiles,
        ..Changes::default()
    };
    let writes = [
        first,
        of(vec![record(&one, Some(id(1)), "new")], vec![live(id(1), 2)]),
        of(
            vec![record(&two, Some(id(1)), "2")],
            vec![live(id(1), 3), merged],
        ),
        of(
            vec![record(&two, Some(id(2)), "2")],
            vec![live(id(1), 4), live(id(2), 3)],
        ),
        of(vec![record(&two, None, "2")], vec![deleted]),
    ];
    for changes in &writes {
        put(store, changes).await;
    }
    let is = |id, revision, names: &[&str]| {
        Some((
            id,
            revision,
            names.iter().map(|&name| name.to_owned()).collect(),
        ))
    };
    let (a, b) = (id(1), id(2));
    let expected = [
        (0, None, None),
        (1, is(a, 1, &["1"]), is(b, 1, &["2"])),
        (2, is(a, 2, &["new"]), is(b, 1, &["2"])),
        (3, is(a, 3, &["new", "2"]), is(a, 3, &["new", "2"])),
        (4, is(a, 4, &["new"]), is(b, 3, &["2"])),
        (5, is(a, 4, &["new"]), None),
        (9, is(a, 4, &["new"]), None),
    ];
    for (write, of_a, of_b) in expected {
        assert_eq!(
            (after(store, a, write).await, after(store, b, write).await),
            (of_a, of_b),
            "after {write}"
        );
    }
    let homes = [None, Some(b), Some(b), Some(a), Some(b), None];
    for (write, expected) in (0..).zip(homes) {
        assert_eq!(home(store, &two, write).await, expected, "after {write}");
    }
    assert_eq!(
        store
            .profile_after(&TenantId::new("other").expect("a name"), a, Sequence(3))
            .await
            .expect("a read"),
        None
    );
}

pub(crate) async fn an_identifier_leads_where_it_led_after_each_write(store: &dyn Store) {
    let (one, two) = (key("1"), key("2"));
    let held = |value: &str, key: &RecordKey| (email(value), key.clone());
    // 1: both hold it. 2: one lets it go. 3: and takes it again. 4: the other one's profile is
    // another.
    let mut first = profile(id(1), std::slice::from_ref(&one));
    first.records.push(record(&two, Some(id(2)), "2"));
    first.profiles.push(live(id(2), 1));
    first.added_identifiers = vec![held("a@x", &one), held("a@x", &two), held("b@x", &two)];
    let writes = [
        first,
        Changes {
            removed_identifiers: vec![held("a@x", &one)],
            ..Changes::default()
        },
        Changes {
            added_identifiers: vec![held("a@x", &one)],
            ..Changes::default()
        },
        Changes {
            records: vec![record(&two, Some(id(3)), "2")],
            profiles: vec![live(id(3), 1)],
            ..Changes::default()
        },
        Changes {
            removed_identifiers: vec![held("a@x", &one), held("b@x", &two)],
            ..Changes::default()
        },
    ];
    for changes in &writes {
        put(store, changes).await;
    }
    let [a, b, c] = [id(1), id(2), id(3)];
    let expected = [vec![], vec![a, b], vec![b], vec![a, b], vec![a, c], vec![c]];
    for (write, expected) in (0..).zip(expected) {
        assert_eq!(
            holders(store, "a@x", write).await,
            expected,
            "after {write}"
        );
    }
    assert_eq!(holders(store, "b@x", 3).await, [b]);
    assert_eq!(holders(store, "b@x", 5).await, []);
    let one_only = store
        .find_by_identifier_after(&tenant(), &email("a@x"), Sequence(3), 1)
        .await
        .expect("a read");
    assert_eq!(one_only, [a], "at most the limit, least first");
}
