//! How far publications are, who works at them, and dead letters.

use profile_core::records::{Sequence, TenantId};

use customer_profile::store::{
    ChangeKey, DeadLetter, DeadLetterPage, Lease, Mark, Progress, Store, StoredPublication,
};

use super::build::*;

fn mark(sequence: i64, changes: i64) -> Mark {
    Mark {
        sequence: Sequence(sequence),
        changes,
    }
}

fn progress(sequence: i64, changes: i64) -> Progress {
    Progress {
        mark: mark(sequence, changes),
        failures: 3,
        last_error: "HTTP 503".to_owned(),
    }
}

async fn stored(store: &dyn Store, name: &str) -> StoredPublication {
    let all = store
        .list_publications(&tenant())
        .await
        .expect("publications");
    all.into_iter()
        .find(|one| one.name == name)
        .expect("the publication")
}

async fn take(store: &dyn Store, name: &str, owner: &str) -> bool {
    let seen = stored(store, name).await.lease;
    store
        .take_lease(&tenant(), name, &seen, owner)
        .await
        .expect("an answer")
}

pub(crate) async fn a_publication_begins_once(store: &dyn Store) {
    assert_eq!(
        store
            .list_publications(&tenant())
            .await
            .expect("publications"),
        []
    );
    for sequence in [7, 9] {
        store
            .begin_publication(&tenant(), "crm", mark(sequence, 0))
            .await
            .expect("it begins");
    }
    store
        .begin_publication(&tenant(), "bus", mark(1, 0))
        .await
        .expect("it begins");
    let all = store
        .list_publications(&tenant())
        .await
        .expect("publications");
    let begun = |name: &str, sequence| StoredPublication {
        name: name.to_owned(),
        lease: Lease::default(),
        progress: Progress {
            mark: mark(sequence, 0),
            ..Progress::default()
        },
        dead_letters: 0,
    };
    assert_eq!(all, [begun("bus", 1), begun("crm", 7)]);
    let other = TenantId::new("other").expect("a name");
    assert_eq!(
        store.list_publications(&other).await.expect("publications"),
        []
    );
}

pub(crate) async fn of_two_who_saw_the_same_lease_one_takes_it(store: &dyn Store) {
    store
        .begin_publication(&tenant(), "crm", mark(0, 0))
        .await
        .expect("it begins");
    let seen = stored(store, "crm").await.lease;
    assert!(
        store
            .take_lease(&tenant(), "crm", &seen, "one")
            .await
            .expect("an answer")
    );
    assert!(
        !store
            .take_lease(&tenant(), "crm", &seen, "two")
            .await
            .expect("an answer")
    );
    // A sign of life is another lease to whoever looks on.
    let seen = stored(store, "crm").await.lease;
    assert_eq!(seen.owner, "one");
    assert!(
        store
            .record_progress(&tenant(), "crm", "one", &progress(1, 0))
            .await
            .expect("an answer")
    );
    assert!(
        !store
            .take_lease(&tenant(), "crm", &seen, "two")
            .await
            .expect("an answer")
    );
    assert!(take(store, "crm", "two").await);
    assert!(
        !store
            .take_lease(&tenant(), "none", &seen, "two")
            .await
            .expect("an answer")
    );
}

pub(crate) async fn who_lost_the_lease_moves_nothing_on(store: &dyn Store) {
    store
        .begin_publication(&tenant(), "crm", mark(0, 0))
        .await
        .expect("it begins");
    assert!(take(store, "crm", "one").await);
    assert!(
        store
            .record_progress(&tenant(), "crm", "one", &progress(4, 2))
            .await
            .expect("an answer")
    );
    assert_eq!(stored(store, "crm").await.progress, progress(4, 2));
    assert!(take(store, "crm", "two").await);
    assert!(
        !store
            .record_progress(&tenant(), "crm", "one", &progress(9, 0))
            .await
            .expect("an answer")
    );
    store
        .release_lease(&tenant(), "crm", "one")
        .await
        .expect("nothing happens");
    let after = stored(store, "crm").await;
    assert_eq!(
        (after.progress, after.lease.owner.as_str()),
        (progress(4, 2), "two")
    );
    store
        .release_lease(&tenant(), "crm", "two")
        .await
        .expect("given back");
    assert_eq!(stored(store, "crm").await.lease.owner, "");
}

pub(crate) async fn a_reset_takes_the_lease_away(store: &dyn Store) {
    assert!(
        !store
            .reset_publication(&tenant(), "crm", mark(1, 0))
            .await
            .expect("an answer")
    );
    store
        .begin_publication(&tenant(), "crm", mark(0, 0))
        .await
        .expect("it begins");
    assert!(take(store, "crm", "one").await);
    assert!(
        store
            .record_progress(&tenant(), "crm", "one", &progress(4, 2))
            .await
            .expect("an answer")
    );
    assert!(
        store
            .reset_publication(&tenant(), "crm", mark(20, 0))
            .await
            .expect("an answer")
    );
    assert!(
        !store
            .record_progress(&tenant(), "crm", "one", &progress(5, 0))
            .await
            .expect("an answer")
    );
    let after = stored(store, "crm").await;
    assert_eq!(
        after.progress,
        Progress {
            mark: mark(20, 0),
            ..Progress::default()
        }
    );
}

fn letter(sequence: i64, change: i64) -> DeadLetter {
    DeadLetter {
        key: ChangeKey {
            sequence: Sequence(sequence),
            change,
        },
        time: time(sequence),
        attempts: 30,
        replay: false,
        reason: "HTTP 400: é".to_owned(),
        payload: r#"{"id":"…"}"#.to_owned(),
    }
}

async fn keep(store: &dyn Store, publication: &str, letter: &DeadLetter) {
    store
        .record_dead_letter(&tenant(), publication, letter)
        .await
        .expect("it is kept");
}

async fn replay(store: &dyn Store, keys: Option<&[ChangeKey]>) -> u64 {
    store
        .replay_dead_letters(&tenant(), "crm", keys)
        .await
        .expect("an answer")
}

pub(crate) async fn dead_letters_are_paged_replayed_and_removed(store: &dyn Store) {
    let tenant = tenant();
    store
        .begin_publication(&tenant, "crm", mark(0, 0))
        .await
        .expect("it begins");
    for (sequence, change) in [(10, 0), (2, 11), (2, 3)] {
        keep(store, "crm", &letter(sequence, change)).await;
    }
    keep(store, "bus", &letter(1, 1)).await;
    // The same change again is the same letter.
    let again = DeadLetter {
        attempts: 31,
        reason: "HTTP 410".to_owned(),
        ..letter(2, 11)
    };
    keep(store, "crm", &again).await;
    let list = async |page| {
        store
            .list_dead_letters(&tenant, "crm", page)
            .await
            .expect("letters")
    };
    let first = DeadLetterPage {
        limit: 2,
        ..DeadLetterPage::default()
    };
    assert_eq!(list(first).await, [letter(2, 3), again.clone()]);
    assert_eq!(
        list(DeadLetterPage {
            after: Some(again.key),
            ..first
        })
        .await,
        [letter(10, 0)]
    );
    assert_eq!(stored(store, "crm").await.dead_letters, 3);

    let marked = DeadLetterPage {
        to_replay: true,
        limit: 9,
        after: None,
    };
    assert_eq!(list(marked).await, []);
    let unknown = ChangeKey {
        sequence: Sequence(2),
        change: 0,
    };
    assert_eq!(replay(store, Some(&[again.key, unknown])).await, 1);
    assert_eq!(
        list(marked).await,
        [DeadLetter {
            replay: true,
            ..again.clone()
        }]
    );
    assert_eq!(replay(store, None).await, 3);
    assert_eq!(replay(store, Some(&[])).await, 0);
    // Refused once more: it waits for somebody again.
    keep(store, "crm", &again).await;
    assert_eq!(list(marked).await.len(), 2);
    store
        .remove_dead_letter(&tenant, "crm", again.key)
        .await
        .expect("it goes");
    assert_eq!(stored(store, "crm").await.dead_letters, 2);
    let others = store.list_dead_letters(&tenant, "bus", first).await;
    assert_eq!(others.expect("letters"), [letter(1, 1)]);
}
