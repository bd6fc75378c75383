//! Where events are attached, whatever the order of what is known.

use super::*;
use crate::records::{ContentHash, Meaning};

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn object(name: &str) -> ObjectKey {
    let (kind, id) = name.split_once(' ').expect("a kind and an id");
    ObjectKey::new(kind, id)
}

/// An event of a source that seeks objects of some kinds and names objects, the first its own.
fn event(source: &str, id: &str, kinds: &[&str], named: &[&str]) -> Event {
    let mut named = named.iter().map(|name| object(name));
    let meaning = Meaning {
        object: named.next(),
        related: named.collect(),
        ..Meaning::default()
    };
    let objects: Vec<ObjectKey> = meaning.objects().map(|(key, _)| key.clone()).collect();
    let of_kind = |kind: &&str| {
        let found = objects.iter().filter(|object| object.kind == **kind);
        found.cloned().collect::<Vec<_>>()
    };
    let attachment = Attachment {
        source: source.to_owned(),
        kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
        by: kinds.iter().flat_map(of_kind).collect(),
    };
    Event {
        record: RecordKey::new(source, ""),
        event_id: id.to_owned(),
        kind: "any".to_owned(),
        event_time: None,
        receive_time: time(1),
        sort_time: time(1),
        properties: BTreeMap::new(),
        content: ContentHash(0),
        meaning,
        attachment: Some(Box::new(attachment)),
    }
}

/// A record's claim: `shop/c1` names an object last at a time; its own with `!`.
fn claims(said: &[(&str, &str, i64)]) -> BTreeMap<ObjectKey, Vec<Claim>> {
    let mut claims: BTreeMap<ObjectKey, Vec<Claim>> = BTreeMap::new();
    for (record, named, seconds) in said {
        let (source, key) = record.split_once('/').expect("a source and a key");
        let own = named.ends_with('!');
        let claim = Claim {
            record: RecordKey::new(source, key),
            own,
            first: time(*seconds),
            latest: time(*seconds),
        };
        let object = object(named.trim_end_matches('!'));
        add_claim(claims.entry(object).or_default(), claim);
    }
    claims
}

/// The places of events, in short; the same in any order of the events.
fn placed(events: &[Event], claims: &BTreeMap<ObjectKey, Vec<Claim>>) -> String {
    let told = |events: Vec<&Event>| {
        let places = place(events, claims, &|_| None).into_iter();
        let told = places.map(|(event, Place { record, by })| {
            format!(
                "{} {}/{} by {}",
                event.event_id, record.source, record.key, by.kind
            )
        });
        told.collect::<Vec<_>>().join("; ")
    };
    let forward = told(events.iter().collect());
    assert_eq!(told(events.iter().rev().collect()), forward);
    forward
}

#[test]
fn an_event_is_attached_to_the_record_whose_events_name_its_object() {
    let scan = [event("carrier", "scan", &["shipment"], &["shipment 1Z"])];
    assert_eq!(placed(&scan, &claims(&[])), "");
    let one = claims(&[("shop/c1", "shipment 1Z", 5)]);
    assert_eq!(placed(&scan, &one), "scan shop/c1 by shipment");
}

#[test]
fn what_nobody_claims_is_passed_on_by_events_that_are_attached() {
    let events = [
        event("carrier", "scan", &["shipment"], &["shipment 1Z"]),
        event(
            "warehouse",
            "packed",
            &["order"],
            &["shipment 1Z", "order 7"],
        ),
        event(
            "desk",
            "asked",
            &["shipment"],
            &["conversation 3", "shipment 1Z"],
        ),
        event("desk", "closed", &["conversation"], &["conversation 3"]),
        event("desk", "other", &["conversation"], &["conversation 4"]),
    ];
    let of_order = claims(&[("shop/c1", "order 7!", 5)]);
    let all = "asked shop/c1 by shipment; closed shop/c1 by conversation; \
               scan shop/c1 by shipment; packed shop/c1 by order";
    let mut found: Vec<String> = placed(&events, &of_order)
        .split("; ")
        .map(str::to_owned)
        .collect();
    found.sort_unstable();
    let mut expected: Vec<&str> = all.split("; ").collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn of_several_records_one_is_chosen_by_what_is_said_of_the_object() {
    let event = [event("shop", "paid", &["order"], &["payment 1", "order 7"])];
    for (said, expected) in [
        // The event's own source first,
        (
            vec![("other/a", "order 7!", 9), ("shop/b", "order 7", 1)],
            "shop/b",
        ),
        // then states of the object,
        (
            vec![("other/a", "order 7", 9), ("till/b", "order 7!", 1)],
            "till/b",
        ),
        // then who had begun to name it last when the event happened,
        (
            vec![("other/a", "order 7", 9), ("till/b", "order 7", 1)],
            "till/b",
        ),
        (
            vec![("other/a", "order 7", 1), ("till/b", "order 7", 0)],
            "other/a",
        ),
        // or else who begins first,
        (
            vec![("other/a", "order 7", 3), ("till/b", "order 7", 4)],
            "other/a",
        ),
        // then the key.
        (
            vec![("other/a", "order 7", 1), ("till/b", "order 7", 1)],
            "till/b",
        ),
    ] {
        let mut reversed = said.clone();
        reversed.reverse();
        for said in [said, reversed] {
            let found = placed(&event, &claims(&said));
            assert_eq!(found, format!("paid {expected} by order"));
        }
    }
}

#[test]
fn the_first_kind_that_somebody_has_is_the_best() {
    let both = [event(
        "carrier",
        "scan",
        &["shipment", "order"],
        &["shipment 1Z", "order 7"],
    )];
    let of_order = claims(&[("shop/c1", "order 7!", 5)]);
    assert_eq!(placed(&both, &of_order), "scan shop/c1 by order");
    let of_both = claims(&[("shop/c1", "order 7!", 5), ("shop/c2", "shipment 1Z", 1)]);
    assert_eq!(placed(&both, &of_both), "scan shop/c2 by shipment");
}

#[test]
fn an_object_that_is_nobodys_is_passed_on_by_nobody() {
    let events = [
        event("carrier", "scan", &["shipment"], &["shipment 1Z"]),
        event(
            "warehouse",
            "packed",
            &["order"],
            &["shipment 1Z", "order 7"],
        ),
    ];
    let mut known = claims(&[("shop/c1", "order 7!", 5)]);
    known.insert(object("shipment 1Z"), Vec::new());
    assert_eq!(placed(&events, &known), "packed shop/c1 by order");
}

#[test]
fn a_former_holders_claim_counts_for_nothing() {
    let scan = [event("carrier", "scan", &["shipment"], &["shipment 1Z"])];
    let one = claims(&[("shop/c1", "shipment 1Z", 5)]);
    let until = |seconds: i64| move |_: &RecordKey| Some(time(seconds));
    assert_eq!(place(&scan, &one, &until(6)).len(), 0);
    assert_eq!(place(&scan, &one, &until(5)).len(), 1);
}

#[test]
fn a_number_that_is_given_out_again_leaves_the_scans_of_before_where_they_are() {
    let scan = |id: &str, seconds| Event {
        sort_time: time(seconds),
        ..event("carrier", id, &["shipment"], &["shipment 1Z"])
    };
    let scans = [scan("0", 5), scan("1", 12), scan("2", 30), scan("3", 45)];
    let both = claims(&[
        ("shop/c1", "shipment 1Z", 10),
        ("shop/c2", "shipment 1Z", 40),
    ]);
    let expected = "0 shop/c1 by shipment; 1 shop/c1 by shipment; 2 shop/c1 by shipment; \
                    3 shop/c2 by shipment";
    assert_eq!(placed(&scans, &both), expected);
}
