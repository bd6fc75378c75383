//! `WatchProfiles`: changes, from the watch to the wire.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use profile_core::records::{ProfileId, Violation};
use uuid::Uuid;

use super::call_context::{CallContext, Messages};
use super::checked::{Checked, both};
use super::encode::{Projection, profile, time};
use super::error::ApiError;
use super::names::profile_name;
use super::token::TokenError;
use super::v1;
use super::{decode, token};
use crate::changes::LogFollower;
use crate::config;
use crate::reader::{Key, Reader};
use crate::reader::{Watch, WatchError, WatchEvent, WatchRequest};
use crate::store::{ChangeKind, ProfileChange, SegmentStay, Store};

/// How many keys one client may watch.
const MAX_KEYS: usize = 100;

/// The stream of a watch.
pub(super) type Watched = Messages<v1::WatchProfilesResponse>;

/// What watches run on.
#[derive(Clone)]
pub struct Watches {
    /// Who follows the log.
    pub follower: Arc<LogFollower>,
    /// Their bounds.
    pub limits: config::Watch,
    watching: Arc<AtomicUsize>,
}

impl Watches {
    /// Nobody watches yet.
    #[must_use]
    pub fn new(follower: Arc<LogFollower>, limits: config::Watch) -> Self {
        Self {
            follower,
            limits,
            watching: Arc::default(),
        }
    }

    fn enter(&self) -> Result<Entered, ApiError> {
        let entered = Entered(self.watching.clone());
        if self.watching.fetch_add(1, Ordering::Relaxed) >= self.limits.max_watchers {
            return Err(ApiError::TooManyWatchers(self.limits.max_watchers));
        }
        Ok(entered)
    }
}

/// One that watches.
struct Entered(Arc<AtomicUsize>);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Begins a watch.
pub(super) async fn begin(
    watches: &Watches,
    reader: Reader,
    store: Arc<dyn Store>,
    context: CallContext,
    request: v1::WatchProfilesRequest,
) -> Result<Watched, ApiError> {
    let entered = watches.enter()?;
    let v1::WatchProfilesRequest {
        keys,
        view,
        read_mask,
        resume_token,
        include_profiles,
    } = request;
    let (shape, fields) = Projection::of_watch(view, read_mask)?;
    let ((), keys) = both(count(keys.len()), self::keys(keys))?;
    let id = store.id().await?;
    let place = match resume_token.as_str() {
        "" => None,
        token => Some(token::parse_resume_token(token, id, &context.tenant)?),
    };
    let request = WatchRequest {
        tenant: context.tenant.clone(),
        keys,
        fields,
        include_profiles,
        place,
        max_pending: watches.limits.max_pending_writes,
        heartbeat: watches.limits.heartbeat_interval,
    };
    let watch = Watch::begin(&watches.follower, reader, store, request).await?;
    let limit = watches.limits.max_pending_writes;
    let telling = Telling {
        watch,
        context,
        store: id,
        shape,
        limit,
        _entered: entered,
    };
    Ok(Box::pin(futures::stream::unfold(
        Some(telling),
        |telling| async move {
            let mut telling = telling?;
            let message = telling.next().await;
            let next = message.is_ok();
            let message = message.map_err(|error| telling.context.status(error));
            Some((message, next.then_some(telling)))
        },
    )))
}

fn count(keys: usize) -> Checked<()> {
    if keys > MAX_KEYS {
        Err(vec![Violation::limit("keys", keys, MAX_KEYS, "keys")])
    } else {
        Ok(())
    }
}

fn keys(keys: Vec<v1::ProfileKey>) -> Checked<Vec<Key>> {
    let read = |(index, key)| decode::key(Some(key), &format!("keys[{index}]"));
    let (read, wrong): (Vec<_>, Vec<_>) = keys
        .into_iter()
        .enumerate()
        .map(read)
        .partition(Result::is_ok);
    if wrong.is_empty() {
        return Ok(read.into_iter().flatten().collect());
    }
    Err(wrong
        .into_iter()
        .filter_map(Result::err)
        .flatten()
        .collect())
}

/// A stream at work.
struct Telling {
    watch: Watch,
    context: CallContext,
    store: Uuid,
    shape: Projection,
    limit: usize,
    _entered: Entered,
}

impl Telling {
    async fn next(&mut self) -> Result<v1::WatchProfilesResponse, ApiError> {
        let told = tokio::select! {
            why = self.context.ended() => return Err(why.into()),
            told = self.context.call.clone().scope(self.watch.next()) => told,
        };
        let (told, place) = told.map_err(|error| match error {
            WatchError::Expired => TokenError::ResumeExpired.into(),
            WatchError::TooSlow => ApiError::WatcherTooSlow(self.limit),
            WatchError::Store(error) => error.into(),
        })?;
        let resume_token = token::resume_token(self.store, &self.context.tenant, place);
        Ok(v1::WatchProfilesResponse {
            event: Some(self.event(told)),
            resume_token,
            withheld: Vec::new(),
        })
    }

    fn event(&self, told: WatchEvent) -> v1::watch_profiles_response::Event {
        use v1::watch_profiles_response::Event;
        match told {
            WatchEvent::Heartbeat => Event::Heartbeat(v1::Heartbeat {}),
            WatchEvent::Snapshot {
                key,
                profile: Ok(answer),
            } => Event::Snapshot(v1::WatchSnapshot {
                key_index: index(key),
                status: Some(tonic_types::Status::default()),
                profile: Some(profile(&answer.profile, &self.shape)),
            }),
            WatchEvent::Snapshot {
                key,
                profile: Err(error),
            } => Event::Snapshot(v1::WatchSnapshot {
                key_index: index(key),
                status: Some(self.context.item_status(error.into())),
                profile: None,
            }),
            WatchEvent::Change {
                change: told,
                time: at,
                keys,
                profile: answer,
            } => Event::Change(v1::WatchChange {
                change: Some(v1::Change {
                    change_time: Some(time(at)),
                    ..change(*told)
                }),
                profile: answer.map(|answer| profile(&answer.profile, &self.shape)),
                key_indices: keys.into_iter().map(index).collect(),
            }),
        }
    }
}

fn index(index: usize) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}

fn stay(stay: SegmentStay) -> v1::SegmentMembership {
    v1::SegmentMembership {
        segment: stay.segment,
        enter_time: Some(time(stay.enter_time)),
        exit_time: stay.exit_time.map(time),
    }
}

fn change(change: ProfileChange) -> v1::Change {
    let names = |ids: &[ProfileId]| ids.iter().map(profile_name).collect();
    let (kind, merged_into) = match change.kind {
        ChangeKind::Created => (v1::ChangeKind::Created, String::new()),
        ChangeKind::Updated => (v1::ChangeKind::Updated, String::new()),
        ChangeKind::Merged(into) => (v1::ChangeKind::Merged, profile_name(&into)),
        ChangeKind::Deleted => (v1::ChangeKind::Deleted, String::new()),
        ChangeKind::SegmentsChanged => (v1::ChangeKind::SegmentsChanged, String::new()),
    };
    v1::Change {
        profile: profile_name(&change.profile),
        kind: kind.into(),
        old_revision: change.old_revision,
        revision: change.revision,
        change_time: None,
        merged_into,
        merged_from: names(&change.merged_from),
        split_from: names(&change.split_from),
        split_into: names(&change.split_into),
        changed_fields: change.fields,
        event_types: change.events,
        retracted_event_types: change.retracted_events,
        segments: change.segments.into_iter().map(stay).collect(),
    }
}
