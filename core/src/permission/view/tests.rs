use super::*;
use crate::permission::contact::{ContactReason, Question};
use crate::profile::{StoredProfile, fold};
use crate::records::{
    Draft, DraftPreferences, ProfileId, Record, RecordKey, Statement, TenantId, Value,
};

const MODEL: &str = "
sources: { crm: }
channels: { email: {}, call: { voice: true }, fax: {} }
purposes:
  offers: { consent: not_needed, marketing: true }
  service: { consent: not_needed }
";
const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

fn model() -> Model {
    Model::parse(MODEL).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// A customer of one record, who said something at one time.
fn customer(said: &[(&str, Value)]) -> Profile {
    let model = model();
    let key = RecordKey::new("crm", "1");
    let mut record = Record::new(key.clone(), NOW);
    if !said.is_empty() {
        let said = said.iter().cloned();
        let draft = Draft::Preferences(DraftPreferences {
            record: key.clone(),
            preferences: said
                .map(|(name, value)| (name.to_owned(), Some(value)))
                .collect(),
            version: 0,
            source_time: None,
        });
        let Ok(Statement::Record(statement)) = model.check(draft, NOW) else {
            panic!("it fits")
        };
        record.apply(&statement);
    }
    let id = ProfileId::founded_by(&TenantId::default(), &key, 0);
    let stored = StoredProfile {
        id,
        revision: 1,
        update_time: NOW,
        records: vec![record],
    };
    fold(stored, &model)
}

/// All that a purpose learns: its preferences, and whether it may use each channel.
fn learned(purpose: &str, profile: &Profile) -> Vec<String> {
    let model = model();
    let view = View {
        name: purpose,
        purpose: &model.purposes[purpose],
        model: &model,
    };
    let seen = view.preferences(&profile.preferences);
    let mut told = vec![format!("{:?}", view.admits(profile, NOW))];
    for (key, stated) in seen.iter() {
        let value = serde_json::to_string(&stated.value).expect("JSON");
        told.push(format!("{key}: {value} {:?}", stated.origins));
    }
    for channel in ["email", "call", "fax"] {
        let question = Question {
            purpose,
            channel,
            contact_point: None,
            topic: None,
            time: NOW,
        };
        let answer = question.answer(profile, &model).expect("answered");
        told.push(format!("{channel}: {answer:?}"));
    }
    told
}

fn channels(names: &[&str]) -> Value {
    Value::List(names.iter().map(|name| Value::from(*name)).collect())
}

#[test]
fn to_a_purpose_that_sells_who_has_needs_looks_like_who_has_none() {
    let yes = || Value::Bool(true);
    let no_phone = ("accessibility.no_phone", yes());
    let print = ("accessibility.large_print", yes());
    let language = ("language", Value::from("de"));
    let preferred = |names: &[&str]| ("preferred_channels", channels(names));
    let forbidden = |names: &[&str]| ("forbidden_channels", channels(names));
    for (needs, plain) in [
        (vec![print.clone()], vec![]),
        (
            vec![print.clone(), language.clone()],
            vec![language.clone()],
        ),
        (vec![no_phone.clone()], vec![forbidden(&["call"])]),
        (
            vec![no_phone.clone(), print, forbidden(&["fax"])],
            vec![forbidden(&["call", "fax"])],
        ),
        (
            vec![no_phone.clone(), preferred(&["call", "email"])],
            vec![forbidden(&["call"]), preferred(&["email"])],
        ),
        (
            vec![no_phone.clone(), forbidden(&["call"])],
            vec![forbidden(&["call"])],
        ),
    ] {
        let (needs, plain) = (customer(&needs), customer(&plain));
        assert_eq!(learned("offers", &needs), learned("offers", &plain));
        assert_ne!(learned("service", &needs), learned("service", &plain));
    }
}

#[test]
fn a_purpose_that_serves_is_told_that_it_is_a_need() {
    let model = model();
    let profile = customer(&[("accessibility.no_phone", Value::Bool(true))]);
    let reason = |purpose| {
        let question = Question {
            purpose,
            channel: "call",
            contact_point: None,
            topic: None,
            time: NOW,
        };
        question.answer(&profile, &model).expect("answered").reason
    };
    assert_eq!(reason("service"), ContactReason::NoPhone);
    assert_eq!(reason("offers"), ContactReason::ChannelForbidden);
}
