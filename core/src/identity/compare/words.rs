//! Words of names: how alike two are.

use crate::identity::features::Word;
use crate::identity::given_names::without_vowels;
use crate::identity::text::{edits, is_similar, similarity_from};
use crate::model::matching::AgreementLevel;

/// Whether two words are one, but for a slip.
pub(super) fn alike(a: &str, b: &str) -> bool {
    a == b || (a.len().max(b.len()) >= 4 && edits(a, b, 1) <= 1) || is_similar(a, b, 920)
}

/// How alike two different words are.
pub(super) fn word_level(x: &str, y: &str, same_sound: bool) -> AgreementLevel {
    let (short, long) = if x.len() <= y.len() { (x, y) } else { (y, x) };
    if long.len() >= 4 && edits(x, y, 1) <= 1 {
        return AgreementLevel::Close;
    }
    if short.len() >= 2 && long.starts_with(short) {
        return AgreementLevel::Prefix;
    }
    let similarity = similarity_from(SIMILAR, x, y);
    let slip = similarity >= 920 && short.len() >= 4 && long.len() - short.len() <= MOST_MISSING;
    if slip || (same_sound && without_vowels(x, y)) {
        return AgreementLevel::Close;
    }
    if similarity >= SIMILAR || same_sound {
        AgreementLevel::Similar
    } else {
        AgreementLevel::Different
    }
}

/// From here on two words are somewhat alike.
const SIMILAR: u32 = 820;

/// More letters are not left out by a slip: Darla is not Darletta.
const MOST_MISSING: usize = 2;

pub(super) fn middle_level(left: &[Word], right: &[Word]) -> AgreementLevel {
    if left.is_empty() || right.is_empty() {
        return AgreementLevel::Missing;
    }
    let mut best = AgreementLevel::Different;
    for (a, b) in left.iter().flat_map(|a| right.iter().map(move |b| (a, b))) {
        let level = if a.hash == b.hash {
            if a.is_initial() {
                AgreementLevel::Initial
            } else {
                AgreementLevel::Exact
            }
        } else if (a.is_initial() || b.is_initial()) && a.text.as_bytes()[0] == b.text.as_bytes()[0]
        {
            AgreementLevel::Initial
        } else if alike(&a.text, &b.text) || long_alike(&a.text, &b.text) {
            AgreementLevel::Close
        } else {
            AgreementLevel::Different
        };
        best = best.min(level);
    }
    best
}

/// Whether two long names, such as patronymics, are one in two spellings.
fn long_alike(a: &str, b: &str) -> bool {
    // As Russian and Belarusian write them: Pavlovich, Paulavich.
    let plain = |name: &str| name.replace("au", "av").replace('o', "a");
    a.len().min(b.len()) >= 8 && (is_similar(a, b, 860) || plain(a) == plain(b))
}

/// Whether one of two double family names has a half that the other has not: those of father and
/// son differ in the mother's.
pub(super) fn other_half(parts: &[Word], others: &[Word]) -> bool {
    let is_half = |word: &&Word| word.text.len() >= LEAST_HALF;
    let mut halves = parts.iter().filter(is_half);
    parts.iter().filter(is_half).count() > 1
        && others.iter().filter(is_half).count() > 1
        && halves.any(|half| !others.iter().any(|other| alike(&other.text, &half.text)))
}

/// A shorter word of a family name is rather a particle.
const LEAST_HALF: usize = 4;
