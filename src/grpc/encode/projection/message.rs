//! The message of a profile within the mask and the purpose.

use std::collections::BTreeSet;

use profile_core::profile::{Derived, Profile};
use profile_core::records::PreferenceKey;

use super::Projection;
use crate::grpc::encode::{Sight, computed_trait, held, record, time, unified};
use crate::grpc::names::profile_name;
use crate::grpc::preferences::encode::{accessibility, preferences};
use crate::grpc::v1;

impl Projection {
    pub(super) fn message(&self, profile: &Profile, sight: &mut Sight<'_>) -> v1::Profile {
        let mut message = v1::Profile {
            name: profile_name(&profile.id),
            revision: profile.revision,
            traits: profile
                .traits
                .iter()
                .filter(|(name, _)| self.has_trait(name) && sight.sees_trait(name))
                .map(|(name, found)| (name.clone(), unified(found)))
                .collect(),
            ..v1::Profile::default()
        };
        self.treatment(profile, sight, &mut message);
        self.derived(profile, sight, &mut message);
        if self.has("create_time") {
            message.create_time = Some(time(profile.create_time));
        }
        if self.has("update_time") {
            message.update_time = Some(time(profile.update_time));
        }
        if self.has("identifiers") {
            let seen = profile
                .identifiers
                .iter()
                .filter(|held| sight.sees_identifier(&held.identifier.kind));
            message.identifiers = seen.map(held).collect();
        }
        if self.has("record_count") {
            message.record_count = i32::try_from(profile.records.len()).unwrap_or(i32::MAX);
        }
        if self.full && self.has("records") {
            message.records = profile.records.iter().map(record).collect();
            if sight.is_bound() {
                for record in &mut message.records {
                    record.traits.retain(|name, _| sight.sees_trait(name));
                    record
                        .identifiers
                        .retain(|held| sight.sees_identifier(&held.r#type));
                }
            }
        }
        message
    }

    /// Values that are computed from all the rest.
    fn derived(&self, profile: &Profile, sight: &mut Sight<'_>, message: &mut v1::Profile) {
        let Derived {
            computed,
            segments,
            undecided_segments,
            ..
        } = &profile.derived;
        let seen = computed
            .iter()
            .filter(|(name, _)| self.has_computed(name) && sight.sees_computed(name));
        message.computed = seen
            .map(|(name, found)| (name.clone(), computed_trait(found)))
            .collect();
        if self.has("segments") {
            message.segments = segments
                .iter()
                .filter(|name| sight.sees_segment(name))
                .cloned()
                .collect();
            let undecided = undecided_segments
                .iter()
                .filter(|name| sight.sees_segment(name));
            message.undecided_segments = undecided.cloned().collect();
        }
    }

    /// How the customer wants to be treated.
    fn treatment(&self, profile: &Profile, sight: &mut Sight<'_>, message: &mut v1::Profile) {
        let stated = sight.preferences(&profile.preferences);
        if stated.is_empty() {
            return;
        }
        let has = |needs: bool| {
            stated
                .keys()
                .any(|key| PreferenceKey::is_accessibility(key) == needs)
        };
        if self.has("accessibility") && has(true) && sight.sees_accessibility() {
            message.accessibility = accessibility(&stated);
        }
        if self.has("preferences") && has(false) && sight.sees_preferences() {
            message.preferences = preferences(&stated);
        }
    }
}

/// Takes the hidden keys of records out of a message.
pub(super) fn hide(message: &mut v1::Profile, hidden: &BTreeSet<String>) {
    if hidden.is_empty() {
        return;
    }
    let of_traits = message
        .traits
        .values_mut()
        .flat_map(|found| &mut found.origins);
    let of_identifiers = message
        .identifiers
        .iter_mut()
        .filter_map(|held| held.origin.as_mut());
    let of_records = message
        .records
        .iter_mut()
        .filter_map(|record| record.record.as_mut());
    let keys = of_traits
        .chain(of_identifiers)
        .filter_map(|origin| origin.record.as_mut())
        .chain(of_records);
    for record in keys.filter(|record| hidden.contains(&record.key)) {
        record.key.clear();
    }
}
