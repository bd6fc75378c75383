//! Entries of all shapes, made as the reader makes them: records as the store decodes them, folded
//! and packed.

use std::sync::{Arc, LazyLock, OnceLock};

use profile_core::model::Model;
use profile_core::model::file::BUILT_IN;
use profile_core::profile::{Derived, Profile, StoredProfile, fold};
use profile_core::records::{
    Event, Identifier, Object, ObjectKey, ProfileId, Record, RecordKey, Timestamp, fold_object,
};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::super::{Cached, LatestObjects};
use crate::changes::CacheKey;

/// Makes the entry of an index: its key and its value.
type Make = fn(u64) -> (CacheKey, Cached);

pub(super) const ALL: [(&str, Make); 22] = [
    ("nobody under an id", |index| (by_id(index), Cached::Absent)),
    ("redirect", |index| {
        (by_id(index), Cached::Redirect(id(index + 1)))
    }),
    ("nobody under an identifier", |index| {
        (by_email(index), Cached::Holders(Vec::new()))
    }),
    ("nobody under a long identifier", |index| {
        (by_long_key(index), Cached::Holders(Vec::new()))
    }),
    ("one under an identifier", |index| {
        (by_email(index), Cached::Holders(vec![id(index)]))
    }),
    ("one under a record", |index| {
        (by_record(index), Cached::Holders(vec![id(index)]))
    }),
    ("ten under an identifier", |index| {
        (
            by_email(index),
            Cached::Holders((index..index + 10).map(id).collect()),
        )
    }),
    ("profile: tiny", |index| {
        profile(
            index,
            Shape {
                traits: 1,
                ..Shape::default()
            },
        )
    }),
    ("profile: two records", |index| {
        profile(
            index,
            Shape {
                records: 2,
                traits: 6,
                identifiers: 4,
                ..Shape::default()
            },
        )
    }),
    ("profile: patched", |index| {
        profile(
            index,
            Shape {
                patched: true,
                traits: 6,
                identifiers: 4,
                ..Shape::default()
            },
        )
    }),
    ("profile: many traits", |index| {
        profile(
            index,
            Shape {
                traits: 100,
                ..Shape::default()
            },
        )
    }),
    ("profile: many identifiers", |index| {
        profile(
            index,
            Shape {
                identifiers: 60,
                ..Shape::default()
            },
        )
    }),
    ("profile: many records", |index| {
        profile(
            index,
            Shape {
                records: 20,
                traits: 4,
                identifiers: 2,
                ..Shape::default()
            },
        )
    }),
    ("profile: long texts", |index| {
        profile(
            index,
            Shape {
                traits: 10,
                text: "x",
                length: 4_000,
                ..Shape::default()
            },
        )
    }),
    ("profile: no ASCII", |index| {
        profile(
            index,
            Shape {
                traits: 10,
                text: "ж漢",
                length: 40,
                ..Shape::default()
            },
        )
    }),
    ("profile: lists", |index| {
        profile(
            index,
            Shape {
                traits: 3,
                list: 50,
                ..Shape::default()
            },
        )
    }),
    ("profile: preferences", |index| {
        profile(
            index,
            Shape {
                preferences: 20,
                ..Shape::default()
            },
        )
    }),
    ("profile: consents", |index| {
        profile(
            index,
            Shape {
                consents: 10,
                ..Shape::default()
            },
        )
    }),
    ("profile: counted", |index| {
        profile(
            index,
            Shape {
                events: 5,
                ..Shape::default()
            },
        )
    }),
    ("profile: much counted", |index| {
        profile(
            index,
            Shape {
                events: 120,
                ..Shape::default()
            },
        )
    }),
    ("objects", |index| objects(index, 3, 2)),
    ("objects: long courses", |index| objects(index, 10, 60)),
];

/// What a profile is made of, for each of its records.
#[derive(Clone, Copy)]
struct Shape {
    records: u64,
    traits: u64,
    identifiers: u64,
    /// Each trait's text, repeated so many times.
    text: &'static str,
    length: usize,
    /// Each trait is a list of so many texts instead.
    list: u64,
    /// The fields are set by patches.
    patched: bool,
    preferences: u64,
    consents: u64,
    events: u64,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            records: 1,
            traits: 0,
            identifiers: 0,
            text: "abc ",
            length: 3,
            list: 0,
            patched: false,
            preferences: 0,
            consents: 0,
            events: 0,
        }
    }
}

fn id(index: u64) -> ProfileId {
    ProfileId(Uuid::from_u64_pair(
        index.wrapping_mul(0x9E37_79B9_7F4A_7C15),
        index,
    ))
}

fn by_id(index: u64) -> CacheKey {
    CacheKey::Id(id(index))
}

fn by_email(index: u64) -> CacheKey {
    CacheKey::Identifier(Identifier::new(
        "email",
        format!("customer.{index}@shop.example"),
    ))
}

fn by_long_key(index: u64) -> CacheKey {
    CacheKey::Identifier(Identifier::new(
        "device_id",
        index.to_string() + &"0".repeat(500),
    ))
}

fn by_record(index: u64) -> CacheKey {
    CacheKey::Record(RecordKey::new("web_shop", format!("account-{index}")))
}

/// The built-in model, with more that is counted.
static MODEL: LazyLock<Model> = LazyLock::new(|| {
    let counted = "events:
  order_placed: { extends: order_placed, properties: { sku: text } }
computed:
  averages: { average: order_placed, value: total, window: 90d }
  least: { min: order_placed, value: total, window: 365d }
  favourites: { most_frequent: order_placed, value: sku, top: 5 }
  different: { distinct: order_placed, value: sku }
  first_order: { first: order_placed, value: sku }
  recency: { days_since: order_placed }
";
    Model::parse(&BUILT_IN.replace("computed:\n", counted))
        .unwrap_or_else(|errors| panic!("{errors:#?}"))
});

const NOW: i64 = 1_790_000_000_000_000;

fn said() -> Json {
    json!({ "o": { "v": 1, "t": NOW, "h": format!("{:032x}", 77) }, "s": NOW, "r": NOW })
}

fn fields(count: u64, value: impl Fn(u64) -> Json, patch: Option<&Json>) -> Json {
    let one = |number| {
        let mut cell = Map::from_iter([("v".to_owned(), value(number))]);
        cell.extend(patch.map(|said| ("p".to_owned(), said.clone())));
        (format!("field_{number:02}"), Json::Object(cell))
    };
    Json::Object((0..count).map(one).collect())
}

fn record(index: u64, number: u64, shape: Shape) -> Record {
    let text =
        |field: u64| json!({ "s": format!("{index} {field} {}", shape.text.repeat(shape.length)) });
    let value = |field: u64| match shape.list {
        0 => text(field),
        length => json!({ "l": (0..length).map(text).collect::<Vec<_>>() }),
    };
    let patch = shape.patched.then(said);
    let consent = |topic: u64| {
        let notes = json!({ "notice": "https://shop.example/notice/2026", "proof": format!("call {index}") });
        let word = json!({ "p": format!("purpose_{topic}"), "s": "granted", "f": NOW, "b": "consent", "n": notes });
        json!({ "v": word, "p": said() })
    };
    let preferences = fields(shape.preferences, |_| json!({ "b": true }), Some(&said()));
    let topics = preferences
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, cell)| (format!("topics.{name}"), cell.clone()));
    let stored = json!({
        "key": { "source": "web_shop", "key": format!("account-{index}-{number}") },
        "first_seen": NOW,
        "has_events": shape.events > 0,
        "membership": { "reason": "shared:email", "carries": [{ "create_time": NOW, "id": id(index).0 }], "minted": 1 },
        "latest": said(),
        "base": { "p": said() },
        "identifiers": fields(shape.identifiers, |field| json!([format!("{index}.{number}.{field}@shop.example")]), patch.as_ref()),
        "traits": fields(shape.traits, value, patch.as_ref()),
        "preferences": Json::Object(topics.collect()),
        "consents": (0..shape.consents).map(consent).collect::<Vec<_>>(),
    });
    // From text, as the store does.
    let mut record: Record = serde_json::from_str(&stored.to_string()).expect("a record");
    for event in 0..shape.events {
        MODEL.count(
            &mut record,
            &order(index, event, "order_placed"),
            event == 0,
            Timestamp::from_micros(NOW),
        );
    }
    record
}

fn order(index: u64, number: u64, kind: &str) -> Event {
    let time = NOW - i64::try_from(number).expect("a small number") * 86_400_000_000;
    let (object, event_id) = (format!("order-{index}"), format!("event-{index}-{number}"));
    let properties = json!({
        "order_id": { "s": object },
        "total": { "d": format!("{number}.95") },
        "sku": { "s": format!("article-{}", number * 7 % 40) },
        "status": { "s": "in transit" },
    });
    let event = json!({
        "record": { "source": "web_shop", "key": format!("account-{index}") },
        "event_id": event_id, "type": kind, "event_time": time, "receive_time": time, "sort_time": time,
        "properties": properties, "content": format!("{number:032x}"),
        "meaning": { "object": { "kind": "order", "id": object }, "status": "placed", "channel": "web" },
    });
    serde_json::from_str(&event.to_string()).expect("an event")
}

/// The first profile of this process, of which the others are copies: each process measures one
/// shape, and what making a profile leaves behind is not of the entries.
static PROFILE: OnceLock<Profile> = OnceLock::new();

fn profile(index: u64, shape: Shape) -> (CacheKey, Cached) {
    let copy = Profile {
        id: id(index),
        ..PROFILE.get_or_init(|| folded(index, shape)).clone()
    };
    (by_id(index), Cached::Profile(Arc::new(copy)))
}

fn folded(index: u64, shape: Shape) -> Profile {
    let records = (0..shape.records)
        .map(|number| record(index, number, shape))
        .collect();
    let now = Timestamp::from_micros(NOW);
    let stored = StoredProfile {
        id: id(index),
        revision: 1,
        update_time: now,
        records,
    };
    let mut profile: Profile = fold(stored, &MODEL);
    profile.derived = Derived::of(&profile, &MODEL, now);
    profile.pack();
    profile
}

/// The same for objects.
static OBJECTS: OnceLock<Vec<Object>> = OnceLock::new();

fn objects(index: u64, count: u64, events: u64) -> (CacheKey, Cached) {
    let object = |number: u64| {
        let course = (0..events)
            .map(|event| order(index, number * events + event, "order_placed"))
            .collect();
        let mut object = fold_object(ObjectKey::new("order", format!("order-{index}")), course)
            .expect("an object");
        object.pack();
        object
    };
    let copy = OBJECTS
        .get_or_init(|| (0..count).map(object).collect())
        .clone();
    (
        CacheKey::Objects(id(index), 7),
        Cached::Objects(Arc::new(LatestObjects {
            objects: copy,
            hides_some: false,
        })),
    )
}
