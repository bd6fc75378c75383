//! The outcome of a statement: result, notes and violations.

use profile_core::model::{NoteReason, Notes};
use profile_core::records::Violation;

use crate::grpc::names::profile_name;
use crate::grpc::{status, v1};
use crate::ingest::{Outcome, StatementResult};

/// The result of a statement.
pub(in crate::grpc) fn result(result: StatementResult) -> v1::StatementResult {
    let (outcome, violations) = match result.outcome {
        Outcome::Stored | Outcome::StoredWith(_) => (v1::StatementOutcome::Stored, Vec::new()),
        Outcome::Duplicate => (v1::StatementOutcome::Duplicate, Vec::new()),
        Outcome::Rejected(violations) => (v1::StatementOutcome::Rejected, violations),
        // Such a batch fails as a whole; see `Ticket::wait`.
        Outcome::NoRoom => (v1::StatementOutcome::Unspecified, Vec::new()),
    };
    let (notes, omitted_note_count) = notes(result.notes);
    v1::StatementResult {
        outcome: outcome.into(),
        violations: violations.into_iter().map(violation).collect(),
        profile: result
            .profile
            .as_ref()
            .map(profile_name)
            .unwrap_or_default(),
        notes,
        omitted_note_count,
    }
}

/// Notes, and how many more there were.
pub(in crate::grpc) fn notes(notes: Notes) -> (Vec<v1::Note>, i32) {
    let note = |note: profile_core::model::Note| v1::Note {
        field: note.field,
        reason: note_reason(note.reason).into(),
        description: note.description.into_owned(),
    };
    let omitted = i32::try_from(notes.omitted).unwrap_or(i32::MAX);
    (notes.list.into_iter().map(note).collect(), omitted)
}

fn note_reason(reason: NoteReason) -> v1::NoteReason {
    match reason {
        NoteReason::Malformed => v1::NoteReason::Malformed,
        NoteReason::Ambiguous => v1::NoteReason::Ambiguous,
        NoteReason::Incomplete => v1::NoteReason::Incomplete,
        NoteReason::Impossible => v1::NoteReason::Impossible,
        NoteReason::Placeholder => v1::NoteReason::Placeholder,
        NoteReason::Blocked => v1::NoteReason::Blocked,
        NoteReason::Strictest => v1::NoteReason::Strictest,
        NoteReason::UnknownEvent => v1::NoteReason::UnknownEvent,
        NoteReason::Superseded => v1::NoteReason::Superseded,
        NoteReason::FormerHolder => v1::NoteReason::FormerHolder,
        NoteReason::Waiting => v1::NoteReason::Waiting,
        NoteReason::Forgotten => v1::NoteReason::Forgotten,
    }
}

/// The name of a reason in what the command line prints.
pub(crate) fn note_reason_name(reason: v1::NoteReason) -> &'static str {
    let named = NoteReason::ALL
        .iter()
        .find(|(_, known)| note_reason(*known) == reason);
    named.map_or("unspecified", |(name, _)| *name)
}

/// A fault of a field.
pub(in crate::grpc) fn violation(violation: Violation) -> v1::Violation {
    v1::Violation {
        reason: status::reason(violation.reason).into(),
        field: violation.field,
        description: violation.description,
    }
}
