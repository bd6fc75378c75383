//! Versions, plans and mistakes of models on the wire.

use profile_core::model::ModelError;
use profile_core::model::matching::Subject;
use profile_core::records::RecordKey;

use crate::full_resolution::{
    Difference, IdentifierChange, Move, ProfileChange, Refusal, Size, TraitChange,
};
use crate::grpc::encode::{self, time};
use crate::grpc::names::profile_name;
use crate::grpc::{bounded, v1};
use crate::rollout::Plan;
use crate::store::StoredModel;

/// Maximum number of mistakes of a model file in one message: as many as its reader notes, and its
/// note on the rest.
const MAX_MISTAKES: usize = 1_001;
/// Maximum number of bytes of a mistake's text.
const MAX_MISTAKE_BYTES: usize = 2_000;

/// The mistakes of a model file, as many as fit a message.
pub(super) fn mistakes(all: &[ModelError]) -> v1::ModelMistakes {
    let of = |mistake: &ModelError| v1::ModelMistake {
        line: i32::try_from(mistake.line).unwrap_or(i32::MAX),
        column: i32::try_from(mistake.column).unwrap_or(i32::MAX),
        path: bounded::shortened(&mistake.path, MAX_MISTAKE_BYTES).into_owned(),
        description: bounded::shortened(&mistake.message, MAX_MISTAKE_BYTES).into_owned(),
    };
    v1::ModelMistakes {
        mistakes: all.iter().take(MAX_MISTAKES).map(of).collect(),
        mistake_count: count(all.len()),
    }
}

/// A version on the wire. `in_force` is the number of the active version.
pub(super) fn version_of(stored: StoredModel, in_force: i64, with_file: bool) -> v1::ModelVersion {
    let StoredModel { model, activation } = stored;
    let origin = match model.learned_from().map(|learned| learned.subject) {
        _ if model.weights.is_empty() => v1::WeightsOrigin::Shipped,
        Some(Subject::Frequencies) => v1::WeightsOrigin::LearnedFrequencies,
        Some(Subject::Everything) | None => v1::WeightsOrigin::Trained,
    };
    v1::ModelVersion {
        version: model.version,
        file: if with_file { model.file } else { String::new() },
        weights_origin: origin.into(),
        create_time: Some(time(model.create_time)),
        activate_time: activation.map(|activation| time(activation.time)),
        in_force: model.version == in_force,
        note: model.note,
    }
}

/// The changes that a model would make.
pub(super) fn plan(plan: Plan) -> v1::ModelPlan {
    let Plan {
        base_version,
        unchanged,
        difference,
    } = plan;
    let Difference {
        merges,
        splits,
        changes,
        refusals,
        identifier_changes,
        largest,
        ..
    } = difference;
    v1::ModelPlan {
        base_version,
        unchanged,
        record_count: count(difference.records),
        profile_count_before: count(difference.profiles_before),
        profile_count_after: count(difference.profiles_after),
        merged_profile_count: count(difference.merged),
        split_profile_count: count(difference.split),
        deleted_profile_count: count(difference.deleted),
        changed_profile_count: count(difference.changed),
        moved_record_count: count(difference.moved),
        refused_statement_count: count(difference.refused),
        accepted_statement_count: count(difference.accepted),
        changed_identifier_count: count(difference.identifiers),
        added_term_count: count(difference.added_terms),
        removed_term_count: count(difference.removed_terms),
        merges: merges.into_iter().map(moved).collect(),
        splits: splits.into_iter().map(moved).collect(),
        changes: changes.iter().map(change).collect(),
        refusals: refusals.into_iter().map(refusal).collect(),
        identifier_changes: identifier_changes
            .into_iter()
            .map(identifier_change)
            .collect(),
        largest: largest.iter().map(size).collect(),
    }
}

fn moved(moved: Move) -> v1::ProfileMove {
    let record = |(key, reason): (RecordKey, String)| v1::MovedRecord {
        record: Some(encode::key(&key)),
        reason,
    };
    v1::ProfileMove {
        from: profile_name(&moved.from),
        into: profile_name(&moved.into),
        record_count: count(moved.count),
        records: moved.records.into_iter().map(record).collect(),
    }
}

fn change(change: &ProfileChange) -> v1::ProfileChange {
    let of_trait = |change: &TraitChange| v1::TraitChange {
        name: change.name.clone(),
        before: change.before.as_ref().map(encode::value),
        after: change.after.as_ref().map(encode::value),
    };
    v1::ProfileChange {
        profile: profile_name(&change.profile),
        traits: change.traits.iter().map(of_trait).collect(),
        identifiers_changed: change.identifiers,
    }
}

fn refusal(refusal: Refusal) -> v1::RefusedStatement {
    v1::RefusedStatement {
        record: Some(encode::key(&refusal.record)),
        description: refusal.description,
    }
}

fn identifier_change(change: IdentifierChange) -> v1::IdentifierChange {
    let IdentifierChange {
        record,
        kind,
        before,
        after,
    } = change;
    v1::IdentifierChange {
        record: Some(encode::key(&record)),
        r#type: kind,
        before,
        after,
    }
}

fn size(size: &Size) -> v1::ProfileSize {
    v1::ProfileSize {
        profile: profile_name(&size.profile),
        record_count: count(size.records),
        record_count_before: count(size.before),
    }
}

/// A count on the wire.
pub(super) fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
