//! Statuses of writes: statements, decisions, models.

use profile_core::model::ModelError;
use profile_core::records::{Reason, Violation};
use tonic::{Code, Status};

use super::bounds::{draining, from_refusal};
use super::{failure, invalid, reads, store};
use crate::grpc::call_context::CallContext;
use crate::grpc::v1::ErrorReason;
use crate::ingest::{self, DecideError, EraseError};
use crate::rollout::RolloutError;

/// A write failed as a whole.
pub(super) fn ingest(error: &ingest::Error, context: &CallContext) -> Status {
    match error {
        ingest::Error::Overloaded { limit } => {
            let message = format!("{limit} statements are waiting already; try again later");
            failure(
                Code::ResourceExhausted,
                ErrorReason::Overloaded,
                message,
                &[("limit", limit.to_string())],
            )
        }
        ingest::Error::NoRoom { limit } => failure(
            Code::ResourceExhausted,
            ErrorReason::Overloaded,
            format!("record_event.event.attach: {error}"),
            &[("limit", limit.to_string())],
        ),
        ingest::Error::Late(refusal) => from_refusal(refusal),
        ingest::Error::Stopping => draining(),
        ingest::Error::Store(error) => store::store(error, context),
    }
}

/// Nothing was decided.
pub(super) fn decide(error: DecideError, context: &CallContext) -> Status {
    match error {
        DecideError::NotFound(field) => {
            let message = format!("{field}: no profile or record answers to it");
            failure(Code::NotFound, ErrorReason::ProfileNotFound, message, &[])
        }
        DecideError::NoDecision => failure(
            Code::NotFound,
            ErrorReason::DecisionNotFound,
            "name: there is no such decision",
            &[],
        ),
        DecideError::NotInProfile(_) => {
            let message = "a record is not in the profile; ExplainProfile lists those that are";
            failure(
                Code::FailedPrecondition,
                ErrorReason::RecordNotInProfile,
                message,
                &[],
            )
        }
        DecideError::NothingStays => {
            let message = "a part of the profile must stay";
            failure(
                Code::FailedPrecondition,
                ErrorReason::NothingStays,
                message,
                &[],
            )
        }
        DecideError::Refused(guard) => rule_refused(&guard.name()),
        DecideError::RequestReused => request_reused(),
        DecideError::Store(error) => store::store(&error, context),
        DecideError::Stopping => draining(),
    }
}

/// Nobody was erased.
pub(super) fn erase(error: &EraseError, context: &CallContext) -> Status {
    match error {
        EraseError::NotFound => source_not_found(),
        EraseError::RevisionChanged { expected, actual } => {
            let metadata = [
                ("expected", expected.to_string()),
                ("actual", actual.to_string()),
            ];
            failure(
                Code::FailedPrecondition,
                ErrorReason::RevisionChanged,
                format!("expected_revision: {error}"),
                &metadata,
            )
        }
        EraseError::RequestReused => request_reused(),
        EraseError::Store(error) => store::store(error, context),
        EraseError::Stopping => draining(),
    }
}

/// There is no such erasure.
pub(super) fn no_erasure() -> Status {
    failure(
        Code::NotFound,
        ErrorReason::ErasureNotFound,
        "name: there is no such erasure",
        &[],
    )
}

fn request_reused() -> Status {
    failure(
        Code::InvalidArgument,
        ErrorReason::RequestIdReused,
        "request_id: was used before for another request",
        &[],
    )
}

/// A rule refuses a merge.
pub(super) fn rule_refused(rule: &str) -> Status {
    let message = format!("the rule {rule} refuses it");
    failure(
        Code::FailedPrecondition,
        ErrorReason::RuleRefused,
        message,
        &[("rule", rule.to_owned())],
    )
}

/// No profile answers to a name.
pub(super) fn source_not_found() -> Status {
    failure(
        Code::NotFound,
        ErrorReason::ProfileNotFound,
        "no profile answers to the name",
        &[],
    )
}

/// A model could not be planned or applied.
pub(super) fn rollout(error: &RolloutError, context: &CallContext) -> Status {
    match error {
        RolloutError::Mistakes(mistakes) => {
            let violation = |mistake: &ModelError| {
                let place = format!("candidate.file:{}:{}", mistake.line, mistake.column);
                let path = if mistake.path.is_empty() {
                    String::new()
                } else {
                    format!("{}: ", mistake.path)
                };
                Violation::new(
                    Reason::Malformed,
                    place,
                    format!("{path}{}", mistake.message),
                )
            };
            invalid(&mistakes.iter().map(violation).collect::<Vec<_>>())
        }
        RolloutError::NoVersion(version) => reads::no_model(Some(*version)),
        RolloutError::NoModel => reads::no_model(None),
        RolloutError::OtherVersion { expected, actual } => {
            let metadata = [
                ("expected", expected.to_string()),
                ("actual", actual.to_string()),
            ];
            failure(
                Code::FailedPrecondition,
                ErrorReason::ModelVersionChanged,
                error.to_string(),
                &metadata,
            )
        }
        RolloutError::RequestIdReused => failure(
            Code::InvalidArgument,
            ErrorReason::RequestIdReused,
            format!("request_id: {error}"),
            &[],
        ),
        RolloutError::Compute(error) => store::compute(*error, context),
        RolloutError::Store(error) => store::store(error, context),
    }
}
