//! I2: what people decide holds while it is in force, and leaves nothing behind when it is taken
//! back.

use customer_profile::ingest::{DecideError, Decided, DecisionRequest, Operation};
use profile_core::identity::{Decision, DecisionKind};
use profile_core::records::{Draft, ProfileId, RecordKey};
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;

use super::cases::Case;
use super::world::{World, all_records, oracle, oracle_with};

/// A world in which people decide.
pub(super) struct Deciding<'a> {
    world: &'a World,
    requests: usize,
}

impl<'a> Deciding<'a> {
    pub(super) fn new(world: &'a World) -> Self {
        Self { world, requests: 0 }
    }

    async fn decide(&mut self, operation: Operation) -> Result<Decided, DecideError> {
        self.requests += 1;
        let request = DecisionRequest {
            operation,
            actor: "ann".to_owned(),
            note: "the customer called".to_owned(),
            override_rules: true,
            request_id: format!("request-{}", self.requests),
        };
        let tried = self.world.decide(&request, true).await;
        let decided = self.world.decide(&request, false).await;
        if let (Ok(tried), Ok(decided)) = (&tried, &decided) {
            assert_eq!(
                tried.profiles, decided.profiles,
                "what was foretold is what came"
            );
            let again = self
                .world
                .decide(&request, false)
                .await
                .expect("the same answer");
            assert_eq!(
                (&again.decisions, &again.outcomes),
                (&decided.decisions, &decided.outcomes)
            );
            assert_eq!(
                again.profiles, decided.profiles,
                "the same request changes nothing"
            );
        }
        decided
    }

    async fn home(&self, key: &RecordKey) -> Option<ProfileId> {
        self.world.homes().await.get(key).copied()
    }

    /// Something that a person might do, chosen by a number. Much of it is refused, as it would be
    /// in life.
    pub(super) async fn anything(&mut self, choice: Index) -> Result<Decided, DecideError> {
        let records = all_records();
        let number = choice.index(usize::MAX);
        let (a, b) = (
            &records[number % records.len()],
            &records[(number / 16) % records.len()],
        );
        let kind = if (number / 512).is_multiple_of(2) {
            DecisionKind::MustLink
        } else {
            DecisionKind::CannotLink
        };
        let operation = match ((number / 1024) % 4, self.home(a).await, self.home(b).await) {
            (0, Some(target), Some(source)) => Operation::Merge {
                target,
                sources: vec![source],
            },
            (1, Some(profile), _) => Operation::Split {
                profile,
                records: vec![a.clone()],
            },
            _ => Operation::Candidate {
                left: a.clone(),
                right: b.clone(),
                kind,
            },
        };
        self.decide(operation).await
    }

    async fn in_force(&self) -> Vec<Decision> {
        let mut snapshot = self
            .world
            .store
            .snapshot(&self.world.tenant)
            .await
            .expect("a snapshot");
        let stored = snapshot.decisions().await.expect("decisions");
        stored.into_iter().map(|stored| stored.decision).collect()
    }
}

/// While decisions are in force, the partition is that of clustering everything with them at once;
/// once they are all taken back, in any order, readers see what they would see if nobody had ever
/// decided anything.
pub(super) async fn decisions_hold_and_leave_nothing_behind(
    world: World,
    case: Case,
) -> Result<(), TestCaseError> {
    let mut deciding = Deciding::new(&world);
    let mut said: Vec<Draft> = Vec::new();
    let mut choices = case.cuts.iter().chain(&case.order);
    for batch in case.batches() {
        world.say(&batch).await;
        said.extend(batch);
        if let Some(choice) = choices.next() {
            // Refused or not: what counts is what is in force then.
            let _ = deciding.anything(*choice).await;
        }
        let decisions = deciding.in_force().await;
        proptest::prop_assert_eq!(world.contents().await, oracle_with(&said, &decisions));
    }
    let mut left = deciding.in_force().await;
    while !left.is_empty() {
        let at = choices.next().map_or(0, |choice| choice.index(left.len()));
        let decision = left.swap_remove(at).id;
        deciding
            .decide(Operation::Withdraw { decision })
            .await
            .expect("it is taken back");
    }
    proptest::prop_assert_eq!(world.contents().await, oracle(&said));
    world.assert_conserved(&said).await
}

/// A merge taken back gives everybody their old name again; a merge, any writes, and its
/// withdrawal: never merged.
pub(super) async fn merge_writes_split_is_never_merged(
    world: World,
    case: Case,
) -> Result<(), TestCaseError> {
    let mut deciding = Deciding::new(&world);
    let (first, rest) = case.drafts.split_at(case.drafts.len() / 2);
    world.say_in_batches(first, &case.cuts).await;
    let homes = world.homes().await;
    let mut profiles: Vec<ProfileId> = homes.values().copied().collect();
    profiles.sort_unstable();
    profiles.dedup();
    let [target, source, ..] = profiles.as_slice() else {
        return Ok(());
    };
    let merge = Operation::Merge {
        target: *target,
        sources: vec![*source],
    };
    let merged = deciding.decide(merge.clone()).await.expect("a merge");
    for decision in merged.decisions {
        deciding
            .decide(Operation::Withdraw { decision })
            .await
            .expect("it is taken back");
    }
    proptest::prop_assert_eq!(world.homes().await, homes);
    let merged = deciding.decide(merge).await.expect("a merge");
    world.say_in_batches(rest, &case.cuts).await;
    for decision in merged.decisions {
        deciding
            .decide(Operation::Withdraw { decision })
            .await
            .expect("it is taken back");
    }
    proptest::prop_assert_eq!(world.contents().await, oracle(&case.drafts));
    Ok(())
}
