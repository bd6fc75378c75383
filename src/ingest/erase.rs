//! Erasures: a customer is forgotten by a write of its own.
//!
//! The records of the profile become empty, as if nothing had ever been said of them: so identity,
//! caches, watches and everybody else who follows writes see the customer go, and those who were
//! weighed against them are weighed anew. In the same transaction goes what is kept besides:
//! [`Transaction::erase`](crate::store::Transaction::erase).

use std::collections::BTreeSet;

use profile_core::records::{
    ContentHash, ProfileId, ProfileRow, ProfileState, Record, RecordKey, Sequence, TenantId,
};
use serde::Serialize;

use super::apply::Applied;
use super::changes::{self, WriteContext};
use super::write::Writer;
use crate::neighbourhood;
use crate::store::{
    self, Cause, Changes, Erasure, Held, IdempotencyError, IdempotentRequest, Snapshot,
    StoredErasure, TombstoneKey,
};

/// A request to erase a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EraseRequest {
    /// The profile; a merged id erases the survivor.
    pub profile: ProfileId,
    /// The revision that the profile must have; `None`: any.
    pub expected_revision: Option<i64>,
    /// The person who asked for it, in the caller's words.
    pub actor: String,
    /// The reason, in the caller's words.
    pub note: String,
    /// The caller's id of the request; the same request again erases nothing more. Empty means that
    /// it is not remembered.
    #[serde(skip)]
    pub request_id: String,
}

/// Why nothing was erased.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EraseError {
    /// No live profile answers to the id.
    #[error("no profile answers to the name")]
    NotFound,
    /// The profile has another revision than expected.
    #[error("the profile has revision {actual}, not {expected}")]
    RevisionChanged {
        /// The revision that was expected.
        expected: i64,
        /// The revision that it has.
        actual: i64,
    },
    /// The request's id was used for another request.
    #[error("the request id was used before for another request")]
    RequestReused,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
}

impl From<IdempotencyError> for EraseError {
    fn from(error: IdempotencyError) -> Self {
        match error {
            IdempotencyError::IdReused => Self::RequestReused,
            IdempotencyError::Store(error) => Self::Store(error),
        }
    }
}

/// The outcome of an erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// The receipt, which has nothing personal.
    pub receipt: StoredErasure,
    /// A read that reflects this write does not see the customer. `None` if nothing was erased.
    pub sequence: Option<Sequence>,
}

impl Writer {
    /// Erases; with `validate_only` answers what an erasure would take, and writes nothing.
    pub(super) async fn erase(
        &self,
        tenant: &TenantId,
        request: &EraseRequest,
        validate_only: bool,
    ) -> Result<Erased, EraseError> {
        let (mut tx, active) = self.begin(tenant).await?;
        let id = if validate_only {
            ""
        } else {
            &request.request_id
        };
        let idempotent = IdempotentRequest::new(id, request);
        if let Some(earlier) = idempotent.earlier_answer::<String>(tx.reads()).await? {
            self.give_back(tenant, tx).await;
            return self.erased_before(tenant, &earlier.answer).await;
        }
        let (id, records) = find(tx.reads(), request).await?;
        let keys: Vec<RecordKey> = records.iter().map(|record| record.key.clone()).collect();
        let context = WriteContext {
            tenant,
            sequence: tx.sequence(),
            now: self.clock.now().max(tx.not_before()),
        };
        let receipt = receipt(context, id, request);
        let applied = Applied::emptied(records);
        let load = neighbourhood::load(tx.reads(), applied.start(&active.model), &active.model);
        let neighbourhood = self.step("load_neighbourhood", load).await?;
        let cause = Cause::Erasure {
            id: receipt.id.clone(),
        };
        let cause = |_: ProfileId| cause.clone();
        let mut plan = changes::plan(context, &applied, &neighbourhood, &cause, &active.model);
        let log = std::mem::take(&mut plan.changes.log);
        let erasure = Erasure {
            records: keys,
            key: tx.tombstone_key().unwrap_or_else(TombstoneKey::random),
            receipt,
        };
        self.step("write", tx.write(&plan.changes)).await?;
        let receipt = self.step("erase", tx.erase(&erasure)).await?;
        if validate_only {
            self.give_back(tenant, tx).await;
            return Ok(Erased {
                receipt,
                sequence: None,
            });
        }
        let answer = idempotent.row(context.sequence, &receipt.id)?;
        plan.changes = Changes {
            log,
            requests: answer.into_iter().collect(),
            ..Changes::default()
        };
        self.commit(context, &active, Box::new(Held(tx)), plan)
            .await?;
        Ok(Erased {
            receipt,
            sequence: Some(context.sequence),
        })
    }

    /// The answer to a request that was answered before.
    async fn erased_before(&self, tenant: &TenantId, id: &str) -> Result<Erased, EraseError> {
        let receipt = self.store.erasure(tenant, id).await?;
        let receipt = receipt.ok_or(EraseError::NotFound)?;
        Ok(Erased {
            sequence: Some(receipt.sequence),
            receipt,
        })
    }
}

/// The profile that answers to the id, and its records: also those that their sources have deleted
/// since. A profile of which nothing else is left is found as well.
async fn find(
    reads: &mut dyn Snapshot,
    request: &EraseRequest,
) -> Result<(ProfileId, Vec<Record>), EraseError> {
    let row = row(reads, request.profile).await?;
    if let Some(expected) = request.expected_revision
        && expected != row.revision
    {
        return Err(EraseError::RevisionChanged {
            expected,
            actual: row.revision,
        });
    }
    let mut records = if row.state == ProfileState::Live {
        reads.members(&[row.id]).await?
    } else {
        Vec::new()
    };
    let carried = records.iter().flat_map(|it| &it.membership.carries);
    let ids: BTreeSet<ProfileId> = [row.id]
        .into_iter()
        .chain(carried.map(|carried| carried.id))
        .collect();
    records.extend(reads.former_members(&Vec::from_iter(ids)).await?);
    if records.is_empty() {
        return Err(EraseError::NotFound);
    }
    Ok((row.id, records))
}

/// The row of a profile, or of the one that it went into.
async fn row(reads: &mut dyn Snapshot, id: ProfileId) -> Result<ProfileRow, EraseError> {
    let mut id = id;
    for _ in 0..2 {
        let found = reads.profile_rows(&[id]).await?.into_iter().next();
        match found {
            Some(ProfileRow {
                state: ProfileState::MergedInto(survivor),
                ..
            }) => id = survivor,
            Some(row) => return Ok(row),
            None => break,
        }
    }
    Err(EraseError::NotFound)
}

/// The receipt of an erasure to come. Its id is made of the tenant and the number of the write, so
/// that it is not made of anything personal.
fn receipt(context: WriteContext<'_>, profile: ProfileId, request: &EraseRequest) -> StoredErasure {
    let hash = ContentHash::of(&("erasure", context.tenant.as_str(), context.sequence.0));
    let id = uuid::Builder::from_custom_bytes(hash.0.to_be_bytes()).into_uuid();
    StoredErasure {
        id: id.to_string(),
        sequence: context.sequence,
        time: context.now,
        profile,
        actor: request.actor.clone(),
        note: request.note.clone(),
        places: Vec::new(),
        release: None,
    }
}
