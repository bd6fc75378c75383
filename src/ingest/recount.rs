//! Counts again what the events of records add up to, where some were taken back or replaced, and
//! where a key got another holder.
//!
//! Under the write turn: nothing else writes, so what is stored, less what the batch corrects, is
//! all that is left. A record is read in pages; one with many events of a type makes the write
//! longer, which corrections are rare enough for.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::model::{Model, Recount};
use profile_core::records::{Event, Record, RecordKey, TenantId, Timestamp};

use super::apply::Applied;
use super::write::Writer;
use crate::store::{EventPage, Result};

/// How many events are read at once.
const PAGE_EVENTS: usize = 5_000;

impl Writer {
    /// Counts again for the records that a batch took events from, or of which it says that events
    /// are another holder's.
    pub(super) async fn recount(
        &self,
        tenant: &TenantId,
        applied: &mut Applied<'_>,
        (model, now): (&Model, Timestamp),
    ) -> Result<()> {
        for (key, gone) in recounted(applied, model) {
            let Some(mut record) = applied.after.remove(&key) else {
                continue;
            };
            let counted = self
                .recount_one(tenant, applied, &mut record, &gone, (model, now))
                .await;
            applied.after.insert(key, record);
            counted?;
        }
        Ok(())
    }

    async fn recount_one(
        &self,
        tenant: &TenantId,
        applied: &Applied<'_>,
        record: &mut Record,
        gone: &BTreeSet<String>,
        (model, now): (&Model, Timestamp),
    ) -> Result<()> {
        let recount = Recount::begin(model, record, gone);
        let added: Vec<&Event> = applied.events_of(&record.key).collect();
        for event in &added {
            recount.add(model, record, event, now);
        }
        let mut page = EventPage {
            kinds: recount.kinds().iter().cloned().collect(),
            limit: PAGE_EVENTS,
            ..EventPage::default()
        };
        while !page.kinds.is_empty() {
            let events = self.stored_events(tenant, &record.key, &page).await?;
            let is_last = events.len() < page.limit;
            page.after = events.last().map(Event::position);
            for event in events.iter().filter(|event| !applied.corrects(event)) {
                recount.add(model, record, event, now);
            }
            if is_last {
                break;
            }
        }
        let any = EventPage {
            limit: applied.corrections.len() + 1,
            ..EventPage::default()
        };
        if added.is_empty() {
            let left = self.stored_events(tenant, &record.key, &any).await?;
            if left.iter().all(|event| applied.corrects(event)) {
                recount.end_empty(record);
            }
        }
        Ok(())
    }

    async fn stored_events(
        &self,
        tenant: &TenantId,
        record: &RecordKey,
        page: &EventPage,
    ) -> Result<Vec<Event>> {
        let records = std::slice::from_ref(record);
        let listed = self.store.list_events(tenant, records, page);
        self.step("list_events", listed).await
    }
}

/// The records to count again, with the types of the events that they may have lost or got.
fn recounted(applied: &Applied<'_>, model: &Model) -> BTreeMap<RecordKey, BTreeSet<String>> {
    let mut recounted = applied.corrections.losers();
    let mut reused = applied.reused().peekable();
    if reused.peek().is_some() {
        let counted = model
            .definitions()
            .flat_map(|definition| &definition.events);
        let counted: BTreeSet<&String> = counted.collect();
        for key in reused {
            let kinds = recounted.entry(key.clone()).or_default();
            kinds.extend(counted.iter().copied().cloned());
        }
    }
    recounted
}
