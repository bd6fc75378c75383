//! Events, by loops.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use profile_core::records::{Event, ObjectKey, ProfileId, RecordKey, TenantId, Timestamp};

use super::MemoryStore;
use crate::store::attachments::is_after;
use crate::store::{
    AsOf, EventFilter, EventPage, NamingEvent, ObjectPage, Result, Timelines, WaitingPage,
};

/// Whether an event is of the present holder of its record's key.
fn is_holders(event: &Event, held_since: &BTreeMap<RecordKey, Timestamp>) -> bool {
    let since = held_since.get(&event.record);
    since.is_none_or(|since| event.sort_time >= *since)
}

/// Whether one of these sources said an event; all did, if none is named.
fn is_of(event: &Event, sources: &[String]) -> bool {
    sources.is_empty() || sources.iter().any(|source| source == event.source())
}

#[async_trait]
impl Timelines for MemoryStore {
    async fn list_events(
        &self,
        tenant: &TenantId,
        records: &[RecordKey],
        page: &EventPage,
    ) -> Result<Vec<Event>> {
        let matches = |event: &&Event| {
            records.contains(&event.record)
                && is_holders(event, &page.held_since)
                && (page.kinds.is_empty() || page.kinds.contains(&event.kind))
                && is_of(event, &page.sources)
                && page.start.is_none_or(|start| event.sort_time >= start)
                && page.end.is_none_or(|end| event.sort_time < end)
                && page
                    .after
                    .as_ref()
                    .is_none_or(|after| event.position() < *after)
                && page
                    .from
                    .as_ref()
                    .is_none_or(|from| event.position() >= *from)
        };
        let mut events: Vec<Event> = self.tenants.of(tenant, |data| match page.as_of {
            None => data.events.values().filter(matches).cloned().collect(),
            Some(write) => data.past.events(write).filter(matches).cloned().collect(),
        });
        events.sort_by_key(|event| Reverse(event.position()));
        if page.from.is_some() {
            events.reverse();
        }
        events.truncate(page.limit);
        Ok(events)
    }

    async fn count_events(
        &self,
        tenant: &TenantId,
        records: &[RecordKey],
        filter: &EventFilter,
    ) -> Result<Vec<(String, i64)>> {
        let of_channel = |event: &Event| match &event.meaning.channel {
            _ if filter.channels.is_empty() => true,
            Some(channel) => filter.channels.contains(channel),
            None => false,
        };
        let matches = |event: &&Event| {
            records.contains(&event.record)
                && is_holders(event, &filter.held_since)
                && (filter.kinds.is_empty() || filter.kinds.contains(&event.kind))
                && of_channel(event)
                && is_of(event, &filter.sources)
                && filter.start.is_none_or(|start| event.sort_time >= start)
                && filter.end.is_none_or(|end| event.sort_time < end)
        };
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        self.tenants.of(tenant, |data| {
            for event in data.events.values().filter(matches) {
                *counts.entry(event.kind.clone()).or_default() += 1;
            }
        });
        Ok(counts.into_iter().collect())
    }

    async fn list_object_events(
        &self,
        tenant: &TenantId,
        objects: &[ObjectKey],
        records: &[RecordKey],
        page: &ObjectPage,
    ) -> Result<Vec<Vec<NamingEvent>>> {
        let of_object = |object: &ObjectKey| {
            let mut naming: Vec<NamingEvent> = self.tenants.of(tenant, |data| {
                let events = data.events.values().filter(|event| {
                    event.meaning.objects().any(|(named, _)| named == object)
                        && records.contains(&event.record)
                        && is_holders(event, &page.held_since)
                        && page
                            .after
                            .as_ref()
                            .is_none_or(|after| event.position() < *after)
                });
                let sequence = |event: &Event| {
                    data.event_sequences
                        .get(&event.key())
                        .copied()
                        .unwrap_or_default()
                };
                events
                    .map(|event| NamingEvent {
                        sequence: sequence(event),
                        event: event.clone(),
                    })
                    .collect()
            });
            naming.sort_by_key(|naming| Reverse(naming.event.position()));
            naming.truncate(page.limit);
            naming
        };
        Ok(objects.iter().map(of_object).collect())
    }

    async fn find_by_objects(
        &self,
        tenant: &TenantId,
        objects: &[ObjectKey],
        limit: usize,
    ) -> Result<AsOf<Vec<Vec<ProfileId>>>> {
        Ok(self.tenants.of(tenant, |data| {
            let holders = |object: &ObjectKey| {
                let holders = |event: &&Event| {
                    let record = data.records.get(&event.record);
                    !record.is_some_and(|record| record.was_anothers(event.sort_time))
                };
                let naming = data
                    .events
                    .values()
                    .filter(|event| event.meaning.objects().any(|(named, _)| named == object))
                    .filter(holders);
                let records: BTreeSet<&RecordKey> = naming.filter_map(Event::home).collect();
                let profiles = records
                    .into_iter()
                    .take(limit)
                    .filter_map(|record| data.profile_of(record));
                profiles.collect::<BTreeSet<_>>().into_iter().collect()
            };
            data.as_of(objects.iter().map(holders).collect())
        }))
    }

    async fn list_waiting(&self, tenant: &TenantId, page: &WaitingPage) -> Result<Vec<Event>> {
        let of_source = |event: &&Event| page.source.as_ref().is_none_or(|it| it == event.source());
        let mut events: Vec<Event> = self.tenants.of(tenant, |data| {
            let waiting = data.events.values().filter(|event| event.is_waiting());
            let waiting = waiting.filter(of_source);
            let rest = waiting.filter(|event| is_after(event, page.after.as_ref()));
            rest.cloned().collect()
        });
        events.sort_by_cached_key(|event| {
            let source = event.source().to_owned();
            (source, event.sort_time, event.event_id.clone())
        });
        events.truncate(page.limit);
        Ok(events)
    }
}
