//! Given names of Korea and China in letters: two syllables, of which brothers and sisters often
//! share one. Another syllable is another name, however few letters it changes (`Wei-Ming`,
//! `Wei-Ling`).

use std::collections::HashSet;
use std::sync::LazyLock;

use super::Name;
use super::native::is_in;
use crate::identity::given_names::{Cultures, bits_of};
use crate::identity::scripts;
use crate::model::Home;

/// The given name in one word and one spelling, if it is one of two syllables of Korea or China:
/// by the country, the family name, or where it is given; and it is no name of Europe.
pub(super) fn of(name: &Name, home: Home) -> Option<String> {
    const COUNTRIES: [&str; 8] = ["KR", "KP", "CN", "TW", "HK", "MO", "SG", "MY"];
    static EAST: Cultures = Cultures::new(|| bits_of(&["korean", "chinese"]));
    static WEST: Cultures =
        Cultures::new(|| bits_of(&["en", "de", "fr", "es", "it", "pt", "nl", "nordic", "polish"]));
    let given = name.given.as_ref().filter(|_| name.native.is_none())?;
    let known = given.known.filter(|_| name.middle.is_empty());
    let here = known.is_some_and(|known| known.is_given_in(&WEST) && !known.is_given_in(&EAST));
    let family = name.family.as_ref();
    let there = || {
        known.is_some_and(|known| known.is_given_in(&EAST))
            || is_in(home, &COUNTRIES)
            || family.is_some_and(|family| FAMILIES.contains(family.word.text.as_str()))
    };
    if here || !there() {
        return None;
    }
    let words = name.middle.len() + 1;
    let whole = given.whole(&name.middle);
    let two = match words {
        1 => (1..whole.len()).any(|cut| is_syllable(&whole[..cut]) && is_syllable(&whole[cut..])),
        2 => is_syllable(&given.word.text) && is_syllable(&name.middle[0].text),
        _ => false,
    };
    // `Hyeon` is `Hyun`, but `Seo` is not `Su`.
    let form = || scripts::korean(&whole.replace("eon", "un").replace("eo", "9"));
    two.then(form)
}

/// Whether the words of a whole name begin with the family name and go on with two syllables, as
/// in the countries of Chinese and Korean names: `Lee Kah Seng`.
pub(super) fn is_family_first(words: &[String], home: Home) -> bool {
    const COUNTRIES: [&str; 8] = ["KR", "KP", "CN", "TW", "HK", "MO", "SG", "MY"];
    let [family, one, two] = words else {
        return false;
    };
    let is_family = |word: &String| FAMILIES.contains(word.as_str());
    is_in(home, &COUNTRIES)
        && is_family(family)
        && !is_family(two)
        && is_syllable(one)
        && is_syllable(two)
}

/// Frequent family names of Korea and China, in the spellings of both and of those abroad.
static FAMILIES: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| FAMILY_WORDS.split_ascii_whitespace().collect());

const FAMILY_WORDS: &str = "\
    ahn an bae baek bai bang byun cai cao cha chae chan chang chao chau chen cheng cheong cheung \
    chia chiang chin chiu cho choe choi chong chow choy chu chua chung cui dai deng ding dong du \
    duan fan fang feng foo fong fu fung gan gao goh gong gu gwon guo hahn han hao he heo ho hong \
    hou hsieh hsu hu huang hui hung hwang hyun jang jeon jeong ji jia jiang jin jo joo ju jung \
    kang kao khoo kim ko koh kong koo kuo kwak kwan kwok kwon lai lam lau law lee lei leong leung \
    lew li liang liao lim lin liu lo loh loke long low lu lui luo lyu ma mak mao meng min mok moon \
    mun na nam ng ngai noh oh ong ooi pae paek pak pan pang park peng poon pyo qian qiao qin qiu \
    quek ren rhee ryu seah seo seong shao shen sheng shi shim shin shum sim sin siu so sohn son \
    song su suh sun sung szeto tam tan tang tao teh teng teo teoh tian ting toh tong tsai tsang \
    tse tseng tso tsui wan wang wei wen wong woo wu xia xiang xiao xie xiong xu xue yan yang yao \
    yap ye yee yeh yeo yeoh yeon yeow yeung yi yim yin yip yiu yoo yoon you yu yuan yue yuen yun \
    zeng zhang zhao zheng zhong zhou zhu zou";

/// Whether a word is one syllable: a consonant, vowels, and a consonant that ends one.
fn is_syllable(word: &str) -> bool {
    const ONSETS: [&str; 36] = [
        "", "b", "c", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "q", "r", "s", "t", "w",
        "x", "y", "z", "ch", "sh", "zh", "ts", "tz", "hs", "kk", "tt", "pp", "ss", "jj", "kw",
        "gw", "ng", "gg",
    ];
    const CODAS: [&str; 9] = ["", "n", "ng", "m", "k", "p", "t", "l", "h"];
    let is_vowel = |letter: char| "aeiouyw".contains(letter);
    let onset = word.len() - word.trim_start_matches(|letter| !is_vowel(letter)).len();
    let coda = word.trim_end_matches(|letter| !is_vowel(letter)).len();
    let (head, tail) = (&word[..onset], &word[coda.max(onset)..]);
    let vowels = coda.saturating_sub(onset);
    let more = word[onset..coda.max(onset)].chars().all(is_vowel);
    (1..=3).contains(&vowels) && more && ONSETS.contains(&head) && CODAS.contains(&tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syllables_are_told_from_longer_words() {
        for word in [
            "min", "jun", "seo", "young", "hwa", "xiang", "wai", "kwok", "yi",
        ] {
            assert!(is_syllable(word), "{word}");
        }
        for word in ["minjun", "karl", "anna", "st", "", "ost"] {
            assert!(!is_syllable(word), "{word}");
        }
    }
}
