//! What was answered stays answered: after any writes, each answer of before can be had again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use customer_profile::reader::{Answer, Error, Freshness, Key, PastDerived};
use profile_core::profile::{Contributions, Profile};
use profile_core::records::rollup::Rollup;
use profile_core::records::{Identifier, ProfileId, Sequence, Timestamp};
use proptest::test_runner::TestCaseError;

use super::cases::{Case, NOW};
use super::world::{World, all_records};
use crate::support::clock::SetClock;

/// All that a reader is told, or why not.
type Told = Result<(Profile, Option<ProfileId>), String>;

/// Everything by every key of the small world.
type Answers = BTreeMap<String, Told>;

fn told(answer: Result<Answer, Error>) -> Told {
    match answer {
        Ok(answer) => {
            // The states kept are those of the present; the answers are the same.
            Ok((
                Profile {
                    rollup: Rollup::default(),
                    uncounted: BTreeSet::new(),
                    contributions: Contributions::default(),
                    ..Profile::clone(&answer.profile)
                },
                answer.merged_from,
            ))
        }
        Err(Error::Ambiguous(profiles)) => Err(format!("{profiles:?}")),
        Err(error) => Err(error.to_string()),
    }
}

/// Every key that was ever known, and some that never were.
fn keys(ids: &BTreeSet<ProfileId>) -> Vec<Key> {
    let kinds = ["customer_id", "email", "phone"].into_iter();
    let identifiers =
        kinds.flat_map(|kind| ["a", "b", "c", "d", "e"].map(|value| Identifier::new(kind, value)));
    let records = all_records().into_iter().map(Key::Record);
    ids.iter()
        .copied()
        .map(Key::Id)
        .chain(records)
        .chain(identifiers.map(Key::Identifier))
        .collect()
}

fn name(key: &Key) -> String {
    match key {
        Key::Id(id) => id.to_string(),
        Key::Record(record) => format!("{}/{}", record.source, record.key),
        Key::Identifier(identifier) => format!("{}:{}", identifier.kind, identifier.value),
    }
}

async fn at_present(world: &World, ids: &BTreeSet<ProfileId>) -> Answers {
    let mut answers = Answers::new();
    for key in keys(ids) {
        let read = world
            .reader
            .profile(&world.tenant, &key, Freshness::Full)
            .await;
        answers.insert(name(&key), told(read));
    }
    answers
}

async fn as_of(world: &World, ids: &BTreeSet<ProfileId>, time: Timestamp) -> Answers {
    let mut answers = Answers::new();
    for key in keys(ids) {
        answers.insert(
            name(&key),
            told(
                world
                    .reader
                    .profile_as_of(&world.tenant, &key, time, PastDerived::Counted)
                    .await,
            ),
        );
    }
    answers
}

/// Says the batches of a case, the clock a step further each time or, now and then, set back; and
/// remembers what was answered between. In the end all of it is answered again.
pub(super) async fn the_past_is_answered_as_it_was(
    world: World,
    case: Case,
) -> Result<(), TestCaseError> {
    let clock = Arc::new(SetClock::default());
    let world = world.with_clock(clock.clone());
    let mut ids = BTreeSet::new();
    let mut remembered: Vec<(Timestamp, Answers)> = Vec::new();
    let mut time = NOW;
    for (number, batch) in (0i64..).zip(case.batches()) {
        let back = if number % 3 == 2 { 3_000_000 } else { 0 };
        clock.set(Timestamp::from_micros(
            NOW.as_micros() + number * 1_000_000 - back,
        ));
        world.say(&batch).await;
        for key in all_records() {
            let changes = world
                .store
                .list_memberships(&world.tenant, &key)
                .await
                .expect("memberships");
            ids.extend(changes.iter().filter_map(|change| change.profile));
        }
        let last = Timestamp::from_micros(i64::MAX);
        let write = world
            .store
            .write_at(&world.tenant, last)
            .await
            .expect("a read");
        let write = write.expect("the batch was a write");
        proptest::prop_assert!(
            write.time >= time || write.sequence == Sequence(1),
            "times of writes go forward"
        );
        time = write.time;
        // Of several writes at one time the last counts.
        remembered.retain(|(before, _)| *before < time);
        remembered.push((time, at_present(&world, &ids).await));
    }
    for (time, answers) in remembered {
        let again = as_of(&world, &ids, time).await;
        for (key, told) in again {
            // Names that came later were nobody's then.
            let expected = answers
                .get(&key)
                .cloned()
                .unwrap_or_else(|| Err(Error::NotFound.to_string()));
            proptest::prop_assert_eq!(told, expected, "{} at {:?}", key, time);
        }
    }
    let before = Timestamp::from_micros(NOW.as_micros() - 60_000_000);
    proptest::prop_assert!(
        as_of(&world, &ids, before)
            .await
            .values()
            .all(Result::is_err),
        "before the first write"
    );
    Ok(())
}
