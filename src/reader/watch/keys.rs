//! The keys of a watch: where each leads, and how that follows the log.

use profile_core::records::{ProfileId, Sequence};

use super::{AWAY_WAIT, Error, Pending, Watch};
use crate::changes::{CacheKey, Write};
use crate::reader::former::holders_after;
use crate::store::retry::jittered;
use crate::store::{self, ChangeKind};

/// A key, and where it leads.
#[derive(Debug, Clone)]
pub(super) struct WatchedKey {
    pub(super) key: CacheKey,
    pub(super) digest: u64,
    pub(super) current: Option<ProfileId>,
}

impl WatchedKey {
    pub(super) fn leads_to(&self, profile: ProfileId) -> bool {
        self.current == Some(profile) || self.key == CacheKey::Id(profile)
    }
}

impl Watch {
    /// Where a key leads after a write.
    pub(super) async fn follow(&mut self, index: usize, write: &Write) -> Result<(), Error> {
        let WatchedKey {
            key,
            digest,
            current,
        } = self.keys[index].clone();
        let mut leads = current;
        for change in &write.changes {
            match change.kind {
                ChangeKind::Merged(into) if current == Some(change.profile) => leads = Some(into),
                ChangeKind::Created if key == CacheKey::Id(change.profile) => {
                    leads = Some(change.profile);
                }
                _ => {}
            }
        }
        let mut told = leads;
        if !matches!(key, CacheKey::Id(_)) && write.keys.contains(&digest) {
            told = self.find(index, write.sequence).await?;
        }
        if told != leads {
            self.pending
                .push_back((write.sequence, Pending::Snapshot(index)));
        }
        if told != current {
            self.lead(index, told);
        }
        Ok(())
    }

    /// A key leads to another profile from now on.
    pub(super) fn lead(&mut self, index: usize, profile: Option<ProfileId>) {
        self.keys[index].current = profile;
        if let Some(profile) = profile {
            let told = self
                .subscription
                .add(CacheKey::Id(profile).digest(&self.request.tenant));
            self.behind = self.behind.max(told);
        }
    }

    /// Where a key led after a write. A database that is away is waited for.
    pub(super) async fn find(
        &self,
        index: usize,
        write: Sequence,
    ) -> Result<Option<ProfileId>, store::Error> {
        loop {
            match self.find_now(&self.keys[index].key, write).await {
                Err(store::Error::Unavailable(_) | store::Error::Overloaded(_))
                    if self.request.place.is_some() =>
                {
                    tokio::time::sleep(jittered(AWAY_WAIT)).await;
                }
                found => return found,
            }
        }
    }

    async fn find_now(
        &self,
        key: &CacheKey,
        write: Sequence,
    ) -> Result<Option<ProfileId>, store::Error> {
        let tenant = &self.request.tenant;
        match key {
            CacheKey::Id(id) | CacheKey::Objects(id, _) => {
                let found = self.store.profile_after(tenant, *id, write).await?;
                Ok(Some(found.map_or(*id, |profile| profile.id)))
            }
            CacheKey::Record(record) => {
                self.store.find_by_record_after(tenant, record, write).await
            }
            CacheKey::Identifier(identifier) => {
                let active = self.reader.models.of(tenant).await?;
                let limits = (2, &*active.model);
                let found = holders_after(&*self.store, tenant, identifier, write, limits).await?;
                Ok(if let [only] = found.as_slice() {
                    Some(*only)
                } else {
                    None
                })
            }
        }
    }
}
