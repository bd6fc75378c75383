//! All that is compared besides names: the best of all values on both sides counts.

use super::{Score, mailbox};
use crate::identity::context::Context;
use crate::identity::features::{Date, Features, Id, Phone, Street, Word, same_gender, sign_of};
use crate::identity::keys::BlockingKey;
use crate::identity::text::{edits, is_similar};
use crate::model::BelongsTo;
use crate::model::matching::{AgreementLevel, Field, Weights};

pub(super) fn compare(
    left: &Features,
    right: &Features,
    weights: &Weights,
    context: &Context,
    score: &mut Score,
) {
    set(score, Field::BirthDate, births(left, right, weights));
    let worth = |field, level| (level, weights.of(field, level));
    let gender = Best::of(&left.genders, &right.genders, |a, b| {
        let level = same_gender(*a, *b).map_or(AgreementLevel::Missing, same);
        worth(Field::Gender, level)
    });
    set(score, Field::Gender, gender);
    address(left, right, weights, score);
    let emails = [left, right].map(|features| telling(&features.emails, |e| e.key, context));
    let [left_emails, right_emails] = emails;
    let email = Best::of(left_emails, right_emails, |a, b| {
        mailbox::compare((a, &left.names), (b, &right.names), weights)
    });
    set(score, Field::Email, email);
    let phones = [left, right].map(|features| telling(&features.phones, |p| p.key, context));
    let [left_phones, right_phones] = phones;
    let phone = Best::of(left_phones, right_phones, |a, b| {
        worth(Field::Phone, phone_level(a, b))
    });
    set(score, Field::Phone, phone);
    let id = personal_id(left, right, weights, context);
    set(score, Field::PersonalId, id);
}

fn set(score: &mut Score, field: Field, best: Option<Best>) {
    if let Some(best) = best {
        score.set(field, best.level, best.weight, best.values);
    }
}

fn births(left: &Features, right: &Features, weights: &Weights) -> Option<Best> {
    Best::of(&left.births, &right.births, |a, b| {
        match date_level(*a, *b) {
            // Forms that ask for a date get it where only the year is known.
            AgreementLevel::Exact if a.is_weak() => {
                let worth = weights.of(Field::BirthDate, AgreementLevel::Exact);
                (AgreementLevel::Similar, worth.min(MOST_FIRST_OF_JANUARY))
            }
            level => (level, weights.of(Field::BirthDate, level)),
        }
    })
}

/// At most this much for a first of January that both say: it is given for a year of which the day
/// is not known.
const MOST_FIRST_OF_JANUARY: i32 = 5_000;

fn address(left: &Features, right: &Features, weights: &Weights, score: &mut Score) {
    let by_value = |field, level, word: &Word| {
        let worth = match level {
            AgreementLevel::Exact => weights.exact(field, word.hash, word.text.len()),
            level => weights.of(field, level),
        };
        (level, worth)
    };
    let street = Best::of(&left.streets, &right.streets, |a, b| {
        let level = street_level(a, b);
        (level, weights.of(Field::Street, level))
    });
    set(score, Field::Street, street);
    // Neighbours have one town and postal code.
    let neighbours = !left.streets.is_empty()
        && score.level(Field::Street) == AgreementLevel::Different
        && (flats_differ(&left.streets, &right.streets)
            || left
                .streets
                .iter()
                .any(|a| right.streets.iter().any(|b| a.is_neighbour(b))));
    let of_place = |best: Option<Best>| {
        best.map(|best| match best.weight {
            1.. if neighbours => Best { weight: 0, ..best },
            _ => best,
        })
    };
    let city = Best::of(&left.cities, &right.cities, |a, b| {
        by_value(Field::City, word_level(a, b), a)
    });
    set(score, Field::City, of_place(city));
    let postcode = Best::of(&left.postcodes, &right.postcodes, |a, b| {
        by_value(Field::Postcode, postcode_level(a, b), a)
    });
    set(score, Field::Postcode, of_place(postcode));
}

/// The values that not too many people share.
fn telling<'a, T>(
    values: &'a [T],
    key: impl Fn(&T) -> BlockingKey + Clone,
    context: &Context,
) -> impl Iterator<Item = &'a T> + Clone {
    values
        .iter()
        .filter(move |value| !context.is_generic(key(value)))
}

/// The best of all pairs of values.
struct Best {
    level: AgreementLevel,
    weight: i32,
    values: (usize, usize),
}

impl Best {
    fn of<'a, T: 'a>(
        left: impl IntoIterator<Item = &'a T>,
        right: impl IntoIterator<Item = &'a T, IntoIter: Clone>,
        compare: impl Fn(&T, &T) -> (AgreementLevel, i32),
    ) -> Option<Self> {
        let mut best: Option<Self> = None;
        let right = right.into_iter();
        for (l, a) in left.into_iter().enumerate() {
            for (r, b) in right.clone().enumerate() {
                let (level, weight) = compare(a, b);
                if level == AgreementLevel::Missing {
                    continue;
                }
                if best.as_ref().is_none_or(|best| weight > best.weight) {
                    best = Some(Self {
                        level,
                        weight,
                        values: (l, r),
                    });
                }
            }
        }
        best
    }
}

fn same(same: bool) -> AgreementLevel {
    if same {
        AgreementLevel::Exact
    } else {
        AgreementLevel::Different
    }
}

pub(super) fn date_level(a: Date, b: Date) -> AgreementLevel {
    if a == b {
        return AgreementLevel::Exact;
    }
    if a.year == b.year && a.month == b.day && a.day == b.month {
        return AgreementLevel::DayMonthSwapped;
    }
    let (x, y) = (a.digits(), b.digits());
    let differing = x.iter().zip(&y).filter(|(x, y)| x != y).count();
    let transposed = || {
        (0..7).any(|i| x[i] == y[i + 1] && x[i + 1] == y[i] && x[i] != x[i + 1]) && differing == 2
    };
    if differing == 1 || transposed() {
        return AgreementLevel::Close;
    }
    let near_year = a.year.abs_diff(b.year) <= 1;
    let same_day = a.month == b.month && a.day == b.day;
    if differing == 2
        || same_day
        || (near_year && a.month.abs_diff(b.month) <= 1)
        || days_apart(a, b) <= NEAR_DAYS
    {
        AgreementLevel::Similar
    } else {
        AgreementLevel::Different
    }
}

/// Dates so near each other are one, remembered or copied wrongly: no two siblings but twins are.
const NEAR_DAYS: u32 = 62;

/// How many days lie between two dates, about: months have thirty.
fn days_apart(a: Date, b: Date) -> u32 {
    let day =
        |date: Date| u32::from(date.year) * 365 + u32::from(date.month) * 30 + u32::from(date.day);
    day(a).abs_diff(day(b))
}

fn word_level(a: &Word, b: &Word) -> AgreementLevel {
    if a.hash == b.hash {
        return AgreementLevel::Exact;
    }
    let longest = a.text.len().max(b.text.len());
    let close = longest >= 4 && edits(&a.text, &b.text, 1) <= 1;
    same_or_close(close || (longest >= 6 && is_similar(&a.text, &b.text, 900)))
}

/// A postal code that begins otherwise is of another region, not one mistyped.
fn postcode_level(a: &Word, b: &Word) -> AgreementLevel {
    match word_level(a, b) {
        AgreementLevel::Close if a.text.as_bytes()[0] != b.text.as_bytes()[0] => {
            AgreementLevel::Different
        }
        level => level,
    }
}

fn same_or_close(close: bool) -> AgreementLevel {
    if close {
        AgreementLevel::Close
    } else {
        AgreementLevel::Different
    }
}

/// Whether all the flats that two sides name in one house are others.
pub(in crate::identity) fn flats_differ<'a>(
    left: impl IntoIterator<Item = &'a Street>,
    right: impl IntoIterator<Item = &'a Street, IntoIter: Clone>,
) -> bool {
    let right = right.into_iter();
    let mut differ = false;
    for a in left {
        let flats = right.clone().filter(|b| a.are_flats_of_a_house(b));
        for b in flats.filter(|b| one_street(a, b) || is_similar(&a.name, &b.name, SPELLING)) {
            if !a.is_another_home(b) {
                return false;
            }
            differ = true;
        }
    }
    differ
}

fn one_street(a: &Street, b: &Street) -> bool {
    a.name == b.name || is_similar(&a.name, &b.name, 880) || contains(a, b) || contains(b, a)
}

/// From here on two names may be spellings of one street, if the house is the same.
const SPELLING: u32 = 780;

fn street_level(a: &Street, b: &Street) -> AgreementLevel {
    if a.whole.hash == b.whole.hash {
        return AgreementLevel::Exact;
    }
    let names = one_street(a, b);
    match (names, !a.is_another_home(b)) {
        (true, true) => AgreementLevel::Close,
        (false, true)
            if a.number.is_some()
                && a.number == b.number
                && (is_similar(&a.name, &b.name, SPELLING) || has_half(a, b) || has_half(b, a)) =>
        {
            AgreementLevel::Part
        }
        _ => AgreementLevel::Different,
    }
}

/// Whether half of the words of one are in the other, in any order, and one of them is long.
fn has_half(all: &Street, some: &Street) -> bool {
    let is_in = |word: &&Word| all.words.iter().any(|other| other.hash == word.hash);
    let common = some.words.iter().filter(is_in);
    common.clone().any(|word| word.text.len() >= LONG_WORD)
        && common.count() * 2 >= some.words.len()
}

/// No kind of street and no particle has as many letters in most languages.
const LONG_WORD: usize = 6;

/// Whether all words of one are in the other, which may go on with a town.
fn contains(all: &Street, some: &Street) -> bool {
    some.name.len() >= 4
        && some
            .words
            .iter()
            .all(|word| all.words.iter().any(|other| other.hash == word.hash))
}

fn phone_level(a: &Phone, b: &Phone) -> AgreementLevel {
    let (x, y) = (&a.digits.text, &b.digits.text);
    if a.digits.hash == b.digits.hash {
        return AgreementLevel::Exact;
    }
    let (short, long) = if x.len() <= y.len() { (x, y) } else { (y, x) };
    same_or_close((short.len() >= 7 && long.ends_with(short.as_str())) || edits(x, y, 1) <= 1)
}

fn personal_id(
    left: &Features,
    right: &Features,
    weights: &Weights,
    context: &Context,
) -> Option<Best> {
    let mut best: Option<Best> = None;
    for (l, a) in left
        .ids
        .iter()
        .enumerate()
        .filter(|(_, id)| id.belongs_to == BelongsTo::Person)
    {
        for (r, b) in right
            .ids
            .iter()
            .enumerate()
            .filter(|(_, b)| a.kind == b.kind)
        {
            if context.is_generic(a.key) || context.is_generic(b.key) {
                continue;
            }
            let level = id_level(a, b);
            // A person may have several of a type that is not exclusive: that they differ says
            // nothing.
            if level == AgreementLevel::Different && !a.exclusive {
                continue;
            }
            let weight = weights.of(Field::PersonalId, level);
            if best.as_ref().is_none_or(|best| weight > best.weight) {
                best = Some(Best {
                    level,
                    weight,
                    values: (l, r),
                });
            }
        }
    }
    best
}

pub(super) fn id_level(a: &Id, b: &Id) -> AgreementLevel {
    if a.value.hash == b.value.hash {
        return AgreementLevel::Exact;
    }
    // Systems number customers one after another: only of what people type is the next one a slip.
    let length = a.value.text.len().min(b.value.text.len());
    let slips = if a.exclusive && length >= 6 {
        edits(&a.value.text, &b.value.text, 2)
    } else {
        usize::MAX
    };
    match slips {
        0 | 1 => AgreementLevel::Close,
        // So many numbers are two slips away that it speaks neither for nor against.
        2 if length >= 7 => AgreementLevel::Similar,
        _ => AgreementLevel::Different,
    }
}

/// A value as it is compared, for people.
pub(super) fn shown(features: &Features, field: Field, index: u8) -> String {
    let index = usize::from(index);
    let word = |words: &[Word]| words.get(index).map(|word| word.text.clone());
    let name = features.names.get(index);
    let text = match field {
        Field::GivenName => name
            .and_then(|name| name.given.as_ref())
            .map(|given| given.word.text.clone()),
        Field::FamilyName => name
            .and_then(|name| name.family.as_ref())
            .map(|family| family.word.text.clone()),
        Field::MiddleName => name.map(|name| {
            name.middle
                .iter()
                .map(|word| word.text.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        }),
        Field::BirthDate => features.births.get(index).map(ToString::to_string),
        Field::Gender => features
            .genders
            .get(index)
            .map(|gender| sign_of(*gender).to_string()),
        Field::PersonalId => features.ids.get(index).map(|id| id.value.text.clone()),
        Field::Email => features
            .emails
            .get(index)
            .map(|email| email.whole.text.clone()),
        Field::Phone => features
            .phones
            .get(index)
            .map(|phone| phone.digits.text.clone()),
        Field::Street => features
            .streets
            .get(index)
            .map(|street| street.whole.text.clone()),
        Field::City => word(&features.cities),
        Field::Postcode => word(&features.postcodes),
    };
    text.unwrap_or_default()
}
