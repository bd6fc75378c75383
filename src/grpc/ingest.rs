//! `IngestService`: what sources say, from the wire into the write path.

mod payloads;
mod waiting;

use std::sync::Arc;

use futures::StreamExt;
use profile_core::model::Model;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::call_context::{CallContext, Messages};
use super::checked;
use super::error::ApiError;
use super::v1::{self, ingest_service_server::IngestService};
use super::{decode, encode, token};
use crate::active_models::ActiveModels;
use crate::ingest::{Ingest, Intake, Receipt, Ticket};
use crate::store::Store;

pub(super) use payloads::{check_mapping, map, parse, until_failure};

/// How many statements of payloads are queued at a time, but for those of one payload: half of the
/// queue by default.
const MAX_PART_STATEMENTS: usize = 5_000;

/// Serves `IngestService`.
#[derive(Clone)]
pub struct IngestApi {
    /// The write path.
    pub ingest: Ingest,
    /// For mappings.
    pub models: Arc<ActiveModels>,
    /// For read tokens.
    pub store: Arc<dyn Store>,
    /// How many statements, or payloads, a batch may have.
    pub max_statements: usize,
    /// How many batches of one stream may wait for their commit.
    pub stream_batches_in_flight: usize,
}

type AckStream = Messages<v1::StreamStatementsResponse>;

#[tonic::async_trait]
impl IngestService for IngestApi {
    type StreamStatementsStream = AckStream;

    async fn ingest_statements(
        &self,
        request: Request<v1::IngestStatementsRequest>,
    ) -> Result<Response<v1::IngestStatementsResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.ingest_statements(request, &context).await)
    }

    async fn stream_statements(
        &self,
        request: Request<Streaming<v1::StreamStatementsRequest>>,
    ) -> Result<Response<AckStream>, Status> {
        let (request, context) = CallContext::split(request).await?;
        let acks = self.acknowledgements(request, &context);
        context.answer_stream(Ok(acks))
    }

    async fn ingest_payloads(
        &self,
        request: Request<v1::IngestPayloadsRequest>,
    ) -> Result<Response<v1::IngestPayloadsResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.ingest_payloads(request, &context).await)
    }

    async fn list_waiting_events(
        &self,
        request: Request<v1::ListWaitingEventsRequest>,
    ) -> Result<Response<v1::ListWaitingEventsResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.list_waiting_events(request, &context).await)
    }
}

/// A batch of a stream, on its way to the commit.
type Batch = Result<(i64, Ticket), ApiError>;

impl IngestApi {
    async fn ingest_statements(
        &self,
        request: v1::IngestStatementsRequest,
        context: &CallContext,
    ) -> Result<v1::IngestStatementsResponse, ApiError> {
        let statements = request.statements;
        checked::count(
            "statements",
            statements.len(),
            self.max_statements,
            "statements",
        )?;
        let model = self.model(context).await?;
        let receipt = self.store_now(context, drafts(statements, &model)).await?;
        let read_token = self.read_token(context, &receipt).await?;
        let results = receipt.results.into_iter().map(encode::result).collect();
        Ok(v1::IngestStatementsResponse {
            results,
            read_token,
        })
    }

    /// The answers to a stream of batches, in the order of the batches.
    fn acknowledgements(
        &self,
        batches: Streaming<v1::StreamStatementsRequest>,
        context: &CallContext,
    ) -> AckStream {
        let context = context.clone();
        let (in_flight, acks) = mpsc::channel(self.stream_batches_in_flight);
        let taking_in = self.clone().take_in(context.clone(), batches, in_flight);
        tokio::spawn(context.call.clone().scope(taking_in));
        let api = self.clone();
        let acks = ReceiverStream::new(acks)
            .then(move |batch| api.clone().answer_batch(context.clone(), batch));
        Box::pin(until_failure(acks))
    }

    async fn model(&self, context: &CallContext) -> Result<Arc<Model>, ApiError> {
        let running = self.models.of(&context.tenant).await?;
        Ok(running.model.clone())
    }

    /// Stores payloads in parts that are no larger than a batch of statements may be, as a payload
    /// may make many. The receipt is of all of them.
    async fn store_parts(
        &self,
        context: &CallContext,
        mapped: Vec<Vec<Intake>>,
    ) -> Result<Receipt, ApiError> {
        let (mut receipt, mut part) = (Receipt::default(), Vec::new());
        let mut rest = mapped.into_iter().peekable();
        while let Some(payload) = rest.next() {
            part.extend(payload);
            let next = rest.peek().map_or(usize::MAX, Vec::len);
            if part.len().saturating_add(next) <= MAX_PART_STATEMENTS {
                continue;
            }
            let stored = self.store_now(context, std::mem::take(&mut part)).await?;
            receipt.results.extend(stored.results);
            receipt.sequence = stored.sequence.or(receipt.sequence);
        }
        Ok(receipt)
    }

    async fn store_now(
        &self,
        context: &CallContext,
        intake: Vec<Intake>,
    ) -> Result<Receipt, ApiError> {
        let ticket = self.ingest.offer(&context.tenant, intake).await?;
        Ok(ticket.wait().await?)
    }

    /// A token of the write; empty when nothing was stored.
    async fn read_token(
        &self,
        context: &CallContext,
        receipt: &Receipt,
    ) -> Result<String, ApiError> {
        let Some(sequence) = receipt.sequence else {
            return Ok(String::new());
        };
        let store = self.store.id().await?;
        Ok(token::read_token(store, &context.tenant, sequence))
    }

    /// Reads a stream's batches into the queue, in order. Waits when too many are in flight, which
    /// stops the reading, and so, by HTTP/2's flow control, the sender.
    async fn take_in(
        self,
        context: CallContext,
        mut batches: Streaming<v1::StreamStatementsRequest>,
        in_flight: mpsc::Sender<Batch>,
    ) {
        while let Ok(place) = in_flight.reserve().await {
            let message = tokio::select! {
                message = batches.next() => message.map(|message| message.map_err(ApiError::Received)),
                why = context.ended() => Some(Err(why.into())),
            };
            let batch = match message {
                Some(Ok(message)) => self.take_in_batch(&context, message).await,
                Some(Err(error)) => Err(error),
                None => return,
            };
            let failed = batch.is_err();
            place.send(batch);
            if failed {
                return;
            }
        }
    }

    async fn take_in_batch(
        &self,
        context: &CallContext,
        message: v1::StreamStatementsRequest,
    ) -> Batch {
        checked::count(
            "statements",
            message.statements.len(),
            self.max_statements,
            "statements",
        )?;
        let model = self.model(context).await?;
        let ticket = self
            .ingest
            .push(&context.tenant, drafts(message.statements, &model))
            .await;
        Ok((message.sequence, ticket?))
    }

    async fn answer_batch(
        self,
        context: CallContext,
        batch: Batch,
    ) -> Result<v1::StreamStatementsResponse, Status> {
        self.acknowledge(&context, batch)
            .await
            .map_err(|error| context.status(error))
    }

    async fn acknowledge(
        &self,
        context: &CallContext,
        batch: Batch,
    ) -> Result<v1::StreamStatementsResponse, ApiError> {
        let (sequence, ticket) = batch?;
        let committed = async {
            let receipt = ticket.wait().await?;
            let read_token = self.read_token(context, &receipt).await?;
            let results = receipt.results.into_iter().map(encode::result).collect();
            Ok(v1::StreamStatementsResponse {
                sequence,
                results,
                read_token,
            })
        };
        match context.deadline {
            Some(deadline) => tokio::time::timeout_at(deadline, committed)
                .await
                .unwrap_or_else(|_| Err(ApiError::DeadlineExceeded)),
            None => committed.await,
        }
    }
}

fn drafts(statements: Vec<v1::Statement>, model: &Model) -> Vec<Intake> {
    statements
        .into_iter()
        .map(|statement| decode::draft(statement, model).map(Into::into))
        .collect()
}
