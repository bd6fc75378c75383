//! Writes that are prepared while others write.

use customer_profile::store::{
    Activation, Attempt, Changes, Committed, MatchPair, Snapshot, StatementKey, Store,
    StoredDecision,
};
use futures::future::{BoxFuture, join_all};
use profile_core::identity::{BlockingKey, Decision, DecisionKind, MatchDecision};
use profile_core::records::{Meaning, ObjectKey, RecordKey, Sequence};

use super::build::*;
use super::models::version;

async fn attempt(store: &dyn Store) -> Box<dyn Attempt> {
    store.attempt(&tenant()).await.expect("an attempt")
}

/// Commits an attempt; tells its number, or that it was not the next write.
async fn commit(attempt: Box<dyn Attempt>, changes: &Changes) -> Result<i64, Box<dyn Attempt>> {
    let turn = attempt.turn();
    let now = turn.not_before.max(time(turn.sequence.0));
    match attempt.commit(now, changes).await.expect("no failure") {
        Committed::Done => Ok(turn.sequence.0),
        Committed::NotNext(attempt) => Err(attempt),
    }
}

/// Whether an attempt is not the next write, and others touched what it read.
async fn is_overtaken(attempt: Box<dyn Attempt>) -> bool {
    let Err(late) = commit(attempt, &Changes::default()).await else {
        return false;
    };
    late.follow().await.expect("a read").is_none()
}

fn of_record(name: &str) -> Changes {
    profile(id(u128::from(name.as_bytes()[0])), &[key(name)])
}

pub(crate) async fn an_attempt_is_the_next_write(store: &dyn Store) {
    let first = attempt(store).await;
    assert_eq!(first.turn().sequence, Sequence(1));
    assert_eq!(commit(first, &of_record("a")).await.ok(), Some(1));
    put(store, &of_record("b")).await;
    let third = attempt(store).await;
    assert_eq!(third.turn().not_before, time(2));
    assert_eq!(commit(third, &of_record("c")).await.ok(), Some(3));
    assert_eq!(sequence(store).await, 3);
    let keys = ["a", "b", "c"].map(key);
    let found = store
        .find_by_records(&tenant(), &keys)
        .await
        .expect("a read");
    assert!(found.value.iter().all(Option::is_some), "{found:?}");
}

pub(crate) async fn an_attempt_comes_after_writes_that_touched_nothing_it_read(store: &dyn Store) {
    put(store, &of_record("a")).await;
    let mut late = attempt(store).await;
    let asked = [key("a"), key("x")];
    late.reads().records(&asked).await.expect("a read");
    late.reads()
        .holders(&[email("x@x")], 5)
        .await
        .expect("a read");
    for other in ["b", "c"] {
        let mut changes = of_record(other);
        changes.added_identifiers = vec![(email(other), key(other))];
        put(store, &changes).await;
    }
    let Err(late) = commit(late, &of_record("x")).await else {
        panic!("it was the next write");
    };
    let late = late.follow().await.expect("a read").expect("untouched");
    assert_eq!(late.turn().sequence, Sequence(4));
    let nothing = store.find_by_records(&tenant(), &[key("x")]).await;
    assert_eq!(
        nothing.expect("a read").value,
        [None],
        "it was not the next write"
    );
    assert_eq!(commit(late, &of_record("x")).await.ok(), Some(4));
    let stored = store.find_by_records(&tenant(), &[key("x")]).await;
    assert!(stored.expect("a read").value[0].is_some());
}

type Read = for<'a> fn(&'a mut dyn Snapshot) -> BoxFuture<'a, ()>;

/// A read whose answer does not matter.
macro_rules! read {
    ($method:ident($($argument:expr),+)) => {
        |reads| Box::pin(async move { drop(reads.$method($($argument),+).await.expect("a read")) })
    };
}

/// A read that a write makes, and a write that touches what it reads.
type Touching = (&'static str, Read, Changes);

fn touching_records() -> Vec<Touching> {
    let of_event = events(vec![event(&key("a"), "new", 5)]);
    let said = Changes {
        statements: vec![statement(&key("a"), 7, Sequence(3), 0)],
        ..Changes::default()
    };
    let row = Changes {
        profiles: vec![live(id(97), 9)],
        ..Changes::default()
    };
    vec![
        ("record", read!(records(&[key("a")])), of_record("a")),
        ("its event", read!(records(&[key("a")])), of_event),
        ("statement", read!(known_statements(&[self::said()])), said),
        ("profile row", read!(profile_rows(&[id(97)])), row),
        ("members", read!(members(&[id(97)])), of_record("a")),
    ]
}

fn touching_identity() -> Vec<Touching> {
    let held = Changes {
        added_identifiers: vec![(email("a@x"), key("z"))],
        ..Changes::default()
    };
    let keyed = Changes {
        added_keys: vec![(BlockingKey(7), key("z"))],
        ..Changes::default()
    };
    let pair = MatchPair {
        left: key("a"),
        right: key("b"),
        verdict: MatchDecision::Review,
        millibits: 1,
        queued: false,
    };
    let paired = Changes {
        pairs: vec![pair],
        ..Changes::default()
    };
    let decision = StoredDecision {
        decision: Decision {
            id: "d".to_owned(),
            kind: DecisionKind::MustLink,
            left: vec![key("b")],
            right: vec![key("a")],
            time: time(9),
        },
        actor: String::new(),
        note: String::new(),
        sequence: Sequence(3),
        withdrawn: false,
    };
    let decided = Changes {
        added_decisions: vec![decision],
        ..Changes::default()
    };
    vec![
        ("holders", read!(holders(&[email("a@x")], 5)), held),
        (
            "a holder",
            read!(holders(&[email("held@x")], 5)),
            of_record("a"),
        ),
        ("keyed", read!(keyed(&[BlockingKey(7)], 5)), keyed),
        ("pairs", read!(pairs(&[key("b")])), paired),
        ("decisions", read!(decisions_about(&[key("b")])), decided),
    ]
}

fn touching_events() -> Vec<Touching> {
    let one = event(&key("b"), "one", 5);
    let mut named = event(&key("other"), "named", 9);
    named.meaning = Meaning {
        object: Some(ObjectKey::new("order", "7")),
        ..Meaning::default()
    };
    vec![
        (
            "event",
            read!(known_events(&[event(&key("b"), "one", 5).key()])),
            events(vec![one]),
        ),
        (
            "object",
            read!(claims(&[ObjectKey::new("order", "7")], &[], 5)),
            events(vec![named]),
        ),
    ]
}

fn said() -> StatementKey {
    statement(&key("a"), 7, Sequence(3), 0).key
}

pub(crate) async fn an_attempt_is_overtaken_by_a_write_that_touched_what_it_read(
    store: &dyn Store,
) {
    let mut first = of_record("a");
    first.added_identifiers = vec![(email("held@x"), key("a"))];
    put(store, &first).await;
    put(store, &of_record("b")).await;
    let touching = [touching_records(), touching_identity(), touching_events()];
    for (name, read, changes) in touching.into_iter().flatten() {
        let mut late = attempt(store).await;
        read(late.reads()).await;
        put(store, &changes).await;
        assert!(is_overtaken(late).await, "{name}");
    }
}

pub(crate) async fn an_attempt_that_found_nothing_is_overtaken_by_what_comes_there(
    store: &dyn Store,
) {
    let said = |name: &str| {
        let mut changes = of_record(name);
        changes.added_identifiers = vec![(email("same@x"), key(name))];
        changes
    };
    let mut both = [attempt(store).await, attempt(store).await];
    for one in &mut both {
        let found = one.reads().holders(&[email("same@x")], 5).await;
        assert_eq!(found.expect("a read"), []);
    }
    let [one, other] = both;
    assert_eq!(commit(one, &said("a")).await.ok(), Some(1));
    assert!(is_overtaken(other).await);
    let (tenant, same) = (tenant(), [email("same@x")]);
    let held = store.find_by_identifiers(&tenant, &same, 5).await;
    assert_eq!(held.expect("a read").value, [[id(97)]]);
}

pub(crate) async fn an_attempt_is_overtaken_by_another_model_and_by_what_went_ahead(
    store: &dyn Store,
) {
    let late = attempt(store).await;
    let model = Changes {
        models: vec![version(1)],
        activation: Some(Activation {
            version: 1,
            sequence: Sequence(1),
            time: time(1),
        }),
        ..Changes::default()
    };
    assert_eq!(commit(attempt(store).await, &model).await.ok(), Some(1));
    assert!(is_overtaken(late).await);
    let late = attempt(store).await;
    assert_eq!(late.turn().model_version, 1);
    let mut large = store.begin(&tenant()).await.expect("a turn");
    large.write(&of_record("b")).await.expect("written");
    large
        .commit(time(2), &Changes::default())
        .await
        .expect("a commit");
    assert!(is_overtaken(late).await);
}

pub(crate) async fn an_attempt_follows_without_writing(store: &dyn Store) {
    put(store, &of_record("a")).await;
    let (mut seen, mut touched) = (attempt(store).await, attempt(store).await);
    seen.reads().records(&[key("a")]).await.expect("a read");
    touched.reads().records(&[key("b")]).await.expect("a read");
    put(store, &of_record("b")).await;
    let seen = seen.follow().await.expect("a read").expect("untouched");
    assert_eq!(seen.turn().sequence, Sequence(3));
    assert!(touched.follow().await.expect("a read").is_none());
    let first = attempt(store).await;
    let first = first.follow().await.expect("a read").expect("untouched");
    assert_eq!(first.turn().sequence, Sequence(3));
}

/// A counter that all raise at once: each raises it once, whoever comes between.
pub(crate) async fn attempts_at_once_are_written_once_each(store: &dyn Store) {
    let raise = |_| async {
        let mut raised = 0;
        while raised < 5 {
            let mut attempt = attempt(store).await;
            let rows = attempt
                .reads()
                .profile_rows(&[id(7)])
                .await
                .expect("a read");
            let revision = rows.first().map_or(0, |row| row.revision) + 1;
            let changes = Changes {
                profiles: vec![live(id(7), revision)],
                ..Changes::default()
            };
            raised += i32::from(commit(attempt, &changes).await.is_ok());
        }
    };
    join_all((0..4).map(raise)).await;
    let mut reads = store.snapshot(&tenant()).await.expect("a snapshot");
    let rows = reads.profile_rows(&[id(7)]).await.expect("a read");
    assert_eq!(rows[0].revision, 20);
    assert_eq!(sequence(store).await, 20);
}

pub(crate) async fn an_attempt_without_commit_leaves_nothing(store: &dyn Store) {
    let mut dropped = attempt(store).await;
    dropped.reads().records(&[key("a")]).await.expect("a read");
    drop(dropped);
    assert_eq!(sequence(store).await, 0);
    let keys: [RecordKey; 1] = [key("a")];
    let found = store.find_by_records(&tenant(), &keys).await;
    assert_eq!(found.expect("a read").value, [None]);
    assert_eq!(put(store, &of_record("a")).await, Sequence(1));
}
