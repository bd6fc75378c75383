//! Whether a customer may be contacted, by the first rule that refuses.
//!
//! A purpose that sells is not told that it is a need that refuses: to it the channel is forbidden
//! ([`view`]).

mod rules;

use std::cmp::Reverse;

use super::view;
use crate::model::{Channel, Model, Purpose, PurposeKind};
use crate::profile::{Profile, ProfileIdentifier};
use crate::records::{
    ConsentState, Origin, PreferenceKey, Preferences, StatedPreference, Timestamp,
};
use rules::by;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Purpose of the contact.
    pub purpose: &'a str,
    /// Channel of the contact.
    pub channel: &'a str,
    /// Where, in any form; none: anywhere.
    pub contact_point: Option<&'a str>,
    /// On which topic.
    pub topic: Option<&'a str>,
    /// Time of the contact.
    pub time: Timestamp,
}

/// Why there is no answer: the model declares no such thing, or the channel has no contact points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskError {
    /// There is no such purpose.
    Purpose,
    /// There is no such channel.
    Channel,
    /// The channel leads to no identifier.
    ContactPoint,
}

/// Whether a customer may be contacted, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Permission {
    /// Whether, and why.
    pub reason: ContactReason,
    /// The rule that decided, in words.
    pub rule: String,
    /// Whose word decided.
    pub origin: Option<Origin>,
    /// When it is allowed next.
    pub next_allowed_time: Option<Timestamp>,
    /// Contact point that the answer is about.
    pub contact_point: Option<ProfileIdentifier>,
}

/// Why a customer may be contacted, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactReason {
    /// Nothing speaks against it.
    Allowed,
    /// Processing is restricted.
    ProcessingRestricted,
    /// The customer is not to be contacted.
    DoNotContact,
    /// There is nowhere.
    NoContactPoint,
    /// The channel is forbidden.
    ChannelForbidden,
    /// Not by telephone.
    NoPhone,
    /// Not on this topic.
    TopicNotWanted,
    /// By consent: what counts; none: nothing was said.
    Consent(Option<ConsentState>),
    /// It is a quiet hour.
    QuietHours,
    /// It was often enough.
    FrequencyCap,
}

/// What speaks against it, and when that may be over by time alone.
struct Refusal {
    reason: ContactReason,
    rule: String,
    origin: Option<Origin>,
    until: Option<Timestamp>,
}

/// How far ahead is looked for when it is allowed, in days: a year, and the longest window of a
/// cap.
const HORIZON_DAYS: i64 = 400;
/// How many obstacles one after the other are looked at.
const MAX_STEPS: usize = 1_000;

impl Question<'_> {
    /// Answers it.
    ///
    /// # Errors
    /// See [`AskError`].
    pub fn answer(&self, profile: &Profile, model: &Model) -> Result<Permission, AskError> {
        let purpose = model.purposes.get(self.purpose).ok_or(AskError::Purpose)?;
        let channel = model.channels.get(self.channel).ok_or(AskError::Channel)?;
        let points = self.points(profile, channel, model)?;
        let stated = view::View {
            name: self.purpose,
            purpose,
            model,
        }
        .preferences(&profile.preferences);
        let case = |point: Option<ProfileIdentifier>| Case {
            question: self,
            profile,
            stated: &stated,
            model,
            purpose,
            channel,
            point,
        };
        let all = points
            .into_iter()
            .map(|point| case(Some(point)).permission());
        let soonest = |permission: &Permission| {
            (
                permission.reason != ContactReason::Allowed,
                permission
                    .next_allowed_time
                    .map_or(i64::MAX, Timestamp::as_micros),
            )
        };
        Ok(all
            .min_by_key(soonest)
            .unwrap_or_else(|| case(None).permission()))
    }

    /// Where the customer can be reached, the latest said first; only the one that is asked about,
    /// if one is.
    fn points(
        &self,
        profile: &Profile,
        channel: &Channel,
        model: &Model,
    ) -> Result<Vec<ProfileIdentifier>, AskError> {
        let Some(kind) = &channel.contact_point else {
            return if self.contact_point.is_some() {
                Err(AskError::ContactPoint)
            } else {
                Ok(Vec::new())
            };
        };
        let form = model.identifiers.get(kind).ok_or(AskError::ContactPoint)?;
        let asked = self.contact_point.map(|value| form.normalize(value));
        let held = profile.identifiers.iter().filter(|held| {
            held.identifier.kind == *kind && form.is_somebodys(&held.identifier.value)
        });
        let mut held: Vec<_> = held
            .filter(|held| {
                asked
                    .as_ref()
                    .is_none_or(|asked| *asked == held.identifier.value)
            })
            .collect();
        held.sort_by_key(|held| {
            let trust = model.trust(&held.origin.record.source);
            Reverse((held.origin.said_time(), trust))
        });
        Ok(held.into_iter().cloned().collect())
    }
}

/// A question about one contact point.
struct Case<'a> {
    question: &'a Question<'a>,
    profile: &'a Profile,
    /// Preferences as far as the purpose may know of them.
    stated: &'a Preferences,
    model: &'a Model,
    purpose: &'a Purpose,
    channel: &'a Channel,
    point: Option<ProfileIdentifier>,
}

impl Case<'_> {
    fn permission(self) -> Permission {
        let refused = self.refusal(self.question.time);
        let next_allowed_time = refused
            .as_ref()
            .and_then(|refusal| self.next_allowed(refusal.until));
        let (reason, rule, origin) = match refused {
            None => (
                ContactReason::Allowed,
                "nothing speaks against it".to_owned(),
                self.grant(),
            ),
            Some(Refusal {
                reason,
                rule,
                origin,
                ..
            }) => (reason, rule, origin),
        };
        Permission {
            reason,
            rule,
            origin,
            next_allowed_time,
            contact_point: self.point,
        }
    }

    /// From obstacle to obstacle, as long as time lifts them.
    fn next_allowed(&self, until: Option<Timestamp>) -> Option<Timestamp> {
        let horizon = self.question.time.as_micros() + HORIZON_DAYS * 86_400_000_000;
        let mut time = until?;
        for _ in 0..MAX_STEPS {
            if time.as_micros() > horizon {
                return None;
            }
            match self.refusal(time) {
                None => return Some(time),
                Some(refusal) => time = refusal.until.filter(|until| *until > time)?,
            }
        }
        None
    }

    fn refusal(&self, time: Timestamp) -> Option<Refusal> {
        self.states()
            .or_else(|| self.place())
            .or_else(|| self.consent(time))
            .or_else(|| self.quiet(time))
            .or_else(|| self.often(time))
    }

    fn is_essential(&self) -> bool {
        self.purpose.kind == PurposeKind::Essential
    }

    fn stated(&self, key: &PreferenceKey) -> Option<&StatedPreference> {
        self.stated.get(key)
    }

    /// A yes to a preference that speaks against it.
    fn says(&self, key: &PreferenceKey, reason: ContactReason, rule: &str) -> Option<Refusal> {
        self.stated(key)
            .filter(|stated| stated.is_true())
            .map(|stated| by(stated, reason, rule))
    }

    fn states(&self) -> Option<Refusal> {
        let restricted = || {
            let rule = "processing is restricted";
            self.says(
                &PreferenceKey::ProcessingRestricted,
                ContactReason::ProcessingRestricted,
                rule,
            )
        };
        let silent = || {
            let rule = "the customer is not to be contacted";
            self.says(
                &PreferenceKey::DoNotContact,
                ContactReason::DoNotContact,
                rule,
            )
        };
        let restricted = if self.purpose.under_restriction {
            None
        } else {
            restricted()
        };
        restricted.or_else(|| if self.is_essential() { None } else { silent() })
    }
}
