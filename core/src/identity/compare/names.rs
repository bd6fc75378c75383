//! Names: given, middle and family name together, as they may have changed places.

use super::Score;
use super::doubt::{doubtful, meet, same_letters, sexes_differ};
use super::order::{
    another_without_vowels, in_other_order, is_called_by_the_last, turned_vietnamese,
};
use super::scripts::{
    in_other_script, joined, native_level, one_is_kana, other_script_level, same_characters, unread,
};
use super::several;
use super::words::{alike, middle_level, other_half, word_level};
use crate::identity::features::{Family, Given, Name, Word};
use crate::identity::given_names::same_name;
use crate::identity::nicknames;
use crate::identity::spelling::is_swap;
use crate::identity::text::{edits, is_similar};
use crate::model::matching::{AgreementLevel, Field, Weights};

/// Compares all names of two people and takes the two that agree best.
pub(super) fn compare(left: &[Name], right: &[Name], weights: &Weights, score: &mut Score) {
    let mut best: Option<(i32, Agreement, (usize, usize))> = None;
    for (l, a) in left.iter().enumerate() {
        for (r, b) in right.iter().enumerate() {
            let agreement = Agreement::of(a, b, weights);
            let sum = agreement.sum();
            if best.as_ref().is_none_or(|(most, ..)| sum > *most) {
                best = Some((sum, agreement, (l, r)));
            }
        }
    }
    if let Some((_, agreement, values)) = best {
        for (field, (level, weight)) in agreement.parts() {
            score.set(field, level, weight, values);
        }
    }
}

/// How two names agree: level and worth of each part.
#[derive(Debug, Clone, Copy)]
struct Agreement {
    given: (AgreementLevel, i32),
    middle: (AgreementLevel, i32),
    family: (AgreementLevel, i32),
}

impl Agreement {
    /// Of two names that cannot be compared.
    const NOTHING: Self = Self {
        given: (AgreementLevel::Missing, 0),
        middle: (AgreementLevel::Missing, 0),
        family: (AgreementLevel::Missing, 0),
    };

    fn of(a: &Name, b: &Name, weights: &Weights) -> Self {
        if unread(a, b) {
            return Self::NOTHING;
        }
        // Names may agree in words that differ (`Xiu Yun`, `Xiuyun`): the commoner word counts.
        let worth = |field, level: AgreementLevel, words: &[&Word]| {
            let exact = |word: &&Word| weights.exact(field, word.hash, word.text.len());
            let weight = match level {
                AgreementLevel::Exact => words.iter().map(exact).min(),
                _ => None,
            };
            (level, weight.unwrap_or_else(|| weights.of(field, level)))
        };
        let given = match (&a.given, &b.given) {
            (Some(x), Some(y)) => worth(
                Field::GivenName,
                given_level(x, a, y, b),
                &[&x.word, &y.word],
            ),
            _ => (AgreementLevel::Missing, 0),
        };
        let family = match (&a.family, &b.family) {
            (Some(x), Some(y)) => {
                let level = whole_family_level(a, x, b, y);
                worth(Field::FamilyName, level, &[&x.word, &y.word])
            }
            _ => (AgreementLevel::Missing, 0),
        };
        // Further characters of a name are a part of the given name.
        let middle = match (&a.native, &b.native) {
            (Some(_), Some(_)) => (AgreementLevel::Missing, 0),
            _ => worth(Field::MiddleName, middle_level(&a.middle, &b.middle), &[]),
        };
        let straight = Self {
            given,
            middle,
            family,
        };
        let poor = |level| {
            matches!(
                level,
                AgreementLevel::Similar | AgreementLevel::Different | AgreementLevel::Missing
            )
        };
        if poor(given.0) && poor(family.0) && swapped(a, b) {
            let swap = |field| {
                (
                    AgreementLevel::Swapped,
                    weights.of(field, AgreementLevel::Swapped),
                )
            };
            let turned = Self {
                given: swap(Field::GivenName),
                middle,
                family: swap(Field::FamilyName),
            };
            if turned.sum() > straight.sum() {
                return turned;
            }
        }
        straight
    }

    fn sum(&self) -> i32 {
        self.given.1 + self.middle.1 + self.family.1
    }

    fn parts(&self) -> [(Field, (AgreementLevel, i32)); 3] {
        [
            (Field::GivenName, self.given),
            (Field::MiddleName, self.middle),
            (Field::FamilyName, self.family),
        ]
    }
}

/// Whether given and family name have changed places on one side. Where one side has but one name,
/// that one.
fn swapped(a: &Name, b: &Name) -> bool {
    let agree = |given: Option<&Given>, family: Option<&Family>| match (given, family) {
        (Some(given), Some(family)) if given.word.is_initial() || family.word.is_initial() => None,
        (Some(given), Some(family)) => {
            Some(alike(&given.word.text, &family.word.text) || is_form_of(given, &family.word))
        }
        _ => None,
    };
    let there = agree(a.given.as_ref(), b.family.as_ref());
    let back = agree(b.given.as_ref(), a.family.as_ref());
    match (there, back) {
        (Some(there), Some(back)) => there && back,
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => false,
    }
}

/// How far two whole given names agree: all their words, or the characters of a name in Han or
/// Hangul.
fn given_level(x: &Given, a: &Name, y: &Given, b: &Name) -> AgreementLevel {
    let in_signs = || native_level(a, b).or_else(|| other_script_level(x, a, y, b));
    if let Some(level) = several::level(x, y).or_else(in_signs) {
        return level;
    }
    if turned_vietnamese(x, a, y, b) {
        return AgreementLevel::Exact;
    }
    if a.syllables.is_some() && a.syllables == b.syllables {
        return if joined(x, a) == joined(y, b) {
            AgreementLevel::Exact
        } else {
            AgreementLevel::Close
        };
    }
    let level = one_given_level(x, y);
    match level {
        AgreementLevel::Different | AgreementLevel::Similar
            if goes_by_another(x, b) || goes_by_another(y, a) =>
        {
            AgreementLevel::Part
        }
        AgreementLevel::Different => level,
        _ if joined(x, a) == joined(y, b) => AgreementLevel::Exact,
        _ if others_differ(a, b) && !is_initial(a) && !is_initial(b) => AgreementLevel::Different,
        AgreementLevel::Prefix if is_compound_of_another(x, a, y, b) => AgreementLevel::Different,
        level => level,
    }
}

/// Whether each of two compound names has a further word that the other has not: María del Carmen
/// and María del Pilar. A word that is of the other's family name says nothing.
fn others_differ(a: &Name, b: &Name) -> bool {
    let has_more = |one: &Name, other: &Name| {
        let own = one.middle.iter().filter(|word| !word.is_initial());
        let mut own = own.filter(|word| !is_of_family(word, other) && !is_of_family(word, one));
        own.any(|word| {
            middle_level(std::slice::from_ref(word), &other.middle) == AgreementLevel::Different
        })
    };
    middle_level(&a.middle, &b.middle) == AgreementLevel::Different
        || (has_more(a, b) && has_more(b, a))
}

fn is_of_family(word: &Word, name: &Name) -> bool {
    name.family.iter().any(|family| {
        family.word.hash == word.hash || family.parts.iter().any(|part| part.hash == word.hash)
    })
}

/// How two names of two syllables relate, if both are such names and not one name.
fn other_syllables(a: &Name, b: &Name) -> Option<GivenAgreement> {
    let (x, y) = (a.syllables.as_ref()?, b.syllables.as_ref()?);
    match edits(x, y, 2) {
        0 => None,
        1 => Some(GivenAgreement::Doubtful),
        _ => Some(GivenAgreement::Conflict),
    }
}

/// Whether one is the beginning of the other by its first word only: `Ji-eun` and `Jihoon`.
fn is_compound_of_another(x: &Given, a: &Name, y: &Given, b: &Name) -> bool {
    let one = a.middle.is_empty() != b.middle.is_empty();
    one && !alike(&joined(x, a), &joined(y, b)) && x.word.text.len().min(y.word.text.len()) <= 4
}

fn is_initial(name: &Name) -> bool {
    name.middle.iter().all(Word::is_initial)
}

fn goes_by_another(given: &Given, name: &Name) -> bool {
    !given.word.is_initial()
        && name
            .middle
            .iter()
            .any(|middle| middle.hash == given.word.hash || is_form_of(given, middle))
}

/// Whether a word is a form of the same name as a given name.
pub(super) fn is_form_of(given: &Given, word: &Word) -> bool {
    !given.forms.is_empty() && {
        let forms = nicknames::groups(&word.text);
        given.forms.iter().any(|form| forms.contains(form))
    }
}

pub(super) fn one_given_level(x: &Given, y: &Given) -> AgreementLevel {
    if x.word.hash == y.word.hash {
        return AgreementLevel::Exact;
    }
    if x.word.is_initial() || y.word.is_initial() {
        return if initials_agree(x, y) {
            AgreementLevel::Initial
        } else {
            AgreementLevel::Different
        };
    }
    if x.forms.iter().any(|form| y.forms.contains(form)) {
        return AgreementLevel::Nickname;
    }
    let level = word_level(&x.word.text, &y.word.text, x.sound == y.sound);
    let spelling = || same_name(&x.word.text, &y.word.text) || same_letters(x, y);
    if level == AgreementLevel::Similar && spelling() {
        return AgreementLevel::Close;
    }
    let known = meet(x, y);
    match level {
        // Two names that both are names are seldom one name mistyped: Jean is not Joan, Alex not
        // Alexia.
        AgreementLevel::Close if is_swapped_letters(x, y) => AgreementLevel::Close,
        AgreementLevel::Close | AgreementLevel::Prefix
            if !x.forms.is_empty() && !y.forms.is_empty() =>
        {
            AgreementLevel::Similar
        }
        AgreementLevel::Similar if known => AgreementLevel::Different,
        // A word that is not known as a name may be one mistyped.
        AgreementLevel::Different
            if !known && is_similar(&x.word.text, &y.word.text, SIMILAR_UNKNOWN) =>
        {
            AgreementLevel::Similar
        }
        level => level,
    }
}

/// Whether letters have changed places, and it does not make a second name that many have.
fn is_swapped_letters(x: &Given, y: &Given) -> bool {
    let rare = !(x.frequent && y.frequent);
    same_letters(x, y) || (rare && is_swap(x.word.text.as_bytes(), y.word.text.as_bytes()))
}

/// From here on a name that is not known is taken for a slip of the other.
const SIMILAR_UNKNOWN: u32 = 740;

/// Whether an initial is that of the other name, or of one that it is a form of: Bill is William.
fn initials_agree(x: &Given, y: &Given) -> bool {
    let first = |text: &str| text.as_bytes().first().copied();
    let (initial, whole) = if x.word.is_initial() { (x, y) } else { (y, x) };
    let initial = first(&initial.word.text);
    initial == first(&whole.word.text)
        || whole
            .forms
            .iter()
            .any(|form| initial == first(nicknames::head(*form)))
}

/// Two family names, in whatever scripts they are.
fn whole_family_level(a: &Name, x: &Family, b: &Name, y: &Family) -> AgreementLevel {
    if same_characters(a, b) {
        return AgreementLevel::Exact;
    }
    match in_other_script(a, b, &x.word.text, &y.word.text) {
        Some(true) => AgreementLevel::Close,
        None if a.is_without_vowels != b.is_without_vowels => AgreementLevel::Similar,
        None if one_is_kana(a, b) && x.word.hash != y.word.hash => AgreementLevel::Missing,
        Some(false) => match family_level(a, x, b, y) {
            AgreementLevel::Similar => AgreementLevel::Different,
            level => level,
        },
        None => family_level(a, x, b, y),
    }
}

/// A shorter word before the family name is rather an initial or a particle.
const LEAST_FORMER: usize = 4;

/// Two family names. One before that of the other is a former name, or the mother's.
fn family_level(a: &Name, x: &Family, b: &Name, y: &Family) -> AgreementLevel {
    if x.word.hash == y.word.hash {
        return AgreementLevel::Exact;
    }
    if x.word.is_initial() || y.word.is_initial() {
        let same = x.word.text.as_bytes()[0] == y.word.text.as_bytes()[0];
        return if same {
            AgreementLevel::Initial
        } else {
            AgreementLevel::Different
        };
    }
    let part_of = |one: &Word, other: &Family| {
        one.text.len() >= 3
            && other
                .parts
                .iter()
                .any(|part| part.hash == one.hash || alike(&part.text, &one.text))
    };
    let in_middle = |one: &Family, other: &Name| {
        one.word.text.len() >= LEAST_FORMER
            && other
                .middle
                .iter()
                .any(|middle| middle.hash == one.word.hash)
    };
    let is_glued = |one: &Family, other: &Family| {
        let glued = one.glued.as_ref();
        glued.is_some_and(|glued| glued.hash == other.word.hash)
    };
    if is_glued(x, y) || is_glued(y, x) {
        return AgreementLevel::Close;
    }
    if other_half(&x.parts, &y.parts) && other_half(&y.parts, &x.parts) {
        return AgreementLevel::Different;
    }
    if part_of(&x.word, y)
        || part_of(&y.word, x)
        || in_middle(x, b)
        || in_middle(y, a)
        || x.parts
            .iter()
            .any(|part| part.text.len() >= 4 && part_of(part, y))
    {
        return AgreementLevel::Part;
    }
    word_level(&x.word.text, &y.word.text, x.sound == y.sound)
}

/// How the given names of two people relate, for guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::identity) enum GivenAgreement {
    /// One says none, or only an initial that fits.
    Unknown,
    /// They are names of one person.
    Agree,
    /// One is a further name of the other: that of one who goes by it, or of the father behind that
    /// of his son.
    OtherName,
    /// They are of two people, unless they have one date of birth.
    Doubtful,
    /// They are not.
    Conflict,
    /// They begin alike and go on otherwise: Jean-Paul and Jean-Luc, whatever others say of a Jean.
    OtherCompound,
}

/// Compares given names for guards.
pub(in crate::identity) fn given_agreement(left: &Name, right: &Name) -> GivenAgreement {
    let (Some(x), Some(y)) = (&left.given, &right.given) else {
        return GivenAgreement::Unknown;
    };
    let unread = || unread(left, right).then_some(GivenAgreement::Unknown);
    if let Some(known) = several::agreement(x, y).or_else(unread) {
        return known;
    }
    if turned_vietnamese(x, left, y, right) {
        return GivenAgreement::Agree;
    }
    if in_other_order(x, left, y, right) || another_without_vowels(x, left, y, right) {
        return GivenAgreement::Doubtful;
    }
    if swapped(left, right) {
        return GivenAgreement::Agree;
    }
    if let Some(agreement) = other_syllables(left, right) {
        return agreement;
    }
    match other_script_level(x, left, y, right) {
        Some(AgreementLevel::Close) => return GivenAgreement::Agree,
        Some(AgreementLevel::Similar) => return GivenAgreement::Unknown,
        Some(_) => return GivenAgreement::Conflict,
        None => {}
    }
    match given_level(x, left, y, right) {
        AgreementLevel::Different if one_given_level(x, y) == AgreementLevel::Exact => {
            GivenAgreement::OtherCompound
        }
        AgreementLevel::Close | AgreementLevel::Prefix | AgreementLevel::Similar
            if sexes_differ(x, y) =>
        {
            GivenAgreement::Conflict
        }
        AgreementLevel::Part if is_called_by_the_last(left) || is_called_by_the_last(right) => {
            GivenAgreement::Agree
        }
        AgreementLevel::Part => GivenAgreement::OtherName,
        level if doubtful(level, x, y) => GivenAgreement::Doubtful,
        AgreementLevel::Initial | AgreementLevel::Similar => GivenAgreement::Unknown,
        AgreementLevel::Different => GivenAgreement::Conflict,
        _ => GivenAgreement::Agree,
    }
}

/// Whether two people have further given names, or initials of them, that are not one.
pub(in crate::identity) fn middles_differ(left: &Name, right: &Name) -> bool {
    middle_level(&left.middle, &right.middle) == AgreementLevel::Different
}

/// Whether two people have different family names.
pub(in crate::identity) fn families_differ(left: &Name, right: &Name) -> bool {
    match (&left.family, &right.family) {
        (Some(x), Some(y)) => {
            whole_family_level(left, x, right, y) == AgreementLevel::Different
                && !unread(left, right)
                && !swapped(left, right)
        }
        _ => false,
    }
}
