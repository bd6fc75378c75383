//! All that one write changes.

mod pieces;

use profile_core::records::rollup::Rollup;
use profile_core::records::{Event, Identifier, KeptEvent, ProfileRow, Record, RecordKey};

use super::{
    Activation, Error, IdentityChange, KeyedRecord, LogEntry, MatchPair, MembershipChange,
    ModelVersion, Result, SearchTerm, StoredCorrection, StoredDecision, StoredRequest,
    StoredStatement,
};

/// All that one write changes, set by set. Rows of one set have distinct keys; no row is in two
/// sets; what is appended or added is not there yet, or the write is refused: the writer has
/// looked, under its turn, and a database inserts faster when it need not look again. A record's
/// profile is live, so the writer names both in one write.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Statements to append.
    pub statements: Vec<StoredStatement>,
    /// Records to add, with their membership.
    pub added_records: Vec<Record>,
    /// Records to insert or replace, with their membership.
    pub records: Vec<Record>,
    /// What the events of records that are there add up to, where nothing else of them changes.
    pub rollups: Vec<(RecordKey, Rollup)>,
    /// Identifiers that records no longer hold.
    pub removed_identifiers: Vec<(Identifier, RecordKey)>,
    /// Identifiers that records hold from now on.
    pub added_identifiers: Vec<(Identifier, RecordKey)>,
    /// Search terms that no longer hold.
    pub removed_terms: Vec<SearchTerm>,
    /// Search terms that hold from now on.
    pub added_terms: Vec<SearchTerm>,
    /// Events to append.
    pub events: Vec<Event>,
    /// Events that change, or come after a correction of them.
    pub corrected_events: Vec<CorrectedEvent>,
    /// Corrections to append.
    pub corrections: Vec<StoredCorrection>,
    /// Profile rows to add.
    pub added_profiles: Vec<ProfileRow>,
    /// Profile rows to insert or replace.
    pub profiles: Vec<ProfileRow>,
    /// Membership changes to append.
    pub memberships: Vec<MembershipChange>,
    /// Versions of the model to add.
    pub models: Vec<ModelVersion>,
    /// The version of the model that is in force from now on.
    pub activation: Option<Activation>,
    /// Match keys that no longer lead to records.
    pub removed_keys: Vec<KeyedRecord>,
    /// Match keys that lead to records from now on.
    pub added_keys: Vec<KeyedRecord>,
    /// Pairs that are no longer alike.
    pub removed_pairs: Vec<MatchPair>,
    /// Pairs to insert or replace.
    pub pairs: Vec<MatchPair>,
    /// Decisions to add.
    pub added_decisions: Vec<StoredDecision>,
    /// Decisions to take back.
    pub withdrawn_decisions: Vec<StoredDecision>,
    /// Requests to remember.
    pub requests: Vec<StoredRequest>,
    /// Merges and splits to append.
    pub identity_changes: Vec<IdentityChange>,
    /// How far counting what was not counted has come.
    pub recount: Option<BackfillProgress>,
    /// This write's entry in the change log; none: an empty one is written.
    pub log: Vec<LogEntry>,
}

impl Changes {
    /// Refuses text that PostgreSQL cannot keep and SQLite would cut short, so that all stores
    /// agree on what they take.
    pub(super) fn refuse_nul(&self) -> Result<()> {
        let keys = self
            .record_keys()
            .flat_map(|key| [&key.source, &key.key])
            .chain(self.names());
        let mut texts = keys.chain(self.descriptions());
        if texts.any(|text| text.contains('\0')) {
            return Err(Error::Refused(
                "a NUL character in a name or key".to_owned(),
            ));
        }
        Ok(())
    }

    /// The keys of records in sets that hold nothing else of free form.
    fn record_keys(&self) -> impl Iterator<Item = &RecordKey> {
        let records = self.added_records.iter().chain(&self.records);
        let statements = self.statements.iter();
        let keyed = self.added_keys.iter().chain(&self.removed_keys);
        let pairs = self.pairs.iter().chain(&self.removed_pairs);
        records
            .map(|record| &record.key)
            .chain(self.rollups.iter().map(|(record, _)| record))
            .chain(statements.map(|statement| &statement.key.record))
            .chain(self.memberships.iter().map(|change| &change.record))
            .chain(keyed.map(|(_, record)| record))
            .chain(pairs.flat_map(|pair| [&pair.left, &pair.right]))
    }

    /// The names and keys of identifiers, search terms and events.
    fn names(&self) -> impl Iterator<Item = &String> {
        let identifiers = self
            .removed_identifiers
            .iter()
            .chain(&self.added_identifiers);
        let terms = self.removed_terms.iter().chain(&self.added_terms);
        identifiers
            .flat_map(|(id, key)| [&id.kind, &id.value, &key.source, &key.key])
            .chain(terms.flat_map(|term| {
                [
                    &term.term,
                    &term.kind,
                    &term.record.source,
                    &term.record.key,
                ]
            }))
            .chain(
                self.events
                    .iter()
                    .chain(
                        self.corrected_events
                            .iter()
                            .filter_map(|e| e.after.event.as_ref()),
                    )
                    .flat_map(|e| [&e.record.source, &e.record.key, &e.event_id, &e.kind]),
            )
    }

    /// The reasons of memberships and the texts of models.
    fn descriptions(&self) -> impl Iterator<Item = &String> {
        let reasons = self.memberships.iter().map(|change| &change.reason);
        let models = self.models.iter();
        reasons.chain(models.flat_map(|model| [&model.file, &model.weights, &model.note]))
    }
}

/// An event with its correction, before and after a write.
#[derive(Debug, Clone, PartialEq)]
pub struct CorrectedEvent {
    /// The state before the write.
    pub before: KeptEvent,
    /// The state after the write.
    pub after: KeptEvent,
}

/// How far counting the events of before a definition has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackfillProgress {
    /// What is counted, as [`Model::counted`](profile_core::model::Model::counted) names it.
    pub definitions: String,
    /// All records up to this one, in order of key, have been gone through.
    pub position: RecordKey,
    /// So many of them had something to be counted.
    pub records: u64,
    /// All have been gone through.
    pub done: bool,
}

impl BackfillProgress {
    /// Nothing has been gone through.
    #[must_use]
    pub fn none() -> Self {
        Self {
            definitions: String::new(),
            position: RecordKey::new("", ""),
            records: 0,
            done: false,
        }
    }

    /// Whether all of this is counted.
    #[must_use]
    pub fn is_done(&self, definitions: &str) -> bool {
        self.done && self.definitions == definitions
    }
}
