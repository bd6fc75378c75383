//! The one place that makes `Status`: every failure of a call, as a code, one `ErrorInfo`, and what
//! helps the caller.
//!
//! Driver text never leaves: the caller gets a generic message and the request id, the log gets the
//! rest, once. No status is larger than clients and proxies take: see [`super::bounded`]. Statuses
//! that tonic and its services make by themselves get their code, reason and bound here too
//! ([`foreign`]).

mod access;
mod bounds;
mod foreign;
mod reads;
mod store;
pub(super) mod tokens;
mod writes;

use std::collections::HashMap;
use std::time::Duration;

use profile_core::records::{Reason, Violation};
use tonic::{Code, Status};
use tonic_types::ErrorDetails;

pub(super) use access::refused;
pub(super) use bounds::{
    audit_behind, deadline_exceeded, decoded_too_large, draining, ended, message_incomplete,
    overloaded, request_too_large, stream_idle, too_many_bytes, too_many_requests,
    too_many_waiting,
};
pub(super) use foreign::complete;

use super::bounded;
use super::call_context::CallContext;
use super::error::ApiError;
use super::v1::ErrorReason;
use crate::store::retry::jittered;

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

/// The status of an error: the one conversion there is.
pub(super) fn of(error: ApiError, context: &CallContext) -> Status {
    match error {
        ApiError::Invalid(violations) => invalid(&violations),
        ApiError::Token(error) => tokens::token(error),
        ApiError::Read(error) => reads::read(error, context),
        ApiError::Explain(error) => reads::explain(error, context),
        ApiError::Decide(error) => writes::decide(error, context),
        ApiError::Erase(error) => writes::erase(&error, context),
        ApiError::NoErasure => writes::no_erasure(),
        ApiError::AuditChanged => reads::audit_changed(),
        ApiError::ExportChanged => reads::export_changed(),
        ApiError::Ingest(error) => writes::ingest(&error, context),
        ApiError::Rollout(error) => writes::rollout(&error, context),
        ApiError::Store(error) => store::store(&error, context),
        ApiError::Compute(error) => store::compute(error, context),
        ApiError::NoModel(version) => reads::no_model(version),
        ApiError::NoPublication(name) => reads::no_publication(&name),
        ApiError::SourceNotFound => writes::source_not_found(),
        ApiError::RuleRefused(rule) => writes::rule_refused(&rule),
        ApiError::TooManyWatchers(limit) => bounds::too_many_watchers(limit),
        ApiError::WatcherTooSlow(limit) => bounds::watcher_too_slow(limit),
        ApiError::DeadlineExceeded => deadline_exceeded(),
        ApiError::Ended(why) => ended(why),
        ApiError::Received(status) => status,
    }
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

/// The status of an item of a batch that was answered.
pub(super) fn ok() -> tonic_types::Status {
    tonic_types::Status {
        code: Code::Ok.into(),
        ..tonic_types::Status::default()
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
        Reason::RecordErased => ErrorReason::RecordErased,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use profile_core::records::TenantId;
    use tonic_types::StatusExt;

    use super::*;
    use crate::active_models::{ActiveModels, ModelFile};
    use crate::grpc::token::TokenError;
    use crate::ingest::{self, DecideError};
    use crate::rollout::RolloutError;
    use crate::transport::Ended;
    use crate::{compute, explain, lanes, reader, store};

    fn store_error(what: &str) -> store::Error {
        store::Error::Unavailable(what.to_owned())
    }

    fn context() -> CallContext {
        let store = std::sync::Arc::new(store::memory::MemoryStore::new());
        let models = ActiveModels::new(store, ModelFile::built_in());
        CallContext {
            tenant: TenantId::default(),
            request_id: "request-7".to_owned(),
            deadline: None,
            call: lanes::Call::new(lanes::Lane::Read, lanes::Caller::default(), None, None),
            connection: None,
            purpose: None,
            reads_customers: true,
            roles: std::sync::Arc::default(),
            clearance: None,
            audit: None,
            models: std::sync::Arc::new(models),
            metrics: std::sync::Arc::default(),
        }
    }

    fn info(status: &Status) -> (String, HashMap<String, String>) {
        let info = status.get_details_error_info().expect("an ErrorInfo");
        assert_eq!(info.domain, DOMAIN);
        (info.reason, info.metadata)
    }

    fn errors_of_the_layers_below() -> Vec<(ApiError, Code, &'static str)> {
        vec![
            (
                ApiError::Invalid(Vec::new()),
                Code::InvalidArgument,
                "MALFORMED",
            ),
            (
                TokenError::PageInvalid.into(),
                Code::InvalidArgument,
                "PAGE_TOKEN_INVALID",
            ),
            (
                TokenError::ReadForeign.into(),
                Code::InvalidArgument,
                "READ_TOKEN_FOREIGN",
            ),
            (
                TokenError::ResumeExpired.into(),
                Code::FailedPrecondition,
                "RESUME_TOKEN_EXPIRED",
            ),
            (
                reader::Error::NotFound.into(),
                Code::NotFound,
                "PROFILE_NOT_FOUND",
            ),
            (
                reader::Error::ObjectNotFound.into(),
                Code::NotFound,
                "OBJECT_NOT_FOUND",
            ),
            (
                explain::Error::OneRecord.into(),
                Code::InvalidArgument,
                "MALFORMED",
            ),
            (
                DecideError::NoDecision.into(),
                Code::NotFound,
                "DECISION_NOT_FOUND",
            ),
            (
                ingest::Error::Stopping.into(),
                Code::Unavailable,
                "DRAINING",
            ),
            (
                RolloutError::NoModel.into(),
                Code::NotFound,
                "MODEL_NOT_FOUND",
            ),
            (
                compute::Error::Full.into(),
                Code::ResourceExhausted,
                "OVERLOADED",
            ),
            (compute::Error::Panicked.into(), Code::Internal, "INTERNAL"),
            (
                store_error("away").into(),
                Code::Unavailable,
                "STORE_UNAVAILABLE",
            ),
        ]
    }

    fn errors_of_the_edge() -> Vec<(ApiError, Code, &'static str)> {
        vec![
            (
                ApiError::NoModel(Some(3)),
                Code::NotFound,
                "MODEL_NOT_FOUND",
            ),
            (
                ApiError::NoPublication("x".into()),
                Code::NotFound,
                "PUBLICATION_NOT_FOUND",
            ),
            (
                ApiError::SourceNotFound,
                Code::NotFound,
                "PROFILE_NOT_FOUND",
            ),
            (
                ApiError::RuleRefused("dates".into()),
                Code::FailedPrecondition,
                "RULE_REFUSED",
            ),
            (
                ApiError::TooManyWatchers(9),
                Code::ResourceExhausted,
                "OVERLOADED",
            ),
            (
                ApiError::WatcherTooSlow(9),
                Code::ResourceExhausted,
                "WATCHER_TOO_SLOW",
            ),
            (
                ApiError::DeadlineExceeded,
                Code::DeadlineExceeded,
                "DEADLINE_EXCEEDED",
            ),
            (Ended::Aged.into(), Code::Unavailable, "CONNECTION_AGE"),
        ]
    }

    #[test]
    fn every_error_has_a_code_and_one_reason() {
        let errors = errors_of_the_layers_below()
            .into_iter()
            .chain(errors_of_the_edge());
        for (error, code, reason) in errors {
            let told = format!("{error:?}");
            let status = of(error, &context());
            assert_eq!((status.code(), &*info(&status).0), (code, reason), "{told}");
        }
    }

    #[test]
    fn only_what_can_be_tried_again_says_when() {
        let retry = |error: ApiError| of(error, &context()).get_details_retry_info().is_some();
        assert!(retry(ApiError::TooManyWatchers(1)) && retry(store_error("away").into()));
        assert!(!retry(reader::Error::NotFound.into()) && !retry(ApiError::DeadlineExceeded));
    }

    #[test]
    fn an_internal_error_names_the_request_and_not_the_driver() {
        let driver = "relation \"profiles\" does not exist";
        let status = of(store::Error::Internal(driver.to_owned()).into(), &context());
        assert_eq!(status.code(), Code::Internal);
        assert!(!status.message().contains("relation"), "{status:?}");
        assert_eq!(info(&status).1["request_id"], "request-7");
        let away = of(store_error(driver).into(), &context());
        assert!(!away.message().contains("relation"), "{away:?}");
    }

    #[test]
    fn an_item_of_a_batch_carries_the_same_details_as_a_status() {
        let whole = of(ApiError::NoModel(Some(3)), &context());
        let item = context().item_status(ApiError::NoModel(Some(3)));
        assert_eq!(
            (item.code, &*item.message),
            (Code::NotFound.into(), whole.message())
        );
        assert_eq!(item.details.len(), 1);
    }

    #[test]
    fn a_status_of_a_stream_stays_as_it_came() {
        let came = Status::data_loss("as it came");
        let status = of(ApiError::Received(came), &context());
        assert_eq!(
            (status.code(), status.message()),
            (Code::DataLoss, "as it came")
        );
    }

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
