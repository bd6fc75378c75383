//! Tests of a mapping by the API and the command line, and payloads that it makes much of.

use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::{self, NoteReason};
use customer_profile::store::memory::MemoryStore;
use serde_json::json;
use tonic::Code;

use super::client;
use crate::support::program::say;
use crate::support::server::TestServer;
use crate::support::service::{Service, by_record};

const MODEL: &str = r#"
identifiers: { email: { priority: 1, normalize: email } }
traits: { name: }
channels: { email: { contact_point: email }, phone: { voice: true } }
purposes: { news: { marketing: true, consent: opt_out, preferences: true } }
sources:
  shop:
    records:
      orders:
        when: customer != null
        key: customer.id
        mode: patch
        identifiers: { email: customer.email }
        preferences: { language: customer.locale, do_not_contact: customer.no_mail, quiet_hours: customer.quiet }
        consents: { purpose: news, status: customer.news, language: customer.locale }
    events:
      orders:
        - { when: test != true, type: order_placed, id: "'order-' + string(id)", record: customer.id,
            properties: { order_id: string(id), total: "sum(lines.map(line, decimal(line.price)))", currency: currency } }
        - { for_each: { line: lines }, when: test != true, type: "'product_viewed'", id: "string(id) + '-' + line.sku",
            record: customer.id, properties: { product_id: line.sku } }
"#;

fn order() -> serde_json::Value {
    json!({
        "id": 7, "test": false, "currency": "EUR", "extra": 1,
        "customer": {"id": "c1", "email": "ann@example.com", "locale": "klingonisch", "no_mail": "maybe", "quiet": "9pm-late", "news": "withdrawn"},
        "lines": [{"sku": "a", "price": "10.10"}, {"sku": "b", "price": "0.2"}],
    })
}

async fn start() -> Service {
    let model = ModelFile::parse(MODEL).unwrap_or_else(|errors| panic!("{errors:?}"));
    Service::start_by(Arc::new(MemoryStore::new()), model).await
}

async fn tested(service: &Service, payload: &[u8]) -> v1::TestMappingResponse {
    let request = v1::TestMappingRequest {
        source: "shop".to_owned(),
        kind: "orders".to_owned(),
        payload: payload.to_vec().into(),
    };
    let answer = client(service).test_mapping(request).await;
    answer.expect("an answer").into_inner()
}

async fn ingested(service: &Service, payloads: &[serde_json::Value]) -> Vec<v1::PayloadResult> {
    let payloads = payloads.iter().map(|payload| payload.to_string().into());
    let request = v1::IngestPayloadsRequest {
        source: "shop".to_owned(),
        kind: "orders".to_owned(),
        payloads: payloads.collect(),
    };
    let answer = service.ingest().ingest_payloads(request).await;
    answer.expect("a receipt").into_inner().results
}

fn kinds(answer: &v1::TestMappingResponse) -> Vec<&'static str> {
    use v1::statement::Kind;
    let kind = |made: &v1::MappedStatement| match made.statement.as_ref()?.kind.as_ref()? {
        Kind::PatchRecord(_) => Some("record"),
        Kind::StatePreferences(_) => Some("preferences"),
        Kind::RecordConsent(_) => Some("consent"),
        Kind::RecordEvent(_) => Some("event"),
        _ => None,
    };
    answer.statements.iter().filter_map(kind).collect()
}

#[tokio::test]
async fn a_mapping_is_tested_with_every_remark_and_nothing_is_stored() {
    let service = start().await;
    let answer = tested(&service, order().to_string().as_bytes()).await;
    assert_eq!(
        kinds(&answer),
        [
            "record",
            "preferences",
            "consent",
            "event",
            "event",
            "event"
        ]
    );
    assert_eq!(answer.unread_fields, ["extra"]);
    assert_eq!((answer.violations.len(), answer.omissions.len()), (0, 0));
    let notes = answer.statements.iter().flat_map(|made| &made.notes);
    let notes: Vec<(&str, NoteReason)> = notes
        .map(|note| (note.field.as_str(), note.reason()))
        .collect();
    assert_eq!(
        notes,
        [
            ("preferences.do_not_contact", NoteReason::Strictest),
            ("preferences.language", NoteReason::Malformed),
            ("preferences.quiet_hours", NoteReason::Strictest),
            ("consent.language", NoteReason::Malformed),
        ]
    );
    let request = v1::GetProfileRequest {
        key: Some(by_record("shop", "c1")),
        ..v1::GetProfileRequest::default()
    };
    let found = service.profiles().get_profile(request).await;
    assert_eq!(found.expect_err("nothing is stored").code(), Code::NotFound);

    let mut test = order();
    test["test"] = json!(true);
    test["customer"]["news"] = serde_json::Value::Null;
    let answer = tested(&service, test.to_string().as_bytes()).await;
    let omitted: Vec<&str> = answer
        .omissions
        .iter()
        .map(|one| one.field.as_str())
        .collect();
    assert_eq!(
        omitted,
        [
            "records.orders.consents[0].status",
            "events.orders[0].when",
            "events.orders[1].for_each[0].when",
            "events.orders[1].for_each[1].when",
        ]
    );
    let answer = tested(&service, b"{").await;
    assert_eq!((answer.statements.len(), answer.violations.len()), (0, 1));
    let request = v1::TestMappingRequest {
        source: "shop".to_owned(),
        kind: "parcels".to_owned(),
        payload: "{}".into(),
    };
    let refused = client(&service).test_mapping(request).await;
    assert_eq!(
        refused.expect_err("no such kind").code(),
        Code::InvalidArgument
    );
    service.stop().await;
}

#[tokio::test]
async fn what_limits_survives_what_is_not_understood_beside_it() {
    let service = start().await;
    let results = &ingested(&service, &[order()]).await[0].results;
    assert_eq!(results.len(), 6);
    for result in results {
        assert_eq!(result.outcome(), v1::StatementOutcome::Stored, "{result:?}");
    }
    let request = v1::GetPreferencesRequest {
        key: Some(by_record("shop", "c1")),
        ..v1::GetPreferencesRequest::default()
    };
    let found = service.preferences().get_preferences(request).await;
    let found = found.expect("preferences").into_inner();
    let said = found.preferences.expect("preferences");
    assert_eq!(
        (said.do_not_contact, said.language.as_str()),
        (Some(true), "")
    );
    assert_eq!(said.quiet_hours[0].end_time, "00:00");
    let request = v1::CheckContactPermissionRequest {
        key: Some(by_record("shop", "c1")),
        purpose: "news".to_owned(),
        channel: "email".to_owned(),
        ..v1::CheckContactPermissionRequest::default()
    };
    let answer = service
        .preferences()
        .check_contact_permission(request)
        .await;
    let permission = answer.expect("an answer").into_inner().permission;
    assert_eq!(
        permission.expect("an answer").reason(),
        v1::ContactReason::DoNotContact
    );

    // A direct call can be mended, and is refused.
    let request = v1::SetPreferencesRequest {
        key: Some(by_record("shop", "c1")),
        preferences: Some(v1::Preferences {
            language: "klingonisch".to_owned(),
            do_not_contact: Some(false),
            ..v1::Preferences::default()
        }),
        ..v1::SetPreferencesRequest::default()
    };
    let refused = service.preferences().set_preferences(request).await;
    assert_eq!(
        refused.expect_err("a language").code(),
        Code::InvalidArgument
    );
    service.stop().await;
}

#[tokio::test]
async fn payloads_that_make_many_statements_are_stored_in_parts() {
    let service = start().await;
    let lines: Vec<_> = (0..400)
        .map(|sku| json!({"sku": sku.to_string(), "price": 1}))
        .collect();
    let payloads: Vec<_> = (0..14)
        .map(|id| {
            let mut payload = order();
            payload["id"] = json!(id);
            payload["lines"] = json!(lines);
            payload
        })
        .collect();
    let results = ingested(&service, &payloads).await;
    assert_eq!(results.len(), 14);
    for result in &results {
        assert_eq!(result.results.len(), 404);
        let stored = result
            .results
            .iter()
            .filter(|result| result.violations.is_empty());
        assert_eq!(stored.count(), 404);
    }
    service.stop().await;
}

#[tokio::test]
async fn of_a_payload_that_is_refused_the_limits_are_stored() {
    let service = start().await;
    let mut wrong = order();
    wrong["lines"] = json!("none");
    let answer = tested(&service, wrong.to_string().as_bytes()).await;
    assert_eq!(kinds(&answer), ["preferences", "consent"]);
    assert!(!answer.violations.is_empty());
    let outcomes = |results: &[v1::PayloadResult]| -> Vec<v1::StatementOutcome> {
        let all = results.iter().flat_map(|result| &result.results);
        all.map(v1::StatementResult::outcome).collect()
    };
    let (stored, rejected) = (v1::StatementOutcome::Stored, v1::StatementOutcome::Rejected);
    let results = ingested(&service, &[wrong]).await;
    assert_eq!(outcomes(&results), [stored, stored, rejected]);
    let request = v1::GetPreferencesRequest {
        key: Some(by_record("shop", "c1")),
        ..v1::GetPreferencesRequest::default()
    };
    let answer = service.preferences().get_preferences(request).await;
    let held = answer.expect("preferences").into_inner();
    let limit = held.preferences.and_then(|held| held.do_not_contact);
    assert_eq!(limit, Some(true));
    // Mended, all of it is stored.
    let results = ingested(&service, &[order()]).await;
    assert!(!outcomes(&results).contains(&rejected));
    service.stop().await;
}

#[test]
fn the_command_line_tests_a_mapping_of_a_file_and_counts_what_it_leaves_out() {
    let dir = tempfile::tempdir().expect("a directory");
    let write = |name: &str, content: &str| {
        std::fs::write(dir.path().join(name), content).expect("a file");
    };
    write("model.yaml", MODEL);
    write("order.json", &order().to_string());
    let line = "model test-mapping order.json --source shop --kind orders --model model.yaml";
    let told = say(dir.path(), line).ok();
    for part in [
        "\"patchRecord\"",
        "order-7",
        "10.30",
        "not used as it is said (strictest), preferences.do_not_contact: must be true or false; true counts",
        "fields that are not read: extra",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let mut wrong = order();
    wrong["lines"] = json!("none");
    write("order.json", &wrong.to_string());
    let refused = say(dir.path(), line);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused
            .out
            .contains("refused, events.orders[1].for_each: `lines`"),
        "{}",
        refused.out
    );

    let guest = json!({"id": 8, "test": true, "customer": null, "lines": []});
    write("orders.ndjson", &format!("{}\n{guest}\n", order()));
    let url = format!("sqlite://{}", dir.path().join("shop.db").display());
    let import = "import orders.ndjson --source shop --kind orders --model model.yaml --allow-missing-columns";
    let told = say(dir.path(), &format!("{import} --database-url {url}")).ok();
    assert!(
        told.contains("2 rows: 1 stored, 0 duplicate, 0 rejected, 1 left out by the mapping"),
        "{told}"
    );
    assert!(
        told.contains("1 value not used, preferences.language"),
        "{told}"
    );
    let server = TestServer::start(&url);
    write("order.json", &order().to_string());
    let told = say(
        dir.path(),
        &format!(
            "model test-mapping order.json --source shop --kind orders --server {}",
            server.address
        ),
    );
    assert!(told.ok().contains("order-7"));
}
