//! How alike two folded texts are: edit distance, Jaro–Winkler, a phonetic key. Integers only, so
//! that the answer is the same on every machine, and the same whichever of two texts stands first.
//!
//! Texts are ASCII (folding has transliterated them) and short; what is beyond [`MAX_BYTES`] does
//! not count.

use std::borrow::Cow;

use crate::model::clean;

/// How much of a text is compared: a machine word has a bit for each byte.
const MAX_BYTES: usize = 64;

/// Brings a text into the form in which texts are compared: visible, in ASCII, in lower case.
pub(super) fn fold(raw: &str) -> String {
    let clean = clean(raw);
    let ascii = if clean.is_ascii() {
        clean
    } else {
        // `Məmmədov` is Mammadov, and not `M@mm@dov`.
        Cow::Owned(deunicode::deunicode(&clean.replace(['ə', 'Ə'], "a")))
    };
    let mut folded = ascii.into_owned();
    folded.make_ascii_lowercase();
    folded
}

/// A text of which the bytes of UTF-8 were read as Windows-1252 (`IÅŸÄ±k` for `Işık`), as it was
/// meant; any other as it is.
pub(super) fn unmangled(raw: &str) -> Cow<'_, str> {
    if !raw
        .chars()
        .any(|letter| matches!(letter, '\u{c2}'..='\u{f4}'))
    {
        return Cow::Borrowed(raw);
    }
    let bytes: Option<Vec<u8>> = raw.chars().map(windows_1252).collect();
    match bytes.map(String::from_utf8) {
        Some(Ok(meant)) => Cow::Owned(meant),
        _ => Cow::Borrowed(raw),
    }
}

/// The byte of a character in Windows-1252.
fn windows_1252(letter: char) -> Option<u8> {
    const FROM_80: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    let special = || FROM_80.iter().position(|other| *other == letter);
    u8::try_from(u32::from(letter))
        .ok()
        .or_else(|| u8::try_from(special()? + 0x80).ok())
}

/// Some of the letters of a text.
pub(super) fn only(text: &str, wanted: impl Fn(char) -> bool) -> String {
    let mut only = String::with_capacity(text.len());
    only.extend(text.chars().filter(|letter| wanted(*letter)));
    only
}

fn bounded(text: &str) -> &[u8] {
    &text.as_bytes()[..text.len().min(MAX_BYTES)]
}

/// In one order, so that a greedy measure is symmetric.
fn ordered<'a>(a: &'a [u8], b: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    if (a.len(), a) <= (b.len(), b) {
        (a, b)
    } else {
        (b, a)
    }
}

/// Whether two texts have at least that Jaro–Winkler similarity, in thousandths.
pub(super) fn is_similar(a: &str, b: &str, least: u32) -> bool {
    similarity_from(least, a, b) >= least
}

/// Jaro–Winkler similarity in thousandths, or 0 where it is less than `least`: most pairs are known
/// to be unlike by the letters that they do not share.
pub(super) fn similarity_from(least: u32, a: &str, b: &str) -> u32 {
    let (a, b) = ordered(bounded(a), bounded(b));
    if a.is_empty() || b.is_empty() {
        return 0;
    }
    let prefix =
        u32::try_from(a.iter().zip(b).take(4).take_while(|(x, y)| x == y).count()).unwrap_or(0);
    let with_prefix = |jaro: u32| {
        if jaro < 700 {
            jaro
        } else {
            jaro + prefix * (1000 - jaro) / 10
        }
    };
    if with_prefix(most_alike(a, b)) < least {
        return 0;
    }
    let similarity = with_prefix(jaro(a, b));
    if similarity < least { 0 } else { similarity }
}

/// An upper bound of the Jaro similarity, by the letters of each that the other has not.
fn most_alike(a: &[u8], b: &[u8]) -> u32 {
    let (without_a, without_b) = missing(a, b);
    let matches = (a.len() - without_b).min(b.len() - without_a) as u64;
    if matches == 0 {
        return 0;
    }
    let share = |of: usize| matches * 1_000_000 / of as u64;
    u32::try_from((share(a.len()) + share(b.len()) + 1_000_000) / 3_000).unwrap_or(u32::MAX)
}

/// How many letters, at least, of the second are not in the first, and the other way round. Each
/// letter has a bit; a few that are no letters share theirs.
fn missing(a: &[u8], b: &[u8]) -> (usize, usize) {
    let letters = |text: &[u8]| text.iter().fold(0_u64, |set, byte| set | 1 << (byte & 63));
    let (in_a, in_b) = (letters(a), letters(b));
    let count = |set: u64| set.count_ones() as usize;
    (count(in_b & !in_a), count(in_a & !in_b))
}

fn jaro(a: &[u8], b: &[u8]) -> u32 {
    let reach = (b.len() / 2).saturating_sub(1);
    let (mut in_a, mut in_b) = (0u64, 0u64);
    for (i, byte) in a.iter().enumerate() {
        let from = i.saturating_sub(reach);
        let to = (i + reach + 1).min(b.len());
        if let Some(j) = (from..to).find(|&j| b[j] == *byte && in_b >> j & 1 == 0) {
            in_a |= 1 << i;
            in_b |= 1 << j;
        }
    }
    let matches = u64::from(in_a.count_ones());
    if matches == 0 {
        return 0;
    }
    let mut crossed = 0u64;
    while in_a != 0 {
        crossed +=
            u64::from(a[in_a.trailing_zeros() as usize] != b[in_b.trailing_zeros() as usize]);
        in_a &= in_a - 1;
        in_b &= in_b - 1;
    }
    let share = |of: usize| matches * 1_000_000 / of as u64;
    let sum = share(a.len()) + share(b.len()) + (matches - crossed / 2) * 1_000_000 / matches;
    u32::try_from(sum / 3_000).unwrap_or(0)
}

/// How many letters must be put in, left out, changed or swapped with their neighbour; `limit + 1`
/// stands for more.
pub(super) fn edits(a: &str, b: &str, limit: usize) -> usize {
    let (a, b) = ordered(bounded(a), bounded(b));
    if b.len() - a.len() > limit {
        return limit + 1;
    }
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[start..], &b[start..]);
    let end = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(x, y)| x == y)
        .count();
    let (a, b) = (&a[..a.len() - end], &b[..b.len() - end]);
    if limit == 1 {
        return one_edit(a, b);
    }
    let (without_a, without_b) = missing(a, b);
    if without_a.max(without_b) > limit {
        return limit + 1; // An edit mends one letter of each at most.
    }
    distance(a, b, limit)
}

/// The same for texts that neither begin nor end alike, with a limit of one.
fn one_edit(a: &[u8], b: &[u8]) -> usize {
    match (a, b) {
        ([], []) => 0,
        ([] | [_], [_]) => 1,
        ([first, second], [third, fourth]) if first == fourth && second == third => 1,
        _ => 2,
    }
}

/// Optimal string alignment, of which only the band is computed that can stay within the limit.
fn distance(a: &[u8], b: &[u8], limit: usize) -> usize {
    let far = limit + 1;
    let mut rows = [[far; MAX_BYTES + 2]; 3];
    for (j, cell) in rows[0].iter_mut().enumerate().take(far) {
        *cell = j;
    }
    for i in 1..=a.len() {
        let (this, last, before) = (i % 3, (i + 2) % 3, (i + 1) % 3);
        let (from, to) = (i.saturating_sub(limit).max(1), (i + limit).min(b.len()));
        rows[this][from - 1] = if from == 1 { i.min(far) } else { far };
        let mut fewest = rows[this][from - 1];
        for j in from..=to {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[last][j] + 1)
                .min(rows[this][j - 1] + 1)
                .min(rows[last][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[before][j - 2] + 1);
            }
            rows[this][j] = best.min(far);
            fewest = fewest.min(best);
        }
        rows[this][to + 1] = far;
        if fewest > limit {
            return far;
        }
    }
    rows[a.len() % 3][b.len()].min(far)
}

/// A key that names which sound alike share: consonants by sound, vowels only where the name begins
/// with one.
pub(super) fn sound(word: &str) -> String {
    let bytes = bounded(word);
    let mut key = String::with_capacity(6);
    let mut index = 0;
    while index < bytes.len() && key.len() < 6 {
        let next = bytes.get(index + 1).copied();
        let (code, taken) = consonant(bytes[index], next, index);
        if let Some(code) = code.filter(|code| !key.ends_with(*code)) {
            key.push(code);
        }
        index += taken;
    }
    key
}

/// The sound of a letter, and how many letters it takes.
fn consonant(letter: u8, next: Option<u8>, index: usize) -> (Option<char>, usize) {
    match (letter, next) {
        (b'p', Some(b'h')) => (Some('f'), 2),
        (b'k' | b'g' | b'p', Some(b'n')) if index == 0 => (Some('n'), 2),
        (b'w', Some(b'r')) if index == 0 => (Some('r'), 2),
        (b'g', Some(b'h')) if index > 0 => (None, 2),
        (b'd', Some(b't')) | (b't', Some(b'h')) => (Some('t'), 2),
        (b's' | b'c', Some(b'h')) => (Some('x'), 2),
        (b'c', Some(b'k')) => (Some('k'), 2),
        (b'c', Some(b'e' | b'i' | b'y')) | (b's' | b'z' | b'x', _) => (Some('s'), 1),
        (b'g', Some(b'e' | b'i' | b'y')) | (b'j', _) => (Some('j'), 1),
        (b'c' | b'k' | b'q', _) => (Some('k'), 1),
        (b'f' | b'v', _) => (Some('f'), 1),
        (b'a' | b'e' | b'i' | b'o' | b'u' | b'y', _) if index == 0 => (Some('a'), 1),
        (b'a' | b'e' | b'i' | b'o' | b'u' | b'y' | b'h' | b'w', _) => (None, 1),
        (other, _) => (Some(char::from(other)), 1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn similarity_is_that_of_jaro_and_winkler() {
        for (a, b, expected) in [
            ("martha", "marhta", 961),
            ("dwayne", "duane", 840),
            ("dixon", "dicksonx", 813),
            ("same", "same", 1000),
            ("abc", "xyz", 0),
            ("", "a", 0),
        ] {
            assert!(
                similarity(a, b).abs_diff(expected) <= 1,
                "{a} {b}: {}",
                similarity(a, b)
            );
        }
    }

    #[test]
    fn a_swap_of_neighbours_is_one_edit() {
        for (a, b, expected) in [
            ("ca", "abc", 3),
            ("luis", "lius", 1),
            ("smith", "smyth", 1),
            ("ann", "anne", 1),
        ] {
            assert_eq!(edits(a, b, 9), expected, "{a} {b}");
        }
        assert_eq!(
            edits("a", "abcdef", 2),
            3,
            "more than the limit is not counted out"
        );
    }

    #[test]
    fn names_that_sound_alike_have_one_key() {
        for (a, b) in [
            ("thompson", "tompson"),
            ("stephen", "steven"),
            ("klempski", "klempsky"),
            ("catherine", "katharyn"),
        ] {
            assert_eq!(sound(a), sound(b), "{a} {b}");
        }
        assert_ne!(sound("smith"), sound("jones"));
    }

    #[test]
    fn folding_takes_away_script_case_and_what_nobody_sees() {
        assert_eq!(fold("MÜL\u{200B}LER"), "muller");
        assert_eq!(fold("Васильев"), "vasil'ev");
        assert_eq!(fold("Əli Məmmədov"), "ali mammadov");
    }

    /// The similarity in full.
    fn similarity(a: &str, b: &str) -> u32 {
        similarity_from(0, a, b)
    }

    proptest! {
        #[test]
        fn what_is_known_to_be_unlike_is_so(a in "[a-h]{0,9}", b in "[a-h]{0,9}", least in 500_u32..1000) {
            let whole = similarity(&a, &b);
            prop_assert_eq!(is_similar(&a, &b, least), whole >= least);
            prop_assert_eq!(similarity_from(least, &a, &b), if whole < least { 0 } else { whole });
        }

        #[test]
        fn few_edits_are_counted_as_all_are(a in "[a-d]{0,5}", b in "[a-d]{0,5}") {
            let (short, long) = ordered(a.as_bytes(), b.as_bytes());
            let whole = distance(short, long, 9);
            for limit in 0..4 {
                prop_assert_eq!(edits(&a, &b, limit), whole.min(limit + 1));
            }
        }

        #[test]
        fn measures_are_symmetric(a in "[a-d]{0,9}", b in "[a-d]{0,9}") {
            prop_assert_eq!(similarity(&a, &b), similarity(&b, &a));
            prop_assert_eq!(edits(&a, &b, 9), edits(&b, &a, 9));
            prop_assert!(similarity(&a, &b) <= 1000);
        }
    }
}
