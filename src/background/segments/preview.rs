//! How many customers a condition would hold of, before it is a segment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use profile_core::model::{Model, Segment};
use profile_core::profile::{Derived, StoredProfile, fold, measures, subject};
use profile_core::records::{ProfileId, TenantId, Timestamp};

use super::look::CHUNK_PROFILES;
use super::{STEP_PROFILES, Segments};
use crate::compute::{self, Class};
use crate::store::Error;

/// How long a preview goes on, at most. What was not looked at until then is told as more.
const PREVIEW_TIME: Duration = Duration::from_secs(8);

/// How many profiles a condition holds of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// How many profiles were looked at.
    pub profiles: u64,
    /// Of so many it holds.
    pub members: u64,
    /// Some of them, in order of id.
    pub samples: Vec<ProfileId>,
    /// Numbers of profiles on which the condition failed, by reason.
    pub undecided: BTreeMap<String, u64>,
    /// Whether there are more profiles than were looked at.
    pub more: bool,
}

/// How much of a preview there is to be.
#[derive(Debug, Clone, Copy)]
pub struct PreviewBounds {
    /// So many profiles are looked at, at most.
    pub profiles: u64,
    /// So many samples are told, at most.
    pub samples: usize,
}

/// Why there is no preview.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PreviewError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
    /// There is no thread for it.
    #[error(transparent)]
    Compute(#[from] compute::Error),
    /// The condition goes over its budget for one of the profiles.
    #[error("{0}")]
    OverBudget(String),
}

impl Segments {
    /// How many profiles a condition would hold of, among the first so many, and those of the first
    /// `PREVIEW_TIME`.
    ///
    /// # Errors
    /// Those of the store; a condition that goes over its budget; too many computations that wait.
    ///
    /// # Cancel safety
    /// Dropped, it stops at the evaluation's next look.
    pub async fn preview(
        &self,
        tenant: &TenantId,
        candidate: &Arc<Segment>,
        bounds: PreviewBounds,
    ) -> std::result::Result<Preview, PreviewError> {
        let running = self.models.of(tenant).await?;
        let (now, began) = (self.clock.now(), Instant::now());
        let (mut preview, mut after) = (Preview::default(), None);
        loop {
            let page = self
                .store
                .list_profiles(tenant, after, STEP_PROFILES)
                .await?;
            let stored = self.store.profiles(tenant, &page).await?.value;
            let present = page
                .iter()
                .zip(stored)
                .filter_map(|(id, stored)| stored.filter(|stored| stored.id == *id));
            let mut present: Vec<StoredProfile> = present.collect();
            while !present.is_empty() {
                let left = usize::try_from(bounds.profiles.saturating_sub(preview.profiles))
                    .unwrap_or(usize::MAX);
                if left == 0 || began.elapsed() >= PREVIEW_TIME {
                    preview.more = true;
                    return Ok(preview);
                }
                let rest = present.split_off(present.len().min(CHUNK_PROFILES).min(left));
                let chunk = std::mem::replace(&mut present, rest);
                let (model, candidate) = (running.model.clone(), candidate.clone());
                let work = move || chunk_of(chunk, &model, &candidate, now);
                let Seen {
                    profiles,
                    members,
                    undecided,
                } = compute::run(Class::Call, None, work).await??;
                preview.profiles += profiles;
                for (reason, count) in undecided {
                    *preview.undecided.entry(reason).or_default() += count;
                }
                preview.members += members.len() as u64;
                let room = bounds.samples.saturating_sub(preview.samples.len());
                preview.samples.extend(members.into_iter().take(room));
            }
            match page.last() {
                Some(last) if page.len() == STEP_PROFILES => after = Some(*last),
                _ => return Ok(preview),
            }
        }
    }
}

/// What a chunk of profiles has come to.
struct Seen {
    profiles: u64,
    members: Vec<ProfileId>,
    undecided: BTreeMap<String, u64>,
}

/// Evaluates a candidate over some profiles.
fn chunk_of(
    chunk: Vec<StoredProfile>,
    model: &Model,
    candidate: &Segment,
    now: Timestamp,
) -> std::result::Result<Seen, PreviewError> {
    let mut seen = Seen {
        profiles: 0,
        members: Vec::new(),
        undecided: BTreeMap::new(),
    };
    for stored in chunk {
        if profile_core::computation::is_cancelled() {
            break;
        }
        let profile = fold(stored, model);
        let computed = Derived::of(&profile, model, now).computed;
        seen.profiles += 1;
        let measured = if candidate.measures() {
            measures(&profile, model, now)
        } else {
            BTreeMap::new()
        };
        match candidate.includes(&subject(&profile, &computed, model, &measured)) {
            Ok(true) => seen.members.push(profile.id),
            Ok(false) => {}
            Err(why) if why.over_budget => return Err(PreviewError::OverBudget(why.reason)),
            Err(why) => *seen.undecided.entry(why.reason).or_default() += 1,
        }
    }
    Ok(seen)
}
