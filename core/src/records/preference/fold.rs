//! Precedence among the preferences that the records of a profile state.

use std::collections::BTreeMap;

use super::{Preference, PreferenceKey, Preferences, Standing, StatedPreference};
use crate::records::{Origin, Provenance, Record, RecordKey};

/// One record's word.
type Word<'a> = (&'a Preference, &'a RecordKey, &'a Provenance);

/// What stands of what the records of a profile say. `trust` tells how much a record's source is
/// trusted: of words of one time, or of none, the most trusted counts.
#[must_use]
pub fn fold_preferences(records: &[Record], trust: &dyn Fn(&RecordKey) -> u32) -> Preferences {
    let mut words: BTreeMap<&PreferenceKey, Vec<Word<'_>>> = BTreeMap::new();
    for record in records {
        for (key, value, said) in record.preferences() {
            words
                .entry(key)
                .or_default()
                .push((value, &record.key, said));
        }
    }
    let mut standing: Preferences = words
        .into_iter()
        .map(|(key, words)| (key.clone(), stands(key, &words, trust)))
        .collect();
    drop_forbidden(&mut standing);
    standing
}

fn stands(
    key: &PreferenceKey,
    words: &[Word<'_>],
    trust: &dyn Fn(&RecordKey) -> u32,
) -> StatedPreference {
    let latest = || {
        let latest = words.iter().max_by_key(|(_, record, said)| {
            (said.said_time(), trust(record), std::cmp::Reverse(*record))
        });
        latest.map(|word| vec![*word]).unwrap_or_default()
    };
    let winners: Vec<Word<'_>> = match key.standing() {
        Standing::Latest => latest(),
        Standing::All => words.to_vec(),
        flag @ (Standing::AnyTrue | Standing::AnyFalse) => {
            let strong = Preference::Flag(flag == Standing::AnyTrue);
            let strict = words.iter().filter(|(value, ..)| **value == strong);
            let strict: Vec<Word<'_>> = strict.copied().collect();
            if strict.is_empty() { latest() } else { strict }
        }
    };
    let origins = winners
        .iter()
        .map(|(_, record, said)| Origin::of(record, said))
        .collect();
    StatedPreference {
        value: together(winners.into_iter().map(|(value, ..)| value)),
        origins,
    }
}

/// All that several lists have, each once, in order; of what is no list the first.
fn together<'a>(mut values: impl Iterator<Item = &'a Preference>) -> Preference {
    let mut all = values.next().cloned().unwrap_or(Preference::Flag(false));
    for value in values {
        match (&mut all, value) {
            (Preference::Channels(all), Preference::Channels(more)) => join(all, more),
            (Preference::QuietHours(all), Preference::QuietHours(more)) => join(all, more),
            (Preference::FrequencyCaps(all), Preference::FrequencyCaps(more)) => join(all, more),
            _ => {}
        }
    }
    all
}

fn join<T: Clone + Ord>(all: &mut Vec<T>, more: &[T]) {
    all.extend(more.iter().cloned());
    all.sort_unstable();
    all.dedup();
}

/// A channel that is forbidden is not preferred, whoever said so later.
fn drop_forbidden(standing: &mut Preferences) {
    let Some(Preference::Channels(forbidden)) = standing
        .get(&PreferenceKey::ForbiddenChannels)
        .map(|stated| stated.value.clone())
    else {
        return;
    };
    let preferred = standing.get_mut(&PreferenceKey::PreferredChannels);
    if let Some(Preference::Channels(preferred)) = preferred.map(|stated| &mut stated.value) {
        preferred.retain(|channel| !forbidden.contains(channel));
    }
}
