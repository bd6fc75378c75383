//! The one place that makes `Status`: every failure of a call, as a code, one `ErrorInfo`, and what
//! helps the caller.
//!
//! Driver text never leaves: the caller gets a generic message and the request id, the log gets the
//! rest, once. No status is larger than clients and proxies take: see [`super::bounded`]. Statuses
//! that tonic and its services make by themselves get their code, reason and bound here too
//! ([`foreign`]).

mod bounds;
mod foreign;

use std::collections::HashMap;
use std::time::Duration;

use profile_core::model::ModelError;
use profile_core::records::{ProfileId, Reason, Violation};
use tonic::{Code, Status};
use tonic_types::ErrorDetails;

pub(super) use bounds::{
    deadline_exceeded, decoded_too_large, draining, ended, from_refusal, message_incomplete,
    overloaded, request_too_large, stream_idle, too_many_bytes, too_many_requests,
    too_many_waiting, too_many_watchers, watcher_too_slow,
};
pub(super) use foreign::complete;

use super::bounded;
use super::call_context::CallContext;
use super::v1::ErrorReason;
use crate::ingest::DecideError;
use crate::rollout::RolloutError;
use crate::store::retry::jittered;
use crate::{compute, explain, ingest, reader, store};

/// The `domain` of every `ErrorInfo`.
pub const DOMAIN: &str = "customer-profile";
/// The least time to wait before a try again, when the server has too much to do or its database is
/// away.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// The time to wait before a try again.
pub(crate) fn retry_delay() -> Duration {
    not_before(RETRY_DELAY)
}

/// From the delay to two thirds more, another one each time, so that those who were refused
/// together do not come back together, and nobody too soon.
fn not_before(delay: Duration) -> Duration {
    jittered(delay * 4 / 3)
}

fn failure(
    code: Code,
    reason: ErrorReason,
    message: impl AsRef<str>,
    metadata: &[(&str, String)],
) -> Status {
    bounded::status(code, message.as_ref(), details(code, reason, metadata))
}

fn details(code: Code, reason: ErrorReason, metadata: &[(&str, String)]) -> ErrorDetails {
    let mut details = ErrorDetails::new();
    let metadata: HashMap<String, String> = metadata
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    details.set_error_info(reason_name(reason), DOMAIN, metadata);
    if matches!(code, Code::Unavailable | Code::ResourceExhausted) {
        details.set_retry_info(Some(retry_delay()));
    }
    details
}

/// The request can never succeed as it is: the violations, under the reason of the first.
pub(super) fn invalid(violations: &[Violation]) -> Status {
    let reason = violations
        .first()
        .map_or(ErrorReason::Malformed, |violation| reason(violation.reason));
    let numbers = violations.first().and_then(|violation| violation.numbers);
    let metadata = numbers
        .map(|(actual, limit)| [("limit", limit.to_string()), ("actual", actual.to_string())]);
    let details = details(
        Code::InvalidArgument,
        reason,
        metadata.as_ref().map_or(&[], |both| both),
    );
    bounded::with_violations(Code::InvalidArgument, details, violations)
}

/// What was found wrong with a part of a request.
pub(super) type Checked<T> = Result<T, Vec<Violation>>;

/// Two parts of a request, or all that is wrong with either: one answer tells everything.
pub(super) fn both<A, B>(first: Checked<A>, second: Checked<B>) -> Checked<(A, B)> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (first, second) => {
            let wrong = first.err().into_iter().chain(second.err());
            Err(wrong.flatten().collect())
        }
    }
}

/// Refuses a request with which something is wrong.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub(super) fn refused(violations: Vec<Violation>) -> Status {
    invalid(&violations)
}

/// A list in the request must not be empty or too long.
pub(super) fn count(field: &str, actual: usize, limit: usize, unit: &str) -> Checked<()> {
    match actual {
        0 => Err(vec![Violation::required(field)]),
        _ if actual > limit => Err(vec![Violation::limit(field, actual, limit, unit)]),
        _ => Ok(()),
    }
}

/// A page size by the rule of AIP-158: 0 is the default, too large is cut, negative is refused.
pub(super) fn page_size(wanted: i32, default: usize, max: usize) -> Checked<usize> {
    size("page_size", wanted, default, max)
}

/// Any other size, by the same rule.
pub(super) fn size(field: &str, wanted: i32, default: usize, max: usize) -> Checked<usize> {
    match usize::try_from(wanted) {
        Ok(0) => Ok(default),
        Ok(size) => Ok(size.min(max)),
        Err(_) => Err(vec![Violation::new(
            Reason::Malformed,
            field,
            "must not be negative",
        )]),
    }
}

/// The status of an item of a batch that was answered.
pub(super) fn ok() -> tonic_types::Status {
    tonic_types::Status {
        code: Code::Ok.into(),
        ..tonic_types::Status::default()
    }
}

/// The page token is damaged or belongs to another query.
pub(super) fn page_token_invalid() -> Status {
    let message = "page_token: is damaged or belongs to another query; begin with the first page";
    failure(
        Code::InvalidArgument,
        ErrorReason::PageTokenInvalid,
        message,
        &[],
    )
}

/// The read token is damaged or of another tenant.
pub(super) fn read_token_invalid() -> Status {
    let message = "consistency.at_least_as_fresh: is damaged, or of another tenant";
    failure(
        Code::InvalidArgument,
        ErrorReason::ReadTokenInvalid,
        message,
        &[],
    )
}

/// The read token is of another database.
pub(super) fn read_token_foreign() -> Status {
    let message = "consistency.at_least_as_fresh: is of another database";
    failure(
        Code::InvalidArgument,
        ErrorReason::ReadTokenForeign,
        message,
        &[],
    )
}

/// The resume token is damaged or of another database.
pub(super) fn resume_token_invalid() -> Status {
    let message = "resume_token: is damaged, or of another database or tenant; begin without it";
    failure(
        Code::InvalidArgument,
        ErrorReason::ResumeTokenInvalid,
        message,
        &[],
    )
}

/// The change log does not reach back so far.
pub(super) fn resume_token_expired() -> Status {
    let message = "resume_token: is older than the change log; begin without it";
    failure(
        Code::FailedPrecondition,
        ErrorReason::ResumeTokenExpired,
        message,
        &[],
    )
}

/// A read failed.
pub(super) fn from_reader(error: reader::Error, context: &CallContext) -> Status {
    match error {
        reader::Error::NotFound => failure(
            Code::NotFound,
            ErrorReason::ProfileNotFound,
            "no profile answers to the key",
            &[],
        ),
        reader::Error::Ambiguous(profiles) => {
            let message = "several profiles hold the identifier; SearchProfiles lists them";
            let metadata = several(&profiles);
            failure(
                Code::FailedPrecondition,
                ErrorReason::IdentifierAmbiguous,
                message,
                &metadata,
            )
        }
        reader::Error::ObjectNotFound => failure(
            Code::NotFound,
            ErrorReason::ObjectNotFound,
            "object: no event names it",
            &[],
        ),
        reader::Error::ObjectAmbiguous(profiles) => {
            let message = "several profiles have an object of this kind and id; name one in `key`";
            let metadata = several(&profiles);
            failure(
                Code::FailedPrecondition,
                ErrorReason::ObjectAmbiguous,
                message,
                &metadata,
            )
        }
        reader::Error::UnknownIdentifierType(name) => {
            let name: String = name
                .chars()
                .filter(|letter| !letter.is_control())
                .take(64)
                .collect();
            let description = format!("the model declares no identifier type `{name}`");
            invalid(&[Violation::new(
                Reason::NotDeclared,
                "key.identifier.type",
                description,
            )])
        }
        reader::Error::Store(error) => from_store(&error, context),
    }
}

/// The first of several profiles, as many as an error has room for, and how many there are.
fn several(profiles: &[ProfileId]) -> [(&'static str, String); 2] {
    const MAX_NAMES: usize = 4;
    let names: Vec<String> = profiles.iter().take(MAX_NAMES).map(profile_name).collect();
    [
        ("profiles", names.join(",")),
        ("profile_count", profiles.len().to_string()),
    ]
}

/// There is no explanation.
pub(super) fn from_explain(error: explain::Error, context: &CallContext) -> Status {
    match error {
        explain::Error::NotFound => from_reader(reader::Error::NotFound, context),
        explain::Error::OneRecord => invalid(&[Violation::new(
            Reason::Malformed,
            "right",
            "must be another record than `left`",
        )]),
        explain::Error::Store(error) => from_store(&error, context),
    }
}

/// Nothing was decided.
pub(super) fn from_decide(error: DecideError, context: &CallContext) -> Status {
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
        DecideError::Refused(guard) => refusal(&guard.name()),
        DecideError::RequestReused => {
            let message = "request_id: was used before for another request";
            failure(
                Code::InvalidArgument,
                ErrorReason::RequestIdReused,
                message,
                &[],
            )
        }
        DecideError::Store(error) => from_store(&error, context),
        DecideError::Stopping => draining(),
    }
}

fn refusal(rule: &str) -> Status {
    let message = format!("the rule {rule} refuses it");
    failure(
        Code::FailedPrecondition,
        ErrorReason::RuleRefused,
        message,
        &[("rule", rule.to_owned())],
    )
}

/// A rule refuses one source of a merge.
pub(super) fn rule_refused(rule: &str) -> tonic_types::Status {
    to_message(&refusal(rule))
}

/// One source of a merge is no profile.
pub(super) fn source_not_found() -> tonic_types::Status {
    to_message(&failure(
        Code::NotFound,
        ErrorReason::ProfileNotFound,
        "no profile answers to the name",
        &[],
    ))
}

/// A write failed as a whole.
pub(super) fn from_ingest(error: &ingest::Error, context: &CallContext) -> Status {
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
        ingest::Error::Late(refusal) => from_refusal(refusal),
        ingest::Error::Stopping => draining(),
        ingest::Error::Store(error) => from_store(error, context),
    }
}

/// There is no such version of the model, or none in force.
pub(super) fn no_model(version: Option<i64>) -> Status {
    let message = match version {
        Some(version) => format!("the model has no version {version}"),
        None => "nothing was written yet, so no model is in force".to_owned(),
    };
    failure(Code::NotFound, ErrorReason::ModelNotFound, message, &[])
}

/// There is no such publication.
pub(super) fn no_publication(name: &str) -> Status {
    let message =
        format!("publication: there is none of the name `{name}`; ListPublications lists them");
    failure(
        Code::NotFound,
        ErrorReason::PublicationNotFound,
        message,
        &[],
    )
}

/// A model could not be planned or applied.
pub(super) fn from_switch(error: &RolloutError, context: &CallContext) -> Status {
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
        RolloutError::NoVersion(version) => no_model(Some(*version)),
        RolloutError::NoModel => no_model(None),
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
        RolloutError::Compute(error) => from_compute(*error, context),
        RolloutError::Store(error) => from_store(error, context),
    }
}

/// The store failed.
pub(super) fn from_store(error: &store::Error, context: &CallContext) -> Status {
    match error {
        store::Error::Overloaded(refusal) => from_refusal(refusal),
        store::Error::Unavailable(_) | store::Error::Schema(_) => {
            // The store says it once when this begins, and once when it is over.
            tracing::debug!(request_id = %context.request_id, %error, "the store is unavailable");
            let message = "the database cannot be reached; try again later";
            failure(
                Code::Unavailable,
                ErrorReason::StoreUnavailable,
                message,
                &[],
            )
        }
        store::Error::Clock(_) => {
            // It names numbers of seconds and a setting, nothing of the driver. The log has it
            // once.
            failure(
                Code::Unavailable,
                ErrorReason::StoreUnavailable,
                error.to_string(),
                &[],
            )
        }
        store::Error::Conflict(_) => {
            tracing::warn!(request_id = %context.request_id, %error, "a write gave up after conflicts");
            let message = "other writers were in the way too often; try again later";
            failure(
                Code::Unavailable,
                ErrorReason::StoreUnavailable,
                message,
                &[],
            )
        }
        store::Error::Model { version, what } => {
            tracing::warn!(request_id = %context.request_id, tenant = %context.tenant, %error, "the tenant's model cannot be used");
            let message = format!(
                "version {version} of the model is in force and cannot be used: {what}; put another one in force with \
                 `model apply`, or without a server with `model activate`"
            );
            let version = version.to_string();
            failure(
                Code::FailedPrecondition,
                ErrorReason::ModelUnusable,
                message,
                &[("version", version)],
            )
        }
        store::Error::Refused(_)
        | store::Error::Open(_)
        | store::Error::Inconsistent { .. }
        | store::Error::Internal(_) => {
            tracing::error!(request_id = %context.request_id, %error, "a request failed");
            internal(&context.request_id)
        }
    }
}

/// The status of a computation that was not done.
pub(super) fn from_compute(error: compute::Error, context: &CallContext) -> Status {
    match error {
        compute::Error::Full => {
            let limit = compute::MAX_WAITING;
            let message = format!("{limit} computations wait already; try again later");
            failure(
                Code::ResourceExhausted,
                ErrorReason::Overloaded,
                message,
                &[("limit", limit.to_string())],
            )
        }
        compute::Error::Panicked => from_store(&store::Error::Internal(error.to_string()), context),
    }
}

/// A bug; the log has the error.
fn internal(request_id: &str) -> Status {
    let message = format!("internal error; the log has it under request {request_id}");
    failure(
        Code::Internal,
        ErrorReason::Internal,
        message,
        &[("request_id", request_id.to_owned())],
    )
}

/// A status as a message, for the results of a batch.
pub(super) fn to_message(status: &Status) -> tonic_types::Status {
    prost::Message::decode(status.details()).unwrap_or_else(|_| tonic_types::Status {
        code: status.code().into(),
        message: status.message().to_owned(),
        details: Vec::new(),
    })
}

/// The name of a reason, as `ErrorInfo.reason` has it.
pub(crate) fn reason_name(reason: ErrorReason) -> &'static str {
    reason.as_str_name().trim_start_matches("ERROR_REASON_")
}

/// The wire form of a reason.
pub(crate) fn reason(reason: Reason) -> ErrorReason {
    match reason {
        Reason::Required => ErrorReason::Required,
        Reason::Malformed => ErrorReason::Malformed,
        Reason::LimitExceeded => ErrorReason::LimitExceeded,
        Reason::UnknownEnumValue => ErrorReason::UnknownEnumValue,
        Reason::NotDeclared => ErrorReason::NotDeclared,
        Reason::MappingFailed => ErrorReason::MappingFailed,
        Reason::EventIdReused => ErrorReason::EventIdReused,
        Reason::StoreRefused => ErrorReason::StoreRefused,
        Reason::NotForPurpose => ErrorReason::NotForPurpose,
    }
}

/// A profile's resource name.
pub(super) fn profile_name(id: &ProfileId) -> String {
    format!("profiles/{id}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn delays_before_a_retry_differ() {
        let delays: BTreeSet<Duration> = (0..100).map(|_| retry_delay()).collect();
        assert!(delays.len() > 90, "{delays:?}");
        assert!(
            delays
                .iter()
                .all(|delay| (RETRY_DELAY..=2 * RETRY_DELAY).contains(delay)),
            "{delays:?}"
        );
    }
}
