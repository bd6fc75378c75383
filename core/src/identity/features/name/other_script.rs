//! The script beside letters in which a person's name is likely written too.

use super::native::{self, Script};
use super::{Name, Native};
use crate::identity::given_names::{Cultures, bits_of};
use crate::model::Home;

/// Scripts of which the transcription is not what people write of themselves in letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::identity) enum OtherScript {
    /// Hebrew or Arabic.
    WithoutVowels,
    Hangul,
}

/// By the script of the name itself, the country, or where the given name is given.
pub(super) fn other_script(name: &Name, home: Home) -> Option<OtherScript> {
    const COUNTRIES: [&str; 26] = [
        "IL", "PS", "EG", "IR", "IQ", "SA", "AE", "JO", "LB", "SY", "KW", "QA", "BH", "OM", "YE",
        "LY", "TN", "DZ", "MA", "SD", "AF", "PK", "MR", "SO", "DJ", "KM",
    ];
    static OF_THESE: Cultures = Cultures::new(|| bits_of(&["arabic", "hebrew", "persian"]));
    static WEST: Cultures = Cultures::new(|| bits_of(&["en", "de", "fr", "es", "it"]));
    static KOREAN: Cultures = Cultures::new(|| bits_of(&["korean"]));
    let given_in = |cultures: &Cultures| {
        let given = name.given.as_ref();
        given
            .and_then(|given| given.known)
            .is_some_and(|known| known.is_given_in(cultures))
    };
    let hangul = |native: &Native| native.script == Script::Hangul;
    if name.is_without_vowels {
        Some(OtherScript::WithoutVowels)
    } else if let Some(native) = &name.native {
        hangul(native).then_some(OtherScript::Hangul)
    } else if native::is_in(home, &COUNTRIES) {
        Some(OtherScript::WithoutVowels)
    } else if native::is_in(home, &["KR", "KP"]) {
        Some(OtherScript::Hangul)
    } else if given_in(&OF_THESE) && !given_in(&WEST) {
        Some(OtherScript::WithoutVowels)
    } else {
        given_in(&KOREAN).then_some(OtherScript::Hangul)
    }
}
