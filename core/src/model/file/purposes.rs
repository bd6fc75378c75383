//! The parts of the model file on how customers are treated: purposes, channels, and what sources
//! say of preferences and consent.

use std::collections::{BTreeMap, BTreeSet};

use super::compile::{Declared, expression, keys, mapped, named};
use super::reader::{At, Fields, Mistakes};
use crate::model::check::{CONSENT_FIELDS, is_snake_case};
use crate::model::experience::METRICS;
use crate::model::expression::Expression;
use crate::model::mapping::ConsentMapping;
use crate::model::{Channel, ConsentRule, Purpose, PurposeKind, Visible};
use crate::records::{LegalBasis, PreferenceKey};

pub(super) fn time_zone(at: &At<'_>, mistakes: &mut Mistakes) -> String {
    let Some(name) = at.text(mistakes) else {
        return String::new();
    };
    if jiff::tz::TimeZone::get(name).is_err() {
        mistakes.add(
            at,
            "must be a name of the IANA time zone database, such as Europe/Zurich",
        );
    }
    name.to_owned()
}

/// Reads the section `channels`.
pub(super) fn channels(
    root: &At<'_>,
    at: &At<'_>,
    mistakes: &mut Mistakes,
) -> BTreeMap<String, Channel> {
    let identifiers = keys(root, "identifiers");
    named(at, "a channel", mistakes, |at, mistakes| {
        Some(channel(at, &identifiers, mistakes))
    })
}

fn channel(at: &At<'_>, identifiers: &[String], mistakes: &mut Mistakes) -> Channel {
    let mut channel = Channel::default();
    let Some(mut fields) = at.fields(mistakes) else {
        return channel;
    };
    if let Some(at) = fields.get("contact_point") {
        channel.contact_point = declared(&at, "identifier type", identifiers, mistakes);
    }
    let events = fields
        .get("contact_events")
        .map(|at| event_types(&at, mistakes));
    channel.contact_events = events.unwrap_or_default().into_iter().collect();
    channel.voice = fields
        .get("voice")
        .and_then(|at| at.boolean(mistakes))
        .unwrap_or(false);
    fields.finish(mistakes);
    channel
}

/// Reads the section `purposes`.
pub(super) fn purposes(
    root: &At<'_>,
    at: &At<'_>,
    mistakes: &mut Mistakes,
) -> BTreeMap<String, Purpose> {
    let named_in = |section| keys(root, section);
    let names = Names {
        identifiers: named_in("identifiers"),
        traits: named_in("traits"),
        computed: named_in("computed"),
        segments: named_in("segments"),
    };
    named(at, "a purpose", mistakes, |at, mistakes| {
        Some(purpose(at, &names, mistakes))
    })
}

/// What a purpose may name.
struct Names {
    identifiers: Vec<String>,
    traits: Vec<String>,
    computed: Vec<String>,
    segments: Vec<String>,
}

fn purpose(at: &At<'_>, names: &Names, mistakes: &mut Mistakes) -> Purpose {
    let mut purpose = Purpose {
        preferences: true,
        accessibility: true,
        ..Purpose::default()
    };
    let Some(mut fields) = at.fields(mistakes) else {
        return purpose;
    };
    let rule = fields
        .get("consent")
        .and_then(|at| at.choice(&ConsentRule::ALL, mistakes));
    purpose.consent = rule.unwrap_or_default();
    purpose.legal_basis = fields
        .get("legal_basis")
        .and_then(|at| at.choice(&LegalBasis::ALL, mistakes));
    let flag = |at: Option<&At<'_>>, default, mistakes: &mut Mistakes| {
        at.and_then(|at| at.boolean(mistakes)).unwrap_or(default)
    };
    let (sells, told) = (fields.get("marketing"), fields.get("essential"));
    let (marketing, essential) = (
        flag(sells.as_ref(), false, mistakes),
        flag(told.as_ref(), false, mistakes),
    );
    purpose.kind = match (marketing, essential) {
        (true, _) => PurposeKind::Marketing,
        (false, true) => PurposeKind::Essential,
        (false, false) => PurposeKind::Ordinary,
    };
    purpose.under_restriction = flag(fields.get("under_restriction").as_ref(), false, mistakes);
    purpose.preferences = flag(fields.get("preferences").as_ref(), true, mistakes);
    let needs = fields.get("accessibility");
    purpose.accessibility = flag(needs.as_ref(), !marketing, mistakes);
    if let (true, true, Some(at)) = (marketing, purpose.accessibility, needs) {
        mistakes.add(&at, "accessibility needs are never used for marketing: leave `accessibility` or `marketing`");
    }
    if let (true, true, Some(at)) = (marketing, essential, told) {
        mistakes.add(
            &at,
            "marketing is not essential: leave `essential` or `marketing`",
        );
    }
    let mut of = |key, what, names: &[String]| {
        visible(&mut fields, key, mistakes, |at, mistakes| {
            declared(at, what, names, mistakes)
        })
    };
    purpose.traits = of("traits", "trait", &names.traits);
    purpose.identifiers = of("identifiers", "identifier type", &names.identifiers);
    purpose.computed = of("computed", "computed trait", &names.computed);
    purpose.segments = of("segments", "segment", &names.segments);
    purpose.events = visible(&mut fields, "events", mistakes, event_type);
    purpose.experience = visible(&mut fields, "experience", mistakes, metric);
    fields.finish(mistakes);
    purpose
}

fn metric(at: &At<'_>, mistakes: &mut Mistakes) -> Option<String> {
    at.choice(&METRICS.map(|name| (name, name)), mistakes)
        .map(str::to_owned)
}

/// `"*"`, or a list of names.
pub(super) fn visible(
    fields: &mut Fields<'_>,
    key: &'static str,
    mistakes: &mut Mistakes,
    name: impl Fn(&At<'_>, &mut Mistakes) -> Option<String>,
) -> Visible {
    let Some(at) = fields.get(key) else {
        return Visible::default();
    };
    let list = at.list();
    if let [only] = list.as_slice()
        && only.text(&mut Mistakes::default()) == Some("*")
    {
        return Visible::All;
    }
    Visible::Only(list.iter().filter_map(|at| name(at, mistakes)).collect())
}

pub(super) fn declared(
    at: &At<'_>,
    what: &str,
    names: &[String],
    mistakes: &mut Mistakes,
) -> Option<String> {
    let name = at.text(mistakes)?;
    if !names.iter().any(|declared| declared == name) {
        mistakes.add(
            at,
            format!(
                "the model declares no {what} `{name}`; it has: {}",
                names.join(", ")
            ),
        );
    }
    Some(name.to_owned())
}

pub(super) fn event_types(at: &At<'_>, mistakes: &mut Mistakes) -> BTreeSet<String> {
    at.list()
        .iter()
        .filter_map(|at| event_type(at, mistakes))
        .collect()
}

fn event_type(at: &At<'_>, mistakes: &mut Mistakes) -> Option<String> {
    let name = at.text(mistakes)?;
    if !is_snake_case(name) {
        mistakes.add(
            at,
            "must be an event type in lower snake case, such as order_placed",
        );
    }
    Some(name.to_owned())
}

/// What a kind of payload says of preferences.
pub(super) fn preferences(
    at: &At<'_>,
    mistakes: &mut Mistakes,
) -> Vec<(PreferenceKey, Expression)> {
    let mut all = Vec::new();
    for (entry, at) in at.entries(mistakes) {
        let Ok(key) = entry.key.parse::<PreferenceKey>() else {
            let names: Vec<&str> = PreferenceKey::NAMED.iter().map(|(name, _)| *name).collect();
            let message = format!(
                "is no preference; there are {}, topics.NAME",
                names.join(", ")
            );
            mistakes.add_at_key(entry, at.path.clone(), message);
            continue;
        };
        all.extend(expression(&at, mistakes).map(|expression| (key, expression)));
    }
    all
}

/// What a kind of payload says about purposes.
pub(super) fn consents(
    at: &At<'_>,
    declared: &Declared,
    mistakes: &mut Mistakes,
) -> Vec<ConsentMapping> {
    at.list()
        .iter()
        .filter_map(|at| consent(at, declared, mistakes))
        .collect()
}

fn consent(at: &At<'_>, names: &Declared, mistakes: &mut Mistakes) -> Option<ConsentMapping> {
    let mut fields = at.fields(mistakes)?;
    let purpose = fields.required("purpose", mistakes);
    let purpose = purpose.and_then(|at| declared(&at, "purpose", &names.purposes, mistakes));
    let points = mapped(
        &mut fields,
        "contact_point",
        "identifier type",
        &names.identifiers,
        mistakes,
    );
    if let Some((_, at)) = points.get(1) {
        mistakes.add(
            at,
            "a consent is for one contact point: name one type, or make it several consents",
        );
    }
    let contact_point = points
        .into_iter()
        .next()
        .map(|(kind, at)| (kind, expression(&at, mistakes)));
    let mut said = Vec::new();
    for name in CONSENT_FIELDS {
        let at = if name == "status" {
            fields.required(name, mistakes)
        } else {
            fields.get(name)
        };
        said.extend(
            at.and_then(|at| expression(&at, mistakes))
                .map(|expression| (name.to_owned(), expression)),
        );
    }
    fields.finish(mistakes);
    let contact_point = contact_point.and_then(|(kind, expression)| Some((kind, expression?)));
    Some(ConsentMapping {
        purpose: purpose?,
        contact_point,
        fields: said,
    })
}
