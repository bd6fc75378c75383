//! What is kept of events: by record and time, and by the objects that they name.

use std::collections::BTreeMap;

use async_trait::async_trait;
use profile_core::records::{
    Event, ObjectKey, ProfileId, RecordKey, Sequence, TenantId, TimelinePosition, Timestamp,
};

use super::{AsOf, Result, WaitingPage};

/// The events of records.
///
/// # Cancel safety
/// Every method may be dropped at any point; nothing is left behind.
#[async_trait]
pub trait Timelines {
    /// Events of the given records, from the greatest [`TimelinePosition`] to the least; from the
    /// least to the greatest for a page [`from`](EventPage::from) a position.
    async fn list_events(
        &self,
        tenant: &TenantId,
        records: &[RecordKey],
        page: &EventPage,
    ) -> Result<Vec<Event>>;

    /// How many events of the given records there are of each type, in order of type.
    async fn count_events(
        &self,
        tenant: &TenantId,
        records: &[RecordKey],
        filter: &EventFilter,
    ) -> Result<Vec<(String, i64)>>;

    /// For each object the events of the given records that name it, from the greatest position to
    /// the least.
    async fn list_object_events(
        &self,
        tenant: &TenantId,
        objects: &[ObjectKey],
        records: &[RecordKey],
        page: &ObjectPage,
    ) -> Result<Vec<Vec<NamingEvent>>>;

    /// For each object the live profiles with events that name it, in order of id. Events of former
    /// holders of a key do not count. Of each object at most `limit` records are looked at, least
    /// keys first.
    async fn find_by_objects(
        &self,
        tenant: &TenantId,
        objects: &[ObjectKey],
        limit: usize,
    ) -> Result<AsOf<Vec<Vec<ProfileId>>>>;

    /// Events that wait for a record: by source, time and id, from the least to the greatest.
    async fn list_waiting(&self, tenant: &TenantId, page: &WaitingPage) -> Result<Vec<Event>>;
}

/// Which events count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// Only these types; empty: all.
    pub kinds: Vec<String>,
    /// Only these channels; empty: all.
    pub channels: Vec<String>,
    /// Only events that these sources said; empty: of all.
    pub sources: Vec<String>,
    /// Only at or after.
    pub start: Option<Timestamp>,
    /// Only before.
    pub end: Option<Timestamp>,
    /// Of these records only events at or after a time: their keys were a former holder's before.
    pub held_since: BTreeMap<RecordKey, Timestamp>,
}

/// Which events to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventPage {
    /// Only these types; empty: all.
    pub kinds: Vec<String>,
    /// Only events that these sources said; empty: of all.
    pub sources: Vec<String>,
    /// Only at or after.
    pub start: Option<Timestamp>,
    /// Only before.
    pub end: Option<Timestamp>,
    /// Of these records only events at or after a time: their keys were a former holder's before.
    pub held_since: BTreeMap<RecordKey, Timestamp>,
    /// Only less than this position: where the page before ended.
    pub after: Option<TimelinePosition>,
    /// Only this position and greater ones, the least first: the page before. Not together with
    /// `after`.
    pub from: Option<TimelinePosition>,
    /// The write after which they are read. `None`: the last one.
    pub as_of: Option<Sequence>,
    /// At most so many.
    pub limit: usize,
}

/// Which events of an object to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectPage {
    /// Of these records only events at or after a time: their keys were a former holder's before.
    pub held_since: BTreeMap<RecordKey, Timestamp>,
    /// Only less than this position.
    pub after: Option<TimelinePosition>,
    /// At most so many of each object.
    pub limit: usize,
}

/// An event that names an object.
#[derive(Debug, Clone, PartialEq)]
pub struct NamingEvent {
    /// The write that stored it.
    pub sequence: Sequence,
    /// The event.
    pub event: Event,
}
