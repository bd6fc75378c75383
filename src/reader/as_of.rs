//! Reads as of a time: what would have been answered then.
//!
//! The time leads to the last write at or before it, and everything is read as it was after that
//! write: the model that was in force, which profile held the key, what its name stood for, its
//! records. Nothing of it is cached: who looks back looks once.

use std::time::Instant;

use profile_core::model::Model;
use profile_core::profile::{Derived, fold};
use profile_core::records::{ProfileId, Sequence, TenantId, Timestamp};

use super::former::holders_after;
use super::found::only_holder;
use super::key::{lookup_key, merged_from};
use super::load::MAX_HOLDERS;
use super::{Answer, Error, Key, Reader, Recency};
use crate::changes::CacheKey;
use crate::compute::Class;
use crate::counting::Counting;
use crate::store::{self, PastWrite};

/// The difference between the clocks of servers that is ordinary: one minute. Writes that are later
/// than the present by no more than this are in their order, and an earlier time is answered by
/// what was before them. Why other rules have other numbers: see [`clock`](crate::clock).
const CLOCK_TOLERANCE_MICROS: i64 = 60_000_000;

/// Whether a read of the past has computed traits and segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PastDerived {
    /// All events of the profile are read and counted.
    Counted,
    /// It is not wanted.
    LeftOut,
}

impl Reader {
    /// Reads one profile as it was at a time. A time to come is the present. Before the tenant's
    /// first write there was nothing. Computed traits and segments are counted from the events of
    /// then, where they are wanted.
    ///
    /// # Errors
    /// All of [`Error`], as they would have been then.
    ///
    /// # Cancel safety
    /// Nothing is left behind.
    pub async fn profile_as_of(
        &self,
        tenant: &TenantId,
        key: &Key,
        time: Timestamp,
        derived: PastDerived,
    ) -> Result<Answer, Error> {
        let asked = time;
        let read_at = Instant::now();
        let write = self
            .metrics
            .store("write_at", self.write_at(tenant, time))
            .await?;
        let PastWrite {
            sequence,
            time,
            model_version,
        } = write.ok_or(Error::NotFound)?;
        let active = self.models.past(tenant, model_version).await?;
        let key_then = lookup_key(&active.model, key)?;
        let model = &active.model;
        let holders = self.holders_after(tenant, model, &key_then, sequence);
        let holders = holders.await?;
        let id = only_holder(&holders)?;
        let stored = self
            .metrics
            .store(
                "profile_after",
                self.store.profile_after(tenant, id, sequence),
            )
            .await?;
        let mut stored = stored.ok_or(Error::NotFound)?;
        if derived == PastDerived::Counted {
            let counting = Counting {
                model: active.model.clone(),
                now: time,
                as_of: Some(sequence),
                class: Class::Call,
            };
            counting.complete(&*self.store, tenant, &mut stored).await?;
        }
        let mut profile = fold(stored, &active.model);
        if derived == PastDerived::Counted {
            // Time goes on after the last write: a window may have ended since.
            let then = asked.min(self.clock.now()).max(time);
            profile.derived = Derived::of(&profile, &active.model, then);
        }
        let merged_from = merged_from(key, profile.id);
        let currency = Recency {
            sequence,
            shown: sequence,
            known_at: read_at,
        };
        let (profile, as_of) = (profile.into(), Some(time));
        let (cached, partly_cached, stale) = (false, false, false);
        Ok(Answer {
            profile,
            read_at,
            cached,
            partly_cached,
            currency,
            stale,
            merged_from,
            as_of,
            model_then: Some(model_version),
        })
    }

    /// The profiles that answered to a key after a write.
    async fn holders_after(
        &self,
        tenant: &TenantId,
        model: &Model,
        key: &CacheKey,
        write: Sequence,
    ) -> store::Result<Vec<ProfileId>> {
        let store = &self.store;
        match key {
            CacheKey::Id(id) | CacheKey::Objects(id, _) => Ok(vec![*id]),
            CacheKey::Record(record) => {
                let found = store.find_by_record_after(tenant, record, write);
                let found = self.metrics.store("find_by_record_after", found).await?;
                Ok(Vec::from_iter(found))
            }
            CacheKey::Identifier(identifier) => {
                let limits = (MAX_HOLDERS, model);
                let found = holders_after(&**store, tenant, identifier, write, limits);
                self.metrics.store("find_by_identifier_after", found).await
            }
        }
    }

    /// The write that a time leads to. The present is what the last write left, also where a clock
    /// that was ahead has given it a later time. Times within [`CLOCK_TOLERANCE_MICROS`] of the
    /// present are taken at their word.
    async fn write_at(
        &self,
        tenant: &TenantId,
        time: Timestamp,
    ) -> store::Result<Option<PastWrite>> {
        if time >= self.clock.now() {
            let latest = self
                .store
                .write_at(tenant, Timestamp::from_micros(i64::MAX))
                .await?;
            let ahead = latest.as_ref().map_or(0, |latest| {
                latest.time.as_micros().saturating_sub(time.as_micros())
            });
            if ahead <= 0 || ahead > CLOCK_TOLERANCE_MICROS {
                return Ok(latest);
            }
        }
        self.store.write_at(tenant, time).await
    }
}
