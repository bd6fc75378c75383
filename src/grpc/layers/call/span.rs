//! The span of a call. Names: OpenTelemetry, "Semantic conventions for gRPC".

use http::HeaderMap;
use opentelemetry::trace::{SpanRef, TraceContextExt};
use tonic::Code;
use tracing::Span;
use tracing::field::Empty;

use super::CallGuard;
use crate::spans;
use crate::telemetry::metrics::{error_type, name_of};

impl CallGuard {
    /// Begins the span of the call, under the caller's if it sends one; none where the call is not
    /// traced. Names: OpenTelemetry, "Semantic conventions for gRPC".
    pub(in crate::grpc::layers) fn begin_span(&mut self, headers: &HeaderMap) -> Span {
        let Some(sampler) = &self.shared.limits.sampler else {
            return Span::none();
        };
        let parent = spans::parent(headers);
        let chosen = {
            let context = parent.as_ref().map(|parent| parent.span());
            sampler.chooses(context.as_ref().map(SpanRef::span_context))
        };
        if !chosen {
            return Span::none();
        }
        self.span = tracing::info_span!(
            "rpc",
            otel.name = self.method.name,
            otel.kind = "server",
            otel.status_code = Empty,
            rpc.system.name = "grpc",
            rpc.method = self.method.name,
            rpc.response.status_code = Empty,
            "error.type" = Empty,
            tenant = self.tenant,
            request_id = self.request_id
        );
        spans::set_parent(&self.span, parent);
        self.span.clone()
    }

    /// Writes the status on the span and lets it end.
    pub(super) fn end_span(&mut self, code: Code) {
        let span = std::mem::replace(&mut self.span, Span::none());
        if span.is_none() {
            return;
        }
        span.record("rpc.response.status_code", name_of(code));
        if let Some(kind) = error_type(code) {
            span.record("error.type", kind);
            span.record("otel.status_code", "ERROR");
        }
    }
}
