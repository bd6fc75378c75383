//! The parts of an export, in an order that is the same each time, with a hash of all of them.
//!
//! An export that goes on reads everything once more and sends nothing before its place. The hash
//! up to there tells whether anything has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use profile_core::records::{ProfileId, Record, RecordKey};
use prost::Message;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::PrivacyApi;
use crate::grpc::call_context::{CallContext, Messages};
use crate::grpc::encode::{self, Projection};
use crate::grpc::error::ApiError;
use crate::grpc::names::profile_name;
use crate::grpc::v1::export_profile_response::Part;
use crate::grpc::{decode, identity, segments, token, v1};
use crate::reader::{Answer, Freshness, Key, TimelineItem, TimelineQuery};
use crate::store::{IdentityChangePage, MembershipChange, StoredStatement};

/// How many events and changes are read at once.
const PAGE: usize = 500;
/// How many parts wait for a caller who takes them slowly.
const UNTAKEN: usize = 16;

/// The parts of an export.
pub(super) type Parts = Messages<v1::ExportProfileResponse>;

/// How far an export has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// How many parts there were.
    parts: u64,
    /// The hash of all of them.
    hash: [u8; 32],
}

impl Place {
    fn after(self, part: &v1::ExportProfileResponse) -> Self {
        let hash = Sha256::new()
            .chain_update(self.hash)
            .chain_update(part.encode_to_vec());
        Self {
            parts: self.parts + 1,
            hash: hash.finalize().into(),
        }
    }
}

/// Begins an export: the profile is found before the first part is sent.
pub(super) async fn begin(
    api: &PrivacyApi,
    request: v1::ExportProfileRequest,
    context: CallContext,
) -> Result<Parts, ApiError> {
    let id = decode::profile(&request.name, "name")?;
    let from: Option<Place> = token::parse_page_token(&request.resume_token, &("export", id.0))?;
    let found = api
        .reader
        .profile(&context.tenant, &Key::Id(id), Freshness::Full)
        .await?;
    let (parts, stream) = mpsc::channel(UNTAKEN);
    let export = Export {
        api: api.clone(),
        context: context.clone(),
        asked: id,
        from: from.unwrap_or_default(),
        place: Place::default(),
        counts: BTreeMap::new(),
        parts,
    };
    let call = context.call.clone();
    tokio::spawn(call.scope(async move {
        let parts = export.parts.clone();
        let work = export.run(&found);
        let error = tokio::select! {
            done = work => done.err(),
            why = context.ended() => Some(ApiError::Ended(why)),
            () = parts.closed() => None,
        };
        if let Some(error) = error {
            // The caller may have gone.
            drop(parts.send(Err(context.status(error))).await);
        }
    }));
    Ok(Box::pin(ReceiverStream::new(stream)))
}

struct Export {
    api: PrivacyApi,
    context: CallContext,
    /// The profile that was asked for.
    asked: ProfileId,
    /// Nothing is sent up to here.
    from: Place,
    place: Place,
    counts: BTreeMap<String, i64>,
    parts: mpsc::Sender<Result<v1::ExportProfileResponse, Status>>,
}

impl Export {
    async fn run(mut self, found: &Answer) -> Result<(), ApiError> {
        let now = self.api.clock.now();
        let (profile, _) = Projection::full().of(&found.profile, now);
        self.send("profile", Part::Profile(profile)).await?;
        let id = found.profile.id;
        let records = self.records(&found.profile.records).await?;
        self.statements(&records).await?;
        self.events(found).await?;
        self.identity(id, &records).await?;
        self.segments(id).await?;
        let manifest = v1::ExportManifest {
            profile: profile_name(&id),
            revision: found.profile.revision,
            part_counts: self.counts.clone(),
            sha256: hex(&self.place.hash),
        };
        self.send("manifest", Part::Manifest(manifest)).await
    }

    /// The records of the profile, and those that their sources have deleted since; in order.
    async fn records(&self, members: &[Record]) -> Result<Vec<RecordKey>, ApiError> {
        let carried = members.iter().flat_map(|it| &it.membership.carries);
        let ids: BTreeSet<ProfileId> = carried.map(|carried| carried.id).collect();
        let mut reads = self.api.store.snapshot(&self.context.tenant).await?;
        let former = reads.former_members(&Vec::from_iter(ids)).await?;
        let all = members.iter().chain(&former);
        let keys: BTreeSet<RecordKey> = all.map(|record| record.key.clone()).collect();
        Ok(keys.into_iter().collect())
    }

    async fn statements(&mut self, records: &[RecordKey]) -> Result<(), ApiError> {
        let (store, tenant) = (self.api.store.clone(), self.context.tenant.clone());
        for record in records {
            for stored in store.list_statements(&tenant, record).await? {
                self.send("statement", Part::Statement(statement(&stored)?))
                    .await?;
            }
            for change in store.list_memberships(&tenant, record).await? {
                self.send("membership", Part::Membership(membership(change)))
                    .await?;
            }
        }
        Ok(())
    }

    async fn events(&mut self, found: &Answer) -> Result<(), ApiError> {
        let mut query = TimelineQuery {
            limit: PAGE,
            ..TimelineQuery::default()
        };
        loop {
            let page = self
                .api
                .reader
                .timeline(&self.context.tenant, found, &query)
                .await?;
            for item in page.items {
                if let TimelineItem::Event(event) = item {
                    self.send("event", Part::Event(encode::event(event)))
                        .await?;
                }
            }
            if page.next.is_none() {
                return Ok(());
            }
            query.cursor = page.next;
        }
    }

    async fn identity(&mut self, id: ProfileId, records: &[RecordKey]) -> Result<(), ApiError> {
        let (store, tenant) = (self.api.store.clone(), self.context.tenant.clone());
        let mut reads = store.snapshot(&tenant).await?;
        let mut decisions = reads.decisions_about(records).await?;
        drop(reads);
        decisions.sort_by(|a, b| a.decision.id.cmp(&b.decision.id));
        for stored in decisions {
            self.send(
                "decision",
                Part::Decision(identity::encode::decision(stored)),
            )
            .await?;
        }
        let mut page = IdentityChangePage {
            profile: Some(id),
            before: None,
            limit: PAGE,
        };
        loop {
            let changes = store.list_identity_changes(&tenant, &page).await?;
            page.before = changes.last().map(|last| (last.sequence, last.ordinal));
            let is_last = changes.len() < PAGE;
            for change in changes {
                let change = identity::encode::change(change);
                self.send("identity_change", Part::IdentityChange(change))
                    .await?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    async fn segments(&mut self, id: ProfileId) -> Result<(), ApiError> {
        let stays = self
            .api
            .store
            .memberships(&self.context.tenant, &[id])
            .await?;
        for stay in stays {
            self.send("segment", Part::Segment(segments::stay(stay)))
                .await?;
        }
        Ok(())
    }

    /// Sends a part, if the caller does not have it.
    async fn send(&mut self, kind: &str, part: Part) -> Result<(), ApiError> {
        let mut part = v1::ExportProfileResponse {
            part: Some(part),
            resume_token: String::new(),
        };
        self.place = self.place.after(&part);
        *self.counts.entry(kind.to_owned()).or_default() += 1;
        if self.place.parts <= self.from.parts {
            let is_changed = self.place.parts == self.from.parts && self.place != self.from;
            return if is_changed {
                Err(ApiError::ExportChanged)
            } else {
                Ok(())
            };
        }
        part.resume_token = token::page_token(self.place, &("export", self.asked.0));
        // The caller may have gone.
        drop(self.parts.send(Ok(part)).await);
        Ok(())
    }
}

fn statement(stored: &StoredStatement) -> Result<v1::ExportedStatement, ApiError> {
    let json = serde_json::to_string(&stored.draft)
        .map_err(|error| crate::store::Error::Internal(error.to_string()))?;
    Ok(v1::ExportedStatement {
        record: Some(encode::key(&stored.key.record)),
        receive_time: Some(encode::time(stored.receive_time)),
        json,
    })
}

fn membership(change: MembershipChange) -> v1::ExportedMembership {
    v1::ExportedMembership {
        record: Some(encode::key(&change.record)),
        profile: change
            .profile
            .as_ref()
            .map(profile_name)
            .unwrap_or_default(),
        change_time: Some(encode::time(change.time)),
        reason: change.reason,
    }
}

/// Bytes in hexadecimal, as the manifest has its hash.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a text does not fail.
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}
