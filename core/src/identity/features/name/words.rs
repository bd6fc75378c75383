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
    static TITLES: Listed = Listed::new(|| split(include_str!("words/titles.txt")));
    TITLES.has(word)
}

/// Spanish and Italian titles that are English names: Don Isabel, Don Smith.
pub(super) fn is_spanish_title(word: &str) -> bool {
    matches!(word, "don" | "dona")
}

/// Words that go on with a title: `Dr. med.`, `Dott.ssa`.
pub(super) fn is_behind_title(word: &str) -> bool {
    static WORDS: Listed = Listed::new(|| split(include_str!("words/behind_titles.txt")));
    WORDS.has(word)
}

/// Whether a word is a title before the given name or another title that follows, though it is a
/// name elsewhere.
pub(super) fn is_title_before_whole_name(word: &str, next: &str) -> bool {
    static TITLES: Listed = Listed::new(|| split(include_str!("words/titles_before_names.txt")));
    TITLES.has(word) && (is_title(next) || TITLES.has(next) || given_names::known(next).is_some())
}

/// Honorifics and professions behind names in the scripts of East Asia, the longer before the
/// shorter that it ends in.
pub(super) const HONORIFICS: [&str; 24] = [
    "先生",
    "女士",
    "小姐",
    "太太",
    "博士",
    "教授",
    "经理",
    "經理",
    "経理",
    "师傅",
    "老师",
    "老師",
    "医生",
    "醫生",
    "律师",
    "律師",
    "様",
    "선생님",
    "고객님",
    "교수님",
    "님",
    "씨",
    "귀하",
    "선생",
];

/// Honorifics that are a part of names in Chinese: 丽君 is a given name.
pub(super) const JAPANESE_HONORIFICS: [&str; 3] = ["君", "殿", "氏"];

/// Degrees and professions behind a name, and honorifics that languages put there.
pub(super) fn is_credential(word: &str) -> bool {
    static CREDENTIALS: Listed = Listed::new(|| split(include_str!("words/credentials.txt")));
    CREDENTIALS.has(word)
}

/// Degrees that are names too where no dots or comma say what they are: `Ma`, `Do`.
pub(super) fn is_short_credential(word: &str) -> bool {
    static CREDENTIALS: Listed = Listed::new(|| split(include_str!("words/short_credentials.txt")));
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
    are_all(folded, |word| NOBODY.has(word)) || folded.trim() == "n/a"
}

/// Whether a word is nobody's name in some place of a name field.
pub(super) fn is_nobody_word(word: &str) -> bool {
    NOBODY.has(word) || is_nobody(word)
}

/// Whether a whole name is that of nobody: a form's, a till's, that of whoever lives there. Each of
/// its words may be a name, so that they are none only together.
pub(super) fn is_nobody(folded: &str) -> bool {
    static WORDS: Listed = Listed::new(|| split(include_str!("words/nobody.txt")));
    let is_specimen = |word: &str| matches!(word, "mustermann" | "musterfrau");
    folded.split_whitespace().any(is_specimen)
        || are_all(folded, |word| {
            WORDS.has(word) || NOBODY.has(word) || is_filler(word) || matches!(word, "n" | "a")
        })
}

/// The same in scripts of which the transcription may be a name. Characters and kana are in their
/// one form.
pub(super) fn is_nobody_natively(name: &str) -> bool {
    static WORDS: LazyLock<HashSet<String>> = LazyLock::new(|| {
        let words = include_str!("words/nobody_native.txt").split_whitespace();
        words.map(super::native::one_form).collect()
    });
    let mut words = name.split_whitespace().peekable();
    words.peek().is_some() && words.all(|word| WORDS.contains(word))
}

static NOBODY: Listed = Listed::new(|| {
    split(
        "baby boy girl infant newborn child male female twin wife husband spouse mother father \
         mom dad son daughter customer client guest user kunde kundin cliente invitado gast gost \
         klient zakaznik musteri tamu misafir no name given of the mrs first not provided \
         available applicable specified",
    )
});

fn are_all(folded: &str, is: impl Fn(&str) -> bool) -> bool {
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
            is(word) || is_letter || word.bytes().all(|byte| byte.is_ascii_digit())
        })
}

/// Whether a word before `of` and a name says that it is somebody else's name: `Parent of Ann`.
pub(super) fn is_relation(word: &str) -> bool {
    matches!(
        word,
        "parent"
            | "parents"
            | "mother"
            | "father"
            | "mom"
            | "mum"
            | "dad"
            | "wife"
            | "husband"
            | "spouse"
            | "widow"
            | "son"
            | "daughter"
            | "child"
            | "children"
            | "brother"
            | "sister"
            | "guardian"
            | "carer"
            | "caretaker"
            | "estate"
            | "family"
            | "friend"
            | "assistant"
            | "secretary"
            | "office"
            | "care"
            | "mutter"
            | "vater"
            | "frau"
            | "mann"
            | "eltern"
            | "madre"
            | "padre"
            | "esposa"
            | "esposo"
            | "viuda"
            | "hijo"
            | "hija"
            | "mere"
            | "pere"
            | "epouse"
            | "veuve"
            | "moglie"
            | "marito"
            | "figlio"
            | "figlia"
            | "mae"
            | "pai"
            | "filha"
    )
}

/// Titles of women, before which a man's name is the husband's: `Mrs. Karl Kern`.
pub(super) fn is_womans_title(word: &str) -> bool {
    matches!(
        word,
        "mrs"
            | "mme"
            | "madame"
            | "frau"
            | "sra"
            | "senora"
            | "signora"
            | "sigra"
            | "mevr"
            | "mevrouw"
            | "fru"
            | "pani"
            | "miss"
            | "ms"
            | "smt"
            | "shrimati"
            | "dna"
            | "lady"
    )
}

/// The generation that two words behind a name say, with the name before them.
pub(super) fn elder_or_younger(name: &str) -> Option<(&str, u8)> {
    const ELDER: [&str; 10] = [
        " d.Ä.",
        " d. Ä.",
        " der Ältere",
        " d.ä.",
        " d. ä.",
        " den äldre",
        " den eldre",
        " den ældre",
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

/// Small words before a family name, which belong to it.
pub(super) fn is_family_particle(word: &str) -> bool {
    matches!(
        word,
        "van"
            | "von"
            | "vom"
            | "zu"
            | "zum"
            | "zur"
            | "und"
            | "der"
            | "den"
            | "dem"
            | "de"
            | "del"
            | "della"
            | "di"
            | "da"
            | "do"
            | "dos"
            | "das"
            | "du"
            | "des"
            | "la"
            | "le"
            | "los"
            | "las"
            | "el"
            | "al"
            | "y"
            | "e"
            | "ter"
            | "ten"
            | "te"
            | "v.d."
            | "vd"
            | "d'"
            | "d"
            | "mac"
            | "mc"
            | "st"
            | "st."
            | "saint"
            | "o"
            | "ben"
            | "bint"
    )
}

/// A word behind the father's name.
pub(super) fn is_child_of(word: &str) -> bool {
    matches!(
        word,
        "ogly" | "oglu" | "ogli" | "uly" | "uli" | "kyzy" | "kizi" | "qizi" | "gyzy" | "kyz"
    )
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

/// Whether a word that names a generation is no part of a name in any language. `Pere`, `Neto` and
/// `Elder` are names, too.
pub(super) fn is_never_a_name(word: &str) -> bool {
    matches!(
        word,
        "jr" | "jnr"
            | "junior"
            | "sr"
            | "snr"
            | "fils"
            | "hijo"
            | "filho"
            | "figlio"
            | "ii"
            | "iii"
    )
}

/// The generation that a word without the dot behind it names.
pub(super) fn generation_of(word: &str, is_dotted: bool) -> Option<u8> {
    match word {
        "jun" | "sen" | "ml" | "st" | "id" if !is_dotted => None,
        "sr" | "snr" | "senior" | "sen" | "pere" | "padre" | "pai" | "elder" | "1st" | "first"
        | "i" | "starszy" | "starshii" | "starsi" | "st" | "id" | "idosb" | "seniore"
        | "stariji" | "starejsi" | "vanhempi" | "older" | "d.a" | "d.e" => Some(1),
        "jr" | "jnr" | "junior" | "jun" | "fils" | "hijo" | "filho" | "younger" | "ii" | "2nd"
        | "second" | "mlodszy" | "molodshii" | "molodshyi" | "mladi" | "figlio" | "mladshii"
        | "mladsi" | "ifj" | "ifjabb" | "iuniore" | "ml" | "mladji" | "mlajsi" | "nuorempi"
        | "d.j" | "d.y" => Some(2),
        "iii" | "3rd" | "third" | "neto" | "nieto" | "netto" => Some(3),
        "iv" | "4th" | "fourth" => Some(4),
        "v" | "5th" | "fifth" => Some(5),
        "sobrinho" => Some(6),
        _ => None,
    }
}
