//! Words and signs of addresses, folded: kinds of streets, parts of a house, numbers.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

type Words = LazyLock<HashSet<&'static str>>;

/// Words before the number of a flat, floor or door, in short form.
pub(super) fn is_unit(token: &str) -> bool {
    static WORDS: Words = LazyLock::new(|| {
        "apt ste unit fl flat rm room lot trlr trailer bldg building block blk tower wing appt \
             apto ap bat batiment bt etage porte piso planta depto dpto dept departamento bloque \
             bloco bloc bl sc scara et lok m wohnung whg top stiege stg stock og haus aufgang kv \
             kvartira korp korpus d daire kat blok int interno scala esc escalera escada puerta lgh \
             bus dira dyrh em emelet rt rw so residence mz mza manzana vkh vhod pod entrance"
            .split_ascii_whitespace()
            .collect()
    });
    WORDS.contains(token)
}

/// Words that say which part of a house or a floor it is.
pub(in crate::identity::features) fn is_side(token: &str) -> bool {
    static WORDS: Words = LazyLock::new(|| {
        "links rechts mitte gartenhaus dcha izda izq izqda esq dto tv th \
             upper lower rear front basement bsmt penthouse attic hs souterrain dg eg ug vh hh gh \
             left right ground zwart rood bajo bajos atico entlo entresuelo pral pb fundos frente \
             cave sotao rc rdc mezzanine maisonette annexe"
            .split_ascii_whitespace()
            .collect()
    });
    WORDS.contains(token)
}

/// Whether a word says nothing of which street it is.
pub(super) fn is_common(token: &str) -> bool {
    static WORDS: Words = LazyLock::new(|| {
        "st rd ave dr ln ct cir blvd pl way ter hwy pkwy sq cres n s e w ne nw se sw apt ste unit \
             fl kv the ul calle rue via rua jl"
            .split_ascii_whitespace()
            .collect()
    });
    token.bytes().all(|byte| byte.is_ascii_digit()) || WORDS.contains(token)
}

/// The short form of a word.
pub(super) fn short(token: &str) -> &str {
    match token {
        "street" | "str" | "strasse" | "straat" => "st",
        "ulica" | "ulitsa" | "vulitsia" | "vulytsia" => "ul",
        "jalan" | "jln" => "jl",
        "caddesi" | "cd" => "cad",
        "sokagi" | "sokak" | "sk" => "sok",
        "road" => "rd",
        "avenue" | "av" => "ave",
        "drive" => "dr",
        "lane" => "ln",
        "court" => "ct",
        "circle" => "cir",
        "boulevard" | "bd" | "bvd" | "bulvar" => "blvd",
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
        "apartment" | "apto" | "appt" | "apartamento" | "appartement" => "apt",
        "kvartira" => "kv",
        "dom" => "d",
        "suite" => "ste",
        "floor" => "fl",
        "erdgeschoss" => "eg",
        "dachgeschoss" => "dg",
        "hinterhaus" => "hh",
        "vorderhaus" => "vh",
        other => other,
    }
}

/// A number without the word of East Asia that says what it counts: blocks, houses, floors, rooms.
pub(super) fn without_counter(token: &str) -> &str {
    let digits = token.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
    match &token[digits.len()..] {
        "ding" | "fan" | "hao" | "shi" | "jie" | "lou" | "ceng" | "dan" | "dong" | "ceung"
        | "ho" | "ga" | "beon" | "beongil" | "cho" | "chome" | "ban" | "go" => digits,
        _ => token,
    }
}

/// What belongs to the number before it: `12 a`, `12 bis`. A direction does not.
pub(super) fn is_number_letter(token: &str) -> bool {
    matches!(token, "bis" | "ter" | "quater")
        || token.len() == 1
            && token.bytes().all(|byte| byte.is_ascii_lowercase())
            && !matches!(token, "n" | "s" | "e" | "w")
}

/// `40th` names a street.
pub(super) fn is_ordinal(token: &str) -> bool {
    let digits = token.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
    matches!(&token[digits.len()..], "st" | "nd" | "rd" | "th")
}

/// Endings of ordinals behind a hyphen, in the transcriptions of Cyrillic: `13-я`, `2-ой`, `1-го`.
const ENDINGS: [&str; 11] = [
    "ia", "ya", "ja", "aia", "aya", "oi", "oy", "ii", "yi", "go", "ho",
];
/// Endings that may be the letter of a house, where no name of a street follows.
const SHORT_ENDINGS: [&str; 3] = ["i", "y", "j"];

/// The line with each ordinal of a street as in English: `13th molodiozhnaia 55`.
pub(super) fn with_ordinals(line: &str) -> Cow<'_, str> {
    if !line.contains('-') {
        return line.into();
    }
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let is_name = |word: &&str| {
        let mut letters = word.bytes().filter(u8::is_ascii_alphabetic);
        letters.nth(2).is_some() && !word.bytes().any(|byte| byte.is_ascii_digit())
    };
    let ordinal = |place: usize| {
        let (digits, ending) = words[place].trim_end_matches(',').split_once('-')?;
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let before_name = || words.get(place + 1).is_some_and(is_name);
        let is_ordinal = is_number
            && (ENDINGS.contains(&ending) || (SHORT_ENDINGS.contains(&ending) && before_name()));
        is_ordinal.then(|| format!("{digits}th"))
    };
    let ordinals: Vec<Option<String>> = (0..words.len()).map(ordinal).collect();
    if ordinals.iter().all(Option::is_none) {
        return line.into();
    }
    let each = words.iter().zip(&ordinals);
    let each = each.map(|(word, ordinal)| ordinal.as_deref().unwrap_or(word));
    each.collect::<Vec<_>>().join(" ").into()
}

/// A number without what makes it an ordinal: `3º`, `2nd floor`, `3e étage`.
pub(super) fn without_ordinal(token: &str, is_floor: bool) -> &str {
    let digits = token.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
    match &token[digits.len()..] {
        "o" => digits,
        "st" | "nd" | "rd" | "th" | "e" | "er" | "eme" if is_floor => digits,
        _ => token,
    }
}

/// `A3`, `U5`, `H206`: a block or a flat.
pub(super) fn is_mixed(token: &str) -> bool {
    let digits = token.trim_start_matches(|letter: char| letter.is_ascii_lowercase());
    let letters = token.len() - digits.len();
    (1..=2).contains(&letters)
        && (1..=4).contains(&digits.len())
        && digits.bytes().all(|digit| digit.is_ascii_digit())
}

/// The number of a floor in Roman numbers.
pub(super) fn of_roman(token: &str) -> Option<&'static str> {
    const NUMBERS: [(&str, &str); 7] = [
        ("ii", "2"),
        ("iii", "3"),
        ("iv", "4"),
        ("vi", "6"),
        ("vii", "7"),
        ("viii", "8"),
        ("ix", "9"),
    ];
    let found = NUMBERS.iter().find(|(roman, _)| *roman == token)?;
    Some(found.1)
}

/// The number of a word before a floor: `First Floor Flat`.
pub(super) fn of_ordinal_word(token: &str) -> Option<&'static str> {
    const NUMBERS: [(&str, &str); 6] = [
        ("first", "1"),
        ("second", "2"),
        ("third", "3"),
        ("fourth", "4"),
        ("fifth", "5"),
        ("sixth", "6"),
    ];
    let found = NUMBERS.iter().find(|(word, _)| *word == token)?;
    Some(found.1)
}

/// Whether a word is a block of which the letter may be before it: `A Blok`.
pub(super) fn is_block(token: &str) -> bool {
    matches!(token, "blok" | "blk" | "block" | "bloc")
}

/// A house number of a grid of roads: `N6W23001`.
pub(super) fn is_grid(token: &str) -> bool {
    let part = |text: &str| -> Option<usize> {
        let digits = text.strip_prefix(['n', 's', 'e', 'w'])?;
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        (length > 0).then_some(length + 1)
    };
    part(token).is_some_and(|first| part(&token[first..]) == Some(token.len() - first))
}

pub(super) fn is_code(token: &str) -> bool {
    token.len() >= 5 && token.bytes().all(|byte| byte.is_ascii_digit())
}
