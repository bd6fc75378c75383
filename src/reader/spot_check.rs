//! Spot checks: one hit in a thousand is read again from the store, and differences are counted.
//!
//! The cache is held to be current because every write makes old what it concerns. If that had a
//! hole, nobody would notice until a customer did. So now and then what was answered is compared
//! with the store: once it is certain that every write which the store's answer reflects is known
//! here, and none of them made the entry old, the two must be the same.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use profile_core::profile::Profile;

use super::cache::{Cached, Entry, EntryKey};
use super::{Reader, Scope};
use crate::active_models::ActiveModel;
use crate::changes::CacheKey;
use crate::changes::TenantTail;
use crate::store::Result;

/// One hit in this number is checked.
const EVERY: u64 = 1_000;
/// How long to wait until what the store has seen is known here; then nothing can be said.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked whether it is.
const LOOK: Duration = Duration::from_millis(5);

impl Reader {
    /// Checks a hit, if it is its turn.
    pub(super) fn spot_check(&self, scope: &Scope<'_>, slot: &EntryKey, entry: &Entry) {
        let CacheKey::Id(_) = slot.key else { return };
        if !self
            .hits
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(EVERY)
        {
            return;
        }
        let (reader, slot, entry) = (self.clone(), slot.clone(), entry.clone());
        let (tail, active) = (scope.tail.clone(), scope.active.clone());
        tokio::spawn(async move {
            // If it was made old meanwhile, or the store does not answer, there is nothing to be
            // said.
            if let Ok(Some(consistent)) = reader.is_consistent(&slot, &entry, &tail, active).await {
                reader.metrics.spot_checked(consistent);
            }
        });
    }

    async fn is_consistent(
        &self,
        slot: &EntryKey,
        entry: &Entry,
        tail: &Arc<TenantTail>,
        active: Arc<ActiveModel>,
    ) -> Result<Option<bool>> {
        let CacheKey::Id(id) = slot.key else {
            return Ok(None);
        };
        let requirement = self.requirement(tail, super::Freshness::Full).await;
        let scope = Scope {
            tenant: &slot.tenant,
            active,
            tail: tail.clone(),
            requirement,
        };
        let loaded = self.load_profiles(&scope, &[id], "spot_check").await?.pop();
        let Some(fresh) = loaded.map(|entry| entry.under(&slot.key)) else {
            return Ok(None);
        };
        let known = async {
            while tail.proof().position < fresh.sequence {
                tokio::time::sleep(LOOK).await;
            }
        };
        let is_known = tokio::time::timeout(PATIENCE, known).await.is_ok();
        let now = EntryKey {
            epoch: self
                .follower
                .epochs()
                .current(slot.key.digest(&slot.tenant)),
            generation: tail.proof().generation,
            model: self.models.of(&slot.tenant).await?.version,
            ..slot.clone()
        };
        if !is_known || now != *slot {
            return Ok(None);
        }
        let same = match (&entry.value, &fresh.value) {
            (Cached::Profile(cached), Cached::Profile(fresh)) => {
                // Derived values depend on the time.
                let derived = fresh.derived.clone();
                Profile {
                    derived,
                    ..Profile::clone(cached)
                } == **fresh
            }
            (Cached::Redirect(cached), Cached::Redirect(fresh)) => cached == fresh,
            (Cached::Absent, Cached::Absent) => true,
            _ => false,
        };
        if !same {
            tracing::error!(
                tenant = %slot.tenant, profile = %id, cached = entry.sequence.0, stored = fresh.sequence.0,
                "a cached profile is not what the store has; this is a bug"
            );
        }
        Ok(Some(same))
    }
}
