//! The fold: from the records of one cluster to the profile that a reader sees. A pure function.

mod cited;
mod derived;
mod group;
mod history;
mod measures;
mod survive;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::heap_size::{heap_size, pack_map, pack_set};
use crate::model::{Model, Normalization};
use crate::records::rollup::{DefinitionId, Rollup};
use crate::records::{
    Identifier, IdentifierValue, Origin, Preferences, ProfileId, Provenance, Record, RecordKey,
    Timestamp, Value, fold_preferences,
};
use survive::fold_traits;

pub use cited::Contributions;
pub use derived::{Computed, Derived, subject};
pub use group::Grouping;
pub use history::{History, LeftOut, Part, one_currency};
pub use measures::{definition_of, measures};
pub use survive::{TraitCandidate, TraitExplanation, explain_traits};

/// A profile, ready to answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Id under which the profile is read.
    pub id: ProfileId,
    /// Grows with every change.
    pub revision: i64,
    /// When the first of its records was first heard of.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
    /// The unified fields by name.
    pub traits: BTreeMap<String, Trait>,
    /// All identifiers, in order.
    pub identifiers: Vec<ProfileIdentifier>,
    /// How the customer wants to be treated. What counts of consent depends on the time: see
    /// [`effective`](crate::records::effective).
    pub preferences: Preferences,
    /// What it is made of, in order of key. What their events add up to is in
    /// [`rollup`](Self::rollup).
    pub records: Vec<Record>,
    /// What the events of all records add up to.
    pub rollup: Rollup,
    /// The definitions that are not complete on some record.
    pub uncounted: BTreeSet<DefinitionId>,
    /// The part of each record in the sum.
    pub contributions: Contributions,
    /// What is derived from all this at a time: to be derived anew when it no longer holds.
    pub derived: Derived,
}

/// A unified field.
#[derive(Debug, Clone, PartialEq)]
pub struct Trait {
    /// The value that survived; a list for `union`.
    pub value: Value,
    /// Who said it; one for each value of a `union`.
    pub origins: Vec<Origin>,
}

/// An identifier of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileIdentifier {
    /// Type and value.
    pub identifier: Identifier,
    /// The value as the source wrote it that said it most recently. `None`: in the normal form.
    pub original: Option<Box<str>>,
    /// Whether the model lets the value identify anybody.
    pub linkable: bool,
    /// Who said it most recently; ties go by trust, then by the least record key.
    pub origin: Origin,
}

impl ProfileIdentifier {
    /// The value as the source wrote it.
    #[must_use]
    pub fn written(&self) -> &str {
        self.original.as_deref().unwrap_or(&self.identifier.value)
    }

    /// The value to contact a customer at: an e-mail address as it was written, as its mailbox may
    /// heed what the normal form leaves out; anything else in the normal form, which can be dialled
    /// everywhere.
    #[must_use]
    pub fn contact_value(&self, model: &Model) -> &str {
        let kind = model.identifiers.get(&self.identifier.kind);
        match kind.map(|kind| &kind.normalization) {
            Some(Normalization::Email { .. }) => self.written(),
            _ => &self.identifier.value,
        }
    }
}

/// What the store keeps of a profile: a name and a number. The rest is folded from its records.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredProfile {
    /// The live id; another than the one asked for where that was merged away.
    pub id: ProfileId,
    /// Its revision.
    pub revision: i64,
    /// When it last changed.
    pub update_time: Timestamp,
    /// Its records, in order of key; never empty.
    pub records: Vec<Record>,
}

impl Profile {
    /// Packs what is to be kept for long, so that it takes the memory that it is counted with.
    pub fn pack(&mut self) {
        self.traits
            .values_mut()
            .for_each(|unified| unified.value.pack());
        pack_map(&mut self.traits);
        pack_map(&mut self.preferences);
        self.records.iter_mut().for_each(Record::pack);
        self.rollup.pack();
        pack_set(&mut self.uncounted);
        self.contributions.pack();
        self.derived.pack();
    }
}

heap_size! {
    Trait { value, origins }
    ProfileIdentifier { identifier, original, linkable, origin }
    Profile {
        id, revision, create_time, update_time, traits, identifiers, preferences, records, rollup, uncounted, contributions,
        derived,
    }
}

/// Folds a profile. Computed traits and segments depend on the time too: see [`Derived::of`].
///
/// # Examples
/// ```
/// use profile_core::model::Model;
/// use profile_core::profile::{StoredProfile, fold};
/// use profile_core::records::{
///     Draft, DraftRecord, ProfileId, Record, RecordKey, Statement, TenantId, Timestamp, Value,
/// };
///
/// let model = Model::parse("traits: { name: }\nsources: { shop: , till: }").expect("a model");
/// let record = |source, name: &str, day: i64| {
///     let received = Timestamp::from_micros(1_767_225_600_000_000 + day * 86_400_000_000);
///     let mut draft = DraftRecord::new(RecordKey::new(source, "1"));
///     draft.traits.insert("name".to_owned(), Value::String(name.to_owned()));
///     draft.source_time = Some(received);
///     let checked = model.check(Draft::Upsert(draft), received).expect("it fits");
///     let Statement::Record(statement) = checked else { panic!("about a record") };
///     let mut record = Record::new(statement.record.clone(), received);
///     record.apply(&statement);
///     record
/// };
/// let records = vec![record("shop", "Ann Smith", 1), record("till", "Ann Jones", 2)];
/// let tenant = TenantId::new("default").expect("a name");
/// let stored = StoredProfile {
///     id: ProfileId::founded_by(&tenant, &records[0].key, 0),
///     revision: 1,
///     update_time: records[1].first_seen,
///     records,
/// };
/// // `keep` is `most_recent` unless the model says otherwise.
/// assert_eq!(fold(stored, &model).traits["name"].value.as_str(), Some("Ann Jones"));
/// ```
#[must_use]
pub fn fold(stored: StoredProfile, model: &Model) -> Profile {
    let StoredProfile {
        id,
        revision,
        update_time,
        mut records,
    } = stored;
    let create_time = records
        .iter()
        .map(|record| record.first_seen)
        .min()
        .unwrap_or(update_time);
    let traits = fold_traits(&records, model);
    let identifiers = fold_identifiers(&records, model);
    let preferences = fold_preferences(&records, &|record| model.trust(&record.source));
    let (rollup, uncounted, contributions) = fold_rollups(&mut records, model);
    let derived = Derived::default();
    Profile {
        id,
        revision,
        create_time,
        update_time,
        traits,
        identifiers,
        preferences,
        records,
        rollup,
        uncounted,
        contributions,
        derived,
    }
}

/// The sum of the records' states, which are taken out of them, the definitions of which some
/// record lacks its part, and what each record brought.
fn fold_rollups(
    records: &mut [Record],
    model: &Model,
) -> (Rollup, BTreeSet<DefinitionId>, Contributions) {
    let (mut sum, mut uncounted) = (Rollup::default(), BTreeSet::new());
    let parts: Vec<Rollup> = records
        .iter_mut()
        .map(|record| std::mem::take(&mut record.rollup))
        .collect();
    for id in model.definitions().map(|definition| definition.id) {
        if sum.get(id).is_some() {
            continue;
        }
        for (record, part) in records.iter().zip(&parts) {
            match (part.get(id), sum.get_mut(id)) {
                (Some(state), Some(sum)) => sum.merge(state),
                (Some(state), None) => sum.set(id, state.clone()),
                (None, _) if record.has_events => {
                    uncounted.insert(id);
                }
                (None, _) => {}
            }
        }
    }
    let contributions = Contributions::of(parts, model);
    (sum, uncounted, contributions)
}

fn fold_identifiers(records: &[Record], model: &Model) -> Vec<ProfileIdentifier> {
    type Sayer<'a> = (&'a IdentifierValue, &'a RecordKey, &'a Provenance);
    let rank = |(_, record, said): &Sayer<'_>| {
        let trust = model.trust(&record.source);
        (said.said_time(), trust, Reverse((*record).clone()))
    };
    let mut sayers: BTreeMap<(&str, &str), Sayer<'_>> = BTreeMap::new();
    for record in records {
        for (kind, held, said) in record.identifiers_said() {
            let sayer = (held, &record.key, said);
            let latest = sayers.entry((kind, &held.value)).or_insert(sayer);
            if rank(latest) < rank(&sayer) {
                *latest = sayer;
            }
        }
    }
    let held = |((kind, value), (held, record, said)): ((&str, &str), Sayer<'_>)| {
        let identifier = Identifier::new(kind, value);
        let linkable = model.links(&identifier);
        ProfileIdentifier {
            identifier,
            original: held.original.clone(),
            linkable,
            origin: Origin::of(record, said),
        }
    };
    sayers.into_iter().map(held).collect()
}

#[cfg(test)]
mod written;
