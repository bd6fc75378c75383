//! What is read for a status, and how much of it.

use super::*;

#[test]
fn with_more_objects_than_are_followed_no_rule_holds() {
    let model = model(RULES);
    let told = |parcels: usize| {
        let mut told = vec![event(&model, 1, "order_placed", "order=1")];
        for number in 0..parcels {
            let said = format!("order=1 shipment={number}");
            told.push(event(&model, 2, "shipment_delivered", &said));
        }
        told
    };
    let (order, others) = read(&model, &told(MAX_FOLLOWED), ORDER);
    assert_eq!(
        (order.status.as_deref(), others),
        (Some("delivered"), MAX_FOLLOWED)
    );
    let (order, others) = read(&model, &told(MAX_FOLLOWED + 1), ORDER);
    assert_eq!((order.status.as_deref(), others), (Some("placed"), 0));
}

#[test]
fn of_each_object_the_latest_events_count() {
    let model = model(RULES);
    let mut told = events(
        &model,
        &[
            "1 order_placed order=1",
            "2 shipment_created order=1 shipment=A",
        ],
    );
    for hour in 0..200 {
        told.push(event(
            &model,
            10 + hour,
            "shipment_updated",
            "shipment=A status=in_transit",
        ));
    }
    told.push(event(&model, 300, "shipment_delivered", "shipment=A"));
    assert_eq!(
        read(&model, &told, ORDER).0.status.as_deref(),
        Some("delivered")
    );
    let parcel = ObjectKey::new("shipment", "A");
    let all = naming(&told, &parcel);
    assert_eq!(neighbours::latest(&all).len(), MAX_FOLLOWED_EVENTS);
}

#[test]
fn rules_in_a_circle_give_no_status() {
    let rule = |kind: &str| Follow {
        status: "done".to_owned(),
        rank: 1,
        which: Which::Any,
        kind: kind.to_owned(),
        are: vec!["placed".to_owned(), "created".to_owned()],
        without: BTreeSet::new(),
        share: Share::Any,
    };
    let mut model = model("");
    model.objects = Follows::from([
        ("order".to_owned(), vec![rule("shipment")]),
        ("shipment".to_owned(), vec![rule("order")]),
    ]);
    let told = events(
        &model,
        &[
            "1 order_placed order=1",
            "2 shipment_created order=1 shipment=A",
        ],
    );
    assert_eq!(status(&model, &told, ORDER), "placed");
}
