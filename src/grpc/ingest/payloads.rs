//! Payloads: parsed, mapped by the model, and stored in parts.

use futures::{Stream, StreamExt};
use profile_core::model::Model;
use profile_core::records::{Reason, Violation};
use tonic::Status;

use super::IngestApi;
use crate::grpc::call_context::CallContext;
use crate::grpc::checked::{self, Checked};
use crate::grpc::error::ApiError;
use crate::grpc::{encode, v1};
use crate::ingest::{Intake, of_payload};
use crate::sources::payload;

/// The largest raw payload, in bytes.
const MAX_PAYLOAD_BYTES: usize = 256 * 1024;

impl IngestApi {
    pub(super) async fn ingest_payloads(
        &self,
        request: v1::IngestPayloadsRequest,
        context: &CallContext,
    ) -> Result<v1::IngestPayloadsResponse, ApiError> {
        let v1::IngestPayloadsRequest {
            source,
            kind,
            payloads,
        } = request;
        let count = checked::count("payloads", payloads.len(), self.max_statements, "payloads");
        let model = self.model(context).await?;
        checked::both(check_mapping(&model, &source, &kind), count)?;
        let mapped: Vec<Vec<Intake>> = payloads
            .iter()
            .map(|payload| map(&model, &source, &kind, payload))
            .collect();
        let counts: Vec<usize> = mapped.iter().map(Vec::len).collect();
        let receipt = self.store_parts(context, mapped).await?;
        let read_token = self.read_token(context, &receipt).await?;
        let mut results = receipt.results.into_iter().map(encode::result);
        let result = |count| v1::PayloadResult {
            results: results.by_ref().take(count).collect(),
        };
        Ok(v1::IngestPayloadsResponse {
            results: counts.into_iter().map(result).collect(),
            read_token,
        })
    }
}

pub(in crate::grpc) fn check_mapping(model: &Model, source: &str, kind: &str) -> Checked<()> {
    let required = |name: &str, text: &str| {
        if text.is_empty() {
            Err(vec![Violation::required(name)])
        } else {
            Ok(())
        }
    };
    checked::both(required("source", source), required("kind", kind))?;
    model
        .check_mapping(source, kind)
        .map_err(|violation| vec![violation])
}

/// A payload as JSON.
pub(in crate::grpc) fn parse(payload: &[u8]) -> Checked<serde_json::Value> {
    if payload.len() > MAX_PAYLOAD_BYTES {
        return Err(vec![Violation::limit(
            "payload",
            payload.len(),
            MAX_PAYLOAD_BYTES,
            "bytes",
        )]);
    }
    let malformed = |what: String| vec![Violation::new(Reason::Malformed, "payload", what)];
    let text = std::str::from_utf8(payload)
        .map_err(|error| malformed(format!("is not UTF-8 after byte {}", error.valid_up_to())))?;
    payload::parse(text).map_err(|fault| malformed(fault.to_string()))
}

/// The drafts that a payload maps to, and what is wrong with it.
pub(in crate::grpc) fn map(model: &Model, source: &str, kind: &str, payload: &[u8]) -> Vec<Intake> {
    match parse(payload) {
        Ok(payload) => of_payload(model.map_in_part(source, kind, &payload)),
        Err(violations) => vec![Err(violations)],
    }
}

/// Ends a stream with its first failure.
pub(in crate::grpc) fn until_failure<T>(
    stream: impl Stream<Item = Result<T, Status>>,
) -> impl Stream<Item = Result<T, Status>> {
    stream.scan(false, |failed, item| {
        let over = std::mem::replace(failed, item.is_err());
        futures::future::ready((!over).then_some(item))
    })
}
