//! The weights that come with the program.
//!
//! Chances are plausible for customer data of a population of millions: how often people mistype,
//! move, marry and use a second address.
//!
//! A name is as frequent as in the country where it is most frequent: who has it most likely lives
//! there or comes from there. Sources: the United States census (1990 given names, 2010 family
//! names; public domain), "Popular Names by Country" (CC0) and the weighted lists of Faker (MIT
//! License), rounded. A name in a list without figures has a share by the length of the list.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use super::weights::{AgreementLevel, Field, Frequencies, MuProbability};

/// Odds of one to 370,000 that two records are of one person.
pub(super) const PRIOR: i32 = -18_500;

/// Field and level; m in parts per thousand, u in parts per thousand million.
const CHANCES: &[(Field, AgreementLevel, u64, u64)] = &[
    (Field::GivenName, AgreementLevel::Exact, 740, 3_000_000),
    (Field::GivenName, AgreementLevel::Nickname, 60, 1_500_000),
    (Field::GivenName, AgreementLevel::Close, 80, 2_000_000),
    (Field::GivenName, AgreementLevel::Part, 10, 500_000),
    (Field::GivenName, AgreementLevel::Prefix, 15, 1_000_000),
    (Field::GivenName, AgreementLevel::Initial, 30, 3_000_000),
    (Field::GivenName, AgreementLevel::Swapped, 15, 500_000),
    (Field::GivenName, AgreementLevel::Similar, 20, 15_000_000),
    (Field::GivenName, AgreementLevel::Different, 20, 970_000_000),
    (Field::MiddleName, AgreementLevel::Exact, 700, 20_000_000),
    (Field::MiddleName, AgreementLevel::Initial, 200, 50_000_000),
    (Field::MiddleName, AgreementLevel::Close, 30, 10_000_000),
    (
        Field::MiddleName,
        AgreementLevel::Different,
        70,
        920_000_000,
    ),
    (Field::FamilyName, AgreementLevel::Exact, 840, 1_000_000),
    (Field::FamilyName, AgreementLevel::Close, 60, 700_000),
    (Field::FamilyName, AgreementLevel::Part, 15, 300_000),
    (Field::FamilyName, AgreementLevel::Prefix, 10, 500_000),
    (Field::FamilyName, AgreementLevel::Initial, 5, 400_000),
    (Field::FamilyName, AgreementLevel::Swapped, 15, 200_000),
    (Field::FamilyName, AgreementLevel::Similar, 15, 8_000_000),
    (
        Field::FamilyName,
        AgreementLevel::Different,
        40,
        988_000_000,
    ),
    (Field::BirthDate, AgreementLevel::Exact, 870, 45_000),
    (Field::BirthDate, AgreementLevel::Close, 60, 1_000_000),
    (
        Field::BirthDate,
        AgreementLevel::DayMonthSwapped,
        15,
        40_000,
    ),
    (Field::BirthDate, AgreementLevel::Similar, 30, 12_000_000),
    (Field::BirthDate, AgreementLevel::Different, 15, 986_000_000),
    (Field::Gender, AgreementLevel::Exact, 975, 500_000_000),
    (Field::Gender, AgreementLevel::Different, 25, 500_000_000),
    (Field::PersonalId, AgreementLevel::Exact, 900, 200),
    (Field::PersonalId, AgreementLevel::Close, 60, 8_000),
    (
        Field::PersonalId,
        AgreementLevel::Different,
        40,
        999_000_000,
    ),
    (Field::Email, AgreementLevel::Exact, 600, 500),
    (Field::Email, AgreementLevel::Close, 60, 2_000),
    (Field::Email, AgreementLevel::SameLocalPart, 30, 3_000),
    (Field::Email, AgreementLevel::Similar, 20, 100_000),
    (Field::Email, AgreementLevel::Different, 290, 999_000_000),
    (Field::Phone, AgreementLevel::Exact, 600, 1_000),
    (Field::Phone, AgreementLevel::Close, 40, 5_000),
    (Field::Phone, AgreementLevel::Different, 360, 999_000_000),
    (Field::Street, AgreementLevel::Exact, 500, 3_000),
    (Field::Street, AgreementLevel::Close, 180, 6_000),
    (Field::Street, AgreementLevel::Part, 40, 300_000),
    (Field::Street, AgreementLevel::Different, 280, 999_000_000),
    (Field::City, AgreementLevel::Exact, 720, 15_000_000),
    (Field::City, AgreementLevel::Close, 80, 2_000_000),
    (Field::City, AgreementLevel::Different, 200, 983_000_000),
    (Field::Postcode, AgreementLevel::Exact, 700, 2_000_000),
    (Field::Postcode, AgreementLevel::Close, 80, 8_000_000),
    (Field::Postcode, AgreementLevel::Different, 220, 990_000_000),
];

/// Shares of given and family names, in parts per hundred thousand of the people of the country
/// where the name is most frequent: a share, then the names that have it.
const GIVEN: &str = include_str!("given_names.txt");
const FAMILY: &str = include_str!("family_names.txt");

/// The shares of all names that are not in the tables, by their letters, in parts per thousand
/// million: less would be believing too much in names that a table has left out.
const OTHER_GIVEN: [u64; 7] = [
    800_000, 800_000, 800_000, 800_000, 500_000, 300_000, 200_000,
];
const OTHER_FAMILY: [u64; 7] = [300_000, 300_000, 300_000, 300_000, 100_000, 60_000, 30_000];

pub(super) fn chances() -> BTreeMap<Field, BTreeMap<AgreementLevel, MuProbability>> {
    let mut chances: BTreeMap<Field, BTreeMap<AgreementLevel, MuProbability>> = BTreeMap::new();
    for &(field, level, m, u) in CHANCES {
        chances.entry(field).or_default().insert(
            level,
            MuProbability {
                m: m * 1_000_000,
                u,
            },
        );
    }
    chances
}

pub(super) fn frequencies() -> BTreeMap<Field, Frequencies> {
    BTreeMap::from([
        (
            Field::GivenName,
            Frequencies {
                values: BTreeMap::new(),
                shipped: 1_000_000_000,
                other: OTHER_GIVEN[OTHER_GIVEN.len() - 1],
                other_by_length: OTHER_GIVEN.to_vec(),
            },
        ),
        (
            Field::FamilyName,
            Frequencies {
                values: BTreeMap::new(),
                shipped: 1_000_000_000,
                other: OTHER_FAMILY[OTHER_FAMILY.len() - 1],
                other_by_length: OTHER_FAMILY.to_vec(),
            },
        ),
    ])
}

/// The shares of names that come with the program, in parts per thousand million of the people of
/// the country where the name is most frequent.
pub(crate) fn shares(field: Field) -> &'static HashMap<&'static str, u64> {
    static GIVEN_SHARES: LazyLock<HashMap<&str, u64>> = LazyLock::new(|| table(GIVEN));
    static FAMILY_SHARES: LazyLock<HashMap<&str, u64>> = LazyLock::new(|| table(FAMILY));
    static NONE: LazyLock<HashMap<&str, u64>> = LazyLock::new(HashMap::new);
    match field {
        Field::GivenName => &GIVEN_SHARES,
        Field::FamilyName => &FAMILY_SHARES,
        _ => &NONE,
    }
}

fn table(text: &'static str) -> HashMap<&'static str, u64> {
    let mut values = HashMap::new();
    let mut share = 0;
    for word in text.split_ascii_whitespace() {
        match word.parse::<u64>() {
            Ok(number) => share = number * 10_000,
            Err(_) => {
                values.insert(word, share);
            }
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chances_of_a_field_are_at_most_all() {
        for (field, levels) in chances() {
            assert!(
                levels.values().map(|chance| chance.m).sum::<u64>() <= 1_000_000_000,
                "{field}"
            );
            assert!(
                levels.values().map(|chance| chance.u).sum::<u64>() <= 1_000_000_000,
                "{field}"
            );
        }
    }

    #[test]
    fn every_name_in_the_tables_has_a_share() {
        for field in [Field::GivenName, Field::FamilyName] {
            let shares = shares(field);
            assert!(shares.len() > 10_000);
            assert!(
                shares
                    .values()
                    .all(|share| (50_000..500_000_000).contains(share))
            );
        }
    }
}
