//! Objects that events name, and events by type.

use profile_core::records::{Attachment, Event, EventKey, Meaning, ObjectKey, RecordKey, Sequence};

use customer_profile::store::{EventFilter, EventPage, ObjectPage, Store, WaitingPage};

use super::build::*;

fn order(id: &str) -> ObjectKey {
    ObjectKey::new("order", id)
}

/// An event that is a state of an object, and speaks of others.
fn naming(event: Event, own: &ObjectKey, related: &[ObjectKey]) -> Event {
    let meaning = Meaning {
        object: Some(own.clone()),
        related: related.to_vec(),
        ..Meaning::default()
    };
    Event { meaning, ..event }
}

/// Two orders of a customer with two records, a shipment of one of them, and somebody else's order
/// of the same number.
async fn some_objects(store: &dyn Store) -> [RecordKey; 3] {
    let records = [key("1"), RecordKey::new("carrier", "1"), key("2")];
    let [shop, carrier, other] = &records;
    let mut first = profile(id(1), &records[..2]);
    let placed = naming(event(shop, "placed", 10), &order("7"), &[]);
    first.events = vec![placed, naming(event(shop, "second", 11), &order("8"), &[])];
    put(store, &first).await;
    let mut later = profile(id(2), &records[2..]);
    let sent = naming(
        event(carrier, "sent", 20),
        &ObjectKey::new("shipment", "7"),
        &[order("7")],
    );
    later.events = vec![sent, naming(event(other, "other", 30), &order("7"), &[])];
    later
        .events
        .push(naming(event(shop, "paid", 10), &order("7"), &[]));
    put(store, &later).await;
    records
}

pub(crate) async fn events_are_found_by_the_objects_that_they_name(store: &dyn Store) {
    let [shop, carrier, other] = some_objects(store).await;
    let both = [shop, carrier];
    let list = async |objects: &[ObjectKey], records: &[RecordKey], page: &ObjectPage| {
        let found = store
            .list_object_events(&tenant(), objects, records, page)
            .await
            .expect("a read");
        let told = |naming: &customer_profile::store::NamingEvent| {
            format!("{}@{}", naming.event.event_id, naming.sequence.0)
        };
        found
            .iter()
            .map(|naming| naming.iter().map(told).collect())
            .collect::<Vec<Vec<String>>>()
    };
    let all = ObjectPage {
        limit: 9,
        ..ObjectPage::default()
    };
    let asked = [
        order("8"),
        order("7"),
        order("9"),
        ObjectKey::new("shipment", "7"),
    ];
    let none: [&str; 0] = [];
    let found = list(&asked, &both, &all).await;
    assert_eq!(
        found,
        [
            vec!["second@1"],
            vec!["sent@2", "placed@1", "paid@2"],
            none.to_vec(),
            vec!["sent@2"]
        ]
    );
    assert_eq!(list(&asked[1..2], &[other], &all).await, [["other@2"]]);
    let one = ObjectPage {
        limit: 1,
        after: Some(event(&both[1], "sent", 20).position()),
        ..ObjectPage::default()
    };
    assert_eq!(list(&asked[1..2], &both, &one).await, [["placed@1"]]);
    assert_eq!(list(&[], &both, &all).await, [none; 0]);
    let whole = store
        .list_object_events(&tenant(), &asked[..1], &both, &all)
        .await
        .expect("a read");
    assert_eq!(
        whole[0][0].event,
        naming(event(&both[0], "second", 11), &order("8"), &[]),
        "what it means is kept"
    );
}

pub(crate) async fn objects_lead_to_the_profiles_that_have_them(store: &dyn Store) {
    some_objects(store).await;
    let find = async |objects: &[ObjectKey], limit| {
        let found = store
            .find_by_objects(&tenant(), objects, limit)
            .await
            .expect("a read");
        assert_eq!(found.sequence, Sequence(2));
        found.value
    };
    assert_eq!(
        find(&[order("9"), order("7"), order("8")], 9).await,
        [vec![], vec![id(1), id(2)], vec![id(1)]]
    );
    assert_eq!(
        find(&[order("7")], 1).await,
        [[id(1)]],
        "the record of the carrier comes first"
    );
    assert_eq!(find(&[], 9).await, [[]; 0]);
}

pub(crate) async fn events_are_counted_by_type(store: &dyn Store) {
    let chat = |record: &RecordKey, event_id, micros, channel: Option<&str>| {
        let meaning = Meaning {
            channel: channel.map(str::to_owned),
            ..Meaning::default()
        };
        Event {
            kind: "chat".to_owned(),
            meaning,
            ..event(record, event_id, micros)
        }
    };
    let desk = RecordKey::new("desk", "1");
    let stored = vec![
        event(&key("1"), "a", 10),
        chat(&key("1"), "b", 11, Some("web")),
        chat(&desk, "c", 12, Some("app")),
        chat(&desk, "d", 13, None),
        event(&key("2"), "e", 14),
    ];
    put(store, &events(stored)).await;
    let count = async |filter: EventFilter| {
        let counts = store
            .count_events(&tenant(), &[key("1"), desk.clone(), desk.clone()], &filter)
            .await;
        let counts = counts.expect("a read");
        counts
            .iter()
            .map(|(kind, count)| format!("{kind} {count}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let words = |words: &[&str]| {
        words
            .iter()
            .map(|&word| word.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(count(EventFilter::default()).await, "chat 3, order 1");
    assert_eq!(
        count(EventFilter {
            kinds: words(&["chat", "none", "chat"]),
            ..EventFilter::default()
        })
        .await,
        "chat 3"
    );
    assert_eq!(
        count(EventFilter {
            channels: words(&["web", "app"]),
            ..EventFilter::default()
        })
        .await,
        "chat 2"
    );
    let span = EventFilter {
        start: Some(time(10)),
        end: Some(time(12)),
        ..EventFilter::default()
    };
    assert_eq!(count(span).await, "chat 1, order 1");
}

/// An event of a carrier that seeks an order.
fn seeking(event_id: &str, micros: i64, id: &str) -> Event {
    let nowhere = RecordKey::new("carrier", "");
    let shipment = ObjectKey::new("shipment", id);
    let attachment = Attachment {
        source: "carrier".to_owned(),
        kinds: vec!["order".to_owned()],
        by: vec![order(id)],
    };
    Event {
        attachment: Some(Box::new(attachment)),
        ..naming(event(&nowhere, event_id, micros), &shipment, &[order(id)])
    }
}

pub(crate) async fn events_without_a_record_are_found_by_what_they_name(store: &dyn Store) {
    let [shop, ..] = some_objects(store).await;
    let waiting = [seeking("b", 21, "7"), seeking("a", 21, "9")];
    put(store, &events(waiting.to_vec())).await;
    let mut placed = seeking("c", 22, "7").attached_to(Some(&shop));
    placed.record = shop.clone();
    put(store, &events(vec![placed.clone()])).await;

    let page = WaitingPage {
        limit: 9,
        ..WaitingPage::default()
    };
    let listed = store.list_waiting(&tenant(), &page).await.expect("a read");
    assert_eq!(listed, [waiting[1].clone(), waiting[0].clone()]);
    let next = WaitingPage {
        source: Some("carrier".to_owned()),
        after: Some(waiting[1].position()),
        ..page
    };
    let listed = store.list_waiting(&tenant(), &next).await.expect("a read");
    assert_eq!(listed, [waiting[0].clone()]);

    let mut tx = store.begin(&tenant()).await.expect("a turn");
    let reads = tx.reads();
    let shipment = ObjectKey::new("shipment", "7");
    let mut found = reads.attached_events(&[order("7"), shipment]).await;
    found.as_mut().expect("a read").sort_unstable();
    let keys = [waiting[0].key(), placed.key()];
    assert_eq!(found.expect("a read"), keys);
    let claims = reads.claims(&[order("7"), order("9")], &[], 9).await;
    let mut claims = claims.expect("a read");
    claims.sort_by(|(_, left), (_, right)| left.record.cmp(&right.record));
    let short: Vec<String> = claims
        .iter()
        .map(|(object, claim)| {
            let times = (claim.first.as_micros(), claim.latest.as_micros());
            let RecordKey { source, key } = &claim.record;
            format!("{} {source}/{key} {} {times:?}", object.id, claim.own)
        })
        .collect();
    assert_eq!(
        short,
        [
            "7 carrier/1 false (20, 20)",
            "7 shop/1 true (10, 10)",
            "7 shop/2 true (30, 30)"
        ]
    );
    let paid = EventKey {
        source: "shop".to_owned(),
        event_id: "other".to_owned(),
    };
    let rest = reads.claims(&[order("7")], &[paid], 9).await;
    assert_eq!(rest.expect("a read").len(), 2, "without some events");
    assert_eq!(reads.count_waiting(9).await.expect("a read"), 2);
    assert_eq!(reads.count_waiting(1).await.expect("a read"), 1);

    // On the record of another source it is the carrier's all the same.
    let of_carrier = EventPage {
        sources: vec!["carrier".to_owned()],
        limit: 9,
        ..EventPage::default()
    };
    let records = [shop];
    let listed = store.list_events(&tenant(), &records, &of_carrier).await;
    assert_eq!(listed.expect("a read"), [placed]);
}
