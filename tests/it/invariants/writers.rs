//! Several servers on one PostgreSQL: three writers at once end in the oracle's state.
//!
//! Each writer has its own connections, queue and caches, as a server of its own has. What they say
//! is cut so that all three speak of the same records and identifiers all the time.

use std::sync::Arc;

use customer_profile::store::Store;
use profile_core::records::{Draft, Sequence, TenantId};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::cases::{self, Case};
use super::world::{Common, World, oracle};
use crate::support::postgres::Postgres;
use crate::support::stores::postgres;

const WRITERS: usize = 3;
const ROUNDS: u32 = 40;

/// One round: many small batches from each writer, all at once.
async fn round(writers: &[Common], tenant: &TenantId, drafts: &[Draft]) {
    let says = writers.iter().enumerate().map(|(number, common)| {
        let world = World::new(common, tenant.clone());
        let own: Vec<Draft> = drafts
            .iter()
            .skip(number)
            .step_by(WRITERS)
            .cloned()
            .collect();
        async move {
            for batch in own.chunks(3) {
                world.say(batch).await;
            }
        }
    });
    futures::future::join_all(says).await;
}

#[test]
fn three_writers_at_once_end_in_the_state_of_one() {
    let runtime = super::runtime();
    runtime.block_on(async {
        let server = Postgres::start();
        let mut writers = Vec::new();
        for _ in 0..WRITERS {
            let store: Arc<dyn Store> = Arc::new(postgres(&server).await);
            writers.push(Common::new(store));
        }
        let mut runner = TestRunner::new_with_rng(
            Config::default(),
            TestRng::deterministic_rng(RngAlgorithm::ChaCha),
        );
        for number in 0..ROUNDS * crate::support::scale() {
            let tenant = TenantId::new(&format!("round-{number}")).expect("a tenant name");
            // Three cases in one, so that the writers stay busy with each other.
            let mut drafts: Vec<Draft> = Vec::new();
            for draft in (0..3).flat_map(|_| some_case(&mut runner).drafts) {
                if !drafts.contains(&draft) {
                    drafts.push(draft);
                }
            }
            round(&writers, &tenant, &drafts).await;
            let reader = World::new(&Common::new(writers[0].store()), tenant.clone());
            assert_eq!(reader.contents().await, oracle(&drafts), "round {number}");
            reader
                .assert_conserved(&drafts)
                .await
                .expect("nothing is lost or doubled");
            let commits = reader
                .store
                .profiles(&tenant, &[])
                .await
                .expect("a read")
                .sequence;
            assert!(
                commits > Sequence(1),
                "several writes, numbered without gaps"
            );
        }
    });
}

fn some_case(runner: &mut TestRunner) -> Case {
    cases::case().new_tree(runner).expect("a case").current()
}
