//! Loads the events and claims on the objects that events are attached by.
//!
//! An event that names two objects ties them together, so all that hangs together in this way is
//! loaded. A batch of which no event names such an object costs one look-up.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::model::placeholder::is_no_object;
use profile_core::records::{
    Change, Event, EventKey, ObjectKey, Record, RecordKey, Statement, TenantId,
};

use crate::ingest::attach::{Attached, MAX_CLAIMS, MAX_WAITING};
use crate::ingest::correct::Corrections;
use crate::store::{EventPage, Result, Snapshot, Store};

/// How many events are read at once.
const PAGE_EVENTS: usize = 5_000;

impl Attached {
    /// The records that are concerned.
    pub(super) fn records(&self) -> impl Iterator<Item = &RecordKey> {
        let events = self.events.values();
        let homes = events.filter_map(|kept| kept.event.as_ref()?.home());
        let claims = self.claims.values().flatten();
        let all: BTreeSet<_> = homes.chain(claims.map(|claim| &claim.record)).collect();
        all.into_iter()
    }
}

/// The objects that events name: those by which events may be attached.
fn named<'a>(events: impl Iterator<Item = &'a Event>) -> impl Iterator<Item = ObjectKey> {
    let objects = events.flat_map(|event| event.meaning.objects());
    objects
        .map(|(object, _)| object)
        .filter(|object| !is_no_object(&object.id))
        .cloned()
}

/// Events and claims that concern the events of a batch, and some objects.
pub(super) async fn load(
    reads: &mut dyn Snapshot,
    statements: &[Statement],
    corrections: &Corrections,
    objects: BTreeSet<ObjectKey>,
) -> Result<Attached> {
    let told = || statements.iter().filter_map(Statement::event);
    let mut open: BTreeSet<ObjectKey> = objects;
    open.extend(named(told().chain(corrections.all_events())));
    let (mut seen, mut attached) = (BTreeSet::new(), Attached::default());
    while !open.is_empty() {
        let asked = Vec::from_iter(std::mem::take(&mut open));
        let mut keys = reads.attached_events(&asked).await?;
        seen.extend(asked);
        keys.retain(|key| !attached.events.contains_key(key));
        let kept = reads.kept_events(&keys).await?;
        let events = kept.iter().filter_map(|kept| kept.event.as_ref());
        open.extend(named(events).filter(|object| !seen.contains(object)));
        let keyed = kept.into_iter().map(|kept| (kept.key.clone(), kept));
        attached.events.extend(keyed);
    }
    let seeks = |event: &&Event| event.attachment.is_some();
    let stored = attached.events.values();
    let stored = stored.filter_map(|kept| kept.event.as_ref());
    let all = stored.chain(told()).chain(corrections.all_events());
    let sought: BTreeSet<ObjectKey> = named(all.filter(seeks)).collect();
    if sought.is_empty() {
        return Ok(attached);
    }
    let except: Vec<EventKey> = corrections.keys().cloned().collect();
    let sought = Vec::from_iter(sought);
    let claims = reads.claims(&sought, &except, MAX_CLAIMS + 1).await?;
    let mut by_object: BTreeMap<ObjectKey, Vec<_>> = BTreeMap::new();
    for (object, claim) in claims {
        by_object.entry(object).or_default().push(claim);
    }
    attached.claims = by_object;
    if told().any(|event| event.attachment.is_some()) {
        attached.waiting = reads.count_waiting(MAX_WAITING).await?;
    }
    Ok(attached)
}

/// The objects that events of records name whose keys may get another holder by the batch: a claim
/// of a former holder counts no more.
pub(super) async fn reused(
    store: &dyn Store,
    tenant: &TenantId,
    statements: &[Statement],
    stored: &[Record],
) -> Result<BTreeSet<ObjectKey>> {
    let mut objects = BTreeSet::new();
    let (mut told, mut deleted) = (BTreeSet::new(), BTreeSet::new());
    for statement in statements {
        if let Statement::Record(statement) = statement {
            told.insert(&statement.record);
            if matches!(statement.change, Change::Delete) {
                deleted.insert(&statement.record);
            }
        }
    }
    let may_change = |record: &&Record| {
        let was_deleted = record.is_deleted() || record.reused_since().is_some();
        let is_told = was_deleted && told.contains(&record.key);
        record.has_events && (is_told || deleted.contains(&record.key))
    };
    for record in stored.iter().filter(may_change) {
        let mut page = EventPage {
            limit: PAGE_EVENTS,
            ..EventPage::default()
        };
        loop {
            let records = std::slice::from_ref(&record.key);
            let events = store.list_events(tenant, records, &page).await?;
            objects.extend(named(events.iter()));
            if events.len() < page.limit {
                break;
            }
            page.after = events.last().map(Event::position);
        }
    }
    Ok(objects)
}
