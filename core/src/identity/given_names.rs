//! Given names of the world's languages, folded, with the sex that they are given to: what tells a
//! name mistyped (one of two is no name) from two names (Rajesh and Ramesh, Mario and Maria).
//!
//! From the lists of Faker (MIT License) and of "Popular Names by Country" (CC0), and general
//! knowledge; the NOTICE has the sources.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The sex that a name is given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sex {
    Male,
    Female,
    /// Both, or not known.
    Either,
}

/// Sections `m`, `f` and `x`, each a line of its own before the names.
const NAMES: &str = include_str!("given_names.txt");

static SEXES: LazyLock<HashMap<&'static str, Sex>> = LazyLock::new(|| {
    let mut names = HashMap::with_capacity(30_000);
    let mut sex = Sex::Either;
    for line in NAMES.lines() {
        match line {
            "m" => sex = Sex::Male,
            "f" => sex = Sex::Female,
            "x" => sex = Sex::Either,
            line => names.extend(line.split_ascii_whitespace().map(|name| (name, sex))),
        }
    }
    names
});

/// The sex of a folded given name; `None` where it is not known as a name.
pub(super) fn sex(name: &str) -> Option<Sex> {
    SEXES.get(name).copied()
}

/// Whether two known names are spellings of one: the same consonants, and vowels that
/// transcriptions confuse (`Mohammed` and `Muhammad`, `Lukas` and `Lucas`).
pub(super) fn same_name(a: &str, b: &str) -> bool {
    let (a, b) = (Skeleton::of(a), Skeleton::of(b));
    a.consonants == b.consonants && a.vowels_agree(&b)
}

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
            let (a, b) = if ends { (a.1, b.1) } else { (a.0, b.0) };
            match (a, b) {
                (a, b) if a == b => {}
                // A vowel at the end makes another name of it: Daniel, Daniela.
                (b'-', _) | (_, b'-') if !ends => left_out += 1,
                (b'a' | b'i', b'e') | (b'e', b'a' | b'i') | (b'o', b'u') | (b'u', b'o')
                    if !ends => {}
                (b'e', b'i') | (b'i', b'e') => {}
                _ => return false,
            }
        }
        left_out <= 1
    }
}

/// Letters and pairs of letters that languages write for one sound, in one way; doubled letters
/// once.
fn plain(name: &str) -> String {
    const PAIRS: [(&str, &str); 12] = [
        ("ph", "f"),
        ("ks", "x"),
        ("ck", "k"),
        ("qu", "k"),
        ("kh", "h"),
        ("th", "t"),
        ("dh", "d"),
        ("ee", "i"),
        ("oo", "u"),
        ("ou", "u"),
        ("ie", "i"),
        ("ei", "i"),
    ];
    let mut plain = name.to_owned();
    for (pair, one) in PAIRS {
        plain = plain.replace(pair, one);
    }
    let bytes = plain.as_bytes();
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
            ("anil", "sunil"),
        ] {
            assert!(!same_name(a, b) && !same_name(b, a), "{a} {b}");
        }
    }

    #[test]
    fn names_are_known_with_whom_they_are_given_to() {
        assert_eq!(sex("mario"), Some(Sex::Male));
        assert_eq!(sex("maria"), Some(Sex::Female));
        assert_eq!(sex("xqzt"), None);
    }
}
