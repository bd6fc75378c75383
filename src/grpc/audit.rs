//! `AuditService`: the audit logs, to be read, kept elsewhere and verified.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::{Stream, stream};
use profile_core::records::{ProfileId, Timestamp};
use tonic::{Request, Response, Status};

use super::call_context::{CallContext, Messages};
use super::checked::{both, page_size};
use super::encode::time;
use super::error::ApiError;
use super::names::profile_name;
use super::v1::{self, audit_service_server::AuditService};
use super::{decode, token};
use crate::audit::{self, Entry, Journal, LeafTile, Period, Query, SearchError};
use crate::reader::{self, Freshness, Key, Reader};
use crate::store::{MembershipChange, Store};

/// How large a page is, and how large it may be.
const PAGE: usize = 100;
const MAX_PAGE: usize = 1000;

/// Serves `AuditService`.
#[derive(Clone)]
pub struct AuditApi {
    /// Where the logs are.
    pub store: Arc<dyn Store>,
    /// Finds customers.
    pub reader: Reader,
    /// Entries that are not written yet. `None`: no log is kept.
    pub journal: Option<Arc<Journal>>,
}

#[tonic::async_trait]
impl AuditService for AuditApi {
    async fn list_audit_entries(
        &self,
        request: Request<v1::ListAuditEntriesRequest>,
    ) -> Result<Response<v1::ListAuditEntriesResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.list_audit_entries(request, &context).await)
    }

    async fn get_audit_checkpoint(
        &self,
        request: Request<v1::GetAuditCheckpointRequest>,
    ) -> Result<Response<v1::GetAuditCheckpointResponse>, Status> {
        let (_, context) = CallContext::split(request).await?;
        context.answer(self.checkpoint(&context).await)
    }

    type ExportAuditLogStream = Messages<v1::ExportAuditLogResponse>;

    async fn export_audit_log(
        &self,
        request: Request<v1::ExportAuditLogRequest>,
    ) -> Result<Response<Self::ExportAuditLogStream>, Status> {
        let (_, context) = CallContext::split(request).await?;
        let export = self.export(context.clone()).await;
        context.answer_stream(export)
    }
}

impl AuditApi {
    async fn list_audit_entries(
        &self,
        request: v1::ListAuditEntriesRequest,
        context: &CallContext,
    ) -> Result<v1::ListAuditEntriesResponse, ApiError> {
        let v1::ListAuditEntriesRequest {
            customer,
            start_time,
            end_time,
            credential,
            subject,
            page_size: size,
            page_token,
        } = request;
        let key = customer.map(|key| decode::key(Some(key), "customer"));
        let (limit, key) = both(page_size(size, PAGE, MAX_PAGE), key.transpose())?;
        let (start, end) = (start_time.map(decode::time), end_time.map(decode::time));
        let mut query = Query {
            customer: None,
            start,
            end,
            credential,
            subject,
            before: None,
            limit,
        };
        let mut profile = String::new();
        if let Some(key) = key {
            let (name, periods) = self.periods(&key, context).await?;
            (profile, query.customer) = (name, Some(periods));
        }
        let asked = (
            &profile,
            start.map(Timestamp::as_micros),
            end.map(Timestamp::as_micros),
            (&query.credential, &query.subject),
        );
        query.before = token::parse_page_token(&page_token, &asked)?;
        let found = audit::search(&*self.store, &context.tenant, &query).await?;
        let next = found.before.map(|before| token::page_token(before, &asked));
        let entries = found
            .entries
            .into_iter()
            .map(|(index, entry)| encode(index, entry));
        Ok(v1::ListAuditEntriesResponse {
            entries: entries.collect(),
            next_page_token: next.unwrap_or_default(),
            profile,
        })
    }

    /// The profiles that held a record of a customer, each with the time in which it did.
    async fn periods(
        &self,
        key: &Key,
        context: &CallContext,
    ) -> Result<(String, Vec<Period>), ApiError> {
        let found = self
            .reader
            .profile(&context.tenant, key, Freshness::Full)
            .await;
        let found = match (found, key) {
            // Whoever was erased, or left without a record, has what their profile has.
            (Err(reader::Error::NotFound), Key::Id(id)) => {
                return Ok((profile_name(id), vec![whole(id)]));
            }
            (found, _) => found?,
        };
        let mut periods = Vec::new();
        for record in &found.profile.records {
            let changes = self
                .store
                .list_memberships(&context.tenant, &record.key)
                .await?;
            periods.extend(of_changes(&changes));
        }
        // The profile itself also from before this record came to it.
        periods.push(whole(&found.profile.id));
        Ok((profile_name(&found.profile.id), joined(periods)))
    }

    async fn checkpoint(
        &self,
        context: &CallContext,
    ) -> Result<v1::GetAuditCheckpointResponse, ApiError> {
        let head = self.store.audit_head(&context.tenant).await?;
        let waiting = self.journal.as_ref();
        let waiting = waiting.map_or(0, |journal| journal.count_of(&context.tenant));
        Ok(v1::GetAuditCheckpointResponse {
            checkpoint: head.checkpoint,
            size: wire(head.size),
            waiting: wire(waiting as u64),
        })
    }

    async fn export(
        &self,
        context: CallContext,
    ) -> Result<impl Stream<Item = Result<v1::ExportAuditLogResponse, Status>> + use<>, ApiError>
    {
        let head = self.store.audit_head(&context.tenant).await?;
        let store = self.store.clone();
        let step = move |first: Option<u64>| {
            let (store, context, head) = (store.clone(), context.clone(), head.clone());
            async move {
                let Some(first) = first else { return Ok(None) };
                let tile = audit::read_tile(&*store, &context.tenant, first, head.size).await;
                let tile = tile.map_err(|error| context.status(error.into()))?;
                let next = tile.next;
                let checkpoint = if next.is_none() {
                    head.checkpoint
                } else {
                    String::new()
                };
                Ok(Some((wire_tile(tile, checkpoint), next)))
            }
        };
        Ok(stream::try_unfold(Some(0), step))
    }
}

fn wire_tile(tile: LeafTile, checkpoint: String) -> v1::ExportAuditLogResponse {
    let leaves = tile.leaves.into_iter().map(|leaf| v1::AuditLeaf {
        index: wire(leaf.index),
        content: leaf.line.into(),
    });
    v1::ExportAuditLogResponse {
        first_index: wire(tile.first),
        leaf_hashes: tile.hashes.into(),
        leaves: leaves.collect(),
        checkpoint,
    }
}

fn of_changes(changes: &[MembershipChange]) -> Vec<Period> {
    let ends = changes.iter().skip(1).map(|next| Some(next.time));
    let ends = ends.chain(std::iter::once(None));
    let periods = changes.iter().zip(ends).filter_map(|(change, end)| {
        Some(Period {
            profile: profile_name(&change.profile?),
            begin: change.time,
            end,
        })
    });
    periods.collect()
}

fn whole(id: &ProfileId) -> Period {
    Period {
        profile: profile_name(id),
        begin: Timestamp::from_micros(i64::MIN),
        end: None,
    }
}

/// One period for each profile and beginning: records that came together stay together mostly.
fn joined(periods: Vec<Period>) -> Vec<Period> {
    let mut ends: BTreeMap<(String, Timestamp), Option<Timestamp>> = BTreeMap::new();
    for Period {
        profile,
        begin,
        end,
    } in periods
    {
        let longest = ends.entry((profile, begin)).or_insert(end);
        *longest = longest.zip(end).map(|(one, other)| one.max(other));
    }
    let period = |((profile, begin), end)| Period {
        profile,
        begin,
        end,
    };
    ends.into_iter().map(period).collect()
}

fn encode(index: u64, entry: Entry) -> v1::AuditEntry {
    v1::AuditEntry {
        index: wire(index),
        time: Some(time(entry.time)),
        credential: entry.credential.to_string(),
        subject: entry.subject.as_deref().unwrap_or_default().to_owned(),
        method: entry.method.into_owned(),
        scope: entry.scope.into_owned(),
        roles: entry.roles.to_vec(),
        purpose: entry.purpose,
        fields: entry.fields,
        withheld: entry.withheld,
        customers: entry.customers,
        code: entry.code.into_owned(),
        refusal: entry.refusal.into_owned(),
        request_id: entry.request_id,
    }
}

fn wire(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl From<SearchError> for ApiError {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Store(error) => Self::Store(error),
            SearchError::Changed(_) => Self::AuditChanged,
        }
    }
}
