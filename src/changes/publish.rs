//! Publishing: changes of profiles, told to other systems.
//!
//! **What is promised.** Each change in the log that a publication wants is told at least once, and
//! the changes of one profile in order: a later one is told when the earlier one has been taken, or
//! has become a dead letter. Whatever stops in between (the receiver, a server of ours, the
//! database), publishing goes on where it was. What was told and not yet noted is told again, under
//! the same id.
//!
//! **How.** The change log has everything in order and without gaps, so a publication is a mark in
//! it. A mark moves on when the target has acknowledged, and is stored a moment later. Nothing is
//! queued twice, no write waits for a receiver, and a target that is away costs nothing but the log
//! that must be kept.
//!
//! **Who.** Over all servers one works at a publication, by a [lease](crate::store::Publications).
//! A lease that is taken over while its owner still lives leads to doubles, never to a loss; each
//! event carries its place in the log, by which a receiver can tell what is old.
//!
//! **What is not promised.** The log is kept for a while only. A publication that falls behind it
//! stops and says so, until somebody resets it: going on would lose changes in silence.
//!
//! A new publication begins with the write that put the model in force in which it is first seen.

mod dead_letters;
mod event;
mod lease;
#[cfg(feature = "nats")]
mod nats;
mod runner;
mod target;
mod webhook;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use profile_core::model::Publication;
use profile_core::records::{Sequence, TenantId, Timestamp};
use siphasher::sip::SipHasher13;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::runner::{Assignment, Behind, Runner, Shared};
use crate::active_models::{ActiveModel, ActiveModels};
use crate::clock::Clock;
use crate::config;
use crate::spans::Sampler;
use crate::store::{LogCursor, LogPosition, LogTail, Result, Store};
use crate::telemetry::Metrics;

/// How often it is looked for tenants and models that are new.
const DISCOVERY_INTERVAL: Duration = Duration::from_secs(1);
/// The same while there is nothing to publish: a server of whom nobody wants anything rests.
const IDLE_DISCOVERY_INTERVAL: Duration = Duration::from_secs(3);
/// How many tenants are asked for at once.
const PAGE: usize = 500;
/// How long those at work may take to note how far they are.
const STOP_BOUND: Duration = Duration::from_secs(5);

/// What publishers run on.
#[derive(Clone)]
pub struct Parts {
    /// The log, the marks, the dead letters.
    pub store: Arc<dyn Store>,
    /// What is to be published.
    pub models: Arc<ActiveModels>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The figures.
    pub metrics: Arc<Metrics>,
    /// Chooses the batches that are traced. `None`: nothing is.
    pub sampler: Option<Sampler>,
    /// How often the log is looked at, and how long leases last.
    pub options: config::Publish,
}

/// All publications that this server works at, or would.
pub struct Publishers {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Publishers {
    /// Begins to publish, unless the configuration says that this server does not.
    #[must_use]
    pub fn start(parts: Parts) -> Self {
        let stop = CancellationToken::new();
        let enabled = parts.options.enabled;
        let manager = Manager::new(parts, stop.clone());
        let task = tokio::spawn(async move {
            if enabled {
                manager.run().await;
            }
        });
        Self { stop, task }
    }

    /// Stops, noting how far each publication is.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if tokio::time::timeout(STOP_BOUND * 2, &mut self.task)
            .await
            .is_err()
        {
            tracing::warn!("publishing did not end in time; what was told last may be told again");
        }
    }
}

impl Drop for Publishers {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

type Name = (TenantId, String);

/// One publication at work.
struct Active {
    publication: Publication,
    head: watch::Sender<Sequence>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Keeps one runner for each publication of each model in force.
struct Manager {
    parts: Parts,
    shared: Arc<Shared>,
    stop: CancellationToken,
    active: BTreeMap<Name, Active>,
    started: u64,
}

impl Manager {
    fn new(parts: Parts, stop: CancellationToken) -> Self {
        let shared = Arc::new(Shared {
            store: parts.store.clone(),
            clock: parts.clock.clone(),
            metrics: parts.metrics.clone(),
            sampler: parts.sampler,
            lease: parts.options.lease,
            behind: Arc::default(),
        });
        let (behind, clock) = (shared.behind.clone(), parts.clock.clone());
        parts
            .metrics
            .observe_publishing(move || lag_seconds(&behind, clock.now()));
        Self {
            parts,
            shared,
            stop,
            active: BTreeMap::new(),
            started: 0,
        }
    }

    async fn run(mut self) {
        let mut discovered_at: Option<Instant> = None;
        let process = process_name();
        let stop = self.stop.clone();
        loop {
            let interval = if self.active.is_empty() {
                IDLE_DISCOVERY_INTERVAL
            } else {
                DISCOVERY_INTERVAL
            };
            let looked = if !self.parts.store.availability().is_there() {
                Ok(())
            } else if discovered_at.is_none_or(|at| at.elapsed() >= interval) {
                discovered_at = Some(Instant::now());
                self.discover(&process).await
            } else {
                self.look().await
            };
            if let Err(error) = looked {
                tracing::debug!(%error, "publishing could not look at the change log");
            }
            let wait =
                tokio::time::timeout(self.parts.options.poll_interval, stop.cancelled()).await;
            if wait.is_ok() {
                break;
            }
        }
        let all = std::mem::take(&mut self.active).into_values().map(end);
        futures::future::join_all(all).await;
    }

    /// Tells those at work how far the log is.
    async fn look(&mut self) -> Result<()> {
        let mut tenants: Vec<TenantId> = self
            .active
            .keys()
            .map(|(tenant, _)| tenant.clone())
            .collect();
        tenants.dedup();
        for tenants in tenants.chunks(PAGE) {
            for (tenant, tail) in self.heads(tenants).await? {
                self.tell_head(&tenant, tail.head);
            }
        }
        Ok(())
    }

    fn tell_head(&self, tenant: &TenantId, head: Sequence) {
        for (_, active) in self.active.iter().filter(|((whose, _), _)| whose == tenant) {
            active
                .head
                .send_if_modified(|known| std::mem::replace(known, head) != head);
        }
    }

    async fn heads(&self, tenants: &[TenantId]) -> Result<Vec<(TenantId, LogTail)>> {
        let after = LogPosition::after(Sequence(i64::MAX));
        let cursors: Vec<LogCursor> = tenants
            .iter()
            .map(|tenant| LogCursor {
                tenant: tenant.clone(),
                after,
            })
            .collect();
        let tails = self.parts.store.read_log(&cursors, 1).await?;
        Ok(tenants.iter().cloned().zip(tails).collect())
    }

    /// Brings those at work in line with the models in force.
    async fn discover(&mut self, process: &str) -> Result<()> {
        let mut wanted: BTreeMap<Name, (Publication, Assignment)> = BTreeMap::new();
        let mut unknown = BTreeSet::new();
        let mut after = None;
        loop {
            let tenants = self.parts.store.list_tenants(after.as_ref(), PAGE).await?;
            for (tenant, tail) in self.heads(&tenants).await? {
                match self.running(&tenant, tail.model_version).await {
                    Ok(running) => wanted.extend(publications(&tenant, &running, tail.head)),
                    Err(error) => {
                        tracing::debug!(%tenant, %error, "what is to be published is not known");
                        unknown.insert(tenant.clone());
                    }
                }
                self.tell_head(&tenant, tail.head);
            }
            after = tenants.last().cloned();
            if tenants.len() < PAGE {
                break;
            }
        }
        let is_right = |name: &Name, active: &Active| {
            let wanted = wanted
                .get(name)
                .is_some_and(|(publication, _)| *publication == active.publication);
            !active.task.is_finished() && (wanted || unknown.contains(&name.0))
        };
        let wrong = self
            .active
            .iter()
            .filter(|(name, active)| !is_right(name, active));
        let wrong: Vec<Name> = wrong.map(|(name, _)| name.clone()).collect();
        let ended = wrong
            .iter()
            .filter_map(|name| self.active.remove(name))
            .map(end);
        futures::future::join_all(ended.collect::<Vec<_>>()).await;
        for (name, (publication, assignment)) in wanted {
            if !self.active.contains_key(&name) {
                self.begin(process, name, publication, assignment);
            }
        }
        Ok(())
    }

    async fn running(&self, tenant: &TenantId, version: i64) -> Result<Arc<ActiveModel>> {
        let running = self.parts.models.of(tenant).await?;
        self.parts.models.told(tenant, version, &running).await
    }

    fn begin(
        &mut self,
        process: &str,
        name: Name,
        publication: Publication,
        assignment: Assignment,
    ) {
        self.started += 1;
        let (head, heads) = watch::channel(assignment.head);
        let stop = self.stop.child_token();
        // A name of its own each time: one that ended without knowing it moves nothing on.
        let owner = format!("{process}-{}", self.started);
        let runner = Runner::new(
            self.shared.clone(),
            assignment,
            publication.clone(),
            owner,
            heads,
        );
        let task = tokio::spawn(runner.run(stop.clone()));
        self.active.insert(
            name,
            Active {
                publication,
                head,
                stop,
                task,
            },
        );
    }
}

/// The publications of a tenant's model.
fn publications<'m>(
    tenant: &'m TenantId,
    running: &'m ActiveModel,
    head: Sequence,
) -> impl Iterator<Item = (Name, (Publication, Assignment))> + use<'m> {
    running
        .model
        .publications
        .iter()
        .map(move |(name, publication)| {
            let assignment = Assignment {
                tenant: tenant.clone(),
                name: name.clone(),
                head,
                model_version: running.version,
            };
            (
                (tenant.clone(), name.clone()),
                (publication.clone(), assignment),
            )
        })
}

async fn end(active: Active) {
    active.stop.cancel();
    let mut task = active.task;
    if tokio::time::timeout(STOP_BOUND, &mut task).await.is_err() {
        task.abort();
    }
}

/// Who works here: for people, and unlike any other process.
fn process_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    #[expect(
        clippy::disallowed_methods,
        reason = "tells processes apart; nothing that is stored depends on it"
    )]
    let random = Uuid::new_v4().simple().to_string();
    let host: String = host
        .chars()
        .filter(char::is_ascii_graphic)
        .take(60)
        .collect();
    format!(
        "{}-{}",
        if host.is_empty() { "server" } else { &host },
        &random[..8]
    )
}

/// How old the oldest change is that waits to be told by this server.
fn lag_seconds(behind: &Behind, now: Timestamp) -> u64 {
    let behind = behind.lock().unwrap_or_else(PoisonError::into_inner);
    let oldest = behind.values().min().copied();
    oldest.map_or(0, |oldest| {
        u64::try_from((now.as_micros() - oldest.as_micros()) / 1_000_000).unwrap_or(0)
    })
}

/// A number from 0 to 1 that looks random: the same for the same text and number.
fn spread(text: &str, number: i64) -> f64 {
    let mut hasher = SipHasher13::new();
    hasher.write(text.as_bytes());
    hasher.write_i64(number);
    f64::from(u32::try_from(hasher.finish() >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}
