//! Erasures: the places that they reach, tombstones, receipts.

use customer_profile::store::{
    Cause, Changes, Committed, ErasedPlace, Erasure, IdentityChange, IdentityChangeKind,
    ProfileRow, ProfileState, Release, Store, StoredDecision, StoredErasure, StoredRequest,
    Tombstone, TombstoneKey, Transaction,
};
use profile_core::identity::{Decision, DecisionKind};
use profile_core::records::{ContentHash, ProfileId, Record, RecordKey, Sequence};

use super::build::*;

fn tombstone_key() -> TombstoneKey {
    TombstoneKey::from_bytes(&[7; TombstoneKey::BYTES]).expect("a key")
}

fn erasure(id: &str, records: &[RecordKey], profile: ProfileId) -> Erasure {
    Erasure {
        records: records.to_vec(),
        key: tombstone_key(),
        receipt: StoredErasure {
            id: id.to_owned(),
            sequence: Sequence(0),
            time: time(9),
            profile,
            actor: "a clerk".to_owned(),
            note: "case 7".to_owned(),
            places: Vec::new(),
            release: None,
        },
    }
}

/// The changes that leave records of a profile empty.
fn emptied(profile: ProfileId, keys: &[RecordKey]) -> Changes {
    let empty = |key: &RecordKey| Record::new(key.clone(), time(1));
    Changes {
        records: keys.iter().map(empty).collect(),
        profiles: vec![ProfileRow {
            state: ProfileState::Deleted,
            ..live(profile, 2)
        }],
        ..Changes::default()
    }
}

async fn begin_erasure(
    store: &dyn Store,
    erasure: &Erasure,
) -> (Box<dyn Transaction>, StoredErasure) {
    let mut tx = store.begin(&tenant()).await.expect("a turn");
    let changes = emptied(erasure.receipt.profile, &erasure.records);
    tx.write(&changes).await.expect("written");
    let receipt = tx.erase(erasure).await.expect("erased");
    (tx, receipt)
}

async fn erase(store: &dyn Store, erasure: &Erasure) -> StoredErasure {
    let (tx, receipt) = begin_erasure(store, erasure).await;
    let now = tx.not_before().max(time(tx.sequence().0));
    let committed = tx.commit(now, &Changes::default()).await;
    committed.expect("committed");
    receipt
}

fn count(receipt: &StoredErasure, place: ErasedPlace) -> u64 {
    let found = receipt.places.iter().find(|(it, _)| *it == place);
    found.map_or(0, |(_, count)| *count)
}

/// A customer of two records with all that hangs on them, and another one.
async fn customers(store: &dyn Store) {
    let mut changes = profile(id(1), &[key("a"), key("b")]);
    changes.statements = vec![
        statement(&key("a"), 1, Sequence(1), 0),
        statement(&key("b"), 1, Sequence(1), 1),
    ];
    changes.events = vec![event(&key("a"), "e1", 5), event(&key("b"), "e2", 6)];
    changes.memberships = vec![
        membership(&key("a"), Sequence(1), Some(id(1))),
        membership(&key("b"), Sequence(1), Some(id(1))),
    ];
    put(store, &changes).await;
    let mut other = profile(id(2), &[key("z")]);
    other.statements = vec![statement(&key("z"), 1, Sequence(2), 0)];
    other.events = vec![event(&key("z"), "e3", 7)];
    other.memberships = vec![membership(&key("z"), Sequence(2), Some(id(2)))];
    put(store, &other).await;
}

fn decided(decision_id: &str, left: &str, right: &[&str], withdrawn: bool) -> StoredDecision {
    StoredDecision {
        decision: Decision {
            id: decision_id.to_owned(),
            kind: DecisionKind::CannotLink,
            left: vec![key(left)],
            right: right.iter().map(|name| key(name)).collect(),
            time: time(3),
        },
        actor: "a clerk".to_owned(),
        note: "a is not z".to_owned(),
        sequence: Sequence(3),
        withdrawn,
    }
}

pub(crate) async fn an_erasure_reaches_everything_of_its_records(store: &dyn Store) {
    customers(store).await;
    let receipt = erase(store, &erasure("x", &[key("a"), key("b")], id(1))).await;
    for (place, wanted) in [
        (ErasedPlace::Records, 2),
        (ErasedPlace::Statements, 2),
        (ErasedPlace::Events, 2),
        (ErasedPlace::Memberships, 2),
    ] {
        assert_eq!(count(&receipt, place), wanted, "{place:?}");
    }
    let keys = [key("a"), key("b"), key("z")];
    let mut reads = store.snapshot(&tenant()).await.expect("a snapshot");
    let left = reads.records(&keys).await.expect("a read");
    assert_eq!(left.len(), 1, "{left:?}");
    for (name, kept) in [("a", 0), ("b", 0), ("z", 1)] {
        let statements = store.list_statements(&tenant(), &key(name)).await;
        assert_eq!(statements.expect("a read").len(), kept, "{name}");
        let memberships = store.list_memberships(&tenant(), &key(name)).await;
        assert_eq!(memberships.expect("a read").len(), kept, "{name}");
    }
    let known = ["e1", "e2", "e3"].map(|name| event(&key("a"), name, 1).key());
    let known = reads.known_events(&known).await.expect("a read");
    assert_eq!(known.len(), 1, "{known:?}");
    let then = store.profile_after(&tenant(), id(1), Sequence(2)).await;
    assert_eq!(then.expect("a read"), None, "as of before");
    let then = store.profile_after(&tenant(), id(2), Sequence(2)).await;
    assert!(then.expect("a read").is_some(), "the other, as of before");
}

pub(crate) async fn an_erasure_takes_its_records_out_of_decisions(store: &dyn Store) {
    customers(store).await;
    let answer = serde_json::to_string(&[key("a")]).expect("JSON");
    let request = |request_id: &str, answer: String| StoredRequest {
        request_id: request_id.to_owned(),
        content: ContentHash::of(&request_id),
        sequence: Sequence(3),
        answer,
    };
    let changes = Changes {
        added_decisions: vec![
            decided("gone", "a", &["z"], false),
            decided("kept", "z", &["a", "y"], false),
            decided("others", "y", &["z"], false),
        ],
        requests: vec![request("r1", answer), request("r2", "[]".to_owned())],
        ..Changes::default()
    };
    put(store, &changes).await;
    let withdrawn = StoredDecision {
        withdrawn: true,
        ..decided("gone", "a", &["z"], true)
    };
    let changes = Changes {
        withdrawn_decisions: vec![withdrawn],
        ..Changes::default()
    };
    put(store, &changes).await;
    let mut reads = store.snapshot(&tenant()).await.expect("a snapshot");
    let about = reads.decisions_about(&[key("a")]).await.expect("a read");
    assert_eq!(about.len(), 1, "withdrawn ones are not in force: {about:?}");
    drop(reads);

    let receipt = erase(store, &erasure("x", &[key("a"), key("b")], id(1))).await;
    assert_eq!(count(&receipt, ErasedPlace::Decisions), 3);
    let left = store.list_decisions(&tenant(), None, 10).await;
    let left = left.expect("a read");
    let ids: Vec<&str> = left.iter().map(|it| it.decision.id.as_str()).collect();
    assert_eq!(ids, ["others", "kept"]);
    assert_eq!(left[1].decision.right, [key("y")]);
    assert_eq!(left[1].note, "");
    assert_eq!(left[0].note, "a is not z");
    let mut reads = store.snapshot(&tenant()).await.expect("a snapshot");
    let about = reads.decisions_about(&[key("a")]).await.expect("a read");
    assert_eq!(about, []);
    assert_eq!(reads.request("r1").await.expect("a read"), None);
    assert!(reads.request("r2").await.expect("a read").is_some());
}

pub(crate) async fn an_erasure_takes_its_merges_with_it(store: &dyn Store) {
    customers(store).await;
    let change = |ordinal: i32, from: u128, into: u128, moved: &str| IdentityChange {
        sequence: Sequence(3),
        ordinal,
        kind: IdentityChangeKind::Split,
        from: id(from),
        into: id(into),
        time: time(3),
        moved: vec![(key(moved), "alone".to_owned())],
        moved_count: 1,
        cause: Cause::Statements(vec![key("a"), key("z")]),
    };
    let changes = Changes {
        statements: vec![statement(&key("a"), 3, Sequence(3), 0)],
        identity_changes: vec![
            change(0, 1, 2, "z"),
            change(1, 2, 3, "z"),
            change(2, 3, 4, "a"),
        ],
        ..Changes::default()
    };
    put(store, &changes).await;
    let receipt = erase(store, &erasure("x", &[key("a"), key("b")], id(1))).await;
    assert_eq!(count(&receipt, ErasedPlace::IdentityChanges), 2);
    let page = customer_profile::store::IdentityChangePage {
        limit: 10,
        ..Default::default()
    };
    let left = store.list_identity_changes(&tenant(), &page).await;
    let left = left.expect("a read");
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0].from, id(2));
    assert_eq!(left[0].cause, Cause::Statements(vec![key("z")]));
}

pub(crate) async fn tombstones_tell_the_erased_until_they_are_released(store: &dyn Store) {
    customers(store).await;
    let asked = ["a", "b", "z"].map(key);
    let asked = asked.map(|record| (tombstone_key().tombstone(&record), record));
    let erased = async |asked: &[(Tombstone, RecordKey)]| {
        let mut reads = store.snapshot(&tenant()).await.expect("a snapshot");
        let mut erased = reads.erased(asked).await.expect("a read");
        erased.sort();
        erased
    };
    let attempt = store.attempt(&tenant()).await.expect("an attempt");
    assert_eq!(attempt.turn().tombstone_key, None);
    assert_eq!(erased(&asked).await, []);
    erase(store, &erasure("x", &[key("a"), key("b")], id(1))).await;
    let attempt = store.attempt(&tenant()).await.expect("an attempt");
    assert_eq!(attempt.turn().tombstone_key, Some(tombstone_key()));
    let tx = store.begin(&tenant()).await.expect("a turn");
    assert_eq!(tx.tombstone_key(), Some(tombstone_key()));
    drop(tx);
    assert_eq!(erased(&asked).await, [key("a"), key("b")]);
    let release = |actor: &str| Release {
        time: time(10),
        actor: actor.to_owned(),
        note: String::new(),
    };
    for (id, actor) in [("unknown", "one"), ("x", "two"), ("x", "three")] {
        let released = store.release_erasure(&tenant(), id, &release(actor)).await;
        released.expect("no failure");
    }
    assert_eq!(erased(&asked).await, []);
    let receipt = store.erasure(&tenant(), "x").await.expect("a read");
    let by = receipt.and_then(|receipt| receipt.release);
    assert_eq!(by.map(|release| release.actor).as_deref(), Some("two"));
}

pub(crate) async fn an_attempt_is_overtaken_by_an_erasure(store: &dyn Store) {
    customers(store).await;
    let mut attempt = store.attempt(&tenant()).await.expect("an attempt");
    let asked = attempt.reads().records(&[key("a")]).await;
    assert_eq!(asked.expect("a read").len(), 1);
    erase(store, &erasure("x", &[key("a"), key("b")], id(1))).await;
    let changes = profile(id(1), &[key("a")]);
    let committed = attempt
        .commit(time(20), &changes)
        .await
        .expect("no failure");
    let Committed::NotNext(late) = committed else {
        panic!("an erased record was written");
    };
    assert!(late.follow().await.expect("a read").is_none());
}

pub(crate) async fn a_dropped_erasure_leaves_everything(store: &dyn Store) {
    customers(store).await;
    let (tx, receipt) = begin_erasure(store, &erasure("x", &[key("a"), key("b")], id(1))).await;
    assert_eq!(count(&receipt, ErasedPlace::Records), 2);
    drop(tx);
    let found = store
        .profiles(&tenant(), &[id(1)])
        .await
        .expect("a read")
        .value;
    let records = found[0].as_ref().map(|profile| profile.records.len());
    assert_eq!(records, Some(2));
    assert_eq!(store.erasure(&tenant(), "x").await.expect("a read"), None);
    let attempt = store.attempt(&tenant()).await.expect("an attempt");
    assert_eq!(attempt.turn().tombstone_key, None);
}

pub(crate) async fn receipts_are_listed_newest_first(store: &dyn Store) {
    customers(store).await;
    let first = erase(store, &erasure("one", &[key("a"), key("b")], id(1))).await;
    let second = erase(store, &erasure("two", &[key("z")], id(2))).await;
    assert_eq!((first.sequence.0, second.sequence.0), (3, 4));
    let all = store.list_erasures(&tenant(), None, 10).await;
    assert_eq!(all.expect("a read"), [second.clone(), first.clone()]);
    let page = store.list_erasures(&tenant(), None, 1).await;
    assert_eq!(page.expect("a read"), std::slice::from_ref(&second));
    let after = Some((second.sequence, second.id));
    let rest = store.list_erasures(&tenant(), after, 10).await;
    assert_eq!(rest.expect("a read"), [first]);
}
