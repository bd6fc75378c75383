use profile_core::records::Timestamp;

use super::*;
use crate::audit::{Checkpoint, Period, Query, Verification, new_keys, read_tile, search};
use crate::store::AuditLogs as _;
use crate::store::memory::MemoryStore;

fn keys(text: &str) -> Keys {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    Keys::read(file.path()).unwrap()
}

fn tenant() -> TenantId {
    TenantId::default()
}

fn entry(id: u64, customer: &str) -> Entry {
    Entry {
        time: Timestamp::from_micros(i64::try_from(id).unwrap()),
        credential: format!("k{}", id % 2).into(),
        request_id: id.to_string(),
        customers: vec![customer.to_owned()],
        code: "OK".into(),
        ..Entry::default()
    }
}

fn keeper(store: &Arc<MemoryStore>, keys: Keys) -> (Arc<Journal>, Keeper) {
    let journal = Arc::new(Journal::new(1_000_000));
    (journal.clone(), Keeper::new(journal, store.clone(), keys))
}

/// The findings of a verification of all that a store has.
async fn verified(
    store: &MemoryStore,
    keys: &Keys,
    kept: &[Checkpoint],
) -> Vec<crate::audit::Finding> {
    let head = store.audit_head(&tenant()).await.unwrap();
    let mut verification = Verification::new(kept);
    let mut next = Some(0);
    while let Some(first) = next {
        let tile = read_tile(store, &tenant(), first, head.size).await.unwrap();
        verification.tile(&tile.hashes, &tile.leaves, tile.next.is_none());
        next = tile.next;
    }
    let now = keys.open(&head.checkpoint).unwrap();
    verification.finish(Some(&now)).2
}

#[tokio::test]
async fn servers_that_take_turns_write_one_log() {
    let (private, public) = new_keys("test");
    let text = format!("{private}\n{public}");
    let store = Arc::new(MemoryStore::new());
    let mut servers = [(); 3].map(|()| keeper(&store, keys(&text)));
    let (mut count, mut kept) = (0, Vec::new());
    for round in 0..40 {
        for (journal, keeper) in &mut servers {
            for _ in 0..=(round * 7) % 90 {
                journal.note(&tenant(), entry(count, "profiles/1"));
                count += 1;
            }
            keeper.write().await;
            assert_eq!(journal.count(), 0);
        }
        let head = store.audit_head(&tenant()).await.unwrap();
        kept.push(keys(&public).open(&head.checkpoint).unwrap());
    }
    assert_eq!(store.audit_head(&tenant()).await.unwrap().size, count);
    assert!(kept.iter().all(|checkpoint| checkpoint.is_signed));
    assert_eq!(verified(&store, &keys(&public), &kept).await, []);
}

#[tokio::test]
async fn nothing_is_appended_to_a_log_that_was_changed() {
    let (private, public) = new_keys("test");
    let text = format!("{private}\n{public}");
    let store = Arc::new(MemoryStore::new());
    let (journal, mut keeper_of) = keeper(&store, keys(&text));
    (0..300).for_each(|id| journal.note(&tenant(), entry(id, "profiles/1")));
    keeper_of.write().await;
    let head = store.audit_head(&tenant()).await.unwrap();
    let forge = |checkpoint: String, size: u64| AuditAppend {
        after: 300,
        head: AuditHead { size, checkpoint },
        batches: Vec::new(),
        tiles: Vec::new(),
    };
    let (other_private, other_public) = new_keys("test");
    let other = keys(&format!("{other_private}\n{other_public}"));
    let origin = origin(store.id().await.unwrap(), &tenant());
    for forged in [
        // By another key; without one; of other entries.
        forge(other.seal(&origin, 300, [0; 32]), 300),
        forge(Keys::default().seal(&origin, 300, [0; 32]), 300),
        forge(head.checkpoint.clone(), 299),
        forge(head.checkpoint.replace("\n300\n", "\n299\n"), 299),
    ] {
        assert!(store.append_audit(&tenant(), &forged).await.unwrap());
        let (journal, mut another) = keeper(&store, keys(&text));
        journal.note(&tenant(), entry(300, "profiles/1"));
        another.write().await;
        assert!(another.episode().is_failing());
        assert_eq!(journal.count(), 1, "it waits");
        let back = AuditAppend {
            after: forged.head.size,
            ..forge(head.checkpoint.clone(), 300)
        };
        assert!(store.append_audit(&tenant(), &back).await.unwrap());
        another.write().await;
        assert_eq!(journal.count(), 0, "written once the log is what it was");
        let head = AuditAppend {
            after: 301,
            ..forge(head.checkpoint.clone(), 300)
        };
        assert!(store.append_audit(&tenant(), &head).await.unwrap());
    }
    // A server knows what it has left, and a log that is shorter is no log of its own.
    journal.note(&tenant(), entry(300, "profiles/1"));
    keeper_of.write().await;
    let short = AuditAppend {
        after: 301,
        ..forge(head.checkpoint, 300)
    };
    assert!(store.append_audit(&tenant(), &short).await.unwrap());
    journal.note(&tenant(), entry(301, "profiles/1"));
    keeper_of.write().await;
    // However often it looks.
    keeper_of.write().await;
    assert_eq!((keeper_of.episode().failures(), journal.count()), (2, 1));
}

#[tokio::test]
async fn a_log_that_was_begun_without_a_key_is_signed_once_by_hand() {
    let (private, public) = new_keys("test");
    let signing = || keys(&format!("{private}\n{public}"));
    let store = Arc::new(MemoryStore::new());
    assert!(!sign(&*store, &tenant(), &signing()).await.unwrap());
    let (journal, mut without) = keeper(&store, Keys::default());
    (0..300).for_each(|id| journal.note(&tenant(), entry(id, "profiles/1")));
    without.write().await;
    let (journal, mut with) = keeper(&store, signing());
    journal.note(&tenant(), entry(300, "profiles/1"));
    with.write().await;
    assert_eq!((with.episode().is_failing(), journal.count()), (true, 1));
    assert!(sign(&*store, &tenant(), &signing()).await.unwrap());
    assert!(!sign(&*store, &tenant(), &signing()).await.unwrap());
    with.write().await;
    assert_eq!((with.episode().is_failing(), journal.count()), (false, 0));
    assert_eq!(verified(&store, &keys(&public), &[]).await, []);
    // A log that differs from its checkpoint is not signed.
    let head = store.audit_head(&tenant()).await.unwrap();
    let forged = AuditAppend {
        after: 301,
        head: AuditHead {
            size: 301,
            checkpoint: Keys::default().seal("log", 301, [0; 32]),
        },
        batches: Vec::new(),
        tiles: Vec::new(),
    };
    assert!(store.append_audit(&tenant(), &forged).await.unwrap());
    let refused = sign(&*store, &tenant(), &signing()).await;
    assert!(
        matches!(refused, Err(KeeperError::Changed { .. })),
        "{head:?}"
    );
}

#[tokio::test]
async fn entries_are_found_by_customer_time_and_credential_page_by_page() {
    let store = Arc::new(MemoryStore::new());
    let (journal, mut keeper) = keeper(&store, Keys::default());
    for id in 0..1000 {
        let customer = if id % 100 == 7 {
            "profiles/rare"
        } else {
            "profiles/other"
        };
        journal.note(&tenant(), entry(id, customer));
        if id % 60 == 0 {
            keeper.write().await;
        }
    }
    keeper.write().await;
    let time = Timestamp::from_micros;
    let rare = |begin: i64, end: Option<i64>| Period {
        profile: "profiles/rare".to_owned(),
        begin: time(begin),
        end: end.map(time),
    };
    let ids = async |query: Query| {
        let found = search(&*store, &tenant(), &query).await.unwrap();
        let ids = found.entries.iter().map(|(index, entry)| {
            assert_eq!(index.to_string(), entry.request_id);
            *index
        });
        (ids.collect::<Vec<_>>(), found.before)
    };
    let all = Query {
        limit: 100,
        ..Query::default()
    };
    let of_rare = |periods: Vec<Period>| Query {
        customer: Some(periods),
        ..all.clone()
    };
    let (found, before) = ids(of_rare(vec![rare(0, None)])).await;
    let wanted: Vec<u64> = (0..10).rev().map(|hundred| hundred * 100 + 7).collect();
    assert_eq!((found, before), (wanted, None));
    // As long as a record of the customer was in that profile.
    let stays = vec![rare(100, Some(207)), rare(700, Some(708))];
    assert_eq!(ids(of_rare(stays)).await.0, [707, 107]);
    let page = Query {
        limit: 4,
        ..of_rare(vec![rare(0, None)])
    };
    assert_eq!(
        ids(page.clone()).await,
        (vec![907, 807, 707, 607], Some(607))
    );
    let next = Query {
        before: Some(607),
        ..page
    };
    assert_eq!(ids(next).await.0, [507, 407, 307, 207]);
    let between = Query {
        start: Some(time(500)),
        end: Some(time(505)),
        credential: "k1".to_owned(),
        ..all
    };
    assert_eq!(ids(between).await.0, [503, 501]);
}
