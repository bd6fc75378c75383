//! Words for search: how a name is cut and folded, the same for what is stored and for what is
//! asked.

use unicode_normalization::UnicodeNormalization;

/// The longest word that is kept, in bytes; longer ones are cut, on both sides.
const MAX_WORD_BYTES: usize = 64;
/// How many words of one text are kept.
const MAX_WORDS: usize = 16;

/// The words of a text, without regard to case, accents and script: `Ångström-Müller` has
/// `angstrom` and `muller`.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = folded(text)
        .replace(['\'', '`'], "")
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(MAX_WORDS)
        .map(|word| word[..word.len().min(MAX_WORD_BYTES)].to_owned())
        .collect();
    words.sort();
    words.dedup();
    words
}

/// A text without regard to case, accents and script.
#[must_use]
pub fn folded(text: &str) -> String {
    deunicode::deunicode(&text.nfkc().collect::<String>()).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_apostrophes_do_not_matter() {
        assert_eq!(words("Ångström-MÜLLER"), ["angstrom", "muller"]);
        assert_eq!(words("O'Neil o’neil"), ["oneil"]);
        assert_eq!(words("José José"), words("Jose\u{301} JOSÉ"));
        assert!(words(" - ").is_empty());
    }
}
