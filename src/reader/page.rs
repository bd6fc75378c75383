//! A customer's timeline, page by page.

use super::{Answer, Error, Freshness, Key, Reader};
use crate::profile::{Event, RecordKey, TenantId, TimelinePosition};
use crate::store::EventPage;

/// Which part of a timeline to read.
pub type TimelineQuery = EventPage;

/// A page of a timeline.
#[derive(Debug, Clone)]
pub struct TimelinePage {
    /// Whose timeline it is.
    pub profile: Answer,
    /// Newest first.
    pub events: Vec<Event>,
    /// Where to go on; none on the last page.
    pub next: Option<TimelinePosition>,
}

impl Reader {
    /// Reads a page of a timeline. Events are read from the store, the profile perhaps from the cache.
    ///
    /// # Errors
    /// As [`Reader::profile`].
    pub async fn timeline(
        &self,
        tenant: &TenantId,
        key: &Key,
        freshness: Freshness,
        query: &TimelineQuery,
    ) -> Result<TimelinePage, Error> {
        let profile = self.profile(tenant, key, freshness).await?;
        let records: Vec<RecordKey> = profile.profile.records.iter().map(|record| record.key.clone()).collect();
        let one_more = EventPage { limit: query.limit + 1, ..query.clone() };
        let mut events = self.metrics.store("list_events", self.store.list_events(tenant, &records, &one_more)).await?;
        let more = events.len() > query.limit;
        events.truncate(query.limit);
        let next = events.last().filter(|_| more).map(Event::position);
        Ok(TimelinePage { profile, events, next })
    }
}
