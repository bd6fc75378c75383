//! The result of a step of a read, and how current it is.

use std::sync::Arc;

use profile_core::profile::Profile;
use profile_core::records::{ProfileId, TenantId};

use super::cache::{Cached, Entry, Requirement};
use super::{Error, Recency};
use crate::active_models::ActiveModel;
use crate::changes::CacheKey;
use crate::changes::TenantTail;

/// The tenant and model of a read, and how current its answer must be.
#[derive(Clone)]
pub(super) struct Scope<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) active: Arc<ActiveModel>,
    pub(super) tail: Arc<TenantTail>,
    pub(super) requirement: Requirement,
}

impl Scope<'_> {
    pub(super) fn found(&self, entry: Entry, cached: bool) -> Found {
        let currency = if cached {
            entry.currency(self.requirement.proof)
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
    /// Whether the entry or a step that led to it was in the cache.
    pub(super) partly_cached: bool,
    pub(super) currency: Recency,
}

/// How current a step is that led to an entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lookup {
    currency: Recency,
    cached: bool,
}

impl Found {
    /// An entry that was just read from the store.
    pub(super) fn now(entry: Entry) -> Self {
        Self {
            currency: entry.loaded(),
            entry,
            cached: false,
            partly_cached: false,
        }
    }

    /// The one profile that a look-up leads to.
    pub(super) fn only_holder(&self) -> Result<ProfileId, Error> {
        match &self.entry.value {
            Cached::Holders(holders) => only_holder(holders),
            Cached::Profile(_) | Cached::Redirect(_) | Cached::Absent | Cached::Objects(_) => {
                Err(Error::NotFound)
            }
        }
    }

    /// The same as a step that leads to another entry.
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

/// The one profile among those that a key leads to.
pub(super) fn only_holder(holders: &[ProfileId]) -> Result<ProfileId, Error> {
    match holders {
        [] => Err(Error::NotFound),
        [only] => Ok(*only),
        _ => Err(Error::Ambiguous(holders.to_vec())),
    }
}

/// Whether a profile is one that a key leads to.
fn answers_to(profile: &Profile, key: &CacheKey) -> bool {
    match key {
        CacheKey::Id(_) | CacheKey::Objects(..) => true,
        CacheKey::Record(record) => profile.records.iter().any(|held| held.key == *record),
        CacheKey::Identifier(identifier) => {
            let mut held = profile.identifiers.iter();
            let mut records = profile.records.iter();
            held.any(|held| held.identifier == *identifier)
                || records.any(|record| record.held_before(identifier))
        }
    }
}
