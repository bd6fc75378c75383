//! The keeper: writes what the journal has, batch after batch, to the logs of the tenants.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use profile_core::records::TenantId;
use uuid::Uuid;

use super::batch::pack;
use super::checkpoint::{CheckpointError, Keys, origin};
use super::tree::{Tree, TreeError, leaf_hash};
use super::{Entry, Journal};
use crate::episode::Episode;
use crate::store::{self, AuditAppend, AuditHead, MAX_BATCH_ENTRIES, Store};

/// The most entries of one append.
const MAX_APPEND: usize = 8192;
/// How often an append begins anew because another server has appended meanwhile, before it waits
/// for the next turn.
const MAX_TRIES: usize = 8;

/// Why entries are not written.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The store fails.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Other servers append all the time.
    #[error("other servers append all the time")]
    Busy,
    /// The log is not what was written: nothing is appended to it, and nothing signed.
    #[error("the log of tenant `{tenant}` was changed, nothing is appended to it: {what}")]
    Changed {
        /// The tenant of the log.
        tenant: String,
        /// The difference that was found.
        what: String,
    },
}

/// Writes the entries of a journal to the store.
pub struct Keeper {
    journal: Arc<Journal>,
    store: Arc<dyn Store>,
    keys: Keys,
    episode: Arc<Episode>,
    /// The logs as this server has left them.
    trees: HashMap<TenantId, Tree>,
    /// How many entries each log was seen to have.
    seen: HashMap<TenantId, u64>,
}

impl Keeper {
    /// A keeper that signs by these keys.
    #[must_use]
    pub fn new(journal: Arc<Journal>, store: Arc<dyn Store>, keys: Keys) -> Self {
        Self {
            journal,
            store,
            keys,
            episode: Arc::new(Episode::new("audit log")),
            trees: HashMap::new(),
            seen: HashMap::new(),
        }
    }

    /// Fails while entries cannot be written.
    #[must_use]
    pub fn episode(&self) -> &Arc<Episode> {
        &self.episode
    }

    /// Writes what waits, every interval, until `end` comes; then once more.
    ///
    /// # Cancel safety
    /// Dropped, it loses what the journal has.
    pub async fn run(mut self, interval: Duration, end: impl Future<Output = ()> + Send) {
        let mut end = std::pin::pin!(end);
        loop {
            let is_over = tokio::select! {
                () = &mut end => true,
                () = tokio::time::sleep(interval) => false,
            };
            self.write().await;
            if is_over {
                return;
            }
        }
    }

    /// Writes all entries that wait now. Those that cannot be written go on waiting.
    pub async fn write(&mut self) {
        for tenant in self.journal.tenants() {
            let written = self.write_of(&tenant).await;
            let _logged = self.episode.watch(written);
        }
    }

    async fn write_of(&mut self, tenant: &TenantId) -> Result<(), KeeperError> {
        // No more than waits at the beginning, so that one tenant does not keep the others waiting.
        let mut left = self.journal.count_of(tenant);
        while left > 0 {
            let entries = self.journal.take(tenant, left.min(MAX_APPEND));
            left = left.saturating_sub(entries.len().max(1));
            let lines: Vec<_> = entries
                .into_iter()
                .map(|entry| {
                    let line = entry.to_line();
                    (entry, line)
                })
                .collect();
            let written = self.append(tenant, &lines).await;
            if let Err(error) = written {
                // The tree that is known may be outdated.
                self.trees.remove(tenant);
                let entries = lines.into_iter().map(|(entry, _)| entry).collect();
                self.journal.give_back(tenant, entries);
                return Err(error);
            }
            self.journal.written(lines.iter().map(|(entry, _)| entry));
        }
        Ok(())
    }

    async fn append(
        &mut self,
        tenant: &TenantId,
        lines: &[(Entry, Vec<u8>)],
    ) -> Result<(), KeeperError> {
        if lines.is_empty() {
            return Ok(());
        }
        let store = self.store.id().await?;
        for _ in 0..MAX_TRIES {
            let mut tree = match self.trees.get(tenant) {
                Some(tree) => tree.clone(),
                None => self.open(store, tenant).await?,
            };
            let append = self.made(&mut tree, &origin(store, tenant), lines);
            if self.store.append_audit(tenant, &append).await? {
                self.seen.insert(tenant.clone(), tree.size());
                self.trees.insert(tenant.clone(), tree);
                return Ok(());
            }
            // Another server has appended, or the log is not what it was.
            let tree = self.open(store, tenant).await?;
            self.trees.insert(tenant.clone(), tree);
        }
        Err(KeeperError::Busy)
    }

    /// The append of lines to a tree.
    fn made(&self, tree: &mut Tree, origin: &str, lines: &[(Entry, Vec<u8>)]) -> AuditAppend {
        let after = tree.size();
        for (_, line) in lines {
            tree.push(leaf_hash(line));
        }
        let mut first = after;
        let batches = lines.chunks(MAX_BATCH_ENTRIES).map(|chunk| {
            let batch = pack(first, chunk);
            first += batch.span.count;
            batch
        });
        AuditAppend {
            after,
            batches: batches.collect(),
            tiles: tree.take_changed(after),
            head: AuditHead {
                size: tree.size(),
                checkpoint: self.keys.seal(origin, tree.size(), tree.hash()),
            },
        }
    }

    /// The log as the store has it. One that is shorter than it was seen to be was cut off.
    async fn open(&mut self, store: Uuid, tenant: &TenantId) -> Result<Tree, KeeperError> {
        let tree = open(&*self.store, &self.keys, store, tenant).await?;
        let seen = self.seen.entry(tenant.clone()).or_default();
        if tree.size() < *seen {
            let what = format!("it has {} entries, and had {seen}", tree.size());
            return Err(changed(tenant, what));
        }
        *seen = tree.size();
        Ok(tree)
    }
}

/// Signs a log that was begun without a key, as it is now: servers with a key append to no other.
/// Answers whether it was not signed.
///
/// # Errors
/// The log is not what its checkpoint says, or a server has appended meanwhile.
///
/// # Cancel safety
/// It may be signed or not.
pub async fn sign(store: &dyn Store, tenant: &TenantId, keys: &Keys) -> Result<bool, KeeperError> {
    let id = store.id().await?;
    let tree = open(store, &Keys::default(), id, tenant).await?;
    let head = store.audit_head(tenant).await?;
    if tree.size() == 0 || keys.open(&head.checkpoint).is_ok() {
        return Ok(false);
    }
    let (after, size) = (tree.size(), tree.size());
    let checkpoint = keys.seal(&origin(id, tenant), size, tree.hash());
    let append = AuditAppend {
        after,
        head: AuditHead { size, checkpoint },
        batches: Vec::new(),
        tiles: Vec::new(),
    };
    if store.append_audit(tenant, &append).await? {
        Ok(true)
    } else {
        Err(KeeperError::Busy)
    }
}

/// The log as the store has it, if it is what its checkpoint says.
async fn open(
    store: &dyn Store,
    keys: &Keys,
    id: Uuid,
    tenant: &TenantId,
) -> Result<Tree, KeeperError> {
    let head = store.audit_head(tenant).await?;
    if head == AuditHead::default() {
        return Ok(Tree::default());
    }
    let checkpoint = keys.open(&head.checkpoint);
    let checkpoint = checkpoint.map_err(|error: CheckpointError| {
        let hint = "`customer-profile audit sign` signs a log that was begun without a key";
        changed(tenant, format!("the checkpoint: {error}; {hint}"))
    })?;
    let places = Tree::edge_places(head.size);
    let tiles = store.audit_tiles(tenant, &places).await?;
    let tree = Tree::open(head.size, &tiles);
    let tree = tree.map_err(|error: TreeError| changed(tenant, error.to_string()))?;
    let is_right = checkpoint.origin == origin(id, tenant)
        && checkpoint.size == head.size
        && checkpoint.hash == tree.hash();
    if is_right {
        Ok(tree)
    } else {
        let what = "its hashes are not those of its checkpoint".to_owned();
        Err(changed(tenant, what))
    }
}

fn changed(tenant: &TenantId, what: String) -> KeeperError {
    let tenant = tenant.as_str().to_owned();
    KeeperError::Changed { tenant, what }
}

#[cfg(test)]
mod tests;
