//! Profiles, who holds what, and history.

use profile_core::records::{
    ContentHash, Draft, DraftRecord, Identifier, RecordKey, Sequence, Value, VersionStamp,
};

use customer_profile::store::{Changes, ProfileRow, ProfileState, StatementKey, Store};

use super::build::*;

pub(crate) async fn profiles_come_in_the_order_asked_for_and_follow_redirects(store: &dyn Store) {
    let keys = [
        RecordKey::new("shop", "b"),
        RecordKey::new("crm", "z"),
        RecordKey::new("shop", "B"),
    ];
    let mut changes = profile(id(1), &keys);
    changes
        .records
        .push(record(&key("other"), Some(id(4)), "other"));
    changes.profiles.extend([
        ProfileRow {
            state: ProfileState::MergedInto(id(1)),
            ..live(id(2), 8)
        },
        ProfileRow {
            state: ProfileState::Deleted,
            ..live(id(3), 9)
        },
        live(id(4), 7),
    ]);
    put(store, &changes).await;

    let asked = [id(4), id(2), id(3), id(99), id(1), id(4)];
    let read = store.profiles(&tenant(), &asked).await.expect("a read");
    assert_eq!(read.sequence.0, 1);
    let shown: Vec<Option<(_, i64, Vec<String>)>> = read
        .value
        .into_iter()
        .map(|profile| {
            let profile = profile?;
            assert_eq!(profile.update_time, time(profile.revision));
            let keys = profile
                .records
                .iter()
                .map(|record| format!("{}/{}", record.key.source, record.key.key));
            Some((profile.id, profile.revision, keys.collect()))
        })
        .collect();
    let other = Some((id(4), 7, vec!["shop/other".to_owned()]));
    let merged = Some((
        id(1),
        1,
        ["crm/z", "shop/B", "shop/b"].map(str::to_owned).to_vec(),
    ));
    assert_eq!(
        shown,
        [other.clone(), merged.clone(), None, None, merged, other]
    );
}

pub(crate) async fn a_read_that_finds_nothing_tells_the_sequence(store: &dyn Store) {
    put(store, &Changes::default()).await;
    let tenant = tenant();
    let profiles = store.profiles(&tenant, &[id(1)]).await.expect("a read");
    let identifiers = store
        .find_by_identifiers(&tenant, &[email("a@x")], 9)
        .await
        .expect("a read");
    let records = store
        .find_by_records(&tenant, &[key("1")])
        .await
        .expect("a read");
    assert_eq!((profiles.sequence.0, &profiles.value[..]), (1, &[None][..]));
    assert_eq!(
        (identifiers.sequence.0, &identifiers.value[..]),
        (1, &[vec![]][..])
    );
    assert_eq!((records.sequence.0, &records.value[..]), (1, &[None][..]));
}

pub(crate) async fn identifiers_find_live_profiles_in_order_up_to_the_limit(store: &dyn Store) {
    let mut changes = Changes::default();
    for number in [3, 1, 2] {
        for copy in ["a", "b"] {
            let key = key(&format!("{number}{copy}"));
            changes.records.push(record(&key, Some(id(number)), "x"));
            changes.added_identifiers.push((email("shared@x"), key));
        }
        changes.profiles.push(live(id(number), 1));
    }
    // A record that is gone holds nothing for anybody.
    changes.records.push(record(&key("gone"), None, "x"));
    changes
        .added_identifiers
        .push((email("gone@x"), key("gone")));
    // The same value of another type is another identifier.
    changes
        .added_identifiers
        .push((Identifier::new("phone", "other@x"), key("1a")));
    put(store, &changes).await;

    let asked = [
        email("shared@x"),
        email("gone@x"),
        email("other@x"),
        email("shared@x"),
    ];
    let found = store
        .find_by_identifiers(&tenant(), &asked, 9)
        .await
        .expect("a read");
    let all = vec![id(1), id(2), id(3)];
    assert_eq!(found.value, [all.clone(), vec![], vec![], all]);
    let found = store
        .find_by_identifiers(&tenant(), &asked[..1], 2)
        .await
        .expect("a read");
    assert_eq!(
        (found.sequence.0, found.value),
        (1, vec![vec![id(1), id(2)]])
    );
}

pub(crate) async fn records_find_their_profile(store: &dyn Store) {
    let mut changes = profile(id(1), &[key("1")]);
    changes.records.push(record(&key("gone"), None, "x"));
    put(store, &changes).await;
    let asked = [key("gone"), key("1"), RecordKey::new("crm", "1"), key("1")];
    let found = store
        .find_by_records(&tenant(), &asked)
        .await
        .expect("a read");
    assert_eq!(
        (found.sequence.0, found.value),
        (1, vec![None, Some(id(1)), None, Some(id(1))])
    );
}

pub(crate) async fn statements_are_listed_in_the_order_stored(store: &dyn Store) {
    let (one, other) = (key("1"), key("2"));
    let first = [
        statement(&one, 9, Sequence(1), 0),
        statement(&other, 1, Sequence(1), 1),
        statement(&one, 3, Sequence(1), 2),
    ];
    let second = [statement(&one, 5, Sequence(2), 0)];
    put(
        store,
        &Changes {
            statements: first.to_vec(),
            ..Changes::default()
        },
    )
    .await;
    put(
        store,
        &Changes {
            statements: second.to_vec(),
            ..Changes::default()
        },
    )
    .await;
    let listed = store
        .list_statements(&tenant(), &one)
        .await
        .expect("a read");
    assert_eq!(
        listed,
        [first[0].clone(), first[2].clone(), second[0].clone()]
    );
    assert_eq!(
        store
            .list_statements(&tenant(), &key("3"))
            .await
            .expect("a read"),
        []
    );
}

pub(crate) async fn memberships_are_listed_in_order(store: &dyn Store) {
    let of = |sequence, profile| membership(&key("1"), Sequence(sequence), profile);
    let changes = [of(1, Some(id(1))), of(2, Some(id(2))), of(3, None)];
    for change in &changes {
        let other = membership(&key("2"), change.sequence, Some(id(9)));
        put(
            store,
            &Changes {
                memberships: vec![change.clone(), other],
                ..Changes::default()
            },
        )
        .await;
    }
    assert_eq!(
        store
            .list_memberships(&tenant(), &key("1"))
            .await
            .expect("a read"),
        changes
    );
}

pub(crate) async fn extreme_values_come_back_as_they_were(store: &dyn Store) {
    let odd = RecordKey::new(
        "shop",
        "'; DROP TABLE record; -- \"%_\\ \u{1f600}\u{ffff}\n\t",
    );
    let mut draft = DraftRecord::new(odd.clone());
    draft.traits.insert(
        "price".to_owned(),
        Value::Decimal("0.10".parse().expect("a number")),
    );
    draft.traits.insert("nul".to_owned(), Value::from("a\0b"));
    for (ordinal, (number, content)) in (0..).zip([(i64::MIN, 0), (i64::MAX, u128::MAX)]) {
        let stamp = VersionStamp {
            version: number,
            time: time(number),
            content: ContentHash(content),
        };
        let said = customer_profile::store::StoredStatement {
            key: StatementKey {
                record: odd.clone(),
                stamp,
            },
            sequence: Sequence(i64::from(ordinal) + 1),
            ordinal,
            receive_time: time(number),
            draft: Draft::Upsert(draft.clone()),
        };
        put(
            store,
            &Changes {
                statements: vec![said.clone()],
                ..Changes::default()
            },
        )
        .await;
        assert_eq!(
            store
                .list_statements(&tenant(), &odd)
                .await
                .expect("a read")
                .last(),
            Some(&said)
        );
        let known = store
            .begin(&tenant())
            .await
            .expect("a turn")
            .reads()
            .known_statements(std::slice::from_ref(&said.key))
            .await;
        assert_eq!(known.expect("a load"), [said.key]);
    }
    let profile_of_all_ones = id(u128::MAX);
    put(
        store,
        &profile(profile_of_all_ones, std::slice::from_ref(&odd)),
    )
    .await;
    let found = store
        .find_by_records(&tenant(), &[odd])
        .await
        .expect("a read");
    assert_eq!(found.value, [Some(profile_of_all_ones)]);
}

pub(crate) async fn the_id_stays_the_same(store: &dyn Store) {
    store.check().await.expect("all is well");
    let id = store.id().await.expect("an id");
    assert!(!id.is_nil());
    assert_eq!(store.id().await.expect("an id"), id);
}
