//! Countries: of a source, or of what a record says.
//!
//! A country decides how a telephone number without calling code and a date without a named month
//! are read. It is taken by its ISO 3166 code of two or three letters, or by its name in one of the
//! larger languages. A text that is no country makes what depends on it unreadable rather than that
//! of another country.
//!
//! Source: `countries.txt` has codes of ISO 3166-1 and names of Unicode CLDR (Unicode-3.0 licence).

use std::collections::HashMap;
use std::sync::LazyLock;

use super::normalize::clean;

const COUNTRIES: &str = include_str!("country/countries.txt");

/// Texts of a country field that name no country.
const NOTHING: [&str; 12] = [
    "",
    "-",
    "--",
    "?",
    "n/a",
    "na",
    "none",
    "null",
    "nil",
    "nan",
    "unknown",
    "undefined",
];

/// Countries that write the month before the day.
///
/// Source: Unicode CLDR, `dateFormats/short`.
const MONTH_FIRST: [&str; 9] = ["US", "AS", "FM", "GU", "MH", "MP", "PR", "PW", "VI"];
/// Countries in which both orders are common, or where dates begin with the year, so that a date
/// that ends in the year has no order of its own.
const NO_ORDER: [&str; 9] = ["CA", "PH", "CN", "JP", "KR", "KP", "TW", "MN", "HU"];

static BY_NAME: LazyLock<HashMap<&'static str, Country>> = LazyLock::new(|| {
    let mut all = HashMap::new();
    for line in COUNTRIES.lines() {
        let mut columns = line.split('\t');
        let (Some(code), Some(long), Some(names)) =
            (columns.next(), columns.next(), columns.next())
        else {
            continue;
        };
        let [first, second] = code.as_bytes() else {
            continue;
        };
        let country = Country([*first, *second]);
        all.extend([code, long].into_iter().map(|name| (name, country)));
        all.extend(names.split('|').map(|name| (name, country)));
    }
    all
});

/// A country by its ISO 3166 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// Reads a code or a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let folded: String = clean(text)
            .to_lowercase()
            .chars()
            .filter(|letter| !matches!(letter, '.' | '\'' | '’'))
            .collect();
        let folded = folded.split_whitespace().collect::<Vec<_>>().join(" ");
        let code = folded.to_uppercase();
        let known = BY_NAME.get(code.as_str()).filter(|_| folded.is_ascii());
        known.or_else(|| BY_NAME.get(folded.as_str())).copied()
    }

    /// The code, such as `DE`.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The two letters of the code.
    pub(crate) fn letters(self) -> [u8; 2] {
        self.0
    }

    /// Whether the day comes before the month in dates that end in the year; `None` where both
    /// are usual.
    #[must_use]
    pub fn is_day_first(self) -> Option<bool> {
        let is_in = |countries: &[&str]| countries.contains(&self.code());
        (!is_in(&NO_ORDER)).then(|| !is_in(&MONTH_FIRST))
    }
}

/// The country whose habits a value follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Home {
    /// Nothing says one: defaults hold.
    #[default]
    Unsaid,
    /// A country is said, and it is none that is known: nothing that depends on it is read.
    Unknown,
    /// The country that the record or its source names.
    In(Country),
}

impl Home {
    /// The home that a country field names.
    #[must_use]
    pub fn said(text: &str) -> Self {
        if NOTHING.contains(&clean(text).to_lowercase().as_str()) {
            return Self::Unsaid;
        }
        Country::parse(text).map_or(Self::Unknown, Self::In)
    }

    /// This, or another where nothing is said.
    #[must_use]
    pub fn or(self, other: Option<Country>) -> Self {
        match (self, other) {
            (Self::Unsaid, Some(country)) => Self::In(country),
            _ => self,
        }
    }

    /// The region of telephone numbers without calling code.
    pub(super) fn region<'r>(&'r self, default: &'r str) -> Option<&'r str> {
        match self {
            Self::Unsaid => Some(default),
            Self::Unknown => None,
            Self::In(country) => Some(country.code()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_read_by_code_and_by_name() {
        for (text, code) in [
            ("de", "DE"),
            ("DEU", "DE"),
            ("Germany", "DE"),
            (" Deutschland ", "DE"),
            ("U.S.A.", "US"),
            ("United States", "US"),
            ("UK", "GB"),
            ("Brasil", "BR"),
            ("中国", "CN"),
            ("日本", "JP"),
            ("Россия", "RU"),
            ("Türkiye", "TR"),
            ("Côte d’Ivoire", "CI"),
        ] {
            assert_eq!(
                Country::parse(text).map(|c| c.code().to_owned()).as_deref(),
                Some(code),
                "{text}"
            );
        }
        assert_eq!(Country::parse("Atlantis"), None);
    }

    #[test]
    fn a_country_that_is_not_known_is_not_the_default_one() {
        assert_eq!(
            Home::said("Atlantis").or(Country::parse("DE")),
            Home::Unknown
        );
        assert_eq!(
            Home::said("n/a").or(Country::parse("DE")).region("US"),
            Some("DE")
        );
        assert_eq!(Home::said("").region("US"), Some("US"));
    }
}
