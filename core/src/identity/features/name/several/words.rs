//! The words between several people, and those for a family.

/// Words that part people in every place between two names.
pub(super) const AND: [&str; 20] = [
    "and",
    "und",
    "et",
    "och",
    "og",
    "nebo",
    "och/eller",
    "και",
    "και/ή",
    "и",
    "و",
    "と",
    "および",
    "和",
    "与",
    "與",
    "及",
    "와",
    "과",
    "और",
];

/// Words that do so between given names, and are names, initials or parts of family names besides.
pub(super) const AND_BETWEEN_GIVEN_NAMES: [&str; 21] = [
    "y", "e", "i", "a", "u", "u.", "en", "ve", "ja", "in", "si", "și", "ir", "un", "dan", "va",
    "és", "es", "та", "й", "і",
];

/// Words for a family as a whole, before or behind its name; folded.
pub(super) const FAMILY: [&str; 31] = [
    "familie",
    "fam",
    "family",
    "famille",
    "familia",
    "famiglia",
    "familien",
    "familjen",
    "rodina",
    "rodzina",
    "perhe",
    "csalad",
    "ailesi",
    "eheleute",
    "ehepaar",
    "household",
    "senores",
    "sres",
    "panstwo",
    "manzele",
    "manzelia",
    "keluarga",
    "echtpaar",
    "epoux",
    "coniugi",
    "sem'ia",
    "sim'ia",
    "oikogeneia",
    "messrs",
    "familias",
    "makarna",
];

/// Those of them with other letters than A to Z, as they are written.
pub(super) const FAMILY_NATIVE: [&str; 12] = [
    "familía",
    "família",
    "család",
    "señores",
    "państwo",
    "manželé",
    "manželia",
    "époux",
    "семья",
    "сім'я",
    "сім’я",
    "οικογένεια",
];

/// The same behind a name that is written without spaces. Characters are in their one form, and
/// hiragana is katakana.
pub(super) const FAMILY_ENDS: [&str; 8] = [
    "ご家族",
    "ゴ家族",
    "御家族",
    "御一同",
    "一家",
    "ご夫妻",
    "ゴ夫妻",
    "夫妻",
];
