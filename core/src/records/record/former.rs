//! Values of identifiers that a record held before.
//!
//! People change their address and their number, and what they used the old one for elsewhere is
//! still theirs. So a record keeps the values that it does not say any more: for each the place of
//! the latest statement that says it. That is a function of the set of statements. At most
//! [`MAX_FORMER`] of a type are kept, those said last; a deletion forgets all that was said before
//! it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Provenance, Record};
use crate::heap_size::{heap_size, plain_size};
use crate::records::{Change, Identifier, IdentifierValue, Timestamp};

/// How many former values of an identifier type a record keeps.
pub const MAX_FORMER: usize = 32;

/// The place of a statement among those about its record, but for ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Place(i64, Timestamp);

plain_size!(Place);

fn place(said: &Provenance) -> Place {
    let stamp = said.place();
    Place(stamp.version, stamp.time)
}

/// The values that a record held before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Former {
    /// By type and value, where it was said last.
    #[serde(rename = "v", default, skip_serializing_if = "BTreeMap::is_empty")]
    values: BTreeMap<String, BTreeMap<String, Place>>,
    /// The latest deletion: of what was said before nothing is kept.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    deleted: Option<Place>,
}

heap_size! {
    Former { values, deleted }
}

/// Values that a statement may replace: by type, with the place of the statement that says them.
pub(super) type Held = Vec<(String, Vec<IdentifierValue>, Place)>;

impl Former {
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.deleted.is_none()
    }

    fn forget_before(&mut self, place: Place) {
        self.deleted = self.deleted.max(Some(place));
        for values in self.values.values_mut() {
            values.retain(|_, said| Some(*said) > self.deleted);
        }
        self.values.retain(|_, values| !values.is_empty());
    }

    /// Keeps a value; whether another one had to go.
    fn keep(&mut self, kind: &str, value: &str, place: Place) -> bool {
        if Some(place) <= self.deleted {
            return false;
        }
        let values = self.values.entry(kind.to_owned()).or_default();
        let said = values.entry(value.to_owned()).or_insert(place);
        *said = place.max(*said);
        if values.len() <= MAX_FORMER {
            return false;
        }
        let oldest = values.iter().min_by_key(|(value, said)| (**said, *value));
        if let Some(oldest) = oldest.map(|(value, _)| value.clone()) {
            values.remove(&oldest);
        }
        true
    }

    fn drop(&mut self, kind: &str, value: &str) {
        if let Some(values) = self.values.get_mut(kind) {
            values.remove(value);
            if values.is_empty() {
                self.values.remove(kind);
            }
        }
    }
}

impl Record {
    /// The identifiers that it held before and does not hold now, in order of type and value.
    pub fn former_identifiers(&self) -> impl Iterator<Item = Identifier> + '_ {
        let kinds = self.former.values.iter();
        kinds
            .flat_map(|(kind, values)| values.keys().map(move |value| Identifier::new(kind, value)))
    }

    /// The names under which it is found: those of its identifiers, and of former ones.
    pub fn postings(&self) -> impl Iterator<Item = Identifier> + '_ {
        let former = self.former_identifiers();
        self.identifiers()
            .chain(former.map(|held| held.as_former()))
    }

    /// Whether it held an identifier before, and does not now.
    #[must_use]
    pub fn held_before(&self, identifier: &Identifier) -> bool {
        let values = self.former.values.get(&identifier.kind);
        values.is_some_and(|values| values.contains_key(&identifier.value))
    }

    /// The values that a change may replace.
    pub(super) fn replaceable(&self, change: &Change) -> Held {
        let held = |kind: &String| {
            let cell = self.identifiers.get(kind)?;
            let said = self.said(cell.patch.as_ref())?;
            Some((kind.clone(), cell.value.clone(), place(said)))
        };
        match change {
            Change::Patch { identifiers, .. } => identifiers.keys().filter_map(held).collect(),
            Change::Replace(_) | Change::Delete => {
                self.identifiers.keys().filter_map(held).collect()
            }
            Change::Prefer(_) | Change::Consent(_) => Held::new(),
        }
    }

    /// Keeps what it does not hold any more: of what it held, and of what a statement says that a
    /// later one has replaced already. Answers with the type of which a value had to go.
    pub(super) fn keep_former(
        &mut self,
        held: Held,
        change: &Change,
        said: &Provenance,
    ) -> Option<String> {
        let place = place(said);
        let mut full = None;
        if matches!(change, Change::Delete) {
            self.former.forget_before(place);
        }
        let mut keep = |kind: &str, values: &[IdentifierValue], place| {
            if self.keep_or_drop(kind, values, place) {
                full.get_or_insert_with(|| kind.to_owned());
            }
        };
        for (kind, values, place) in held {
            keep(&kind, &values, place);
        }
        match change {
            Change::Patch { identifiers, .. } => {
                for (kind, values) in identifiers {
                    keep(kind, values, place);
                }
            }
            Change::Replace(fields) => {
                for (kind, values) in &fields.identifiers {
                    keep(kind, values, place);
                }
            }
            Change::Delete | Change::Prefer(_) | Change::Consent(_) => {}
        }
        full
    }

    /// Whether a value had to go.
    fn keep_or_drop(&mut self, kind: &str, values: &[IdentifierValue], place: Place) -> bool {
        let mut full = false;
        for IdentifierValue { value, .. } in values {
            let cell = self.identifiers.get(kind);
            let holds = cell.is_some_and(|cell| cell.value.iter().any(|held| held.value == *value));
            if holds {
                self.former.drop(kind, value);
            } else {
                full |= self.former.keep(kind, value, place);
            }
        }
        full
    }
}
