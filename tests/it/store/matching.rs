//! What is kept for identity: match keys, pairs, decisions, requests, merges and splits; and
//! snapshots.

use profile_core::identity::{BlockingKey, Decision, DecisionKind, MatchDecision};
use profile_core::records::{ContentHash, RecordKey, Sequence};

use customer_profile::store::{
    Cause, Changes, Error, IdentityChange, IdentityChangeKind, IdentityChangePage, MatchPair,
    QueuePage, Store, StoredDecision, StoredRequest,
};

use super::build::*;

fn pair(left: &str, right: &str, millibits: i32, queued: bool) -> MatchPair {
    MatchPair {
        left: key(left),
        right: key(right),
        verdict: MatchDecision::Review,
        millibits,
        queued,
    }
}

fn decision(number: i64, left: &str, right: &str) -> StoredDecision {
    let (left, right) = (vec![key(left)], vec![key(right)]);
    let decision = Decision {
        id: format!("d-{number}"),
        kind: DecisionKind::MustLink,
        left,
        right,
        time: time(number),
    };
    let sequence = Sequence(number);
    StoredDecision {
        decision,
        actor: "ann".to_owned(),
        note: "called".to_owned(),
        sequence,
        withdrawn: false,
    }
}

fn change(sequence: Sequence, ordinal: i32, from: u128, into: u128) -> IdentityChange {
    IdentityChange {
        sequence,
        ordinal,
        kind: IdentityChangeKind::Merge,
        from: id(from),
        into: id(into),
        time: time(7),
        moved: vec![(key("1"), "shared:email".to_owned())],
        moved_count: 1,
        cause: Cause::Statements(vec![key("1")]),
    }
}

pub(crate) async fn records_under_a_match_key_are_one_more_than_the_limit_least_first(
    store: &dyn Store,
) {
    let under = |number: i64, records: &[&str]| {
        records
            .iter()
            .map(|record| (BlockingKey(number), key(record)))
            .collect::<Vec<_>>()
    };
    let added_keys = [under(i64::MIN, &["b", "a", "c"]), under(7, &["a"])].concat();
    put(
        store,
        &Changes {
            added_keys: added_keys.clone(),
            ..Changes::default()
        },
    )
    .await;
    let mut turn = store.begin(&tenant()).await.expect("a turn");
    let asked = [
        BlockingKey(7),
        BlockingKey(i64::MIN),
        BlockingKey(9),
        BlockingKey(7),
    ];
    let mut found = turn.reads().keyed(&asked, 1).await.expect("a load");
    found.sort();
    assert_eq!(
        found,
        [under(i64::MIN, &["a", "b"]), under(7, &["a"])].concat()
    );
    turn.commit(
        time(9),
        &Changes {
            removed_keys: under(i64::MIN, &["a", "c"]),
            ..Changes::default()
        },
    )
    .await
    .expect("a commit");
    let mut snapshot = store.snapshot(&tenant()).await.expect("a snapshot");
    assert_eq!(
        snapshot
            .keyed(&[BlockingKey(i64::MIN)], 9)
            .await
            .expect("a load"),
        under(i64::MIN, &["b"])
    );
    let again = store.begin(&tenant()).await.expect("a turn");
    let refused = again
        .commit(
            time(9),
            &Changes {
                added_keys: under(7, &["a"]),
                ..Changes::default()
            },
        )
        .await;
    assert!(matches!(refused, Err(Error::Refused(_))));
}

pub(crate) async fn pairs_are_found_from_both_ends_once_each(store: &dyn Store) {
    let pairs = vec![
        pair("a", "b", 5_000, true),
        pair("b", "c", -3, false),
        pair("c", "d", 9_000, false),
    ];
    put(
        store,
        &Changes {
            pairs: pairs.clone(),
            ..Changes::default()
        },
    )
    .await;
    let mut snapshot = store.snapshot(&tenant()).await.expect("a snapshot");
    for (asked, found) in [
        (vec!["b"], &pairs[..2]),
        (vec!["a", "b"], &pairs[..2]),
        (vec!["d"], &pairs[2..]),
    ] {
        let asked: Vec<RecordKey> = asked.into_iter().map(key).collect();
        let mut answer = snapshot.pairs(&asked).await.expect("a load");
        answer.sort();
        assert_eq!(answer, found);
    }
    drop(snapshot);
    let replaced = MatchPair {
        verdict: MatchDecision::Link,
        queued: false,
        ..pair("a", "b", 6_000, false)
    };
    let changes = Changes {
        pairs: vec![replaced.clone()],
        removed_pairs: vec![pairs[1].clone()],
        ..Changes::default()
    };
    put(store, &changes).await;
    let mut snapshot = store.snapshot(&tenant()).await.expect("a snapshot");
    assert_eq!(
        snapshot.pairs(&[key("b")]).await.expect("a load"),
        [replaced]
    );
}

pub(crate) async fn the_queue_is_paged_strongest_first(store: &dyn Store) {
    let mut pairs: Vec<MatchPair> = (0..30)
        .map(|number| {
            pair(
                &format!("l{number:02}"),
                "x",
                1_000 * (number % 5),
                number % 3 != 0,
            )
        })
        .collect();
    put(
        store,
        &Changes {
            pairs: pairs.clone(),
            ..Changes::default()
        },
    )
    .await;
    pairs.retain(|pair| pair.queued && (1_000..4_000).contains(&pair.millibits));
    pairs.sort_by_key(|pair| (std::cmp::Reverse(pair.millibits), pair.left.clone()));
    let mut page = QueuePage {
        min_millibits: Some(1_000),
        max_millibits: Some(4_000),
        limit: 4,
        ..QueuePage::default()
    };
    let mut listed = Vec::new();
    loop {
        let found = store.list_queue(&tenant(), &page).await.expect("a page");
        let Some(last) = found.last() else { break };
        page.after = Some((last.millibits, last.left.clone(), last.right.clone()));
        listed.extend(found);
    }
    assert_eq!(listed, pairs);
}

pub(crate) async fn decisions_are_in_force_until_withdrawn(store: &dyn Store) {
    let (one, two) = (decision(1, "a", "b"), decision(2, "b", "c"));
    put(
        store,
        &Changes {
            added_decisions: vec![one.clone()],
            ..Changes::default()
        },
    )
    .await;
    put(
        store,
        &Changes {
            added_decisions: vec![two.clone()],
            ..Changes::default()
        },
    )
    .await;
    let withdrawn = StoredDecision {
        withdrawn: true,
        ..one.clone()
    };
    let about = async |record: &str| {
        let mut snapshot = store.snapshot(&tenant()).await.expect("a snapshot");
        snapshot
            .decisions_about(&[key(record), key("z")])
            .await
            .expect("a load")
    };
    assert_eq!(
        (about("a").await, about("c").await),
        (vec![one.clone()], vec![two.clone()])
    );
    put(
        store,
        &Changes {
            withdrawn_decisions: vec![withdrawn.clone()],
            ..Changes::default()
        },
    )
    .await;
    assert_eq!(
        (about("a").await, about("b").await),
        (vec![], vec![two.clone()])
    );
    let mut snapshot = store.snapshot(&tenant()).await.expect("a snapshot");
    assert_eq!(
        snapshot.decisions().await.expect("a load"),
        std::slice::from_ref(&two)
    );
    assert_eq!(
        snapshot.decision(&one.decision.id).await.expect("a load"),
        Some(withdrawn.clone())
    );
    assert_eq!(snapshot.decision("d-9").await.expect("a load"), None);
    assert_eq!(
        store
            .list_decisions(&tenant(), None, 9)
            .await
            .expect("a list"),
        [two, withdrawn]
    );
}

pub(crate) async fn decisions_are_paged_newest_first_also_within_a_write(store: &dyn Store) {
    let of_write = |write: i64, numbers: &[i64]| -> Vec<StoredDecision> {
        let one = |number: &i64| StoredDecision {
            sequence: Sequence(write),
            ..decision(*number, "a", "b")
        };
        numbers.iter().map(one).collect()
    };
    let writes = [
        of_write(1, &[7]),
        of_write(2, &[3, 1, 5]),
        of_write(3, &[2]),
    ];
    for write in &writes {
        put(
            store,
            &Changes {
                added_decisions: write.clone(),
                ..Changes::default()
            },
        )
        .await;
    }
    let (mut after, mut listed) = (None, Vec::new());
    while let Some(found) = store
        .list_decisions(&tenant(), after.clone(), 1)
        .await
        .expect("a page")
        .pop()
    {
        after = Some((found.sequence, found.decision.id.clone()));
        listed.push((found.sequence.0, found.decision.id));
    }
    let expected = [(3, 2), (2, 5), (2, 3), (2, 1), (1, 7)];
    assert_eq!(
        listed,
        expected.map(|(write, number): (i64, i64)| (write, decision(number, "a", "b").decision.id))
    );
}

pub(crate) async fn a_request_is_remembered_once(store: &dyn Store) {
    let request = StoredRequest {
        request_id: "r-1".to_owned(),
        content: ContentHash(u128::MAX),
        sequence: Sequence(1),
        answer: "{}".to_owned(),
    };
    let changes = Changes {
        requests: vec![request.clone()],
        ..Changes::default()
    };
    put(store, &changes).await;
    let mut snapshot = store.snapshot(&tenant()).await.expect("a snapshot");
    assert_eq!(
        snapshot.request("r-1").await.expect("a load"),
        Some(request)
    );
    assert_eq!(snapshot.request("r-2").await.expect("a load"), None);
    drop(snapshot);
    assert!(matches!(
        write(store, &tenant(), &changes).await,
        Err(Error::Refused(_))
    ));
}

pub(crate) async fn merges_and_splits_are_listed_newest_first(store: &dyn Store) {
    let changes = [
        change(Sequence(1), 0, 1, 2),
        change(Sequence(2), 0, 3, 1),
        change(Sequence(2), 1, 4, 5),
        change(Sequence(3), 0, 5, 6),
    ];
    for sequence in 1..=3 {
        let of_write = changes
            .iter()
            .filter(|change| change.sequence == Sequence(sequence))
            .cloned()
            .collect();
        put(
            store,
            &Changes {
                identity_changes: of_write,
                ..Changes::default()
            },
        )
        .await;
    }
    let list = async |profile: Option<u128>, before, limit| {
        let page = IdentityChangePage {
            profile: profile.map(id),
            before,
            limit,
        };
        store
            .list_identity_changes(&tenant(), &page)
            .await
            .expect("a page")
    };
    let at = |places: &[usize]| {
        places
            .iter()
            .map(|&place| changes[place].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(list(None, None, 9).await, at(&[3, 2, 1, 0]));
    assert_eq!(list(None, Some((Sequence(2), 1)), 1).await, at(&[1]));
    assert_eq!(list(Some(1), None, 9).await, at(&[1, 0]));
    assert_eq!(list(Some(5), Some((Sequence(3), 0)), 9).await, at(&[2]));
}

pub(crate) async fn a_snapshot_stays_as_it_was(store: &dyn Store) {
    put(store, &profile(id(1), &[key("1"), key("2")])).await;
    let mut snapshot = store.snapshot(&tenant()).await.expect("a snapshot");
    let first = snapshot.scan_records(None, 9).await.expect("a load");
    put(store, &profile(id(2), &[key("2"), key("3")])).await;
    assert_eq!(snapshot.scan_records(None, 9).await.expect("a load"), first);
    assert_eq!(snapshot.members(&[id(1)]).await.expect("a load").len(), 2);
    drop(snapshot);
    let mut snapshot = store.snapshot(&tenant()).await.expect("a snapshot");
    let keys = |records: Vec<profile_core::records::Record>| {
        let mut keys: Vec<String> = records.into_iter().map(|record| record.key.key).collect();
        keys.sort();
        keys
    };
    assert_eq!(
        keys(
            snapshot
                .scan_records(Some(&key("1")), 1)
                .await
                .expect("a load")
        ),
        ["2"]
    );
    assert_eq!(
        keys(
            snapshot
                .scan_records(Some(&key("1")), 9)
                .await
                .expect("a load")
        ),
        ["2", "3"]
    );
    assert_eq!(
        keys(snapshot.members(&[id(2), id(9)]).await.expect("a load")),
        ["2", "3"]
    );
}
