//! Things to store.

use std::collections::BTreeMap;

use customer_profile::store::{
    Changes, Match, MembershipChange, ProfileRow, ProfileState, Result, SearchTerm, StatementKey,
    Store, StoredStatement, TermQuery, Way,
};
use profile_core::records::{
    Change, ContentHash, Draft, DraftRecord, Event, Fields, Identifier, Meaning, ProfileId, Record,
    RecordKey, RecordStatement, Sequence, TenantId, Timestamp, Value, VersionStamp,
};
use uuid::Uuid;

pub(crate) fn tenant() -> TenantId {
    TenantId::default()
}

pub(crate) fn time(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

pub(crate) fn id(number: u128) -> ProfileId {
    ProfileId(Uuid::from_u128(number))
}

pub(crate) fn key(key: &str) -> RecordKey {
    RecordKey::new("shop", key)
}

pub(crate) fn email(value: &str) -> Identifier {
    Identifier::new("email", value)
}

/// A record with a name, in a profile.
pub(crate) fn record(key: &RecordKey, profile: Option<ProfileId>, name: &str) -> Record {
    let mut record = Record::new(key.clone(), time(1));
    let traits = BTreeMap::from([("name".to_owned(), Value::from(name))]);
    record.apply(&RecordStatement {
        record: key.clone(),
        change: Change::Replace(Fields {
            identifiers: BTreeMap::new(),
            traits,
        }),
        order: Some((1, time(1))),
        source_time: None,
        receive_time: time(1),
        content: ContentHash::of(&name),
        draft: Draft::Upsert(DraftRecord::new(key.clone())),
    });
    record.membership.profile = profile;
    record
}

pub(crate) fn live(id: ProfileId, revision: i64) -> ProfileRow {
    ProfileRow {
        id,
        revision,
        update_time: time(revision),
        state: ProfileState::Live,
    }
}

/// A live profile with records that are named by their keys.
pub(crate) fn profile(id: ProfileId, keys: &[RecordKey]) -> Changes {
    let records = keys
        .iter()
        .map(|key| record(key, Some(id), &key.key))
        .collect();
    Changes {
        records,
        profiles: vec![live(id, 1)],
        ..Changes::default()
    }
}

pub(crate) fn event(record: &RecordKey, event_id: &str, micros: i64) -> Event {
    Event {
        record: record.clone(),
        event_id: event_id.to_owned(),
        kind: "order".to_owned(),
        event_time: Some(time(micros)),
        receive_time: time(micros),
        sort_time: time(micros),
        properties: BTreeMap::new(),
        content: ContentHash::of(&event_id),
        meaning: Meaning::default(),
        attachment: None,
    }
}

pub(crate) fn events(events: Vec<Event>) -> Changes {
    Changes {
        events,
        ..Changes::default()
    }
}

pub(crate) fn statement(
    record: &RecordKey,
    version: i64,
    sequence: Sequence,
    ordinal: i32,
) -> StoredStatement {
    let stamp = VersionStamp {
        version,
        time: time(version),
        content: ContentHash::of(&version),
    };
    StoredStatement {
        key: StatementKey {
            record: record.clone(),
            stamp,
        },
        sequence,
        ordinal,
        receive_time: time(version),
        draft: Draft::Upsert(DraftRecord {
            version,
            ..DraftRecord::new(record.clone())
        }),
    }
}

pub(crate) fn membership(
    record: &RecordKey,
    sequence: Sequence,
    profile: Option<ProfileId>,
) -> MembershipChange {
    MembershipChange {
        record: record.clone(),
        sequence,
        profile,
        time: time(sequence.0),
        reason: "alone".to_owned(),
    }
}

pub(crate) fn term(term: &str, kind: &str, record: &RecordKey) -> SearchTerm {
    SearchTerm {
        term: term.to_owned(),
        kind: kind.to_owned(),
        record: record.clone(),
    }
}

/// Writes in one transaction.
/// Profiles in which each of these begins a word.
pub(crate) fn beginning(prefixes: &[&str], after: Option<ProfileId>, limit: usize) -> TermQuery {
    let way = |&prefix: &&str| {
        vec![Way {
            found: Match::Prefix,
            text: prefix.to_owned(),
        }]
    };
    TermQuery {
        words: prefixes.iter().map(way).collect(),
        least: Match::Prefix,
        after,
        limit,
        traits: None,
    }
}

pub(crate) async fn write(
    store: &dyn Store,
    tenant: &TenantId,
    changes: &Changes,
) -> Result<Sequence> {
    let transaction = store.begin(tenant).await?;
    let sequence = transaction.sequence();
    let now = transaction.not_before().max(time(sequence.0));
    transaction.commit(now, changes).await?;
    Ok(sequence)
}

/// Writes what must go well.
pub(crate) async fn put(store: &dyn Store, changes: &Changes) -> Sequence {
    write(store, &tenant(), changes)
        .await
        .expect("the write is taken")
}

/// Where the tenant stands.
pub(crate) async fn sequence(store: &dyn Store) -> i64 {
    store
        .profiles(&tenant(), &[])
        .await
        .expect("a read")
        .sequence
        .0
}
