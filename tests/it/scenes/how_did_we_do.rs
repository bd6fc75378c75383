//! How did we do: what customers answer, how often they had to ask, and what was promised, of one,
//! of a segment and of all.

use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::{self, get_experience_metrics_request::Subject};
use serde_json::{Value as Json, json};

use crate::experience::{ask, metrics, metrics_anew};
use crate::support::clock::SetClock;
use crate::support::service::{Service, by_identifier};
use crate::support::stores::{Kind, TestStore};

const MODEL: &str = r"
identifiers:
  email: { priority: 1, belongs_to: person, normalize: email }
traits:
  tier: {}
segments:
  gold: { when: traits.tier == 'gold' }
experience:
  ces: { events: survey_response, value: score, where: metric == 'ces', min: 1, max: 5 }
sources:
  shop:
    records: { customers: { key: mail, identifiers: { email: mail }, traits: { tier: tier } } }
    events:
      orders: { type: order_placed, id: id, time: at, record: mail, properties: { total: decimal(total) } }
  carrier:
    records: { addressees: { key: mail, identifiers: { email: mail } } }
    events:
      parcels:
        type: shipment_delivered
        id: id
        time: at
        record: mail
        properties: { estimated_delivery_time: time(promised) }
  survey:
    records: { people: { key: mail, identifiers: { email: mail } } }
    events:
      answers: { type: survey_response, id: id, time: at, record: mail, properties: { metric: kind, score: decimal(score) } }
  desk:
    records: { callers: { key: mail, identifiers: { email: mail } } }
    events:
      tickets: { type: conversation_started, id: id, time: at, record: mail, properties: { channel: channel } }
      calls:
        type: call_started
        id: id
        time: at
        record: mail
        properties: { direction: direction, conversation_id: ticket }
";

const ANN: &str = "ann@shop.com";
const BEN: &str = "ben@shop.com";

/// Payloads of one kind, each with an id of its own: whose, when, and what else.
fn payloads(kind: &str, all: &[(&str, &str, Json)]) -> Vec<Json> {
    let payload = |(index, (mail, day, rest)): (usize, &(&str, &str, Json))| {
        let mut payload = json!({"id": format!("{kind}-{index}"), "mail": mail, "at": format!("{day}T10:00:00Z")});
        if let (Some(payload), Some(rest)) = (payload.as_object_mut(), rest.as_object()) {
            payload.extend(rest.clone());
        }
        payload
    };
    all.iter().enumerate().map(payload).collect()
}

async fn say_contacts(service: &Service) {
    let tickets = [
        (ANN, "2026-11-06", json!({"channel": "chat"})),
        (ANN, "2026-11-09", json!({"channel": "email"})),
        (BEN, "2026-11-20", json!({"channel": "email"})),
    ];
    service
        .say_payloads("desk", "tickets", &payloads("ticket", &tickets))
        .await;
    let calls = [
        (ANN, "2026-09-02", json!({"direction": "inbound"})),
        // We called, and a call within a conversation that counts already.
        (ANN, "2026-11-12", json!({"direction": "outbound"})),
        (
            ANN,
            "2026-11-06",
            json!({"direction": "inbound", "ticket": "ticket-0"}),
        ),
    ];
    service
        .say_payloads("desk", "calls", &payloads("call", &calls))
        .await;
}

async fn start(ground: &TestStore) -> Service {
    let clock = Arc::new(SetClock::at("2026-11-22T08:00:00Z"));
    let service = Service::start_at(
        ground.store.clone(),
        ModelFile::parse(MODEL).expect("a model"),
        clock,
    )
    .await;
    for (source, kind) in [
        ("shop", "customers"),
        ("carrier", "addressees"),
        ("survey", "people"),
        ("desk", "callers"),
    ] {
        let people = [
            json!({"mail": ANN, "tier": "gold"}),
            json!({"mail": BEN, "tier": "green"}),
        ];
        service.say_payloads(source, kind, &people).await;
    }
    let order = |total: &str| json!({"total": total});
    let orders = [
        (ANN, "2026-09-01", order("20")),
        (ANN, "2026-11-02", order("30")),
        (BEN, "2026-10-10", order("12.50")),
    ];
    service
        .say_payloads("shop", "orders", &payloads("order", &orders))
        .await;
    let promised = |day: &str| json!({"promised": format!("{day}T23:59:59Z")});
    let parcels = [
        (ANN, "2026-09-04", promised("2026-09-05")),
        (ANN, "2026-11-07", promised("2026-11-05")),
        (BEN, "2026-10-12", promised("2026-10-12")),
        // Nothing was promised.
        (BEN, "2026-10-20", json!({})),
    ];
    service
        .say_payloads("carrier", "parcels", &payloads("parcel", &parcels))
        .await;
    let score = |kind: &str, score: &str| json!({"kind": kind, "score": score});
    let answers = [
        (ANN, "2026-09-10", score("nps", "10")),
        (ANN, "2026-11-10", score("nps", "5")),
        (ANN, "2026-11-10", score("csat", "2")),
        (ANN, "2026-11-10", score("ces", "2")),
        (BEN, "2026-10-15", score("nps", "9")),
        (BEN, "2026-10-15", score("csat", "5")),
        (BEN, "2026-10-15", score("ces", "5")),
        // Off the scale; and of before the window, though not of before all time.
        (BEN, "2026-10-16", score("nps", "11")),
        (BEN, "2024-02-01", score("nps", "0")),
        (BEN, "2026-10-16", score("text", "1")),
    ];
    service
        .say_payloads("survey", "answers", &payloads("answer", &answers))
        .await;
    say_contacts(&service).await;
    service
}

/// What is told of each metric.
fn shown(metrics: &v1::ExperienceMetrics) -> String {
    let number =
        |number: Option<f64>| number.map_or("-".to_owned(), |number| format!("{number:.3}"));
    let nps = metrics.nps.as_ref().expect("measured");
    let (csat, ces) = (
        metrics.csat.as_ref().expect("measured"),
        metrics.ces.as_ref().expect("measured"),
    );
    let rate = metrics.contact_rate.as_ref().expect("measured");
    let first = metrics.first_contact_resolution.as_ref().expect("measured");
    let promises = metrics.promises.as_ref().expect("measured");
    let last = nps.last.as_ref().map_or(String::new(), |last| {
        format!(
            ", last {} {} days ago: {}",
            last.score,
            last.age_days,
            last.promoter_class().as_str_name()
        )
    });
    [
        format!("customers {}", metrics.customer_count),
        format!(
            "NPS {} of {}/{}/{}{last}",
            number(nps.score),
            nps.promoter_count,
            nps.passive_count,
            nps.detractor_count
        ),
        format!(
            "CSAT {}, mean {}, of {}",
            number(csat.score),
            number(csat.mean),
            csat.response_count
        ),
        format!("CES {} of {}", number(ces.score), ces.response_count),
        format!(
            "contacts per order {} of {}/{}",
            number(rate.ratio),
            rate.contact_count,
            rate.order_count
        ),
        format!(
            "first contact {} of {}, undecided {}",
            number(first.ratio),
            first.contact_count,
            first.undecided_count
        ),
        format!(
            "promises {} of {}",
            number(promises.ratio),
            promises.promise_count
        ),
    ]
    .join("\n")
}

fn customer(mail: &str) -> Subject {
    Subject::Customer(by_identifier("email", mail))
}

#[tokio::test]
async fn how_it_went_is_told_of_one_of_a_segment_and_of_all() {
    for kind in [Kind::Memory, Kind::Sqlite, Kind::Postgres] {
        let ground = TestStore::start(kind).await;
        let service = start(&ground).await;
        let ann = metrics(&service, customer(ANN)).await;
        insta::allow_duplicates!(insta::assert_snapshot!(shown(&ann), @r"
        customers 1
        NPS 0.000 of 1/0/1, last 5 12 days ago: PROMOTER_CLASS_DETRACTOR
        CSAT 0.000, mean 2.000, of 1
        CES 2.500 of 1
        contacts per order 1.500 of 3/2
        first contact 0.667 of 3, undecided 0
        promises 0.500 of 2
        "));
        let ben = metrics(&service, customer(BEN)).await;
        insta::allow_duplicates!(insta::assert_snapshot!(shown(&ben), @r"
        customers 1
        NPS 100.000 of 1/0/0
        CSAT 1.000, mean 5.000, of 1
        CES 7.000 of 1
        contacts per order 1.000 of 1/1
        first contact - of 0, undecided 1
        promises 1.000 of 1
        "));
        let all = metrics_anew(&service, Subject::Tenant(true)).await;
        insta::allow_duplicates!(insta::assert_snapshot!(shown(&all), @r"
        customers 2
        NPS 33.333 of 2/0/1
        CSAT 0.500, mean 3.500, of 2
        CES 4.750 of 2
        contacts per order 1.333 of 4/3
        first contact 0.667 of 3, undecided 1
        promises 0.667 of 3
        "));
        let gold = metrics(&service, Subject::Segment("gold".to_owned())).await;
        let without_last =
            shown(&ann).replace(", last 5 12 days ago: PROMOTER_CLASS_DETRACTOR", "");
        assert_eq!(shown(&gold), without_last);
        service.stop().await;
    }
}

#[tokio::test]
async fn each_answer_names_its_formula_window_and_inputs() {
    let ground = TestStore::start(Kind::Memory).await;
    let service = start(&ground).await;
    let ben = metrics(&service, customer(BEN)).await;
    let basis = ben.nps.expect("measured").basis.expect("a basis");
    let lines = [
        &basis.formula,
        &basis.events,
        &basis.window,
        &basis.start_date,
        &basis.end_date,
    ]
    .map(String::as_str);
    insta::assert_snapshot!(lines.join("\n"), @r"
    100 * (share of 9 and 10 - share of 0 to 6); the latest score of each answer; one on another scale (`scale_min`, `scale_max`) is brought onto 0 to 10 linearly, to the nearest whole number
    survey_response, value score, where metric == 'nps'
    365d
    2025-11-22
    2026-11-22
    ");
    // What is left out is told.
    assert_eq!(
        basis.notes,
        [
            "not counted: 1 scores that are no whole number from 0 to 10 or of the scale that they name"
        ]
    );
    let ces = ben.ces.expect("measured").basis.expect("a basis");
    insta::assert_snapshot!(format!("{}\n{}", ces.formula, ces.events), @r"
    mean on the scale from 1 to 7, 7 being least effort; scores from 1 to 5 are brought onto it linearly; the latest score of each answer; one on another scale (`scale_min`, `scale_max`) is brought onto 1 to 5 linearly
    survey_response, value score, where metric == 'ces'
    ");
    // Too few have bought for models; that is told too, where it matters.
    metrics_anew(&service, Subject::Tenant(true)).await;
    let churn = metrics(&service, customer(BEN))
        .await
        .churn
        .expect("measured");
    assert_eq!(churn.probability_alive, None);
    insta::assert_snapshot!(churn.basis.expect("a basis").notes.join("\n"), @r"
    BG/NBD: 1 customers bought on more than one day; at least 32 are needed
    gamma-gamma: 1 customers bought on more than one day; at least 32 are needed
    ");
    service.stop().await;
}

#[tokio::test]
async fn another_window_is_answered_from_the_same_days() {
    let ground = TestStore::start(Kind::Memory).await;
    let service = start(&ground).await;
    let nps = async |subject: Subject, window_days: i32| {
        let request = v1::GetExperienceMetricsRequest {
            subject: Some(subject),
            window_days,
            ..Default::default()
        };
        let nps = ask(&service, request)
            .await
            .expect("an answer")
            .metrics
            .and_then(|metrics| metrics.nps);
        let nps = nps.expect("measured");
        (
            nps.basis.expect("a basis").window,
            nps.promoter_count + nps.passive_count + nps.detractor_count,
        )
    };
    metrics_anew(&service, Subject::Tenant(true)).await;
    for subject in [customer(BEN), Subject::Tenant(true)] {
        let of_ann = i64::from(matches!(subject, Subject::Tenant(_)));
        assert_eq!(nps(subject.clone(), 30).await, ("30d".to_owned(), of_ann));
        assert_eq!(
            nps(subject.clone(), 0).await,
            ("365d".to_owned(), 1 + 2 * of_ann)
        );
        assert_eq!(
            nps(subject, 3_660).await,
            ("3660d".to_owned(), 2 + 2 * of_ann)
        );
    }
    service.stop().await;
}
