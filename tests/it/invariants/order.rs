//! Order and path never show, on real files: their rows in any order, in batches of any size,
//! written one by one, imported afresh in one go, and resolved at once by another model and back.
//! Whatever the way, the partition and everything that readers see are the same.
//!
//! The short form takes a part of the sample in `examples/retail`. The full form takes folders, by
//! `CUSTOMER_PROFILE_TEST_SETS`: see [`files`] and `docs/guarantees.md`.

mod files;
mod shown;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use customer_profile::active_models::ModelFile;
use customer_profile::clock::Clock;
use customer_profile::full_resolution::{Difference, ModelChange, resolve};
use customer_profile::ingest::{Outcome, WriteContext};
use customer_profile::rollout::{Apply, Candidate, Content, ModelRollout, Progress, Weights};
use customer_profile::store::{Activation, Cause, Changes, ModelVersion};
use profile_core::model::matching::Subject;
use profile_core::records::{Draft, Sequence, TenantId, Timestamp};

use super::cases::{NOW, at_day};
use super::runtime;
use super::whole::everything;
use super::world::{Common, World};
use crate::support::scale;
use crate::support::stores::{Kind, TestStore};
use files::Files;
use shown::{Shown, shown};

/// The sizes of batches; the last is nearly all that the queue holds.
const BATCHES: [usize; 3] = [17, 500, ONE_GO];
const ONE_GO: usize = 9_000;

/// Each look at the clock is a second later, so that every batch has a time of its own.
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.fetch_add(1_000_000, Ordering::SeqCst))
    }
}

/// A store, and how many tenants it has.
struct Ground<'a> {
    common: &'a Common,
    count: std::cell::Cell<usize>,
    files: &'a Files,
    /// The weights in force; empty: the shipped ones.
    weights: String,
}

impl Ground<'_> {
    /// A tenant that begins with the model of the files.
    async fn world(&self) -> World {
        self.count.set(self.count.get() + 1);
        let tenant = TenantId::new(&format!("order-{}", self.count.get())).expect("a name");
        let model = ModelFile::parse(&self.files.model).expect("a model");
        let world = World::new(self.common, tenant).beside("files", model);
        let world = world.with_clock(Arc::new(Ticking(AtomicI64::new(NOW.as_micros()))));
        if !self.weights.is_empty() {
            self.begin_with_weights(&world).await;
        }
        world
    }

    async fn begin_with_weights(&self, world: &World) {
        let turn = world.store.begin(&world.tenant).await.expect("a turn");
        let model = ModelVersion {
            version: 1,
            file: self.files.model.clone(),
            weights: self.weights.clone(),
            create_time: NOW,
            note: String::new(),
        };
        let changes = Changes {
            models: vec![model],
            activation: Some(Activation {
                version: 1,
                sequence: turn.sequence(),
                time: NOW,
            }),
            ..Changes::default()
        };
        turn.commit(NOW, &changes).await.expect("a model");
        world.models.forget(&world.tenant);
    }
}

/// The profiles as a reader sees them, a day later, when no clock ticks.
async fn seen(world: World) -> (World, Shown) {
    let world = world.with_clock(Arc::new(at_day(1)));
    let seen = shown(&world).await;
    (world, seen)
}

async fn write(world: &World, drafts: &[Draft], size: usize) {
    for batch in drafts.chunks(size) {
        let outcomes = world.say(batch).await;
        let stored = |outcome: &Outcome| *outcome == Outcome::Stored;
        assert!(outcomes.iter().all(stored), "{outcomes:?}");
    }
}

/// The changes that looking at everything at once finds: none.
async fn differs_as_a_whole(world: &World) -> Option<String> {
    let everything = everything(world).await;
    let turn = WriteContext {
        tenant: &world.tenant,
        sequence: Sequence(i64::MAX),
        now: at_day(1),
    };
    let active = world.models.of(&world.tenant).await.expect("a model");
    let models = ModelChange {
        from: &active.model,
        to: &active.model,
    };
    let records = everything.records.clone();
    let cause = Cause::Model { version: 2 };
    let found = resolve(turn, &cause, &everything, records, models);
    if found.changes == Changes::default() {
        return None;
    }
    let Difference { merges, splits, .. } = &found.difference;
    let moves = merges.iter().chain(splits).flat_map(|moves| &moves.records);
    let moves: Vec<String> = moves
        .map(|(record, reason)| format!("{}/{} {reason}", record.source, record.key))
        .collect();
    let pairs = found
        .changes
        .pairs
        .iter()
        .chain(&found.changes.removed_pairs);
    let pairs: Vec<String> = pairs
        .map(|pair| {
            let verdict = pair.verdict.as_str();
            let [left, right] = [&pair.left, &pair.right].map(|key| &key.key);
            format!("{left} {right} {verdict} {}", pair.millibits)
        })
        .collect();
    let count = found.difference.moved;
    Some(format!(
        "resolved at once: {count} records move: {moves:?}; pairs: {pairs:?}"
    ))
}

/// Applies another model, and the first one again.
async fn there_and_back(world: &World, files: &Files) {
    let switch = ModelRollout {
        store: world.store.clone(),
        models: world.models.clone(),
        clock: Arc::new(at_day(1)),
        follower: world.follower(),
    };
    for text in [files.other_model(), files.model.clone()] {
        let apply = Apply {
            candidate: Candidate {
                content: Content::File(text),
                weights: Weights::Own,
            },
            expected_version: None,
            request_id: String::new(),
        };
        let progress = Progress::new().0;
        let applied = switch.apply(&world.tenant, &apply, &progress).await;
        applied.expect("it is applied");
    }
}

/// The weights that the records of a tenant teach.
async fn learned(world: &World) -> String {
    let switch = ModelRollout {
        store: world.store.clone(),
        models: world.models.clone(),
        clock: Arc::new(at_day(1)),
        follower: world.follower(),
    };
    let progress = Progress::new().0;
    let learned = switch
        .train(&world.tenant, "", Subject::Everything, &progress)
        .await;
    let version = learned.expect("weights").version;
    let stored = world.store.model(&world.tenant, Some(version)).await;
    stored
        .expect("an answer")
        .expect("the version")
        .model
        .weights
}

/// The ways in which the files come to something else than they do in their own order.
async fn differences(ground: &Ground<'_>, shuffles: u64) -> usize {
    let files = ground.files;
    let world = ground.world().await;
    write(&world, &files.drafts, ONE_GO).await;
    let (world, expected) = seen(world).await;
    let mut count = 0;
    let mut tell = |way: &str, difference: Option<String>| {
        if let Some(difference) = difference {
            eprintln!("{}, {way}: {difference}", files.name);
            count += 1;
        }
    };
    tell("in its order", differs_as_a_whole(&world).await);
    for seed in 1..=shuffles {
        let drafts = files.shuffled(seed);
        for size in BATCHES {
            let way = format!("order {seed}, batches of {size}");
            let world = ground.world().await;
            write(&world, &drafts, size).await;
            let (world, found) = seen(world).await;
            tell(&way, expected.difference(&found));
            tell(&way, differs_as_a_whole(&world).await);
            there_and_back(&world, files).await;
            let (_, found) = seen(world).await;
            let back = format!("{way}, another model and back");
            tell(&back, expected.difference(&found));
        }
    }
    eprintln!("{}: {expected}; {shuffles} orders", files.name);
    count
}

/// Runs over all sets on a kind of store.
fn on(kind: Kind, trained: bool) {
    let runtime = runtime();
    let store = runtime.block_on(TestStore::start(kind));
    let common = runtime.block_on(async { Common::new(store.store.clone()) });
    let (mut tenants, mut differing) = (0, 0);
    for files in Files::all() {
        let mut ground = Ground {
            common: &common,
            count: std::cell::Cell::new(tenants),
            files: &files,
            weights: String::new(),
        };
        runtime.block_on(async {
            if trained {
                let world = ground.world().await;
                write(&world, &files.drafts, ONE_GO).await;
                ground.weights = learned(&world).await;
            }
            // On a database each batch is a transaction.
            let ways = if kind == Kind::Memory { 2 } else { 1 };
            differing += differences(&ground, u64::from(ways * scale())).await;
        });
        tenants = ground.count.get();
    }
    assert_eq!(differing, 0, "ways that come to something else");
}

#[test]
fn in_memory() {
    on(Kind::Memory, false);
}

#[test]
fn in_memory_with_learned_weights() {
    on(Kind::Memory, true);
}

#[test]
fn on_sqlite() {
    on(Kind::Sqlite, false);
}
