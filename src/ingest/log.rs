//! What a write tells the change log, pure: from the rows that it changes.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::records::{
    Event, Identifier, PreferenceKey, ProfileId, ProfileRow, ProfileState, Record, RecordKey,
};

use super::changes::WriteContext;
use crate::changes::CacheKey;
use crate::store::{
    ChangeKind, Changes, CorrectedEvent, IdentityChangeKind, LogEntry, ProfileChange,
};

/// The field that stands for identifiers, for records, and for events.
const IDENTIFIERS: &str = "identifiers";
const RECORDS: &str = "records";
const TIMELINE: &str = "timeline";
/// The field that stands for computed traits.
const COMPUTED: &str = "computed";
/// The field that stands for what was said about purposes.
const CONSENTS: &str = "consents";

/// What was and what is, of all that a write concerns.
pub(crate) struct Sides<'a> {
    /// The records as they were; new ones are not here.
    pub before: &'a dyn Fn(&RecordKey) -> Option<&'a Record>,
    /// The profile that a record is in now.
    pub home: &'a dyn Fn(&RecordKey) -> Option<ProfileId>,
    /// The profiles' rows as they were.
    pub rows: &'a BTreeMap<ProfileId, ProfileRow>,
}

/// The entry of a write.
pub(crate) fn entry(turn: WriteContext<'_>, sides: &Sides<'_>, changes: &Changes) -> Vec<LogEntry> {
    let mut telling = Telling {
        rows: sides.rows,
        changes: BTreeMap::new(),
        keys: BTreeSet::new(),
    };
    for row in changes.added_profiles.iter().chain(&changes.profiles) {
        telling.row(row);
    }
    for record in changes.added_records.iter().chain(&changes.records) {
        telling.record((sides.before)(&record.key), record);
    }
    for (record, _) in &changes.rollups {
        if let Some(home) = (sides.home)(record) {
            telling.say(home, vec![COMPUTED.to_owned()]);
        }
    }
    for change in &changes.identity_changes {
        match change.kind {
            IdentityChangeKind::Merge => telling.of(change.into).merged_from.push(change.from),
            IdentityChangeKind::Split => {
                telling.of(change.into).split_from.push(change.from);
                telling.of(change.from).split_into.push(change.into);
            }
        }
    }
    for event in &changes.events {
        if let Some(home) = (sides.home)(&event.record) {
            telling.event(home, event);
        }
    }
    for CorrectedEvent { before, after } in &changes.corrected_events {
        telling.correction(sides, before.event.as_ref(), after.event.as_ref());
    }
    let Telling { changes, keys, .. } = telling;
    let ids = changes
        .keys()
        .map(|id| CacheKey::Id(*id))
        .collect::<Vec<_>>();
    let keys: BTreeSet<u64> = keys
        .into_iter()
        .chain(ids)
        .map(|key| key.digest(turn.tenant))
        .collect();
    let changes = changes.into_values().map(ProfileChange::in_order).collect();
    LogEntry::of_write(turn.sequence, turn.now, changes, keys.into_iter().collect())
}

struct Telling<'a> {
    rows: &'a BTreeMap<ProfileId, ProfileRow>,
    changes: BTreeMap<ProfileId, ProfileChange>,
    /// Beside those of the profiles.
    keys: BTreeSet<CacheKey>,
}

impl Telling<'_> {
    /// What is told of a profile; as long as nothing else is known, that it stays as it is.
    fn of(&mut self, profile: ProfileId) -> &mut ProfileChange {
        let revision = self.rows.get(&profile).map_or(0, |row| row.revision);
        self.changes
            .entry(profile)
            .or_insert_with(|| ProfileChange::unchanged(profile, revision))
    }

    fn row(&mut self, row: &ProfileRow) {
        let was_live = self
            .rows
            .get(&row.id)
            .is_some_and(|row| row.state == ProfileState::Live);
        let change = self.of(row.id);
        change.revision = row.revision;
        change.kind = match row.state {
            ProfileState::Live if was_live => ChangeKind::Updated,
            ProfileState::Live => ChangeKind::Created,
            ProfileState::MergedInto(into) => ChangeKind::Merged(into),
            ProfileState::Deleted => ChangeKind::Deleted,
        };
    }

    fn record(&mut self, before: Option<&Record>, after: &Record) {
        let was = before.and_then(|record| record.membership.profile);
        let is = after.membership.profile;
        if was == is {
            let Some(home) = is else { return };
            let fields = differing(before, after);
            self.touch_identifiers(before, after);
            return self.say(home, fields);
        }
        if let (Some(home), Some(before)) = (was, before) {
            self.say(home, all_fields(before));
        }
        if let Some(home) = is {
            self.say(home, all_fields(after));
        }
        self.keys.insert(CacheKey::Record(after.key.clone()));
        let both = before.into_iter().chain([after]).flat_map(leading);
        let both = both.map(|(_, identifier)| CacheKey::Identifier(identifier));
        self.keys.extend(both);
    }

    /// Identifiers that a record holds only before or only now lead to more or to fewer.
    fn touch_identifiers(&mut self, before: Option<&Record>, after: &Record) {
        let held: BTreeSet<_> = before.into_iter().flat_map(leading).collect();
        let holds: BTreeSet<_> = leading(after).collect();
        let changed = held.symmetric_difference(&holds).cloned();
        self.keys
            .extend(changed.map(|(_, identifier)| CacheKey::Identifier(identifier)));
    }

    fn say(&mut self, home: ProfileId, fields: Vec<String>) {
        if !fields.is_empty() {
            self.of(home).fields.extend(fields);
        }
    }

    fn event(&mut self, home: ProfileId, event: &Event) {
        let change = self.of(home);
        change.fields.push(TIMELINE.to_owned());
        change.events.push(event.kind.clone());
    }

    /// An event that is gone from where it was, and one that came in its place.
    fn correction(&mut self, sides: &Sides<'_>, was: Option<&Event>, is: Option<&Event>) {
        if was == is {
            return;
        }
        if let Some(event) = was
            && let Some(home) = (sides.home)(&event.record)
        {
            let change = self.of(home);
            change.fields.push(TIMELINE.to_owned());
            change.retracted_events.push(event.kind.clone());
        }
        if let Some(event) = is
            && let Some(home) = (sides.home)(&event.record)
        {
            self.event(home, event);
        }
    }
}

/// The identifiers that lead to a record, each with whether it holds it now.
fn leading(record: &Record) -> impl Iterator<Item = (bool, Identifier)> + '_ {
    let held = record.identifiers().map(|identifier| (true, identifier));
    let former = record.former_identifiers();
    held.chain(former.map(|identifier| (false, identifier)))
}

/// Everything that a record brings to a profile, or takes away.
fn all_fields(record: &Record) -> Vec<String> {
    let traits = record.traits().map(|(name, ..)| format!("traits.{name}"));
    let identifiers = record.identifiers().next().map(|_| IDENTIFIERS.to_owned());
    let timeline = record.has_events.then(|| TIMELINE.to_owned());
    let preferences = record.preferences().map(|(key, ..)| key.field());
    let consents = (!record.consents().is_empty()).then(|| CONSENTS.to_owned());
    traits
        .chain(identifiers)
        .chain(timeline)
        .chain(preferences)
        .chain(consents)
        .chain([RECORDS.to_owned()])
        .collect()
}

/// What a record says differently; that it was said again, if nothing else.
fn differing(before: Option<&Record>, after: &Record) -> Vec<String> {
    let Some(before) = before else {
        return all_fields(after);
    };
    let traits = |record| {
        Record::traits(record)
            .map(|(name, value, _)| (name, value))
            .collect()
    };
    let preferences = |record| {
        Record::preferences(record)
            .map(|(key, value, _)| (key, value))
            .collect()
    };
    let mut fields: Vec<String> = unlike(&traits(before), &traits(after))
        .map(|name| format!("traits.{name}"))
        .collect();
    fields.extend(unlike(&preferences(before), &preferences(after)).map(PreferenceKey::field));
    if before.consents() != after.consents() {
        fields.push(CONSENTS.to_owned());
    }
    if !before.identifier_values().eq(after.identifier_values()) {
        fields.push(IDENTIFIERS.to_owned());
    }
    if fields.is_empty()
        && (!before.says_the_same(after) || before.membership.reason != after.membership.reason)
    {
        fields.push(RECORDS.to_owned());
    }
    fields
}

/// The keys that have another value, or one only before or only now.
fn unlike<'a, K: Ord + Copy + 'a, V: PartialEq>(
    was: &'a BTreeMap<K, V>,
    is: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = K> + 'a {
    let keys: BTreeSet<K> = was.keys().chain(is.keys()).copied().collect();
    keys.into_iter().filter(|key| was.get(key) != is.get(key))
}

impl ProfileChange {
    /// Lists in order, each thing once.
    fn in_order(mut self) -> Self {
        for list in [
            &mut self.fields,
            &mut self.events,
            &mut self.retracted_events,
        ] {
            list.sort_unstable();
            list.dedup();
        }
        for list in [
            &mut self.merged_from,
            &mut self.split_from,
            &mut self.split_into,
        ] {
            list.sort_unstable();
            list.dedup();
        }
        self
    }
}
