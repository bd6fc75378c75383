//! Random statements over a small world, so that records meet, part and come back often.

use std::collections::BTreeMap;

use profile_core::model::{
    BelongsTo, Channel, IdentifierType, Matching, Model, Normalization, Placeholders, Purpose,
    Role, Source, Survivorship, TraitType,
};
use profile_core::records::{
    Draft, DraftConsent, DraftEvent, DraftPreferences, DraftRecord, DraftReplacement,
    DraftRetraction, EventKey, Identifier, RecordKey, Timestamp, Value,
};
use proptest::prelude::*;
use proptest::sample::Index;

use super::derived::DERIVED;

/// The time at which everything is received.
pub(super) const NOW: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);

/// Dated, distinct statements; an order to say them in; and places to cut that into batches.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub drafts: Vec<Draft>,
    pub order: Vec<Index>,
    pub cuts: Vec<Index>,
}

impl Case {
    /// The statements in the other order.
    pub(super) fn shuffled(&self) -> Vec<Draft> {
        let mut left = self.drafts.clone();
        let mut order = self.order.iter().cycle();
        let mut shuffled = Vec::new();
        while !left.is_empty() {
            let at = order.next().map_or(0, |index| index.index(left.len()));
            shuffled.push(left.swap_remove(at));
        }
        shuffled
    }

    /// The statements cut into batches.
    pub(super) fn batches(&self) -> Vec<Vec<Draft>> {
        cut(&self.drafts, &self.cuts)
    }
}

/// Cuts statements at the given places.
pub(super) fn cut(drafts: &[Draft], cuts: &[Index]) -> Vec<Vec<Draft>> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(drafts.len() + 1)).collect();
    places.extend([0, drafts.len()]);
    places.sort_unstable();
    places
        .windows(2)
        .filter(|ends| ends[0] < ends[1])
        .map(|ends| drafts[ends[0]..ends[1]].to_vec())
        .collect()
}

fn identifier_types() -> BTreeMap<String, IdentifierType> {
    let kind = |priority, belongs_to, max_per_profile, max_profiles, max_records| IdentifierType {
        priority,
        normalization: Normalization::Trim,
        max_per_profile,
        max_profiles,
        max_records,
        blocked: vec![regex::Regex::new("^none$").expect("a pattern")],
        belongs_to,
        exclusive: false,
        placeholders: Placeholders::default(),
        shared: Vec::new(),
    };
    BTreeMap::from([
        (
            "customer_id".to_owned(),
            kind(1, BelongsTo::Person, Some(1), None, None),
        ),
        (
            "email".to_owned(),
            kind(2, BelongsTo::Household, Some(2), None, Some(4)),
        ),
        (
            "phone".to_owned(),
            kind(3, BelongsTo::Household, None, Some(2), Some(5)),
        ),
        (
            "device".to_owned(),
            kind(9, BelongsTo::Device, None, None, Some(4)),
        ),
    ])
}

fn trait_types() -> BTreeMap<String, TraitType> {
    let rule = |keep| TraitType {
        keep,
        personal: true,
        searchable: true,
        role: None,
        placeholders: Placeholders::default(),
    };
    let tells = |role| TraitType {
        role: Some(role),
        ..rule(Survivorship::MostRecent)
    };
    BTreeMap::from([
        ("trusted".to_owned(), rule(Survivorship::SourceTrust)),
        ("recent".to_owned(), rule(Survivorship::MostRecent)),
        ("frequent".to_owned(), rule(Survivorship::MostFrequent)),
        ("longest".to_owned(), rule(Survivorship::Longest)),
        ("oldest".to_owned(), rule(Survivorship::Oldest)),
        ("all".to_owned(), rule(Survivorship::Union)),
        ("given".to_owned(), tells(Role::GivenName)),
        ("family".to_owned(), tells(Role::FamilyName)),
        ("suffix".to_owned(), tells(Role::Suffix)),
        ("born".to_owned(), tells(Role::BirthDate)),
        ("postcode".to_owned(), tells(Role::Postcode)),
    ])
}

/// A model in which every guard is soon reached.
pub(super) fn model() -> Model {
    let derived = Model::parse(&format!(
        "sources: {{ s: }}\ntraits: {{ recent: }}\n{DERIVED}"
    ))
    .expect("a model");
    Model {
        computed: derived.computed,
        segments: derived.segments,
        experience: derived.experience,
        identifiers: identifier_types(),
        traits: trait_types(),
        sources: ["shop", "crm", "till"]
            .into_iter()
            .zip([80, 50, 50])
            .map(|(name, trust)| {
                (
                    name.to_owned(),
                    Source {
                        trust,
                        ..Source::default()
                    },
                )
            })
            .collect(),
        max_records_per_profile: 7,
        matching: Matching {
            max_key_records: 3,
            max_people: 2,
            ..Matching::default()
        },
        purposes: ["news", "offers"]
            .map(|name| (name.to_owned(), Purpose::default()))
            .into(),
        channels: ["email", "phone"]
            .map(|name| (name.to_owned(), Channel::default()))
            .into(),
        ..Model::default()
    }
}

fn record() -> impl Strategy<Value = RecordKey> {
    (prop::sample::select(vec!["shop", "crm", "till"]), 0..5)
        .prop_map(|(source, key): (&str, i32)| RecordKey::new(source, key.to_string()))
}

fn identifiers() -> impl Strategy<Value = Vec<Identifier>> {
    let kinds = prop::sample::select(vec![
        "customer_id",
        "email",
        "email",
        "phone",
        "phone",
        "device",
    ]);
    let values = prop::sample::select(vec!["a", "b", "c", "d", "none"]);
    let one = (kinds, values).prop_map(|(kind, value)| Identifier::new(kind, value));
    prop::collection::vec(one, 0..4)
}

fn traits() -> impl Strategy<Value = BTreeMap<String, Value>> {
    let names = prop::sample::select(vec![
        "trusted", "recent", "frequent", "longest", "oldest", "all",
    ]);
    let values = prop::sample::select(vec!["x", "yy", "zzz", " "]).prop_map(Value::from);
    let others = prop::collection::btree_map(names.prop_map(str::to_owned), values, 0..4);
    (others, person()).prop_map(|(others, person)| others.into_iter().chain(person).collect())
}

/// Who a record says that it is: people who are easily taken for each other.
fn person() -> impl Strategy<Value = BTreeMap<String, Value>> {
    let one_of = |name: &'static str, values: &[&'static str]| {
        prop::option::weighted(0.8, prop::sample::select(values.to_vec()))
            .prop_map(move |value| (name, value))
    };
    let parts = (
        one_of("given", &["Ann", "Annie", "Bob", "Robert"]),
        one_of("family", &["Featherstone", "Fetherstone", "Quux"]),
        one_of("suffix", &["Jr", "Sr", "", "", "", ""]),
        one_of("born", &["1980-02-03", "1980-03-02", "1955-11-30"]),
        one_of("postcode", &["43085", "43086"]),
    );
    let parts = parts.prop_map(|(a, b, c, d, e)| [a, b, c, d, e]);
    parts.prop_map(|parts| {
        let said = parts
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))));
        said.collect()
    })
}

fn dated() -> impl Strategy<Value = DraftRecord> {
    let said = (
        record(),
        identifiers(),
        traits(),
        0..4i64,
        prop::option::of(1..6i64),
    );
    said.prop_map(|(record, identifiers, traits, version, days)| DraftRecord {
        identifiers,
        traits,
        // One of both is always there: undated statements are ordered by their arrival, and so is
        // their meaning.
        version: if days.is_none() { version + 1 } else { version },
        source_time: days
            .map(|days| Timestamp::from_micros(NOW.as_micros() - days * 86_400_000_000)),
        ..DraftRecord::new(record)
    })
}

fn draft() -> impl Strategy<Value = Draft> {
    let clears = (prop::bool::ANY, prop::bool::ANY);
    prop_oneof![
        4 => dated().prop_map(Draft::Upsert),
        3 => (dated(), clears).prop_map(|(draft, clears)| Draft::Patch(as_patch(draft, clears))),
        1 => dated().prop_map(|draft| Draft::Delete(DraftRecord {
            version: draft.version, source_time: draft.source_time, ..DraftRecord::new(draft.record)
        })),
        3 => (0..12i64).prop_map(|number| Draft::Event(event(number))),
        2 => correction(),
        1 => preferences().prop_map(Draft::Preferences),
        2 => consent().prop_map(Draft::Consent),
    ]
}

/// Days before now, or after it.
pub(super) fn at_day(day: i64) -> Timestamp {
    Timestamp::from_micros(NOW.as_micros() + day * 86_400_000_000)
}

fn preferences() -> impl Strategy<Value = DraftPreferences> {
    let channels =
        |names: &[&str]| Value::List(names.iter().map(|name| Value::from(*name)).collect());
    let said = [
        ("language", Some(Value::from("de"))),
        ("language", Some(Value::from("fr"))),
        ("language", None),
        ("preferred_channels", Some(channels(&["phone", "email"]))),
        ("forbidden_channels", Some(channels(&["phone"]))),
        ("forbidden_channels", Some(channels(&["email"]))),
        ("forbidden_channels", None),
        ("quiet_hours", Some(Value::from("22:00-07:00"))),
        ("quiet_hours", Some(Value::from("12:00-13:00"))),
        ("do_not_contact", Some(Value::Bool(true))),
        ("do_not_contact", Some(Value::Bool(false))),
        ("topics.sport", Some(Value::Bool(true))),
        ("topics.sport", Some(Value::Bool(false))),
        ("accessibility.large_print", Some(Value::Bool(true))),
    ];
    let one =
        prop::sample::select(said.to_vec()).prop_map(|(name, value)| (name.to_owned(), value));
    (record(), 1..6i64, prop::collection::vec(one, 1..4)).prop_map(|(record, days, said)| {
        DraftPreferences {
            record,
            preferences: said.into_iter().collect(),
            version: 0,
            source_time: Some(at_day(-days)),
        }
    })
}

fn consent() -> impl Strategy<Value = DraftConsent> {
    let status = prop::sample::select(vec!["granted", "granted", "denied", "withdrawn", "pending"]);
    let point = prop::option::of(prop::sample::select(vec!["a", "b"]));
    let when = (1..6i64, -6..4i64, prop::option::of(1..6i64));
    let said = (
        record(),
        prop::sample::select(vec!["news", "offers"]),
        point,
        status,
        when,
    );
    said.prop_map(
        |(record, purpose, point, status, (days, effective, lasts))| {
            let mut fields = BTreeMap::from([
                ("status".to_owned(), Value::from(status)),
                ("effective_time".to_owned(), Value::Time(at_day(effective))),
            ]);
            fields.extend(lasts.map(|lasts| {
                (
                    "expire_time".to_owned(),
                    Value::Time(at_day(effective + lasts)),
                )
            }));
            DraftConsent {
                record,
                purpose: purpose.to_owned(),
                contact_point: point.map(|value| Identifier::new("email", value)),
                fields,
                from_list: false,
                version: 0,
                source_time: Some(at_day(-days)),
            }
        },
    )
}

/// A patch changes something, and does not set and clear the same field.
fn as_patch(mut draft: DraftRecord, (clear_email, clear_recent): (bool, bool)) -> DraftRecord {
    if clear_email {
        draft
            .identifiers
            .retain(|identifier| identifier.kind != "email");
        draft.clear_identifier_types.push("email".to_owned());
    }
    if clear_recent || (draft.identifiers.is_empty() && draft.traits.is_empty() && !clear_email) {
        draft.traits.remove("recent");
        draft.clear_traits.push("recent".to_owned());
    }
    draft
}

/// An event is a function of its number: the same id always says the same.
fn event(number: i64) -> DraftEvent {
    DraftEvent {
        record: RecordKey::new(
            ["shop", "crm", "till"][usize::try_from(number % 3).unwrap_or(0)],
            (number % 5).to_string(),
        ),
        attach: Vec::new(),
        event_id: format!("e{number}"),
        kind: ["order_placed", "call"][usize::try_from(number % 2).unwrap_or(0)].to_owned(),
        // Two at a time, seven hours apart.
        event_time: Some(Timestamp::from_micros(
            NOW.as_micros() - (number / 2) * 7 * 3_600_000_000,
        )),
        properties: BTreeMap::from([
            ("number".to_owned(), Value::Int(number)),
            (
                "amount".to_owned(),
                Value::Decimal(rust_decimal::Decimal::new(number * 125, 2)),
            ),
        ]),
    }
}

/// An event is taken back, or is what another one would be, perhaps of another customer.
fn correction() -> impl Strategy<Value = Draft> {
    let other = prop::option::of(0..12i64);
    (0..12i64, other, 0..2i64, 1..6i64).prop_map(|(number, other, version, days)| {
        let source_time = Some(at_day(-days));
        let replaced = event(number);
        let (source, event_id) = (replaced.record.source, replaced.event_id);
        let Some(other) = other else {
            return Draft::Retraction(DraftRetraction {
                event: EventKey { source, event_id },
                version,
                source_time,
            });
        };
        let other = event(other);
        Draft::Replacement(DraftReplacement {
            event: DraftEvent {
                record: RecordKey::new(source, other.record.key.clone()),
                event_id,
                ..other
            },
            version,
            source_time,
        })
    })
}

/// A case. Statements are distinct, so that each is STORED when it is said for the first time.
pub(super) fn case() -> impl Strategy<Value = Case> {
    let places = || prop::collection::vec(any::<Index>(), 1..12);
    (prop::collection::vec(draft(), 1..28), places(), places()).prop_map(|(drafts, order, cuts)| {
        let mut distinct: Vec<Draft> = Vec::new();
        for draft in drafts {
            if !distinct.contains(&draft) {
                distinct.push(draft);
            }
        }
        Case {
            drafts: distinct,
            order,
            cuts,
        }
    })
}
