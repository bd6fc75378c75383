//! The change log.

use profile_core::records::{Sequence, TenantId};

use customer_profile::store::{
    ChangeKind, Changes, LogCursor, LogEntry, LogPosition, LogRetention, LogTail, ProfileChange,
    SegmentStay, Store,
};

use super::build::*;

fn change(number: u128) -> ProfileChange {
    ProfileChange {
        profile: id(number),
        kind: ChangeKind::Merged(id(7)),
        old_revision: 1,
        revision: 2,
        fields: vec!["traits.\u{e9}".to_owned()],
        retracted_events: Vec::new(),
        events: vec!["order_placed".to_owned()],
        merged_from: vec![id(8)],
        split_from: vec![id(9)],
        split_into: vec![id(10)],
        segments: vec![SegmentStay {
            segment: "gold".to_owned(),
            enter_time: time(1),
            exit_time: Some(time(2)),
        }],
    }
}

fn logged(sequence: i64, changes: Vec<ProfileChange>) -> Changes {
    let log = LogEntry::of_write(
        Sequence(sequence),
        time(sequence),
        changes,
        vec![u64::MAX, 0],
    );
    Changes {
        log,
        ..Changes::default()
    }
}

async fn tail(store: &dyn Store, tenant: &TenantId, after: LogPosition, limit: usize) -> LogTail {
    let cursor = LogCursor {
        tenant: tenant.clone(),
        after,
    };
    store
        .read_log(&[cursor], limit)
        .await
        .expect("the log")
        .pop()
        .expect("one answer")
}

fn start() -> LogPosition {
    LogPosition::after(Sequence(0))
}

pub(crate) async fn each_write_has_an_entry_without_gaps(store: &dyn Store) {
    let tenant = tenant();
    let nothing = tail(store, &tenant, start(), 10).await;
    assert_eq!((nothing.head, nothing.entries.len()), (Sequence(0), 0));
    write(store, &tenant, &profile(id(1), &[key("1")]))
        .await
        .expect("a write that logs nothing");
    let told = logged(2, vec![change(1)]);
    write(store, &tenant, &told).await.expect("a write");
    let tail = tail(store, &tenant, start(), 10).await;
    assert_eq!(tail.head, Sequence(2));
    assert!(tail.follows(start()));
    let places: Vec<_> = tail
        .entries
        .iter()
        .map(|entry| (entry.sequence.0, entry.part, entry.last))
        .collect();
    assert_eq!(places, [(1, 0, true), (2, 0, true)]);
    assert_eq!(
        tail.entries[0].body,
        customer_profile::store::LogBody::default()
    );
    assert_eq!(tail.entries[1].body, told.log[0].body);
}

pub(crate) async fn a_long_entry_is_read_part_by_part(store: &dyn Store) {
    let tenant = tenant();
    let told = logged(1, (0..2_500).map(change).collect());
    assert_eq!(told.log.len(), 3);
    let mut pieces = told.clone().pieces(100);
    let last = pieces.pop().expect("a last piece");
    let mut transaction = store.begin(&tenant).await.expect("a turn");
    for piece in &pieces {
        transaction.write(piece).await.expect("a piece");
    }
    transaction.commit(time(1), &last).await.expect("a commit");
    let (mut after, mut read) = (start(), Vec::new());
    while let [entry] = tail(store, &tenant, after, 1).await.entries.as_slice() {
        after = entry.position();
        read.push(LogEntry {
            time: time(1),
            ..entry.clone()
        });
    }
    assert_eq!(read, told.log);
}

pub(crate) async fn the_log_is_trimmed_by_age_and_by_size_and_tells_the_gap(store: &dyn Store) {
    let tenant = tenant();
    for number in 1..=10 {
        let transaction = store.begin(&tenant).await.expect("a turn");
        transaction
            .commit(time(number), &logged(number, vec![change(1)]))
            .await
            .expect("a commit");
    }
    let keep_all = LogRetention {
        before: time(0),
        max_bytes: u64::MAX,
    };
    assert_eq!(store.trim_log(&tenant, keep_all).await.expect("a trim"), 0);
    let by_age = LogRetention {
        before: time(4),
        ..keep_all
    };
    assert_eq!(store.trim_log(&tenant, by_age).await.expect("a trim"), 3);
    let gap = tail(store, &tenant, start(), 1).await;
    assert_eq!(gap.entries[0].sequence, Sequence(4));
    assert!(!gap.follows(start()));
    assert!(
        tail(store, &tenant, LogPosition::after(Sequence(3)), 1)
            .await
            .follows(LogPosition::after(Sequence(3)))
    );
    let bytes = serde_json::to_string(&logged(1, vec![change(1)]).log[0].body)
        .expect("a document")
        .len() as u64;
    let by_size = LogRetention {
        max_bytes: 2 * bytes,
        ..keep_all
    };
    assert_eq!(store.trim_log(&tenant, by_size).await.expect("a trim"), 5);
    // The last write stays, whatever the bounds, so that a reader who has read it knows that it
    // has.
    let nothing = LogRetention {
        before: time(99),
        max_bytes: 0,
    };
    assert_eq!(store.trim_log(&tenant, nothing).await.expect("a trim"), 1);
    let left = tail(store, &tenant, LogPosition::after(Sequence(9)), 9).await;
    assert_eq!(left.entries.len(), 1);
    assert!(left.follows(LogPosition::after(Sequence(9))));
}

pub(crate) async fn the_logs_of_tenants_are_read_together_and_apart(store: &dyn Store) {
    let names = ["one", "three", "two"].map(|name| TenantId::new(name).expect("a name"));
    for (times, tenant) in (1..).zip(&names) {
        for _ in 0..times {
            write(store, tenant, &Changes::default())
                .await
                .expect("a write");
        }
    }
    assert_eq!(store.list_tenants(None, 9).await.expect("tenants"), names);
    assert_eq!(
        store
            .list_tenants(Some(&names[0]), 1)
            .await
            .expect("tenants"),
        [names[1].clone()]
    );
    let nobody = TenantId::new("nobody").expect("a name");
    let cursors: Vec<LogCursor> = [&names[2], &nobody, &names[1]]
        .map(|tenant| LogCursor {
            tenant: tenant.clone(),
            after: LogPosition::after(Sequence(1)),
        })
        .into();
    let tails = store.read_log(&cursors, 9).await.expect("the logs");
    let told: Vec<_> = tails
        .iter()
        .map(|tail| (tail.head.0, tail.entries.len()))
        .collect();
    assert_eq!(told, [(3, 2), (0, 0), (2, 1)]);
}
