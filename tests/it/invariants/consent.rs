//! I7: no sequence of merges and splits ever widens a consent.

use std::collections::{BTreeMap, BTreeSet};

use customer_profile::reader::{Freshness, Key};
use profile_core::records::{
    Change, Consent, ConsentState, ConsentStatus, Draft, RecordKey, RecordStatement, Statement,
    Timestamp,
};
use proptest::test_runner::TestCaseError;

use super::cases::{Case, NOW, at_day, model};
use super::decisions::Deciding;
use super::world::{World, all_records, consent_questions, consents_of};

/// Whatever is said, merged, split and taken back: what counts for a profile at any time is the
/// most restrictive of what each of its records says by itself, so that it is never wider than any
/// of them alone, and each has its own again when they part.
pub(super) async fn consent_is_never_widened(
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
            let _ = deciding.anything(*choice).await;
        }
        let alone = alone(&said);
        let mut looked_at = BTreeSet::new();
        for key in all_records() {
            let read = world
                .reader
                .profile(&world.tenant, &Key::Record(key), Freshness::MinimizeLatency)
                .await;
            let Ok(answer) = read else { continue };
            if !looked_at.insert(answer.profile.id) {
                continue;
            }
            let found: BTreeMap<_, _> = consents_of(&answer.profile)
                .into_iter()
                .map(|(_, (p, point, day, state))| ((p, point, day), state))
                .collect();
            for question in consent_questions() {
                let each = answer
                    .profile
                    .records
                    .iter()
                    .filter_map(|record| alone.get(&(record.key.clone(), question)));
                let strictest = each.copied().max_by_key(|state| severity(*state));
                proptest::prop_assert_eq!(
                    found.get(&question).copied(),
                    strictest,
                    "{:?}",
                    question
                );
            }
        }
    }
    Ok(())
}

type Question = (&'static str, Option<&'static str>, i64);

/// What each record says by itself, told from its statements alone, without the record's own fold.
fn alone(said: &[Draft]) -> BTreeMap<(RecordKey, Question), ConsentState> {
    let statements = statements(said);
    let mut words = Vec::new();
    for statement in &statements {
        if let Change::Consent(consent) = &statement.change {
            // Of two words of one time the more restrictive is the later.
            let place = (
                statement.order.expect("a dated statement"),
                consent.status,
                statement.content,
            );
            words.push((statement.record.clone(), place, consent.clone()));
        }
    }
    words.sort_by_key(|(_, place, _)| *place);
    let mut alone = BTreeMap::new();
    for question in consent_questions() {
        for key in all_records() {
            let own = words
                .iter()
                .filter(|(record, _, word)| *record == key && word.purpose == question.0);
            let since = reused_since(&statements, &key);
            let own: Vec<_> = own
                .filter(|(_, (order, ..), word)| {
                    let refuses = matches!(
                        word.status,
                        ConsentStatus::Withdrawn | ConsentStatus::Denied
                    );
                    // All that is said of consent in a case is dated.
                    refuses || since.is_none_or(|since| order.1 >= since)
                })
                .map(|(_, _, word)| &**word)
                .filter(|word| word.effective_time <= at_day(question.2))
                .collect();
            let of = |point: Option<&str>| {
                let covers = |word: &&&Consent| {
                    word.contact_point
                        .as_ref()
                        .is_none_or(|of| Some(of.value.as_str()) == point)
                };
                own.iter().rfind(covers).map(|word| {
                    let expired = word
                        .expire_time
                        .is_some_and(|expires| expires <= at_day(question.2));
                    state(word.status, expired)
                })
            };
            // Where nothing was said of the purpose as such: the least strict of what was said for
            // contact points.
            let points = || {
                ["a", "b"]
                    .into_iter()
                    .filter_map(|point| of(Some(point)))
                    .min_by_key(|state| severity(*state))
            };
            let found = if question.1.is_none() {
                of(None).or_else(points)
            } else {
                of(question.1)
            };
            alone.extend(found.map(|found| ((key, question), found)));
        }
    }
    alone
}

pub(super) fn statements(said: &[Draft]) -> Vec<RecordStatement> {
    let model = model();
    let checked = said
        .iter()
        .filter_map(|draft| match model.check(draft.clone(), NOW) {
            Ok(Statement::Record(statement)) => Some(statement),
            _ => None,
        });
    checked.collect()
}

/// When a record was deleted last, if its source speaks of a customer under its key all the same:
/// from then on it is somebody else, who inherits only what was refused.
pub(super) fn reused_since(statements: &[RecordStatement], key: &RecordKey) -> Option<Timestamp> {
    let place = |statement: &RecordStatement| (statement.order, statement.content);
    let own = || statements.iter().filter(|said| said.record == *key);
    let deletions = own().filter(|said| matches!(said.change, Change::Delete));
    let since = deletions
        .map(|said| said.source_time.unwrap_or(said.receive_time))
        .max()?;
    let whole = own().filter(|said| matches!(said.change, Change::Delete | Change::Replace(_)));
    let base = whole.max_by_key(|said| place(said))?;
    let mut patches: Vec<_> = own().filter(|said| place(said) > place(base)).collect();
    patches.sort_by_key(|said| place(said));
    let mut fields = BTreeMap::new();
    for patch in patches {
        if let Change::Patch {
            identifiers,
            traits,
        } = &patch.change
        {
            let identifiers = identifiers.iter().map(|(name, of)| (name, !of.is_empty()));
            let traits = traits.iter().map(|(name, of)| (name, of.is_some()));
            fields.extend(identifiers.chain(traits));
        }
    }
    let is_said = matches!(base.change, Change::Replace(_)) || fields.into_values().any(|is| is);
    is_said.then_some(since)
}

fn state(status: ConsentStatus, expired: bool) -> ConsentState {
    match (status, expired) {
        (ConsentStatus::Denied, _) => ConsentState::Denied,
        (ConsentStatus::Withdrawn, _) => ConsentState::Withdrawn,
        (_, true) => ConsentState::Expired,
        (ConsentStatus::Pending, _) => ConsentState::Pending,
        (ConsentStatus::Granted, _) => ConsentState::Granted,
    }
}

/// How strict it is, in the words of the API's documentation.
fn severity(state: ConsentState) -> usize {
    use ConsentState::{Denied, Expired, Granted, Pending, Withdrawn};
    [Granted, Pending, Expired, Withdrawn, Denied]
        .iter()
        .position(|one| *one == state)
        .expect("a state")
}
