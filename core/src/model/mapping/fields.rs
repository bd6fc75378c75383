//! Which fields of a payload a mapping reads, so that a file can be compared with it.

use std::collections::BTreeSet;

use super::{EventMapping, Kind, RecordMapping};
use crate::model::Model;
use crate::model::expression::{Expression, FieldRead};
use crate::records::Violation;

/// The fields of a payload that a mapping reads, by their names at the top.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MappedFields {
    /// Fields that it reads as they are.
    pub required: BTreeSet<String>,
    /// Fields that it reads if they are there: `has(payload.x)`, `payload.?x`.
    pub optional: BTreeSet<String>,
    /// Whether it reads the payload as a whole, and so perhaps any field.
    pub whole: bool,
}

impl MappedFields {
    /// Whether it may read a field of this name.
    #[must_use]
    pub fn may_read(&self, name: &str) -> bool {
        self.whole || self.required.contains(name) || self.optional.contains(name)
    }

    /// Whether it may read any of these fields.
    #[must_use]
    pub fn reads_any_of(&self, names: &BTreeSet<&str>) -> bool {
        names.iter().any(|name| self.may_read(name))
    }
}

impl Kind {
    fn fields(&self) -> MappedFields {
        let mut fields = MappedFields::default();
        let records = self.record.iter().flat_map(RecordMapping::expressions);
        let events = self.events.iter().flat_map(EventMapping::expressions);
        for read in records.chain(events).flat_map(Expression::fields_read) {
            match read {
                FieldRead::Required(name) => drop(fields.required.insert(name)),
                FieldRead::Optional(name) => drop(fields.optional.insert(name)),
                FieldRead::Whole => fields.whole = true,
            }
        }
        // An element of a list is no field.
        let loops = self
            .events
            .iter()
            .filter_map(|event| event.for_each.as_ref());
        for each in loops {
            fields.required.remove(&each.name);
            fields.optional.remove(&each.name);
        }
        let optional = &fields.optional;
        fields.required.retain(|name| !optional.contains(name));
        fields
    }
}

impl Model {
    /// The fields that the mapping of a kind of payloads reads.
    ///
    /// # Errors
    /// The source or the kind is not declared.
    pub fn mapped_fields(&self, source: &str, kind: &str) -> Result<MappedFields, Violation> {
        self.kind(source, kind).map(Kind::fields)
    }
}
