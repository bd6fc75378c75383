//! Names of one person in two scripts, where folding into ASCII does not bring them together.
//!
//! - **Hebrew and Arabic** write no vowels, and letters of which languages make several sounds:
//!   משה is folded to `mshh`, and the person writes Moshe. The consonants that are left are
//!   compared, in classes.
//! - **Hangul** is folded by the Revised Romanisation. People write their names by ear, or by an
//!   older system: 지훈 is Ji-hoon, 이 is Lee.

use super::text;

/// Whether a name is in a script that writes no vowels.
pub(super) fn is_without_vowels(raw: &str) -> bool {
    raw.chars().any(|letter| {
        matches!(letter, '\u{590}'..='\u{6ff}' | '\u{750}'..='\u{77f}' | '\u{fb1d}'..='\u{fefc}')
    })
}

/// The consonants of a folded word, in classes that both sides of a transcription share: `y`, `w`
/// and `h` may stand for vowels or for nothing.
pub(super) fn consonants(word: &str) -> String {
    // The article: `el-Masry`, and المصري, which is folded to `lmsry`.
    let article = ["al", "el", "l"].iter().find_map(|article| {
        let rest = word.strip_prefix(article)?;
        let consonant = rest.starts_with(|letter: char| !"aeiouywhv".contains(letter));
        (rest.len() > 2 && (article.len() == 2 || consonant)).then_some(rest)
    });
    let mut classes = String::with_capacity(word.len());
    for letter in article.unwrap_or(word).bytes() {
        let class = match letter {
            b'd' | b't' | b's' | b'z' => 't',
            b'k' | b'q' | b'g' | b'j' | b'c' | b'x' => 'k',
            b'f' | b'p' => 'p',
            b'v' => 'b',
            b'b' | b'l' | b'm' | b'n' | b'r' => char::from(letter),
            _ => continue,
        };
        if !classes.ends_with(class) {
            classes.push(class);
        }
    }
    classes
}

/// The same without the classes of letters that are left out at times.
pub(super) fn loose_consonants(word: &str) -> String {
    consonants(word).replace(['b', 'k'], "")
}

/// Whether a word in letters may be another one that is written without vowels. None where too
/// little is left to tell.
pub(super) fn same_consonants(a: &str, b: &str) -> Option<bool> {
    let (a, b) = (consonants(a), consonants(b));
    // Bet is b or v, and so is vav, or it is a vowel; het is h, ch or kh.
    let (x, y) = (a.replace(['b', 'k'], ""), b.replace(['b', 'k'], ""));
    if a == b && a.len() >= LEAST_CONSONANTS {
        Some(true)
    } else if x == y {
        (x.len() >= LEAST_CONSONANTS).then_some(true)
    } else if a.len().min(b.len()) < LEAST_CONSONANTS {
        (a.len().abs_diff(b.len()) > 1).then_some(false)
    } else {
        Some(false)
    }
}

/// Fewer are those of many names.
const LEAST_CONSONANTS: usize = 2;

/// A Korean word in letters, however it is romanised, in one form.
pub(super) fn korean(word: &str) -> String {
    const SAME: [(&str, &str); 25] = [
        ("weo", "wo"),
        ("rh", "r"),
        ("sh", "s"),
        ("ch", "j"),
        ("c", "j"),
        ("oe", "oi"),
        ("oo", "u"),
        ("ou", "u"),
        ("wu", "u"),
        ("woo", "u"),
        ("eui", "i"),
        ("ui", "i"),
        ("ee", "i"),
        ("ea", "e"),
        ("eo", "u"),
        ("eu", "u"),
        ("ae", "e"),
        ("ie", "i"),
        ("ah", "a"),
        ("uh", "u"),
        ("oh", "o"),
        ("k", "g"),
        ("p", "b"),
        ("t", "d"),
        ("gg", "g"),
    ];
    const FAMILIES: [(&str, &str); 12] = [
        ("lee", "i"),
        ("yi", "i"),
        ("rhee", "i"),
        ("li", "i"),
        ("park", "bag"),
        ("pak", "bag"),
        ("lim", "im"),
        ("yim", "im"),
        ("noh", "no"),
        ("roh", "no"),
        ("ryu", "yu"),
        ("you", "yu"),
    ];
    if let Some((_, one)) = FAMILIES.iter().find(|(family, _)| *family == word) {
        return (*one).to_owned();
    }
    let mut one = word.to_owned();
    for (pair, plain) in SAME {
        one = one.replace(pair, plain);
    }
    one
}

/// Whether two Korean words in letters are one, but for a letter in a long one.
pub(super) fn same_korean(a: &str, b: &str) -> bool {
    let (a, b) = (korean(a), korean(b));
    a == b || (a.len().min(b.len()) >= 5 && text::edits(&a, &b, 1) <= 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_vowels_are_those_in_letters() {
        for (own, latin) in [
            ("משה", "Moshe"),
            ("יוסף", "Yosef"),
            ("כהן", "Cohen"),
            ("כהן", "Kohen"),
            ("אברהם", "Avraham"),
            ("רחל", "Rachel"),
            ("מיכל", "Michal"),
            ("פרידמן", "Friedman"),
            ("محمد", "Mohammed"),
            ("مصطفى", "Mostafa"),
            ("خالد", "Khaled"),
            ("عبدالرحمن", "Abdelrahman"),
            ("المصري", "El-Masry"),
            ("حسینی", "Hosseini"),
            ("قاسمی", "Ghasemi"),
            ("رضایی", "Rezaei"),
        ] {
            assert!(is_without_vowels(own) && !is_without_vowels(latin));
            let (a, b) = (text::fold(own), text::fold(latin));
            let word =
                |folded: &str| folded.replace(|letter: char| !letter.is_ascii_alphanumeric(), "");
            assert_eq!(
                same_consonants(&word(&a), &word(&b)),
                Some(true),
                "{own} {a} {latin}"
            );
        }
        for (own, latin) in [
            ("משה", "Yosef"),
            ("محمد", "Khaled"),
            ("כהן", "Levi"),
            ("مريم", "Fatima"),
        ] {
            let (a, b) = (text::fold(own), text::fold(latin));
            assert_ne!(same_consonants(&a, &b), Some(true), "{own} {latin}");
        }
    }

    #[test]
    fn korean_names_are_romanised_in_several_ways() {
        for (own, latin) in [
            ("지훈", "Jihoon"),
            ("이", "Lee"),
            ("박", "Park"),
            ("최", "Choi"),
            ("정", "Jung"),
            ("민준", "Minjoon"),
            ("서연", "Seoyeon"),
            ("영희", "Younghee"),
            ("경민", "Kyungmin"),
            ("권", "Kwon"),
            ("조", "Cho"),
            ("오", "Oh"),
        ] {
            let (a, b) = (text::fold(own), text::fold(latin));
            assert!(
                same_korean(&a, &b),
                "{own} {a} {} {latin} {}",
                korean(&a),
                korean(&b)
            );
        }
        for (own, latin) in [("민준", "Minho"), ("김", "Lee"), ("지훈", "Jiyoung")] {
            assert!(
                !same_korean(&text::fold(own), &text::fold(latin)),
                "{own} {latin}"
            );
        }
    }
}
