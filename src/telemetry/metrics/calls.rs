//! Figures of calls. Names: OpenTelemetry, "Semantic conventions for RPC metrics".

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundHistogram, Counter, Histogram};
use tonic::Code;

use super::{Builder, Metrics};

/// `OK` … `UNAUTHENTICATED`: codes are 0 to 16.
pub(super) const CODES: usize = 17;

/// The durations of one method's calls, by status code.
type Durations = [OnceLock<BoundHistogram<f64>>; CODES];

/// The instruments of calls.
#[derive(Debug)]
pub(super) struct Instruments {
    duration: Histogram<f64>,
    by_method: RwLock<HashMap<&'static str, Arc<Durations>>>,
    bounded: Counter<u64>,
    access_refused: Counter<u64>,
}

impl Instruments {
    pub(super) fn new(build: &Builder<'_>) -> Self {
        Self {
            // rpc.system.name, rpc.method, rpc.response.status_code; error.type of failures alone
            duration: build.durations(
                "rpc.server.call.duration",
                "Time from the head of a call to its answer",
            ),
            by_method: RwLock::default(),
            // bound: the one that was met
            bounded: build.counter(
                "customer_profile.rpc.bounded",
                "{call}",
                "Calls refused or ended at a bound other than that of calls in work",
            ),
            // reason: why the credential does not do
            access_refused: build.counter(
                "customer_profile.access.refused",
                "{call}",
                "Calls refused for who makes them",
            ),
        }
    }
}

impl Metrics {
    /// A call was answered, or its caller has gone (`CANCELLED`). `method` is
    /// `package.Service/Method`, or `_OTHER` for all that are not served: their names are the
    /// caller's word and would let anybody fill the memory.
    pub fn rpc_finished(&self, method: &'static str, code: Code, duration: Duration) {
        // A lock is poisoned only by a panic between these lines, and the map is whole then too.
        let known = self
            .calls
            .by_method
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(method)
            .cloned();
        let durations = known.unwrap_or_else(|| {
            Arc::clone(
                self.calls
                    .by_method
                    .write()
                    .unwrap_or_else(PoisonError::into_inner)
                    .entry(method)
                    .or_default(),
            )
        });
        durations[code as usize]
            .get_or_init(|| {
                let mut attributes = vec![
                    KeyValue::new("rpc.system.name", "grpc"),
                    KeyValue::new("rpc.method", method),
                    KeyValue::new("rpc.response.status_code", name_of(code)),
                ];
                attributes.extend(error_type(code).map(|kind| KeyValue::new("error.type", kind)));
                self.calls.duration.bind(&attributes)
            })
            .record(duration.as_secs_f64());
    }

    /// A call was refused for who makes it. `reason` is one of a few.
    pub fn access_refused(&self, reason: &'static str) {
        self.calls
            .access_refused
            .add(1, &[KeyValue::new("reason", reason)]);
    }

    /// A call was refused or ended at a bound.
    pub fn rpc_bounded(&self, bound: &'static str) {
        self.calls.bounded.add(1, &[KeyValue::new("bound", bound)]);
    }
}

/// The code as the gRPC specification spells it.
#[must_use]
pub fn name_of(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// The `error.type` of a status that is an error of the server. The others are answers to callers'
/// errors and have none. Source: OpenTelemetry, "Semantic conventions for gRPC",
/// `rpc.response.status_code` of servers.
#[must_use]
pub fn error_type(code: Code) -> Option<&'static str> {
    match code {
        Code::Unknown
        | Code::DeadlineExceeded
        | Code::Unimplemented
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => Some(name_of(code)),
        Code::Ok
        | Code::Cancelled
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unauthenticated => None,
    }
}
