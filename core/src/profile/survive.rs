//! Survivorship: which of the values that records say for a trait stand in the profile.
//!
//! There is one ranking. The fold takes the winners of it and asks no further; who wants to know
//! why gets the same candidates in the same order, with the same winners marked. It is a function
//! of the set of records: ties go by trust, then time, then the least record key, never by the
//! order in which records come.
//!
//! Time is what sources say. A value without a time is older than all that have one, and neither
//! the most recent nor the oldest where another has one: when it was received tells only of the
//! way to here. Within one record a later statement replaces an earlier one, with times or without.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};

use super::Trait;
use super::group::{self, Grouping};
use crate::model::{Model, Survivorship};
use crate::records::{Origin, Provenance, Record, RecordKey, Timestamp, Value};

/// Why a trait has its value.
#[derive(Debug, Clone, PartialEq)]
pub struct TraitExplanation {
    /// Name of the trait.
    pub name: String,
    /// The rule that chose.
    pub rule: Survivorship,
    /// The group that it survives with, and the record that the group's values come from.
    pub grouping: Option<Grouping>,
    /// What records say: the winner first, or all that take part in a `union`; then the others in
    /// the order of the rule.
    pub candidates: Vec<TraitCandidate>,
}

/// A value that a record says for a trait.
#[derive(Debug, Clone, PartialEq)]
pub struct TraitCandidate {
    /// What it says.
    pub value: Value,
    /// Who says it, and when.
    pub origin: Origin,
    /// How much its source is trusted.
    pub trust: u32,
    /// Whether the value, or an element of it, is in the profile.
    pub wins: bool,
}

/// Why each trait of a profile is what it is, in order of name.
#[must_use]
pub fn explain_traits(records: &[Record], model: &Model) -> Vec<TraitExplanation> {
    let contests = contests(records, model).into_iter();
    contests
        .filter_map(|(name, contest)| contest.explain(name))
        .collect()
}

/// The traits that records give.
pub(super) fn fold_traits(records: &[Record], model: &Model) -> BTreeMap<String, Trait> {
    let contests = contests(records, model).into_iter();
    contests
        .filter_map(|(name, contest)| Some((name.to_owned(), contest.outcome()?)))
        .collect()
}

/// A value that a record says, with all that a rule may look at.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) value: &'a Value,
    trust: u32,
    /// In the source's word.
    pub(super) time: Option<Timestamp>,
    pub(super) record: &'a RecordKey,
    said: &'a Provenance,
    /// How long the value is, or how many say it: where the rule goes by that.
    pub(super) measure: usize,
}

impl Candidate<'_> {
    fn origin(&self) -> Origin {
        Origin::of(self.record, self.said)
    }

    /// The values in it: those of a list one by one.
    fn values(&self) -> impl Iterator<Item = &Value> {
        let values = match self.value {
            Value::List(values) => values.as_slice(),
            single => std::slice::from_ref(single),
        };
        values.iter().filter(|value| !value.is_blank())
    }
}

/// All candidates for one trait, one a record, under its rule.
pub(super) struct Contest<'a> {
    pub(super) rule: Survivorship,
    /// The name of the trait's group, and the record that the group's values come from.
    pub(super) grouping: Option<(&'a str, &'a RecordKey)>,
    pub(super) candidates: Vec<Candidate<'a>>,
}

fn contests<'a>(records: &'a [Record], model: &'a Model) -> BTreeMap<&'a str, Contest<'a>> {
    let mut contests: BTreeMap<&str, Contest<'_>> = BTreeMap::new();
    for record in records {
        let trust = model.trust(&record.key.source);
        for (name, value, said) in record.traits().filter(|(_, value, _)| !value.is_blank()) {
            let time = said.said_time();
            let candidate = Candidate {
                value,
                trust,
                time,
                record: &record.key,
                said,
                measure: 0,
            };
            let new = || Contest {
                rule: model.survivorship(name),
                grouping: None,
                candidates: Vec::new(),
            };
            contests
                .entry(name)
                .or_insert_with(new)
                .candidates
                .push(candidate);
        }
    }
    contests.values_mut().for_each(Contest::measure);
    for (name, group) in &model.groups {
        let Some(record) = group::winner(group, &contests) else {
            continue;
        };
        for member in &group.traits {
            if let Some(contest) = contests.get_mut(member.as_str()) {
                contest.grouping = Some((name, record));
            }
        }
    }
    contests
}

impl<'a> Contest<'a> {
    fn measure(&mut self) {
        match self.rule {
            Survivorship::Longest => {
                for candidate in &mut self.candidates {
                    candidate.measure = candidate.value.to_string().chars().count();
                }
            }
            Survivorship::MostFrequent => {
                let mut counts: BTreeMap<&Value, usize> = BTreeMap::new();
                for candidate in &self.candidates {
                    *counts.entry(candidate.value).or_default() += 1;
                }
                for candidate in &mut self.candidates {
                    candidate.measure = counts[candidate.value];
                }
            }
            Survivorship::SourceTrust
            | Survivorship::MostRecent
            | Survivorship::Oldest
            | Survivorship::Union => {}
        }
    }

    /// The ranking: the greater stands before the less.
    fn rank(&self, a: &Candidate<'_>, b: &Candidate<'_>) -> Ordering {
        let by_rule = match self.rule {
            Survivorship::SourceTrust => Ordering::Equal,
            Survivorship::MostRecent | Survivorship::Union => a.time.cmp(&b.time),
            Survivorship::Oldest => {
                let oldest = |c: &Candidate<'_>| (c.time.is_some(), Reverse(c.time));
                oldest(a).cmp(&oldest(b))
            }
            Survivorship::Longest | Survivorship::MostFrequent => a.measure.cmp(&b.measure),
        };
        let tie = |c: &Candidate<'_>| (c.trust, c.time);
        by_rule
            .then_with(|| tie(a).cmp(&tie(b)))
            .then_with(|| Reverse(a.record).cmp(&Reverse(b.record)))
    }

    /// The first in rank.
    pub(super) fn best(&self) -> Option<&Candidate<'a>> {
        self.candidates.iter().max_by(|a, b| self.rank(a, b))
    }

    /// The values that stand, each with who says it. Of a `union` all distinct ones in their own
    /// order, each said by the first in rank that says it; of any other rule one at most.
    fn winners(&self) -> Vec<(&Value, &Candidate<'_>)> {
        if self.rule != Survivorship::Union {
            let winner = match self.grouping {
                Some((_, record)) => self.candidates.iter().find(|it| it.record == record),
                None => self.best(),
            };
            return winner
                .map(|winner| (winner.value, winner))
                .into_iter()
                .collect();
        }
        let mut sayers: BTreeMap<&Value, &Candidate<'_>> = BTreeMap::new();
        for candidate in &self.candidates {
            for value in candidate.values() {
                let sayer = sayers.entry(value).or_insert(candidate);
                if self.rank(sayer, candidate).is_lt() {
                    *sayer = candidate;
                }
            }
        }
        sayers.into_iter().collect()
    }

    fn outcome(&self) -> Option<Trait> {
        let winners = self.winners();
        let origins: Vec<Origin> = winners.iter().map(|(_, sayer)| sayer.origin()).collect();
        let value = match (self.rule, winners.as_slice()) {
            (_, []) => return None,
            (Survivorship::Union, all) => {
                Value::List(all.iter().map(|(value, _)| Value::clone(value)).collect())
            }
            (_, [(value, _), ..]) => Value::clone(value),
        };
        Some(Trait { value, origins })
    }

    fn explain(&self, name: &str) -> Option<TraitExplanation> {
        let winners: BTreeSet<&RecordKey> = self
            .winners()
            .into_iter()
            .map(|(_, sayer)| sayer.record)
            .collect();
        if winners.is_empty() && self.grouping.is_none() {
            return None;
        }
        let wins = |candidate: &Candidate<'_>| winners.contains(candidate.record);
        let mut ranked: Vec<&Candidate<'_>> = self.candidates.iter().collect();
        ranked.sort_by(|a, b| wins(b).cmp(&wins(a)).then_with(|| self.rank(b, a)));
        let told = ranked.into_iter().map(|candidate| TraitCandidate {
            value: candidate.value.clone(),
            origin: candidate.origin(),
            trust: candidate.trust,
            wins: wins(candidate),
        });
        Some(TraitExplanation {
            name: name.to_owned(),
            rule: self.rule,
            grouping: self.grouping.map(|(group, record)| Grouping {
                group: group.to_owned(),
                record: record.clone(),
            }),
            candidates: told.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Source, TraitType};
    use crate::records::{Draft, DraftRecord, Statement};

    const NOW: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);

    fn model(rule: Survivorship) -> Model {
        let source = |trust| Source {
            trust,
            ..Source::default()
        };
        let kind = TraitType {
            keep: rule,
            personal: false,
            searchable: false,
            role: None,
            placeholders: crate::model::Placeholders::default(),
        };
        Model {
            sources: [("shop", 80), ("till", 20)]
                .map(|(name, trust)| (name.to_owned(), source(trust)))
                .into(),
            traits: BTreeMap::from([("city".to_owned(), kind)]),
            max_records_per_profile: 9,
            ..Model::default()
        }
    }

    /// Records of `source/key`, a value and how many days ago it was said.
    fn records(said: &[(&str, &str, Value, i64)], model: &Model) -> Vec<Record> {
        let one = |(source, key, value, days): &(&str, &str, Value, i64)| {
            let draft = DraftRecord {
                traits: BTreeMap::from([("city".to_owned(), value.clone())]),
                source_time: Some(Timestamp::from_micros(
                    NOW.as_micros() - days * 86_400_000_000,
                )),
                ..DraftRecord::new(RecordKey::new(*source, *key))
            };
            let Ok(Statement::Record(statement)) = model.check(Draft::Upsert(draft), NOW) else {
                panic!("a good statement")
            };
            let mut record = Record::new(RecordKey::new(*source, *key), NOW);
            record.apply(&statement);
            record
        };
        said.iter().map(one).collect()
    }

    /// The explanation of `city` in short: `shop/1=Bonn*` is a winner.
    fn told(rule: Survivorship, said: &[(&str, &str, Value, i64)]) -> String {
        let model = model(rule);
        let records = records(said, &model);
        let told = explain_traits(&records, &model);
        let folded = fold_traits(&records, &model);
        assert!(told.iter().map(|told| &told.name).eq(folded.keys()));
        let one = |candidate: &TraitCandidate| {
            let TraitCandidate {
                value,
                origin,
                wins,
                ..
            } = candidate;
            format!(
                "{}/{}={value}{}",
                origin.record.source,
                origin.record.key,
                if *wins { "*" } else { "" }
            )
        };
        told.iter()
            .flat_map(|told| &told.candidates)
            .map(one)
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// One record a source and key, received at a day, without a time in its source's word.
    fn undated(source: &str, key: &str, value: &str, received: i64, model: &Model) -> Record {
        let received = Timestamp::from_micros(NOW.as_micros() + received * 86_400_000_000);
        let draft = DraftRecord {
            traits: BTreeMap::from([("city".to_owned(), Value::from(value))]),
            ..DraftRecord::new(RecordKey::new(source, key))
        };
        let Ok(Statement::Record(statement)) = model.check(Draft::Upsert(draft), received) else {
            panic!("a good statement")
        };
        let mut record = Record::new(RecordKey::new(source, key), received);
        record.apply(&statement);
        record
    }

    #[test]
    fn without_times_trust_and_then_the_key_decide_whenever_it_was_received() {
        for rule in Survivorship::ALL.iter().map(|(_, rule)| *rule) {
            if matches!(rule, Survivorship::Union | Survivorship::Longest) {
                continue;
            }
            let model = model(rule);
            let winner = |records: &[Record]| {
                let folded = fold_traits(records, &model);
                folded["city"].value.to_string()
            };
            for days in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 0, 0]] {
                let all = [
                    undated("till", "1", "Ulm", days[0], &model),
                    undated("shop", "2", "Bonn", days[1], &model),
                    undated("shop", "3", "Kiel", days[2], &model),
                ];
                assert_eq!(winner(&all), "Bonn", "{} {days:?}", rule.name());
            }
        }
    }

    #[test]
    fn a_value_with_a_time_is_more_recent_and_older_than_one_without() {
        for rule in [Survivorship::MostRecent, Survivorship::Oldest] {
            let model = model(rule);
            let dated = records(&[("till", "1", Value::from("Ulm"), 900)], &model);
            for received in [-1_000, 0, 5] {
                let other = undated("shop", "2", "Bonn", received, &model);
                let both = [dated[0].clone(), other];
                let folded = fold_traits(&both, &model);
                assert_eq!(folded["city"].value, Value::from("Ulm"), "{received}");
            }
        }
    }

    #[test]
    fn each_rule_tells_its_winner_and_then_the_others_in_its_order() {
        use Survivorship as S;
        let said = [
            ("till", "1", Value::from("Ulm"), 1),
            ("shop", "2", Value::from("Oberhausen"), 3),
            ("till", "3", Value::from("Ulm"), 2),
        ];
        for (rule, expected) in [
            (S::SourceTrust, "shop/2=Oberhausen* till/1=Ulm till/3=Ulm"),
            (S::MostRecent, "till/1=Ulm* till/3=Ulm shop/2=Oberhausen"),
            (S::Oldest, "shop/2=Oberhausen* till/3=Ulm till/1=Ulm"),
            (S::Longest, "shop/2=Oberhausen* till/1=Ulm till/3=Ulm"),
            (S::MostFrequent, "till/1=Ulm* till/3=Ulm shop/2=Oberhausen"),
        ] {
            assert_eq!(told(rule, &said), expected, "{}", rule.name());
        }
    }

    #[test]
    fn of_a_union_all_win_that_have_the_last_word_on_a_value() {
        let list =
            |values: &[&str]| Value::List(values.iter().map(|value| Value::from(*value)).collect());
        let said = [
            ("shop", "1", list(&["Bonn", "Ulm"]), 3),
            ("till", "2", Value::from("Ulm"), 1),
            ("till", "3", Value::from("Ulm"), 2),
        ];
        assert_eq!(
            told(Survivorship::Union, &said),
            "till/2=Ulm* shop/1=Bonn, Ulm* till/3=Ulm"
        );
    }

    #[test]
    fn what_says_nothing_does_not_take_part() {
        let said = [
            ("shop", "1", Value::from(" "), 1),
            ("till", "2", Value::from("Ulm"), 2),
        ];
        assert_eq!(told(Survivorship::MostRecent, &said), "till/2=Ulm*");
        let nothing = Value::List(vec![Value::from("")]);
        assert_eq!(told(Survivorship::Union, &[("shop", "1", nothing, 1)]), "");
    }
}
