//! A page of a customer's timeline: events, or the objects that they are states of.
//!
//! **Where a page ends** is a position of an event, which no merge and no split changes: the next
//! page goes on below it, the page before ends above it. So no page repeats an event or skips an
//! older one, whatever is written between pages.
//!
//! **What is looked at is bounded.** Types and times are looked up by index. By channel and text,
//! and for what is no object's place, events are read and left out, at most [`MAX_SCANNED`] a page:
//! such a page may be short, or empty, and says where to go on.
//!
//! **Objects** each stand once: see [`objects`](super::objects).

use std::collections::BTreeMap;

use profile_core::model::Visible;
use profile_core::records::{
    Event, Object, RecordKey, Sequence, TenantId, TimelinePosition, Value, folded, held_since,
};
use serde::{Deserialize, Serialize};

use super::objects::{Pinned, Pins};
use super::{Answer, Error, Reader};
use crate::store::{EventFilter, EventPage};

/// How many events are looked at for a page of which some are left out. At half a kilobyte an event
/// this is a megabyte.
const MAX_SCANNED: usize = 2_000;
/// How many of them are read at a time.
const CHUNK: usize = 500;

/// Which part of a timeline to read.
#[derive(Debug, Clone, Default)]
pub struct TimelineQuery {
    /// Types, channels, sources and times.
    pub filter: EventFilter,
    /// Only events of which a text, folded, has this in it, folded.
    pub text: Option<String>,
    /// Events, or objects.
    pub view: TimelineView,
    /// The event types that may be seen of an object; none: all.
    pub visible: Option<Visible>,
    /// The write after which events are read. `None`: the last one.
    pub as_of: Option<Sequence>,
    /// Where to go on; none: the newest.
    pub cursor: Option<TimelineCursor>,
    /// At most so many items.
    pub limit: usize,
    /// Whether events are counted by type. (As the filter says, but for the text.)
    pub counted: Counted,
}

/// Whether events are counted by type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counted {
    /// No.
    #[default]
    No,
    /// All of them, on whichever page.
    ByType,
}

/// What a timeline shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum TimelineView {
    /// Events.
    #[default]
    Events,
    /// Objects, each once; and events that are no object's.
    Objects,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimelineCursor {
    edge: Edge,
    /// Of objects: what their places go by.
    pinned: Option<Pinned>,
}

/// A side of a position.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Edge {
    /// Below it.
    After(TimelinePosition),
    /// At it or above, from the least.
    From(TimelinePosition),
}

/// Something on a timeline.
#[derive(Debug, Clone, PartialEq)]
pub enum TimelineItem {
    /// An event.
    Event(Event),
    /// An object.
    Object(Object),
}

/// A page of a timeline.
#[derive(Debug, Clone, Default)]
pub struct TimelinePage {
    /// Newest first.
    pub items: Vec<TimelineItem>,
    /// Where to go on; none on the last page.
    pub next: Option<TimelineCursor>,
    /// Where the page before is; none on the first.
    pub previous: Option<TimelineCursor>,
    /// How many events there are of each type, where that was asked for.
    pub counts: Vec<(String, i64)>,
    /// Nothing of the page is of a later write.
    pub shown: Sequence,
}

/// What a walk along a timeline found.
#[derive(Default)]
struct Walked {
    /// In the order of the walk.
    items: Vec<TimelineItem>,
    /// The last event that was looked at.
    last: Option<TimelinePosition>,
    /// The first one that was not; none at the end.
    beyond: Option<TimelinePosition>,
}

impl Reader {
    /// Reads a page of the timeline of a profile that was read. Events are read from the store.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn timeline(
        &self,
        tenant: &TenantId,
        profile: &Answer,
        query: &TimelineQuery,
    ) -> Result<TimelinePage, Error> {
        let all = || {
            profile
                .profile
                .records
                .iter()
                .map(|record| record.key.clone())
                .collect()
        };
        let pins = self.pins_of(tenant, profile, query).await?;
        let records: Vec<RecordKey> = pins
            .as_ref()
            .map_or_else(all, |pins| pins.current.iter().cloned().collect());
        let mut query = query.clone();
        query.filter.held_since = pins.as_ref().map_or_else(
            || held_since(&profile.profile.records),
            |pins| pins.held_since.clone(),
        );
        let query = &query;
        let edge = query.cursor.as_ref().map(|cursor| cursor.edge.clone());
        let walked = self
            .walk(tenant, &records, query, pins.as_ref(), edge.clone())
            .await?;
        let pinned = pins.map(|pins| pins.pinned);
        let cursor = |edge| TimelineCursor {
            edge,
            pinned: pinned.clone(),
        };
        let (mut items, on) = (
            walked.items,
            walked.last.filter(|_| walked.beyond.is_some()),
        );
        let (next, previous) = match edge {
            None => (on.map(Edge::After), None),
            Some(Edge::After(top)) => (on.map(Edge::After), Some(Edge::From(top))),
            Some(Edge::From(bottom)) => {
                items.reverse();
                (Some(Edge::After(bottom)), walked.beyond.map(Edge::From))
            }
        };
        let counts = match query.counted {
            Counted::No => Vec::new(),
            Counted::ByType => {
                self.metrics
                    .store(
                        "count_events",
                        self.store.count_events(tenant, &records, &query.filter),
                    )
                    .await?
            }
        };
        let (next, previous) = (next.map(cursor), previous.map(cursor));
        let shown = self.head(tenant).await?;
        Ok(TimelinePage {
            items,
            next,
            previous,
            counts,
            shown,
        })
    }

    /// The types of the events of a profile that was read. None are read where it has none.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn event_types(
        &self,
        tenant: &TenantId,
        profile: &Answer,
        filter: &EventFilter,
    ) -> Result<Vec<String>, Error> {
        let records = profile.profile.records.iter();
        let records: Vec<RecordKey> = records
            .filter(|record| record.has_events)
            .map(|record| record.key.clone())
            .collect();
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let counted = self.store.count_events(tenant, &records, filter);
        let counts = self.metrics.store("count_events", counted).await?;
        Ok(counts.into_iter().map(|(kind, _)| kind).collect())
    }

    /// The basis for the places of objects, if the query asks for objects.
    async fn pins_of(
        &self,
        tenant: &TenantId,
        profile: &Answer,
        query: &TimelineQuery,
    ) -> Result<Option<Pins>, Error> {
        if query.view == TimelineView::Events {
            return Ok(None);
        }
        let cursor = query.cursor.as_ref();
        let pinned = cursor.and_then(|cursor| cursor.pinned.clone());
        let below = match cursor.map(|cursor| &cursor.edge) {
            Some(Edge::After(position)) => Some(position.clone()),
            Some(Edge::From(_)) | None => None,
        };
        let pins = self.pins(tenant, profile.profile.id, pinned, below);
        pins.await.map(Some)
    }

    /// Looks at event after event until there are enough, or enough were looked at.
    async fn walk(
        &self,
        tenant: &TenantId,
        records: &[RecordKey],
        query: &TimelineQuery,
        pins: Option<&Pins>,
        mut edge: Option<Edge>,
    ) -> Result<Walked, Error> {
        let (mut walked, mut scanned) = (Walked::default(), 0);
        let size = if query.leaves_out() {
            CHUNK
        } else {
            query.limit
        };
        loop {
            let page = query.page(edge.as_ref(), size + 1);
            let mut events = self
                .metrics
                .store(
                    "list_events",
                    self.store.list_events(tenant, records, &page),
                )
                .await?;
            walked.beyond = if events.len() > size {
                events.pop().map(|event| event.position())
            } else {
                None
            };
            scanned += events.len();
            for (position, item) in self.items(tenant, events, query, pins).await? {
                if walked.items.len() == query.limit {
                    walked.beyond = Some(position);
                    return Ok(walked);
                }
                walked.last = Some(position);
                walked.items.extend(item);
            }
            let Some(beyond) = &walked.beyond else {
                return Ok(walked);
            };
            if walked.items.len() == query.limit || scanned >= MAX_SCANNED {
                return Ok(walked);
            }
            edge = match edge {
                Some(Edge::From(_)) => Some(Edge::From(beyond.clone())),
                None | Some(Edge::After(_)) => walked.last.clone().map(Edge::After),
            };
        }
    }

    /// What stands at the place of each event; none where it is left out.
    async fn items(
        &self,
        tenant: &TenantId,
        events: Vec<Event>,
        query: &TimelineQuery,
        pins: Option<&Pins>,
    ) -> Result<Vec<(TimelinePosition, Option<TimelineItem>)>, Error> {
        let mut objects = match pins {
            Some(pins) => self.objects_placed(tenant, &events, query, pins).await?,
            None => BTreeMap::new(),
        };
        let item = |event: Event| {
            let position = event.position();
            let item = match &event.meaning.object {
                _ if !query.admits(&event) => None,
                Some(_) if pins.is_some() => objects.remove(&position).map(TimelineItem::Object),
                _ => Some(TimelineItem::Event(event)),
            };
            (position, item)
        };
        Ok(events.into_iter().map(item).collect())
    }
}

impl TimelineQuery {
    /// Whether some of the events that the store lists may not be shown.
    fn leaves_out(&self) -> bool {
        self.view == TimelineView::Objects
            || self.text.is_some()
            || !self.filter.channels.is_empty()
    }

    /// Whether it may read far more than it shows.
    #[must_use]
    pub fn is_heavy(&self) -> bool {
        self.leaves_out() || self.counted == Counted::ByType
    }

    fn page(&self, edge: Option<&Edge>, limit: usize) -> EventPage {
        let (after, from) = match edge.cloned() {
            None => (None, None),
            Some(Edge::After(position)) => (Some(position), None),
            Some(Edge::From(position)) => (None, Some(position)),
        };
        let EventFilter {
            kinds,
            sources,
            start,
            end,
            held_since,
            ..
        } = self.filter.clone();
        EventPage {
            kinds,
            sources,
            start,
            end,
            held_since,
            after,
            from,
            as_of: self.as_of,
            limit,
        }
    }

    /// Whether an event is one of those asked for.
    pub(super) fn admits(&self, event: &Event) -> bool {
        let EventFilter {
            kinds,
            channels,
            sources,
            start,
            end,
            held_since: _,
        } = &self.filter;
        (kinds.is_empty() || kinds.contains(&event.kind))
            && (channels.is_empty()
                || event
                    .meaning
                    .channel
                    .as_ref()
                    .is_some_and(|channel| channels.contains(channel)))
            && start.is_none_or(|start| event.sort_time >= start)
            && end.is_none_or(|end| event.sort_time < end)
            && (sources.is_empty() || sources.iter().any(|source| source == event.source()))
            && self
                .text
                .as_deref()
                .is_none_or(|text| event.properties.values().any(|value| has_text(value, text)))
    }
}

/// Whether a text or a number in a value, folded, has a folded text in it.
fn has_text(value: &Value, text: &str) -> bool {
    match value {
        Value::String(said) => folded(said).contains(text),
        Value::Int(_) | Value::Decimal(_) => value.to_string().contains(text),
        Value::List(values) => values.iter().any(|value| has_text(value, text)),
        Value::Map(entries) => entries.values().any(|value| has_text(value, text)),
        Value::Bool(_) | Value::Time(_) => false,
    }
}
