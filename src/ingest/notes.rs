//! Notes about what was said and is not used: kept with the ticket of a batch, counted, and logged
//! once for each source, field and reason. A batch without notes costs nothing here.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::{Mutex, PoisonError};

use profile_core::model::{Note, Notes};
use profile_core::records::TenantId;

use crate::telemetry::Metrics;

/// Maximum number of kinds of notes that are logged.
const MAX_LOGGED: usize = 1_000;

/// The notes about a batch, by the place of the statement.
#[derive(Debug, Default)]
pub(super) struct BatchNotes(Vec<(usize, Notes)>);

impl BatchNotes {
    /// Adds the notes about a statement, in order.
    pub(super) fn add(&mut self, place: usize, notes: Notes) {
        self.0.push((place, notes));
    }

    /// The notes about each statement, in order.
    pub(super) fn into_each(self) -> impl Iterator<Item = Notes> {
        let mut notes = self.0.into_iter().peekable();
        (0..).map(move |place| {
            let here = notes.next_if(|(noted, _)| *noted == place);
            here.map(|(_, notes)| notes).unwrap_or_default()
        })
    }
}

/// Which kinds of notes were logged.
#[derive(Debug, Default)]
pub(super) struct NoteLog(Mutex<HashSet<u64>>);

impl NoteLog {
    /// Counts the notes about a statement, and logs those of a new kind.
    pub(super) fn take(&self, tenant: &TenantId, source: &str, notes: &Notes, metrics: &Metrics) {
        for note in &notes.list {
            metrics.ingest_unread(&note.field, note.reason.name(), 1);
            if self.is_new(tenant, source, note) {
                tracing::info!(
                    %tenant,
                    source,
                    field = note.field,
                    reason = note.reason.name(),
                    "values are stored and not used: {}; later ones of this kind are only counted",
                    note.description
                );
            }
        }
        if notes.omitted > 0 {
            metrics.ingest_unread(OTHER_FIELD, OTHER_FIELD, notes.omitted);
        }
    }

    fn is_new(&self, tenant: &TenantId, source: &str, note: &Note) -> bool {
        let kind = (tenant, source, &note.field, note.reason);
        let kind = BuildHasherDefault::<DefaultHasher>::default().hash_one(kind);
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() >= MAX_LOGGED || !logged.insert(kind) {
            return false;
        }
        if logged.len() == MAX_LOGGED {
            tracing::info!("further kinds of values that are not used are only counted");
        }
        true
    }
}

/// The label of fields and reasons that are not counted by themselves.
const OTHER_FIELD: &str = "_OTHER";

#[cfg(test)]
mod tests {
    use profile_core::model::NoteReason;

    use super::*;

    fn note(field: &str) -> Note {
        Note {
            field: field.to_owned(),
            reason: NoteReason::Malformed,
            description: "is no e-mail address".into(),
        }
    }

    #[test]
    fn each_statement_gets_its_own_notes() {
        let mut batch = BatchNotes::default();
        for place in [1, 3] {
            let list = vec![note(&place.to_string())];
            batch.add(place, Notes { list, omitted: 0 });
        }
        let counts: Vec<usize> = batch.into_each().take(5).map(|it| it.list.len()).collect();
        assert_eq!(counts, [0, 1, 0, 1, 0]);
    }

    #[test]
    fn a_kind_of_note_is_logged_once_and_kinds_are_bounded() {
        let (log, tenant) = (NoteLog::default(), TenantId::default());
        assert!(log.is_new(&tenant, "shop", &note("a")));
        assert!(!log.is_new(&tenant, "shop", &note("a")));
        assert!(log.is_new(&tenant, "till", &note("a")));
        let new = (0..2 * MAX_LOGGED)
            .filter(|field| log.is_new(&tenant, "shop", &note(&field.to_string())))
            .count();
        assert_eq!(new, MAX_LOGGED - 2);
    }
}
