//! From the wire: preferences and words on purposes, as drafts. Their forms are the model's to
//! check.

use std::collections::BTreeMap;

use profile_core::records::{
    DraftConsent, Identifier, PreferenceKey, Reason, RecordKey, Timestamp, Value, Violation,
};
use prost_types::FieldMask;

use crate::grpc::v1;

/// What is said, by the names of preferences; none: cleared.
pub(in crate::grpc) type Said = BTreeMap<String, Option<Value>>;

/// The preferences that are said: those that are set, or those that the mask names.
pub(in crate::grpc) fn preferences(
    preferences: Option<v1::Preferences>,
    accessibility: Option<v1::Accessibility>,
    mask: Option<FieldMask>,
) -> Result<Said, Vec<Violation>> {
    let mut violations = Vec::new();
    let mut set = BTreeMap::new();
    set_preferences(preferences.unwrap_or_default(), &mut set);
    set_accessibility(accessibility.unwrap_or_default(), &mut set);
    let Some(mask) = mask.filter(|mask| !mask.paths.is_empty()) else {
        let said = set
            .into_iter()
            .map(|(name, value)| (name, Some(value)))
            .collect();
        return Ok(said);
    };
    let mut said = Said::new();
    for (index, path) in mask.paths.iter().enumerate() {
        let names = named(path, &set);
        if names.is_empty() {
            let rule = "must be a preference such as language, topics.NAME or accessibility.large_print, or accessibility";
            violations.push(Violation::new(
                Reason::Malformed,
                format!("update_mask.paths[{index}]"),
                rule,
            ));
        }
        said.extend(
            names
                .into_iter()
                .map(|name| (name.clone(), set.get(&name).cloned())),
        );
    }
    if violations.is_empty() {
        Ok(said)
    } else {
        Err(violations)
    }
}

/// The preferences that a path names: one, or all needs, or all topics that are set.
fn named(path: &str, set: &BTreeMap<String, Value>) -> Vec<String> {
    match path {
        "accessibility" => {
            let needs = PreferenceKey::NAMED
                .iter()
                .filter(|(_, key)| key.is_accessibility());
            needs.map(|(name, _)| (*name).to_owned()).collect()
        }
        "topics" => set
            .keys()
            .filter(|name| name.starts_with("topics."))
            .cloned()
            .collect(),
        path => path
            .parse::<PreferenceKey>()
            .into_iter()
            .map(|key| key.to_string())
            .collect(),
    }
}

fn set_preferences(said: v1::Preferences, set: &mut BTreeMap<String, Value>) {
    let texts = [
        ("preferred_name", said.preferred_name),
        ("form_of_address", said.form_of_address),
        ("pronunciation", said.pronunciation),
        ("language", said.language),
        ("time_zone", said.time_zone),
    ];
    set_texts(texts, set);
    let flags = [
        ("do_not_contact", said.do_not_contact),
        ("processing_restricted", said.processing_restricted),
    ];
    set_flags(flags, set);
    let texts = |all: Vec<String>| all.into_iter().map(Value::String).collect();
    let lists: [(&str, Vec<Value>); 4] = [
        ("preferred_channels", texts(said.preferred_channels)),
        ("forbidden_channels", texts(said.forbidden_channels)),
        (
            "quiet_hours",
            said.quiet_hours.into_iter().map(quiet_hours).collect(),
        ),
        (
            "frequency_caps",
            said.frequency_caps.into_iter().map(frequency_cap).collect(),
        ),
    ];
    let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
    set.extend(lists.map(|(name, list)| (name.to_owned(), Value::List(list))));
    set.extend(
        said.topics
            .into_iter()
            .map(|(name, wanted)| (format!("topics.{name}"), Value::Bool(wanted))),
    );
}

fn set_accessibility(said: v1::Accessibility, set: &mut BTreeMap<String, Value>) {
    set_texts([("accessibility.sign_language", said.sign_language)], set);
    let flags = [
        ("accessibility.relay_service", said.relay_service),
        ("accessibility.interpreter", said.interpreter),
        ("accessibility.large_print", said.large_print),
        ("accessibility.braille", said.braille),
        ("accessibility.easy_read", said.easy_read),
        ("accessibility.speak_slowly", said.speak_slowly),
        ("accessibility.no_phone", said.no_phone),
        (
            "accessibility.written_confirmation",
            said.written_confirmation,
        ),
        ("accessibility.extra_time", said.extra_time),
    ];
    set_flags(flags, set);
    if let Some(said) = said.representative {
        let v1::Representative {
            display_name,
            relationship,
            contact_point,
            authority,
        } = said;
        let mut fields = BTreeMap::new();
        let texts = [
            ("display_name", display_name),
            ("relationship", relationship),
            ("contact_point", contact_point),
            ("authority", authority),
        ];
        set_texts(texts, &mut fields);
        set.insert(
            "accessibility.representative".to_owned(),
            Value::Map(fields),
        );
    }
}

fn set_texts<const N: usize>(texts: [(&str, String); N], set: &mut BTreeMap<String, Value>) {
    let said = texts.into_iter().filter(|(_, text)| !text.is_empty());
    set.extend(said.map(|(name, text)| (name.to_owned(), Value::String(text))));
}

fn set_flags<const N: usize>(flags: [(&str, Option<bool>); N], set: &mut BTreeMap<String, Value>) {
    set.extend(
        flags
            .into_iter()
            .filter_map(|(name, flag)| Some((name.to_owned(), Value::Bool(flag?)))),
    );
}

fn quiet_hours(said: v1::QuietHours) -> Value {
    let mut fields = BTreeMap::new();
    set_texts(
        [("start_time", said.start_time), ("end_time", said.end_time)],
        &mut fields,
    );
    let days = said
        .days
        .into_iter()
        .map(|day| Value::Int(day.into()))
        .collect();
    fields.insert("days".to_owned(), Value::List(days));
    Value::Map(fields)
}

fn frequency_cap(said: v1::FrequencyCap) -> Value {
    let mut fields = BTreeMap::from([("max_count".to_owned(), Value::Int(said.max_count.into()))]);
    set_texts([("channel", said.channel)], &mut fields);
    if let Some(window) = said.window {
        let seconds = if window.nanos == 0 {
            Value::Int(window.seconds)
        } else {
            // No whole seconds: the model's check tells of it.
            Value::String(format!("{}.{:09}s", window.seconds, window.nanos))
        };
        fields.insert("window".to_owned(), seconds);
    }
    Value::Map(fields)
}

/// What is said about a purpose. `time` reads an instant of the named field.
pub(in crate::grpc) fn consent(
    record: RecordKey,
    said: v1::Consent,
    mut time: impl FnMut(&str, prost_types::Timestamp) -> Timestamp,
) -> Result<DraftConsent, Vec<Violation>> {
    let mut violations = Vec::new();
    let mut fields = BTreeMap::new();
    let status = enum_name(
        said.status,
        "record_consent.consent.status",
        v1::ConsentStatus::as_str_name,
        &mut violations,
    );
    let basis = "record_consent.consent.legal_basis";
    let mut unread = Vec::new();
    let mut basis = enum_name(
        said.legal_basis,
        basis,
        v1::LegalBasis::as_str_name,
        &mut unread,
    );
    if !unread.is_empty() {
        // It only describes the consent: the model's check tells of it.
        basis = said.legal_basis.to_string();
    }
    let texts = [
        (
            "status",
            status.trim_start_matches("consent_status_").to_owned(),
        ),
        (
            "legal_basis",
            basis.trim_start_matches("legal_basis_").to_owned(),
        ),
        ("jurisdiction", said.jurisdiction),
        ("policy_version", said.policy_version),
        ("notice", said.notice),
        ("collection_method", said.collection_method),
        ("proof", said.proof),
        ("receipt_id", said.receipt_id),
        ("language", said.language),
        ("tcf_string", said.tcf_string),
    ];
    set_texts(texts, &mut fields);
    set_flags([("gpc", said.gpc)], &mut fields);
    for (name, instant) in [
        ("effective_time", said.effective_time),
        ("expire_time", said.expire_time),
    ] {
        fields.extend(instant.map(|instant| (name.to_owned(), Value::Time(time(name, instant)))));
    }
    let contact_point = said
        .contact_point
        .map(|point| Identifier::new(point.r#type, point.value));
    if violations.is_empty() {
        let (purpose, source_time) = (said.purpose, None);
        return Ok(DraftConsent {
            record,
            purpose,
            contact_point,
            fields,
            from_list: false,
            version: 0,
            source_time,
        });
    }
    Err(violations)
}

/// An enum's value by name; empty where it is unspecified.
fn enum_name<E: TryFrom<i32> + Default + PartialEq>(
    value: i32,
    field: &str,
    name: impl Fn(&E) -> &'static str,
    violations: &mut Vec<Violation>,
) -> String {
    match E::try_from(value) {
        Ok(known) if known == E::default() => String::new(),
        Ok(known) => name(&known).to_lowercase(),
        Err(_) => {
            let description = format!("{value} is not a value of this version");
            violations.push(Violation::new(Reason::UnknownEnumValue, field, description));
            String::new()
        }
    }
}
