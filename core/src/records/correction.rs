//! Corrections: an event is taken back, or another event is put in its place, by its key.
//!
//! Under a key the latest correction holds, or the event itself where there is none.
//! Corrections are put in order as statements about a record are: by version, time and content
//! ([`Provenance::place`]); the event itself is older than all of them. Taking the later of two is
//! commutative, associative and idempotent, so a correction that comes before its event gives the
//! same as one that comes after it.

use serde::{Deserialize, Serialize};

use super::statement::{DraftReplacement, DraftRetraction};
use super::{ContentHash, Draft, Event, EventKey, Provenance, Timestamp, VersionStamp};
use crate::heap_size::{HeapSize, heap_size, plain_size};

/// A checked correction.
#[derive(Debug, Clone, PartialEq)]
pub struct Correction {
    /// The event that it is about.
    pub key: EventKey,
    /// The change that it makes.
    pub change: EventChange,
    /// Its place among the corrections of the event. `None`: after all that came before.
    pub order: Option<(i64, Timestamp)>,
    /// Version, as the source said it; 0 when it has none.
    pub version: i64,
    /// When the source said so.
    pub source_time: Option<Timestamp>,
    /// When it came in.
    pub receive_time: Timestamp,
    /// Of what it says, without version and times.
    pub content: ContentHash,
}

/// The change that a correction makes.
#[derive(Debug, Clone, PartialEq)]
pub enum EventChange {
    /// It did not happen.
    Retract,
    /// This is what happened.
    Replace(Box<Event>),
}

impl Correction {
    /// As it was said.
    #[must_use]
    pub fn draft(&self) -> Draft {
        let (version, source_time) = (self.version, self.source_time);
        match &self.change {
            EventChange::Retract => Draft::Retraction(DraftRetraction {
                event: self.key.clone(),
                version,
                source_time,
            }),
            EventChange::Replace(event) => Draft::Replacement(DraftReplacement {
                event: event.draft(),
                version,
                source_time,
            }),
        }
    }

    /// The event that it puts in the place of the other.
    #[must_use]
    pub fn event(&self) -> Option<&Event> {
        match &self.change {
            EventChange::Retract => None,
            EventChange::Replace(event) => Some(event),
        }
    }
}

/// The correction that holds under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectionMark {
    /// Its place, its time and its receipt.
    #[serde(rename = "p")]
    pub said: Provenance,
    /// The content of the event itself. `None`: it has not come yet.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub original: Option<ContentHash>,
}

/// An event with its correction, by key.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptEvent {
    /// The source and the id of the event.
    pub key: EventKey,
    /// What happened. `None`: it was taken back, or nothing is known under the key.
    pub event: Option<Event>,
    /// The correction that holds, if there is one.
    pub correction: Option<CorrectionMark>,
}

/// The effect of a statement on a [`KeptEvent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventTaken {
    /// It holds now.
    Holds,
    /// A later correction holds.
    Superseded,
    /// It was said before.
    Known,
    /// An event with other content has the id.
    Reused,
}

impl KeptEvent {
    /// Nothing is known under the key.
    #[must_use]
    pub fn unknown(key: EventKey) -> Self {
        Self {
            key,
            event: None,
            correction: None,
        }
    }

    /// Whether nothing was ever said under the key.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.event.is_none() && self.correction.is_none()
    }

    /// The content of the event itself, corrected or not, if it has come.
    #[must_use]
    pub fn original(&self) -> Option<ContentHash> {
        match &self.correction {
            Some(mark) => mark.original,
            None => self.event.as_ref().map(|event| event.content),
        }
    }

    /// Takes the event itself in.
    pub fn take_event(&mut self, event: &Event) -> EventTaken {
        match self.original() {
            Some(content) if content == event.content => EventTaken::Known,
            Some(_) => EventTaken::Reused,
            None => {
                if let Some(mark) = &mut self.correction {
                    mark.original = Some(event.content);
                    return EventTaken::Superseded;
                }
                self.event = Some(event.clone());
                EventTaken::Holds
            }
        }
    }

    /// The stamp of a correction: its own, or one after all others.
    #[must_use]
    pub fn stamp(&self, correction: &Correction) -> VersionStamp {
        let last = self.correction.map(|mark| mark.said.place());
        let undated = || match last {
            Some(last) => {
                let after = Timestamp::from_micros(last.time.as_micros() + 1);
                (last.version, after.max(correction.receive_time))
            }
            None => (0, correction.receive_time),
        };
        let (version, time) = correction.order.unwrap_or_else(undated);
        VersionStamp {
            version,
            time,
            content: correction.content,
        }
    }

    /// Whether a correction only repeats the one that holds.
    #[must_use]
    pub fn repeats(&self, correction: &Correction) -> bool {
        self.correction.is_some_and(|mark| {
            mark.said.stamp.content == correction.content
                && (correction.order.is_none() || mark.said.stamp == self.stamp(correction))
        })
    }

    /// Takes a correction in.
    pub fn take_correction(&mut self, correction: &Correction) -> EventTaken {
        if self.repeats(correction) {
            return EventTaken::Known;
        }
        let said = Provenance {
            stamp: self.stamp(correction),
            source_time: correction.source_time,
            receive_time: correction.receive_time,
        };
        let later = |mark: &CorrectionMark| mark.said.place() > said.place();
        if self.correction.as_ref().is_some_and(later) {
            return EventTaken::Superseded;
        }
        let original = self.original();
        self.correction = Some(CorrectionMark { said, original });
        self.event = correction.event().cloned();
        EventTaken::Holds
    }
}

plain_size!(CorrectionMark);

heap_size! {
    Correction { key, change, order, version, source_time, receive_time, content }
    EventKey { source, event_id }
}

impl HeapSize for EventChange {
    fn heap_bytes(&self) -> usize {
        match self {
            Self::Retract => 0,
            Self::Replace(event) => size_of::<Event>() + event.heap_bytes(),
        }
    }
}

#[cfg(test)]
mod tests;
