//! The one path of a read, from a key to an answer. A batch takes it too, with what it has gathered
//! set-wise before.

use std::sync::Arc;

use profile_core::model::Model;
use profile_core::profile::{Derived, Profile};
use profile_core::records::{Identifier, ProfileId, RecordKey};

use super::batch::Gathered;
use super::cache::{Cached, Entry, EntryKey};
use super::found::{Found, Scope};
use super::{Answer, Error, Reader};
use crate::changes::CacheKey;
use crate::store;
use crate::telemetry::metrics::Cache as CacheKind;

/// Maximum number of times that a key is looked up when its profile changes between two reads.
const MAX_LOOKS: usize = 4;

/// Names a profile to read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// The profile of this id.
    Id(ProfileId),
    /// The profile that holds the identifier, in any spelling.
    Identifier(Identifier),
    /// The profile of a source's record.
    Record(RecordKey),
}

impl Reader {
    /// Reads the profile that a key leads to.
    ///
    /// Which profile that is takes one look-up, the profile another. If the two do not fit
    /// together, because the record or the identifier moved between them, both are read again, at
    /// least as current as what was seen.
    pub(super) async fn read_key(
        &self,
        scope: &Scope<'_>,
        key: &Key,
        gathered: &Gathered,
    ) -> Result<Answer, Error> {
        let wanted = lookup_key(&scope.active.model, key)?;
        let mut found = self.look_up_and_read(scope, &wanted, gathered).await?;
        if !found.answers_to(&wanted) {
            found = Box::pin(self.read_again(scope, &wanted, found)).await?;
        }
        self.answer(found, key)
    }

    async fn read_again(
        &self,
        scope: &Scope<'_>,
        wanted: &CacheKey,
        mut found: Found,
    ) -> Result<Found, Error> {
        let mut scope = scope.clone();
        let nothing = Gathered::default();
        for _ in 1..MAX_LOOKS {
            let requirement = &mut scope.requirement;
            requirement.sequence = requirement.sequence.max(found.currency.shown);
            found = self.look_up_and_read(&scope, wanted, &nothing).await?;
            if found.answers_to(wanted) {
                break;
            }
        }
        Ok(found)
    }

    async fn look_up_and_read(
        &self,
        scope: &Scope<'_>,
        key: &CacheKey,
        gathered: &Gathered,
    ) -> Result<Found, Error> {
        if let CacheKey::Id(id) = key {
            return Ok(self.by_id(scope, *id, gathered).await?);
        }
        let (id, lookup) = if let Some(found) = gathered.get(key) {
            (found.only_holder()?, found.lookup())
        } else {
            let found = self.entry(scope, key).await?;
            (found.only_holder()?, found.lookup())
        };
        Ok(self.by_id(scope, id, gathered).await?.through(lookup))
    }

    /// The profile that answers to an id, or its absence.
    pub(super) async fn by_id(
        &self,
        scope: &Scope<'_>,
        asked: ProfileId,
        gathered: &Gathered,
    ) -> Result<Found, store::Error> {
        let key = CacheKey::Id(asked);
        if let Some(found) = gathered.get(&key) {
            return Ok(found.clone());
        }
        let found = self.entry(scope, &key).await?;
        let Cached::Redirect(survivor) = found.entry.value else {
            return Ok(found);
        };
        let redirect = found.lookup();
        let found = self.entry(scope, &CacheKey::Id(survivor)).await?;
        if matches!(found.entry.value, Cached::Profile(_)) {
            return Ok(found.through(redirect));
        }
        // Merged again, or split, between the two reads: the store knows where to.
        let entry = Box::pin(self.load_one(scope, &key)).await?;
        Ok(Found::now(scope.requirement.proven(entry)?))
    }

    /// The entry of a key: from the cache, or from the store. Readers that miss it at once share
    /// one load.
    async fn entry(&self, scope: &Scope<'_>, key: &CacheKey) -> Result<Found, store::Error> {
        let slot = self.slot(scope, key.clone());
        // Boxed when it begins: a hit allocates nothing for it and stays a small future.
        let load = async { Ok(Box::pin(self.load_one(scope, key)).await?.under(key)) };
        let (entry, cached) = self.cache.get(&slot, &scope.requirement, load).await?;
        Ok(self.found(scope, &slot, entry, cached).await)
    }

    /// Counts an entry that was found, and brings one that was cached up to date.
    pub(super) async fn found(
        &self,
        scope: &Scope<'_>,
        slot: &EntryKey,
        entry: Entry,
        cached: bool,
    ) -> Found {
        let kind = match slot.key {
            CacheKey::Id(_) => CacheKind::Profiles,
            CacheKey::Identifier(_) | CacheKey::Record(_) => CacheKind::Lookups,
            CacheKey::Objects(..) => CacheKind::Objects,
        };
        self.metrics
            .cache_read(kind, cached, entry.value.is_absence());
        if !cached {
            return scope.found(entry, cached);
        }
        self.spot_check(scope, slot, &entry);
        let entry = self.up_to_date(scope, slot, entry).await;
        scope.found(entry, cached)
    }

    /// A cached entry, with the derived values of its profile derived anew if they hold no longer.
    async fn up_to_date(&self, scope: &Scope<'_>, slot: &EntryKey, entry: Entry) -> Entry {
        let Cached::Profile(kept) = &entry.value else {
            return entry;
        };
        let now = self.clock.now();
        if kept.derived.holds(now) {
            return entry;
        }
        let mut derived = Derived::of(kept, &scope.active.model, now);
        derived.pack();
        let profile = Profile {
            derived,
            ..Profile::clone(kept)
        };
        let entry = Entry {
            value: Cached::Profile(Arc::new(profile)),
            ..entry
        };
        self.cache.put(slot.clone(), entry.clone()).await;
        entry
    }

    /// The cache key of an answer as of now. It must be taken before the store is asked.
    pub(super) fn slot(&self, scope: &Scope<'_>, key: CacheKey) -> EntryKey {
        EntryKey {
            tenant: scope.tenant.clone(),
            epoch: self.follower.epochs().current(key.digest(scope.tenant)),
            key,
            model: scope.active.version,
            generation: scope.requirement.proof.generation,
        }
    }

    fn answer(&self, found: Found, key: &Key) -> Result<Answer, Error> {
        let Found {
            entry,
            cached,
            partly_cached,
            currency,
        } = found;
        let Cached::Profile(profile) = entry.value else {
            return Err(Error::NotFound);
        };
        let merged_from = merged_from(key, profile.id);
        let stale = partly_cached && currency.known_at.elapsed() > self.limits.max_staleness;
        Ok(Answer {
            profile,
            read_at: entry.read_at,
            cached,
            partly_cached,
            currency,
            stale,
            merged_from,
            as_of: None,
            model_then: None,
        })
    }
}

/// A key as the store knows it.
pub(super) fn lookup_key(model: &Model, key: &Key) -> Result<CacheKey, Error> {
    Ok(match key {
        Key::Id(id) => CacheKey::Id(*id),
        Key::Identifier(identifier) => {
            let kind = model.identifiers.get(&identifier.kind);
            let kind = kind.ok_or_else(|| Error::UnknownIdentifierType(identifier.kind.clone()))?;
            CacheKey::Identifier(Identifier::new(
                &identifier.kind,
                kind.normalize(&identifier.value),
            ))
        }
        Key::Record(record) => CacheKey::Record(record.clone()),
    })
}

pub(super) fn merged_from(key: &Key, found: ProfileId) -> Option<ProfileId> {
    match key {
        Key::Id(asked) if *asked != found => Some(*asked),
        Key::Id(_) | Key::Identifier(_) | Key::Record(_) => None,
    }
}
