//! I10: what is explained is what is served. Whoever folds what an explanation lists, by rules of
//! his own hand, gets the served profile; its links span the profile and hold; what keeps two apart
//! is named.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use customer_profile::explain::{Link, ProfileExplanation, Side, Support};
use customer_profile::reader::{Freshness, Key};
use profile_core::identity::MatchDecision;
use profile_core::model::Survivorship;
use profile_core::profile::{Profile, Trait, TraitCandidate, TraitExplanation};
use profile_core::records::{Origin, Record, RecordKey, Timestamp, Value};
use proptest::test_runner::TestCaseError;

use super::cases::Case;
use super::decisions::Deciding;
use super::world::{World, all_records};

/// After every batch and some decision, every profile and some pairs are explained.
pub(super) async fn what_is_explained_is_what_is_served(
    world: World,
    case: Case,
) -> Result<(), TestCaseError> {
    let mut deciding = Deciding::new(&world);
    let mut choices = case.order.iter();
    for batch in case.batches() {
        world.say(&batch).await;
        if let Some(choice) = choices.next() {
            // Refused or not: what is explained is what is then.
            let _ = deciding.anything(*choice).await;
        }
        let profiles = world.profiles().await;
        for profile in &profiles {
            let told = world
                .explainer
                .profile(&world.tenant, profile.id)
                .await
                .expect("an explanation");
            explains(&told, profile, &profiles)?;
            if let [first, .., last] = profile.records.as_slice() {
                one_profile(&world, &first.key, &last.key).await?;
            }
        }
        for pair in profiles.windows(2) {
            two_profiles(&world, &pair[0], &pair[1]).await?;
        }
    }
    Ok(())
}

impl World {
    /// All profiles, as they are served.
    async fn profiles(&self) -> Vec<Profile> {
        let mut profiles = BTreeMap::new();
        for key in all_records() {
            let read = self
                .reader
                .profile(&self.tenant, &Key::Record(key), Freshness::Full)
                .await;
            if let Ok(answer) = read {
                profiles.insert(answer.profile.id, (*answer.profile).clone());
            }
        }
        profiles.into_values().collect()
    }
}

fn explains(
    told: &ProfileExplanation,
    profile: &Profile,
    all: &[Profile],
) -> Result<(), TestCaseError> {
    proptest::prop_assert_eq!((told.id, told.revision), (profile.id, profile.revision));
    let folded: BTreeMap<String, Trait> = told
        .traits
        .iter()
        .map(|told| (told.name.clone(), fold_listed(told)))
        .collect();
    proptest::prop_assert_eq!(&folded, &profile.traits);
    for told in &told.traits {
        let told_of: BTreeSet<&RecordKey> = told
            .candidates
            .iter()
            .map(|one| &one.origin.record)
            .collect();
        proptest::prop_assert_eq!(
            told_of,
            saying(profile, &told.name),
            "nobody who says it is left out"
        );
        let winners: BTreeSet<&RecordKey> = folded[&told.name]
            .origins
            .iter()
            .map(|origin| &origin.record)
            .collect();
        let marked: Vec<bool> = told.candidates.iter().map(|one| one.wins).collect();
        let won: Vec<bool> = told
            .candidates
            .iter()
            .map(|one| winners.contains(&one.origin.record))
            .collect();
        proptest::prop_assert_eq!(&marked, &won);
        proptest::prop_assert!(
            marked.is_sorted_by_key(|wins| Reverse(*wins)),
            "winners first"
        );
    }
    let reasons: Vec<(&RecordKey, String)> = told
        .records
        .iter()
        .map(|told| {
            (
                &told.record,
                told.link.as_ref().map_or("alone".to_owned(), name),
            )
        })
        .collect();
    let served: Vec<(&RecordKey, String)> = profile
        .records
        .iter()
        .map(|record| (&record.key, record.membership.reason.clone()))
        .collect();
    proptest::prop_assert_eq!(reasons, served);
    spans(told)?;
    proptest::prop_assert_eq!(told.at_bound, profile.records.len() >= 7);
    for refused in &told.refused {
        proptest::prop_assert!(
            profile
                .records
                .iter()
                .any(|record| record.key == refused.left)
        );
        let home = all.iter().find(|other| {
            other
                .records
                .iter()
                .any(|record| record.key == refused.right)
        });
        proptest::prop_assert_eq!(refused.right_profile, home.map(|home| home.id));
        proptest::prop_assert!(refused.right_profile != Some(profile.id));
    }
    Ok(())
}

/// The records of a profile that say something for a trait.
fn saying<'a>(profile: &'a Profile, name: &str) -> BTreeSet<&'a RecordKey> {
    let says = |record: &&Record| {
        record
            .traits()
            .any(|(said, value, _)| said == name && !value.is_blank())
    };
    profile
        .records
        .iter()
        .filter(says)
        .map(|record| &record.key)
        .collect()
}

fn name(link: &Link) -> String {
    match &link.support {
        Support::Shared { kind, .. } => format!("shared:{kind}"),
        Support::Former { kind, .. } => format!("former:{kind}"),
        Support::Score(_) => "match".to_owned(),
        Support::Decision { .. } => "decision".to_owned(),
    }
}

/// Whether the links hold, and lead from any record to any other.
fn spans(told: &ProfileExplanation) -> Result<(), TestCaseError> {
    let mut reached: BTreeSet<&RecordKey> = told
        .records
        .iter()
        .take(1)
        .map(|told| &told.record)
        .collect();
    for _ in &told.records {
        for (record, link) in told
            .records
            .iter()
            .filter_map(|told| Some((&told.record, told.link.as_ref()?)))
        {
            proptest::prop_assert!(holds(link), "{:?}", link);
            if reached.contains(record) || reached.contains(&link.record) {
                reached.extend([record, &link.record]);
            }
        }
    }
    proptest::prop_assert_eq!(
        reached,
        told.records
            .iter()
            .map(|told| &told.record)
            .collect::<BTreeSet<_>>()
    );
    Ok(())
}

fn holds(link: &Link) -> bool {
    match &link.support {
        Support::Shared { values, .. } | Support::Former { values, .. } => !values.is_empty(),
        Support::Score(comparison) => comparison.verdict == MatchDecision::Link,
        Support::Decision { id } => !id.is_empty(),
    }
}

/// Two records of one profile: there is a way from one to the other, and back.
async fn one_profile(
    world: &World,
    left: &RecordKey,
    right: &RecordKey,
) -> Result<(), TestCaseError> {
    let sides = (Side::Record(left.clone()), Side::Record(right.clone()));
    let told = world
        .explainer
        .pair(&world.tenant, &sides.0, &sides.1)
        .await
        .expect("an explanation");
    let back = world
        .explainer
        .pair(&world.tenant, &sides.1, &sides.0)
        .await
        .expect("an explanation");
    proptest::prop_assert!(told.same_profile && told.apart.is_none());
    proptest::prop_assert!(told.path.iter().all(holds), "{:?}", told.path);
    let there: Vec<&RecordKey> = std::iter::once(left)
        .chain(told.path.iter().map(|link| &link.record))
        .collect();
    let mut back: Vec<&RecordKey> = std::iter::once(right)
        .chain(back.path.iter().map(|link| &link.record))
        .collect();
    back.reverse();
    proptest::prop_assert_eq!(&there, &back);
    proptest::prop_assert!(there.len() > 1 && there.last() == Some(&right));
    Ok(())
}

/// Two profiles: whatever they have in common, something keeps them apart.
async fn two_profiles(world: &World, left: &Profile, right: &Profile) -> Result<(), TestCaseError> {
    let sides = (Side::Profile(left.id), Side::Profile(right.id));
    let told = world
        .explainer
        .pair(&world.tenant, &sides.0, &sides.1)
        .await
        .expect("an explanation");
    let back = world
        .explainer
        .pair(&world.tenant, &sides.1, &sides.0)
        .await
        .expect("an explanation");
    proptest::prop_assert!(!told.same_profile && told.path.is_empty());
    proptest::prop_assert!(
        told.missing_millibits > 0 || told.apart.is_some(),
        "{:?}",
        told
    );
    proptest::prop_assert_eq!(told.comparison.millibits, back.comparison.millibits);
    proptest::prop_assert_eq!(told.missing_millibits, back.missing_millibits);
    proptest::prop_assert!(left.records.iter().any(|record| record.key == told.left));
    proptest::prop_assert!(right.records.iter().any(|record| record.key == told.right));
    Ok(())
}

/// The rules of survivorship once more, over nothing but what an explanation lists.
fn fold_listed(told: &TraitExplanation) -> Trait {
    // A value without a time is older than all that have one.
    let said_at = |one: &TraitCandidate| {
        let Origin {
            source_time,
            receive_time,
            ..
        } = one.origin;
        source_time.map(|time| time.min(receive_time))
    };
    let tie = |one: &TraitCandidate| (one.trust, said_at(one), Reverse(one.origin.record.clone()));
    let said_by = |one: &TraitCandidate| {
        told.candidates
            .iter()
            .filter(|other| other.value == one.value)
            .count()
    };
    let all = told.candidates.iter();
    let winner = match told.rule {
        Survivorship::SourceTrust => all.max_by_key(|one| tie(one)),
        Survivorship::MostRecent => all.max_by_key(|one| (said_at(one), tie(one))),
        Survivorship::Oldest => {
            all.max_by_key(|one| (said_at(one).is_some(), Reverse(said_at(one)), tie(one)))
        }
        Survivorship::Longest => all.max_by_key(|one| (length(&one.value), tie(one))),
        Survivorship::MostFrequent => all.max_by_key(|one| (said_by(one), tie(one))),
        Survivorship::Union => return unite(told, said_at),
    };
    let winner = winner.expect("a candidate");
    Trait {
        value: winner.value.clone(),
        origins: vec![winner.origin.clone()],
    }
}

fn length(value: &Value) -> usize {
    value.to_string().chars().count()
}

fn unite(told: &TraitExplanation, time: impl Fn(&TraitCandidate) -> Option<Timestamp>) -> Trait {
    let values: BTreeSet<&Value> = told.candidates.iter().map(|one| &one.value).collect();
    let latest = |value: &&Value| {
        let sayers = told.candidates.iter().filter(|one| one.value == **value);
        let latest =
            sayers.max_by_key(|one| (time(one), one.trust, Reverse(one.origin.record.clone())));
        latest.expect("a sayer").origin.clone()
    };
    let origins = values.iter().map(latest).collect();
    Trait {
        value: Value::List(values.into_iter().cloned().collect()),
        origins,
    }
}
