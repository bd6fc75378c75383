//! The whole of a tenant at once, against what the write path made of it batch by batch; and models
//! that come and go.

use std::collections::BTreeMap;
use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::full_resolution::replay::{Acceptance, replay};
use customer_profile::full_resolution::{ModelChange, TenantState, resolve};
use customer_profile::ingest::WriteContext;
use customer_profile::rollout::{Apply, Candidate, Content, ModelRollout, Progress, Weights};
use customer_profile::store::{Cause, Changes};
use profile_core::records::Sequence;
use proptest::test_runner::TestCaseError;

use super::cases::{Case, NOW, model};
use super::derived::{DERIVED, recount};
use super::world::World;

/// After every batch, looking at everything finds nothing to change; and what was said, said again
/// to new records, makes the records that there are.
pub(super) async fn the_whole_finds_nothing_to_change(
    world: World,
    case: Case,
) -> Result<(), TestCaseError> {
    for batch in case.batches() {
        world.say(&batch).await;
        let everything = everything(&world).await;
        let turn = WriteContext {
            tenant: &world.tenant,
            sequence: Sequence(i64::MAX),
            now: NOW,
        };
        let said = everything.records.clone();
        let model = model();
        let found = resolve(
            turn,
            &Cause::Model { version: 2 },
            &everything,
            said,
            ModelChange {
                from: &model,
                to: &model,
            },
        );
        proptest::prop_assert_eq!(found.changes, Changes::default());
        let mut snapshot = world
            .store
            .snapshot(&world.tenant)
            .await
            .expect("a snapshot");
        for record in everything.records.values() {
            let statements = snapshot
                .statements(std::slice::from_ref(&record.key))
                .await
                .expect("statements");
            let again = replay(
                record,
                &statements,
                ModelChange {
                    from: &model,
                    to: &model,
                },
                &mut Acceptance::default(),
            );
            proptest::prop_assert_eq!(&again, record);
        }
    }
    Ok(())
}

/// All of a tenant that identity depends on.
pub(super) async fn everything(world: &World) -> TenantState {
    let mut snapshot = world
        .store
        .snapshot(&world.tenant)
        .await
        .expect("a snapshot");
    let records = snapshot
        .scan_records(None, 1_000_000)
        .await
        .expect("records");
    let ids: Vec<_> = records
        .iter()
        .flat_map(|record| record.membership.carries.iter().map(|held| held.id))
        .collect();
    let rows = snapshot
        .profile_rows(&ids)
        .await
        .expect("rows")
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    let keys: Vec<_> = records.iter().map(|record| record.key.clone()).collect();
    let pairs = snapshot.pairs(&keys).await.expect("pairs");
    let pairs = pairs
        .into_iter()
        .map(|pair| ((pair.left.clone(), pair.right.clone()), pair))
        .collect();
    let records: BTreeMap<_, _> = records
        .into_iter()
        .map(|record| (record.key.clone(), record))
        .collect();
    let decisions = snapshot
        .decisions()
        .await
        .expect("decisions")
        .into_iter()
        .map(|stored| stored.decision)
        .collect();
    TenantState {
        records,
        rows,
        pairs,
        decisions,
    }
}

/// Nearly the model of the cases, as a file.
const HERE: &str = "
max_records_per_profile: 7
matching: { max_key_records: 3, max_people: 2 }
identifiers:
  customer_id: { priority: 1, unique: true, belongs_to: person }
  device: { priority: 9, belongs_to: device, max_records: 4 }
  email: { priority: 2, max_per_profile: 2, max_records: 4, blocked: ['^none$'] }
  phone: { priority: 3, max_profiles: 2, max_records: 5, blocked: ['^none$'] }
traits:
  trusted: { keep: source_trust, searchable: true }
  recent: { keep: most_recent }
  frequent: { keep: most_frequent }
  longest: { keep: longest }
  oldest: { keep: oldest }
  all: { keep: union }
  given: { match: given_name }
  family: { match: family_name }
  suffix: { match: suffix }
  born: { match: birth_date }
  postcode: { match: postcode }
sources:
  shop: { trust: 80 }
  crm: { trust: 50 }
  till: { trust: 50 }
";

/// Another: other strengths, limits, forms and survivors.
const THERE: &str = "
max_records_per_profile: 4
matching: { link_probability: 0.6, review_probability: 0.2, max_key_records: 2 }
identifiers:
  customer_id: { priority: 3, normalize: digits }
  device: { priority: 8, max_records: 2 }
  email: { priority: 2, normalize: case_fold, max_records: 3 }
  phone: { priority: 1, normalize: digits, max_per_profile: 1 }
traits:
  trusted: { keep: most_recent }
  recent: { keep: oldest, searchable: true }
  frequent: { keep: longest }
  longest: { keep: union }
  oldest: { keep: most_recent }
  all: { keep: source_trust }
  given: { match: given_name }
  family: { match: family_name }
  suffix: { keep: longest }
  born: { match: birth_date }
  postcode: { keep: longest }
sources:
  shop: { trust: 10 }
  crm: { trust: 90 }
  till: { trust: 50 }
";

/// I2 for models: there, any writes, and back is the same as never there.
pub(super) async fn there_and_back_is_never_there(
    world: World,
    case: Case,
) -> Result<(), TestCaseError> {
    let here = ModelFile::parse(&format!("{HERE}{DERIVED}")).expect("a model");
    let stayed = world.beside("stayed", here.clone());
    stayed.say_in_batches(&case.drafts, &case.cuts).await;
    let went = world.beside("went", here);
    let switch = ModelRollout {
        store: went.store.clone(),
        models: went.models.clone(),
        clock: Arc::new(NOW),
        follower: went.follower(),
    };
    let batches = case.batches();
    for (number, batch) in batches.iter().enumerate() {
        went.say(batch).await;
        let text = if number % 2 == 0 {
            THERE.to_owned()
        } else {
            format!("{HERE}{DERIVED}")
        };
        go(&switch, &went, &text).await;
    }
    go(&switch, &went, &format!("{HERE}{DERIVED}")).await;
    // What was not counted there is counted now.
    recount(&went).await;
    proptest::prop_assert_eq!(went.contents().await, stayed.contents().await);
    Ok(())
}

async fn go(switch: &ModelRollout, world: &World, text: &str) {
    let candidate = Candidate {
        content: Content::File(text.to_owned()),
        weights: Weights::Own,
    };
    let apply = Apply {
        candidate,
        expected_version: None,
        request_id: String::new(),
    };
    switch
        .apply(&world.tenant, &apply, &Progress::new().0)
        .await
        .expect("it is applied");
}
