//! How customers want to be treated: a thank-you note, a customer with needs, and a customer who
//! wants to be left alone.

use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::{self, ConsentStatus, ContactReason, ProfileView, WithheldReason};
use customer_profile::store::memory::MemoryStore;
use serde_json::json;

use crate::support::clock::SetClock;
use crate::support::service::{Service, by_identifier, consent};

const MODEL: &str = r#"
time_zone: Europe/Berlin
identifiers:
  customer_id: { priority: 1, belongs_to: person }
  email: { priority: 2, normalize: email }
  phone: { priority: 3, normalize: e164, default_region: DE }
traits:
  given_name: { keep: most_recent, personal: true, match: given_name }
  family_name: { keep: most_recent, personal: true, match: family_name }
  birth_date: { personal: true }
channels:
  email: { contact_point: email, contact_events: [email_sent] }
  phone: { contact_point: phone, contact_events: [call_made], voice: true }
purposes:
  service: { consent: not_needed, legal_basis: contract, traits: "*", identifiers: "*", events: "*" }
  thank_you:
    { consent: opt_in, marketing: true, traits: [given_name], identifiers: email, events: [order_placed] }
sources:
  shop:
    trust: 80
    records:
      customers:
        key: id
        time: updated_at
        identifiers: { customer_id: id, email: email, phone: phone }
        traits: { given_name: first_name, family_name: last_name, birth_date: born }
        preferences: { language: locale, preferred_name: nickname }
        consents:
          - purpose: thank_you
            contact_point: { email: email }
            status: "notes_by_mail == true ? 'granted' : 'denied'"
            effective_time: notes_asked_at
            proof: notes_proof
            policy_version: policy
    events:
      orders:
        type: order_placed
        id: number
        time: placed_at
        record: customer
        properties: { items: items, total: decimal(total), currency: currency }
  helpdesk:
    trust: 60
    records:
      callers:
        key: id
        time: at
        mode: patch
        identifiers: { customer_id: account, phone: phone }
        preferences:
          accessibility.relay_service: needs.relay
          accessibility.large_print: needs.large_print
          accessibility.no_phone: needs.no_calls
          accessibility.interpreter: needs.interpreter
          accessibility.sign_language: needs.sign_language
          quiet_hours: quiet
"#;

async fn start(now: &str) -> Service {
    let model = ModelFile::parse(MODEL).expect("a model");
    Service::start_at(
        Arc::new(MemoryStore::new()),
        model,
        Arc::new(SetClock::at(now)),
    )
    .await
}

fn customer(id: &str, notes_by_mail: bool) -> serde_json::Value {
    // Two customers have nothing in common.
    let (phone, family) = if id == "c1" {
        ("030 901820", "Weber")
    } else {
        ("040 428990", "Lindqvist")
    };
    json!({
        "id": id, "updated_at": "2026-05-01T10:00:00Z", "email": format!("{id}@mail.example.com"), "phone": phone,
        "first_name": "Johanna", "last_name": family, "born": "1988-04-02", "locale": "de-AT", "nickname": "Hanna",
        "notes_by_mail": notes_by_mail, "notes_asked_at": "2026-05-01T10:00:00Z", "notes_proof": "form 7", "policy": "3",
    })
}

fn order(customer: &str, number: u32) -> serde_json::Value {
    json!({
        "number": format!("{customer}-{number}"), "customer": customer, "placed_at": format!("2026-06-{number:02}T12:00:00Z"),
        "items": [{"sku": "mug", "count": 2}], "total": "19.90", "currency": "EUR",
    })
}

fn bound(id: &str, purpose: &str) -> v1::GetProfileRequest {
    let key = Some(by_identifier("customer_id", id));
    v1::GetProfileRequest {
        key,
        purpose: purpose.to_owned(),
        view: ProfileView::Full.into(),
        ..Default::default()
    }
}

async fn profile(service: &Service, id: &str, purpose: &str) -> v1::GetProfileResponse {
    service
        .profiles()
        .get_profile(bound(id, purpose))
        .await
        .expect("a profile")
        .into_inner()
}

async fn orders(service: &Service, id: &str, purpose: &str) -> Vec<v1::Event> {
    let request = v1::ListTimelineRequest {
        key: Some(by_identifier("customer_id", id)),
        types: vec!["order_placed".into()],
        purpose: purpose.to_owned(),
        ..Default::default()
    };
    service
        .profiles()
        .list_timeline(request)
        .await
        .expect("a timeline")
        .into_inner()
        .events
}

async fn may_contact(
    service: &Service,
    id: &str,
    purpose: &str,
    channel: &str,
) -> v1::ContactPermission {
    let key = Some(by_identifier("customer_id", id));
    let (purpose, channel) = (purpose.to_owned(), channel.to_owned());
    let request = v1::CheckContactPermissionRequest {
        key,
        purpose,
        channel,
        ..Default::default()
    };
    let answer = service
        .preferences()
        .check_contact_permission(request)
        .await
        .expect("an answer")
        .into_inner();
    answer.permission.expect("whether")
}

fn fields(answer: &v1::GetProfileResponse) -> Vec<(&str, WithheldReason)> {
    answer
        .withheld
        .iter()
        .map(|withheld| (withheld.field.as_str(), withheld.reason()))
        .collect()
}

/// A fashion shop writes a thank-you note when an order is placed: by which name, in which
/// language, is it the first order or the tenth, what was bought, and may it be sent by e-mail at
/// all?
#[tokio::test]
async fn a_thank_you_note_that_is_truly_yours() {
    let service = start("2026-06-11T15:00:00Z").await;
    service
        .say_payloads(
            "shop",
            "customers",
            &[customer("c1", true), customer("c2", false)],
        )
        .await;
    let placed: Vec<_> = (1..=10).map(|number| order("c1", number)).collect();
    service.say_payloads("shop", "orders", &placed).await;
    service
        .say_payloads("shop", "orders", &[order("c2", 1)])
        .await;

    let note = profile(&service, "c1", "thank_you").await;
    let seen = note.profile.clone().expect("a profile");
    let wishes = seen.preferences.expect("preferences");
    assert_eq!(
        (wishes.preferred_name.as_str(), wishes.language.as_str()),
        ("Hanna", "de-AT")
    );
    assert_eq!(
        seen.traits.keys().collect::<Vec<_>>(),
        ["given_name"],
        "no more than a note needs"
    );
    let held = [
        "identifiers.customer_id",
        "identifiers.phone",
        "traits.birth_date",
        "traits.family_name",
    ];
    assert_eq!(
        fields(&note),
        held.map(|field| (field, WithheldReason::NotForPurpose))
    );
    let orders_seen = orders(&service, "c1", "thank_you").await;
    assert_eq!(orders_seen.len(), 10, "the tenth order");
    assert!(orders_seen[0].properties.contains_key("items"));
    let permission = may_contact(&service, "c1", "thank_you", "email").await;
    assert!(permission.allowed, "{}", permission.rule);
    assert_eq!(
        permission.contact_point.expect("where").value,
        "c1@mail.example.com"
    );

    let other = profile(&service, "c2", "thank_you").await;
    assert_eq!(fields(&other), [("*", WithheldReason::ConsentDenied)]);
    assert_eq!(orders(&service, "c2", "thank_you").await, []);
    let permission = may_contact(&service, "c2", "thank_you", "email").await;
    assert_eq!(
        (permission.allowed, permission.reason()),
        (false, ContactReason::ConsentDenied)
    );
}

/// A customer uses a relay service, needs large print, no calls, and an interpreter for American
/// Sign Language: every agent sees it, wherever it was said, and nobody who sells.
#[tokio::test]
async fn needs_are_seen_first_by_every_agent_and_never_used_to_sell() {
    let service = start("2026-06-11T15:00:00Z").await;
    service
        .say_payloads("shop", "customers", &[customer("c1", true)])
        .await;
    let call = json!({
        "id": "h9", "at": "2026-06-02T09:00:00Z", "account": "c1", "quiet": "20:00-09:00",
        "needs": {"relay": true, "large_print": true, "no_calls": true, "interpreter": true, "sign_language": "ase"},
    });
    service.say_payloads("helpdesk", "callers", &[call]).await;

    // The shop's agent looks the customer up by the shop's own number.
    let answer = profile(&service, "c1", "service").await;
    let needs = answer
        .profile
        .expect("a profile")
        .accessibility
        .expect("needs");
    let flags = [
        needs.relay_service,
        needs.large_print,
        needs.no_phone,
        needs.interpreter,
    ];
    assert_eq!(
        (flags, needs.sign_language.as_str()),
        ([Some(true); 4], "ase")
    );
    assert_eq!(answer.withheld, []);
    let call = may_contact(&service, "c1", "service", "phone").await;
    assert_eq!(call.reason(), ContactReason::NoPhone);
    assert!(
        may_contact(&service, "c1", "service", "email")
            .await
            .allowed
    );

    let answer = profile(&service, "c1", "thank_you").await;
    assert_eq!(
        answer.profile.clone().expect("a profile").accessibility,
        None
    );
    // Not even that there are any.
    assert!(
        fields(&answer)
            .iter()
            .all(|(field, _)| *field != "accessibility")
    );
    let call = may_contact(&service, "c1", "thank_you", "phone").await;
    assert_eq!(call.reason(), ContactReason::ChannelForbidden);
    assert!(!call.rule.contains("need"), "{}", call.rule);
}

fn email_of_c1() -> v1::ProfileKey {
    by_identifier("email", "c1@mail.example.com")
}

async fn everything_is_told(service: &Service) {
    let known = profile(service, "c1", "").await.profile.expect("a profile");
    assert_eq!(
        (
            known.traits.len(),
            known.identifiers.len(),
            known.records.len()
        ),
        (3, 3, 1)
    );
    let request = v1::ListConsentHistoryRequest {
        key: Some(email_of_c1()),
        ..Default::default()
    };
    let history = service
        .preferences()
        .list_consent_history(request)
        .await
        .expect("history")
        .into_inner();
    let said = history.records[0].consent.clone().expect("a consent");
    assert_eq!(
        (said.proof.as_str(), said.policy_version.as_str()),
        ("form 7", "3")
    );
}

async fn marketing_stops(service: &Service) {
    let no = consent("thank_you", None, ConsentStatus::Withdrawn);
    let request = v1::RecordConsentRequest {
        key: Some(email_of_c1()),
        consent: Some(no),
        source_time: None,
    };
    let answer = service
        .preferences()
        .record_consent(request)
        .await
        .expect("an answer")
        .into_inner();
    assert_eq!(
        answer.effective.expect("what counts").status(),
        ConsentStatus::Withdrawn
    );
    assert_eq!(
        fields(&profile(service, "c1", "thank_you").await),
        [("*", WithheldReason::ConsentWithdrawn)]
    );
    assert_eq!(
        may_contact(service, "c1", "thank_you", "email")
            .await
            .reason(),
        ContactReason::ConsentWithdrawn
    );
    assert_eq!(fields(&profile(service, "c1", "service").await), []);
}

async fn all_use_stops(service: &Service) {
    let preferences = v1::Preferences {
        processing_restricted: Some(true),
        ..Default::default()
    };
    let request = v1::SetPreferencesRequest {
        key: Some(email_of_c1()),
        preferences: Some(preferences),
        ..Default::default()
    };
    service
        .preferences()
        .set_preferences(request)
        .await
        .expect("an answer");
    assert_eq!(
        fields(&profile(service, "c1", "service").await),
        [("*", WithheldReason::ProcessingRestricted)]
    );
    assert_eq!(
        may_contact(service, "c1", "service", "email")
            .await
            .reason(),
        ContactReason::ProcessingRestricted
    );
}

/// What do you know about me? Stop using it for marketing. And while we quarrel, do not use it at
/// all.
#[tokio::test]
async fn a_customer_is_told_everything_and_is_left_alone_by_one_call_each() {
    let service = start("2026-06-11T15:00:00Z").await;
    service
        .say_payloads("shop", "customers", &[customer("c1", true)])
        .await;
    service
        .say_payloads("shop", "orders", &[order("c1", 1)])
        .await;

    everything_is_told(&service).await;
    marketing_stops(&service).await;
    all_use_stops(&service).await;
}
