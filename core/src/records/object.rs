//! Objects: an order, a shipment, a conversation, each folded from the events that are its states.
//!
//! An object is no row of its own: it is what its events say. So it goes with them when records
//! move between profiles, and events that come late take their place as if they had come in time.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::value::pack_values;
use super::{Event, Timestamp, Value};
use crate::heap_size::{heap_size, pack_set};

/// Names an object within a tenant. Not unique where sources number theirs alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectKey {
    /// What it is: `order`.
    pub kind: String,
    /// The source's own id of it.
    pub id: String,
}

impl ObjectKey {
    /// Names an object.
    pub fn new(kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            id: id.into(),
        }
    }
}

/// What an event's type makes of it. Kept with the event: another model changes nothing about what
/// was stored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Meaning {
    /// The object that it is a state of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectKey>,
    /// Other objects that it speaks of, in order, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<ObjectKey>,
    /// The state that it puts its object in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The place of that state among those of such objects, from 1; 0: it is not known. Of two
    /// states at one time the greater holds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rank: u32,
    /// The property that says the state of such objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_property: Option<String>,
    /// The way it went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Meaning {
    /// Whether the type makes nothing of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Its place among events of one time: in the order of their states, and after these what says
    /// no state, for it changes something that is there already.
    #[must_use]
    pub fn place(&self) -> u32 {
        match self.status {
            Some(_) => self.rank,
            None => u32::MAX,
        }
    }

    /// All objects that it names: its own, told by true, and the others.
    pub fn objects(&self) -> impl Iterator<Item = (&ObjectKey, bool)> {
        self.object
            .iter()
            .map(|own| (own, true))
            .chain(self.related.iter().map(|other| (other, false)))
    }
}

/// An object as its events tell it.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Kind and id of the object.
    pub key: ObjectKey,
    /// The state that it is in: the latest word of its own events, or one that follows those of
    /// related objects. `None`: it is not known.
    pub status: Option<String>,
    /// The time of its first event.
    pub create_time: Timestamp,
    /// The time of its last event.
    pub update_time: Timestamp,
    /// The latest word of its own events on each property.
    pub fields: BTreeMap<String, Value>,
    /// The objects that its events speak of, and those whose events speak of it.
    pub related: BTreeSet<ObjectKey>,
    /// All events that name it, in order of time.
    pub events: Vec<Event>,
}

/// Folds an object from events that name it, in any order. None where there are none.
#[must_use]
pub fn fold_object(key: ObjectKey, mut events: Vec<Event>) -> Option<Object> {
    events.sort_by_cached_key(Event::position);
    let (create_time, update_time) = (events.first()?.sort_time, events.last()?.sort_time);
    let mut related = BTreeSet::new();
    for event in &events {
        related.extend(
            event
                .meaning
                .objects()
                .map(|(named, _)| named)
                .filter(|named| **named != key)
                .cloned(),
        );
    }
    let (status, fields) = latest_words(&key, &events);
    Some(Object {
        key,
        status,
        create_time,
        update_time,
        fields,
        related,
        events,
    })
}

/// The events that are states of an object, of events in order of time. Of two at one time the one
/// with the later state comes last.
pub(super) fn own_events<'a>(
    key: &ObjectKey,
    events: impl IntoIterator<Item = &'a Event>,
) -> Vec<&'a Event> {
    let own = events.into_iter();
    let own = own.filter(|event| event.meaning.object.as_ref() == Some(key));
    let mut own: Vec<&Event> = own.collect();
    own.sort_by_key(|event| (event.sort_time, event.meaning.place()));
    own
}

/// The state of an object and the latest words of its own events. Of two events at one time the
/// one with the later state has the last word. The property that says the state says the same.
fn latest_words(key: &ObjectKey, events: &[Event]) -> (Option<String>, BTreeMap<String, Value>) {
    let (mut status, mut said_by, mut fields) = (None, None, BTreeMap::new());
    for event in own_events(key, events) {
        let Meaning {
            status: said,
            status_property,
            ..
        } = &event.meaning;
        status = said.clone().or(status);
        said_by = status_property.as_ref().or(said_by);
        let said = event.properties.iter();
        fields.extend(said.map(|(name, value)| (name.clone(), value.clone())));
    }
    if let (Some(status), Some(field)) = (&status, said_by.and_then(|it| fields.get_mut(it))) {
        *field = Value::from(status.as_str());
    }
    (status, fields)
}

impl Object {
    /// Packs what is to be kept for long.
    pub fn pack(&mut self) {
        pack_values(&mut self.fields);
        pack_set(&mut self.related);
        self.events
            .iter_mut()
            .for_each(|event| pack_values(&mut event.properties));
    }
}

heap_size! {
    ObjectKey { kind, id }
    Meaning { object, related, status, rank, status_property, channel }
    Object { key, status, create_time, update_time, fields, related, events }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{ContentHash, RecordKey};

    /// An event of an order, or of another object that speaks of it.
    fn event(own: &str, seconds: i64, status: Option<&str>, properties: &[(&str, &str)]) -> Event {
        let time = Timestamp::from_micros(seconds * 1_000_000);
        let order = ObjectKey::new("order", "1");
        let own = ObjectKey::new(own, "1");
        Event {
            record: RecordKey::new("shop", "1"),
            event_id: format!("{}{seconds}", own.kind),
            kind: "any".to_owned(),
            event_time: Some(time),
            receive_time: time,
            sort_time: time,
            properties: properties
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
                .collect(),
            content: ContentHash(0),
            meaning: Meaning {
                related: Vec::from_iter((own != order).then_some(order)),
                object: Some(own),
                status: status.map(str::to_owned),
                rank: 0,
                status_property: None,
                channel: None,
            },
            attachment: None,
        }
    }

    #[test]
    fn an_object_is_what_its_own_events_said_last_in_whatever_order_they_came() {
        let placed = event(
            "order",
            1,
            Some("placed"),
            &[("total", "20"), ("coupon", "A")],
        );
        let changed = event("order", 2, None, &[("total", "25")]);
        let sent = event(
            "shipment",
            3,
            Some("in_transit"),
            &[("total", "1"), ("carrier", "DHL")],
        );
        for events in [
            [placed.clone(), changed.clone(), sent.clone()],
            [sent, changed, placed],
        ] {
            let order =
                fold_object(ObjectKey::new("order", "1"), events.to_vec()).expect("an object");
            assert_eq!(
                order.status.as_deref(),
                Some("placed"),
                "the shipment's state is not the order's"
            );
            let fields: Vec<_> = order
                .fields
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            assert_eq!(fields, ["coupon=A", "total=25"]);
            assert_eq!(
                (order.create_time.as_micros(), order.update_time.as_micros()),
                (1_000_000, 3_000_000)
            );
            assert_eq!(
                order.related,
                BTreeSet::from([ObjectKey::new("shipment", "1")])
            );
            let course: Vec<&str> = order
                .events
                .iter()
                .map(|event| event.event_id.as_str())
                .collect();
            assert_eq!(course, ["order1", "order2", "shipment3"]);
        }
    }

    #[test]
    fn an_object_that_is_only_spoken_of_has_a_course_and_no_state() {
        let sent = event("shipment", 3, Some("in_transit"), &[("carrier", "DHL")]);
        let order = fold_object(ObjectKey::new("order", "1"), vec![sent]).expect("an object");
        assert_eq!(
            (order.status, order.fields.len(), order.events.len()),
            (None, 0, 1)
        );
        assert_eq!(fold_object(ObjectKey::new("order", "1"), Vec::new()), None);
    }

    /// An object's state and its property `status` after events of the built-in catalogue, each
    /// with its id, type, hour and status.
    fn state(object: (&str, &str), events: &[(&str, &str, i64, &str)]) -> (String, String) {
        let model = crate::model::Model::parse("sources: { s: }").expect("a model");
        let (kind, property) = object;
        let told = |(id, event_type, hours, status): &(&str, &str, i64, &str)| {
            let mut properties = BTreeMap::from([(property.to_owned(), Value::from("1"))]);
            if !status.is_empty() {
                properties.insert("status".to_owned(), Value::from(*status));
            }
            let time = Timestamp::from_micros(1_750_000_000_000_000 + hours * 3_600_000_000);
            let draft = crate::records::DraftEvent {
                record: RecordKey::new("s", "1"),
                attach: Vec::new(),
                event_id: (*id).to_owned(),
                kind: (*event_type).to_owned(),
                event_time: Some(time),
                properties,
            };
            match model.check(crate::records::Draft::Event(draft), time) {
                Ok(crate::records::Statement::Event(event)) => event,
                other => panic!("{other:?}"),
            }
        };
        let events = events.iter().map(told).collect();
        let object = fold_object(ObjectKey::new(kind, "1"), events).expect("an object");
        let field = object.fields.get("status").map(ToString::to_string);
        (object.status.unwrap_or_default(), field.unwrap_or_default())
    }

    #[test]
    fn a_final_state_holds_where_two_are_said_of_one_time() {
        let payment = [
            ("evt_1Z", "payment_requested", 0, ""),
            ("evt_1A", "payment_succeeded", 0, ""),
        ];
        assert_eq!(state(("payment", "payment_id"), &payment).0, "succeeded");
        let parcel = [
            ("1", "shipment_delivered", 0, ""),
            ("2", "shipment_updated", 0, "in_transit"),
            ("3", "shipment_created", 0, ""),
        ];
        let found = state(("shipment", "shipment_id"), &parcel);
        assert_eq!(found, ("delivered".to_owned(), "delivered".to_owned()));
        // A later time counts before any order of states.
        let again = [
            ("1", "conversation_closed", 0, ""),
            ("2", "conversation_reopened", 1, ""),
        ];
        assert_eq!(state(("conversation", "conversation_id"), &again).0, "open");
    }

    #[test]
    fn the_property_of_the_state_says_the_state() {
        let parcel = [
            ("1", "shipment_updated", 0, "in_transit"),
            ("2", "shipment_delivered", 1, ""),
        ];
        let found = state(("shipment", "shipment_id"), &parcel);
        assert_eq!(found, ("delivered".to_owned(), "delivered".to_owned()));
    }
}
