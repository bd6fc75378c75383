//! A date in pieces: numbers, words and their order.

use std::sync::LazyLock;

use regex::Regex;

use super::{KNOWN_WORDS, MONTHS, without_accents};
use crate::model::country::Home;
use crate::model::date::{DateForm, DateOrder, UnreadDate};

/// A number with how many digits it has.
pub(super) type Number = (u32, usize);

/// Beginnings of the names of months that are one in Croatia and another in Poland and Czechia.
const OF_TWO_COUNTRIES: [(&str, u32, u32); 4] = [
    ("listopad", 10, 11),
    ("lis", 10, 11),
    ("lip", 6, 7),
    ("srp", 7, 8),
];

/// A number of which a character says that it is the year, without its century.
static SHORT_YEAR: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:^|\D)\d{1,3}\s*[年년]").ok());

/// A month as it is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Month {
    Sure(u32),
    /// In Croatia, and elsewhere.
    OfTwoCountries(u32, u32),
}

/// The parts of a written date.
pub(super) struct Pieces {
    pub(super) numbers: Vec<Number>,
    pub(super) month: Option<Month>,
    /// Whether the sign of the Buddhist era is beside the year.
    pub(super) buddhist: bool,
    /// Whether points part the numbers, as no country with the month first does.
    dotted: bool,
    /// Whether words between the numbers say that the day comes first, as in Vietnamese.
    day_first: bool,
}

impl Pieces {
    pub(super) fn of(text: &str) -> Result<Self, UnreadDate> {
        let mut pieces = Self {
            numbers: Vec::new(),
            month: None,
            buddhist: false,
            dotted: text.contains('.'),
            day_first: false,
        };
        let plain = without_points_in_words(text);
        for word in words(&plain) {
            pieces.take(&word.to_lowercase(), word)?;
        }
        let is_short = SHORT_YEAR
            .as_ref()
            .is_some_and(|short| short.is_match(text));
        if pieces.numbers.len() > 3 || is_short {
            return Err(UnreadDate::NoDate);
        }
        Ok(pieces)
    }

    fn take(&mut self, word: &str, written: &str) -> Result<(), UnreadDate> {
        if word.starts_with(|letter: char| letter.is_ascii_digit()) {
            let number = word.parse().map_err(|_| UnreadDate::NoDate)?;
            self.numbers.push((number, word.len()));
        } else if let Some(month) =
            month(word, written).filter(|_| self.month.is_none() || self.month == WEEKDAY_OR_MARCH)
        {
            self.month = Some(month);
        } else if matches!(word, "tháng" | "năm") {
            self.day_first = true;
        } else if matches!(word, "พศ" | "be") {
            self.buddhist = true;
        } else if !matches!(word, "年" | "月" | "日" | "년" | "월" | "일" | "号" | "t")
            && !KNOWN_WORDS.contains(word)
        {
            return Err(UnreadDate::NoDate);
        }
        Ok(())
    }

    /// The month that a word names; none where it depends on the language and nothing says which.
    fn named_month(&self, home: Home) -> Result<Option<u32>, UnreadDate> {
        let (croatian, other) = match self.month {
            None => return Ok(None),
            Some(Month::Sure(month)) => return Ok(Some(month)),
            Some(Month::OfTwoCountries(croatian, other)) => (croatian, other),
        };
        match home {
            Home::In(country) if matches!(country.code(), "HR" | "BA") => Ok(Some(croatian)),
            Home::Unsaid | Home::Unknown if self.dotted => Err(UnreadDate::Order),
            _ => Ok(Some(other)),
        }
    }

    pub(super) fn date(&self, form: DateForm, home: Home) -> Result<(u32, u32, u32), UnreadDate> {
        let (year, month, day) = match (self.numbers.as_slice(), self.named_month(home)?) {
            ([(year, 4), (month, 1..=2), (day, 1..=2)], None) => (*year, *month, *day),
            ([(first, 1..=2), (second, 1..=2), (third, 2 | 4)], None) => {
                let is_whole = self.numbers.last().is_some_and(|(_, digits)| *digits == 4);
                self.ordered([*first, *second, *third], is_whole, form, home)?
            }
            ([(year, 4), (day, 1..=2)], Some(month)) => (*year, month, *day),
            ([(day, 1..=2), (year, digits @ (2 | 4))], Some(month)) => {
                if *digits == 2 && *day > 31 {
                    (full_year(*day), month, *year)
                } else {
                    (
                        if *digits == 2 {
                            full_year(*year)
                        } else {
                            *year
                        },
                        month,
                        *day,
                    )
                }
            }
            ([(_, 4)], _) | ([(_, 4), (_, 1..=2)] | [(_, 1..=2), (_, 4)], None) => {
                return Err(UnreadDate::Partial);
            }
            _ => return Err(UnreadDate::NoDate),
        };
        let year = if self.buddhist && !form.buddhist {
            year.saturating_sub(543)
        } else {
            year
        };
        Ok((year, month, day))
    }

    /// Three numbers of which the last is the year, unless the source begins with it.
    fn ordered(
        &self,
        [first, second, third]: [u32; 3],
        is_whole: bool,
        form: DateForm,
        home: Home,
    ) -> Result<(u32, u32, u32), UnreadDate> {
        if form.order == Some(DateOrder::YearFirst) && third < 100 {
            return Ok((full_year(first), second, third));
        }
        let year = if is_whole { third } else { full_year(third) };
        let country = match home {
            Home::In(country) => country.is_day_first(),
            Home::Unsaid | Home::Unknown => None,
        };
        let day_first = match form.order {
            _ if self.day_first => Some(true),
            Some(order) => Some(order == DateOrder::DayFirst),
            None => country.filter(|day_first| *day_first || !self.dotted),
        };
        let is_month = |number: u32| (1..=12).contains(&number);
        let is_day = |number: u32| (1..=31).contains(&number);
        let (as_day, as_month) = (
            is_day(first) && is_month(second),
            is_month(first) && is_day(second),
        );
        match (as_day, as_month, day_first) {
            (true, true, _) if first == second => Ok((year, first, second)),
            (true, true, None) => Err(UnreadDate::Order),
            // Where neither order gives a day, the digits are those of a typing error.
            (true, true, Some(true)) | (true, false, _) | (false, false, Some(true)) => {
                Ok((year, second, first))
            }
            (true, true, Some(false)) | (false, true, _) | (false, false, Some(false)) => {
                Ok((year, first, second))
            }
            (false, false, None) => Err(UnreadDate::NoSuchDay),
        }
    }
}

/// Two digits are of the last hundred years, as of 2030: nobody's birth is later.
fn full_year(year: u32) -> u32 {
    match year {
        0..=30 => 2000 + year,
        31..=99 => 1900 + year,
        other => other,
    }
}

/// `mar` is Tuesday too, before another month.
const WEEKDAY_OR_MARCH: Option<Month> = Some(Month::Sure(3));

/// The month of a name or a Roman number; in Hebrew the name has the preposition before it.
fn month(word: &str, written: &str) -> Option<Month> {
    let known = |word: &str| MONTHS.get(word).copied();
    let named = |word: &str| known(word).or_else(|| known(&without_accents(word)));
    let number = || {
        const ROMAN: [&str; 12] = [
            "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii",
        ];
        let month = ROMAN.iter().zip(1..).find(|(roman, _)| **roman == word)?.1;
        // An X is also what stands for a number that is not known.
        let is_one_letter = written.len() == 1 && (word == "x" || word == written);
        (!is_one_letter).then_some(month)
    };
    let month = named(word)
        .or_else(|| named(word.strip_prefix('ב')?))
        .or_else(number)?;
    let of_two = OF_TWO_COUNTRIES
        .iter()
        .find(|(begin, ..)| *begin == word || begin.len() > LEAST_WHOLE && word.starts_with(begin));
    Some(of_two.map_or(Month::Sure(month), |(_, croatian, other)| {
        Month::OfTwoCountries(*croatian, *other)
    }))
}

/// A shorter name is an abbreviation.
const LEAST_WHOLE: usize = 3;

/// Abbreviations such as `พ.ค.` as one word.
fn without_points_in_words(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let is_letter = |index: Option<usize>| {
        index
            .and_then(|index| letters.get(index))
            .is_some_and(|letter| letter.is_alphabetic() || is_mark(*letter))
    };
    let kept = letters.iter().enumerate().filter(|(index, letter)| {
        **letter != '.' || !is_letter(index.checked_sub(1)) || !is_letter(Some(index + 1))
    });
    kept.map(|(_, letter)| *letter).collect()
}

/// Runs of digits and runs of letters.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start: Option<(usize, bool)> = None;
    for (index, letter) in text.char_indices().chain([(text.len(), ' ')]) {
        let is_digit = letter.is_ascii_digit();
        let is_word = is_digit || letter.is_alphanumeric() || is_mark(letter);
        let goes_on = start.is_some_and(|(_, digits)| is_word && digits == is_digit);
        if goes_on {
            continue;
        }
        if let Some((from, _)) = start.take() {
            words.push(&text[from..index]);
        }
        start = is_word.then_some((index, is_digit));
    }
    words
}

fn is_mark(letter: char) -> bool {
    unicode_normalization::char::is_combining_mark(letter)
}
