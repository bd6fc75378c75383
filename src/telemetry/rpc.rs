//! Counting calls: from their beginning to their answer, or to their caller's going.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use opentelemetry::KeyValue;
use tonic::Code;

use super::Metrics;

impl Metrics {
    /// A call begins. `path` is the path of its request, `/package.Service/Method`.
    pub fn rpc_started(self: &Arc<Self>, path: &str) -> Call {
        self.active_calls.fetch_add(1, Ordering::Relaxed);
        let method = self.methods.get(path).copied().unwrap_or_default();
        Call { metrics: Arc::clone(self), method, started: Instant::now(), finished: false }
    }

    /// A call to `path` was refused at the limit of calls in work.
    pub fn rpc_shed(&self, path: &str) {
        let method = self.methods.get(path).copied().unwrap_or_default();
        self.shed.add(1, &[self.calls[method].label()]);
    }

    fn rpc_finished(&self, method: usize, code: Code, duration: Duration) {
        let call = &self.calls[method];
        call.durations[code as usize]
            .get_or_init(|| {
                let status = KeyValue::new("rpc.response.status_code", name_of(code));
                self.call_duration.bind(&[call.label(), status])
            })
            .record(duration.as_secs_f64());
    }
}

/// A call in work. Dropped before [`finished`](Call::finished), it counts as cancelled: its caller has gone.
#[derive(Debug)]
#[must_use]
pub struct Call {
    metrics: Arc<Metrics>,
    method: usize,
    started: Instant,
    finished: bool,
}

impl Call {
    /// The call was answered.
    pub fn finished(mut self, code: Code) {
        self.finished = true;
        self.metrics.rpc_finished(self.method, code, self.started.elapsed());
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.metrics.active_calls.fetch_sub(1, Ordering::Relaxed);
        if !self.finished {
            self.metrics.rpc_finished(self.method, Code::Cancelled, self.started.elapsed());
            self.metrics.cancelled.add(1, &[self.metrics.calls[self.method].label()]);
        }
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
