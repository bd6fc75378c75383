//! How far each publication is, who works at it, and what could not be published.
//!
//! A publication is worked at by one server at a time, who holds its **lease**. The lease only
//! saves double work: progress is written with a comparison of the owner, so whoever lost the lease
//! without knowing moves nothing on. What it told meanwhile is told again.
//!
//! The lease has no time in it. Its owner says that it lives by beating; who wants it looks on,
//! with a clock of its own, and takes it when it has not beaten for as long as leases last. So
//! clocks that differ between servers do no harm. Source: the leader election of Kubernetes
//! (`client-go/tools/leaderelection`) goes the same way.

use async_trait::async_trait;
use profile_core::records::{Sequence, TenantId, Timestamp};

use super::Result;

/// How far a publication is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mark {
    /// All of the writes up to this one,
    pub sequence: Sequence,
    /// and of the next one so many changes, among all of its changes.
    pub changes: i64,
}

impl Mark {
    /// After all of a write.
    #[must_use]
    pub fn after(sequence: Sequence) -> Self {
        Self {
            sequence,
            changes: 0,
        }
    }
}

/// A publication, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPublication {
    /// By the model's name for it.
    pub name: String,
    /// Who holds the lease, and how often it has beaten.
    pub lease: Lease,
    /// How it goes.
    pub progress: Progress,
    /// How many dead letters there are.
    pub dead_letters: i64,
}

/// Who works at a publication.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lease {
    /// Who; empty: nobody.
    pub owner: String,
    /// Another number each time that the owner showed itself.
    pub beat: i64,
}

/// How a publication goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// How far it is.
    pub mark: Mark,
    /// How many tries of what comes next have failed.
    pub failures: i64,
    /// What is wrong; empty: nothing.
    pub last_error: String,
}

/// Names a change: by its write, and its place among the changes of the write.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct ChangeKey {
    /// The write.
    pub sequence: Sequence,
    /// Its place, from 0.
    pub change: i64,
}

/// A change that could not be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Which.
    pub key: ChangeKey,
    /// When it was given up.
    pub time: Timestamp,
    /// How often it was tried.
    pub attempts: i64,
    /// Whether it is to be tried again.
    pub replay: bool,
    /// Why it was given up.
    pub reason: String,
    /// What was to be told, as JSON.
    pub payload: String,
}

/// Which dead letters to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeadLetterPage {
    /// Only after this one.
    pub after: Option<ChangeKey>,
    /// Only those that are to be tried again.
    pub to_replay: bool,
    /// At most so many.
    pub limit: usize,
}

/// The store as publishers see it.
///
/// # Cancel safety
/// A write whose wait is dropped may be done or not. Each may be done again.
#[async_trait]
pub trait Publications {
    /// All publications of a tenant that ever began, in order of name.
    async fn list_publications(&self, tenant: &TenantId) -> Result<Vec<StoredPublication>>;

    /// Begins a publication at a mark, unless it has begun before.
    async fn begin_publication(&self, tenant: &TenantId, name: &str, mark: Mark) -> Result<()>;

    /// Takes the lease if it is still as it was seen. Answers whether it is the owner's now.
    async fn take_lease(
        &self,
        tenant: &TenantId,
        name: &str,
        seen: &Lease,
        owner: &str,
    ) -> Result<bool>;

    /// Says how it goes, and beats. Answers whether the lease is still the owner's: if not, nothing
    /// was written.
    async fn record_progress(
        &self,
        tenant: &TenantId,
        name: &str,
        owner: &str,
        progress: &Progress,
    ) -> Result<bool>;

    /// Gives the lease back, if it is the owner's.
    async fn release_lease(&self, tenant: &TenantId, name: &str, owner: &str) -> Result<()>;

    /// Goes on from another mark, with nobody's lease. Answers whether there is such a publication.
    async fn reset_publication(&self, tenant: &TenantId, name: &str, mark: Mark) -> Result<bool>;

    /// Keeps a dead letter, in place of one of the same change.
    async fn record_dead_letter(
        &self,
        tenant: &TenantId,
        name: &str,
        letter: &DeadLetter,
    ) -> Result<()>;

    /// Dead letters of a publication, in order of their changes.
    async fn list_dead_letters(
        &self,
        tenant: &TenantId,
        name: &str,
        page: DeadLetterPage,
    ) -> Result<Vec<DeadLetter>>;

    /// Marks dead letters to be tried again; none named: all. Answers how many.
    async fn replay_dead_letters(
        &self,
        tenant: &TenantId,
        name: &str,
        keys: Option<&[ChangeKey]>,
    ) -> Result<u64>;

    /// Removes a dead letter.
    async fn remove_dead_letter(&self, tenant: &TenantId, name: &str, key: ChangeKey)
    -> Result<()>;
}
