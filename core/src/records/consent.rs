//! What customers have said about purposes, and what counts at a time.
//!
//! Words on a purpose are never changed. Of one record the [last word](super::last_word) counts
//! among those that are in force at a time; of two of one time the more restrictive is the last; a
//! later word that is in force no later than an earlier one makes that one count never again, so a
//! record need only keep the others ([`Consents`]); history keeps all. Where records differ, the
//! most restrictive counts: see [`ConsentState`]. A record that says nothing does not take part.
//! All of it is a function of the set of words and of the time, so that merging never widens a
//! consent, splitting restores what each side had, and expiry takes effect by time alone.
//!
//! Source of the fields: ISO/IEC TS 27560:2023, Consent record information structure.

mod effective;
mod words;

use std::fmt;

use crate::choices::choices;
use serde::{Deserialize, Serialize};

use super::last_word::{WordPlace, last_word};
use super::{Identifier, Provenance, Timestamp};
use crate::heap_size::{HeapSize, heap_size, plain_size};

pub use effective::{Effective, effective, next_change};

/// What was said about a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentStatus {
    /// Yes.
    Granted,
    /// Yes, but not yet confirmed.
    Pending,
    /// Yes, and later no.
    Withdrawn,
    /// No.
    Denied,
}

impl ConsentStatus {
    /// All, by name.
    pub const ALL: [(&'static str, Self); 4] = [
        ("granted", Self::Granted),
        ("denied", Self::Denied),
        ("withdrawn", Self::Withdrawn),
        ("pending", Self::Pending),
    ];
}

choices! {
    /// Why data may be processed: GDPR, article 6 (1).
    #[derive(PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum LegalBasis as "LegalBasis" {
        /// Consent of the customer: (a).
        Consent = "consent",
        /// A contract with the customer: (b).
        Contract = "contract",
        /// An obligation by law: (c).
        LegalObligation = "legal_obligation",
        /// Vital interests of a person: (d).
        VitalInterests = "vital_interests",
        /// A task in the public interest: (e).
        PublicTask = "public_task",
        /// Legitimate interests: (f).
        LegitimateInterests = "legitimate_interests",
    }
}

/// A word on a purpose. Personal data, so `Debug` hides most of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Name of the purpose.
    #[serde(rename = "p")]
    pub purpose: String,
    /// For which contact point, normalised; none: for all.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub contact_point: Option<Identifier>,
    /// What was said.
    #[serde(rename = "s")]
    pub status: ConsentStatus,
    /// From when on it holds.
    #[serde(rename = "f")]
    pub effective_time: Timestamp,
    /// From when on it holds no longer.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub expire_time: Option<Timestamp>,
    /// Why data is processed; none: the purpose's own.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<LegalBasis>,
    /// The Global Privacy Control signal that came with it.
    #[serde(rename = "g", default, skip_serializing_if = "Option::is_none")]
    pub gpc: Option<bool>,
    /// All else that was said.
    #[serde(rename = "n", default, skip_serializing_if = "ConsentNotes::is_empty")]
    pub notes: Box<ConsentNotes>,
}

impl fmt::Debug for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Consent({} {:?} {:?})",
            self.purpose, self.contact_point, self.status
        )
    }
}

/// What is kept beside a word as it was said.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ConsentNotes {
    /// Under which law.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub jurisdiction: String,
    /// Which version of the policy.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub policy_version: String,
    /// The notice that was shown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub notice: String,
    /// How it was collected.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub collection_method: String,
    /// What proves it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub proof: String,
    /// The id of the customer's receipt.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub receipt_id: String,
    /// The language it was asked in.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub language: String,
    /// The raw string of the Transparency and Consent Framework.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tcf_string: String,
}

impl ConsentNotes {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Each by its name in the API.
    #[must_use]
    pub fn named(&self) -> [(&'static str, &String); 8] {
        [
            ("jurisdiction", &self.jurisdiction),
            ("policy_version", &self.policy_version),
            ("notice", &self.notice),
            ("collection_method", &self.collection_method),
            ("proof", &self.proof),
            ("receipt_id", &self.receipt_id),
            ("language", &self.language),
            ("tcf_string", &self.tcf_string),
        ]
    }
}

/// A word, and who said it when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentWord {
    /// What the customer said.
    #[serde(rename = "v")]
    pub consent: Consent,
    /// Where and when it was said.
    #[serde(rename = "p")]
    pub said: Provenance,
}

impl ConsentWord {
    /// What it comes to at a time; none: it is not in force yet.
    fn at(&self, time: Timestamp) -> Option<ConsentState> {
        if self.consent.effective_time > time {
            return None;
        }
        let expired = self
            .consent
            .expire_time
            .is_some_and(|expires| expires <= time);
        Some(match self.consent.status {
            ConsentStatus::Denied => ConsentState::Denied,
            ConsentStatus::Withdrawn => ConsentState::Withdrawn,
            ConsentStatus::Pending | ConsentStatus::Granted if expired => ConsentState::Expired,
            ConsentStatus::Pending => ConsentState::Pending,
            ConsentStatus::Granted => ConsentState::Granted,
        })
    }

    /// Its place among the words of its record: of two at one time the more restrictive is the
    /// later.
    fn place(&self) -> WordPlace<ConsentStatus> {
        WordPlace::new(&self.said, self.consent.status)
    }

    /// When it changes next by time alone.
    fn next_change(&self, time: Timestamp) -> Option<Timestamp> {
        let Consent {
            effective_time,
            expire_time,
            status,
            ..
        } = &self.consent;
        let expires = matches!(status, ConsentStatus::Granted | ConsentStatus::Pending)
            .then_some(*expire_time)
            .flatten();
        [Some(*effective_time), expires]
            .into_iter()
            .flatten()
            .filter(|at| *at > time)
            .min()
    }
}

/// The words of one record that can still count, in order of purpose, contact point and place.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Consents(Vec<ConsentWord>);

impl Consents {
    /// So many words on one purpose and contact point are kept to count at times to come, with a
    /// version and without one; of more, the latest.
    const MAX_WORDS: usize = 20;

    /// Takes a word in. In whichever order words come, the same ones are kept.
    pub(super) fn take(&mut self, consent: &Consent, said: Provenance) {
        let topic = |word: &ConsentWord| {
            (
                word.consent.purpose.clone(),
                word.consent.contact_point.clone(),
            )
        };
        let new = ConsentWord {
            consent: consent.clone(),
            said,
        };
        let about = topic(&new);
        let (mut same, mut others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|word| topic(word) == about);
        if !same.iter().any(|word| word.said.stamp == said.stamp) {
            same.push(new);
        }
        let (by_version, by_time) = same
            .into_iter()
            .partition(|word| word.place().has_version());
        for mut words in [by_version, by_time] {
            Self::keep_what_counts(&mut words);
            others.extend(words);
        }
        others.sort_by_key(|word| (topic(word), word.place()));
        self.0 = others;
    }

    /// Drops the words that never count again, of those that are put in order in one way.
    fn keep_what_counts(words: &mut Vec<ConsentWord>) {
        // From the latest back: a word counts only if it is in force before all that are later.
        words.sort_by_key(|word| std::cmp::Reverse(word.place()));
        let mut earliest: Option<Timestamp> = None;
        words.retain(|word| {
            let counts = earliest.is_none_or(|earliest| word.consent.effective_time < earliest);
            earliest = Some(earliest.map_or(word.consent.effective_time, |at| {
                at.min(word.consent.effective_time)
            }));
            counts
        });
        words.truncate(Self::MAX_WORDS);
    }

    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All words that are kept.
    pub fn iter(&self) -> impl Iterator<Item = &ConsentWord> {
        self.0.iter()
    }

    /// How many purposes and contact points it speaks of.
    #[must_use]
    pub fn topics(&self) -> usize {
        let pair = |word: &ConsentWord| {
            (
                word.consent.purpose.clone(),
                word.consent.contact_point.clone(),
            )
        };
        self.0.chunk_by(|a, b| pair(a) == pair(b)).count()
    }

    /// The origin of the latest word on the same purpose and contact point.
    #[must_use]
    pub(super) fn latest_on(&self, consent: &Consent) -> Option<&Provenance> {
        let Consent {
            purpose,
            contact_point,
            ..
        } = consent;
        let same = self.0.iter().filter(|word| {
            (&word.consent.purpose, &word.consent.contact_point) == (purpose, contact_point)
        });
        last_word(same, |word| word.place()).map(|word| &word.said)
    }

    /// Whether it speaks of this purpose and contact point.
    #[must_use]
    pub fn speaks_of(&self, consent: &Consent) -> bool {
        let Consent {
            purpose,
            contact_point,
            ..
        } = consent;
        self.0.iter().any(|word| {
            (&word.consent.purpose, &word.consent.contact_point) == (purpose, contact_point)
        })
    }

    /// What counts of this record's words: the last among those in force. Where the purpose as such
    /// is asked about and nothing general was said, the least restrictive of what was said for
    /// contact points. `counts` tells which words may allow anything.
    fn at(
        &self,
        about: About<'_>,
        time: Timestamp,
        counts: &dyn Fn(&Provenance) -> bool,
    ) -> Option<(ConsentState, &ConsentWord)> {
        self.last(about, time, counts).or_else(|| {
            let points = self.0.iter().filter(|word| {
                about.contact_point.is_none() && word.consent.purpose == about.purpose
            });
            let each = points.filter_map(|word| {
                let contact_point = word.consent.contact_point.as_ref();
                let about = About {
                    contact_point,
                    ..about
                };
                self.last(about, time, counts)
            });
            each.min_by_key(|(state, word)| (*state, std::cmp::Reverse(word.place())))
        })
    }

    fn last(
        &self,
        about: About<'_>,
        time: Timestamp,
        counts: &dyn Fn(&Provenance) -> bool,
    ) -> Option<(ConsentState, &ConsentWord)> {
        let in_force = self
            .0
            .iter()
            .filter(|word| about.covers(word))
            .filter_map(|word| Some((word.at(time)?, word)))
            .filter(|(state, word)| state.refuses() || counts(&word.said));
        last_word(in_force, |(_, word)| word.place())
    }
}

/// What is asked about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Name of the purpose.
    pub purpose: &'a str,
    /// The contact point; none: the purpose as such.
    pub contact_point: Option<&'a Identifier>,
}

impl About<'_> {
    /// Words on a contact point speak of that alone; others of every one.
    fn covers(&self, word: &ConsentWord) -> bool {
        word.consent.purpose == self.purpose
            && word
                .consent
                .contact_point
                .as_ref()
                .is_none_or(|point| Some(point) == self.contact_point)
    }
}

/// What a word comes to at a time, the more restrictive the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsentState {
    /// Yes.
    Granted,
    /// Not confirmed.
    Pending,
    /// Its time is over.
    Expired,
    /// Yes, and later no.
    Withdrawn,
    /// No.
    Denied,
}

impl ConsentState {
    /// Whether the customer said no.
    fn refuses(self) -> bool {
        self >= Self::Withdrawn
    }
}

plain_size!(ConsentStatus, LegalBasis);

heap_size! {
    Consent { purpose, contact_point, status, effective_time, expire_time, legal_basis, gpc, notes }
    ConsentNotes {
        jurisdiction, policy_version, notice, collection_method, proof, receipt_id, language, tcf_string,
    }
    ConsentWord { consent, said }
}

impl HeapSize for Consents {
    fn heap_bytes(&self) -> usize {
        self.0.heap_bytes()
    }
}

#[cfg(test)]
mod tests;
