//! Encoding of preferences, consent and permissions.

mod consent;

use profile_core::records::{Preference, PreferenceKey as Key, Preferences, StatedPreference};

use crate::grpc::encode::origin;
use crate::grpc::v1;

pub(super) use consent::{consents, effective_consent};
pub(in crate::grpc) use consent::{permission, said, withheld};

/// Needs of the customer; `None` where nothing is said.
pub(in crate::grpc) fn accessibility(stated: &Preferences) -> Option<v1::Accessibility> {
    stated
        .keys()
        .any(Key::is_accessibility)
        .then(|| v1::Accessibility {
            relay_service: flag(stated, &Key::RelayService),
            sign_language: text(stated, &Key::SignLanguage),
            interpreter: flag(stated, &Key::Interpreter),
            large_print: flag(stated, &Key::LargePrint),
            braille: flag(stated, &Key::Braille),
            easy_read: flag(stated, &Key::EasyRead),
            speak_slowly: flag(stated, &Key::SpeakSlowly),
            no_phone: flag(stated, &Key::NoPhone),
            written_confirmation: flag(stated, &Key::WrittenConfirmation),
            extra_time: flag(stated, &Key::ExtraTime),
            representative: match stated.get(&Key::Representative).map(|stated| &stated.value) {
                Some(Preference::Representative(said)) => Some(v1::Representative {
                    display_name: said.display_name.clone(),
                    relationship: said.relationship.clone(),
                    contact_point: said.contact_point.clone(),
                    authority: said.authority.clone(),
                }),
                _ => None,
            },
        })
}

/// How the customer wants to be treated; none where nothing is said.
pub(in crate::grpc) fn preferences(stated: &Preferences) -> Option<v1::Preferences> {
    let topic = |(key, stated): (&Key, &StatedPreference)| match key {
        Key::Topic(name) => Some((name.clone(), stated.is_true())),
        _ => None,
    };
    stated
        .keys()
        .any(|key| !key.is_accessibility())
        .then(|| v1::Preferences {
            preferred_name: text(stated, &Key::PreferredName),
            form_of_address: text(stated, &Key::FormOfAddress),
            pronunciation: text(stated, &Key::Pronunciation),
            language: text(stated, &Key::Language),
            time_zone: text(stated, &Key::TimeZone),
            preferred_channels: channels(stated, &Key::PreferredChannels),
            forbidden_channels: channels(stated, &Key::ForbiddenChannels),
            quiet_hours: quiet_hours(stated),
            frequency_caps: frequency_caps(stated),
            topics: stated.iter().filter_map(topic).collect(),
            do_not_contact: flag(stated, &Key::DoNotContact),
            processing_restricted: flag(stated, &Key::ProcessingRestricted),
        })
}

fn text(stated: &Preferences, key: &Key) -> String {
    stated
        .get(key)
        .and_then(StatedPreference::as_text)
        .unwrap_or_default()
        .to_owned()
}

fn flag(stated: &Preferences, key: &Key) -> Option<bool> {
    stated.get(key).map(StatedPreference::is_true)
}

fn channels(stated: &Preferences, key: &Key) -> Vec<String> {
    match stated.get(key).map(|stated| &stated.value) {
        Some(Preference::Channels(channels)) => channels.clone(),
        _ => Vec::new(),
    }
}

fn quiet_hours(stated: &Preferences) -> Vec<v1::QuietHours> {
    let Some(Preference::QuietHours(hours)) =
        stated.get(&Key::QuietHours).map(|stated| &stated.value)
    else {
        return Vec::new();
    };
    let one = |hours: &profile_core::records::QuietHours| v1::QuietHours {
        days: (1..=7)
            .filter(|day| {
                hours.days != profile_core::records::QuietHours::EVERY_DAY
                    && hours.days & (1 << (day - 1)) != 0
            })
            .collect(),
        start_time: format!("{:02}:{:02}", hours.start / 60, hours.start % 60),
        end_time: format!("{:02}:{:02}", hours.end / 60, hours.end % 60),
    };
    hours.iter().map(one).collect()
}

fn frequency_caps(stated: &Preferences) -> Vec<v1::FrequencyCap> {
    let Some(Preference::FrequencyCaps(caps)) =
        stated.get(&Key::FrequencyCaps).map(|stated| &stated.value)
    else {
        return Vec::new();
    };
    let one = |cap: &profile_core::records::FrequencyCap| v1::FrequencyCap {
        channel: cap.channel.clone().unwrap_or_default(),
        max_count: i32::try_from(cap.max_count).unwrap_or(i32::MAX),
        window: Some(prost_types::Duration {
            seconds: cap.window_seconds,
            nanos: 0,
        }),
    };
    caps.iter().map(one).collect()
}

/// The source of each preference that may be seen.
pub(super) fn origins(
    stated: &Preferences,
    seen: impl Fn(&Key) -> bool,
) -> Vec<v1::PreferenceOrigin> {
    let one = |(key, stated): (&Key, &StatedPreference)| v1::PreferenceOrigin {
        field: key.to_string(),
        origins: stated.origins.iter().map(origin).collect(),
    };
    stated
        .iter()
        .filter(|(key, _)| seen(key))
        .map(one)
        .collect()
}
