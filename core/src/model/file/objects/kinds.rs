//! Kinds of objects, as the catalogue and the section on objects know them.

use std::collections::{BTreeMap, BTreeSet};

use super::ObjectKeys;
use crate::model::event::{Catalogue, EventType, PropertyKind};

/// A kind of object, as the catalogue and the section know it.
#[derive(Default)]
pub(super) struct Kind {
    /// The statuses that its event types say.
    pub(super) said: BTreeSet<String>,
    /// Those that follow.
    pub(super) following: BTreeSet<String>,
    /// The place of a status in the lists of its event types.
    pub(super) ranks: BTreeMap<String, u32>,
    /// The kinds that its events name, and whose events name it.
    pub(super) related: BTreeSet<String>,
    /// The properties of its event types.
    pub(super) properties: BTreeSet<String>,
}

/// All kinds of objects of the catalogue, and what the file says of them.
pub(super) fn kinds(
    catalogue: &Catalogue,
    written: &BTreeMap<String, ObjectKeys>,
) -> BTreeMap<String, Kind> {
    let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
    for event_type in catalogue.values() {
        let own = event_type.object.as_ref().map(|own| own.kind.clone());
        let related = event_type.relates.iter().map(|other| &other.kind);
        for other in related.clone() {
            let other = kinds.entry(other.clone()).or_default();
            other.related.extend(own.clone());
        }
        if let Some(own) = own {
            let own = kinds.entry(own).or_default();
            own.related.extend(related.cloned());
            own.hear(event_type);
        }
    }
    for (name, keys) in written {
        if let Some(kind) = kinds.get_mut(name) {
            let statuses = keys.follows.iter().map(|rule| rule.status.value.clone());
            kind.following.extend(statuses);
        }
    }
    kinds
}

impl Kind {
    /// Adds the statuses of an event type.
    fn hear(&mut self, event_type: &EventType) {
        let property = event_type.status.property.as_ref();
        let property = property.and_then(|name| event_type.properties.get(name));
        let texts = property.filter(|property| property.kind == PropertyKind::Text);
        let texts = texts
            .map(|property| property.one_of.as_slice())
            .unwrap_or_default();
        self.properties
            .extend(event_type.properties.keys().cloned());
        self.said.extend(texts.iter().cloned());
        self.said.extend(event_type.status.fixed.clone());
        for (rank, state) in (1..).zip(&event_type.states) {
            self.said.insert(state.clone());
            let known = self.ranks.entry(state.to_ascii_lowercase()).or_default();
            *known = rank.max(*known);
        }
    }

    pub(super) fn has(&self, status: &str) -> bool {
        let all = self.said.iter().chain(&self.following);
        all.into_iter()
            .any(|known| known.eq_ignore_ascii_case(status))
    }
}
