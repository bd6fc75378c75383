//! How customers want to be treated: what a record may say of it, and what stands where records
//! differ.
//!
//! A record keeps its latest word on each [`PreferenceKey`]. What stands in the profile follows
//! from the key's rule: of what describes the customer the latest word; of what limits us, and of
//! what the customer needs, all that any record says. So a merge never loosens a limit, and a split
//! gives each side its own words back.

mod fold;
mod size;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use fold::fold_preferences;

use super::Origin;
use crate::heap_size::{heap_size, plain_size};

/// What a preference is about. As a text it is its name in the API: `language`, `topics.news`,
/// `accessibility.large_print`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum PreferenceKey {
    /// What to call the customer.
    PreferredName,
    /// How to address the customer.
    FormOfAddress,
    /// How the name is said.
    Pronunciation,
    /// Language tag by BCP 47.
    Language,
    /// Name of a time zone in the IANA database.
    TimeZone,
    /// Channels, the best first.
    PreferredChannels,
    /// Not to be used.
    ForbiddenChannels,
    /// When not to contact.
    QuietHours,
    /// How often to contact at most.
    FrequencyCaps,
    /// Not to be contacted at all.
    DoNotContact,
    /// GDPR, article 18.
    ProcessingRestricted,
    /// Whether a topic is wanted.
    Topic(String),
    /// Calls come through a relay service.
    RelayService,
    /// Which sign language.
    SignLanguage,
    /// An interpreter is needed.
    Interpreter,
    /// Large print.
    LargePrint,
    /// Braille.
    Braille,
    /// Easy language.
    EasyRead,
    /// Slow and clear speech.
    SpeakSlowly,
    /// Not by telephone.
    NoPhone,
    /// In writing too.
    WrittenConfirmation,
    /// More time than usual.
    ExtraTime,
    /// Who may speak for the customer.
    Representative,
}

/// What the name of a topic begins with.
const TOPICS: &str = "topics.";
/// What the names of needs begin with.
const ACCESSIBILITY: &str = "accessibility.";

/// What stands where records differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// The latest word.
    Latest,
    /// True, if any says so.
    AnyTrue,
    /// False, if any says so.
    AnyFalse,
    /// All that is said.
    All,
}

impl PreferenceKey {
    /// All but topics, by name.
    pub const NAMED: [(&'static str, Self); 22] = [
        ("preferred_name", Self::PreferredName),
        ("form_of_address", Self::FormOfAddress),
        ("pronunciation", Self::Pronunciation),
        ("language", Self::Language),
        ("time_zone", Self::TimeZone),
        ("preferred_channels", Self::PreferredChannels),
        ("forbidden_channels", Self::ForbiddenChannels),
        ("quiet_hours", Self::QuietHours),
        ("frequency_caps", Self::FrequencyCaps),
        ("do_not_contact", Self::DoNotContact),
        ("processing_restricted", Self::ProcessingRestricted),
        ("accessibility.relay_service", Self::RelayService),
        ("accessibility.sign_language", Self::SignLanguage),
        ("accessibility.interpreter", Self::Interpreter),
        ("accessibility.large_print", Self::LargePrint),
        ("accessibility.braille", Self::Braille),
        ("accessibility.easy_read", Self::EasyRead),
        ("accessibility.speak_slowly", Self::SpeakSlowly),
        ("accessibility.no_phone", Self::NoPhone),
        (
            "accessibility.written_confirmation",
            Self::WrittenConfirmation,
        ),
        ("accessibility.extra_time", Self::ExtraTime),
        ("accessibility.representative", Self::Representative),
    ];

    /// Whether it is a need, which is never used to sell.
    #[must_use]
    pub fn is_accessibility(&self) -> bool {
        self.standing() != Standing::AnyFalse && self.to_string().starts_with(ACCESSIBILITY)
    }

    /// Its name among the fields that change: `preferences.language`, `accessibility.large_print`.
    #[must_use]
    pub fn field(&self) -> String {
        if self.is_accessibility() {
            self.to_string()
        } else {
            format!("preferences.{self}")
        }
    }

    /// How much a word limits us, or asks of us: of two words of one record at one time the
    /// stricter counts.
    #[must_use]
    pub(crate) fn strictness(&self, word: Option<&Preference>) -> u8 {
        let strict = match (self.standing(), word) {
            (Standing::Latest, _) | (_, None) => false,
            (Standing::All, Some(_)) => true,
            (Standing::AnyTrue, Some(word)) => *word == Preference::Flag(true),
            (Standing::AnyFalse, Some(word)) => *word == Preference::Flag(false),
        };
        u8::from(strict)
    }

    /// Whether a word on it limits how the customer may be contacted or used. A need is none, but
    /// that nobody may call.
    #[must_use]
    pub(crate) fn limits(&self, word: &Preference) -> bool {
        (!self.is_accessibility() || *self == Self::NoPhone) && self.strictness(Some(word)) > 0
    }

    fn standing(&self) -> Standing {
        match self {
            Self::PreferredName
            | Self::FormOfAddress
            | Self::Pronunciation
            | Self::Language
            | Self::TimeZone
            | Self::PreferredChannels
            | Self::SignLanguage
            | Self::Representative => Standing::Latest,
            Self::ForbiddenChannels | Self::QuietHours | Self::FrequencyCaps => Standing::All,
            Self::Topic(_) => Standing::AnyFalse,
            Self::DoNotContact
            | Self::ProcessingRestricted
            | Self::RelayService
            | Self::Interpreter
            | Self::LargePrint
            | Self::Braille
            | Self::EasyRead
            | Self::SpeakSlowly
            | Self::NoPhone
            | Self::WrittenConfirmation
            | Self::ExtraTime => Standing::AnyTrue,
        }
    }
}

impl fmt::Display for PreferenceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(name) => write!(f, "{TOPICS}{name}"),
            key => f.write_str(
                Self::NAMED
                    .iter()
                    .find(|(_, named)| named == key)
                    .map_or("", |(name, _)| name),
            ),
        }
    }
}

impl FromStr for PreferenceKey {
    type Err = UnknownPreference;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(topic) = text.strip_prefix(TOPICS).filter(|topic| !topic.is_empty()) {
            return Ok(Self::Topic(topic.to_owned()));
        }
        let named = Self::NAMED.iter().find(|(name, _)| *name == text);
        named.map(|(_, key)| key.clone()).ok_or(UnknownPreference)
    }
}

/// There is no preference of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no preference of that name")]
pub struct UnknownPreference;

impl From<PreferenceKey> for String {
    fn from(key: PreferenceKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for PreferenceKey {
    type Error = UnknownPreference;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// What is said of a preference. Personal data, so `Debug` hides it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Preference {
    /// A text, well-formed for its key.
    #[serde(rename = "s")]
    Text(String),
    /// Yes or no.
    #[serde(rename = "b")]
    Flag(bool),
    /// Channels, in order.
    #[serde(rename = "c")]
    Channels(Vec<String>),
    /// Times of the week without contact.
    #[serde(rename = "q")]
    QuietHours(Vec<QuietHours>),
    /// Limits on the number of contacts.
    #[serde(rename = "f")]
    FrequencyCaps(Vec<FrequencyCap>),
    /// A person who speaks for the customer.
    #[serde(rename = "r")]
    Representative(Box<Representative>),
}

impl fmt::Debug for Preference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Preference(…)")
    }
}

/// Hours of the customer's own clock in which not to contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct QuietHours {
    /// The days on which they begin: bit 0 is Monday, bit 6 is Sunday.
    #[serde(rename = "d")]
    pub days: u8,
    /// From this minute of the day on.
    #[serde(rename = "s")]
    pub start: u16,
    /// Until before this minute; where it is not after `start`, that of the next day.
    #[serde(rename = "e")]
    pub end: u16,
}

impl QuietHours {
    /// Every day.
    pub const EVERY_DAY: u8 = 0b111_1111;
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { days, start, end } = self;
        write!(
            f,
            "{:02}:{:02}-{:02}:{:02}",
            start / 60,
            start % 60,
            end / 60,
            end % 60
        )?;
        if *days == Self::EVERY_DAY {
            return Ok(());
        }
        let named = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
            .into_iter()
            .enumerate();
        let named: Vec<&str> = named
            .filter(|(bit, _)| days & (1 << bit) != 0)
            .map(|(_, name)| name)
            .collect();
        write!(f, " ({})", named.join(" "))
    }
}

/// How often to contact at most.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FrequencyCap {
    /// Over this channel; none: over all together.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// So many contacts; 0: none
    #[serde(rename = "n")]
    pub max_count: usize,
    /// in any span of so many seconds.
    #[serde(rename = "w")]
    pub window_seconds: i64,
}

/// Somebody who may speak for a customer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Representative {
    /// Name of the representative.
    #[serde(rename = "n")]
    pub display_name: String,
    /// What they are to the customer.
    #[serde(rename = "r", default, skip_serializing_if = "String::is_empty")]
    pub relationship: String,
    /// How to reach them.
    #[serde(rename = "c", default, skip_serializing_if = "String::is_empty")]
    pub contact_point: String,
    /// What they may do.
    #[serde(rename = "a", default, skip_serializing_if = "String::is_empty")]
    pub authority: String,
}

/// What stands for one preference.
#[derive(Debug, Clone, PartialEq)]
pub struct StatedPreference {
    /// The value that counts.
    pub value: Preference,
    /// All whose word it is, in order of record.
    pub origins: Vec<Origin>,
}

/// What stands for each preference that anything is said of.
pub type Preferences = BTreeMap<PreferenceKey, StatedPreference>;

impl StatedPreference {
    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Preference::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is a yes.
    #[must_use]
    pub fn is_true(&self) -> bool {
        self.value == Preference::Flag(true)
    }
}

plain_size!(QuietHours);

heap_size! {
    FrequencyCap { channel, max_count, window_seconds }
    Representative { display_name, relationship, contact_point, authority }
    StatedPreference { value, origins }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preference_has_a_name_that_leads_back_to_it() {
        for (name, key) in PreferenceKey::NAMED {
            assert_eq!(key.to_string(), name);
            assert_eq!(name.parse(), Ok(key));
        }
        let topic = PreferenceKey::Topic("accessibility.news".to_owned());
        assert_eq!(topic.to_string().parse(), Ok(topic.clone()));
        assert!(!topic.is_accessibility() && PreferenceKey::NoPhone.is_accessibility());
        for unknown in ["", "topics.", "colour", "accessibility"] {
            assert_eq!(
                unknown.parse::<PreferenceKey>(),
                Err(UnknownPreference),
                "{unknown}"
            );
        }
    }

    #[test]
    fn quiet_hours_are_told_as_they_are_said() {
        let night = QuietHours {
            days: QuietHours::EVERY_DAY,
            start: 22 * 60,
            end: 7 * 60 + 30,
        };
        assert_eq!(night.to_string(), "22:00-07:30");
        assert_eq!(
            QuietHours {
                days: 0b110_0000,
                ..night
            }
            .to_string(),
            "22:00-07:30 (Sat Sun)"
        );
    }
}
