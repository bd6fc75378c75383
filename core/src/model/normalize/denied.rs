//! Notes beside a value that say that it is not, or no longer, somebody's.

/// Beginnings of such notes, or of words in them, in the languages of customers.
const DENIALS: &str = include_str!("denied.txt");

/// Whether a note says that the value beside it is wrong: `(wrong number)`, `(ungültig)`.
pub(super) fn is_denial(note: &str) -> bool {
    let lower = note.to_lowercase();
    let words = lower
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let words = words.fold(String::new(), |all, word| all + " " + word);
    DENIALS.lines().any(|denial| {
        words
            .match_indices(denial)
            .any(|(at, _)| !denial.is_ascii() && !is_spaced(denial) || words[..at].ends_with(' '))
    })
}

/// Whether the script of a text has spaces between words.
fn is_spaced(text: &str) -> bool {
    text.chars().all(|letter| u32::from(letter) < 0x0E00)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_that_denies_the_value_is_known() {
        for note in [
            "(wrong number)",
            "[Do Not Use]",
            "(no longer in service)",
            "(falsche Nr.)",
            "(n'existe pas)",
            "(неверный)",
            "（空号）",
            "(사용하지 않음)",
        ] {
            assert!(is_denial(note), "{note}");
        }
        for note in [
            "(work)",
            "(Mutter)",
            "(Bad Homburg)",
            "(do not call)",
            "(Felix)",
        ] {
            assert!(!is_denial(note), "{note}");
        }
    }
}
