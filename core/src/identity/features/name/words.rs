//! Words in name fields that are no part of a name: titles and honorifics, credentials, suffixes of
//! generations, what stands for no name.
//!
//! Words are folded: ASCII in lower case.

/// Titles and honorifics before a name, and those that languages put behind it.
pub(super) fn is_title(word: &str) -> bool {
    matches!(
        word,
        // English
        "mr" | "mister" | "mrs" | "ms" | "miss" | "mx" | "dr" | "doctor" | "prof" | "professor" | "sir"
            | "rev" | "reverend"
            // German, Dutch, Nordic
            | "herr" | "hr" | "frau" | "fr" | "fraulein" | "dipl" | "dhr" | "mevr" | "mevrouw"
            | "meneer" | "fru" | "froken"
            // French
            | "mme" | "mlle" | "monsieur" | "madame" | "mademoiselle"
            // Spanish, Portuguese, Italian
            | "sr" | "sra" | "srta" | "senor" | "senora" | "senorita" | "dna"
            | "sig" | "signor" | "signora" | "sigra" | "dott" | "dottor" | "dottssa" | "avv" | "dra"
            // Slavic and Greek
            | "pani" | "gospodin" | "gospozha" | "kyrios" | "kyria"
            // Turkish, Arabic, Indian
            | "sayin" | "bayan" | "shri" | "shree" | "smt" | "shrimati"
    )
}

/// Honorifics behind names in the scripts of East Asia.
pub(super) const HONORIFICS: [&str; 10] = [
    "先生",
    "女士",
    "小姐",
    "様",
    "さま",
    "さん",
    "ちゃん",
    "님",
    "씨",
    "귀하",
];

/// Honorifics that are a part of names in Chinese: 丽君 is a given name.
pub(super) const JAPANESE_HONORIFICS: [&str; 2] = ["君", "殿"];

/// Degrees and professions behind a name.
pub(super) fn is_credential(word: &str) -> bool {
    matches!(
        word,
        "phd"
            | "md"
            | "esq"
            | "esquire"
            | "mba"
            | "cpa"
            | "rn"
            | "dds"
            | "jd"
            | "obe"
            | "mbe"
            | "cbe"
            | "bsc"
            | "msc"
            | "mp"
            | "bey"
            | "hanim"
            | "efendi"
            | "saheb"
            | "sahib"
    )
}

/// What forms that insist on a value are given.
pub(super) fn is_filler(word: &str) -> bool {
    matches!(
        word,
        "null"
            | "none"
            | "unknown"
            | "na"
            | "nil"
            | "test"
            | "xxx"
            | "tbd"
            | "anonymous"
            | "noname"
            | "fnu"
            | "lnu"
            | "nfn"
            | "nln"
            | "nmn"
            | "undefined"
            | "unbekannt"
            | "inconnu"
            | "desconocido"
    )
}

/// Whether a given name says who somebody is to somebody else, or that nobody knows.
pub(super) fn is_no_name(folded: &str) -> bool {
    const WORDS: [&str; 34] = [
        "baby", "boy", "girl", "infant", "newborn", "child", "male", "female", "twin", "wife",
        "husband", "spouse", "mother", "father", "mom", "dad", "son", "daughter", "customer",
        "client", "guest", "user", "kunde", "kundin", "cliente", "invitado", "gast", "gost", "no",
        "name", "given", "of", "the", "mrs",
    ];
    // Each is a family name or a pet name somewhere, so that alone they are none only as a whole.
    let mut words = folded
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .peekable();
    words.peek().is_some()
        && words.all(|word| WORDS.contains(&word) || word.bytes().all(|byte| byte.is_ascii_digit()))
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
    matches!(word, "bin" | "ibn" | "binti" | "bint")
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
        "jun" | "sen" if !is_dotted => None,
        "sr" | "snr" | "senior" | "sen" | "pere" | "padre" | "pai" | "elder" | "1st" | "first"
        | "i" | "starshii" | "starsi" => Some(1),
        "jr" | "jnr" | "junior" | "jun" | "fils" | "hijo" | "filho" | "younger" | "ii" | "2nd"
        | "second" | "mladshii" | "mladsi" | "ifj" => Some(2),
        "iii" | "3rd" | "third" | "neto" | "nieto" => Some(3),
        "iv" | "4th" | "fourth" => Some(4),
        "v" | "5th" | "fifth" => Some(5),
        "sobrinho" => Some(6),
        _ => None,
    }
}
