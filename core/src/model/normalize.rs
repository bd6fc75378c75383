//! Normalisation of identifiers, in one place: what two sources write differently becomes one
//! value.
//!
//! Decisions:
//!
//! - **Everything begins alike**: characters that nobody sees (control, zero-width, direction
//!   marks) go, the rest is brought to Unicode NFKC, and the white space around is cut. So a
//!   composed and a decomposed `é`, or a full-width and a plain digit, are the same.
//! - **A malformed value is kept**, so that a person can see and mend it, but it does not link.
//!   Whether a value links is read off the value alone, never remembered beside it.
//! - **Well-formed is what can exist, not what is known to be in use**: a telephone number must fit
//!   the numbering plan of its country in length and leading digits; whether its area code has been
//!   given out yet changes with time and does not count.
//!
//! [`IdentifierType::normalize`] promises to be idempotent and never to panic; both are
//! property-tested.

mod denied;
mod digits;
mod email;
mod phone;
mod unread;

use std::borrow::Cow;

use caseless::Caseless;
use unicode_normalization::{UnicodeNormalization, is_nfkc};

use super::country::Home;
use super::placeholder::{Sort, is_masked};
use super::{IdentifierType, Normalization};
use crate::records::IdentifierValue;

pub(super) use digits::ascii_digit;
pub use email::providers::{MailProvider, MailProviders};
pub(super) use phone::is_region;
pub use unread::Unread;

/// The values of one field, in the form of its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalized {
    /// The values: one, or as many as the field holds.
    pub values: Vec<IdentifierValue>,
    /// Why the value is not in the form of its type. It is then kept as it was said.
    pub unread: Option<Unread>,
}

impl IdentifierType {
    /// Brings a value into the one form of its type. A value that does not have the form of its
    /// type (a phone number with too few digits) is kept, trimmed, and does not
    /// [link](Self::links).
    #[must_use]
    pub fn normalize(&self, raw: &str) -> String {
        self.normalize_at(raw, Home::Unsaid)
    }

    /// The same for a value of a record of that country.
    #[must_use]
    pub fn normalize_at(&self, raw: &str, home: Home) -> String {
        let mut read = self.read(raw, home);
        match (read.values.pop(), read.values.is_empty()) {
            (Some(only), true) => only.value,
            _ => self.kept(raw),
        }
    }

    /// Reads a field of a record of that country: the values that it says, or why it is not read.
    #[must_use]
    pub fn read(&self, raw: &str, home: Home) -> Normalized {
        let kept = self.kept(raw);
        let one = |value| vec![IdentifierValue::new(value, &kept)];
        let values = match &self.normalization {
            Normalization::Trim => Ok(one(kept.clone())),
            Normalization::CaseFold => Ok(one(fold_case(&kept))),
            Normalization::Digits => only_digits(&kept).map(one).ok_or(Unread::NotDigits),
            Normalization::Email { providers } => email::canonical(&kept, providers),
            Normalization::E164 { default_region } => {
                phone::canonical(&kept, home.region(default_region))
            }
        };
        match values {
            Ok(values) => Normalized {
                values,
                unread: None,
            },
            Err(unread) => Normalized {
                values: vec![IdentifierValue::normal(kept)],
                unread: Some(unread),
            },
        }
    }

    /// A value as it was said, without what nobody sees. Lines of a field stay apart where each may
    /// be a value.
    fn kept(&self, raw: &str) -> String {
        let may_hold_several = matches!(
            self.normalization,
            Normalization::Email { .. } | Normalization::E164 { .. }
        );
        let raw = raw.trim();
        if may_hold_several && raw.contains(is_line_break) {
            let lines = raw.split(is_line_break).map(clean);
            let lines: Vec<Cow<'_, str>> = lines.filter(|line| !line.is_empty()).collect();
            return lines.join("; ");
        }
        clean(raw).into_owned()
    }

    /// The list of placeholders for its values.
    fn sort(&self) -> Sort {
        match &self.normalization {
            Normalization::Email { .. } => Sort::Email,
            Normalization::E164 { .. } => Sort::Phone,
            _ => Sort::Id,
        }
    }

    /// Whether a normalised value may link records by itself: it is somebody's, and not shared.
    #[must_use]
    pub fn links(&self, value: &str) -> bool {
        self.is_somebodys(value) && !self.is_shared(value)
    }

    /// Whether a normalised value leads to somebody: its form is right, and it is neither a
    /// placeholder nor blocked.
    #[must_use]
    pub fn is_somebodys(&self, value: &str) -> bool {
        self.is_well_formed(value) && !self.stands_for_nothing(value) && !self.is_blocked(value)
    }

    /// Whether several people may have a value.
    #[must_use]
    pub fn is_shared(&self, value: &str) -> bool {
        self.shared.iter().any(|shared| shared.is_match(value))
    }

    /// Whether a value is a placeholder.
    pub(crate) fn stands_for_nothing(&self, value: &str) -> bool {
        self.placeholders.has(self.sort(), value)
    }

    /// Whether a pattern of the model blocks a value.
    pub(crate) fn is_blocked(&self, value: &str) -> bool {
        self.blocked.iter().any(|blocked| blocked.is_match(value))
    }

    /// Whether a value has the normal form of its type.
    pub(super) fn is_well_formed(&self, value: &str) -> bool {
        match &self.normalization {
            Normalization::Trim | Normalization::CaseFold => !value.is_empty(),
            Normalization::Digits => {
                !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
            }
            Normalization::Email { .. } => email::is_well_formed(value),
            Normalization::E164 { .. } => phone::is_canonical(value),
        }
    }
}

fn is_line_break(letter: char) -> bool {
    matches!(
        letter,
        '\n' | '\r' | '\t' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// The text with the decimal digits of every script in ASCII.
pub(super) fn ascii_digits(text: &str) -> Cow<'_, str> {
    digits::ascii_digits(text)
}

/// Visible characters only, in NFKC, without white space around.
#[must_use]
pub fn clean(raw: &str) -> Cow<'_, str> {
    if raw.is_ascii() && !raw.bytes().any(|byte| byte.is_ascii_control()) {
        return Cow::Borrowed(raw.trim());
    }
    let visible: String = raw
        .chars()
        .filter(|letter| !is_invisible(*letter))
        .collect();
    let composed = if is_nfkc(&visible) {
        visible
    } else {
        visible.nfkc().collect()
    };
    Cow::Owned(composed.trim().to_owned())
}

/// Control characters and those that Unicode calls *default ignorable*: they change no meaning and
/// hide in copied text.
///
/// Source: Unicode `DerivedCoreProperties.txt`, `Default_Ignorable_Code_Point`.
fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Full case folding (`ß` is `ss`), composed again. Folding and composing can each undo the other's
/// work for a few letters, so they take turns until nothing changes; no letter needs more than
/// three.
fn fold_case(clean: &str) -> String {
    if clean.is_ascii() {
        return clean.to_ascii_lowercase();
    }
    let mut folded = clean.to_owned();
    for _ in 0..4 {
        let next: String = folded
            .nfd()
            .default_case_fold()
            .nfkc()
            .filter(|letter| !is_invisible(*letter))
            .collect();
        let next = next.trim().to_owned();
        if next == folded {
            break;
        }
        folded = next;
    }
    folded
}

/// The digits of a number that is written with separators; `None` for a text with letters, or of
/// which digits are hidden (`#### 1234`): which ones are the number would be a guess.
fn only_digits(clean: &str) -> Option<String> {
    let is_number = clean.chars().all(|letter| {
        letter.is_ascii_digit()
            || letter.is_whitespace()
            || matches!(letter, '-' | '.' | '/' | '(' | ')' | '#')
    });
    let digits = || clean.chars().filter(char::is_ascii_digit).collect();
    is_number
        .then(digits)
        .filter(|digits: &String| !digits.is_empty() && !is_masked(clean))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;
    use crate::model::{BelongsTo, Placeholders};

    fn kind(normalization: Normalization) -> IdentifierType {
        IdentifierType {
            priority: 1,
            normalization,
            max_per_profile: None,
            max_profiles: None,
            max_records: None,
            blocked: Vec::new(),
            shared: Vec::new(),
            placeholders: Placeholders::default(),
            belongs_to: BelongsTo::Household,
            exclusive: false,
        }
    }

    fn e164(region: &str) -> Normalization {
        Normalization::E164 {
            default_region: region.to_owned(),
        }
    }

    fn all() -> Vec<IdentifierType> {
        let kinds = [
            Normalization::Trim,
            Normalization::CaseFold,
            Normalization::Digits,
            Normalization::Email {
                providers: MailProviders::default(),
            },
        ];
        kinds
            .into_iter()
            .chain([e164("US"), e164("DE"), e164("IT")])
            .map(kind)
            .collect()
    }

    #[test]
    fn invisible_characters_and_different_encodings_of_a_letter_do_not_count() {
        let trim = kind(Normalization::Trim);
        assert_eq!(trim.normalize(" \u{FEFF}e\u{200B}\u{301}\u{0} "), "é");
        assert_eq!(trim.normalize("１２３"), "123");
        assert!(!trim.links(&trim.normalize("\u{200B} ")));
    }

    #[test]
    fn case_folding_follows_unicode() {
        let fold = kind(Normalization::CaseFold);
        assert_eq!(fold.normalize("STRASSE"), fold.normalize("Straße"));
        assert_eq!(fold.normalize("ΣΊΣΥΦΟΣ"), fold.normalize("σίσυφος"));
        assert_eq!(fold.normalize("\u{1E9E}"), "ss");
    }

    #[test]
    fn only_digits_count_where_the_type_says_so() {
        let digits = kind(Normalization::Digits);
        assert_eq!(digits.normalize("92-46 49/63"), "92464963");
        assert_eq!(digits.normalize(" none "), "none");
        assert!(digits.links("92464963"));
        assert!(!digits.links("none"));
        for hidden in ["#### #### 1234", "....1234", "**** 1234"] {
            assert_eq!(digits.normalize(hidden), hidden);
            assert!(!digits.links(hidden), "{hidden}");
        }
    }

    #[test]
    fn lines_of_a_field_are_values_of_their_own_or_kept_apart() {
        let phone = kind(e164("DE"));
        let read = |raw| {
            let read = phone.read(raw, Home::Unsaid);
            let values: Vec<String> = read.values.into_iter().map(|it| it.value).collect();
            (values.join(" | "), read.unread)
        };
        assert_eq!(
            read("0151 21234567\r\n0152 98765432"),
            ("+4915121234567 | +4915298765432".to_owned(), None)
        );
        assert_eq!(
            read("0151 21234\n567"),
            ("0151 21234; 567".to_owned(), Some(Unread::SeveralNumbers))
        );
    }

    #[test]
    fn a_blocked_value_does_not_link() {
        let mut email = kind(Normalization::Email {
            providers: MailProviders::default(),
        });
        assert!(
            !email.links("test@example.com"),
            "a placeholder of the built-in list"
        );
        assert!(email.links("tess@example.com"));
        email.blocked.push(Regex::new("^tess@").expect("compiles"));
        assert!(!email.links("tess@example.com"));
        assert!(email.links("attest@example.com"));
    }

    fn look_alikes() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "[ A-Za-z0-9.+_-]{0,12}@[A-Za-z0-9.-]{0,12}",
            "[A-Z.+]{1,6}@(gmail|googlemail|GMAIL)\\.com\\.?",
            "[+0]{0,3}[0-9 ()./-]{0,22}((ext|x|;ext=|#)[ .]{0,2}[0-9]{0,8})?",
            "(tel:)?\\+?[0-9]{1,17}(;[a-z]{1,4}=[0-9]{1,4})?",
            "[\\u{300}-\\u{36F}\\u{340}-\\u{345}\\u{1F80}-\\u{1FFC}\\u{130}\\u{131}\\u{1E9E}\\u{DF}\\u{2002}\\u{FB00}-\\u{FB06}]{0,8}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn normalisation_is_idempotent_and_never_panics(raw in look_alikes()) {
            for kind in all() {
                let once = kind.normalize(&raw);
                let _ = kind.links(&raw);
                let linked = kind.links(&once);
                let twice = kind.normalize(&once);
                prop_assert_eq!(&twice, &once, "{:?}", kind.normalization);
                prop_assert_eq!(kind.links(&twice), linked);
            }
        }

        #[test]
        fn a_value_that_links_has_no_white_space_around_and_no_control_characters(raw in look_alikes()) {
            for kind in all() {
                let value = kind.normalize(&raw);
                prop_assert!(!kind.links(&value) || value.trim() == value);
                prop_assert!(!value.chars().any(char::is_control));
            }
        }
    }
}
