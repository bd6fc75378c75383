//! To the wire: what stands of preferences, what counts of consent, and permissions.

use std::collections::BTreeMap;

use profile_core::permission::contact::{ContactReason, Permission};
use profile_core::permission::view::{Withheld, WithheldReason};
use profile_core::profile::Profile;
use profile_core::records::{
    About, Consent, ConsentState, ConsentStatus, DraftConsent, Effective, Identifier, LegalBasis,
    Preference, PreferenceKey as Key, Preferences, StatedPreference, Timestamp, Value, effective,
    next_change,
};

use crate::grpc::encode::{identifier, origin, time, written};
use crate::grpc::v1;

/// What the customer needs; none where nothing is said.
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

/// Who said each preference that may be seen.
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

/// What counts at a time, for each purpose and contact point that anything was said about.
pub(super) fn consents(profile: &Profile, now: Timestamp) -> Vec<v1::EffectiveConsent> {
    let words = profile
        .records
        .iter()
        .flat_map(|record| record.consents().iter());
    let spoken: std::collections::BTreeSet<(&String, Option<&Identifier>)> = words
        .map(|word| (&word.consent.purpose, word.consent.contact_point.as_ref()))
        .collect();
    let one = |(purpose, contact_point): (&String, Option<&Identifier>)| {
        effective_consent(
            profile,
            About {
                purpose,
                contact_point,
            },
            now,
        )
    };
    spoken.into_iter().map(one).collect()
}

/// What counts at a time.
pub(super) fn effective_consent(
    profile: &Profile,
    about: About<'_>,
    now: Timestamp,
) -> v1::EffectiveConsent {
    let found: Option<Effective<'_>> = effective(&profile.records, about, now);
    let status = found
        .as_ref()
        .map_or(v1::ConsentStatus::Unspecified, |found| state(found.state));
    v1::EffectiveConsent {
        purpose: about.purpose.to_owned(),
        contact_point: about.contact_point.map(identifier),
        status: status.into(),
        origin: found.as_ref().map(|found| origin(&found.origin())),
        consent: found.map(|found| consent(&found.word.consent)),
        next_change_time: next_change(&profile.records, about, now).map(time),
    }
}

fn state(state: ConsentState) -> v1::ConsentStatus {
    match state {
        ConsentState::Granted => v1::ConsentStatus::Granted,
        ConsentState::Pending => v1::ConsentStatus::Pending,
        ConsentState::Expired => v1::ConsentStatus::Expired,
        ConsentState::Withdrawn => v1::ConsentStatus::Withdrawn,
        ConsentState::Denied => v1::ConsentStatus::Denied,
    }
}

fn status(status: ConsentStatus) -> v1::ConsentStatus {
    match status {
        ConsentStatus::Granted => v1::ConsentStatus::Granted,
        ConsentStatus::Pending => v1::ConsentStatus::Pending,
        ConsentStatus::Withdrawn => v1::ConsentStatus::Withdrawn,
        ConsentStatus::Denied => v1::ConsentStatus::Denied,
    }
}

fn legal_basis(basis: LegalBasis) -> v1::LegalBasis {
    match basis {
        LegalBasis::Consent => v1::LegalBasis::Consent,
        LegalBasis::Contract => v1::LegalBasis::Contract,
        LegalBasis::LegalObligation => v1::LegalBasis::LegalObligation,
        LegalBasis::VitalInterests => v1::LegalBasis::VitalInterests,
        LegalBasis::PublicTask => v1::LegalBasis::PublicTask,
        LegalBasis::LegitimateInterests => v1::LegalBasis::LegitimateInterests,
    }
}

fn consent(said: &Consent) -> v1::Consent {
    let notes = &said.notes;
    v1::Consent {
        purpose: said.purpose.clone(),
        contact_point: said.contact_point.as_ref().map(identifier),
        status: status(said.status).into(),
        legal_basis: said
            .legal_basis
            .map_or(v1::LegalBasis::Unspecified, legal_basis)
            .into(),
        jurisdiction: notes.jurisdiction.clone(),
        policy_version: notes.policy_version.clone(),
        notice: notes.notice.clone(),
        collection_method: notes.collection_method.clone(),
        proof: notes.proof.clone(),
        receipt_id: notes.receipt_id.clone(),
        language: notes.language.clone(),
        effective_time: Some(time(said.effective_time)),
        expire_time: said.expire_time.map(time),
        tcf_string: notes.tcf_string.clone(),
        gpc: said.gpc,
    }
}

/// A word as it was said, whatever the model in force makes of it.
pub(in crate::grpc) fn said(draft: DraftConsent) -> v1::Consent {
    let mut fields: BTreeMap<String, Value> = draft.fields;
    let instant = |value| match value {
        Some(Value::Time(at)) => Some(time(at)),
        _ => None,
    };
    let (effective_time, expire_time) = (
        instant(fields.remove("effective_time")),
        instant(fields.remove("expire_time")),
    );
    let gpc = fields
        .remove("gpc")
        .map(|signal| signal == Value::Bool(true));
    let mut text = |name: &str| match fields.remove(name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    let (said_status, said_basis) = (text("status"), text("legal_basis"));
    let named = |all: &[(&str, ConsentStatus)]| {
        all.iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(said_status.trim()))
            .map(|(_, one)| *one)
    };
    let status = named(&ConsentStatus::ALL).map_or(v1::ConsentStatus::Unspecified, status);
    let basis = LegalBasis::ALL
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(said_basis.trim()));
    v1::Consent {
        purpose: draft.purpose,
        contact_point: draft.contact_point.as_ref().map(identifier),
        status: status.into(),
        legal_basis: basis
            .map_or(v1::LegalBasis::Unspecified, |(_, basis)| {
                legal_basis(*basis)
            })
            .into(),
        jurisdiction: text("jurisdiction"),
        policy_version: text("policy_version"),
        notice: text("notice"),
        collection_method: text("collection_method"),
        proof: text("proof"),
        receipt_id: text("receipt_id"),
        language: text("language"),
        effective_time,
        expire_time,
        tcf_string: text("tcf_string"),
        gpc,
    }
}

/// What a purpose does not let be seen.
pub(in crate::grpc) fn withheld(withheld: Withheld) -> v1::Withheld {
    use v1::WithheldReason as Wire;
    let reason = match withheld.reason {
        WithheldReason::NotForPurpose => Wire::NotForPurpose,
        WithheldReason::ProcessingRestricted => Wire::ProcessingRestricted,
        WithheldReason::Consent(None | Some(ConsentState::Granted)) => Wire::ConsentMissing,
        WithheldReason::Consent(Some(ConsentState::Denied)) => Wire::ConsentDenied,
        WithheldReason::Consent(Some(ConsentState::Withdrawn)) => Wire::ConsentWithdrawn,
        WithheldReason::Consent(Some(ConsentState::Pending)) => Wire::ConsentPending,
        WithheldReason::Consent(Some(ConsentState::Expired)) => Wire::ConsentExpired,
    };
    v1::Withheld {
        field: withheld.field,
        reason: reason.into(),
        rule: withheld.rule,
    }
}

/// Whether a customer may be contacted.
pub(in crate::grpc) fn permission(permission: Permission) -> v1::ContactPermission {
    use v1::ContactReason as Wire;
    let reason = match permission.reason {
        ContactReason::Allowed => Wire::Allowed,
        ContactReason::ProcessingRestricted => Wire::ProcessingRestricted,
        ContactReason::DoNotContact => Wire::DoNotContact,
        ContactReason::NoContactPoint => Wire::NoContactPoint,
        ContactReason::ChannelForbidden => Wire::ChannelForbidden,
        ContactReason::NoPhone => Wire::NoPhone,
        ContactReason::TopicNotWanted => Wire::TopicNotWanted,
        ContactReason::Consent(None | Some(ConsentState::Granted)) => Wire::ConsentMissing,
        ContactReason::Consent(Some(ConsentState::Denied)) => Wire::ConsentDenied,
        ContactReason::Consent(Some(ConsentState::Withdrawn)) => Wire::ConsentWithdrawn,
        ContactReason::Consent(Some(ConsentState::Pending)) => Wire::ConsentPending,
        ContactReason::Consent(Some(ConsentState::Expired)) => Wire::ConsentExpired,
        ContactReason::QuietHours => Wire::QuietHours,
        ContactReason::FrequencyCap => Wire::FrequencyCap,
    };
    v1::ContactPermission {
        allowed: reason == Wire::Allowed,
        reason: reason.into(),
        rule: permission.rule,
        origin: permission.origin.as_ref().map(origin),
        next_allowed_time: permission.next_allowed_time.map(time),
        contact_point: permission.contact_point.as_ref().map(written),
    }
}
