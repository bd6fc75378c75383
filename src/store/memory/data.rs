//! What is kept of a tenant, and how a write changes it.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::profile::StoredProfile;
use profile_core::records::{
    CorrectionMark, Event, EventKey, Identifier, KeptEvent, ProfileId, Record, RecordKey, Sequence,
};

use super::past::PastData;
use crate::store::footprint::Footprint;
use crate::store::{
    Activation, AsOf, BackfillProgress, Changes, CorrectedEvent, CorrectionKey, Error,
    IdentityChange, KeyedRecord, LogEntry, LogPosition, Match, MatchPair, MembershipChange,
    ModelVersion, ProfileRow, ProfileState, Result, SearchTerm, StatementKey, StoredCorrection,
    StoredDecision, StoredErasure, StoredModel, StoredRequest, StoredStatement, Tombstone,
    TombstoneKey, Way, WriteMark, WriteTurn,
};

/// All that is kept of a tenant.
#[derive(Default, Clone)]
pub(super) struct Data {
    pub(super) sequence: Sequence,
    pub(super) statements: BTreeMap<StatementKey, StoredStatement>,
    pub(super) records: BTreeMap<RecordKey, Record>,
    /// Derived from the records.
    pub(super) members: BTreeSet<(ProfileId, RecordKey)>,
    pub(super) identifiers: BTreeSet<(Identifier, RecordKey)>,
    pub(super) terms: BTreeSet<SearchTerm>,
    pub(super) events: BTreeMap<EventKey, Event>,
    /// Corrections that hold, also of events that have not come.
    pub(super) corrected: BTreeMap<EventKey, CorrectionMark>,
    /// Corrections as they were said.
    pub(super) corrections: BTreeMap<CorrectionKey, StoredCorrection>,
    /// The writes that stored them.
    pub(super) event_sequences: BTreeMap<EventKey, Sequence>,
    pub(super) profiles: BTreeMap<ProfileId, ProfileRow>,
    pub(super) memberships: BTreeMap<(RecordKey, Sequence), MembershipChange>,
    pub(super) keys: BTreeSet<KeyedRecord>,
    pub(super) pairs: BTreeMap<(RecordKey, RecordKey), MatchPair>,
    pub(super) decisions: BTreeMap<String, StoredDecision>,
    pub(super) requests: BTreeMap<String, StoredRequest>,
    pub(super) identity_changes: BTreeMap<(Sequence, i32), IdentityChange>,
    pub(super) models: BTreeMap<i64, ModelVersion>,
    pub(super) activations: BTreeMap<i64, Activation>,
    pub(super) log: BTreeMap<LogPosition, LogEntry>,
    /// The footprint of each write.
    pub(super) footprints: BTreeMap<Sequence, Footprint>,
    pub(super) recount: Option<BackfillProgress>,
    /// The key of tombstones, from the first erasure on.
    pub(super) tombstone_key: Option<TombstoneKey>,
    /// With the erasure of each.
    pub(super) tombstones: BTreeMap<Tombstone, String>,
    pub(super) erasures: BTreeMap<String, StoredErasure>,
    pub(super) past: PastData,
}

impl Data {
    pub(super) fn as_of<T>(&self, value: T) -> AsOf<T> {
        AsOf {
            sequence: self.sequence,
            model_version: self.model_version(),
            value,
        }
    }

    /// The event of a key with its correction, if anything is known of it.
    pub(super) fn kept_event(&self, key: &EventKey) -> Option<KeptEvent> {
        let kept = KeptEvent {
            key: key.clone(),
            event: self.events.get(key).cloned(),
            correction: self.corrected.get(key).copied(),
        };
        (!kept.is_unknown()).then_some(kept)
    }

    /// The turn of the next write.
    pub(super) fn next_turn(&self) -> WriteTurn {
        WriteTurn {
            sequence: Sequence(self.sequence.0 + 1),
            model_version: self.model_version(),
            not_before: self.past.last_time(),
            tombstone_key: self.tombstone_key,
        }
    }

    /// Versions come into force in order.
    pub(super) fn model_version(&self) -> i64 {
        self.activations.keys().next_back().copied().unwrap_or(0)
    }

    pub(super) fn stored_model(&self, version: i64) -> Option<StoredModel> {
        let model = self.models.get(&version)?.clone();
        Some(StoredModel {
            model,
            activation: self.activations.get(&version).copied(),
        })
    }

    pub(super) fn profile_of(&self, record: &RecordKey) -> Option<ProfileId> {
        self.records.get(record)?.membership.profile
    }

    pub(super) fn holders<'a>(
        &'a self,
        identifier: &'a Identifier,
    ) -> impl Iterator<Item = &'a RecordKey> {
        let least = (identifier.clone(), RecordKey::new("", ""));
        self.identifiers
            .range(least..)
            .take_while(move |(held, _)| held == identifier)
            .map(|(_, record)| record)
    }

    /// Follows the redirect, if there is one.
    pub(super) fn live(&self, id: ProfileId) -> Option<&ProfileRow> {
        let row = self.profiles.get(&id)?;
        match row.state {
            ProfileState::Live => Some(row),
            ProfileState::MergedInto(survivor) => self
                .profiles
                .get(&survivor)
                .filter(|row| row.state == ProfileState::Live),
            ProfileState::Deleted => None,
        }
    }

    pub(super) fn stored_profile(&self, id: ProfileId) -> Option<StoredProfile> {
        let row = self.live(id)?;
        let members = self.members.range((row.id, RecordKey::new("", ""))..);
        let records: Vec<Record> = members
            .take_while(|(profile, _)| *profile == row.id)
            .filter_map(|(_, key)| self.records.get(key).cloned())
            .collect();
        let profile = StoredProfile {
            id: row.id,
            revision: row.revision,
            update_time: row.update_time,
            records,
        };
        (!profile.records.is_empty()).then_some(profile)
    }

    /// The profiles with a term of one of the ways, and the surest of them for each trait.
    pub(super) fn said(&self, ways: &[Way]) -> BTreeMap<ProfileId, BTreeMap<String, Match>> {
        let mut found: BTreeMap<ProfileId, BTreeMap<String, Match>> = BTreeMap::new();
        for term in &self.terms {
            let fits = |way: &&Way| match way.found {
                Match::Prefix => term.term.starts_with(&way.text),
                Match::Exact | Match::Phonetic | Match::Typo => term.term == way.text,
            };
            let surest = ways.iter().filter(fits).map(|way| way.found).min();
            if let (Some(surest), Some(profile)) = (surest, self.profile_of(&term.record)) {
                let best = found
                    .entry(profile)
                    .or_default()
                    .entry(term.kind.clone())
                    .or_insert(surest);
                *best = surest.min(*best);
            }
        }
        found
    }

    /// Applies all changes of a write that are not refused.
    pub(super) fn commit<'a>(
        &mut self,
        mark: WriteMark,
        all: impl Iterator<Item = &'a Changes>,
        footprint: Footprint,
    ) {
        let mut logged = false;
        for changes in all {
            self.apply(mark.sequence, changes);
            self.past.keep(mark, changes);
            logged = !changes.log.is_empty();
        }
        if !logged {
            let entry = LogEntry::of_write(mark.sequence, mark.time, Vec::new(), Vec::new());
            let entry = entry.into_iter().map(|entry| (entry.position(), entry));
            self.log.extend(entry);
        }
        self.footprints.insert(mark.sequence, footprint);
        self.sequence = mark.sequence;
    }

    /// What a database's primary keys would not let in.
    pub(super) fn refuse(&self, changes: &Changes) -> Result<()> {
        changes.refuse_nul()?;
        self.refuse_history(changes)?;
        self.refuse_rows(changes)?;
        self.refuse_decisions(changes)?;
        self.refuse_models(changes)
    }

    fn refuse_history(&self, changes: &Changes) -> Result<()> {
        refuse_if(
            changes
                .statements
                .iter()
                .any(|statement| self.statements.contains_key(&statement.key)),
            "a statement is stored already",
        )?;
        refuse_if(
            changes
                .events
                .iter()
                .any(|event| self.kept_event(&event.key()).is_some()),
            "an event is stored already",
        )?;
        refuse_if(
            changes
                .corrections
                .iter()
                .any(|stored| self.corrections.contains_key(&stored.key)),
            "a correction is stored already",
        )?;
        refuse_if(
            changes.memberships.iter().any(|m| {
                self.memberships
                    .contains_key(&(m.record.clone(), m.sequence))
            }),
            "a membership is stored already",
        )
    }

    fn refuse_rows(&self, changes: &Changes) -> Result<()> {
        refuse_if(
            changes
                .added_records
                .iter()
                .any(|record| self.records.contains_key(&record.key)),
            "a record is stored already",
        )?;
        refuse_if(
            changes
                .added_profiles
                .iter()
                .any(|row| self.profiles.contains_key(&row.id)),
            "a profile is stored already",
        )?;
        refuse_if(
            changes
                .added_identifiers
                .iter()
                .any(|held| self.identifiers.contains(held)),
            "an identifier is stored already",
        )?;
        refuse_if(
            changes
                .added_terms
                .iter()
                .any(|term| self.terms.contains(term)),
            "a search term is stored already",
        )?;
        refuse_if(
            changes
                .added_keys
                .iter()
                .any(|keyed| self.keys.contains(keyed)),
            "a match key is stored already",
        )
    }

    fn refuse_decisions(&self, changes: &Changes) -> Result<()> {
        refuse_if(
            changes
                .added_decisions
                .iter()
                .any(|stored| self.decisions.contains_key(&stored.decision.id)),
            "a decision is stored already",
        )?;
        refuse_if(
            changes
                .requests
                .iter()
                .any(|request| self.requests.contains_key(&request.request_id)),
            "a request is stored already",
        )
    }

    fn refuse_models(&self, changes: &Changes) -> Result<()> {
        refuse_if(
            changes
                .models
                .iter()
                .any(|model| self.models.contains_key(&model.version)),
            "a version of the model is stored already",
        )?;
        refuse_if(
            changes
                .activation
                .is_some_and(|activation| self.activations.contains_key(&activation.version)),
            "a version of the model was in force already",
        )
    }

    pub(super) fn apply(&mut self, sequence: Sequence, changes: &Changes) {
        self.apply_history(sequence, changes);
        self.apply_records(changes);
        self.apply_lookups(changes);
        self.apply_matching(changes);
        self.apply_decisions(changes);
        self.apply_models(changes);
        self.log.extend(
            changes
                .log
                .iter()
                .map(|entry| (entry.position(), entry.clone())),
        );
    }

    fn apply_history(&mut self, sequence: Sequence, changes: &Changes) {
        self.statements.extend(
            changes
                .statements
                .iter()
                .map(|s| (s.key.clone(), s.clone())),
        );
        self.event_sequences
            .extend(changes.events.iter().map(|event| (event.key(), sequence)));
        self.events.extend(
            changes
                .events
                .iter()
                .map(|event| (event.key(), event.clone())),
        );
        for CorrectedEvent { after, .. } in &changes.corrected_events {
            let (key, mark) = (after.key.clone(), after.correction);
            self.events.remove(&key);
            self.events
                .extend(after.event.clone().map(|event| (key.clone(), event)));
            self.event_sequences.insert(key.clone(), sequence);
            self.corrected.extend(mark.map(|mark| (key, mark)));
        }
        let stored = changes.corrections.iter();
        self.corrections
            .extend(stored.map(|stored| (stored.key.clone(), stored.clone())));
        self.memberships.extend(
            changes
                .memberships
                .iter()
                .map(|m| ((m.record.clone(), m.sequence), m.clone())),
        );
    }

    fn apply_records(&mut self, changes: &Changes) {
        self.profiles.extend(
            changes
                .added_profiles
                .iter()
                .chain(&changes.profiles)
                .map(|row| (row.id, row.clone())),
        );
        for record in changes.added_records.iter().chain(&changes.records) {
            let before = self.records.insert(record.key.clone(), record.clone());
            if let Some(profile) = before.and_then(|record| record.membership.profile) {
                self.members.remove(&(profile, record.key.clone()));
            }
            self.members.extend(
                record
                    .membership
                    .profile
                    .map(|profile| (profile, record.key.clone())),
            );
        }
        for (key, rollup) in &changes.rollups {
            if let Some(record) = self.records.get_mut(key) {
                record.rollup = rollup.clone();
            }
        }
    }

    fn apply_lookups(&mut self, changes: &Changes) {
        for removed in &changes.removed_identifiers {
            self.identifiers.remove(removed);
        }
        self.identifiers
            .extend(changes.added_identifiers.iter().cloned());
        for removed in &changes.removed_terms {
            self.terms.remove(removed);
        }
        self.terms.extend(changes.added_terms.iter().cloned());
    }

    fn apply_matching(&mut self, changes: &Changes) {
        for removed in &changes.removed_keys {
            self.keys.remove(removed);
        }
        self.keys.extend(changes.added_keys.iter().cloned());
        for removed in &changes.removed_pairs {
            self.pairs
                .remove(&(removed.left.clone(), removed.right.clone()));
        }
        self.pairs.extend(
            changes
                .pairs
                .iter()
                .map(|pair| ((pair.left.clone(), pair.right.clone()), pair.clone())),
        );
    }

    fn apply_decisions(&mut self, changes: &Changes) {
        let decisions = changes
            .added_decisions
            .iter()
            .chain(&changes.withdrawn_decisions);
        self.decisions
            .extend(decisions.map(|stored| (stored.decision.id.clone(), stored.clone())));
        self.requests.extend(
            changes
                .requests
                .iter()
                .map(|request| (request.request_id.clone(), request.clone())),
        );
        self.identity_changes.extend(
            changes
                .identity_changes
                .iter()
                .map(|change| ((change.sequence, change.ordinal), change.clone())),
        );
    }

    fn apply_models(&mut self, changes: &Changes) {
        self.models.extend(
            changes
                .models
                .iter()
                .map(|model| (model.version, model.clone())),
        );
        self.activations.extend(
            changes
                .activation
                .map(|activation| (activation.version, activation)),
        );
        self.recount = changes.recount.clone().or(self.recount.take());
    }
}

fn refuse_if(is_stored: bool, what: &str) -> Result<()> {
    if is_stored {
        return Err(Error::Refused(what.to_owned()));
    }
    Ok(())
}
