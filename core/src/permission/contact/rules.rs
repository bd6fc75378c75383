//! The rules that may refuse a contact, each in its own function.

use std::cmp::Reverse;

use jiff::tz::TimeZone;

use super::{Case, ContactReason, Refusal};
use crate::permission::quiet::{next_loud, quiet_at};
use crate::permission::view::told;
use crate::records::{
    About, ConsentState, FrequencyCap, Origin, Preference, PreferenceKey, StatedPreference,
    Timestamp, effective, next_change,
};
use crate::time_zone;

impl Case<'_> {
    pub(super) fn place(&self) -> Option<Refusal> {
        if let (Some(kind), None) = (&self.channel.contact_point, &self.point) {
            let rule = format!("the customer has no such {kind}");
            return Some(Refusal {
                reason: ContactReason::NoContactPoint,
                rule,
                origin: None,
                until: None,
            });
        }
        let channel = self.question.channel;
        if let Some(stated) = self.stated(&PreferenceKey::ForbiddenChannels)
            && matches!(&stated.value, Preference::Channels(all) if all.iter().any(|one| one == channel))
        {
            return Some(by(
                stated,
                ContactReason::ChannelForbidden,
                &format!("channel {channel} is forbidden"),
            ));
        }
        let no_phone = "the customer needs that it be not by telephone";
        let no_phone = || self.says(&PreferenceKey::NoPhone, ContactReason::NoPhone, no_phone);
        let refused = if self.channel.voice { no_phone() } else { None };
        refused.or_else(|| self.topic())
    }

    pub(super) fn topic(&self) -> Option<Refusal> {
        let topic = self.question.topic?;
        let stated = self.stated(&PreferenceKey::Topic(topic.to_owned()))?;
        let refused = stated.value == Preference::Flag(false);
        refused.then(|| {
            by(
                stated,
                ContactReason::TopicNotWanted,
                &format!("topic {topic} is not wanted"),
            )
        })
    }

    fn about(&self) -> About<'_> {
        About {
            purpose: self.question.purpose,
            contact_point: self.point.as_ref().map(|point| &point.identifier),
        }
    }

    pub(super) fn consent(&self, time: Timestamp) -> Option<Refusal> {
        let found = effective(&self.profile.records, self.about(), time);
        let state = found.as_ref().map(|found| found.state);
        if self.purpose.consent.is_met(state) {
            return None;
        }
        Some(Refusal {
            reason: ContactReason::Consent(state),
            rule: format!(
                "purpose {}: consent is {}",
                self.question.purpose,
                told(state)
            ),
            origin: found.map(|found| found.origin()),
            until: next_change(&self.profile.records, self.about(), time),
        })
    }

    /// Whose yes allows it.
    pub(super) fn grant(&self) -> Option<Origin> {
        let found = effective(&self.profile.records, self.about(), self.question.time)?;
        (found.state == ConsentState::Granted).then(|| found.origin())
    }

    pub(super) fn quiet(&self, time: Timestamp) -> Option<Refusal> {
        let stated = self
            .stated(&PreferenceKey::QuietHours)
            .filter(|_| !self.is_essential())?;
        let Preference::QuietHours(hours) = &stated.value else {
            return None;
        };
        let name = self
            .stated(&PreferenceKey::TimeZone)
            .and_then(StatedPreference::as_text);
        let name = name
            .or(Some(self.model.time_zone.as_str()))
            .filter(|name| !name.is_empty())
            .unwrap_or("UTC");
        let zone = time_zone::get(name).unwrap_or(TimeZone::UTC);
        let quiet = quiet_at(hours, &zone, time)?;
        let until = next_loud(hours, &zone, time);
        Some(Refusal {
            until,
            ..by(
                stated,
                ContactReason::QuietHours,
                &format!("quiet hours {quiet} {name}"),
            )
        })
    }

    pub(super) fn often(&self, time: Timestamp) -> Option<Refusal> {
        let stated = self
            .stated(&PreferenceKey::FrequencyCaps)
            .filter(|_| !self.is_essential())?;
        let Preference::FrequencyCaps(caps) = &stated.value else {
            return None;
        };
        let concerns = |cap: &&FrequencyCap| {
            cap.channel
                .as_ref()
                .is_none_or(|channel| channel == self.question.channel)
        };
        let reached = caps
            .iter()
            .filter(concerns)
            .filter_map(|cap| Some((cap, self.reached(cap, time)?)));
        let (cap, until) = reached.max_by_key(|(_, until)| *until)?;
        let over = cap.channel.as_deref().unwrap_or("all channels");
        let rule = format!(
            "at most {} contacts over {over} in {} seconds",
            cap.max_count, cap.window_seconds
        );
        Some(Refusal {
            until: Some(until),
            ..by(stated, ContactReason::FrequencyCap, &rule)
        })
    }

    /// Until when a cap is reached, if it is.
    fn reached(&self, cap: &FrequencyCap, time: Timestamp) -> Option<Timestamp> {
        if cap.max_count == 0 {
            return Some(Timestamp::from_micros(i64::MAX));
        }
        let channels = self
            .model
            .channels
            .iter()
            .filter(|(name, _)| cap.channel.as_ref().is_none_or(|one| one == *name));
        let mut types: Vec<&String> = channels
            .flat_map(|(_, channel)| &channel.contact_events)
            .collect();
        types.sort_unstable();
        types.dedup();
        let records = self.profile.records.iter();
        let contacts =
            records.flat_map(|record| types.iter().flat_map(|kind| record.contacts(kind)));
        let mut times: Vec<Timestamp> = contacts
            .copied()
            .filter(|contact| *contact <= time)
            .collect();
        times.sort_unstable_by_key(|time| Reverse(*time));
        let last = times.get(cap.max_count.checked_sub(1)?)?;
        let until = Timestamp::from_micros(last.as_micros() + cap.window_seconds * 1_000_000);
        (until > time).then_some(until)
    }
}

pub(super) fn by(stated: &StatedPreference, reason: ContactReason, rule: &str) -> Refusal {
    Refusal {
        reason,
        rule: rule.to_owned(),
        origin: stated.origins.first().cloned(),
        until: None,
    }
}
