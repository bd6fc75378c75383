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
    let mut folded = folded(text);
    folded.retain(|letter| !matches!(letter, '\'' | '`'));
    let mut words: Vec<String> = folded
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
    // ASCII is in NFKC, and its own transliteration but for the last character.
    if text.bytes().all(|letter| letter < 0x7f) {
        text.to_ascii_lowercase()
    } else {
        folded_by_unicode(text)
    }
}

fn folded_by_unicode(text: &str) -> String {
    deunicode::deunicode(&text.nfkc().collect::<String>()).to_lowercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ascii_is_folded_as_any_text_is(text in "[\\x00-\\x7f]{0,20}") {
            prop_assert_eq!(folded(&text), folded_by_unicode(&text));
        }
    }

    #[test]
    fn case_accents_and_apostrophes_do_not_matter() {
        assert_eq!(words("Ångström-MÜLLER"), ["angstrom", "muller"]);
        assert_eq!(words("O'Neil o’neil"), ["oneil"]);
        assert_eq!(words("José José"), words("Jose\u{301} JOSÉ"));
        assert!(words(" - ").is_empty());
    }
}
