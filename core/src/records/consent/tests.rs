use proptest::prelude::*;

use super::*;
use crate::records::{ContentHash, VersionStamp};

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

/// The `place`-th word on a purpose, in force from `effective` until `expires`.
fn word(place: i64, status: ConsentStatus, effective: i64, expires: Option<i64>) -> ConsentWord {
    let stamp = VersionStamp {
        version: place,
        time: Timestamp::default(),
        content: ContentHash(0),
    };
    ConsentWord {
        consent: Consent {
            purpose: "news".to_owned(),
            contact_point: None,
            status,
            effective_time: time(effective),
            expire_time: expires.map(time),
            legal_basis: None,
            gpc: None,
            notes: Box::default(),
        },
        said: Provenance {
            stamp,
            source_time: None,
            receive_time: time(place),
        },
    }
}

/// The word, said by its source at a time.
fn at_time(seconds: i64, mut word: ConsentWord) -> ConsentWord {
    word.said.stamp.time = time(seconds);
    word.said.source_time = Some(time(seconds));
    word.said.receive_time = time(100);
    word
}

fn without_version(mut word: ConsentWord) -> ConsentWord {
    word.said.stamp.version = 0;
    word
}

fn for_point(value: &str, word: ConsentWord) -> ConsentWord {
    let contact_point = Some(Identifier::new("email", value));
    ConsentWord {
        consent: Consent {
            contact_point,
            ..word.consent
        },
        ..word
    }
}

fn taken(words: &[ConsentWord]) -> Consents {
    let mut consents = Consents::default();
    for word in words {
        consents.take(&word.consent, word.said);
    }
    consents
}

fn at(words: &[ConsentWord], contact_point: Option<&str>, seconds: i64) -> Option<ConsentState> {
    let point = contact_point.map(|value| Identifier::new("email", value));
    let about = About {
        purpose: "news",
        contact_point: point.as_ref(),
    };
    taken(words)
        .at(about, time(seconds), &|_| true)
        .map(|(state, _)| state)
}

#[test]
fn the_last_word_counts_from_when_it_is_in_force_until_it_expires() {
    let words = [
        word(1, ConsentStatus::Pending, 10, None),
        word(2, ConsentStatus::Granted, 20, Some(30)),
    ];
    let states = [5, 10, 19, 20, 29, 30].map(|seconds| at(&words, None, seconds));
    let (pending, granted) = (Some(ConsentState::Pending), Some(ConsentState::Granted));
    assert_eq!(
        states,
        [
            None,
            pending,
            pending,
            granted,
            granted,
            Some(ConsentState::Expired)
        ]
    );
}

#[test]
fn a_later_no_outweighs_a_yes_that_is_in_force_only_then() {
    let words = [
        word(1, ConsentStatus::Granted, 100, None),
        word(2, ConsentStatus::Withdrawn, 50, None),
    ];
    assert_eq!(at(&words, None, 200), Some(ConsentState::Withdrawn));
    assert_eq!(
        taken(&words).iter().count(),
        1,
        "the yes never counts, so it is not kept"
    );
}

#[test]
fn a_no_does_not_expire() {
    let words = [word(1, ConsentStatus::Denied, 10, Some(20))];
    assert_eq!(at(&words, None, 25), Some(ConsentState::Denied));
}

#[test]
fn of_a_word_on_a_contact_point_and_one_on_all_the_later_counts() {
    let yes = for_point("a", word(1, ConsentStatus::Granted, 0, None));
    let no = word(2, ConsentStatus::Denied, 0, None);
    let again = for_point("a", word(3, ConsentStatus::Granted, 0, None));
    assert_eq!(
        at(std::slice::from_ref(&yes), Some("a"), 9),
        Some(ConsentState::Granted)
    );
    assert_eq!(at(std::slice::from_ref(&yes), Some("b"), 9), None);
    assert_eq!(
        at(std::slice::from_ref(&yes), None, 9),
        Some(ConsentState::Granted),
        "where nothing general was said"
    );
    let words = [yes, no, again];
    assert_eq!(at(&words[..2], Some("a"), 9), Some(ConsentState::Denied));
    let states = [Some("a"), Some("b"), None].map(|point| at(&words, point, 9));
    assert_eq!(
        states,
        [
            Some(ConsentState::Granted),
            Some(ConsentState::Denied),
            Some(ConsentState::Denied)
        ]
    );
}

#[test]
fn of_more_words_than_are_kept_the_latest_count() {
    let words: Vec<ConsentWord> = (1..51)
        .map(|place| word(place, ConsentStatus::Granted, place, None))
        .collect();
    let kept = taken(&words);
    assert_eq!(kept.iter().count(), Consents::MAX_WORDS);
    assert_eq!(kept.iter().last(), words.last());
}

fn any_word() -> impl Strategy<Value = ConsentWord> {
    let statuses = ConsentStatus::ALL.map(|(_, status)| status).to_vec();
    let said = (
        (1..12i64, 0..12i64, 0..3),
        prop::sample::select(statuses),
        0..12i64,
        prop::option::of(1..8i64),
        0..3,
    );
    said.prop_map(|(place, status, effective, lasts, point)| {
        let (version, hour, kind) = place;
        let said = word(
            version,
            status,
            effective,
            lasts.map(|lasts| effective + lasts),
        );
        let said = match kind {
            0 => said,
            1 => at_time(hour, said),
            _ => without_version(at_time(hour, said)),
        };
        match point {
            0 => said,
            1 => for_point("a", said),
            _ => for_point("b", said),
        }
    })
}

/// The last word in force, of all that were ever said.
fn naive(words: &[ConsentWord], point: Option<&str>, seconds: i64) -> Option<ConsentState> {
    let about = |word: &&ConsentWord| {
        word.consent
            .contact_point
            .as_ref()
            .is_none_or(|of| point == Some(of.value.as_str()))
    };
    let in_force = words
        .iter()
        .filter(about)
        .filter(|word| word.consent.effective_time <= time(seconds));
    let (mut numbered, mut timed) = (None::<&ConsentWord>, None::<&ConsentWord>);
    for word in in_force {
        let of = |word: &ConsentWord| (word.said.stamp.version, word.said.stamp.time);
        let here = (of(word), word.consent.status);
        let last = if of(word).0 > 0 {
            &mut numbered
        } else {
            &mut timed
        };
        if last.is_none_or(|last| (of(last), last.consent.status) < here) {
            *last = Some(word);
        }
    }
    let last = match (numbered, timed) {
        (Some(numbered), Some(timed)) => {
            // Without a time on both sides the stricter.
            let when = |word: &ConsentWord| {
                let time = numbered.said.source_time.and(word.said.source_time);
                (time, word.consent.status)
            };
            if when(timed) > when(numbered) {
                timed
            } else {
                numbered
            }
        }
        (numbered, timed) => numbered.or(timed)?,
    };
    last.at(time(seconds))
}

#[test]
fn a_no_without_a_version_is_not_lost_to_an_older_yes_with_one() {
    let yes = at_time(10, word(7, ConsentStatus::Granted, 0, None));
    let no = without_version(at_time(20, word(1, ConsentStatus::Withdrawn, 0, None)));
    let later_yes = at_time(30, word(8, ConsentStatus::Granted, 0, None));
    let yes_by_time = without_version(at_time(40, word(2, ConsentStatus::Granted, 0, None)));
    let of = |words: &[&ConsentWord]| {
        let mut words: Vec<ConsentWord> = words.iter().copied().cloned().collect();
        let state = at(&words, None, 99);
        words.reverse();
        assert_eq!(at(&words, None, 99), state, "in whichever order they come");
        state
    };
    assert_eq!(of(&[&yes, &no]), Some(ConsentState::Withdrawn));
    assert_eq!(of(&[&yes, &no, &later_yes]), Some(ConsentState::Granted));
    assert_eq!(of(&[&yes, &no, &yes_by_time]), Some(ConsentState::Granted));
    // A version without a time: in doubt the no.
    let no_with_version = word(7, ConsentStatus::Withdrawn, 0, None);
    let yes_with_version = word(9, ConsentStatus::Granted, 0, None);
    assert_eq!(
        of(&[&no_with_version, &yes_by_time]),
        Some(ConsentState::Withdrawn)
    );
    assert_eq!(of(&[&yes_with_version, &no]), Some(ConsentState::Withdrawn));
    assert_eq!(
        of(&[&no_with_version, &yes_with_version, &yes_by_time]),
        Some(ConsentState::Granted)
    );
    // Of one time the no, whichever has a version.
    let same = without_version(at_time(10, word(1, ConsentStatus::Withdrawn, 0, None)));
    assert_eq!(of(&[&yes, &same]), Some(ConsentState::Withdrawn));
}

proptest! {
    #[test]
    fn words_count_as_if_all_were_kept_in_whichever_order_they_come(
        said in prop::collection::vec(any_word(), 0..16),
        order in prop::collection::vec(any::<prop::sample::Index>(), 16),
    ) {
        // No two words about one contact point have one place.
        let mut words: Vec<ConsentWord> = Vec::new();
        for word in said {
            if !words.iter().any(|one| one.said.stamp == word.said.stamp) {
                words.push(word);
            }
        }
        let mut left = words.clone();
        let mut shuffled = Vec::new();
        while !left.is_empty() {
            let at = order[left.len() % order.len()].index(left.len());
            shuffled.push(left.swap_remove(at));
        }
        prop_assert_eq!(taken(&words), taken(&shuffled));
        for seconds in -1..22 {
            for point in [Some("a"), Some("b"), Some("c")] {
                prop_assert_eq!(at(&words, point, seconds), naive(&words, point, seconds));
            }
        }
    }
}
