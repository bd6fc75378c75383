//! What a cluster says as a whole, and whether two clusters can be one person.

use std::collections::{BTreeMap, BTreeSet};

use crate::identity::compare::{
    BirthSlip, GivenAgreement, Veto, births_conflict, families_differ, flats_differ,
    given_agreement, middles_differ, suffixes_conflict,
};
use crate::identity::features::{Date, Features, Given, Name, Street};
use crate::identity::keys::BlockingKey;
use crate::model::{BelongsTo, IdentifierType, Model};
use crate::records::Record;

/// What forbade a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// The records of the two clusters contradict each other.
    Veto(Veto),
    /// The cluster would have more records than the model allows.
    ClusterBound,
    /// It would have more values of an identifier type than the model allows.
    MaxValues {
        /// The type.
        kind: String,
    },
    /// More people hold the identifier than its type allows.
    TooManyProfiles {
        /// The type.
        kind: String,
    },
    /// It could as well be another: several clusters that are not one person share the identifier.
    Ambiguous,
    /// A person decided otherwise.
    Decision {
        /// The decision's name.
        id: String,
    },
}

impl Guard {
    /// As the API and history call it: `given_names_differ`, `cluster_bound`, `max_values:email`,
    /// `decision:{id}`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Veto(veto) => veto.name().to_owned(),
            Self::ClusterBound => "cluster_bound".to_owned(),
            Self::MaxValues { kind } => format!("max_values:{kind}"),
            Self::TooManyProfiles { kind } => format!("too_many_profiles:{kind}"),
            Self::Ambiguous => "ambiguous".to_owned(),
            Self::Decision { id } => format!("decision:{id}"),
        }
    }
}

/// On which side of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Left,
    Right,
}

impl Side {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// A family is told by this many names at most; more are not looked at.
const MAX_NAMES: usize = 24;
/// No more homes are looked at.
const MAX_STREETS: usize = 24;

/// What guards look at.
#[derive(Default)]
pub(super) struct Group<'a> {
    pub(super) size: usize,
    /// Distinct values of the types with a limit per profile.
    values: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// Distinct names, with how many records say them.
    names: Vec<(&'a Name, usize)>,
    births: Vec<(Date, usize)>,
    suffixes: Vec<u8>,
    /// Distinct homes.
    streets: Vec<&'a Street>,
    /// Keys of identifiers that belong to a person.
    personal: BTreeSet<BlockingKey>,
    /// Keys of numbers of which a person has one.
    numbers: BTreeSet<BlockingKey>,
    /// Decisions that keep this cluster apart from others.
    pub(super) apart: BTreeSet<(usize, Side)>,
    pub(super) has_name: bool,
    pub(super) says_who: bool,
}

impl<'a> Group<'a> {
    pub(super) fn of(record: &'a Record, features: &'a Features, model: &Model) -> Self {
        let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        // An identifier among the features links.
        let links = |name: &str, kind: &IdentifierType, value: &str| {
            let key = BlockingKey::of_value(name, value);
            features.ids.iter().any(|id| id.key == key) || kind.links(value)
        };
        for (name, held) in record.identifier_values() {
            let Some(kind) = model.identifiers.get(name) else {
                continue;
            };
            if kind.max_per_profile.is_some() && links(name, kind, &held.value) {
                values.entry(name).or_default().insert(&held.value);
            }
        }
        let personal = features
            .ids
            .iter()
            .filter(|id| id.belongs_to == BelongsTo::Person)
            .map(|id| id.key);
        let numbers = features
            .ids
            .iter()
            .filter(|id| id.exclusive && !id.contact)
            .map(|id| id.key);
        Self {
            size: 1,
            values,
            names: features.names.iter().map(|name| (name, 1)).collect(),
            births: features
                .births
                .iter()
                .filter(|date| date.is_well_formed())
                .map(|date| (*date, 1))
                .collect(),
            suffixes: features.suffixes.clone(),
            streets: features.streets.iter().collect(),
            personal: personal.collect(),
            numbers: numbers.collect(),
            apart: BTreeSet::new(),
            has_name: features.has_name(),
            says_who: features.says_who(),
        }
    }

    /// What records say together.
    pub(super) fn whole(records: &[(&'a Record, &'a Features)], model: &Model) -> Self {
        let mut whole = Self::default();
        for (record, features) in records {
            whole.absorb(Self::of(record, features, model));
        }
        whole
    }

    pub(super) fn absorb(&mut self, other: Self) {
        self.size += other.size;
        for (kind, values) in other.values {
            self.values.entry(kind).or_default().extend(values);
        }
        merge(&mut self.names, other.names);
        self.names.truncate(MAX_NAMES);
        merge(&mut self.births, other.births);
        self.suffixes.extend(other.suffixes);
        self.suffixes.sort_unstable();
        self.suffixes.dedup();
        for street in other.streets {
            if self.streets.len() < MAX_STREETS && !self.streets.contains(&street) {
                self.streets.push(street);
            }
        }
        self.personal.extend(other.personal);
        self.numbers.extend(other.numbers);
        self.apart.extend(other.apart);
        self.has_name |= other.has_name;
        self.says_who |= other.says_who;
    }

    /// The limits of a profile: number of records, values of a type. A cluster that is over a limit
    /// by a record of its own may still be joined by one that adds nothing. What a person's
    /// identifier of some priority joins, no number of weaker identifiers parts: a customer may
    /// have a new relay address with each order.
    pub(super) fn over_limit(
        &self,
        other: &Self,
        model: &Model,
        personal: Option<u32>,
    ) -> Option<Guard> {
        if self.size + other.size > model.max_records_per_profile {
            return Some(Guard::ClusterBound);
        }
        let over = self.values.iter().find(|(kind, left)| {
            let Some(right) = other.values.get(*kind) else {
                return false;
            };
            let Some(kind) = model.identifiers.get(**kind) else {
                return false;
            };
            let max = kind.max_per_profile.unwrap_or(usize::MAX);
            let weaker = personal.is_some_and(|priority| priority < kind.priority);
            if weaker && max > 1 && !kind.exclusive {
                return false;
            }
            left.union(right).count() > max.max(left.len()).max(right.len())
        });
        over.map(|(kind, _)| Guard::MaxValues {
            kind: (*kind).to_owned(),
        })
    }

    /// Whether what the two say of who they are cannot be of one person.
    pub(super) fn contradiction(
        &self,
        other: &Self,
        slip: BirthSlip,
        forgiven: bool,
    ) -> Option<Veto> {
        if suffixes_conflict(&self.suffixes, &other.suffixes) {
            return Some(Veto::SuffixesDiffer);
        }
        let given = self.given_names_conflict(other, forgiven);
        let births = self.births_conflict(other, slip);
        if !self.personal.is_disjoint(&other.personal) {
            if given && births {
                return Some(Veto::BirthDatesDiffer);
            }
            let clear =
                given && !self.births_mostly_agree(other) && self.other_names_conflict(other);
            return clear.then_some(Veto::GivenNamesDiffer);
        }
        if given {
            return Some(Veto::GivenNamesDiffer);
        }
        births.then_some(Veto::BirthDatesDiffer)
    }

    /// Whether most of the given names are of one person, and no family name speaks against it.
    pub(super) fn names_agree(&self, other: &Self) -> bool {
        let both = || {
            self.names
                .iter()
                .flat_map(|(a, _)| other.names.iter().map(move |(b, _)| (*a, *b)))
        };
        let (mut agree, mut conflict) = (0, 0);
        for (a, a_count) in &self.names {
            for (b, b_count) in &other.names {
                match given_agreement(a, b) {
                    GivenAgreement::Agree => agree += a_count * b_count,
                    GivenAgreement::Unknown
                    | GivenAgreement::OtherName
                    | GivenAgreement::Doubtful => {}
                    _ => conflict += a_count * b_count,
                }
            }
        }
        agree > conflict && !both().any(|(a, b)| families_differ(a, b))
    }

    /// The same where much else says that it is one person: a name that is not known may be a
    /// garbled one.
    pub(super) fn known_given_names_conflict(&self, other: &Self) -> bool {
        let known = |name: &Name| {
            let given = name.given.as_ref();
            let is_whole =
                given.is_some_and(|given| given.known.is_some() && !given.word.is_initial());
            is_whole || is_of_several(name)
        };
        let (mut all, mut conflict) = (0, 0);
        for (a, a_count) in &self.names {
            for (b, b_count) in &other.names {
                let agreement = given_agreement(a, b);
                if agreement == GivenAgreement::OtherCompound {
                    return true;
                }
                if known(a) && known(b) {
                    all += a_count * b_count;
                    let clear = agreement == GivenAgreement::Conflict
                        || agreement == GivenAgreement::Doubtful;
                    conflict += if clear { a_count * b_count } else { 0 };
                }
            }
        }
        conflict * 2 > all
    }

    fn given_names_conflict(&self, other: &Self, forgiven: bool) -> bool {
        let births_agree = forgiven || self.births_agree(other);
        let (mut agree, mut conflict, mut other_compound) = (0, 0, 0);
        for (a, a_count) in &self.names {
            for (b, b_count) in &other.names {
                match given_agreement(a, b) {
                    GivenAgreement::Doubtful if !births_agree => conflict += a_count * b_count,
                    GivenAgreement::Agree => agree += a_count * b_count,
                    GivenAgreement::Conflict => conflict += a_count * b_count,
                    GivenAgreement::OtherCompound => other_compound += a_count * b_count,
                    GivenAgreement::Unknown
                    | GivenAgreement::OtherName
                    | GivenAgreement::Doubtful => {}
                }
            }
        }
        let same_compound = || {
            let mut names = self
                .names
                .iter()
                .filter(|(name, _)| !name.middle.is_empty());
            names.any(|(a, _)| other.names.iter().any(|(b, _)| a == b))
        };
        conflict + other_compound > agree || (other_compound > 0 && !same_compound())
    }

    /// Whether the two are people with names of their own, of whom one is said to have the other's
    /// number: one of them has a number besides it, or both have more than one record.
    pub(super) fn is_another_with_number(&self, other: &Self) -> bool {
        let own = self.numbers != other.numbers || (self.size > 1 && other.size > 1);
        own && !self.numbers.is_disjoint(&other.numbers)
            && !self.births_mostly_agree(other)
            && self.other_names_conflict(other)
    }

    /// Whether most of the names cannot be of one person: both given names are known as names, or
    /// the family names differ too. (A name that is not known may be one that was garbled.)
    fn other_names_conflict(&self, other: &Self) -> bool {
        let known = |name: &Name| {
            name.given
                .as_ref()
                .is_some_and(|given| given.known.is_some())
        };
        let clear = |a: &Name, b: &Name| {
            given_agreement(a, b) > GivenAgreement::Doubtful
                && (known(a) && known(b)
                    || families_differ(a, b)
                    || middles_differ(a, b)
                    || is_of_several(a)
                    || is_of_several(b))
        };
        let (mut all, mut clearly) = (0, 0);
        for (a, a_count) in &self.names {
            for (b, b_count) in &other.names {
                all += a_count * b_count;
                clearly += if clear(a, b) { a_count * b_count } else { 0 };
            }
        }
        clearly * 2 > all
    }

    /// Whether the two are said to live in one house and in other flats of it.
    pub(super) fn has_another_flat(&self, other: &Self) -> bool {
        flats_differ(self.streets.iter().copied(), other.streets.iter().copied())
    }

    fn births_mostly_agree(&self, other: &Self) -> bool {
        let (mut all, mut same) = (0, 0);
        for (a, a_count) in &self.births {
            for (b, b_count) in &other.births {
                all += a_count * b_count;
                same += if a == b { a_count * b_count } else { 0 };
            }
        }
        all > 0 && same * 2 >= all
    }

    fn births_agree(&self, other: &Self) -> bool {
        let mut births = self.births.iter();
        births.any(|(a, _)| other.births.iter().any(|(b, _)| a == b))
    }

    fn births_conflict(&self, other: &Self, slip: BirthSlip) -> bool {
        let (mut agree, mut conflict) = (0, 0);
        for (a, a_count) in &self.births {
            for (b, b_count) in &other.births {
                if births_conflict(&[*a], &[*b]) {
                    conflict += a_count * b_count;
                } else {
                    agree += a_count * b_count;
                }
            }
        }
        let dates =
            |births: &[(Date, usize)]| births.iter().map(|(date, _)| *date).collect::<Vec<_>>();
        conflict > agree && !slip.forgives(&dates(&self.births), &dates(&other.births))
    }
}

/// Whether a name is that of several people together.
fn is_of_several(name: &Name) -> bool {
    name.given.as_ref().is_some_and(Given::is_of_several)
}

fn merge<T: PartialEq>(counts: &mut Vec<(T, usize)>, other: Vec<(T, usize)>) {
    for (value, count) in other {
        match counts.iter_mut().find(|(known, _)| *known == value) {
            Some((_, known)) => *known += count,
            None => counts.push((value, count)),
        }
    }
}
