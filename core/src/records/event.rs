//! Events: what has happened, on which record, and its place on a timeline.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Attachment, ContentHash, DraftEvent, EventKey, Meaning, RecordKey, Timestamp, Value};

/// Something that happened. It changes only by a [`Correction`](super::Correction).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Record that it hangs on. Without a key while it waits for one.
    pub record: RecordKey,
    /// The source's id of the event.
    pub event_id: String,
    /// Type of the event.
    #[serde(rename = "type")]
    pub kind: String,
    /// When, in the source's word.
    pub event_time: Option<Timestamp>,
    /// When it came in.
    pub receive_time: Timestamp,
    /// What the timeline sorts by.
    pub sort_time: Timestamp,
    /// What is known of it.
    pub properties: BTreeMap<String, Value>,
    /// Of what the source said.
    pub content: ContentHash,
    /// What its type makes of it.
    #[serde(default, skip_serializing_if = "Meaning::is_empty")]
    pub meaning: Meaning,
    /// How it found its record, or is to find it. `None`: its source names the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment: Option<Box<Attachment>>,
}

impl Event {
    /// Its name within the tenant.
    #[must_use]
    pub fn key(&self) -> EventKey {
        EventKey {
            source: self.source().to_owned(),
            event_id: self.event_id.clone(),
        }
    }

    /// The source that said it: the record's, unless it was attached to one.
    #[must_use]
    pub fn source(&self) -> &str {
        let attachment = self.attachment.as_ref();
        attachment.map_or(&self.record.source, |it| &it.source)
    }

    /// Whether it has no record yet.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.record.key.is_empty()
    }

    /// The record that it hangs on, if it has one.
    #[must_use]
    pub fn home(&self) -> Option<&RecordKey> {
        (!self.is_waiting()).then_some(&self.record)
    }

    /// The same event on a record. `None`: it waits for one.
    #[must_use]
    pub fn attached_to(&self, record: Option<&RecordKey>) -> Self {
        let nowhere = || RecordKey::new(self.source(), "");
        Self {
            record: record.cloned().unwrap_or_else(nowhere),
            ..self.clone()
        }
    }

    /// As it was said.
    #[must_use]
    pub fn draft(&self) -> DraftEvent {
        let said = match &self.attachment {
            Some(attachment) => (RecordKey::new(self.source(), ""), attachment.kinds.clone()),
            None => (self.record.clone(), Vec::new()),
        };
        DraftEvent {
            record: said.0,
            attach: said.1,
            event_id: self.event_id.clone(),
            kind: self.kind.clone(),
            event_time: self.event_time,
            properties: self.properties.clone(),
        }
    }

    /// Its place on a timeline.
    #[must_use]
    pub fn position(&self) -> TimelinePosition {
        TimelinePosition {
            sort_time: self.sort_time,
            source: self.source().to_owned(),
            event_id: self.event_id.clone(),
        }
    }
}

/// A place on a timeline: a property of the event alone, so it stays when profiles merge and split.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TimelinePosition {
    /// First by time,
    pub sort_time: Timestamp,
    /// then by source,
    pub source: String,
    /// then by event id; timelines run from the greatest to the least.
    pub event_id: String,
}
