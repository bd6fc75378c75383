//! Yes and no, as forms, exports and people write them.

/// Words that mean yes: also the mark of a box, SAP's X and the -1 of Access.
const YES: &str = "1 -1 1.0 true t yes y on x ✓ ✔ ☑ checked \
    j ja oui o si sì sí sim da tak ano igen kyllä evet hai ναι да так はい 是 예 wahr vrai vero verdadero verdadeiro waar sant";
/// Words that mean no.
const NO: &str = "0 0.0 false f no n off unchecked ☐ ✗ ✘ \
    nein non nee não nao nej nei ne nie ei nem hayır hayir όχι нет ні いいえ 否 아니요 falsch faux falso onwaar falskt";

/// What a word means. `None`: neither yes nor no.
pub(super) fn read(text: &str) -> Option<bool> {
    let text = text.trim().to_lowercase();
    let is_in = |words: &str| words.split_ascii_whitespace().any(|word| word == text);
    if is_in(YES) {
        Some(true)
    } else {
        is_in(NO).then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_means_both() {
        for yes in YES.split_ascii_whitespace() {
            assert!(!NO.split_ascii_whitespace().any(|no| no == yes), "{yes}");
        }
    }

    #[test]
    fn words_mean_yes_or_no_or_are_not_read() {
        for (text, expected) in [
            ("TRUE", Some(true)),
            (" Yes ", Some(true)),
            ("Y", Some(true)),
            ("Oui", Some(true)),
            ("JA", Some(true)),
            ("はい", Some(true)),
            ("1.0", Some(true)),
            ("0.0", Some(false)),
            ("Nein", Some(false)),
            ("НЕТ", Some(false)),
            ("いいえ", Some(false)),
            ("OFF", Some(false)),
            ("", None),
            ("2", None),
            ("0.5", None),
            ("yes and no", None),
            ("n/a", None),
            ("null", None),
            ("unknown", None),
            ("-", None),
            ("opted out", None),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }
}
