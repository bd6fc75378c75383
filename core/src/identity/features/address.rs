//! Streets and house numbers: words in their short forms, the number apart. The line may go on with
//! town and postal code.

mod words;

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::name::Word;
use crate::identity::text;
pub(super) use words::is_side;
use words::{
    is_block, is_code, is_common, is_grid, is_mixed, is_number_letter, is_ordinal, is_unit,
    of_ordinal_word, of_roman, short, with_ordinals, without_counter, without_ordinal,
};

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
        // `6ºD` is `6º D`.
        let folded = text::fold(&in_digits(&raw.replace(['º', 'ª'], " ")));
        // `#321, Street 128`: number 321.
        let folded = folded.trim_start_matches([' ', '#']);
        let folded = if let Some(rest) = folded.strip_prefix("c/") {
            Cow::Owned(format!("calle {rest}"))
        } else if folded.contains('#') {
            Cow::Owned(folded.replace('#', " apt "))
        } else {
            Cow::Borrowed(folded)
        };
        let tokens = with_ordinals(&folded);
        let tokens = tokens
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .filter(|token| !token.is_empty());
        let tokens: Vec<&str> = tokens
            .map(short)
            .filter(|token| !matches!(*token, "nan" | "null" | "no"))
            .collect();
        let Numbers { number, unit, rest } = numbers(&tokens);
        let others = rest;
        let mut named: Vec<&str> = others
            .iter()
            .copied()
            .filter(|token| !is_common(token))
            .take(8)
            .collect();
        if named.is_empty() {
            named.extend(others.iter().filter(|token| token.len() > 1).take(8));
        }
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

    /// Whether both name a home in one street, and not the same one.
    pub(in crate::identity) fn is_neighbour(&self, other: &Self) -> bool {
        let within = |a: &Self, b: &Self| a.words.iter().all(|word| b.words.contains(word));
        // `515. Sokak` and `1796. Sokak` are two streets.
        let is_named = |street: &Self| !matches!(street.name.as_str(), "sok" | "cad" | "mah");
        (is_named(self) || self.number == other.number)
            && (within(self, other) || within(other, self) || self.is_another_road(other))
            && self.is_another_home(other)
    }

    /// Whether both name a numbered road of one area, and not the same one: `3rd Main, 4th Cross`.
    fn is_another_road(&self, other: &Self) -> bool {
        let numbered = |street: &Self, wanted: bool| -> Vec<u64> {
            let words = street.words.iter();
            let mut all: Vec<u64> = words
                .filter(|word| is_ordinal(&word.text) == wanted)
                .map(|word| word.hash)
                .collect();
            all.sort_unstable();
            all
        };
        let (roads, area) = (numbered(self, true), numbered(self, false));
        !area.is_empty()
            && area == numbered(other, false)
            && roads.len() == numbered(other, true).len()
            && roads != numbered(other, true)
    }

    /// Whether both name a house or a flat, and not the same one: another home.
    pub(in crate::identity) fn is_another_home(&self, other: &Self) -> bool {
        let number = |a: &Option<String>, b: &Option<String>| match (a, b) {
            (Some(a), Some(b)) => a != b,
            _ => false,
        };
        // One may leave out the flat, or the floor.
        let count = |all: &[String], part: &String| all.iter().filter(|it| *it == part).count();
        let has_more =
            |a: &[String], b: &[String]| a.iter().any(|part| count(a, part) > count(b, part));
        let unit = has_more(&self.unit, &other.unit) && has_more(&other.unit, &self.unit);
        (number(&self.number, &other.number) || unit || self.is_another_road(other))
            && !self.has_the_numbers_of(other)
    }
}

impl Street {
    /// Whether both name a flat of a house with this number.
    pub(in crate::identity) fn are_flats_of_a_house(&self, other: &Self) -> bool {
        self.number.is_some()
            && self.number == other.number
            && !self.unit.is_empty()
            && !other.unit.is_empty()
    }

    /// Whether both have the same numbers in another order: `3/12 George St`, `12 George St #3`.
    fn has_the_numbers_of(&self, other: &Self) -> bool {
        let all = |street: &Self| {
            let mut all = street.unit.clone();
            all.extend(street.number.clone());
            all.sort_unstable();
            all
        };
        self.unit.len() == 1 && other.unit.len() == 1 && all(self) == all(other)
    }
}

/// The house number and the numbers of the unit. The first number is the house's, but for one that
/// a word such as `apt` names; a number with five digits or more is a postal code, unless it is the
/// only one and comes first.
fn numbers<'t>(tokens: &[&'t str]) -> Numbers<'t> {
    let (mut number, mut unit): (Option<String>, Vec<String>) = (None, Vec::new());
    let mut rest = Vec::new();
    let (mut after_unit, mut after_word) = (false, false);
    let mut place = 0;
    while let Some(token) = tokens.get(place) {
        place += 1;
        let next = tokens.get(place).copied();
        let names_unit = is_unit(token);
        if is_house_or_unit(token, next) {
            let digits = without_counter(token.trim_start_matches('0'));
            let is_floor = next.is_some_and(is_unit);
            let mut value = without_ordinal(digits, is_floor).to_owned();
            // `12 m. 5` is a house and its flat.
            let unit_follows = || {
                let behind = tokens.get(place + 1);
                is_floor && behind.is_some_and(|token| token.as_bytes()[0].is_ascii_digit())
            };
            if let Some(letter) = next.filter(|next| is_number_letter(next) && !unit_follows()) {
                value.push_str(letter);
                place += 1;
                if let Some(letter) = tokens.get(place).filter(|_| letter.len() > 1)
                    && letter.len() == 1
                    && is_number_letter(letter)
                {
                    value.push_str(letter); // `12 bis A`
                    place += 1;
                }
            } else if place == 1 && matches!(tokens.get(1..), Some(["1", "2", _, ..])) {
                value.push_str("half"); // `12 1/2 Alder Grove`
                place += 2;
            }
            if number.is_none() && !after_unit {
                number = Some(value);
            } else {
                unit.push(value);
            }
        } else if number.is_none() && is_grid(token) {
            number = Some((*token).to_owned());
        } else if let Some(value) =
            unit_word(token, next, number.is_some(), after_unit || after_word)
        {
            unit.push(value.to_owned());
        } else {
            rest.push(*token);
        }
        // `д. 12` and `Blk 12` are houses, `D:5` behind a house is a flat.
        let may_be_house = matches!(*token, "d" | "blk" | "block" | "building" | "bldg" | "haus");
        after_unit = names_unit && !(may_be_house && number.is_none());
        after_word = names_unit || is_side(token);
    }
    let number = number.or_else(|| long_number(tokens));
    unit.sort_unstable();
    Numbers { number, unit, rest }
}

/// The part of the unit that a word names: a floor, a part of a house, a letter beside a word for
/// units.
fn unit_word<'t>(
    token: &'t str,
    next: Option<&str>,
    has_number: bool,
    after_unit: bool,
) -> Option<&'t str> {
    let next_is_number = next.is_some_and(|next| next.as_bytes()[0].is_ascii_digit());
    let is_letter = token.len() == 1 && (after_unit || next.is_some_and(is_block));
    let floor = of_roman(token).filter(|_| has_number);
    floor
        .or_else(|| of_ordinal_word(token).filter(|_| next == Some("fl")))
        .or_else(|| {
            let is_part = is_letter || is_side(token) || is_mixed(token);
            (is_part || token == "top" && !next_is_number).then_some(token)
        })
}

/// A house number as long as a postal code: the first of several words, or behind one word, as in
/// `CS 11203`.
fn long_number(tokens: &[&str]) -> Option<String> {
    let code = match tokens {
        [_, code] if is_code(code) => code,
        [first, _, ..] if is_code(first) => first,
        _ => return None,
    };
    Some((*code).to_owned())
}

/// An address of East Asia with its numbers in digits, and an entrance (单元) as a number like
/// others: `中正路一段12號`, `元町1の2の3`.
fn in_digits(raw: &str) -> Cow<'_, str> {
    static NUMBERED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?x)([〇零一二三四五六七八九十]+)
            (段|丁目|番地|番|号|號|楼|樓|层|層|室|巷|弄|条|條|期|单元|栋|棟)",
        )
        .ok()
    });
    static OF: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(\d)\s*[のノ]\s*").ok());
    if raw.chars().all(|letter| letter < '\u{3000}') {
        return Cow::Borrowed(raw);
    }
    let number = |found: &Captures<'_>| format!("{}{}", of_characters(&found[1]), &found[2]);
    let raw = match NUMBERED.as_ref() {
        Some(numbered) => numbered.replace_all(raw, number),
        None => Cow::Borrowed(raw),
    };
    let raw = match OF.as_ref() {
        Some(of) => of.replace_all(&raw, "$1-"),
        None => raw,
    };
    Cow::Owned(raw.replace("单元", "室").replace("單元", "室"))
}

/// `二十一` is 21.
fn of_characters(characters: &str) -> u32 {
    let digit = |letter: char| "〇一二三四五六七八九".chars().position(|one| one == letter);
    let (mut sum, mut last) = (0, None);
    for letter in characters.chars() {
        if letter == '十' {
            sum += last.take().unwrap_or(1) * 10;
        } else {
            let value = u32::try_from(digit(letter).unwrap_or(0)).unwrap_or(0);
            last = Some(last.unwrap_or(0) * 10 + value);
        }
    }
    sum + last.unwrap_or(0)
}

/// The numbers of an address, and its other words.
struct Numbers<'t> {
    number: Option<String>,
    unit: Vec<String>,
    rest: Vec<&'t str>,
}

/// Whether a token is a number of a house, a floor or a flat. `40th` names a street, unless a floor
/// follows.
fn is_house_or_unit(token: &str, next: Option<&str>) -> bool {
    let is_number = token
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit());
    let is_floor = || next.is_some_and(|next| is_unit(next) && next != "d");
    is_number && !is_code(token) && (!is_ordinal(token) || is_floor())
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
            ("人民路415号2单元1702室", "人民路415号3单元1702室"),
            (
                "ул. 13-я Молодёжная 55-19",
                "ul. 13-ya Molodezhnaya, d. 55, kv. 40",
            ),
            ("ул. 13-я Молодёжная 55", "13-я Молодёжная 57"),
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
            ("人民路415号2单元1702室", "人民路415号2-1702"),
            (
                "ул. 13-я Молодёжная 55",
                "ul. 13-ya Molodezhnaya, d. 55, kv. 40",
            ),
            ("28-я Школьная 15", "Школьная 28-я, д. 15"),
            ("테헤란로 152 5층", "테헤란로 152, 5"),
        ] {
            assert!(!another(a, b), "{a} | {b}");
        }
    }

    fn another(a: &str, b: &str) -> bool {
        let read = |raw: &str| Street::parse(raw).expect("a street");
        read(a).is_another_home(&read(b))
    }
}
