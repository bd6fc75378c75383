//! Dates of birth as people, databases and spreadsheets write them.
//!
//! - **Nothing is guessed.** Which of two numbers is the month follows from the numbers, or is
//!   declared: by the source, or by the country of the record. Numbers of days (of a spreadsheet)
//!   and of seconds, dates of eight digits that do not begin with the year, and years of other
//!   calendars without their sign are read only where the source declares them.
//! - **The day is the one that is written**, whatever time of day and zone follow it. One form has
//!   no day that is sure: `1990-05-16T22:00:00.000Z` is what a browser east of Greenwich makes of
//!   midnight on the 17th. It is not read.
//! - **What forms that insist on a date are given says nothing**: the first days of calendars and
//!   of systems, the first of January of a round year, and days such as 30 February.
//!
//! Months are known by their names in the languages of `months.txt` (names of Unicode CLDR,
//! Unicode-3.0 licence).

mod read;
#[cfg(test)]
mod tests;

use super::country::Home;
use super::placeholder::Placeholders;
use crate::choices::choices;

use read::{of_iso, read};

/// A date, or what can be read of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// 1800 to 2100.
    pub year: u16,
    /// A month that cannot be is kept: its digits are still those of a typing error.
    pub month: u8,
    /// The same goes for the day.
    pub day: u8,
}

choices! {
    /// Which number of a date comes first.
    pub enum DateOrder as "DateOrder" {
        /// `17/05/1990`.
        DayFirst = "day_first",
        /// `05/17/1990`.
        MonthFirst = "month_first",
        /// `90/05/17`.
        YearFirst = "year_first",
    }
}

choices! {
    /// The unit that a bare number counts.
    pub enum DateNumbers as "DateNumbers" {
        /// Days since 1899-12-30, as spreadsheets count.
        Excel = "excel",
        /// Seconds since 1970.
        UnixSeconds = "unix_seconds",
        /// Milliseconds since 1970.
        UnixMilliseconds = "unix_milliseconds",
    }
}

/// How a source writes dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DateForm {
    /// The order of numbers. `None`: that of the record's country.
    pub order: Option<DateOrder>,
    /// What a bare number counts. `None`: it is not read.
    pub numbers: Option<DateNumbers>,
    /// Whether years are of the Buddhist era, 543 more.
    pub buddhist: bool,
}

impl DateForm {
    /// Nothing is declared.
    pub(in crate::model) const NONE: Self = Self {
        order: None,
        numbers: None,
        buddhist: false,
    };
}

/// Why a text is not read as a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum UnreadDate {
    /// None of the forms.
    #[error("is no date")]
    NoDate,
    /// Neither the source nor the country says which number is the month.
    #[error(
        "can be read with the day or the month first: declare the source's `dates.order` or its `country`"
    )]
    Order,
    /// A number that may count anything.
    #[error(
        "is a bare number: declare the source's `dates.numbers`, or `dates.order` for DDMMYYYY"
    )]
    Number,
    /// Midnight somewhere east of Greenwich.
    #[error("is midnight of the next day somewhere east of Greenwich, so the day is not known")]
    Shifted,
    /// A year or a month alone.
    #[error("has no day")]
    Partial,
    /// No such day.
    #[error("is a day that does not exist")]
    NoSuchDay,
    /// No year in which a living person was born.
    #[error("is of a year before 1800 or after 2100")]
    Year,
    /// A day that is given where no date is known.
    #[error("stands for no date: forms and systems give it where none is known")]
    Placeholder,
}

/// Days that people give to forms that insist on a date, and ends of the clocks of systems.
const PLACEHOLDERS: [(u16, u8, u8); 23] = [
    (1800, 1, 1),
    (1858, 11, 17),
    (1899, 12, 29),
    (1899, 12, 30),
    (1899, 12, 31),
    (1900, 1, 2),
    (1901, 1, 1),
    (1901, 12, 13),
    (1901, 12, 14),
    (1900, 12, 31),
    (1910, 10, 10),
    (1911, 11, 11),
    (1912, 12, 12),
    (1904, 1, 1),
    (1904, 1, 2),
    (1969, 12, 31),
    (1970, 1, 2),
    (2001, 1, 1),
    (2038, 1, 18),
    (2038, 1, 19),
    (2079, 6, 6),
    (2099, 12, 31),
    (2100, 12, 31),
];

impl Date {
    /// Reads a date of a record of that country.
    ///
    /// # Errors
    /// Why it is none, or says nothing.
    pub fn parse(
        raw: &str,
        form: DateForm,
        home: Home,
        placeholders: &Placeholders,
    ) -> Result<Self, UnreadDate> {
        let date = of_iso(raw, form).unwrap_or_else(|| read(raw, form, home))?;
        if placeholders.has_date(date) {
            return Err(UnreadDate::Placeholder);
        }
        let is_made_up = date.month == 0
            || date.day == 0
            || (date.month == 2 && matches!(date.day, 29..=31) && !date.is_well_formed());
        if is_made_up {
            return Err(UnreadDate::NoSuchDay);
        }
        Ok(date)
    }

    fn new(year: u32, month: u32, day: u32) -> Result<Self, UnreadDate> {
        if !(1800..=2100).contains(&year) {
            return Err(UnreadDate::Year);
        }
        let small = |number: u32| u8::try_from(number).ok().filter(|number| *number < 100);
        match (u16::try_from(year), small(month), small(day)) {
            (Ok(year), Some(month), Some(day)) => Ok(Self { year, month, day }),
            _ => Err(UnreadDate::NoSuchDay),
        }
    }

    /// Whether it is a day of the built-in list of placeholders, or the first day of a decade.
    pub(super) fn is_placeholder(self) -> bool {
        (self.month == 1 && self.day == 1 && self.year.is_multiple_of(10))
            || PLACEHOLDERS.contains(&(self.year, self.month, self.day))
    }

    /// Whether there is such a day.
    #[must_use]
    pub fn is_well_formed(self) -> bool {
        let leap = self.year.is_multiple_of(4)
            && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        let days = match self.month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        (1..=days).contains(&self.day)
    }

    /// Whether it is a first of January, which stands for a year of which the day is not known more
    /// often than for a birth.
    #[must_use]
    pub fn is_weak(self) -> bool {
        self.month == 1 && self.day == 1
    }

    /// As eight digits.
    #[must_use]
    pub fn digits(self) -> [u8; 8] {
        let digit = |number: u16| b'0' + u8::try_from(number % 10).unwrap_or(0);
        let (year, month, day) = (self.year, u16::from(self.month), u16::from(self.day));
        [
            digit(year / 1000),
            digit(year / 100),
            digit(year / 10),
            digit(year),
            digit(month / 10),
            digit(month),
            digit(day / 10),
            digit(day),
        ]
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}
