//! Words that may be meant by another one: those that sound like it, and those that are it but for
//! a typing mistake.
//!
//! To find them among all words of a tenant without looking at each, a spelling tells where to
//! look: under its sound, and under its beginning and its end. One mistake leaves either the first
//! half or the second as it is; two mistakes in a long word leave its first two letters or its last
//! third, unless they are one here and one there: then it is not found. Words with digits have no
//! spelling, since another number is not a mistake but another number.

use super::text;

/// The shortest word that has a spelling, in letters. Shorter ones are all alike.
const MIN_LETTERS: usize = 3;
/// From so many letters on, a word may have one mistake, and from so many on two.
const ONE_MISTAKE: usize = 4;
const TWO_MISTAKES: usize = 8;
/// The shortest sound that tells words apart: Lee is l, and so are Leo, Lou and Hale.
const MIN_SOUND: usize = 2;

/// How a folded word may also be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spelling {
    word: String,
    /// The sound that words which sound like it have. None: it is too short to tell.
    pub sound: Option<String>,
    /// Where those are that differ by mistakes. None: the word is too short for mistakes to be
    /// told.
    pub slips: Option<Slips>,
}

/// Where words are that differ from one by mistakes: they begin or end as it does, and have about
/// as many letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slips {
    /// How many mistakes at most.
    pub edits: usize,
    /// How they begin.
    pub begin: String,
    /// Or how they end.
    pub end: String,
    /// The least number of letters.
    pub min_letters: usize,
    /// The greatest.
    pub max_letters: usize,
}

/// What another word has in common with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// It sounds alike.
    Sound,
    /// It is the same but for so many letters put in, left out, changed or swapped with their
    /// neighbour.
    Slip(usize),
}

impl Spelling {
    /// Of a folded word; none where it has other than letters, or too few.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        let count = word.len();
        if count < MIN_LETTERS || !word.bytes().all(|letter| letter.is_ascii_lowercase()) {
            return None;
        }
        let slips = (count >= ONE_MISTAKE).then(|| {
            let edits = if count >= TWO_MISTAKES { 2 } else { 1 };
            // A swap takes two letters: the one between the halves belongs to neither.
            let (begin, end) = if edits == 1 {
                ((count - 1) / 2, count.div_ceil(2))
            } else {
                (2, count - count / 3)
            };
            Slips {
                edits,
                begin: word[..begin].to_owned(),
                end: word[end..].to_owned(),
                min_letters: count - edits,
                max_letters: count + edits,
            }
        });
        let sound = sound(word);
        Some(Self {
            word: word.to_owned(),
            sound: (sound.len() >= MIN_SOUND).then_some(sound),
            slips,
        })
    }

    /// What another word has in common with it, if it may be meant by it. It has nothing in common
    /// with itself. One that both sounds alike and is an edit away is rather another spelling than
    /// a mistake, unless it has two letters swapped.
    #[must_use]
    pub fn likeness(&self, other: &str) -> Option<Likeness> {
        if other == self.word || Self::of(other).is_none() {
            return None;
        }
        let swapped = self.slips.is_some() && is_swap(self.word.as_bytes(), other.as_bytes());
        if !swapped && self.sound.as_ref().is_some_and(|own| *own == sound(other)) {
            return Some(Likeness::Sound);
        }
        let slips = self.slips.as_ref()?;
        let edits = text::edits(&self.word, other, slips.edits);
        (edits <= slips.edits && (other.starts_with(&slips.begin) || other.ends_with(&slips.end)))
            .then_some(Likeness::Slip(edits))
    }
}

/// Whether two neighbours that are swapped are all that is different.
pub(super) fn is_swap(one: &[u8], other: &[u8]) -> bool {
    let different: Vec<usize> = (0..one.len().min(other.len()))
        .filter(|at| one[*at] != other[*at])
        .collect();
    let [first, second] = different[..] else {
        return false;
    };
    one.len() == other.len()
        && second == first + 1
        && one[first] == other[second]
        && one[second] == other[first]
}

/// The key that words which sound alike share.
#[must_use]
pub fn sound(word: &str) -> String {
    text::sound(word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn likeness(word: &str, other: &str) -> Option<Likeness> {
        Spelling::of(word).expect("a spelling").likeness(other)
    }

    #[test]
    fn names_that_sound_alike_are_meant_by_each_other() {
        for (word, other) in [
            ("catherine", "katharyn"),
            ("meyer", "maier"),
            ("jon", "john"),
            ("stephen", "steven"),
        ] {
            assert_eq!(
                likeness(word, other),
                Some(Likeness::Sound),
                "{word} {other}"
            );
            assert_eq!(
                likeness(other, word),
                Some(Likeness::Sound),
                "{word} {other}"
            );
        }
    }

    #[test]
    fn a_word_may_have_one_mistake_and_a_long_one_two() {
        for (word, other, edits) in [
            ("mueler", "mulder", None),
            ("garcia", "gracia", Some(1)),
            ("brown", "bromn", Some(1)),
            ("brown", "grown", Some(1)),
            ("brown", "bromm", None),
            ("jonhson", "johnson", Some(1)),
            ("johansson", "jonahtan", None),
            ("christopher", "chirstohper", Some(2)),
            ("boston", "boton", Some(1)),
        ] {
            assert_eq!(
                likeness(word, other),
                edits.map(Likeness::Slip),
                "{word} {other}"
            );
        }
    }

    #[test]
    fn numbers_and_short_words_are_not_mistyped() {
        for word in ["02139", "sw1a", "li", "müller", ""] {
            assert_eq!(Spelling::of(word), None, "{word}");
        }
        let lee = Spelling::of("lee").expect("a spelling");
        assert_eq!((lee.sound.as_deref(), lee.slips.as_ref()), (None, None));
        assert_eq!(lee.likeness("leo"), None);
        assert_eq!(likeness("berlin", "berli7"), None);
    }

    #[test]
    fn a_word_has_nothing_in_common_with_itself() {
        assert_eq!(likeness("brown", "brown"), None);
    }

    proptest! {
        #[test]
        fn every_single_mistake_in_a_word_is_found(word in "[a-f]{4,9}", at in 0_usize..9, put in "[a-f]?", take: bool) {
            let at = at % word.len();
            let other = format!("{}{put}{}", &word[..at], &word[at + usize::from(take)..]);
            prop_assume!(word != other);
            prop_assert!(likeness(&word, &other).is_some(), "{} {}", word, other);
        }

        #[test]
        fn every_swap_of_neighbours_is_found(word in "[a-f]{4,9}", at in 0_usize..8) {
            let mut letters: Vec<char> = word.chars().collect();
            prop_assume!(at + 1 < letters.len() && letters[at] != letters[at + 1]);
            letters.swap(at, at + 1);
            let other: String = letters.into_iter().collect();
            prop_assert!(likeness(&word, &other).is_some(), "{} {}", word, other);
        }
    }
}
