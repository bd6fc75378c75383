//! The records that something rests on, the most telling first.

use profile_core::model::{Definition, Mention, Segment};
use profile_core::profile::{Part, definition_of};
use profile_core::records::RecordKey;

use super::Telling;
use crate::grpc::encode::key;
use crate::grpc::v1;

/// Maximum number of records that are cited for one thing.
const MAX_RECORDS: usize = 5;

impl Telling<'_> {
    /// The records whose events are counted by a definition.
    pub(super) fn counted(&self, definition: Option<&Definition>) -> Vec<v1::RecordKey> {
        let counted = |definition| self.profile.records_counted(definition, self.now);
        self.cited(definition.map(counted).into_iter().flatten())
    }

    /// The records that a segment rests on: those of what its condition names; where nothing is
    /// known of that, all.
    pub(super) fn rested_on(&self, segment: &str) -> Vec<v1::RecordKey> {
        let profile = self.profile;
        let mut found: Vec<&RecordKey> = Vec::new();
        let mentions = self.model.segments.get(segment);
        for Mention { subject, path } in mentions.into_iter().flat_map(Segment::mentions) {
            let name = path.first().map_or("", String::as_str);
            match *subject {
                "traits" => {
                    let origins = profile.traits.get(name).into_iter();
                    found.extend(origins.flat_map(|it| &it.origins).map(|it| &it.record));
                }
                "computed" => {
                    let definition = self.model.computed.get(name);
                    let counted = definition.map(|it| profile.records_counted(it, self.now));
                    found.extend(counted.into_iter().flatten());
                }
                "experience" => {
                    let part = Part::of_metric(name);
                    let definition = part
                        .zip(self.model.experience.as_ref())
                        .and_then(|(part, experience)| definition_of(experience, part));
                    let counted = definition.map(|it| profile.records_counted(it, self.now));
                    found.extend(counted.into_iter().flatten());
                }
                _ => {
                    let stated = profile.preferences.iter();
                    let named = stated.filter(|(key, _)| key.to_string().starts_with(name));
                    let origins = named.flat_map(|(_, stated)| &stated.origins);
                    found.extend(origins.map(|origin| &origin.record));
                }
            }
        }
        if found.is_empty() {
            found.extend(profile.records.iter().map(|record| &record.key));
        }
        self.cited(found.into_iter())
    }

    /// The first of some records, each once, in their order.
    pub(super) fn cited<'k>(
        &self,
        records: impl Iterator<Item = &'k RecordKey>,
    ) -> Vec<v1::RecordKey> {
        let mut found: Vec<&RecordKey> = Vec::new();
        for record in records {
            if found.len() < MAX_RECORDS && !found.contains(&record) {
                found.push(record);
            }
        }
        self.hiding(found.into_iter().map(key))
    }

    /// Records without the keys that are hidden.
    pub(super) fn hiding(
        &self,
        records: impl Iterator<Item = v1::RecordKey>,
    ) -> Vec<v1::RecordKey> {
        let told = |mut told: v1::RecordKey| {
            if self.hidden.contains(&told.key) {
                told.key.clear();
            }
            told
        };
        records.map(told).collect()
    }
}
