//! Given names of the world's languages, folded, with the sex that they are given to and where.
//! They tell a name mistyped (one of two is no name, or is one elsewhere) from two names (Rajesh
//! and Ramesh, Mario and Maria).
//!
//! From the lists of Faker (MIT License) and of "Popular Names by Country" (CC0), and general
//! knowledge; the NOTICE has the sources.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::model::matching::{Field, shipped_shares};

/// The sex that a name is given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sex {
    Male,
    Female,
    /// Both, or not known.
    Either,
}

/// The sex and the cultures of a given name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KnownName {
    pub(super) sex: Sex,
    /// Where it is given, a bit for each culture of the list.
    cultures: u64,
}

impl KnownName {
    /// A name made of this one for the other sex.
    pub(super) fn of_sex(self, sex: Sex) -> Self {
        Self { sex, ..self }
    }

    /// Whether two names are given in one culture: others are unlikely to meet in one family.
    pub(super) fn meets(self, other: Self) -> bool {
        self.cultures & other.cultures != 0
    }

    /// Whether it is given in one of these cultures.
    pub(super) fn is_given_in(self, cultures: &Cultures) -> bool {
        self.cultures & *cultures.0 != 0
    }

    fn and(self, other: Self) -> Self {
        Self {
            sex: if self.sex == other.sex {
                self.sex
            } else {
                Sex::Either
            },
            cultures: self.cultures | other.cultures,
        }
    }
}

/// Some cultures of the list, by their names; looked up once.
pub(super) struct Cultures(LazyLock<u64>);

impl Cultures {
    /// `bits` is [`bits_of`] of their names.
    pub(super) const fn new(bits: fn() -> u64) -> Self {
        Self(LazyLock::new(bits))
    }
}

/// A bit for each of these cultures.
pub(super) fn bits_of(names: &[&str]) -> u64 {
    let all = CULTURES.iter().enumerate();
    all.filter(|(_, culture)| names.contains(culture))
        .map(|(place, _)| 1 << place)
        .sum()
}

/// Sections, each after a line with its culture and `m`, `f` or `x`.
const NAMES: &str = include_str!("given_names.txt");

static KNOWN: LazyLock<HashMap<&'static str, KnownName>> = LazyLock::new(|| {
    let mut known: HashMap<&'static str, KnownName> = HashMap::with_capacity(40_000);
    let mut cultures: Vec<&str> = Vec::new();
    let mut section = KnownName {
        sex: Sex::Either,
        cultures: 0,
    };
    for line in NAMES.lines() {
        let heading = line.rsplit_once(' ').and_then(|(culture, sex)| match sex {
            "m" => Some((culture, Sex::Male)),
            "f" => Some((culture, Sex::Female)),
            "x" => Some((culture, Sex::Either)),
            _ => None,
        });
        if let Some((culture, sex)) = heading {
            if cultures.last() != Some(&culture) {
                cultures.push(culture);
            }
            section = KnownName {
                sex,
                cultures: 1 << (cultures.len() - 1),
            };
            continue;
        }
        for name in line.split_ascii_whitespace() {
            known
                .entry(name)
                .and_modify(|known| *known = known.and(section))
                .or_insert(section);
        }
    }
    known
});

/// The cultures of the list, in order.
static CULTURES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut cultures: Vec<&str> = Vec::new();
    for line in NAMES.lines() {
        if let Some((culture, "m" | "f" | "x")) = line.rsplit_once(' ')
            && cultures.last() != Some(&culture)
        {
            cultures.push(culture);
        }
    }
    cultures
});

/// Looks a folded given name up; `None` where it is not known as a name. A long vowel of Japanese
/// is written in two ways: `Yuuji`, `Yuji`.
pub(super) fn known(name: &str) -> Option<KnownName> {
    KNOWN.get(name).copied().or_else(|| {
        let short = short_vowels(name)?;
        let known = KNOWN.get(&*short).copied()?;
        known.is_given_in(&JAPANESE).then_some(known)
    })
}

static JAPANESE: Cultures = Cultures::new(|| bits_of(&["japanese"]));

/// A name with the long vowels of Japanese made short; none where it has none.
fn short_vowels(name: &str) -> Option<String> {
    let is_long = |pair: &[u8]| matches!(pair, b"uu" | b"ou" | b"oo");
    name.as_bytes().windows(2).any(is_long).then(|| {
        let short = name.replace("uu", "u");
        short.replace("ou", "o").replace("oo", "o")
    })
}

/// Whether a word is a given name, and no family name that is far more frequent as one.
pub(super) fn is_rather_given(word: &str) -> bool {
    let share = |field| shipped_shares(field).get(word).copied().unwrap_or(0);
    known(word).is_some()
        && share(Field::FamilyName) / RATHER_FAMILY <= share(Field::GivenName).max(LEAST_SHARE)
}

/// Whether a word is a given name where children have their father's name behind their own.
pub(super) fn is_fathers_too(word: &str) -> bool {
    static ALONE: Cultures =
        Cultures::new(|| bits_of(&["arabic", "central_asian", "pakistani", "persian"]));
    static BESIDE_OTHERS: Cultures = Cultures::new(|| bits_of(&["african", "indian", "malay"]));
    static ENGLISH: Cultures = Cultures::new(|| bits_of(&["en"]));
    known(word).is_some_and(|known| {
        known.is_given_in(&ALONE)
            || (known.is_given_in(&BESIDE_OTHERS) && !known.is_given_in(&ENGLISH))
    })
}

/// Whether a word is a given name of Spain, Portugal or Italy.
pub(super) fn is_romance(word: &str) -> bool {
    static ROMANCE: Cultures = Cultures::new(|| bits_of(&["es", "it", "pt"]));
    known(word).is_some_and(|known| known.is_given_in(&ROMANCE))
}

/// So many times more frequent as the one than as the other.
const RATHER_FAMILY: u64 = 20;
/// The share of a given name that is in no table of frequencies; in parts per thousand million.
const LEAST_SHARE: u64 = 5_000;

/// Whether a folded given name is among the frequent ones of a country: at least one of
/// two thousand people has it.
pub(super) fn is_frequent(name: &str) -> bool {
    shipped_shares(Field::GivenName)
        .get(name)
        .is_some_and(|share| *share >= FREQUENT)
}

/// In parts per thousand million.
const FREQUENT: u64 = 500_000;

/// Whether two known names are spellings of one: the same consonants, and vowels that
/// transcriptions confuse (`Mohammed` and `Muhammad`, `Lukas` and `Lucas`).
pub(super) fn same_name(a: &str, b: &str) -> bool {
    let (a, b) = (Skeleton::of(a), Skeleton::of(b));
    a.consonants == b.consonants && a.vowels_agree(&b)
}

/// Whether one of two words is the other written without its vowels, as in Arabic and Hebrew
/// script: `fysl` and `faisal`.
pub(super) fn without_vowels(a: &str, b: &str) -> bool {
    let (x, y) = (Skeleton::of(a), Skeleton::of(b));
    let bare = |word: &str| {
        word.bytes()
            .filter(|letter| b"aeiou".contains(letter))
            .count()
            <= 1
    };
    x.consonants.len() >= LEAST_CONSONANTS && x.consonants == y.consonants && bare(a) != bare(b)
}

/// Fewer consonants are those of many names.
const LEAST_CONSONANTS: usize = 3;

/// A name with its spelling made plain: consonants with the vowels between them.
struct Skeleton {
    consonants: Vec<u8>,
    /// The first and the last of the vowels before each consonant and after the last; none is `-`.
    vowels: Vec<(u8, u8)>,
}

impl Skeleton {
    fn of(name: &str) -> Self {
        let plain = plain(name);
        let (mut consonants, mut vowels, mut vowel) = (Vec::new(), Vec::new(), (b'-', b'-'));
        for &letter in plain.as_bytes() {
            if matches!(letter, b'a' | b'e' | b'i' | b'o' | b'u') {
                let first = if vowel.0 == b'-' { letter } else { vowel.0 };
                vowel = (first, letter);
            } else {
                consonants.push(letter);
                vowels.push(std::mem::replace(&mut vowel, (b'-', b'-')));
            }
        }
        vowels.push(vowel);
        Self { consonants, vowels }
    }

    /// Whether at most one vowel is left out, and the others are confused by ear.
    fn vowels_agree(&self, other: &Self) -> bool {
        let mut left_out = 0;
        for (place, (a, b)) in self.vowels.iter().zip(&other.vowels).enumerate() {
            let ends = place + 1 == self.vowels.len();
            match (*a, *b) {
                (a, b) if a == b => {}
                // A vowel at the end makes another name of it: Daniel, Daniela.
                ((b'-', _), _) | (_, (b'-', _)) if !ends => left_out += 1,
                (a, b) if ends && confused_at_end(a.1, b.1) => {}
                (a, b) if !ends && confused(a.0, b.0) && confused(a.1, b.1) => {}
                _ => return false,
            }
        }
        left_out <= 1
    }
}

/// Whether two vowels within a name are taken for each other.
fn confused(a: u8, b: u8) -> bool {
    a == b
        || matches!(
            (a.min(b), a.max(b)),
            (b'a', b'e') | (b'e', b'i') | (b'o', b'u')
        )
}

fn confused_at_end(a: u8, b: u8) -> bool {
    a == b || matches!((a.min(b), a.max(b)), (b'e', b'i'))
}

/// Letters and pairs of letters that languages write for one sound, in one way; doubled letters
/// once.
fn plain(name: &str) -> String {
    const PAIRS: [(&[u8; 2], u8); 12] = [
        (b"ph", b'f'),
        (b"ks", b'x'),
        (b"ck", b'k'),
        (b"qu", b'k'),
        (b"kh", b'h'),
        (b"th", b't'),
        (b"dh", b'd'),
        (b"ee", b'i'),
        (b"oo", b'u'),
        (b"ou", b'u'),
        (b"ie", b'i'),
        (b"ei", b'i'),
    ];
    let mut bytes = name.to_owned().into_bytes();
    for (pair, one) in PAIRS {
        write_as_one(&mut bytes, *pair, one);
    }
    let mut out = String::with_capacity(bytes.len());
    for (place, letter) in bytes.iter().enumerate() {
        let soft = matches!(bytes.get(place + 1), Some(b'e' | b'i' | b'y'));
        let letter = match letter {
            b'c' if soft => 's',
            b'c' | b'q' => 'k',
            b'z' => 's',
            b'w' => 'v',
            b'y' | b'j' => 'i',
            // Silent at the end: Sarah, Sara.
            b'h' if place + 1 == bytes.len() => continue,
            letter => char::from(*letter),
        };
        if !out.ends_with(letter) {
            out.push(letter);
        }
    }
    out
}

/// Writes one letter for each pair of letters, from the left.
fn write_as_one(word: &mut Vec<u8>, pair: [u8; 2], one: u8) {
    let Some(first) = word.windows(2).position(|two| two == pair) else {
        return;
    };
    let (mut from, mut to) = (first, first);
    while from < word.len() {
        let is_pair = word[from] == pair[0] && word.get(from + 1) == Some(&pair[1]);
        word[to] = if is_pair { one } else { word[from] };
        from += if is_pair { 2 } else { 1 };
        to += 1;
    }
    word.truncate(to);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_are_told_from_two_names() {
        for (a, b) in [
            ("mohammed", "muhammad"),
            ("lukas", "lucas"),
            ("annika", "anika"),
            ("sara", "sarah"),
            ("sofia", "sophia"),
            ("sergey", "sergei"),
            ("aleksandr", "alexander"),
            ("thomas", "tomas"),
            ("marta", "martha"),
        ] {
            assert!(same_name(a, b) && same_name(b, a), "{a} {b}");
        }
        for (a, b) in [
            ("rajesh", "ramesh"),
            ("hassan", "hussein"),
            ("jamal", "kamal"),
            ("jamal", "jamil"),
            ("daniel", "daniela"),
            ("mario", "maria"),
            ("oleg", "olga"),
            ("sofia", "sonia"),
            ("marina", "mariana"),
            ("anil", "sunil"),
        ] {
            assert!(!same_name(a, b) && !same_name(b, a), "{a} {b}");
        }
    }

    #[test]
    fn names_are_known_with_whom_they_are_given_to_and_where() {
        let sex = |name| known(name).map(|known| known.sex);
        assert_eq!(sex("mario"), Some(Sex::Male));
        assert_eq!(sex("anna"), Some(Sex::Female));
        assert_eq!(sex("xqzt"), None);
        let meet = |a, b| known(a).zip(known(b)).is_some_and(|(a, b)| a.meets(b));
        assert!(meet("rajesh", "ramesh"));
        assert!(!meet("rajesh", "giovanni"));
    }
}
