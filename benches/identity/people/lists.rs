//! Names of people, towns and streets, and how frequent each is.
//!
//! The frequent names of people are those of the retailer's sample, the rare ones are made of
//! syllables. How frequent: by Zipf's law as Mandelbrot has it, one over (rank + shift). With the
//! shifts here, one in a hundred and fifty has the most frequent family name (one in 120 is a Smith
//! in the United States), one in a hundred the most frequent given name.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::random::Random;

pub(super) const WAYS: [&str; 6] = ["St", "Ave", "Rd", "Dr", "Lane", "Court"];
pub(super) const MAIL: [&str; 7] = [
    "gmail.com",
    "yahoo.com",
    "outlook.com",
    "hotmail.com",
    "icloud.com",
    "aol.com",
    "comcast.net",
];
pub(super) const AREAS: [&str; 24] = [
    "201", "202", "206", "212", "213", "215", "303", "305", "312", "313", "404", "408", "415",
    "503", "512", "602", "614", "617", "702", "713", "718", "804", "816", "919",
];

/// All lists.
pub(crate) struct Lists {
    pub(super) given: List,
    pub(super) family: List,
    pub(super) towns: List,
    pub(super) streets: List,
}

impl Lists {
    /// Reads the names of the retailer's sample.
    pub(crate) fn read(sample: &Path) -> std::io::Result<Self> {
        Ok(Self {
            given: List::new(column(sample, "first_name")?, 3_000, 20),
            family: List::new(column(sample, "last_name")?, 60_000, 20),
            towns: List::new(Vec::new(), 20_000, 10),
            streets: List::new(Vec::new(), 3_000, 20),
        })
    }
}

/// Words, the most frequent first.
pub(super) struct List {
    words: Vec<String>,
    /// The sum of the weights up to each.
    sums: Vec<f64>,
    ranks: HashMap<String, u64>,
}

impl List {
    /// `known` first, then made-up words, up to so many.
    fn new(known: Vec<String>, count: usize, shift: u32) -> Self {
        let mut words = known;
        let mut ranks: HashMap<String, u64> = words.iter().cloned().zip(0..).collect();
        let mut number = 0;
        while words.len() < count {
            let word = made_up(number);
            number += 1;
            if !ranks.contains_key(&word) {
                ranks.insert(word.clone(), words.len() as u64);
                words.push(word);
            }
        }
        let mut sum = 0.0;
        let mut weigh = |rank: u32| {
            sum += 1.0 / f64::from(rank + shift);
            sum
        };
        let sums = (1..).take(words.len()).map(&mut weigh).collect();
        Self { words, sums, ranks }
    }

    /// One of them, by how frequent it is.
    pub(super) fn pick(&self, random: &mut Random) -> &str {
        let total = self.sums.last().copied().unwrap_or_default();
        let share =
            f64::from(u32::try_from(random.next() >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX);
        let place = self.sums.partition_point(|sum| *sum < share * total);
        &self.words[place.min(self.words.len() - 1)]
    }

    pub(super) fn rank(&self, word: &str) -> u64 {
        self.ranks.get(word).copied().unwrap_or_default()
    }
}

/// A word of three syllables and an end.
fn made_up(number: u64) -> String {
    const BEGIN: [&str; 20] = [
        "b", "br", "c", "d", "f", "g", "gr", "h", "j", "k", "l", "m", "n", "p", "r", "s", "st",
        "t", "v", "w",
    ];
    const MIDDLE: [&str; 6] = ["a", "e", "i", "o", "u", "ei"];
    const END: [&str; 12] = [
        "", "ck", "ll", "n", "nd", "r", "rt", "s", "t", "man", "son", "berg",
    ];
    let mut random = Random::of("word", number);
    let mut word = String::new();
    for _ in 0..2 + random.below(2) {
        word.push_str(random.of_few(&BEGIN));
        word.push_str(random.of_few(&MIDDLE));
    }
    word.push_str(random.of_few(&END));
    word[..1].to_uppercase() + &word[1..]
}

/// The values of a column, the most frequent first.
fn column(file: &Path, name: &str) -> std::io::Result<Vec<String>> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for row in csv::Reader::from_path(file)?.deserialize::<BTreeMap<String, String>>() {
        let mut row = row?;
        let word = row.remove(name).unwrap_or_default().to_lowercase();
        if word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_lowercase()) {
            *counts
                .entry(word[..1].to_uppercase() + &word[1..])
                .or_default() += 1;
        }
    }
    let mut words: Vec<_> = counts.into_iter().collect();
    words.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Ok(words.into_iter().map(|(word, _)| word).collect())
}
