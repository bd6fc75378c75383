//! Streets and house numbers: words in their short forms, the number apart. The line may go on with
//! town and postal code.

use std::borrow::Cow;

use super::name::Word;
use crate::identity::text;

/// House number, unit and street.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::identity) struct Street {
    /// The house number, with its letter: `12`, `12a`, `12bis`.
    pub(in crate::identity) number: Option<String>,
    /// The numbers of flat, floor or door.
    pub(in crate::identity) unit: Vec<String>,
    /// What tells the street from others: no kind of street, no direction.
    pub(in crate::identity) words: Vec<Word>,
    /// Those words joined.
    pub(in crate::identity) name: String,
    /// Everything, in short forms.
    pub(in crate::identity) whole: Word,
}

impl Street {
    pub(super) fn parse(raw: &str) -> Option<Self> {
        let folded = text::fold(raw);
        // `#321, Street 128`: number 321.
        let folded = folded.trim_start_matches([' ', '#']);
        let folded = if folded.contains('#') {
            Cow::Owned(folded.replace('#', " apt "))
        } else {
            Cow::Borrowed(folded)
        };
        let tokens = folded
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .filter(|token| !token.is_empty());
        let tokens: Vec<&str> = tokens
            .map(short)
            .filter(|token| !matches!(*token, "nan" | "null" | "no"))
            .collect();
        let (number, unit) = numbers(&tokens);
        let mut named: Vec<&str> = tokens
            .iter()
            .copied()
            .filter(|token| !is_common(token))
            .take(8)
            .collect();
        if named.is_empty() {
            // A grid of numbered streets: `624 N 200 E`.
            named.extend(tokens.iter().skip(1).take(8));
        }
        let name = named.concat();
        let words: Vec<Word> = named.into_iter().map(Word::new).collect();
        (!name.is_empty()).then(|| Self {
            number,
            unit,
            name,
            words,
            whole: Word::new(tokens.concat()),
        })
    }

    /// Whether both name a flat of one house, and not the same one.
    pub(in crate::identity) fn is_another_flat(&self, other: &Self) -> bool {
        let within = |a: &Self, b: &Self| a.words.iter().all(|word| b.words.contains(word));
        self.number == other.number
            && (within(self, other) || within(other, self))
            && self.is_another_home(other)
    }

    /// Whether both name a house or a flat, and not the same one: another home.
    pub(in crate::identity) fn is_another_home(&self, other: &Self) -> bool {
        let number = |a: &Option<String>, b: &Option<String>| match (a, b) {
            (Some(a), Some(b)) => a != b,
            _ => false,
        };
        // One may leave out the flat, or the floor.
        let has_more = |a: &[String], b: &[String]| a.iter().any(|part| !b.contains(part));
        let unit = has_more(&self.unit, &other.unit) && has_more(&other.unit, &self.unit);
        number(&self.number, &other.number) || unit
    }
}

/// The house number and the numbers of the unit. The first number is the house's, but for one that
/// a word such as `apt` names; a number with five digits or more is a postal code.
fn numbers(tokens: &[&str]) -> (Option<String>, Vec<String>) {
    let (mut number, mut unit): (Option<String>, Vec<String>) = (None, Vec::new());
    let mut after_unit = false;
    let mut place = 0;
    while let Some(token) = tokens.get(place) {
        place += 1;
        let is_number = token
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_digit());
        let is_code = token.len() >= 5 && token.bytes().all(|byte| byte.is_ascii_digit());
        let names_unit = is_unit(token);
        if is_number && !is_ordinal(token) && !is_code {
            let mut value = without_counter(token.trim_start_matches('0')).to_owned();
            if let Some(letter) = tokens.get(place).filter(|next| is_number_letter(next)) {
                value.push_str(letter);
                place += 1;
            }
            if number.is_none() && !after_unit {
                number = Some(value);
            } else {
                unit.push(value);
            }
        } else if after_unit && token.len() == 1 {
            unit.push((*token).to_owned());
        }
        after_unit = names_unit;
    }
    unit.sort_unstable();
    unit.dedup();
    (number, unit)
}

/// A number without the word of East Asia that says what it counts: blocks, houses, floors, rooms.
fn without_counter(token: &str) -> &str {
    let digits = token.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
    match &token[digits.len()..] {
        "ding" | "fan" | "hao" | "shi" | "jie" | "lou" | "ceng" | "dong" | "ho" | "ga" | "beon"
        | "beongil" | "cho" | "chome" | "ban" | "go" => digits,
        _ => token,
    }
}

/// What belongs to the number before it: `12 a`, `12 bis`. A direction does not.
fn is_number_letter(token: &str) -> bool {
    matches!(token, "bis" | "ter" | "quater")
        || token.len() == 1
            && token.bytes().all(|byte| byte.is_ascii_lowercase())
            && !matches!(token, "n" | "s" | "e" | "w")
}

/// `40th` names a street.
fn is_ordinal(token: &str) -> bool {
    let digits = token.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
    matches!(&token[digits.len()..], "st" | "nd" | "rd" | "th")
}

/// Words before the number of a flat, floor or door, in short form.
fn is_unit(token: &str) -> bool {
    matches!(
        token,
        "apt"
            | "ste"
            | "unit"
            | "fl"
            | "flat"
            | "rm"
            | "room"
            | "appt"
            | "apto"
            | "ap"
            | "piso"
            | "lok"
            | "m"
            | "wohnung"
            | "whg"
            | "top"
            | "kv"
            | "kvartira"
            | "daire"
            | "int"
            | "interno"
            | "esc"
            | "puerta"
    )
}

/// What says nothing of which street it is.
fn is_common(token: &str) -> bool {
    let first_digit = token
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit());
    first_digit && token.bytes().all(|byte| byte.is_ascii_digit())
        || matches!(
            token,
            "st" | "rd"
                | "ave"
                | "dr"
                | "ln"
                | "ct"
                | "cir"
                | "blvd"
                | "pl"
                | "way"
                | "ter"
                | "hwy"
                | "pkwy"
                | "sq"
                | "cres"
                | "n"
                | "s"
                | "e"
                | "w"
                | "ne"
                | "nw"
                | "se"
                | "sw"
                | "apt"
                | "ste"
                | "unit"
                | "fl"
                | "the"
        )
}

/// The short form of a word.
fn short(token: &str) -> &str {
    match token {
        "street" | "str" | "strasse" => "st",
        "road" => "rd",
        "avenue" | "av" => "ave",
        "drive" => "dr",
        "lane" => "ln",
        "court" => "ct",
        "circle" => "cir",
        "boulevard" => "blvd",
        "place" => "pl",
        "terrace" => "ter",
        "highway" => "hwy",
        "parkway" => "pkwy",
        "square" => "sq",
        "crescent" => "cres",
        "north" => "n",
        "south" => "s",
        "east" => "e",
        "west" => "w",
        "northeast" => "ne",
        "northwest" => "nw",
        "southeast" => "se",
        "southwest" => "sw",
        "apartment" => "apt",
        "suite" => "ste",
        "floor" => "fl",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_and_what_names_the_street_are_taken_out() {
        let read = |raw: &str| {
            Street::parse(raw).map(|street| (street.number.unwrap_or_default(), street.name))
        };
        assert_eq!(
            read("1245 North Main Street"),
            Some(("1245".to_owned(), "main".to_owned()))
        );
        assert_eq!(
            read("Ansbacher Straße 23"),
            Some(("23".to_owned(), "ansbacher".to_owned()))
        );
        assert_eq!(
            read("624 N 200 E"),
            Some(("624".to_owned(), "n200e".to_owned()))
        );
        assert_eq!(read(" "), None);
    }

    #[test]
    fn another_house_or_flat_is_another_home() {
        for (a, b) in [
            ("12 Alder Grove Apt 3", "12 Alder Grove Apt 4"),
            ("12 Alder Grove #3", "12 Alder Grove #14"),
            ("Unit 3, 12 Alder Grove", "Unit 12, 12 Alder Grove"),
            ("12a Alder Grove", "12b Alder Grove"),
            ("112 Alder Grove", "12 Alder Grove"),
            ("12 Alder Grove", "21 Alder Grove"),
            ("PO Box 112", "PO Box 998"),
            ("Flat 1, 12 Alder Grove", "Flat 9, 12 Alder Grove"),
            ("Calle Mayor 5, 3º B", "Calle Mayor 5, 1º A"),
            ("ul. Długa 12/5", "ul. Długa 12/7"),
            ("北京路12号", "北京路13号"),
            ("12 bis rue Lepic", "12 rue Lepic"),
            ("元町6丁目6-18 メゾン青葉504号室", "元町6-6-18-106"),
            ("555. Sokak No: 9/6", "555. Sokak No: 9/7"),
        ] {
            assert!(another(a, b) && another(b, a), "{a} | {b}");
        }
        for (a, b) in [
            ("12 Alder Grove Apt 3", "12 Alder Grove"),
            ("12 Alder Grove, Apt. 3", "Apt 3, 12 Alder Grove"),
            ("12 A Alder Grove", "12a Alder Grove"),
            ("71 14th Main Rd", "71, 14th Main Road"),
            ("41 Lewis Street Apt. 15", "41 Lewis St #15"),
            ("Alder Grove", "12 Alder Grove"),
            ("555. Sokak No:9", "555. Sokak No: 9/7"),
            ("元町3丁目3番16号", "元町3-3-16"),
            ("緑町3丁目11-5", "緑町3-11-5"),
        ] {
            assert!(!another(a, b), "{a} | {b}");
        }
    }

    fn another(a: &str, b: &str) -> bool {
        let read = |raw: &str| Street::parse(raw).expect("a street");
        read(a).is_another_home(&read(b))
    }
}
