//! Turns, commits, and what becomes of writes that do not end well.

use std::time::Duration;

use customer_profile::store::{Changes, Error, Store};
use futures::FutureExt;
use futures::future::join_all;
use profile_core::records::{Identifier, RecordKey};

use super::build::*;

pub(crate) async fn numbers_follow_each_other_without_gaps(store: &dyn Store) {
    for number in 1..=3 {
        assert_eq!(put(store, &Changes::default()).await.0, number);
    }
    let other = profile_core::records::TenantId::new("other").expect("a name");
    assert_eq!(
        write(store, &other, &Changes::default())
            .await
            .expect("a write")
            .0,
        1
    );
    drop(store.begin(&tenant()).await.expect("a turn"));
    assert_eq!(put(store, &Changes::default()).await.0, 4);
}

pub(crate) async fn concurrent_writers_take_turns_and_see_each_other(store: &dyn Store) {
    let writer = |_| async {
        let mut numbers = Vec::new();
        for _ in 0..5 {
            let (tenant, counter) = (tenant(), id(7));
            let mut transaction = store.begin(&tenant).await.expect("a turn");
            let rows = transaction
                .reads()
                .profile_rows(&[counter])
                .await
                .expect("a load");
            let revision = rows.first().map_or(0, |row| row.revision) + 1;
            let number = transaction.sequence().0;
            assert_eq!(revision, number, "a writer did not see the one before");
            let changes = Changes {
                profiles: vec![live(counter, revision)],
                ..Changes::default()
            };
            transaction
                .commit(time(9), &changes)
                .await
                .expect("a commit");
            numbers.push(number);
        }
        numbers
    };
    let mut numbers = join_all((0..8).map(writer)).await.concat();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=40).collect::<Vec<i64>>());
    assert_eq!(sequence(store).await, 40);
}

pub(crate) async fn a_dropped_transaction_leaves_nothing(store: &dyn Store) {
    let tenant = tenant();
    let mut transaction = store.begin(&tenant).await.expect("a turn");
    transaction
        .reads()
        .records(&[key("1")])
        .await
        .expect("a load");
    drop(transaction);
    assert_eq!(sequence(store).await, 0);
    assert_eq!(put(store, &Changes::default()).await.0, 1);
}

pub(crate) async fn a_begin_whose_wait_is_dropped_gives_the_turn_back(store: &dyn Store) {
    let tenant = tenant();
    let first = store.begin(&tenant).await.expect("a turn");
    let wait = tokio::time::timeout(Duration::from_millis(30), store.begin(&tenant)).await;
    assert!(wait.is_err(), "two transactions had the turn at once");
    drop(first);
    assert_eq!(put(store, &Changes::default()).await.0, 1);
}

pub(crate) async fn a_commit_whose_wait_is_dropped_is_whole(store: &dyn Store) {
    let transaction = store.begin(&tenant()).await.expect("a turn");
    let changes = profile(id(1), &[key("1")]);
    // Polled once, then dropped.
    let _ = transaction.commit(time(9), &changes).now_or_never();
    assert_eq!(put(store, &Changes::default()).await.0, 2);
    let found = store.profiles(&tenant(), &[id(1)]).await.expect("a read");
    assert!(found.value[0].is_some(), "the commit was cut");
}

pub(crate) async fn nothing_is_seen_before_the_commit(store: &dyn Store) {
    put(store, &profile(id(1), &[key("1")])).await;
    let open = store.begin(&tenant()).await.expect("a turn");
    let seen = store.profiles(&tenant(), &[id(1)]).await.expect("a read");
    assert_eq!((seen.sequence.0, open.sequence().0), (1, 2));
    open.commit(
        time(9),
        &Changes {
            profiles: vec![live(id(1), 2)],
            ..Changes::default()
        },
    )
    .await
    .expect("a commit");
    let seen = store.profiles(&tenant(), &[id(1)]).await.expect("a read");
    assert_eq!(
        (
            seen.sequence.0,
            seen.value[0].as_ref().map(|profile| profile.revision)
        ),
        (2, Some(2))
    );
}

pub(crate) async fn what_is_stored_already_is_refused_and_leaves_nothing(store: &dyn Store) {
    let (shop, sequence_1) = (key("1"), profile_core::records::Sequence(1));
    let appended = [
        events(vec![event(&shop, "e", 1)]),
        Changes {
            statements: vec![statement(&shop, 1, sequence_1, 0)],
            ..Changes::default()
        },
        Changes {
            memberships: vec![membership(&shop, sequence_1, None)],
            ..Changes::default()
        },
        Changes {
            added_records: vec![record(&key("2"), None, "x")],
            ..Changes::default()
        },
        Changes {
            added_profiles: vec![live(id(99), 1)],
            ..Changes::default()
        },
        Changes {
            added_identifiers: vec![(email("a@x"), shop.clone())],
            ..Changes::default()
        },
        Changes {
            added_terms: vec![term("ann", "name", &shop)],
            ..Changes::default()
        },
    ];
    for (index, changes) in appended.into_iter().enumerate() {
        put(store, &changes).await;
        let new = id(u128::try_from(index + 1).expect("small"));
        let again = Changes {
            records: vec![record(&shop, Some(new), "new")],
            profiles: vec![live(new, 1)],
            ..changes
        };
        let refused = write(store, &tenant(), &again).await;
        assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
        let read = store.profiles(&tenant(), &[new]).await.expect("a read");
        assert_eq!(
            (read.sequence.0, &read.value[0]),
            (i64::try_from(index + 1).expect("small"), &None)
        );
    }
}

pub(crate) async fn text_with_nul_is_refused_and_leaves_nothing(store: &dyn Store) {
    let bad = RecordKey::new("shop", "a\0b");
    let bad_identifier = (Identifier::new("email", "a\0"), key("1"));
    let of_each_set = [
        Changes {
            records: vec![record(&bad, Some(id(1)), "x")],
            ..Changes::default()
        },
        Changes {
            added_identifiers: vec![bad_identifier.clone()],
            ..Changes::default()
        },
        Changes {
            removed_identifiers: vec![bad_identifier],
            ..Changes::default()
        },
        Changes {
            added_terms: vec![term("a\0", "name", &key("1"))],
            ..Changes::default()
        },
        events(vec![event(&key("1"), "\0", 1)]),
    ];
    for mut changes in of_each_set {
        changes.profiles.push(live(id(1), 1));
        changes.records.push(record(&key("1"), Some(id(1)), "fine"));
        let refused = write(store, &tenant(), &changes).await;
        assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    }
    let read = store.profiles(&tenant(), &[id(1)]).await.expect("a read");
    assert_eq!((read.sequence.0, &read.value[0]), (0, &None));
}

pub(crate) async fn what_is_written_again_is_replaced(store: &dyn Store) {
    let (shop, held) = (key("1"), (email("a@x"), key("1")));
    let mut changes = profile(id(1), std::slice::from_ref(&shop));
    changes.added_identifiers = vec![held];
    changes.added_terms = vec![term("ann", "name", &shop)];
    put(store, &changes).await;

    let moved = Changes {
        records: vec![record(&shop, Some(id(2)), "new")],
        profiles: vec![live(id(2), 1)],
        added_identifiers: vec![(email("b@x"), shop.clone())],
        removed_terms: vec![term("ann", "name", &shop)],
        added_terms: vec![term("bea", "name", &shop)],
        ..Changes::default()
    };
    put(store, &moved).await;

    let read = store
        .profiles(&tenant(), &[id(1), id(2)])
        .await
        .expect("a read")
        .value;
    assert_eq!(read[0], None, "a profile without records");
    assert_eq!(
        read[1].as_ref().expect("a profile").records,
        [record(&shop, Some(id(2)), "new")]
    );
    let found = store
        .find_by_identifiers(&tenant(), &[email("a@x"), email("b@x")], 9)
        .await
        .expect("a read")
        .value;
    assert_eq!(found, [[id(2)], [id(2)]]);
    for (prefix, hits) in [("ann", 0), ("bea", 1)] {
        let found = store
            .find_by_terms(&tenant(), &beginning(&[prefix], None, 9))
            .await
            .expect("a read");
        assert_eq!(found.len(), hits, "{prefix}");
    }
}

pub(crate) async fn a_large_write_is_one_write(store: &dyn Store) {
    // With more values than a statement may have parameters.
    let keys: Vec<RecordKey> = (0..20_000)
        .map(|number| key(&format!("{number:05}")))
        .collect();
    let mut changes = profile(id(1), &keys);
    changes.added_identifiers = keys
        .iter()
        .map(|key| (email(&key.key), key.clone()))
        .collect();
    put(store, &changes).await;
    let mut transaction = store.begin(&tenant()).await.expect("a turn");
    assert_eq!(
        transaction
            .reads()
            .records(&keys)
            .await
            .expect("a load")
            .len(),
        keys.len()
    );
    drop(transaction);
    let read = store
        .profiles(&tenant(), &[id(1)])
        .await
        .expect("a read")
        .value;
    assert_eq!(
        read[0].as_ref().expect("a profile").records.len(),
        keys.len()
    );
}

pub(crate) async fn what_is_written_ahead_is_seen_with_the_commit_or_never(store: &dyn Store) {
    let (first, second) = (profile(id(1), &[key("1")]), profile(id(2), &[key("2")]));
    let mut transaction = store.begin(&tenant()).await.expect("a turn");
    transaction.write(&first).await.expect("a part");
    let seen = store.profiles(&tenant(), &[id(1)]).await.expect("a read");
    assert_eq!((seen.sequence.0, &seen.value[0]), (0, &None));
    drop(transaction);

    let mut transaction = store.begin(&tenant()).await.expect("a turn");
    for piece in first.pieces(1) {
        transaction.write(&piece).await.expect("a part");
    }
    transaction
        .commit(time(1), &second)
        .await
        .expect("a commit");
    let seen = store
        .profiles(&tenant(), &[id(1), id(2)])
        .await
        .expect("a read");
    assert_eq!(
        (
            seen.sequence.0,
            seen.value[0].is_some(),
            seen.value[1].is_some()
        ),
        (1, true, true)
    );
}
