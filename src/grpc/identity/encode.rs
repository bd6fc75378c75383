//! To the wire: explanations, candidates, decisions, and what identity did.

use profile_core::identity::{Comparison, DecisionKind, FieldComparison, MatchDecision, Reason};
use profile_core::profile::{TraitCandidate, TraitExplanation};
use profile_core::records::ProfileId;

use crate::explain::{
    Candidate, Link, PairExplanation, ProfileExplanation, RecordExplanation, RefusedLink, Related,
    Support,
};
use crate::grpc::encode::{identifier, key, notes, origin, time, value};
use crate::grpc::names::profile_name;
use crate::grpc::privacy::erasure_name;
use crate::grpc::v1::{self, identity_change::Cause as WireCause, match_link::Evidence};
use crate::store::{Cause, IdentityChange, IdentityChangeKind, StoredDecision};

/// Why a profile is as it is.
pub(super) fn profile(told: ProfileExplanation) -> v1::ExplainProfileResponse {
    v1::ExplainProfileResponse {
        name: profile_name(&told.id),
        revision: told.revision,
        records: told.records.into_iter().map(record).collect(),
        traits: told.traits.into_iter().map(explained).collect(),
        refused_links: told.refused.iter().map(refused).collect(),
        model_version: told.model_version,
        at_bound: told.at_bound,
    }
}

/// Why two are one person, or not.
pub(super) fn pair(told: PairExplanation) -> v1::ExplainPairResponse {
    let [left_profile, right_profile] = told.profiles.map(optional);
    v1::ExplainPairResponse {
        same_profile: told.same_profile,
        path: told.path.into_iter().map(link).collect(),
        left_record: Some(key(&told.left)),
        right_record: Some(key(&told.right)),
        score: Some(score(told.comparison)),
        missing_bits: bits(told.missing_millibits),
        shared_by_too_many: told.shared_by_too_many.iter().map(identifier).collect(),
        refused_by: told.apart.map(|apart| apart.name()).unwrap_or_default(),
        left_profile,
        right_profile,
    }
}

/// What waits for a person.
pub(super) fn candidate(found: Candidate) -> v1::MatchCandidate {
    v1::MatchCandidate {
        left: Some(key(&found.left)),
        left_profile: optional(found.left_profile),
        right: Some(key(&found.right)),
        right_profile: optional(found.right_profile),
        score: Some(score(found.comparison)),
    }
}

/// A member of a household.
pub(super) fn related(found: Related) -> v1::HouseholdMember {
    v1::HouseholdMember {
        profile: profile_name(&found.profile),
        left: Some(key(&found.left)),
        right: Some(key(&found.right)),
        score: Some(score(found.comparison)),
    }
}

/// What a person decided.
pub(in crate::grpc) fn decision(stored: StoredDecision) -> v1::Decision {
    let StoredDecision {
        decision,
        actor,
        note,
        withdrawn,
        ..
    } = stored;
    let verdict = match decision.kind {
        DecisionKind::MustLink => v1::CandidateVerdict::Same,
        DecisionKind::CannotLink => v1::CandidateVerdict::Different,
    };
    v1::Decision {
        name: decision_name(&decision.id),
        verdict: verdict.into(),
        left: decision.left.iter().map(key).collect(),
        right: decision.right.iter().map(key).collect(),
        note: Some(v1::DecisionNote { actor, note }),
        create_time: Some(time(decision.time)),
        withdrawn,
    }
}

/// A merge or a split.
pub(in crate::grpc) fn change(change: IdentityChange) -> v1::IdentityChange {
    let kind = match change.kind {
        IdentityChangeKind::Merge => v1::IdentityChangeKind::Merge,
        IdentityChangeKind::Split => v1::IdentityChangeKind::Split,
    };
    let moved = change.moved.into_iter();
    v1::IdentityChange {
        kind: kind.into(),
        from: profile_name(&change.from),
        into: profile_name(&change.into),
        change_time: Some(time(change.time)),
        moved: moved
            .map(|(record, reason)| v1::MovedRecord {
                record: Some(key(&record)),
                reason,
            })
            .collect(),
        moved_count: i32::try_from(change.moved_count).unwrap_or(i32::MAX),
        cause: Some(cause(change.cause)),
    }
}

fn cause(cause: Cause) -> WireCause {
    let decided = |id: &str, actor, note| v1::DecisionCause {
        decision: decision_name(id),
        note: Some(v1::DecisionNote { actor, note }),
    };
    match cause {
        Cause::Statements(records) => WireCause::Statements(v1::StatementCause {
            records: records.iter().map(key).collect(),
        }),
        Cause::Decision { id, actor, note } => WireCause::Decision(decided(&id, actor, note)),
        Cause::Withdrawal { id, actor, note } => WireCause::Withdrawal(decided(&id, actor, note)),
        Cause::Model { version } => WireCause::ModelVersion(version),
        Cause::Erasure { id } => WireCause::Erasure(erasure_name(&id)),
    }
}

fn record(told: RecordExplanation) -> v1::RecordExplanation {
    let (notes, omitted_note_count) = notes(told.notes);
    v1::RecordExplanation {
        record: Some(key(&told.record)),
        link: told.link.map(link),
        notes,
        omitted_note_count,
        former_holder: told.former_holder.map(|former| v1::FormerHolder {
            until_time: Some(time(former.until)),
            event_count: former.events,
        }),
    }
}

fn link(link: Link) -> v1::MatchLink {
    let evidence = match link.support {
        Support::Shared { kind, values } => Evidence::SharedIdentifier(v1::SharedIdentifier {
            r#type: kind,
            values,
            former: false,
        }),
        Support::Former { kind, values } => Evidence::SharedIdentifier(v1::SharedIdentifier {
            r#type: kind,
            values,
            former: true,
        }),
        Support::Score(comparison) => Evidence::Score(score(comparison)),
        Support::Decision { id } => Evidence::Decision(decision_name(&id)),
    };
    v1::MatchLink {
        record: Some(key(&link.record)),
        evidence: Some(evidence),
    }
}

fn refused(link: &RefusedLink) -> v1::RefusedLink {
    let weight = match link.reason {
        Reason::Match { millibits } => bits(millibits),
        Reason::SharedIdentifier { .. }
        | Reason::FormerIdentifier { .. }
        | Reason::Decision { .. } => 0.0,
    };
    v1::RefusedLink {
        left: Some(key(&link.left)),
        right: Some(key(&link.right)),
        right_profile: optional(link.right_profile),
        reason: link.reason.name(),
        weight_bits: weight,
        refused_by: link.guard.name(),
    }
}

fn explained(told: TraitExplanation) -> v1::TraitExplanation {
    let candidate = |candidate: TraitCandidate| v1::TraitCandidate {
        value: Some(value(&candidate.value)),
        origin: Some(origin(&candidate.origin)),
        trust: i32::try_from(candidate.trust).unwrap_or(i32::MAX),
        wins: candidate.wins,
    };
    let candidates = told.candidates.into_iter().map(candidate).collect();
    v1::TraitExplanation {
        name: told.name,
        rule: told.rule.name().to_owned(),
        candidates,
        group_record: told.grouping.as_ref().map(|grouping| key(&grouping.record)),
        group: told
            .grouping
            .map(|grouping| grouping.group)
            .unwrap_or_default(),
    }
}

fn score(compared: Comparison) -> v1::MatchScore {
    let verdict = match compared.verdict {
        MatchDecision::Different => v1::MatchVerdict::Different,
        MatchDecision::Review => v1::MatchVerdict::Review,
        MatchDecision::Household => v1::MatchVerdict::Household,
        MatchDecision::Link => v1::MatchVerdict::Link,
    };
    v1::MatchScore {
        probability: probability(compared.millibits),
        weight_bits: bits(compared.millibits),
        evidence_bits: bits(compared.evidence),
        fields: compared.fields.into_iter().map(field).collect(),
        verdict: verdict.into(),
        veto: compared
            .veto
            .map(|veto| veto.name().to_owned())
            .unwrap_or_default(),
    }
}

fn field(compared: FieldComparison) -> v1::FieldComparison {
    v1::FieldComparison {
        field: compared.field.name().to_owned(),
        level: compared.level.name().to_owned(),
        left: compared.left,
        right: compared.right,
        weight_bits: bits(compared.millibits),
    }
}

fn bits(millibits: i32) -> f64 {
    f64::from(millibits) / 1_000.0
}

/// The probability that odds of so much stand for.
pub(super) fn probability(millibits: i32) -> f64 {
    1.0 / (1.0 + (-bits(millibits)).exp2())
}

fn optional(profile: Option<ProfileId>) -> String {
    profile.as_ref().map(profile_name).unwrap_or_default()
}

/// A decision's resource name.
pub(super) fn decision_name(id: &str) -> String {
    format!("decisions/{id}")
}
