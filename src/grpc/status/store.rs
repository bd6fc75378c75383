//! Statuses of a store that failed, and of work that was not computed.
//!
//! Driver text is for the log.

use tonic::{Code, Status};

use super::bounds::from_refusal;
use super::{failure, internal};
use crate::grpc::call_context::CallContext;
use crate::grpc::v1::ErrorReason;
use crate::{compute, store};

/// The store failed.
pub(super) fn store(error: &store::Error, context: &CallContext) -> Status {
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
pub(super) fn compute(error: compute::Error, context: &CallContext) -> Status {
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
        compute::Error::Panicked => store(&store::Error::Internal(error.to_string()), context),
    }
}
