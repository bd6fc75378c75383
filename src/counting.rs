//! Counts a record's events from the events themselves: those of now, or those after a write.
//!
//! States are kept beside records as events come ([`profile_core::records::rollup`]) and only for
//! the present. Where one is missing, because the definition is new or the question is of the past,
//! it is counted from the events themselves.

use std::collections::BTreeSet;
use std::sync::Arc;

use profile_core::model::Model;
use profile_core::profile::StoredProfile;
use profile_core::records::rollup::DefinitionId;
use profile_core::records::{Event, Record, Sequence, TenantId, Timestamp};

use crate::compute::{self, Class};
use crate::store::{Error, EventPage, Result, Store};

/// How many events are read at once.
pub(crate) const PAGE_EVENTS: usize = 5_000;

/// A count of events.
#[derive(Debug, Clone)]
pub(crate) struct Counting {
    /// The model with the definitions.
    pub(crate) model: Arc<Model>,
    /// Counts drop what no answer at or after this time needs.
    pub(crate) now: Timestamp,
    /// The write after which the events are read. `None` means the last one.
    pub(crate) as_of: Option<Sequence>,
    /// On which threads.
    pub(crate) class: Class,
}

impl Counting {
    /// Counts the events of a record for some definitions, the states of which are there. Answers
    /// how many events there are.
    pub(crate) async fn count(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        record: &mut Record,
        missing: &BTreeSet<DefinitionId>,
    ) -> Result<usize> {
        let mut page = EventPage {
            as_of: self.as_of,
            limit: PAGE_EVENTS,
            ..EventPage::default()
        };
        let mut all = 0;
        if missing.is_empty() {
            return Ok(all);
        }
        loop {
            let records = std::slice::from_ref(&record.key);
            let events = store.list_events(tenant, records, &page).await?;
            all += events.len();
            let is_last = events.len() < page.limit;
            page.after = events.last().map(Event::position);
            let own = events
                .into_iter()
                .filter(|event| !record.was_anothers(event.sort_time));
            let events: Vec<Event> = own.collect();
            let (counting, missing) = (self.clone(), missing.clone());
            let mut rollup = std::mem::take(&mut record.rollup);
            let work = move || {
                for event in &events {
                    let model = &counting.model;
                    model.recount(&mut rollup, event, &missing, counting.now);
                }
                rollup
            };
            let counted = compute::run(self.class, None, work).await;
            record.rollup = counted.map_err(|error| Error::Internal(error.to_string()))?;
            if is_last {
                return Ok(all);
            }
        }
    }

    /// Counts whatever is missing on the records of a profile: of one of the past, everything.
    pub(crate) async fn complete(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        profile: &mut StoredProfile,
    ) -> Result<()> {
        for record in &mut profile.records {
            if let Some(missing) = self.model.begin_recount(record) {
                self.count(store, tenant, record, &missing).await?;
            }
        }
        Ok(())
    }
}
