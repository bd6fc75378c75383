//! Statuses that follow, of events as vendors send them.

mod bounds;
mod oracle;
mod refunds;
mod vendors;

use super::*;
use crate::model::Model;
use crate::records::{Draft, DraftEvent, RecordKey, Statement, Timestamp, fold_object};

/// The rules of `docs/timeline.md`.
const RULES: &str = "
objects:
  order:
    follows:
      - { any: shipment, are: delivered, status: partly_delivered }
      - { all: shipment, without: return, are: [delivered, returned], status: delivered }
  shipment: { follows: { any: return, are: [received, completed], status: returned } }
  payment:
    follows:
      - { any: refund, are: issued, amount: part, status: partly_refunded }
      - { any: refund, are: issued, status: refunded }
  subscription: { follows: { latest: payment, are: failed, status: past_due } }
";

/// A model with these rules.
fn model(rules: &str) -> Model {
    let model = Model::parse(&format!("sources: {{ s: }}\n{rules}"));
    model.unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// An event of the built-in catalogue: its hour, type, and properties, `order=1`.
fn event(model: &Model, hour: i64, event_type: &str, said: &str) -> Event {
    let time = at(hour);
    let properties = said.split_whitespace().map(|said| {
        let (name, value) = said.split_once('=').expect("a property");
        match name {
            "status" | "currency" => (name.to_owned(), Value::from(value)),
            "amount" | "total" => {
                let number = value.parse().expect("a number");
                (name.to_owned(), Value::Decimal(number))
            }
            kind => (format!("{kind}_id"), Value::from(value)),
        }
    });
    let draft = DraftEvent {
        record: RecordKey::new("s", "1"),
        attach: Vec::new(),
        event_id: format!("{hour} {event_type} {said}"),
        kind: event_type.to_owned(),
        event_time: Some(time),
        properties: properties.collect(),
    };
    checked(model, draft)
}

fn checked(model: &Model, draft: DraftEvent) -> Event {
    match model.check(Draft::Event(draft), at(100_000)) {
        Ok(Statement::Event(event)) => event,
        other => panic!("{other:?}"),
    }
}

fn at(hour: i64) -> Timestamp {
    Timestamp::from_micros(1_750_000_000_000_000 + hour * 3_600_000_000)
}

/// Events, each as its hour, type and properties in one text.
fn events(model: &Model, told: &[&str]) -> Vec<Event> {
    let of = |told: &&str| {
        let mut parts = told.splitn(3, ' ');
        let hour = parts.next().and_then(|hour| hour.parse().ok());
        let event_type = parts.next().expect("a type");
        let said = parts.next().unwrap_or_default();
        event(model, hour.expect("an hour"), event_type, said)
    };
    told.iter().map(of).collect()
}

/// The events that name an object, as a store lists them.
fn naming(events: &[Event], key: &ObjectKey) -> Vec<Event> {
    let naming = events.iter();
    let naming = naming.filter(|event| event.meaning.objects().any(|(named, _)| named == key));
    naming.cloned().collect()
}

/// An object as a reader folds it, and how many objects it reads besides.
fn read(model: &Model, events: &[Event], object: (&str, &str)) -> (Object, usize) {
    let key = ObjectKey::new(object.0, object.1);
    let mut object = fold_object(key.clone(), naming(events, &key)).expect("an object");
    let mut others = BTreeMap::new();
    loop {
        let more = unread(&model.objects, [&object], &others);
        if more.is_empty() {
            break;
        }
        others.extend(more.into_iter().map(|key| {
            let events = naming(events, &key);
            (key, events)
        }));
    }
    follow(&mut object, &model.objects, &others);
    (object, others.len())
}

/// The status of an object, the same in any order of arrival. Empty: it has none.
fn status(model: &Model, events: &[Event], object: (&str, &str)) -> String {
    let found = read(model, events, object).0.status;
    let mut events = events.to_vec();
    for _ in 0..events.len() {
        events.rotate_left(1);
        assert_eq!(read(model, &events, object).0.status, found);
        let reversed: Vec<Event> = events.iter().rev().cloned().collect();
        assert_eq!(read(model, &reversed, object).0.status, found);
    }
    found.unwrap_or_default()
}

fn status_after(told: &[&str], object: (&str, &str)) -> String {
    let model = model(RULES);
    status(&model, &events(&model, told), object)
}

const ORDER: (&str, &str) = ("order", "1");

#[test]
fn an_order_is_delivered_when_all_its_parcels_are() {
    let mut told = vec![
        "1 order_placed order=1",
        "2 shipment_created order=1 shipment=A",
    ];
    assert_eq!(status_after(&told, ORDER), "placed");
    // The carrier's scans name the parcel alone.
    told.extend([
        "3 shipment_created order=1 shipment=B",
        "5 shipment_delivered shipment=A",
    ]);
    assert_eq!(status_after(&told, ORDER), "partly_delivered");
    told.push("6 shipment_updated shipment=B status=Delivered");
    assert_eq!(status_after(&told, ORDER), "delivered");
    // Of a single parcel both rules hold from one time on.
    let one = [
        "1 order_placed order=1",
        "2 shipment_delivered order=1 shipment=A",
    ];
    assert_eq!(status_after(&one, ORDER), "delivered");
}

#[test]
fn the_rules_are_those_of_the_guide() {
    let guide = include_str!("../../../../docs/timeline.md");
    assert!(guide.contains(RULES.trim()));
}

#[test]
fn without_a_declaration_nothing_changes_and_nothing_is_read() {
    let model = model("");
    let told = [
        "1 order_placed order=1",
        "2 shipment_delivered order=1 shipment=A",
    ];
    let events = events(&model, &told);
    let (order, others) = read(&model, &events, ORDER);
    let key = order.key.clone();
    assert_eq!(Some(order), fold_object(key.clone(), naming(&events, &key)));
    assert_eq!(others, 0);
}

#[test]
fn a_parcel_that_no_event_is_a_state_of_is_not_delivered() {
    let model = model(
        "events: { order_placed: { extends: order_placed, properties: { parcels: { type: list, of: id } }, relates: { shipment: parcels } } }
objects: { order: { follows: { all: shipment, are: delivered, status: delivered } } }",
    );
    let mut placed = event(&model, 1, "order_placed", "order=1").draft();
    let parcels = ["A", "B"].map(Value::from).to_vec();
    placed
        .properties
        .insert("parcels".to_owned(), Value::List(parcels));
    let mut told = vec![
        checked(&model, placed),
        event(&model, 2, "shipment_delivered", "shipment=A"),
    ];
    assert_eq!(status(&model, &told, ORDER), "placed");
    told.push(event(&model, 3, "shipment_delivered", "shipment=B"));
    assert_eq!(status(&model, &told, ORDER), "delivered");
    // An order of which only parcels tell has the status that they give it, or none.
    let parcels = events(&model, &["1 shipment_created order=2 shipment=C"]);
    assert_eq!(status(&model, &parcels, ("order", "2")), "");
}

#[test]
fn the_status_that_an_object_came_into_last_holds() {
    let delivered = [
        "1 order_placed order=1",
        "2 order_paid order=1",
        "5 shipment_delivered order=1 shipment=A",
    ];
    let with = |more: &[&'static str]| status_after(&[&delivered, more].concat(), ORDER);
    assert_eq!(with(&["6 order_cancelled order=1"]), "cancelled");
    assert_eq!(with(&["4 order_cancelled order=1"]), "delivered");
    // A status that is said again is no change.
    assert_eq!(with(&["6 order_paid order=1"]), "delivered");
    let scan = [
        "6 order_cancelled order=1",
        "7 shipment_delivered shipment=A",
    ];
    assert_eq!(with(&scan), "cancelled");
    // Another parcel, which is on its way: neither rule of `all` holds any more.
    assert_eq!(
        with(&["6 shipment_created order=1 shipment=B"]),
        "partly_delivered"
    );
}

#[test]
fn at_one_time_the_later_state_of_the_list_holds() {
    let told = [
        "1 order_placed order=1",
        "1 shipment_delivered order=1 shipment=A",
    ];
    assert_eq!(
        status_after(&told, ORDER),
        "delivered",
        "in no list: after all"
    );
    let payment = [
        "3 payment_succeeded payment=P",
        "3 refund_issued refund=R payment=P",
    ];
    assert_eq!(status_after(&payment, ("payment", "P")), "refunded");
    let rules = "
events:
  order_cancelled: { extends: order_cancelled, states: [placed, paid, delivered, cancelled] }
objects: { order: { follows: { all: shipment, are: delivered, status: delivered } } }
";
    let model = model(rules);
    let told = [
        "1 order_cancelled order=1",
        "1 shipment_delivered order=1 shipment=A",
    ];
    assert_eq!(status(&model, &events(&model, &told), ORDER), "cancelled");
}

#[test]
fn a_return_of_one_of_two_parcels_closes_that_one() {
    let told = [
        "1 order_placed order=1",
        "2 shipment_created order=1 shipment=A",
        "2 shipment_created order=1 shipment=B",
        "4 shipment_delivered shipment=A",
        "5 return_requested order=1 return=R shipment=A",
    ];
    assert_eq!(status_after(&told, ("shipment", "A")), "delivered");
    assert_eq!(status_after(&told, ORDER), "partly_delivered");
    let mut told = [&told[..], &["7 return_received return=R"]].concat();
    assert_eq!(status_after(&told, ("shipment", "A")), "returned");
    assert_eq!(status_after(&told, ("shipment", "B")), "created");
    assert_eq!(
        status_after(&told, ORDER),
        "placed",
        "no parcel is delivered"
    );
    told.push("9 shipment_delivered shipment=B");
    assert_eq!(
        status_after(&told, ORDER),
        "delivered",
        "one returned, one delivered"
    );
}

#[test]
fn a_parcel_that_travels_back_is_none_of_the_order() {
    let told = [
        "1 order_placed order=1",
        "4 shipment_delivered order=1 shipment=A",
        "5 return_requested order=1 return=R",
        "6 shipment_created order=1 return=R shipment=back",
    ];
    assert_eq!(status_after(&told, ORDER), "delivered");
    let rule =
        "objects: { order: { follows: { all: shipment, are: delivered, status: delivered } } }";
    let model = model(rule);
    assert_eq!(status(&model, &events(&model, &told), ORDER), "placed");
}

#[test]
fn a_return_that_names_a_parcel_relates_it_to_the_return_alone() {
    let told = [
        "1 order_placed order=1",
        "4 shipment_delivered order=1 shipment=A",
        "5 return_requested order=1 return=R shipment=back",
    ];
    assert_eq!(status_after(&told, ORDER), "delivered");
}

#[test]
fn a_subscription_is_past_due_while_its_latest_payment_has_failed() {
    let subscription = ("subscription", "S");
    let mut told = vec![
        "1 subscription_started subscription=S",
        "2 payment_succeeded subscription=S payment=jan",
        "32 payment_failed subscription=S payment=feb",
    ];
    assert_eq!(status_after(&told, subscription), "past_due");
    // The payment of January is given back meanwhile: February's began later.
    told.push("33 payment_failed payment=jan");
    assert_eq!(status_after(&told, subscription), "past_due");
    assert_eq!(
        status_after(
            &[&told[..], &["34 payment_succeeded payment=feb"]].concat(),
            subscription
        ),
        "active"
    );
    told.push("60 payment_succeeded subscription=S payment=mar");
    assert_eq!(status_after(&told, subscription), "active");
    // Two begin at one time: nothing says which is the latest, so both must have failed.
    told.push("60 payment_failed subscription=S payment=mar2");
    assert_eq!(status_after(&told, subscription), "active");
    told.push("61 payment_failed payment=mar");
    assert_eq!(status_after(&told, subscription), "past_due");
    told.push("62 subscription_cancelled subscription=S");
    assert_eq!(status_after(&told, subscription), "cancelled");
}

#[test]
fn what_is_taken_back_or_corrected_leaves_what_the_rest_says() {
    let model = model(RULES);
    let told = events(
        &model,
        &[
            "1 order_placed order=1",
            "2 shipment_delivered order=1 shipment=A",
            "3 shipment_created order=1 shipment=B",
            "4 shipment_delivered shipment=B",
        ],
    );
    assert_eq!(status(&model, &told, ORDER), "delivered");
    let without = |index: usize| {
        let mut left = told.clone();
        left.remove(index);
        left
    };
    assert_eq!(status(&model, &without(3), ORDER), "partly_delivered");
    // The event that relates the parcel, too: it is no parcel of the order then.
    assert_eq!(status(&model, &without(2), ORDER), "delivered");
    // The parcel was another order's.
    let mut moved = told.clone();
    moved[2] = event(&model, 3, "shipment_created", "order=2 shipment=B");
    assert_eq!(status(&model, &moved, ORDER), "delivered");
    assert_eq!(status(&model, &moved, ("order", "2")), "delivered");
    // Told twice, also under another id.
    let twice = [&told[..], &told[1..]].concat();
    assert_eq!(status(&model, &twice, ORDER), "delivered");
}

#[test]
fn equal_numbers_of_two_customers_do_not_mix() {
    let model = model(RULES);
    let mut told = events(
        &model,
        &[
            "1 order_placed order=1",
            "2 shipment_created order=1 shipment=A",
        ],
    );
    let mut of_another = events(
        &model,
        &[
            "1 order_placed order=1",
            "3 shipment_delivered order=1 shipment=A",
        ],
    );
    for event in &mut of_another {
        event.record.key = "2".to_owned();
    }
    assert_eq!(status(&model, &of_another, ORDER), "delivered");
    assert_eq!(status(&model, &told, ORDER), "placed");
    // One person after all.
    told.append(&mut of_another);
    assert_eq!(status(&model, &told, ORDER), "delivered");
}

#[test]
fn the_property_of_the_state_says_the_status_that_follows() {
    let model = model(RULES);
    let told = events(
        &model,
        &[
            "1 order_updated order=1 status=open",
            "2 shipment_delivered order=1 shipment=A",
        ],
    );
    let (order, others) = read(&model, &told, ORDER);
    assert_eq!(order.fields["status"], Value::from("delivered"));
    assert_eq!((order.events.len(), others), (2, 1));
}
