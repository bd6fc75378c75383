//! What a transaction loads.

use profile_core::records::{ContentHash, EventKey, RecordKey, Sequence};

use customer_profile::store::{Changes, ProfileRow, ProfileState, StatementKey, Store};

use super::build::*;

pub(crate) async fn records_are_loaded_by_key(store: &dyn Store) {
    let (one, two) = (key("1"), RecordKey::new("crm", "1"));
    let gone = record(&two, None, "gone");
    let mut changes = profile(id(1), std::slice::from_ref(&one));
    changes.records.push(gone.clone());
    put(store, &changes).await;

    let mut transaction = store.begin(&tenant()).await.expect("a turn");
    let asked = [one.clone(), two, key("unknown"), one.clone()];
    let mut records = transaction.reads().records(&asked).await.expect("a load");
    records.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(records, [gone, record(&one, Some(id(1)), "1")]);
    assert_eq!(transaction.reads().records(&[]).await.expect("a load"), []);
}

pub(crate) async fn holders_are_one_more_than_the_limit_least_keys_first(store: &dyn Store) {
    let keys: Vec<RecordKey> = ["d", "a", "c", "b"].map(key).to_vec();
    let mut changes = profile(id(1), &keys);
    changes.added_identifiers = keys
        .iter()
        .map(|key| (email("shared@x"), key.clone()))
        .collect();
    changes.added_identifiers.push((email("own@x"), key("a")));
    put(store, &changes).await;

    let mut transaction = store.begin(&tenant()).await.expect("a turn");
    let mut names = async |asked: &[_], limit| {
        let held = transaction
            .reads()
            .holders(asked, limit)
            .await
            .expect("a load");
        let mut names: Vec<_> = held
            .into_iter()
            .map(|(identifier, record)| format!("{} {}", identifier.value, record.key.key))
            .collect();
        names.sort();
        names
    };
    let all = [
        email("shared@x"),
        email("own@x"),
        email("nobody@x"),
        email("shared@x"),
    ];
    assert_eq!(
        names(&all, 2).await,
        ["own@x a", "shared@x a", "shared@x b", "shared@x c"]
    );
    assert_eq!(names(&all[..1], 9).await.len(), 4);
    assert_eq!(names(&all[..1], 0).await, ["shared@x a"]);
}

pub(crate) async fn known_statements_are_told_apart_by_every_part_of_their_name(store: &dyn Store) {
    let said = statement(&key("1"), 5, Sequence(1), 0);
    put(
        store,
        &Changes {
            statements: vec![said.clone()],
            ..Changes::default()
        },
    )
    .await;

    let known = said.key;
    let others = [
        StatementKey {
            record: key("2"),
            ..known.clone()
        },
        StatementKey {
            stamp: profile_core::records::VersionStamp {
                version: 6,
                ..known.stamp
            },
            ..known.clone()
        },
        StatementKey {
            stamp: profile_core::records::VersionStamp {
                time: time(6),
                ..known.stamp
            },
            ..known.clone()
        },
        StatementKey {
            stamp: profile_core::records::VersionStamp {
                content: ContentHash(1),
                ..known.stamp
            },
            ..known.clone()
        },
    ];
    let mut transaction = store.begin(&tenant()).await.expect("a turn");
    assert_eq!(
        transaction
            .reads()
            .known_statements(&others)
            .await
            .expect("a load"),
        []
    );
    let twice = [known.clone(), known.clone()];
    assert_eq!(
        transaction
            .reads()
            .known_statements(&twice)
            .await
            .expect("a load"),
        [known]
    );
}

pub(crate) async fn known_events_come_with_the_hash_of_their_content(store: &dyn Store) {
    let stored = event(&key("1"), "e", 1);
    put(store, &events(vec![stored.clone()])).await;
    let mut transaction = store.begin(&tenant()).await.expect("a turn");
    let other = EventKey {
        source: "crm".to_owned(),
        ..stored.key()
    };
    let known = transaction
        .reads()
        .known_events(&[stored.key(), other, stored.key()])
        .await
        .expect("a load");
    assert_eq!(known, [(stored.key(), stored.content)]);
}

pub(crate) async fn profile_rows_come_back_in_every_state(store: &dyn Store) {
    let states = [
        ProfileState::Live,
        ProfileState::MergedInto(id(1)),
        ProfileState::Deleted,
    ];
    let rows: Vec<ProfileRow> = (1..)
        .zip(states)
        .map(|(number, state)| ProfileRow {
            state,
            ..live(id(number), 3)
        })
        .collect();
    put(
        store,
        &Changes {
            profiles: rows.clone(),
            ..Changes::default()
        },
    )
    .await;
    let mut transaction = store.begin(&tenant()).await.expect("a turn");
    let mut found = transaction
        .reads()
        .profile_rows(&[id(3), id(9), id(2), id(1), id(1)])
        .await
        .expect("a load");
    found.sort_by_key(|row| row.id);
    assert_eq!(found, rows);
}

pub(crate) async fn statements_come_record_by_record_as_they_were_stored(store: &dyn Store) {
    let (one, two, other) = (key("1"), key("2"), key("3"));
    let later = statement(&one, 1, Sequence(2), 0);
    let said = vec![
        statement(&two, 1, Sequence(1), 0),
        statement(&one, 3, Sequence(1), 1),
        statement(&one, 2, Sequence(1), 2),
        statement(&other, 1, Sequence(1), 3),
    ];
    put(
        store,
        &Changes {
            statements: said.clone(),
            ..Changes::default()
        },
    )
    .await;
    put(
        store,
        &Changes {
            statements: vec![later.clone()],
            ..Changes::default()
        },
    )
    .await;
    let mut snapshot = store.snapshot(&tenant()).await.expect("a snapshot");
    let found = snapshot.statements(&[two, one]).await.expect("a load");
    assert_eq!(
        found,
        [said[1].clone(), said[2].clone(), later, said[0].clone()]
    );
}
