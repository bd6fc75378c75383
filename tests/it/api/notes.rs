//! Values that are said and not used, and identifiers as their sources wrote them.

use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1;
use customer_profile::store::memory::MemoryStore;

use crate::support::service::{Service, by_identifier, record, upsert};

const MODEL: &str = "
identifiers:
  email: { priority: 1, normalize: email }
  phone: { priority: 2, normalize: e164, default_region: US }
traits:
  birth_date: { match: birth_date }
  street:
  city:
groups:
  address: { traits: [street, city] }
sources: { shop: , crm: }
channels:
  email: { contact_point: email }
purposes:
  service: { consent: not_needed, identifiers: '*', traits: '*' }
views:
  agent: { sections: { customer: [identifiers.email, traits.street] } }
";

async fn start() -> Service {
    let model = ModelFile::parse(MODEL).expect("a model");
    Service::start_by(Arc::new(MemoryStore::new()), model).await
}

/// Notes in short: `traits.birth_date=Ambiguous`.
fn short(notes: &[v1::Note]) -> String {
    let one = |note: &v1::Note| format!("{}={:?}", note.field, note.reason());
    notes.iter().map(one).collect::<Vec<_>>().join(" ")
}

async fn profile(service: &Service, email: &str) -> v1::Profile {
    let request = v1::GetProfileRequest {
        key: Some(by_identifier("email", email)),
        view: v1::ProfileView::Full.into(),
        ..v1::GetProfileRequest::default()
    };
    let answer = service.profiles().get_profile(request).await;
    let answer = answer.expect("a profile").into_inner();
    answer.profile.expect("a profile")
}

#[tokio::test]
async fn each_statement_is_answered_with_what_of_it_is_not_used() {
    let service = start().await;
    let unread = upsert(
        ("shop", "1"),
        &[("email", "ann@example.org"), ("phone", "ask my mum")],
        &[("birth_date", "03/04/1990")],
        1,
    );
    let answer = service
        .say(vec![
            upsert(("shop", "2"), &[("email", "bob@example.org")], &[], 1),
            unread.clone(),
            upsert(("nowhere", "3"), &[("email", "none")], &[], 1),
            upsert(("shop", "4"), &[("email", "none@none.com")], &[], 1),
        ])
        .await;
    let notes: Vec<String> = answer.results.iter().map(|it| short(&it.notes)).collect();
    let both = "identifiers.phone=Malformed traits.birth_date=Ambiguous";
    assert_eq!(notes, ["", both, "", "identifiers.email=Placeholder"]);
    let said_again = service.say(vec![unread]).await;
    let again = &said_again.results[0];
    assert_eq!(again.outcome(), v1::StatementOutcome::Duplicate);
    assert_eq!(short(&again.notes), both);

    let name = answer.results[1].profile.clone();
    let request = v1::ExplainProfileRequest { name };
    let explained = service.identity().explain_profile(request).await;
    let explained = explained.expect("an explanation").into_inner();
    assert_eq!(short(&explained.records[0].notes), both);
    service.stop().await;
}

#[tokio::test]
async fn an_identifier_is_served_as_its_source_wrote_it_beside_the_normal_form() {
    let service = start().await;
    let written = "Anna.Mueller@Gmail.com";
    let pasted = format!("\"Müller, Anna\" <{written}>");
    let phone = ("phone", "(212) 555-1142");
    let first = upsert(("shop", "1"), &[("email", &pasted), phone], &[], 1);
    service.say(vec![first]).await;
    for asked in [
        written,
        "annamueller@gmail.com",
        "anna.mueller+x@googlemail.com",
    ] {
        let profile = profile(&service, asked).await;
        let served: Vec<(String, String)> = profile
            .identifiers
            .iter()
            .filter_map(|held| held.identifier.clone())
            .map(|held| (held.value, held.original_value))
            .collect();
        let expected = [
            ("annamueller@gmail.com".to_owned(), written.to_owned()),
            ("+12125551142".to_owned(), phone.1.to_owned()),
        ];
        assert_eq!(served, expected, "{asked}");
        let of_record = profile.records[0].identifiers.iter();
        assert!(
            of_record
                .map(|held| &held.original_value)
                .eq([written, phone.1])
        );
    }

    written_to(&service, written).await;
    service.stop().await;
}

/// Checks the address for mail, and the one that an agent sees.
async fn written_to(service: &Service, written: &str) {
    let request = v1::CheckContactPermissionRequest {
        key: Some(by_identifier("email", written)),
        purpose: "service".to_owned(),
        channel: "email".to_owned(),
        ..v1::CheckContactPermissionRequest::default()
    };
    let answer = service
        .preferences()
        .check_contact_permission(request)
        .await;
    let permission = answer.expect("an answer").into_inner().permission;
    let point = permission.and_then(|permission| permission.contact_point);
    assert_eq!(
        point.map(|point| point.original_value).as_deref(),
        Some(written)
    );

    let request = v1::GetContextRequest {
        key: Some(by_identifier("email", written)),
        view: "agent".to_owned(),
        purpose: "service".to_owned(),
        ..v1::GetContextRequest::default()
    };
    let answer = service.contexts().get_context(request).await;
    let context = answer.expect("a context").into_inner();
    let told = context.sections[0].fields[0].value.clone();
    let text = v1::value::Kind::StringValue(written.to_owned());
    assert_eq!(told.and_then(|value| value.kind), Some(text));
}

#[tokio::test]
async fn a_value_written_in_another_way_is_another_revision_of_the_same_profile() {
    let service = start().await;
    let phone = ("phone", "(212) 555-1142");
    let other = upsert(
        ("shop", "1"),
        &[("email", "ANNA@mueller.example"), phone],
        &[],
        2,
    );
    service.say(vec![other]).await;
    let lower = upsert(
        ("shop", "1"),
        &[("email", "anna@mueller.example"), phone],
        &[],
        3,
    );
    let before = profile(&service, "anna@mueller.example").await;
    let answer = service.say(vec![lower]).await;
    assert_eq!(answer.results[0].outcome(), v1::StatementOutcome::Stored);
    let after = profile(&service, "ANNA@mueller.example").await;
    assert_eq!(
        (&after.name, after.revision),
        (&before.name, before.revision + 1)
    );
    let original = |profile: &v1::Profile| {
        let held = profile.identifiers[0].identifier.clone();
        held.map(|held| held.original_value).unwrap_or_default()
    };
    assert_eq!(original(&before), "ANNA@mueller.example");
    assert_eq!(original(&after), "");
    service.stop().await;
}

#[tokio::test]
async fn the_record_of_an_address_is_named() {
    let service = start().await;
    let email = [("email", "ann@example.org")];
    let dresden = [("street", "Neuer Weg 22"), ("city", "Dresden")];
    service
        .say(vec![
            upsert(("crm", "1"), &email, &dresden, 1),
            upsert(("shop", "1"), &email, &[("city", "Kiel")], 1),
        ])
        .await;
    let profile = profile(&service, "ann@example.org").await;
    let request = v1::ExplainProfileRequest { name: profile.name };
    let explained = service.identity().explain_profile(request).await;
    let explained = explained.expect("an explanation").into_inner();
    for told in explained.traits {
        assert_eq!(told.group, "address", "{}", told.name);
        assert_eq!(told.group_record, Some(record("crm", "1")), "{}", told.name);
        let winners: Vec<_> = told.candidates.iter().filter(|it| it.wins).collect();
        let origin = winners[0].origin.clone().unwrap_or_default();
        assert_eq!(
            (winners.len(), origin.record),
            (1, Some(record("crm", "1")))
        );
    }
    service.stop().await;
}
