//! Publications in memory.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use async_trait::async_trait;
use profile_core::records::TenantId;

use super::MemoryStore;
use crate::store::{
    ChangeKey, DeadLetter, DeadLetterPage, Lease, Mark, Progress, Publications, Result,
    StoredPublication,
};

/// All publications, by tenant and name.
pub(super) type Kept = BTreeMap<(TenantId, String), Publication>;

/// A publication.
#[derive(Default)]
pub(super) struct Publication {
    /// None: only dead letters are left of it.
    state: Option<(Lease, Progress)>,
    letters: BTreeMap<ChangeKey, DeadLetter>,
}

impl MemoryStore {
    fn publications<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(
            &mut self
                .publications
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    fn publication<T>(
        &self,
        tenant: &TenantId,
        name: &str,
        work: impl FnOnce(&mut Publication) -> T,
    ) -> T {
        self.publications(|all| work(all.entry((tenant.clone(), name.to_owned())).or_default()))
    }
}

#[async_trait]
impl Publications for MemoryStore {
    async fn list_publications(&self, tenant: &TenantId) -> Result<Vec<StoredPublication>> {
        let stored = |((_, name), publication): (&(TenantId, String), &Publication)| {
            let (lease, progress) = publication.state.clone()?;
            let dead_letters = i64::try_from(publication.letters.len()).unwrap_or(i64::MAX);
            Some(StoredPublication {
                name: name.clone(),
                lease,
                progress,
                dead_letters,
            })
        };
        Ok(self.publications(|all| {
            all.iter()
                .filter(|((whose, _), _)| whose == tenant)
                .filter_map(stored)
                .collect()
        }))
    }

    async fn begin_publication(&self, tenant: &TenantId, name: &str, mark: Mark) -> Result<()> {
        let state = (
            Lease::default(),
            Progress {
                mark,
                ..Progress::default()
            },
        );
        self.publication(tenant, name, |publication| {
            publication.state.get_or_insert(state).1.failures
        });
        Ok(())
    }

    async fn take_lease(
        &self,
        tenant: &TenantId,
        name: &str,
        seen: &Lease,
        owner: &str,
    ) -> Result<bool> {
        Ok(
            self.publication(tenant, name, |publication| match &mut publication.state {
                Some((lease, _)) if lease == seen => {
                    *lease = Lease {
                        owner: owner.to_owned(),
                        beat: seen.beat + 1,
                    };
                    true
                }
                _ => false,
            }),
        )
    }

    async fn record_progress(
        &self,
        tenant: &TenantId,
        name: &str,
        owner: &str,
        said: &Progress,
    ) -> Result<bool> {
        Ok(
            self.publication(tenant, name, |publication| match &mut publication.state {
                Some((lease, progress)) if lease.owner == owner => {
                    lease.beat += 1;
                    *progress = said.clone();
                    true
                }
                _ => false,
            }),
        )
    }

    async fn release_lease(&self, tenant: &TenantId, name: &str, owner: &str) -> Result<()> {
        self.publication(tenant, name, |publication| {
            if let Some((lease, _)) = publication
                .state
                .as_mut()
                .filter(|(lease, _)| lease.owner == owner)
            {
                *lease = Lease {
                    owner: String::new(),
                    beat: lease.beat + 1,
                };
            }
        });
        Ok(())
    }

    async fn reset_publication(&self, tenant: &TenantId, name: &str, mark: Mark) -> Result<bool> {
        Ok(self.publication(tenant, name, |publication| {
            let Some((lease, progress)) = &mut publication.state else {
                return false;
            };
            *lease = Lease {
                owner: String::new(),
                beat: lease.beat + 1,
            };
            *progress = Progress {
                mark,
                ..Progress::default()
            };
            true
        }))
    }

    async fn record_dead_letter(
        &self,
        tenant: &TenantId,
        name: &str,
        letter: &DeadLetter,
    ) -> Result<()> {
        self.publication(tenant, name, |publication| {
            publication.letters.insert(letter.key, letter.clone())
        });
        Ok(())
    }

    async fn list_dead_letters(
        &self,
        tenant: &TenantId,
        name: &str,
        page: DeadLetterPage,
    ) -> Result<Vec<DeadLetter>> {
        let wanted = |letter: &&DeadLetter| {
            page.after.is_none_or(|after| letter.key > after) && (letter.replay || !page.to_replay)
        };
        Ok(self.publication(tenant, name, |publication| {
            publication
                .letters
                .values()
                .filter(wanted)
                .take(page.limit)
                .cloned()
                .collect()
        }))
    }

    async fn replay_dead_letters(
        &self,
        tenant: &TenantId,
        name: &str,
        keys: Option<&[ChangeKey]>,
    ) -> Result<u64> {
        Ok(self.publication(tenant, name, |publication| {
            let named = |key: &ChangeKey| keys.is_none_or(|keys| keys.contains(key));
            let marked = publication
                .letters
                .values_mut()
                .filter(|letter| named(&letter.key));
            marked.map(|letter| letter.replay = true).count() as u64
        }))
    }

    async fn remove_dead_letter(
        &self,
        tenant: &TenantId,
        name: &str,
        key: ChangeKey,
    ) -> Result<()> {
        self.publication(tenant, name, |publication| publication.letters.remove(&key));
        Ok(())
    }
}
