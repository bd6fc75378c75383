//! Erasure: the others are as if the erased had never been heard of, and nobody brings them back.

use std::collections::BTreeSet;

use customer_profile::ingest::{EraseRequest, Outcome};
use profile_core::records::{Draft, EventKey, Reason, RecordKey};
use proptest::test_runner::TestCaseError;

use super::cases::Case;
use super::world::{World, oracle};

/// The event that a statement tells or corrects.
fn event_of(draft: &Draft) -> Option<EventKey> {
    let told = |source: &str, id: &str| EventKey {
        source: source.to_owned(),
        event_id: id.to_owned(),
    };
    match draft {
        Draft::Event(said) => Some(told(&said.record.source, &said.event_id)),
        Draft::Replacement(said) => Some(told(&said.event.record.source, &said.event.event_id)),
        Draft::Retraction(said) => Some(said.event.clone()),
        _ => None,
    }
}

fn is_about(draft: &Draft, records: &BTreeSet<RecordKey>) -> bool {
    draft
        .record()
        .is_some_and(|record| records.contains(record))
}

/// Events of which some statements are about the records and others about other ones.
fn shared_events(drafts: &[Draft], records: &BTreeSet<RecordKey>) -> BTreeSet<EventKey> {
    let keys = |theirs: bool| -> BTreeSet<EventKey> {
        let about = drafts
            .iter()
            .filter(|draft| draft.record().is_some() && is_about(draft, records) == theirs);
        about.filter_map(event_of).collect()
    };
    keys(true).intersection(&keys(false)).cloned().collect()
}

/// A customer of a case, and its statements without events that change hands between the customer
/// and others: nobody can say whose those are.
fn customer(case: &Case) -> Option<(Vec<Draft>, BTreeSet<RecordKey>)> {
    let mut drafts = case.drafts.clone();
    let first = case.order.first()?;
    loop {
        let contents = oracle(&drafts);
        if contents.is_empty() {
            return None;
        }
        let records = contents.keys().nth(first.index(contents.len()))?;
        let records: BTreeSet<RecordKey> = records.iter().cloned().collect();
        let shared = shared_events(&drafts, &records);
        if shared.is_empty() {
            return Some((drafts, records));
        }
        drafts.retain(|draft| event_of(draft).is_none_or(|key| !shared.contains(&key)));
    }
}

/// Everything that is kept of a record.
async fn is_forgotten(world: &World, record: &RecordKey) -> bool {
    let (store, tenant) = (&world.store, &world.tenant);
    let statements = store.list_statements(tenant, record).await;
    let memberships = store.list_memberships(tenant, record).await;
    statements.expect("a read").is_empty() && memberships.expect("a read").is_empty()
}

pub(super) async fn the_erased_leave_no_trace(
    world: World,
    case: Case,
) -> Result<(), TestCaseError> {
    let Some((drafts, erased)) = customer(&case) else {
        return Ok(());
    };
    world.say_in_batches(&drafts, &case.cuts).await;
    let homes = world.homes().await;
    let profile = erased.first().and_then(|record| homes.get(record).copied());
    let request = EraseRequest {
        profile: profile.expect("a profile"),
        expected_revision: None,
        actor: String::new(),
        note: String::new(),
        request_id: "r-1".to_owned(),
    };
    let receipt = world.erase(&request).await.receipt;
    let (theirs, others): (Vec<Draft>, Vec<Draft>) = drafts
        .iter()
        .cloned()
        .partition(|draft| is_about(draft, &erased));
    let expected = oracle(&others);
    proptest::prop_assert_eq!(&world.contents().await, &expected);
    for record in &erased {
        proptest::prop_assert!(is_forgotten(&world, record).await, "{}", record.key);
    }
    // Said again, nothing of it is stored.
    let is_refused = |outcome: &Outcome| match outcome {
        Outcome::Rejected(violations) => violations[0].reason == Reason::RecordErased,
        _ => false,
    };
    let outcomes = world.say(&theirs).await;
    proptest::prop_assert!(outcomes.iter().all(is_refused), "{:?}", outcomes);
    world.say_in_batches(&case.shuffled(), &case.cuts).await;
    for record in &erased {
        proptest::prop_assert!(is_forgotten(&world, record).await, "{}", record.key);
    }
    // The request again gets its answer.
    proptest::prop_assert_eq!(world.erase(&request).await.receipt, receipt);
    Ok(())
}
