//! Streets and house numbers: words in their short forms, the number apart. The line may go on with
//! town and postal code.

use super::name::Word;
use crate::identity::text;

/// House number and street.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::identity) struct Street {
    /// The first word with a digit in it.
    pub(in crate::identity) number: Option<String>,
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
        let tokens = folded
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .filter(|token| !token.is_empty());
        let tokens: Vec<&str> = tokens
            .map(short)
            .filter(|token| !matches!(*token, "nan" | "null" | "no"))
            .collect();
        let number = tokens
            .iter()
            .find(|token| token.bytes().any(|byte| byte.is_ascii_digit()));
        let number = number.map(|number| number.trim_start_matches('0').to_owned());
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
            name,
            words,
            whole: Word::new(&tokens.concat()),
        })
    }
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
}
