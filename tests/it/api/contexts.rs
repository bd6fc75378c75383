//! `GetContext`: order lines, metrics, predictions and permissions; and which records are cited.

use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::{self, value::Kind};
use customer_profile::store::memory::MemoryStore;
use serde_json::json;

use crate::support::clock::{SetClock, instant};
use crate::support::service::{Service, by_identifier};

const MODEL: &str = "
identifiers: { email: { priority: 1, normalize: email } }
traits: { tier: }
computed:
  spent: { sum: order_placed, value: total }
  last_shop: { last: order_placed, value: event.source }
segments:
  promoters: { when: experience.nps.last >= 9 }
  big: { when: experience.rfm.monetary_value > 100 && experience.rfm.purchases >= 2 }
  lost: { when: experience.rfm.days_since_last > 30 }
experience: { nps: { events: survey_response, value: score, where: metric == 'nps' } }
channels: { email: { contact_point: email } }
views:
  desk:
    sections:
      money: [computed.spent, computed.last_shop, experience.lifetime_value.historic, experience.nps.last]
      outlook: [experience.lifetime_value.predicted]
    segments: '*'
    objects: { order: 2 }
    object_lists: true
    permissions: { news: [email], service: [email] }
purposes:
  service: { consent: not_needed, computed: '*', segments: '*', experience: '*', identifiers: '*', events: '*' }
  narrow: { consent: not_needed, preferences: false, events: '*' }
  orders: { consent: not_needed, events: [order_placed] }
  news: { consent: opt_in }
sources:
  web:
    records: { people: { key: id, identifiers: { email: mail } } }
    events:
      orders:
        { type: order_placed, id: number, time: at, record: id, properties: { order_id: number, total: decimal(total), currency: \"'EUR'\", products: lines } }
  till:
    records: { people: { key: id, identifiers: { email: mail } } }
    events:
      orders:
        { type: order_placed, id: number, time: at, record: id, properties: { order_id: number, total: decimal(total), currency: \"'EUR'\", products: lines } }
      notes: { type: note_added, id: number, time: at, record: id, properties: { note_id: number, order_id: order, text: text } }
      answers:
        { type: survey_response, id: number, time: at, record: id, properties: { response_id: number, metric: \"'nps'\", score: score } }
";

async fn start() -> (Service, Arc<SetClock>) {
    let clock = Arc::new(SetClock::at("2026-11-20T12:00:00Z"));
    let model = ModelFile::parse(MODEL).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let service = Service::start_at(Arc::new(MemoryStore::new()), model, clock.clone()).await;
    let person = json!({"id": "1", "mail": "ann@example.com"});
    for source in ["web", "till"] {
        service
            .say_payloads(source, "people", std::slice::from_ref(&person))
            .await;
    }
    let order = |number: &str, total: &str, at: &str| json!({"id": "1", "number": number, "total": total, "at": at, "lines": [{"sku": "cup", "quantity": 2}]});
    let till = [
        order("t1", "10.00", "2026-11-18T10:00:00Z"),
        order("t2", "5.00", "2026-11-19T10:00:00Z"),
    ];
    service.say_payloads("till", "orders", &till).await;
    let web = [order("w1", "90.00", "2026-11-01T10:00:00Z")];
    service.say_payloads("web", "orders", &web).await;
    let answer = json!({"id": "1", "number": "s1", "score": 9, "at": "2026-11-19T11:00:00Z"});
    service.say_payloads("till", "answers", &[answer]).await;
    (service, clock)
}

async fn context(service: &Service, purpose: &str) -> v1::GetContextResponse {
    let request = v1::GetContextRequest {
        key: Some(by_identifier("email", "ann@example.com")),
        purpose: purpose.to_owned(),
        view: "desk".to_owned(),
        include_text: true,
        ..Default::default()
    };
    let answer = service.contexts().get_context(request).await;
    answer.expect("a context").into_inner()
}

#[tokio::test]
async fn a_context_has_order_lines_metrics_and_permissions_each_with_its_records() {
    let (service, clock) = start().await;
    let told = context(&service, "service").await;
    let lines: Vec<&str> = told.text.lines().collect();
    for line in [
        "Spent: 105.00 [web/1, till/1]",
        "Last shop: till [till/1]",
        "Lifetime value historic: 105 [till/1, web/1]",
        "Nps last: 9 [till/1]",
        "Segment: Promoters [till/1]",
    ] {
        assert!(lines.contains(&line), "{line}: {lines:#?}");
    }
    let lines = told.objects[0]
        .fields
        .get("products")
        .and_then(|value| value.kind.clone());
    assert!(matches!(lines, Some(Kind::ListValue(_))), "{lines:?}");
    assert_eq!(
        told.omitted,
        ["outlook.experience.lifetime_value.predicted"],
        "nothing was computed of all customers yet, and that is told"
    );
    let permissions: Vec<(&str, bool)> = told
        .permissions
        .iter()
        .map(|told| {
            let permission = told.permission.as_ref().expect("an answer");
            (told.purpose.as_str(), permission.allowed)
        })
        .collect();
    assert_eq!(permissions, [("news", false), ("service", true)]);
    assert_eq!(told.segments, ["big", "promoters"]);

    // A metric changes as days pass, and so does who is in a segment by it.
    clock.set(instant("2026-12-25T12:00:00Z"));
    assert_eq!(
        context(&service, "service").await.segments,
        ["big", "lost", "promoters"]
    );

    // Whoever may not see preferences learns whether, not why.
    let narrow = context(&service, "narrow").await;
    let no = narrow.permissions[0]
        .permission
        .as_ref()
        .expect("an answer");
    assert_eq!(
        (no.allowed, no.rule.as_str(), no.origin.as_ref()),
        (false, "", None)
    );
    let withheld = narrow.withheld.iter().map(|it| it.field.as_str());
    let withheld: Vec<&str> = withheld.collect();
    assert!(
        withheld.contains(&"experience.nps") && withheld.contains(&"preferences"),
        "{withheld:?}"
    );
    service.stop().await;
}

/// Events that are withheld are states of the objects of the view, or name one that is shown.
#[tokio::test]
async fn events_that_a_purpose_does_not_see_are_told_where_they_concern_what_is_shown() {
    let (service, _) = start().await;
    let told = async |purpose: &str| -> (usize, bool) {
        let told = context(&service, purpose).await;
        let withheld = told.withheld.iter().any(|it| it.field == "events");
        (told.objects.len(), withheld)
    };
    assert_eq!(told("orders").await, (2, false), "all is shown");
    let note = |order: &str| {
        json!({"id": "1", "number": format!("n{order}"), "order": order,
            "text": "a gift", "at": "2026-11-19T12:00:00Z"})
    };
    service.say_payloads("till", "notes", &[note("w9")]).await;
    assert_eq!(
        told("orders").await,
        (2, false),
        "of no order that is shown"
    );
    service.say_payloads("till", "notes", &[note("t2")]).await;
    assert_eq!(told("orders").await, (2, true));
    assert_eq!(
        told("service").await,
        (2, false),
        "who sees all is told of nothing"
    );
    service.stop().await;
}

#[tokio::test]
async fn a_metric_that_there_is_not_is_told_when_the_model_is_checked() {
    let wrong = [
        (
            "experience.nps.last >= 9",
            "experience.nps.lsat >= 9",
            "lsat",
        ),
        (
            "experience.nps.last >= 9",
            "experience.rfm.scores == '555'",
            "scores",
        ),
        (
            "experience.lifetime_value.historic, ",
            "experience.lifetime_value.future, ",
            "there is no metric `lifetime_value.future`",
        ),
        (
            "{ news: [email]",
            "{ newz: [email]",
            "declares no purpose `newz`",
        ),
        (
            "service: [email] }",
            "service: [mail] }",
            "declares no channel `mail`",
        ),
    ];
    for (right, wrong, word) in wrong {
        let errors = ModelFile::parse(&MODEL.replacen(right, wrong, 1)).expect_err(wrong);
        let told = format!("{errors:?}");
        assert!(told.contains(word), "{wrong}: {told}");
    }
}
