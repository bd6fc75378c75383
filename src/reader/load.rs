//! The reads of the store: profiles, folded by the model that is active in the same
//! snapshot, and the profiles that identifiers and records lead to.

use std::sync::Arc;
use std::time::Instant;

use profile_core::model::Model;
use profile_core::profile::{Derived, StoredProfile, fold};
use profile_core::records::{Identifier, ProfileId, RecordKey, Sequence, TenantId};

use tracing::Instrument;

use super::Reader;
use super::cache::{Cached, Entry};
use super::former::{holder_names, present_or_former};
use super::found::Scope;
use crate::changes::CacheKey;
use crate::spans::child_span;
use crate::store::{self, AsOf};

/// Maximum number of profiles looked up for an identifier: two show that it is ambiguous, the
/// others are for the message.
pub(super) const MAX_HOLDERS: usize = 10;

/// Keys by what they are asked with.
#[derive(Default)]
struct Keys {
    ids: Vec<ProfileId>,
    identifiers: Vec<Identifier>,
    records: Vec<RecordKey>,
}

impl Keys {
    fn by_kind<'a>(keys: impl IntoIterator<Item = &'a CacheKey>) -> Self {
        let mut by_kind = Self::default();
        for key in keys {
            match key {
                CacheKey::Id(id) => by_kind.ids.push(*id),
                CacheKey::Identifier(identifier) => by_kind.identifiers.push(identifier.clone()),
                CacheKey::Record(record) => by_kind.records.push(record.clone()),
                // Objects are folded from events: see `Reader::latest_objects`.
                CacheKey::Objects(..) => {}
            }
        }
        by_kind
    }
}

/// The cache that a key is kept in.
fn cache_of(key: &CacheKey) -> &'static str {
    match key {
        CacheKey::Id(_) => "profiles",
        CacheKey::Identifier(_) | CacheKey::Record(_) => "lookups",
        CacheKey::Objects(..) => "objects",
    }
}

impl Reader {
    /// Loads the entries of keys, with one query for each kind of key.
    pub(super) async fn load<'a>(
        &self,
        scope: &Scope<'_>,
        keys: impl IntoIterator<Item = &'a CacheKey>,
    ) -> Result<Vec<(CacheKey, Entry)>, store::Error> {
        let Keys {
            ids,
            identifiers,
            records,
        } = Keys::by_kind(keys);
        let mut loaded = Vec::with_capacity(ids.len() + identifiers.len() + records.len());
        if !ids.is_empty() {
            let entries = self.load_profiles(scope, &ids, "profiles").await?;
            loaded.extend(ids.into_iter().map(CacheKey::Id).zip(entries));
        }
        if !identifiers.is_empty() {
            let entries = self.load_holders(scope, &identifiers).await?;
            let keys = identifiers.into_iter().map(CacheKey::Identifier);
            loaded.extend(keys.zip(entries));
        }
        if !records.is_empty() {
            let entries = self.load_profiles_of_records(scope, &records).await?;
            loaded.extend(records.into_iter().map(CacheKey::Record).zip(entries));
        }
        Ok(loaded)
    }

    /// Loads the entry of one key.
    pub(super) async fn load_one(
        &self,
        scope: &Scope<'_>,
        key: &CacheKey,
    ) -> Result<Entry, store::Error> {
        let miss = child_span!("cache miss", cache = cache_of(key));
        let loaded = self.load(scope, [key]).instrument(miss).await?.pop();
        let (_, entry) = loaded.ok_or_else(|| {
            store::Error::Internal("the store answered fewer keys than were asked".to_owned())
        })?;
        Ok(entry)
    }

    /// Loads and folds the profiles that answer to ids. `operation` names the read in metrics.
    pub(super) async fn load_profiles(
        &self,
        scope: &Scope<'_>,
        ids: &[ProfileId],
        operation: &'static str,
    ) -> Result<Vec<Entry>, store::Error> {
        let read_at = Instant::now();
        let read = self.store.profiles(scope.tenant, ids);
        let answer = self.metrics.store(operation, read).await?;
        let active = self
            .models
            .told(scope.tenant, answer.model_version, &scope.active)
            .await?;
        let mut entries = Vec::with_capacity(answer.value.len());
        for stored in answer.value {
            let value = match stored {
                Some(stored) => self.folded(stored, &active.model),
                None => Cached::Absent,
            };
            entries.push(Entry::as_of(value, answer.sequence, read_at));
        }
        Ok(entries)
    }

    async fn load_holders(
        &self,
        scope: &Scope<'_>,
        identifiers: &[Identifier],
    ) -> Result<Vec<Entry>, store::Error> {
        let read_at = Instant::now();
        let names = holder_names(identifiers, &scope.active.model);
        let read = self
            .store
            .find_by_identifiers(scope.tenant, &names, MAX_HOLDERS);
        let answer = self.metrics.store("find_by_identifiers", read).await?;
        let answer = AsOf {
            sequence: answer.sequence,
            model_version: answer.model_version,
            value: present_or_former(identifiers, &names, answer.value),
        };
        self.holder_entries(scope, answer, read_at).await
    }

    async fn load_profiles_of_records(
        &self,
        scope: &Scope<'_>,
        records: &[RecordKey],
    ) -> Result<Vec<Entry>, store::Error> {
        let read_at = Instant::now();
        let read = self.store.find_by_records(scope.tenant, records);
        let answer = self.metrics.store("find_by_records", read).await?;
        self.holder_entries(scope, answer, read_at).await
    }

    async fn holder_entries(
        &self,
        scope: &Scope<'_>,
        answer: AsOf<Vec<impl IntoIterator<Item = ProfileId>>>,
        read_at: Instant,
    ) -> Result<Vec<Entry>, store::Error> {
        self.models
            .told(scope.tenant, answer.model_version, &scope.active)
            .await?;
        let entries = answer.value.into_iter().map(|holders| {
            let holders = Cached::Holders(holders.into_iter().collect());
            Entry::as_of(holders, answer.sequence, read_at)
        });
        Ok(entries.collect())
    }

    /// A profile, with the values that are derived of it now.
    fn folded(&self, stored: StoredProfile, model: &Model) -> Cached {
        let _span = child_span!("fold").entered();
        let mut profile = fold(stored, model);
        profile.derived = Derived::of(&profile, model, self.clock.now());
        profile.pack();
        Cached::Profile(Arc::new(profile))
    }

    /// A write that is at least the last one that anything read until now may show.
    pub(super) async fn head(&self, tenant: &TenantId) -> Result<Sequence, store::Error> {
        let read = self.store.find_by_records(tenant, &[]);
        Ok(self.metrics.store("head", read).await?.sequence)
    }
}
