//! How much memory statements take.

use super::{
    Change, ContentHash, Draft, DraftConsent, DraftEvent, DraftPreferences, DraftRecord,
    DraftReplacement, DraftRetraction, Event, Fields, RecordStatement, Statement,
};
use crate::heap_size::{HeapSize, heap_size, plain_size};

plain_size!(ContentHash);

heap_size! {
    DraftPreferences { record, preferences, version, source_time }
    DraftConsent { record, purpose, contact_point, fields, from_list, version, source_time }
    DraftRecord { record, identifiers, traits, clear_identifier_types, clear_traits, version, source_time }
    DraftEvent { record, attach, event_id, kind, event_time, properties }
    DraftRetraction { event, version, source_time }
    DraftReplacement { event, version, source_time }
    RecordStatement { record, change, order, source_time, receive_time, content, draft }
    Fields { identifiers, traits }
    Event { record, event_id, kind, event_time, receive_time, sort_time, properties, content, meaning, attachment }
}

impl HeapSize for Statement {
    fn heap_bytes(&self) -> usize {
        match self {
            Self::Record(statement) => statement.heap_bytes(),
            Self::Event(event) => event.heap_bytes(),
            Self::Correction(correction) => correction.heap_bytes(),
        }
    }
}

impl HeapSize for Draft {
    fn heap_bytes(&self) -> usize {
        match self {
            Self::Upsert(said) | Self::Patch(said) | Self::Delete(said) => said.heap_bytes(),
            Self::Event(said) => said.heap_bytes(),
            Self::Preferences(said) => said.heap_bytes(),
            Self::Consent(said) => said.heap_bytes(),
            Self::Retraction(said) => said.heap_bytes(),
            Self::Replacement(said) => said.heap_bytes(),
        }
    }
}

impl HeapSize for Change {
    fn heap_bytes(&self) -> usize {
        match self {
            Self::Replace(fields) => fields.heap_bytes(),
            Self::Patch {
                identifiers,
                traits,
            } => identifiers.heap_bytes() + traits.heap_bytes(),
            Self::Delete => 0,
            Self::Prefer(preferences) => preferences.heap_bytes(),
            Self::Consent(consent) => consent.heap_bytes(),
        }
    }
}
