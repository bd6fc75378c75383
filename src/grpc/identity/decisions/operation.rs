//! The operation of a decision: who decides, what is joined, and the verdict.

use profile_core::identity::DecisionKind;
use profile_core::records::{Reason, RecordKey, Violation};

use crate::grpc::checked::{Checked, both, count};
use crate::grpc::{decode, v1};
use crate::ingest::Operation;

/// How many profiles may be merged at once.
const MAX_SOURCES: usize = 50;

/// The longest name of who decides, in bytes.
const MAX_ACTOR_BYTES: usize = 256;

/// The longest reason, in bytes.
const MAX_NOTE_BYTES: usize = 1_024;

/// The person who asks, their reason, and the request id; an empty one only tries.
#[derive(Default)]
pub(in crate::grpc) struct Who {
    pub(in crate::grpc) actor: String,
    pub(in crate::grpc) note: String,
    pub(in crate::grpc) request_id: String,
    pub(in crate::grpc) writes: bool,
}

impl Who {
    pub(in crate::grpc) fn new(
        note: Option<v1::DecisionNote>,
        request_id: String,
        validate_only: bool,
    ) -> Checked<Self> {
        let v1::DecisionNote { actor, note } = note.unwrap_or_default();
        let limit = |field: &str, text: &str, most: usize| {
            if text.len() > most {
                Err(vec![Violation::limit(field, text.len(), most, "bytes")])
            } else if text.contains('\0') {
                Err(vec![Violation::new(
                    Reason::Malformed,
                    field,
                    "must not contain NUL",
                )])
            } else {
                Ok(())
            }
        };
        let texts = both(
            limit("note.actor", &actor, MAX_ACTOR_BYTES),
            limit("note.note", &note, MAX_NOTE_BYTES),
        );
        let id = if validate_only {
            Ok(request_id)
        } else {
            decode::request_id(request_id)
        };
        let (_, request_id) = both(texts, id)?;
        Ok(Self {
            actor,
            note,
            request_id,
            writes: !validate_only,
        })
    }
}

pub(super) fn merge(target: &str, sources: &[String]) -> Checked<Operation> {
    let number = count("sources", sources.len(), MAX_SOURCES, "profiles");
    let ids = sources
        .iter()
        .enumerate()
        .map(|(index, name)| decode::profile(name, &format!("sources[{index}]")));
    let (target, ((), sources)) = both(
        decode::profile(target, "target"),
        both(number, ids.collect()),
    )?;
    Ok(Operation::Merge { target, sources })
}

pub(super) fn record(key: Option<v1::RecordKey>, field: &str) -> Checked<RecordKey> {
    decode::record(key.ok_or_else(|| vec![Violation::required(field)])?, field)
}

pub(super) fn same_record() -> Vec<Violation> {
    vec![Violation::new(
        Reason::Malformed,
        "right",
        "must be another record than `left`",
    )]
}

pub(super) fn kind(verdict: i32) -> Checked<DecisionKind> {
    match v1::CandidateVerdict::try_from(verdict) {
        Ok(v1::CandidateVerdict::Same) => Ok(DecisionKind::MustLink),
        Ok(v1::CandidateVerdict::Different) => Ok(DecisionKind::CannotLink),
        Ok(v1::CandidateVerdict::Unspecified) => Err(vec![Violation::required("verdict")]),
        Err(_) => Err(vec![Violation::new(
            Reason::UnknownEnumValue,
            "verdict",
            "has a value that is not known",
        )]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields of the violations.
    fn fields<T>(checked: Checked<T>) -> Vec<String> {
        let violations = checked.err().unwrap_or_default();
        violations
            .into_iter()
            .map(|violation| violation.field.clone())
            .collect()
    }

    fn profiles(count: usize) -> Vec<String> {
        (0..count)
            .map(|id| format!("profiles/00000000-0000-4000-8000-{id:012}"))
            .collect()
    }

    #[test]
    fn every_fault_of_a_merge_is_named() {
        let target = "profiles/00000000-0000-4000-8000-999999999999";
        assert_eq!(fields(merge(target, &profiles(2))), [""; 0]);
        assert_eq!(fields(merge(target, &profiles(MAX_SOURCES))), [""; 0]);
        assert_eq!(
            fields(merge(target, &profiles(MAX_SOURCES + 1))),
            ["sources"]
        );
        assert_eq!(
            fields(merge("ann", &["bob".to_owned()])),
            ["target", "sources[0]"]
        );
    }

    #[test]
    fn who_decides_and_why_is_bounded_and_has_no_nul() {
        let who = |actor: &str, note: &str| {
            let said = v1::DecisionNote {
                actor: actor.to_owned(),
                note: note.to_owned(),
            };
            fields(Who::new(Some(said), "request-1".to_owned(), false))
        };
        assert_eq!(who("ann", "they are twins"), [""; 0]);
        assert_eq!(who(&"a".repeat(MAX_ACTOR_BYTES), ""), [""; 0]);
        assert_eq!(who(&"a".repeat(MAX_ACTOR_BYTES + 1), ""), ["note.actor"]);
        assert_eq!(who("ann", &"n".repeat(MAX_NOTE_BYTES + 1)), ["note.note"]);
        assert_eq!(who("a\0", "n\0"), ["note.actor", "note.note"]);
    }

    #[test]
    fn a_verdict_is_said_and_known() {
        let of = |verdict: i32| kind(verdict).map_err(|violations| violations[0].reason);
        assert_eq!(
            of(v1::CandidateVerdict::Same.into()),
            Ok(DecisionKind::MustLink)
        );
        assert_eq!(
            of(v1::CandidateVerdict::Different.into()),
            Ok(DecisionKind::CannotLink)
        );
        assert_eq!(of(0), Err(Reason::Required));
        assert_eq!(of(77), Err(Reason::UnknownEnumValue));
    }
}
