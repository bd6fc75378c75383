//! Events of several records, in order and by pages.

use profile_core::records::{Event, RecordKey};

use customer_profile::store::{EventPage, Store};

use super::build::*;

async fn list(store: &dyn Store, records: &[RecordKey], page: &EventPage) -> Vec<String> {
    let events = store
        .list_events(&tenant(), records, page)
        .await
        .expect("a read");
    events
        .iter()
        .map(|event| format!("{}/{}", event.record.source, event.event_id))
        .collect()
}

fn page(limit: usize) -> EventPage {
    EventPage {
        limit,
        ..EventPage::default()
    }
}

/// Two records of the shop, one of the help desk, and one of somebody else.
fn records() -> Vec<RecordKey> {
    vec![key("1"), key("2"), RecordKey::new("desk", "1")]
}

fn some_events() -> Vec<Event> {
    let [one, two, desk] = <[RecordKey; 3]>::try_from(records()).expect("three");
    let chat = |id, micros| Event {
        kind: "chat".to_owned(),
        ..event(&desk, id, micros)
    };
    vec![
        event(&one, "a", 10),
        event(&two, "b", 10),
        chat("c", 10),
        event(&one, "d", 30),
        chat("e", 20),
        event(&two, "f", 5),
        event(&key("somebody else"), "g", 15),
    ]
}

const ALL: [&str; 6] = ["shop/d", "desk/e", "shop/b", "shop/a", "desk/c", "shop/f"];

pub(crate) async fn events_come_newest_first_with_one_order_of_ties(store: &dyn Store) {
    put(store, &events(some_events())).await;
    assert_eq!(list(store, &records(), &page(99)).await, ALL);
    let twice = [records(), records()].concat();
    assert_eq!(list(store, &twice, &page(99)).await, ALL);
    assert_eq!(list(store, &records(), &page(2)).await, ALL[..2]);
    assert_eq!(list(store, &[], &page(99)).await, [""; 0]);
    let whole = store
        .list_events(&tenant(), &records()[..1], &page(1))
        .await
        .expect("a read");
    assert_eq!(whole, [event(&key("1"), "d", 30)]);
}

pub(crate) async fn pages_put_together_are_the_whole(store: &dyn Store) {
    put(store, &events(some_events())).await;
    for size in 1..=ALL.len() {
        let mut page = page(size);
        let mut all = Vec::new();
        loop {
            let events = store
                .list_events(&tenant(), &records(), &page)
                .await
                .expect("a read");
            let Some(last) = events.last() else { break };
            page.after = Some(last.position());
            all.extend(
                events
                    .iter()
                    .map(|event| format!("{}/{}", event.record.source, event.event_id)),
            );
        }
        assert_eq!(all, ALL, "pages of {size}");
    }
}

pub(crate) async fn a_page_before_ends_where_it_is_told(store: &dyn Store) {
    put(store, &events(some_events())).await;
    let before = async |from: Event, kinds: &[&str], limit| {
        let kinds = kinds.iter().map(|&kind| kind.to_owned()).collect();
        list(
            store,
            &records(),
            &EventPage {
                kinds,
                from: Some(from.position()),
                ..page(limit)
            },
        )
        .await
    };
    assert_eq!(
        before(event(&key("1"), "a", 10), &[], 2).await,
        ["shop/a", "shop/b"]
    );
    assert_eq!(
        before(event(&key("1"), "a", 10), &[], 9).await,
        ["shop/a", "shop/b", "desk/e", "shop/d"]
    );
    assert_eq!(before(event(&key("1"), "d", 30), &[], 9).await, ["shop/d"]);
    assert_eq!(
        before(event(&key("2"), "f", 5), &["chat"], 9).await,
        ["desk/c", "desk/e"]
    );
}

pub(crate) async fn events_are_chosen_by_type_and_time(store: &dyn Store) {
    put(store, &events(some_events())).await;
    let chosen = async |kinds: &[&str], start: Option<i64>, end: Option<i64>, limit| {
        let kinds = kinds.iter().map(|&kind| kind.to_owned()).collect();
        list(
            store,
            &records(),
            &EventPage {
                kinds,
                start: start.map(time),
                end: end.map(time),
                limit,
                ..EventPage::default()
            },
        )
        .await
    };
    assert_eq!(chosen(&["chat"], None, None, 9).await, ["desk/e", "desk/c"]);
    assert_eq!(chosen(&["chat", "order"], None, None, 9).await, ALL);
    assert_eq!(chosen(&["none"], None, None, 9).await, [""; 0]);
    assert_eq!(
        chosen(&[], Some(10), Some(20), 9).await,
        ["shop/b", "shop/a", "desk/c"]
    );
    assert_eq!(chosen(&[], Some(20), None, 9).await, ["shop/d", "desk/e"]);
    assert_eq!(chosen(&[], None, Some(10), 9).await, ["shop/f"]);
    assert_eq!(
        chosen(&["order"], Some(10), None, 2).await,
        ["shop/d", "shop/b"]
    );
    // The bounds hold beside a position, too.
    let after = Some(event(&key("1"), "a", 10).position());
    let rest = EventPage {
        start: Some(time(10)),
        after,
        ..page(9)
    };
    assert_eq!(list(store, &records(), &rest).await, ["desk/c"]);
}

pub(crate) async fn keys_are_in_byte_order(store: &dyn Store) {
    // No language sorts them so.
    let mut ids = [
        "Z",
        "a",
        "B",
        "_",
        "\u{e9}",
        "e",
        "\u{df}",
        "\u{1f600}",
        "\u{ffff}",
        "1",
        "a b",
        "ab",
    ];
    put(
        store,
        &events(ids.iter().map(|id| event(&key("1"), id, 7)).collect()),
    )
    .await;
    ids.sort_unstable_by(|a, b| b.as_bytes().cmp(a.as_bytes()));
    let expected: Vec<String> = ids.iter().map(|id| format!("shop/{id}")).collect();
    assert_eq!(list(store, &[key("1")], &page(99)).await, expected);
}
