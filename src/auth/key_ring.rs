//! The API keys and the register of tenants of the database, as this server knows them.
//!
//! Read again and again, all of them: they are few, and whoever revokes one may not wait for a
//! cache to forget it. The age of a reading counts from the time at which it *began*.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use profile_core::records::{TenantId, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

use super::credential::Origin;
use super::{ApiKey, Credential, Failure, Scope};
use crate::episode::Episode;
use crate::store::{self, HASH_BYTES, RegisteredTenant, Store, StoredApiKey};

/// The API keys and the tenants of a database.
pub struct KeyRing {
    ring: RwLock<Ring>,
    /// Whether the keys were read once; told anew whenever they change.
    changes: watch::Sender<bool>,
    max_staleness: Duration,
    /// Fails while the keys cannot be read.
    pub episode: Arc<Episode>,
}

#[derive(Default)]
struct Ring {
    stored: Vec<StoredApiKey>,
    by_id: HashMap<String, Entry>,
    /// Tenants that are served.
    tenants: HashSet<TenantId>,
    /// When the reading of these began; `None`: there was none.
    read_at: Option<Instant>,
}

struct Entry {
    hash: [u8; HASH_BYTES],
    credential: Arc<Credential>,
}

impl KeyRing {
    /// No keys yet. A reading counts for `max_staleness`.
    #[must_use]
    pub fn new(max_staleness: Duration) -> Self {
        Self {
            ring: RwLock::default(),
            changes: watch::Sender::default(),
            max_staleness,
            episode: Arc::new(Episode::new("API keys read from the database")),
        }
    }

    /// Reads the keys, for ever.
    ///
    /// # Cancel safety
    /// Dropped, it ends.
    pub async fn keep_current(self: Arc<Self>, store: Arc<dyn Store>, interval: Duration) {
        loop {
            // The episode has logged the failure.
            drop(self.episode.watch(self.refresh(store.as_ref()).await));
            tokio::time::sleep(interval).await;
        }
    }

    /// Reads the keys once.
    ///
    /// # Errors
    /// Those of the store; the keys stay as they were.
    pub async fn refresh(&self, store: &dyn Store) -> store::Result<()> {
        let began = Instant::now();
        let stored = store.list_api_keys().await?;
        let tenants = served(&store.list_registered_tenants().await?);
        let is_same = {
            let ring = self.read();
            ring.stored == stored && ring.tenants == tenants
        };
        let changed = (!is_same).then(|| (by_id(&stored), stored));
        {
            let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
            ring.read_at = Some(began);
            ring.tenants = tenants;
            if let Some((by_id, stored)) = changed {
                (ring.by_id, ring.stored) = (by_id, stored);
            }
        }
        self.changes
            .send_if_modified(|known| !std::mem::replace(known, true) || !is_same);
        Ok(())
    }

    /// Waits until the keys were read for the first time.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn known(&self) {
        // The sender is this ring's own.
        let _ = self.changes.subscribe().wait_for(|known| *known).await;
    }

    /// The credential of a key.
    pub(super) fn find(&self, key: &ApiKey, now: Timestamp) -> Result<Arc<Credential>, Failure> {
        let ring = self.read();
        if ring
            .read_at
            .is_none_or(|at| at.elapsed() > self.max_staleness)
        {
            return Err(Failure::KeysUnknown);
        }
        let entry = ring.by_id.get(&key.id);
        // Without an entry it is compared too: its time does not tell that there is none.
        let is_right = key.is_of(entry.map_or(&[0; HASH_BYTES], |entry| &entry.hash));
        let entry = entry.ok_or(Failure::UnknownKey)?;
        if !is_right {
            return Err(Failure::WrongSecret);
        }
        entry.credential.clone().unexpired(now)
    }

    /// Whether a credential is not known to be revoked, and one of its tenants is served.
    pub(super) fn holds(&self, credential: &Credential) -> bool {
        let ring = self.read();
        let is_there = match &credential.origin {
            Origin::Key { id } => ring.by_id.contains_key(id),
            Origin::Token => true,
        };
        let mut tenants = credential.tenants.iter();
        is_there && tenants.any(|tenant| ring.tenants.contains(tenant))
    }

    /// Whether a tenant is served. As long as the keys that were read last count, so does the
    /// register.
    pub(super) fn serves(&self, tenant: &TenantId) -> Result<(), Failure> {
        let ring = self.read();
        if ring.read_at.is_none() {
            return Err(Failure::KeysUnknown);
        }
        if ring.tenants.contains(tenant) {
            return Ok(());
        }
        Err(Failure::TenantMissing)
    }

    /// Tells when the keys change.
    pub(super) fn changes(&self) -> watch::Receiver<bool> {
        self.changes.subscribe()
    }

    fn read(&self) -> RwLockReadGuard<'_, Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tenants that are not deleted.
fn served(register: &[RegisteredTenant]) -> HashSet<TenantId> {
    let served = register.iter().filter(|tenant| tenant.is_served());
    served.map(|tenant| tenant.id.clone()).collect()
}

/// The keys that are not revoked.
fn by_id(stored: &[StoredApiKey]) -> HashMap<String, Entry> {
    let kept = stored.iter().filter(|key| key.revoke_time.is_none());
    kept.map(|key| (key.id.clone(), entry(key))).collect()
}

fn entry(key: &StoredApiKey) -> Entry {
    // One that only a later version knows grants nothing here.
    let scopes = key.scopes.iter().filter_map(|name| Scope::of_name(name));
    let credential = Credential {
        name: key.id.as_str().into(),
        subject: None,
        tenants: key.tenants.clone(),
        scopes: scopes.collect(),
        purpose: key.purpose.as_deref().map(Arc::from),
        roles: key.roles.clone().into(),
        expire_time: key.expire_time,
        origin: Origin::Key { id: key.id.clone() },
    };
    Entry {
        hash: key.hash,
        credential: Arc::new(credential),
    }
}
