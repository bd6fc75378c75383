//! The invariants of the design, as properties over random statements.
//!
//! The oracle knows nothing of batches, stores or neighbourhoods: it applies all statements of a
//! case to their records and clusters everything at once. Whatever the order, the batching and the
//! store, the service must come to the same.
//!
//! Each case has a tenant of its own on one store, so that hundreds of cases need one database.

mod cases;
mod consent;
mod decisions;
mod derived;
mod erasure;
mod explanation;
mod order;
mod past;
mod shared;
mod whole;
mod world;
mod writers;

use std::sync::Arc;

use customer_profile::ingest::Outcome;
use customer_profile::store::Store;
use profile_core::records::{Draft, TenantId};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use tokio::runtime::Runtime;

use cases::Case;
use consent::consent_is_never_widened;
use decisions::{decisions_hold_and_leave_nothing_behind, merge_writes_split_is_never_merged};
use erasure::the_erased_leave_no_trace;
use explanation::what_is_explained_is_what_is_served;
use past::the_past_is_answered_as_it_was;
use whole::{the_whole_finds_nothing_to_change, there_and_back_is_never_there};
use world::{Common, World, oracle};

use crate::support::scale;
use crate::support::stores::{Kind, TestStore};

/// Runs a property on `cases` random cases, each in a tenant of its own.
fn check<F>(runtime: &Runtime, store: Arc<dyn Store>, cases: u32, property: F)
where
    F: AsyncFn(World, Case) -> Result<(), TestCaseError>,
{
    let config = Config {
        cases: cases * scale(),
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let common = runtime.block_on(async { Common::new(store) });
    let count = std::cell::Cell::new(0);
    let result = runner.run(&cases::case(), |case| {
        count.set(count.get() + 1);
        let tenant = TenantId::new(&format!("case-{}", count.get())).expect("a tenant name");
        runtime.block_on(async { property(World::new(&common, tenant), case).await })
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// I1: any order and batching gives the partition and the contents that clustering everything at
/// once gives.
async fn order_does_not_matter(world: World, case: Case) -> Result<(), TestCaseError> {
    world.say_in_batches(&case.shuffled(), &case.cuts).await;
    let expected = oracle(&case.drafts);
    proptest::prop_assert_eq!(world.contents().await, expected);
    Ok(())
}

/// I3: what is said again is DUPLICATE and changes nothing: no revision, no history, no membership.
async fn said_again_changes_nothing(world: World, case: Case) -> Result<(), TestCaseError> {
    world.say_in_batches(&case.drafts, &case.cuts).await;
    let before = world.dump().await;
    let outcomes = world.say_in_batches(&case.shuffled(), &case.cuts).await;
    proptest::prop_assert!(
        outcomes
            .iter()
            .all(|outcome| *outcome == Outcome::Duplicate),
        "{:?}",
        outcomes
    );
    proptest::prop_assert_eq!(world.dump().await, before);
    Ok(())
}

/// I4: after every batch each live record is in exactly one live profile, each event on exactly one
/// timeline.
async fn nothing_is_lost_or_doubled(world: World, case: Case) -> Result<(), TestCaseError> {
    let mut said: Vec<Draft> = Vec::new();
    for batch in case.batches() {
        world.say(&batch).await;
        said.extend(batch);
        world.assert_conserved(&said).await?;
    }
    Ok(())
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Runs a property on a kind of store: on the memory store hundreds of cases, on a database, where
/// each batch is a transaction, fewer.
fn on<F>(kind: Kind, cases: u32, property: F)
where
    F: AsyncFn(World, Case) -> Result<(), TestCaseError>,
{
    let runtime = runtime();
    let ground = runtime.block_on(TestStore::start(kind));
    let cases = if kind == Kind::Memory {
        cases
    } else {
        cases.min(14)
    };
    check(&runtime, ground.store.clone(), cases, property);
}

macro_rules! on_every_store {
    ($cases:literal: $($property:ident),+ $(,)?) => {$(
        mod $property {
            use super::{Kind, on};

            #[test]
            fn in_memory() {
                on(Kind::Memory, $cases, super::$property);
            }

            #[test]
            fn on_sqlite() {
                on(Kind::Sqlite, $cases, super::$property);
            }

            #[test]
            fn on_postgres() {
                on(Kind::Postgres, $cases, super::$property);
            }
        }
    )+};
}

on_every_store!(
    100: order_does_not_matter,
    said_again_changes_nothing,
    nothing_is_lost_or_doubled,
    the_past_is_answered_as_it_was,
    consent_is_never_widened,
);

// Each case looks at everything several times. The full form has as many cases as one likes:
// see docs/guarantees.md.
on_every_store!(
    40: decisions_hold_and_leave_nothing_behind,
    merge_writes_split_is_never_merged,
    the_whole_finds_nothing_to_change,
    there_and_back_is_never_there,
    the_erased_leave_no_trace,
);

// Each case asks about everybody after each batch.
on_every_store!(20: what_is_explained_is_what_is_served);
