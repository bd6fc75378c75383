//! Dates of birth as people and forms write them.

/// A date, or what can be read of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::identity) struct Date {
    pub(in crate::identity) year: u16,
    pub(in crate::identity) month: u8,
    pub(in crate::identity) day: u8,
}

/// What forms that insist on a date are given.
const PLACEHOLDERS: [(u16, u8, u8); 8] = [
    (1800, 1, 1),
    (1900, 1, 1),
    (1901, 1, 1),
    (1970, 1, 1),
    (1753, 1, 1),
    (1111, 11, 11),
    (1899, 12, 30),
    (1899, 12, 31),
];

impl Date {
    /// Reads ISO dates with any separator, `YYYYMMDD`, `month/day/year` (`day/month/year` where
    /// only that can be), two-digit years, and months by name. A month or day that cannot be is
    /// kept: its digits are still those of a typing error.
    pub(in crate::identity) fn parse(raw: &str) -> Option<Self> {
        let (numbers, named) = pieces(raw)?;
        let date = match (numbers.as_slice(), named) {
            ([(year, 4), (month, _), (day, _)], None) => Self::new(*year, *month, *day)?,
            ([(all, 8)], None) => Self::new(all / 10_000, all / 100 % 100, all % 100)?,
            ([(first, 1..=2), (second, 1..=2), (year, digits)], None) => {
                let year = full_year(*year, *digits)?;
                let (month, day) = if *first > 12 {
                    (second, first)
                } else {
                    (first, second)
                };
                Self::new(year, *month, *day)?
            }
            ([(day, 1..=2), (year, digits)], Some(month)) => {
                Self::new(full_year(*year, *digits)?, month, *day)?
            }
            _ => return None,
        };
        let plausible = (1800..=2100).contains(&date.year);
        (plausible && !PLACEHOLDERS.contains(&(date.year, date.month, date.day))).then_some(date)
    }

    fn new(year: u32, month: u32, day: u32) -> Option<Self> {
        let (month, day) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
        (month < 100 && day < 100).then_some(Self {
            year: u16::try_from(year).ok()?,
            month,
            day,
        })
    }

    /// Whether there is such a day.
    pub(in crate::identity) fn is_well_formed(self) -> bool {
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

    /// As eight digits.
    pub(in crate::identity) fn digits(self) -> [u8; 8] {
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

/// A number with how many digits it has.
type Number = (u32, usize);

/// The numbers of a text with their lengths, and the month that is named.
fn pieces(raw: &str) -> Option<(Vec<Number>, Option<u32>)> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    // A time of day says nothing.
    let date = raw
        .split(['T', ','])
        .next()
        .filter(|_| raw.contains("T0"))
        .unwrap_or(raw);
    let mut numbers = Vec::new();
    let mut month = None;
    for piece in date
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|piece| !piece.is_empty())
    {
        if piece.bytes().all(|byte| byte.is_ascii_digit()) {
            numbers.push((piece.parse().ok()?, piece.len()));
        } else if let Some(index) = piece.get(..3).and_then(|start| position(&MONTHS, start)) {
            month = Some(u32::try_from(index).unwrap_or(0) + 1);
        } else {
            return None;
        }
    }
    (numbers.len() <= 3).then_some((numbers, month))
}

fn position(months: &[&str], start: &str) -> Option<usize> {
    months
        .iter()
        .position(|month| month.eq_ignore_ascii_case(start))
}

/// Two digits are of the last hundred years, as of 2030: nobody's birth is later.
fn full_year(year: u32, digits: usize) -> Option<u32> {
    match (digits, year) {
        (4, _) => Some(year),
        (1..=2, 0..=30) => Some(2000 + year),
        (1..=2, _) => Some(1900 + year),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Option<String> {
        Date::parse(raw).map(|date| date.to_string())
    }

    #[test]
    fn dates_are_read_as_they_are_written() {
        for (raw, expected) in [
            ("1987-10-28", "1987-10-28"),
            ("1970/10/31", "1970-10-31"),
            ("19371233", "1937-12-33"),
            ("30-01-1996", "1996-01-30"),
            ("01-30-1996", "1996-01-30"),
            ("4/2/31", "1931-04-02"),
            ("17-May-90", "1990-05-17"),
            ("Mar 1 1970", "1970-03-01"),
            ("1999-12-10T00:00:00Z", "1999-12-10"),
        ] {
            assert_eq!(read(raw).as_deref(), Some(expected), "{raw}");
        }
    }

    #[test]
    fn what_is_no_date_or_stands_for_none_is_not_read() {
        for raw in [
            "",
            "none",
            "1900-01-01",
            "1970-01-01",
            "9999-12-31",
            "12",
            "1987-10-28-3",
            "Smarch 3 1990",
        ] {
            assert_eq!(read(raw), None, "{raw}");
        }
    }

    #[test]
    fn a_day_that_cannot_be_is_read_but_not_well_formed() {
        let well_formed = |raw| Date::parse(raw).is_some_and(Date::is_well_formed);
        assert!(well_formed("2000-02-29") && well_formed("1987-12-31"));
        assert!(
            !well_formed("1900-02-29") && !well_formed("19371233") && !well_formed("1987-13-01")
        );
    }
}
