//! Consents and permissions on the wire.

use std::collections::BTreeMap;

use profile_core::permission::contact::{ContactReason, Permission};
use profile_core::permission::view::{Withheld, WithheldReason};
use profile_core::profile::Profile;
use profile_core::records::{
    About, Consent, ConsentState, ConsentStatus, DraftConsent, Effective, Identifier, LegalBasis,
    Timestamp, Value, effective, next_change,
};

use crate::grpc::encode::{identifier, origin, time, written};
use crate::grpc::v1;

/// The consent that counts at a time, for each purpose and contact point that anything was said
/// about.
pub(in crate::grpc::preferences) fn consents(
    profile: &Profile,
    now: Timestamp,
) -> Vec<v1::EffectiveConsent> {
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

/// The consent that counts at a time.
pub(in crate::grpc::preferences) fn effective_consent(
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

/// A part that a purpose does not let be seen.
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
