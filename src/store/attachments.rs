//! Events that find their record by an object: which there are, and whose objects are.

use async_trait::async_trait;
use profile_core::records::{Claim, Event, EventKey, ObjectKey, TimelinePosition};

use super::Result;

/// Reads by which events are attached to records.
#[async_trait]
pub trait Attachments: Send {
    /// The events without a record of their own that name one of the objects, attached or waiting,
    /// each once. In any order.
    async fn attached_events(&mut self, objects: &[ObjectKey]) -> Result<Vec<EventKey>>;

    /// For each object the records whose own events name it, some events apart; at most `limit` of
    /// each, least keys first. In any order.
    async fn claims(
        &mut self,
        objects: &[ObjectKey],
        except: &[EventKey],
        limit: usize,
    ) -> Result<Vec<(ObjectKey, Claim)>>;

    /// The number of events that wait for a record, up to `limit`.
    async fn count_waiting(&mut self, limit: usize) -> Result<usize>;
}

/// Which waiting events to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WaitingPage {
    /// Only of this source. `None`: of all.
    pub source: Option<String>,
    /// Only after this one.
    pub after: Option<WaitingPlace>,
    /// Maximum number of events.
    pub limit: usize,
}

/// The place of an event among those that wait: by source, time and id.
pub type WaitingPlace = TimelinePosition;

/// Whether one event comes after a place among those that wait.
pub(super) fn is_after(event: &Event, place: Option<&WaitingPlace>) -> bool {
    let order = |place: &WaitingPlace| {
        (
            place.source.clone(),
            place.sort_time,
            place.event_id.clone(),
        )
    };
    place.is_none_or(|place| order(&event.position()) > order(place))
}
