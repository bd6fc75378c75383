//! Words in name fields that are no part of a name: titles and honorifics, credentials, suffixes of
//! generations, what stands for no name.
//!
//! Words are folded: ASCII in lower case.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::identity::given_names;

/// Words by a list, looked up by hash.
struct Listed(LazyLock<HashSet<&'static str>>);

impl Listed {
    /// `words` splits the list.
    const fn new(words: fn() -> HashSet<&'static str>) -> Self {
        Self(LazyLock::new(words))
    }

    fn has(&self, word: &str) -> bool {
        self.0.contains(word)
    }
}

fn split(words: &'static str) -> HashSet<&'static str> {
    words.split_ascii_whitespace().collect()
}

/// Titles and honorifics before a name, and those that languages put behind it.
pub(super) fn is_title(word: &str) -> bool {
    static TITLES: Listed = Listed::new(|| {
        split(
            "mr mister mrs ms miss mx madam mam maam dr doctor prof professor sir rev reverend hon \
             honorable honourable capt captain lt lieutenant sgt sergeant cpl corporal cmdr \
             herr hr frau fr fraulein dipl mag mudr judr phdr rndr mddr mvdr ing bc mgr dhr mevr \
             mevrouw meneer mw drs fru froken frk mme mlle monsieur madame mademoiselle maitre mtre \
             sr sra srta senor senora senorita dna lic licda abog exmo exma ilmo ilma sig signor \
             signora signorina sigra dott dottor dottssa dottoressa avv geom rag dra pani gospodin \
             gospozha gospodja gospa kyrios kyria sayin bay av bayan shri shree smt shrimati kumari sushri \
             adv encik puan hajjah ustaz ustazah ustadh alhaji alhaja bapak bpk",
        )
    });
    TITLES.has(word)
}

/// Spanish and Italian titles that are English names: Don Isabel, Don Smith.
pub(super) fn is_spanish_title(word: &str) -> bool {
    matches!(word, "don" | "dona")
}

/// Words that go on with a title: `Dr. med.`, `Dott.ssa`.
pub(super) fn is_behind_title(word: &str) -> bool {
    matches!(
        word,
        "med"
            | "dent"
            | "vet"
            | "jur"
            | "iur"
            | "rer"
            | "nat"
            | "pol"
            | "oec"
            | "phil"
            | "theol"
            | "habil"
            | "hc"
            | "univ"
            | "ssa"
            | "ra"
            | "ing"
    )
}

/// Whether a word is a title before the given name that follows, though it is a name elsewhere.
pub(super) fn is_title_before_whole_name(word: &str, next: &str) -> bool {
    static TITLES: Listed = Listed::new(|| {
        split(
            "don dona pan m me er ir col maj gen master judge father sister brother pastor rabbi \
             imam sheikh shaikh shaykh haji hj khun nai nang ibu ong ba pandit cik tuan datuk dato",
        )
    });
    TITLES.has(word) && given_names::known(next).is_some()
}

/// Honorifics behind names in the scripts of East Asia.
pub(super) const HONORIFICS: [&str; 10] = [
    "先生",
    "女士",
    "小姐",
    "太太",
    "様",
    "님",
    "씨",
    "귀하",
    "선생님",
    "선생",
];

/// Honorifics that are a part of names in Chinese: 丽君 is a given name.
pub(super) const JAPANESE_HONORIFICS: [&str; 3] = ["君", "殿", "氏"];

/// Degrees and professions behind a name, and honorifics that languages put there.
pub(super) fn is_credential(word: &str) -> bool {
    static CREDENTIALS: Listed = Listed::new(|| {
        split(
            "phd md esq esquire mba cpa rn dds jd obe mbe cbe bsc msc mp bey hanim efendi saheb \
             sahib bba llb llm mphil dphil dvm pharmd edd psyd csc drsc dis ret frcs facs meng beng \
             ji jee garu",
        )
    });
    CREDENTIALS.has(word)
}

/// What forms that insist on a value are given.
pub(super) fn is_filler(word: &str) -> bool {
    static FILLERS: Listed = Listed::new(|| {
        split(
            "null none unknown na nil test xxx xx tbd anonymous noname nofirstname nolastname \
             fnu lnu nfn nln nmn nmi undefined unbekannt inconnu inconnue desconocido desconocida \
             desconhecido desconhecida sconosciuto sconosciuta onbekend okand okant ukjent ukendt \
             tuntematon nieznane nieznany nieznana neznamy neznama ismeretlen necunoscut nepoznato \
             neizvestno neizvestnyi neizvestna bilinmiyor bilinmeyen anonyme anonimo anonym",
        )
    });
    FILLERS.has(word)
}

/// Whether a given name says who somebody is to somebody else, or that nobody knows.
pub(super) fn is_no_name(folded: &str) -> bool {
    static WORDS: Listed = Listed::new(|| {
        split(
            "baby boy girl infant newborn child male female twin wife husband spouse mother father \
             mom dad son daughter customer client guest user kunde kundin cliente invitado gast gost \
             klient zakaznik musteri tamu misafir no name given of the mrs first not provided \
             available applicable specified",
        )
    });
    // Each is a family name or a pet name somewhere, so that alone they are none only as a whole.
    let mut words = folded
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .peekable();
    let mut before = false;
    words.peek().is_some()
        && words.all(|word| {
            // `Baby Girl A`, of twins.
            let is_letter = before && word.len() == 1;
            before = true;
            WORDS.has(word) || is_letter || word.bytes().all(|byte| byte.is_ascii_digit())
        })
        || folded.trim() == "n/a"
}

/// The generation that two words behind a name say, with the name before them.
pub(super) fn elder_or_younger(name: &str) -> Option<(&str, u8)> {
    const ELDER: [&str; 8] = [
        " d.Ä.",
        " d. Ä.",
        " der Ältere",
        " d.ä.",
        " d. ä.",
        " den äldre",
        " d.e.",
        " the Elder",
    ];
    const YOUNGER: [&str; 7] = [
        " d.J.",
        " d. J.",
        " der Jüngere",
        " d.y.",
        " d. y.",
        " den yngre",
        " the Younger",
    ];
    let before = |words: &[&str]| words.iter().find_map(|word| name.strip_suffix(word));
    let elder = before(&ELDER).map(|name| (name, 1));
    elder.or_else(|| before(&YOUNGER).map(|name| (name, 2)))
}

/// Small words within a given name, which many names have in common: `María del Carmen`, `Abd
/// al-Rahman`, `Ali bin Abu`.
pub(super) fn is_particle(word: &str) -> bool {
    matches!(
        word,
        "de" | "del" | "la" | "las" | "los" | "el" | "al" | "da" | "das" | "dos" | "du" | "des"
    ) || is_son_of(word)
}

/// A word before the father's name.
pub(super) fn is_son_of(word: &str) -> bool {
    matches!(word, "bin" | "ibn" | "binti" | "bint" | "bt" | "bte")
}

/// The rest of an Arabic name of two words, of which the first is spelled in many ways:
/// `Abdelkarim`, `Abdul Karim`. Abdullah is one word.
pub(super) fn servant_of(word: &str) -> Option<&str> {
    const BEGINNINGS: [&str; 7] = [
        "abdul", "abdel", "abdoul", "abdur", "abder", "abdus", "abdes",
    ];
    if matches!(word, "abd" | "abdul" | "abdel" | "abdal" | "abdoul") {
        return Some("");
    }
    let rest = BEGINNINGS
        .iter()
        .find_map(|begin| word.strip_prefix(begin))?;
    (rest.len() >= 4 && !rest.starts_with("lah")).then_some(rest)
}

/// The generation that a suffix names: 1 is the elder, 2 the younger. `Jun` and `Sen` are names
/// where no dot is behind them.
pub(super) fn generation(word: &str) -> Option<u8> {
    let plain = word.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
    generation_of(plain, word.ends_with('.'))
}

/// The same of a word without the dot behind it.
pub(super) fn generation_of(word: &str, is_dotted: bool) -> Option<u8> {
    match word {
        "jun" | "sen" | "ml" | "st" | "id" if !is_dotted => None,
        "sr" | "snr" | "senior" | "sen" | "pere" | "padre" | "pai" | "elder" | "1st" | "first"
        | "i" | "starshii" | "starsi" | "st" | "id" | "idosb" | "seniore" | "stariji"
        | "starejsi" | "vanhempi" | "older" | "d.a" | "d.e" => Some(1),
        "jr" | "jnr" | "junior" | "jun" | "fils" | "hijo" | "filho" | "younger" | "ii" | "2nd"
        | "second" | "mladshii" | "mladsi" | "ifj" | "ifjabb" | "iuniore" | "ml" | "mladji"
        | "mlajsi" | "nuorempi" | "d.j" | "d.y" => Some(2),
        "iii" | "3rd" | "third" | "neto" | "nieto" | "netto" => Some(3),
        "iv" | "4th" | "fourth" => Some(4),
        "v" | "5th" | "fifth" => Some(5),
        "sobrinho" => Some(6),
        _ => None,
    }
}
