//! The examples of vendors' payloads: what their mappings make of them, without a remark.

use super::*;
use crate::model::Notes;

fn file(name: &str) -> String {
    let path = format!("{}/../examples/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn payload(name: &str) -> Json {
    serde_json::from_str(&file(name)).expect("JSON")
}

/// The statements of a payload, each as a line, and those that are left out.
fn told(vendor: &str, kind: &str, payload: &Json) -> Vec<String> {
    let model = Model::parse(&file(&format!("{vendor}/model.yaml")));
    let model = model.unwrap_or_else(|errors| panic!("{vendor}: {errors:#?}"));
    let mapped = model.map_in_part(vendor, kind, payload).whole();
    let mapped = mapped.unwrap_or_else(|violations| panic!("{vendor}: {violations:#?}"));
    let now = Timestamp::from_micros(1_800_000_000_000_000);
    let mut lines = Vec::new();
    for NotedDraft { draft, .. } in mapped.drafts {
        let mut notes = Notes::default();
        let checked = model.check_and_note(draft.clone(), now, &mut notes, crate::identity::unread);
        assert!(checked.is_ok(), "{vendor}: {checked:?}");
        assert!(notes.is_empty(), "{vendor}: {notes:?}");
        lines.push(match draft {
            Draft::Event(event) => {
                let shown = ["amount", "total", "order_id", "score", "currency"];
                let shown = shown.iter().filter_map(|name| event.properties.get(*name));
                let shown: Vec<String> = shown.map(ToString::to_string).collect();
                let (kind, id, key) = (event.kind, event.event_id, event.record.key);
                format!("{kind} {id} of {key}: {}", shown.join(" "))
            }
            Draft::Consent(consent) => {
                let point = consent.contact_point.map(|point| point.kind);
                let status = consent.fields["status"].to_string();
                format!(
                    "{} {status} for {}",
                    consent.purpose,
                    point.unwrap_or_default()
                )
            }
            Draft::Preferences(said) => {
                let names: Vec<_> = said.preferences.keys().map(String::as_str).collect();
                format!("preferences {}", names.join(" "))
            }
            Draft::Retraction(said) => format!("no {}", said.event.event_id),
            Draft::Replacement(said) => format!("now {}", said.event.event_id),
            Draft::Upsert(record) | Draft::Patch(record) | Draft::Delete(record) => {
                format!("record {}", record.record.key)
            }
        });
    }
    lines.extend(
        mapped
            .omissions
            .into_iter()
            .map(|omission| format!("not {}", omission.field)),
    );
    lines
}

#[test]
fn shopify() {
    let mut order = payload("shopify/order.json");
    let events = |key: &str| {
        [
            format!("order_placed order-5001 of {key}: 35.11 5001 EUR"),
            format!("shipment_created fulfillment-801 of {key}: 5001"),
            format!("refund_issued refund-901 of {key}: 10.10 5001 EUR"),
        ]
    };
    let left_out = [
        "not events.orders[1].for_each[1].when",
        "not events.orders[2].for_each[1].when",
        "not events.orders[3].when",
    ];
    let made = |key: &str| {
        let record = [format!("record {key}")];
        let left_out = left_out.map(str::to_owned);
        [record.as_slice(), &events(key), &left_out].concat()
    };
    assert_eq!(told("shopify", "orders", &order), made("7001"));
    order["customer"] = Json::Null;
    assert_eq!(told("shopify", "orders", &order), made("order:5001"));
    order["test"] = json!(true);
    assert!(
        told("shopify", "orders", &order)[1..]
            .iter()
            .all(|line| line.starts_with("not "))
    );
    let mut customer = payload("shopify/customer.json");
    let made = ["record 7001", "newsletter withdrawn for email"];
    assert_eq!(told("shopify", "customers", &customer), made);
    customer["email_marketing_consent"] = Json::Null;
    let made = ["record 7001", "not records.customers.consents[0].when"];
    assert_eq!(told("shopify", "customers", &customer), made);
}

#[test]
fn stripe() {
    let mut charge = payload("stripe/charge.json");
    for (currency, amount) in [("eur", "19.99"), ("jpy", "1999"), ("kwd", "1.999")] {
        charge["data"]["object"]["currency"] = json!(currency);
        let upper = currency.to_uppercase();
        let made = [format!(
            "payment_succeeded evt_1 of cus_1: {amount} {upper}"
        )];
        assert_eq!(told("stripe", "charges", &charge), made);
    }
    let refund = json!({"id": "evt_2", "created": 1_795_651_300, "livemode": true, "data": {"object": {
        "id": "re_1", "charge": "ch_1", "amount": 500, "currency": "eur", "metadata": {"customer": "cus_1"}
    }}});
    let made = ["refund_issued evt_2 of cus_1: 5.00 EUR"];
    assert_eq!(told("stripe", "refunds", &refund), made);
    let subscription = json!({"id": "evt_3", "created": 1_795_651_300, "livemode": true, "data": {"object": {
        "id": "sub_1", "customer": "cus_1", "status": "canceled"
    }}});
    let made = ["subscription_updated evt_3 of cus_1: "];
    assert_eq!(told("stripe", "subscriptions", &subscription), made);
    charge["data"]["object"]["customer"] = Json::Null;
    assert_eq!(
        told("stripe", "charges", &charge),
        ["not events.charges.when"]
    );
}

#[test]
fn zendesk() {
    let mut ticket = payload("zendesk/ticket.json");
    let closed = "conversation_closed 35436@2026-11-21T10:38:52Z of 20978392: ";
    let made = [
        format!("{closed}5001"),
        "conversation_started started-35436 of 20978392: ".to_owned(),
        "now rating-35436".to_owned(),
    ];
    assert_eq!(told("zendesk", "tickets", &ticket), made);
    ticket["custom_fields"] = Json::Null;
    ticket["satisfaction_rating"] = json!({"score": "unoffered"});
    ticket["tags"] = json!(["late", "closed_by_merge"]);
    let made = [closed, "no started-35436", "not events.tickets[2].when"];
    assert_eq!(told("zendesk", "tickets", &ticket), made);
    let made = ["record 20978392", "preferences language time_zone"];
    assert_eq!(
        told("zendesk", "users", &payload("zendesk/user.json")),
        made
    );
}

#[test]
fn klaviyo() {
    let made = [
        "record 01GD",
        "preferences language time_zone",
        "newsletter withdrawn for email",
        "not records.profiles.consents[1].when",
    ];
    assert_eq!(
        told("klaviyo", "profiles", &payload("klaviyo/profile.json")),
        made
    );
}

#[test]
fn amounts_in_minor_units_need_a_currency() {
    let yaml =
        file("stripe/model.yaml").replace("          currency: upper(data.object.currency)\n", "");
    let errors = Model::parse(&yaml).expect_err("no currency");
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].ends_with(
        "sources.stripe.minor: the events `charges` have amounts and no `currency`: how many digits a minor unit has depends on it"
    ), "{told:?}");
}
