//! What a step of a read found, and how current it is.

use std::sync::Arc;

use profile_core::profile::Profile;
use profile_core::records::TenantId;

use super::Recency;
use super::cache::{Cached, Entry, Requirement};
use crate::active_models::ActiveModel;
use crate::changes::CacheKey;
use crate::changes::TenantTail;

/// For whom is read, by which model, and how current it must be.
#[derive(Clone)]
pub(super) struct Scope<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) running: Arc<ActiveModel>,
    pub(super) followed: Arc<TenantTail>,
    pub(super) need: Requirement,
}

impl Scope<'_> {
    pub(super) fn found(&self, entry: Entry, cached: bool) -> Found {
        let currency = if cached {
            entry.currency(self.need.proof)
        } else {
            entry.loaded()
        };
        Found {
            entry,
            cached,
            partly_cached: cached,
            currency,
        }
    }
}

/// An entry, and how current it is.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) entry: Entry,
    pub(super) cached: bool,
    /// Whether what led to it was in the cache, or it itself.
    pub(super) partly_cached: bool,
    pub(super) currency: Recency,
}

/// How current a look-up is that led to a profile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lookup {
    currency: Recency,
    cached: bool,
}

impl Found {
    /// Just read from the store.
    pub(super) fn now(entry: Entry) -> Self {
        Self {
            currency: entry.loaded(),
            entry,
            cached: false,
            partly_cached: false,
        }
    }

    /// As what leads to another entry.
    pub(super) fn lookup(&self) -> Lookup {
        Lookup {
            currency: self.currency,
            cached: self.partly_cached,
        }
    }

    /// The same entry, found through a look-up.
    pub(super) fn through(self, lookup: Lookup) -> Self {
        let currency = self.currency.and(lookup.currency);
        Self {
            currency,
            partly_cached: self.partly_cached || lookup.cached,
            ..self
        }
    }

    /// Whether a key leads to what was found. An id may lead to nothing; what a look-up led to must
    /// be there.
    pub(super) fn answers_to(&self, key: &CacheKey) -> bool {
        match (&self.entry.value, key) {
            (_, CacheKey::Id(_) | CacheKey::Objects(..)) => true,
            (Cached::Profile(profile), key) => answers_to(profile, key),
            (Cached::Redirect(_) | Cached::Absent | Cached::Holders(_) | Cached::Objects(_), _) => {
                false
            }
        }
    }
}

/// Whether a profile is one that a key leads to.
fn answers_to(profile: &Profile, key: &CacheKey) -> bool {
    match key {
        CacheKey::Id(_) | CacheKey::Objects(..) => true,
        CacheKey::Record(record) => profile.records.iter().any(|held| held.key == *record),
        CacheKey::Identifier(identifier) => profile
            .identifiers
            .iter()
            .any(|held| held.identifier == *identifier),
    }
}
