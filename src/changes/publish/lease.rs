//! The lease of a publication: taken, kept by showing oneself, given back. Showing oneself and
//! noting how far it is are one write.

use std::time::{Duration, Instant};

use super::runner::{Assignment, End, Runner, SAVE_INTERVAL, STORE_WAIT};
use super::work::Work;
use crate::store::{Error, Mark, Result};

impl Runner {
    /// How often the owner of a lease shows itself.
    pub(super) fn beat(&self) -> Duration {
        self.shared.lease / 5
    }

    /// Takes the lease, if it is free or its owner has not shown itself for long enough.
    pub(super) async fn contend(&mut self) -> Result<bool> {
        let Assignment { tenant, name, .. } = &self.assignment;
        let store = self.shared.store.clone();
        let find = async || {
            Ok::<_, Error>(
                store
                    .list_publications(tenant)
                    .await?
                    .into_iter()
                    .find(|one| one.name == *name),
            )
        };
        let mut stored = find().await?;
        if stored.is_none() {
            store
                .begin_publication(tenant, name, self.first_mark().await?)
                .await?;
            stored = find().await?;
        }
        let Some(stored) = stored else {
            return Ok(false);
        };
        let now = Instant::now();
        let since = match &self.seen {
            Some((lease, since)) if *lease == stored.lease => *since,
            _ => now,
        };
        self.seen = Some((stored.lease.clone(), since));
        // Where no other process can be, the owner has gone.
        let own = [String::new(), self.owner.clone()].contains(&stored.lease.owner);
        let free = own || !store.is_shared() || since.elapsed() >= self.shared.lease;
        if !free
            || !store
                .take_lease(tenant, name, &stored.lease, &self.owner)
                .await?
        {
            return Ok(false);
        }
        let store_id = store.id().await?;
        self.work = Some(Work::new(store_id, stored.progress, now));
        Ok(true)
    }

    /// Before the write that put the model in force which has the publication; where there is none,
    /// the head of the log.
    async fn first_mark(&self) -> Result<Mark> {
        let Assignment {
            tenant,
            head,
            model_version,
            ..
        } = &self.assignment;
        let stored = self
            .shared
            .store
            .model(tenant, Some(*model_version))
            .await?;
        let activation = stored.and_then(|stored| stored.activation);
        Ok(Mark::after(
            activation.map_or(*head, |activation| activation.sequence.before()),
        ))
    }

    /// Notes how far it is, and gives the lease back.
    pub(super) async fn leave(&mut self) -> Result<()> {
        let Some(work) = self.work.take() else {
            return Ok(());
        };
        let Assignment { tenant, name, .. } = &self.assignment;
        if self
            .shared
            .store
            .record_progress(tenant, name, &self.owner, &work.progress)
            .await?
        {
            self.shared
                .store
                .release_lease(tenant, name, &self.owner)
                .await?;
        }
        Ok(())
    }

    /// Notes how far it is, if that is due; shows itself, if others look on.
    pub(super) async fn save_if_due(&mut self) -> std::result::Result<(), End> {
        let (beat, shared) = (self.beat(), self.shared.store.is_shared());
        let work = self.work_mut()?;
        let (saved, at) = &work.saved;
        let unsaved = *saved != work.progress;
        if (unsaved && at.elapsed() >= SAVE_INTERVAL.min(beat)) || (shared && at.elapsed() >= beat)
        {
            self.save().await?;
        }
        Ok(())
    }

    pub(super) async fn save(&mut self) -> std::result::Result<(), End> {
        let (began_at, beat, lease) = (Instant::now(), self.beat(), self.shared.lease);
        let (store, owner) = (self.shared.store.clone(), self.owner.clone());
        let Assignment { tenant, name, .. } = &self.assignment;
        let work = self.work.as_mut().ok_or(End::Lost)?;
        let saving = store.record_progress(tenant, name, &owner, &work.progress);
        match tokio::time::timeout(beat.max(STORE_WAIT), saving).await {
            Ok(Ok(true)) => {
                work.saved = (work.progress.clone(), began_at);
                work.held_at = began_at;
                Ok(())
            }
            Ok(Ok(false)) => {
                // What was told and is not noted is told again by whoever has the lease.
                self.work = None;
                Err(End::Lost)
            }
            // As long as nobody can have taken the lease, work goes on.
            failed if store.is_shared() && work.held_at.elapsed() + beat * 2 > lease => {
                match failed {
                    Ok(Err(error)) => Err(End::Store(error)),
                    _ => Err(End::Lost),
                }
            }
            failed => {
                work.saved.1 = began_at;
                if let Ok(Err(error)) = failed {
                    tracing::debug!(publication = name, %error, "how far a publication is was not noted");
                }
                Ok(())
            }
        }
    }
}
