//! How customers want to be treated: what is said, what stands where records differ, and whether
//! they may be contacted.

use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::{self, ConsentStatus, ContactReason, ErrorReason, ReadSource};
use customer_profile::store::memory::MemoryStore;
use profile_core::records::Timestamp;
use tonic::{Code, Status};

use super::errors::{assert_failure, fields};
use super::watch::Watcher;
use crate::support::clock::{SetClock, instant};
use crate::support::service::{
    Service, by_identifier, by_name, by_record, consent, event, record, record_consent, statement,
    upsert,
};

const MODEL: &str = r#"
time_zone: America/New_York
identifiers:
  email: { priority: 1, normalize: email }
  phone: { priority: 2, normalize: e164, default_region: US }
traits: { name: }
channels:
  email: { contact_point: email, contact_events: email_sent }
  phone: { contact_point: phone, contact_events: [call_made], voice: true }
  post:
purposes:
  news: { marketing: true }
  service: { consent: not_needed, traits: "*", identifiers: "*", events: "*" }
  recall: { consent: not_needed, essential: true, under_restriction: true }
  survey: { consent: opt_out }
sources: { web: , crm: , app: }
"#;

pub(super) async fn start(clock: &Arc<SetClock>) -> Service {
    let model = ModelFile::parse(MODEL).expect("a model");
    Service::start_at(Arc::new(MemoryStore::new()), model, clock.clone()).await
}

const EMAIL: (&str, &str) = ("email", "ann@x.com");

/// A customer whom the web shop and the CRM know.
async fn ann(service: &Service) -> String {
    let said = vec![
        upsert(("web", "1"), &[EMAIL, ("phone", "2125551142")], &[], 1),
        upsert(("crm", "7"), &[EMAIL], &[], 1),
    ];
    service.say(said).await.results[0].profile.clone()
}

async fn set(
    service: &Service,
    key: v1::ProfileKey,
    preferences: v1::Preferences,
) -> v1::SetPreferencesResponse {
    let request = v1::SetPreferencesRequest {
        key: Some(key),
        preferences: Some(preferences),
        ..Default::default()
    };
    service
        .preferences()
        .set_preferences(request)
        .await
        .expect("an answer")
        .into_inner()
}

async fn get(service: &Service, key: v1::ProfileKey) -> v1::GetPreferencesResponse {
    let request = v1::GetPreferencesRequest {
        key: Some(key),
        ..Default::default()
    };
    service
        .preferences()
        .get_preferences(request)
        .await
        .expect("preferences")
        .into_inner()
}

async fn say_consent(
    service: &Service,
    key: v1::ProfileKey,
    said: v1::Consent,
) -> v1::EffectiveConsent {
    let request = v1::RecordConsentRequest {
        key: Some(key),
        consent: Some(said),
        source_time: None,
    };
    let answer = service
        .preferences()
        .record_consent(request)
        .await
        .expect("an answer")
        .into_inner();
    answer.effective.expect("what counts")
}

fn ask(key: v1::ProfileKey, purpose: &str, channel: &str) -> v1::CheckContactPermissionRequest {
    let (purpose, channel) = (purpose.to_owned(), channel.to_owned());
    v1::CheckContactPermissionRequest {
        key: Some(key),
        purpose,
        channel,
        ..Default::default()
    }
}

async fn check(
    service: &Service,
    request: v1::CheckContactPermissionRequest,
) -> v1::ContactPermission {
    let answer = service
        .preferences()
        .check_contact_permission(request)
        .await
        .expect("an answer")
        .into_inner();
    answer.permission.expect("whether")
}

fn micros(time: Option<prost_types::Timestamp>) -> Option<Timestamp> {
    time.map(|time| {
        Timestamp::from_micros(time.seconds * 1_000_000 + i64::from(time.nanos / 1_000))
    })
}

fn clock() -> Arc<SetClock> {
    Arc::new(SetClock::at("2026-07-01T15:00:00Z"))
}

#[tokio::test]
async fn what_is_set_is_answered_with_who_said_it() {
    let service = start(&clock()).await;
    let name = ann(&service).await;
    let said = v1::Preferences {
        language: "DE-ch".into(),
        preferred_name: "Annie".into(),
        ..Default::default()
    };
    let answer = set(&service, by_record("crm", "7"), said).await;
    assert_eq!(answer.profile, name);
    let answer = get(&service, by_identifier("email", "ann@x.com")).await;
    let preferences = answer.preferences.expect("preferences");
    assert_eq!(
        (
            preferences.language.as_str(),
            preferences.preferred_name.as_str()
        ),
        ("de-CH", "Annie")
    );
    let told: Vec<_> = answer
        .origins
        .iter()
        .map(|o| (o.field.as_str(), o.origins[0].record.clone()))
        .collect();
    let crm = Some(record("crm", "7"));
    assert_eq!(told, [("preferred_name", crm.clone()), ("language", crm)]);
    assert_eq!(answer.accessibility, None);
}

#[tokio::test]
async fn they_survive_the_record_they_were_said_of_and_are_cleared_by_name() {
    let service = start(&clock()).await;
    ann(&service).await;
    let said = v1::Preferences {
        language: "de".into(),
        time_zone: "Europe/Zurich".into(),
        ..Default::default()
    };
    set(&service, by_record("crm", "7"), said).await;
    service
        .say(vec![upsert(("crm", "7"), &[EMAIL], &[("name", "Ann")], 2)])
        .await;
    assert_eq!(
        get(&service, by_record("crm", "7"))
            .await
            .preferences
            .expect("preferences")
            .language,
        "de"
    );
    let request = v1::SetPreferencesRequest {
        key: Some(by_record("crm", "7")),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["language".into()],
        }),
        ..Default::default()
    };
    let answer = service
        .preferences()
        .set_preferences(request)
        .await
        .expect("an answer")
        .into_inner();
    let left = answer.preferences.expect("preferences");
    assert_eq!(
        (left.language.as_str(), left.time_zone.as_str()),
        ("", "Europe/Zurich")
    );
}

#[tokio::test]
async fn a_limit_is_said_of_every_record_so_that_no_split_takes_it_back() {
    let service = start(&clock()).await;
    let name = ann(&service).await;
    let said = v1::Preferences {
        forbidden_channels: vec!["phone".into()],
        topics: [("sport".to_owned(), false), ("arts".to_owned(), true)].into(),
        do_not_contact: Some(true),
        language: "de".into(),
        ..Default::default()
    };
    set(&service, by_name(&name), said).await;
    let denied = consent("news", None, ConsentStatus::Denied);
    assert_eq!(
        say_consent(&service, by_name(&name), denied).await.status(),
        ConsentStatus::Denied
    );
    split(&service, &name).await;
    for (source, key, whole) in [("crm", "7", true), ("web", "1", false)] {
        let answer = get(&service, by_record(source, key)).await;
        let preferences = answer.preferences.expect("preferences");
        assert_eq!(preferences.forbidden_channels, ["phone"]);
        assert_eq!(preferences.topics.get("sport"), Some(&false));
        assert_eq!(preferences.topics.contains_key("arts"), whole);
        assert_eq!(
            (preferences.do_not_contact, preferences.language.is_empty()),
            (Some(true), !whole)
        );
        assert_eq!(answer.consents[0].status(), ConsentStatus::Denied);
    }
}

async fn split(service: &Service, name: &str) {
    let request = v1::SplitProfileRequest {
        name: name.to_owned(),
        records: vec![record("web", "1")],
        request_id: "split".into(),
        ..Default::default()
    };
    service
        .identity()
        .split_profile(request)
        .await
        .expect("it is split");
}

#[tokio::test]
async fn a_yes_is_one_records_and_a_no_of_another_outweighs_it_until_that_record_says_yes() {
    let service = start(&clock()).await;
    let name = ann(&service).await;
    service
        .say(vec![record_consent(
            ("web", "1"),
            consent("news", None, ConsentStatus::Withdrawn),
        )])
        .await;
    let granted = consent("news", None, ConsentStatus::Granted);
    let effective = say_consent(&service, by_name(&name), granted.clone()).await;
    assert_eq!(effective.status(), ConsentStatus::Withdrawn);
    assert_eq!(
        effective.origin.and_then(|origin| origin.record),
        Some(record("web", "1"))
    );
    let effective = say_consent(&service, by_record("web", "1"), granted).await;
    assert_eq!(effective.status(), ConsentStatus::Granted);
    split(&service, &name).await;
    for (source, key) in [("crm", "7"), ("web", "1")] {
        assert_eq!(
            get(&service, by_record(source, key)).await.consents[0].status(),
            ConsentStatus::Granted
        );
    }
}

#[tokio::test]
async fn history_keeps_every_word_latest_first() {
    let service = start(&clock()).await;
    let name = ann(&service).await;
    for (key, status) in [
        ("7", ConsentStatus::Pending),
        ("7", ConsentStatus::Granted),
        ("7", ConsentStatus::Withdrawn),
    ] {
        let said = v1::Consent {
            proof: "mail 12".into(),
            jurisdiction: "US-CA".into(),
            tcf_string: "CPXxRfAPXxRfA".into(),
            gpc: Some(true),
            ..consent("news", Some(EMAIL), status)
        };
        service.say(vec![record_consent(("crm", key), said)]).await;
    }
    service
        .say(vec![record_consent(
            ("web", "1"),
            consent("survey", None, ConsentStatus::Denied),
        )])
        .await;
    let page = async |purpose: &str, page_size, page_token: String| {
        let key = Some(by_name(&name));
        let request = v1::ListConsentHistoryRequest {
            key,
            purpose: purpose.to_owned(),
            page_size,
            page_token,
        };
        service
            .preferences()
            .list_consent_history(request)
            .await
            .expect("a page")
            .into_inner()
    };
    let statuses = |page: &v1::ListConsentHistoryResponse| -> Vec<ConsentStatus> {
        page.records
            .iter()
            .filter_map(|record| Some(record.consent.as_ref()?.status()))
            .collect()
    };
    let first = page("news", 2, String::new()).await;
    assert_eq!(
        statuses(&first),
        [ConsentStatus::Withdrawn, ConsentStatus::Granted]
    );
    let last = page("news", 2, first.next_page_token).await;
    assert_eq!(
        (statuses(&last), last.next_page_token.as_str()),
        (vec![ConsentStatus::Pending], "")
    );
    let said = last.records[0].consent.clone().expect("a consent");
    assert_eq!(
        (said.proof.as_str(), said.jurisdiction.as_str(), said.gpc),
        ("mail 12", "US-CA", Some(true))
    );
    assert_eq!(said.tcf_string, "CPXxRfAPXxRfA");
    assert_eq!(statuses(&page("", 0, String::new()).await).len(), 4);
}

async fn from_cache(service: &Service, request: v1::GetProfileRequest) -> v1::GetProfileResponse {
    let answer = service
        .profiles()
        .get_profile(request)
        .await
        .expect("an answer")
        .into_inner();
    let info = answer.read_info.as_ref().expect("how fresh");
    assert_eq!(info.source(), ReadSource::Cache);
    answer
}

/// The profile is cached all the while, and nothing is written.
#[tokio::test]
async fn consent_begins_and_expires_by_time_alone_from_the_cache_too() {
    let clock = clock();
    let service = start(&clock).await;
    let name = ann(&service).await;
    let time = |text: &str| {
        Some(prost_types::Timestamp {
            seconds: instant(text).as_micros() / 1_000_000,
            nanos: 0,
        })
    };
    let said = v1::Consent {
        effective_time: time("2026-07-02T00:00:00Z"),
        expire_time: time("2026-07-09T00:00:00Z"),
        ..consent("news", Some(EMAIL), ConsentStatus::Granted)
    };
    service.say(vec![record_consent(("crm", "7"), said)]).await;
    let ask = ask(by_name(&name), "news", "email");
    check(&service, ask.clone()).await;
    let bound = v1::GetProfileRequest {
        key: Some(by_name(&name)),
        purpose: "news".into(),
        ..Default::default()
    };
    for (now, reason, withheld) in [
        (
            "2026-07-01T23:59:59Z",
            ContactReason::ConsentMissing,
            Some(v1::WithheldReason::ConsentMissing),
        ),
        ("2026-07-02T00:00:00Z", ContactReason::Allowed, None),
        ("2026-07-08T23:59:59Z", ContactReason::Allowed, None),
        (
            "2026-07-09T00:00:00Z",
            ContactReason::ConsentExpired,
            Some(v1::WithheldReason::ConsentExpired),
        ),
    ] {
        clock.set(instant(now));
        let answer = service
            .preferences()
            .check_contact_permission(ask.clone())
            .await
            .expect("an answer")
            .into_inner();
        assert_eq!(
            answer.read_info.expect("how fresh").source(),
            ReadSource::Cache,
            "{now}"
        );
        let permission = answer.permission.expect("whether");
        assert_eq!(
            (permission.reason(), permission.allowed),
            (reason, withheld.is_none()),
            "{now}"
        );
        let next = micros(permission.next_allowed_time);
        assert_eq!(
            next,
            (reason == ContactReason::ConsentMissing).then(|| instant("2026-07-02T00:00:00Z")),
            "{now}"
        );
        let answer = from_cache(&service, bound.clone()).await;
        let everything = answer
            .withheld
            .iter()
            .find(|withheld| withheld.field == "*")
            .map(v1::Withheld::reason);
        assert_eq!(everything, withheld, "{now}");
    }
}

/// A customer who may be called, and was called twice: the second time an hour ago.
async fn called_twice(service: &Service) -> String {
    let name = ann(service).await;
    let granted = consent(
        "news",
        Some(("phone", "(212) 555-1142")),
        ConsentStatus::Granted,
    );
    service
        .say(vec![
            record_consent(("crm", "7"), granted),
            event(("web", "1"), "call-1", "call_made", 0),
        ])
        .await;
    let recent = v1::Event {
        record: Some(record("web", "1")),
        event_id: "call-2".into(),
        r#type: "call_made".into(),
        event_time: Some(prost_types::Timestamp {
            seconds: instant("2026-07-01T14:00:00Z").as_micros() / 1_000_000,
            nanos: 0,
        }),
        ..Default::default()
    };
    service
        .say(vec![statement(v1::statement::Kind::RecordEvent(
            v1::RecordEvent {
                event: Some(recent),
            },
        ))])
        .await;
    name
}

fn wish(preferences: v1::Preferences) -> v1::SetPreferencesRequest {
    v1::SetPreferencesRequest {
        preferences: Some(preferences),
        ..Default::default()
    }
}

fn on_sport(name: &str, purpose: &str, channel: &str) -> v1::CheckContactPermissionRequest {
    v1::CheckContactPermissionRequest {
        topic: "sport".into(),
        ..ask(by_name(name), purpose, channel)
    }
}

/// States something, after which a call is refused for a reason.
async fn refused_after(
    service: &Service,
    name: &str,
    said: v1::SetPreferencesRequest,
    reason: ContactReason,
) -> v1::ContactPermission {
    let said = v1::SetPreferencesRequest {
        key: Some(by_record("crm", "7")),
        ..said
    };
    service
        .preferences()
        .set_preferences(said)
        .await
        .expect("an answer");
    let permission = check(service, on_sport(name, "news", "phone")).await;
    assert_eq!(
        (permission.reason(), permission.allowed),
        (reason, false),
        "{}",
        permission.rule
    );
    permission
}

fn one_call_a_day() -> v1::Preferences {
    let window = Some(prost_types::Duration {
        seconds: 86_400,
        nanos: 0,
    });
    let cap = v1::FrequencyCap {
        channel: "phone".into(),
        max_count: 1,
        window,
    };
    v1::Preferences {
        frequency_caps: vec![cap],
        ..Default::default()
    }
}

fn quiet_by_day() -> v1::Preferences {
    let hours = v1::QuietHours {
        start_time: "09:00".into(),
        end_time: "18:00".into(),
        days: vec![],
    };
    v1::Preferences {
        quiet_hours: vec![hours],
        ..Default::default()
    }
}

/// What refuses though consent was withdrawn, each asked before the one before.
fn stronger_than_consent() -> [(v1::SetPreferencesRequest, ContactReason); 5] {
    let topics = v1::Preferences {
        topics: [("sport".to_owned(), false)].into(),
        ..Default::default()
    };
    let needs = v1::SetPreferencesRequest {
        accessibility: Some(v1::Accessibility {
            no_phone: Some(true),
            ..Default::default()
        }),
        ..Default::default()
    };
    let forbidden = v1::Preferences {
        forbidden_channels: vec!["phone".to_owned()],
        ..Default::default()
    };
    let no_contact = v1::Preferences {
        do_not_contact: Some(true),
        ..Default::default()
    };
    let restricted = v1::Preferences {
        processing_restricted: Some(true),
        ..Default::default()
    };
    [
        (wish(topics), ContactReason::TopicNotWanted),
        (needs, ContactReason::ChannelForbidden),
        (wish(forbidden), ContactReason::ChannelForbidden),
        (wish(no_contact), ContactReason::DoNotContact),
        (wish(restricted), ContactReason::ProcessingRestricted),
    ]
}

/// Each later word alone would allow what the one before refused: said in the reverse of the order
/// in which rules are asked.
#[tokio::test]
async fn the_first_rule_that_refuses_is_told_in_order() {
    let clock = clock();
    let service = start(&clock).await;
    let name = called_twice(&service).await;
    let step = async |said, reason| refused_after(&service, &name, said, reason).await;
    assert!(
        check(&service, on_sport(&name, "news", "phone"))
            .await
            .allowed
    );
    let capped = step(wish(one_call_a_day()), ContactReason::FrequencyCap).await;
    assert_eq!(
        micros(capped.next_allowed_time),
        Some(instant("2026-07-02T14:00:00Z"))
    );
    let quiet = step(wish(quiet_by_day()), ContactReason::QuietHours).await;
    // Quiet until 18:00 in New York, where the model says that customers' clocks are; then the cap
    // holds until 14:00 UTC, which is quiet again until 18:00.
    assert_eq!(
        micros(quiet.next_allowed_time),
        Some(instant("2026-07-02T22:00:00Z"))
    );
    assert_eq!(quiet.rule, "quiet hours 09:00-18:00 America/New_York");
    let withdrawn = consent("news", None, ConsentStatus::Withdrawn);
    service
        .say(vec![record_consent(("crm", "7"), withdrawn)])
        .await;
    let nothing = v1::Preferences {
        language: "en".into(),
        ..Default::default()
    };
    let refused = step(wish(nothing), ContactReason::ConsentWithdrawn).await;
    assert_eq!(refused.next_allowed_time, None, "time alone does not help");
    for (said, reason) in stronger_than_consent() {
        step(said, reason).await;
    }
    // What must be told is told, but not on a topic that is not wanted.
    assert_eq!(
        check(&service, on_sport(&name, "recall", "post"))
            .await
            .reason(),
        ContactReason::TopicNotWanted
    );
    let recall = ask(by_name(&name), "recall", "post");
    assert!(check(&service, recall).await.allowed);
}

#[tokio::test]
async fn the_contact_point_that_may_be_used_is_told() {
    let service = start(&clock()).await;
    let said = upsert(("web", "1"), &[EMAIL, ("email", "ann@work.com")], &[], 1);
    let name = service.say(vec![said]).await.results[0].profile.clone();
    let granted = consent(
        "news",
        Some(("email", "Ann@Work.com")),
        ConsentStatus::Granted,
    );
    service
        .say(vec![record_consent(("web", "1"), granted)])
        .await;
    let permission = check(&service, ask(by_name(&name), "news", "email")).await;
    assert_eq!(
        (
            permission.allowed,
            permission.contact_point.expect("where").value.as_str()
        ),
        (true, "ann@work.com")
    );
    let other = v1::CheckContactPermissionRequest {
        contact_point: "ANN@x.com".into(),
        ..ask(by_name(&name), "news", "email")
    };
    assert_eq!(
        check(&service, other).await.reason(),
        ContactReason::ConsentMissing
    );
    let unknown = v1::CheckContactPermissionRequest {
        contact_point: "bob@x.com".into(),
        ..ask(by_name(&name), "news", "email")
    };
    assert_eq!(
        check(&service, unknown).await.reason(),
        ContactReason::NoContactPoint
    );
    assert_eq!(
        check(&service, ask(by_name(&name), "service", "phone"))
            .await
            .reason(),
        ContactReason::NoContactPoint
    );
    assert!(
        check(&service, ask(by_name(&name), "survey", "post"))
            .await
            .allowed,
        "it needs no contact point"
    );
}

#[tokio::test]
async fn many_customers_are_asked_about_at_once_each_with_their_own_answer() {
    let service = start(&clock()).await;
    let name = ann(&service).await;
    service
        .say(vec![upsert(
            ("app", "3"),
            &[("email", "bob@x.com")],
            &[],
            1,
        )])
        .await;
    service
        .say(vec![record_consent(
            ("app", "3"),
            consent("survey", None, ConsentStatus::Denied),
        )])
        .await;
    let keys = [
        by_name(&name),
        by_identifier("email", "bob@x.com"),
        by_identifier("email", "eve@x.com"),
        v1::ProfileKey::default(),
    ];
    let subjects = keys
        .map(|key| v1::ContactSubject {
            key: Some(key),
            contact_point: String::new(),
        })
        .to_vec();
    let request = v1::BatchCheckContactPermissionRequest {
        subjects,
        purpose: "survey".into(),
        channel: "email".into(),
        ..Default::default()
    };
    let answer = service
        .preferences()
        .batch_check_contact_permission(request)
        .await
        .expect("answers")
        .into_inner();
    let told: Vec<_> = answer
        .results
        .iter()
        .map(|result| {
            (
                result.status.as_ref().map(|status| Code::from(status.code)),
                result
                    .permission
                    .as_ref()
                    .map(v1::ContactPermission::reason),
            )
        })
        .collect();
    let ok = Some(Code::Ok);
    assert_eq!(
        told,
        [
            (ok, Some(ContactReason::Allowed)),
            (ok, Some(ContactReason::ConsentDenied)),
            (Some(Code::NotFound), None),
            (Some(Code::InvalidArgument), None),
        ]
    );
}

#[tokio::test]
async fn those_who_watch_how_customers_want_to_be_treated_are_told() {
    let service = start(&clock()).await;
    let name = ann(&service).await;
    let paths = vec![
        "preferences".to_owned(),
        "accessibility".to_owned(),
        "consents".to_owned(),
    ];
    let request = v1::WatchProfilesRequest {
        keys: vec![by_name(&name)],
        read_mask: Some(prost_types::FieldMask { paths }),
        ..Default::default()
    };
    let mut watcher = Watcher::begin(&service, request).await.expect("a watch");
    watcher.next().await;
    // Not of interest.
    service
        .say(vec![upsert(("crm", "7"), &[EMAIL], &[("name", "Ann")], 2)])
        .await;
    set(
        &service,
        by_record("crm", "7"),
        v1::Preferences {
            language: "de".into(),
            ..Default::default()
        },
    )
    .await;
    let told = watcher.next().await;
    assert!(told.contains("updated preferences.language ["), "{told}");
    say_consent(
        &service,
        by_record("crm", "7"),
        consent("news", None, ConsentStatus::Denied),
    )
    .await;
    let told = watcher.next().await;
    assert!(told.contains("updated consents ["), "{told}");
    let needs = Some(v1::Accessibility {
        braille: Some(true),
        ..Default::default()
    });
    let request = v1::SetPreferencesRequest {
        key: Some(by_name(&name)),
        accessibility: needs,
        ..Default::default()
    };
    service
        .preferences()
        .set_preferences(request)
        .await
        .expect("an answer");
    let told = watcher.next().await;
    assert!(told.contains("updated accessibility.braille ["), "{told}");
}

/// The fields that are refused, of a statement.
async fn refused(service: &Service, said: v1::SetPreferencesRequest) -> Vec<String> {
    let said = v1::SetPreferencesRequest {
        key: Some(by_record("crm", "7")),
        ..said
    };
    let status: Status = service
        .preferences()
        .set_preferences(said)
        .await
        .expect_err("it is refused");
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    fields(&status).into_iter().collect()
}

/// Preferences with one mistake each, and the field that has it.
fn wrong_preferences() -> [(v1::Preferences, &'static str); 9] {
    let hours = |start: &str, end: &str, days: &[i32]| v1::QuietHours {
        days: days.to_vec(),
        start_time: start.into(),
        end_time: end.into(),
    };
    let capped = |max_count, seconds| {
        let cap = v1::FrequencyCap {
            channel: String::new(),
            max_count,
            window: Some(prost_types::Duration { seconds, nanos: 0 }),
        };
        v1::Preferences {
            frequency_caps: vec![cap],
            ..Default::default()
        }
    };
    [
        (
            v1::Preferences {
                language: "english".into(),
                ..Default::default()
            },
            "language",
        ),
        (
            v1::Preferences {
                time_zone: "Mars/Olympus".into(),
                ..Default::default()
            },
            "time_zone",
        ),
        (
            v1::Preferences {
                forbidden_channels: vec!["fax".into()],
                ..Default::default()
            },
            "forbidden_channels",
        ),
        (
            v1::Preferences {
                quiet_hours: vec![hours("25:00", "07:00", &[])],
                ..Default::default()
            },
            "quiet_hours",
        ),
        (
            v1::Preferences {
                quiet_hours: vec![hours("22:00", "07:00", &[8])],
                ..Default::default()
            },
            "quiet_hours",
        ),
        (capped(0, 60), "frequency_caps"),
        (capped(51, 60), "frequency_caps"),
        (capped(1, 40_000_000), "frequency_caps"),
        (
            v1::Preferences {
                preferred_name: "x".repeat(257),
                ..Default::default()
            },
            "preferred_name",
        ),
    ]
}

#[tokio::test]
async fn what_has_the_wrong_form_is_refused_by_its_field() {
    let service = start(&clock()).await;
    for (wrong, field) in wrong_preferences() {
        let request = v1::SetPreferencesRequest {
            preferences: Some(wrong),
            ..Default::default()
        };
        assert_eq!(
            refused(&service, request).await,
            [format!("preferences.{field}")]
        );
    }
    assert_eq!(
        refused(&service, v1::SetPreferencesRequest::default()).await,
        ["preferences"]
    );
    let mask = Some(prost_types::FieldMask {
        paths: vec!["colour".into()],
    });
    let request = v1::SetPreferencesRequest {
        update_mask: mask,
        ..Default::default()
    };
    assert_eq!(refused(&service, request).await, ["update_mask.paths[0]"]);
    let needs = v1::Accessibility {
        representative: Some(v1::Representative::default()),
        ..Default::default()
    };
    let request = v1::SetPreferencesRequest {
        accessibility: Some(needs),
        ..Default::default()
    };
    assert_eq!(
        refused(&service, request).await,
        ["accessibility.representative"]
    );
}

/// Consents with one mistake each, and the field that has it.
fn wrong_consents() -> [(v1::Consent, &'static str); 10] {
    let good = || consent("news", Some(EMAIL), ConsentStatus::Granted);
    let seconds = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    [
        (
            v1::Consent {
                purpose: "spam".into(),
                ..good()
            },
            "purpose",
        ),
        (
            v1::Consent {
                status: 0,
                ..good()
            },
            "status",
        ),
        (
            v1::Consent {
                status: ConsentStatus::Expired.into(),
                ..good()
            },
            "status",
        ),
        (
            v1::Consent {
                status: 77,
                ..good()
            },
            "status",
        ),
        (
            v1::Consent {
                jurisdiction: "Germany".into(),
                ..good()
            },
            "jurisdiction",
        ),
        (
            v1::Consent {
                language: "english".into(),
                ..good()
            },
            "language",
        ),
        (
            v1::Consent {
                effective_time: seconds(200),
                expire_time: seconds(200),
                ..good()
            },
            "expire_time",
        ),
        (
            consent("news", Some(("fax", "1")), ConsentStatus::Granted),
            "contact_point.type",
        ),
        (
            consent("news", Some(("email", "")), ConsentStatus::Granted),
            "contact_point.value",
        ),
        (
            v1::Consent {
                tcf_string: "x".repeat(9_000),
                ..good()
            },
            "tcf_string",
        ),
    ]
}

#[tokio::test]
async fn consents_of_the_wrong_form_are_refused_by_their_field() {
    let service = start(&clock()).await;
    for (wrong, field) in wrong_consents() {
        let request = v1::RecordConsentRequest {
            key: Some(by_record("crm", "7")),
            consent: Some(wrong.clone()),
            source_time: None,
        };
        let answer = service.preferences().record_consent(request).await;
        let told = fields(&answer.expect_err("it is refused"));
        let told: Vec<String> = told.into_iter().collect();
        assert_eq!(told, [format!("consent.{field}")]);

        let answer = service.say(vec![record_consent(("crm", "7"), wrong)]).await;
        let result = &answer.results[0];
        let violations = result.violations.iter().map(|violation| &violation.field);
        let notes = result.notes.iter().map(|note| &note.field);
        // A field that only describes a consent does not take it with it.
        if ["jurisdiction", "language", "tcf_string"].contains(&field) {
            assert_eq!(result.outcome(), v1::StatementOutcome::Stored);
            assert!(notes.eq([&format!("consent.{field}")]), "{result:?}");
        } else {
            assert!(
                violations.eq([&format!("record_consent.consent.{field}")]),
                "{result:?}"
            );
        }
    }
    let request = v1::RecordConsentRequest {
        key: Some(by_record("crm", "7")),
        ..Default::default()
    };
    let status = service
        .preferences()
        .record_consent(request)
        .await
        .expect_err("it is refused");
    assert_failure(&status, Code::InvalidArgument, ErrorReason::Required);
    let said = Some(consent("spam", None, ConsentStatus::Granted));
    let request = v1::RecordConsentRequest {
        key: Some(by_record("crm", "7")),
        consent: said,
        source_time: None,
    };
    let status = service
        .preferences()
        .record_consent(request)
        .await
        .expect_err("it is refused");
    assert_eq!(
        fields(&status).into_iter().collect::<Vec<_>>(),
        ["consent.purpose"]
    );
    let request = ask(by_record("crm", "7"), "spam", "fax");
    let status = service
        .preferences()
        .check_contact_permission(request)
        .await
        .expect_err("it is refused");
    assert_failure(&status, Code::InvalidArgument, ErrorReason::NotDeclared);
    assert_eq!(
        fields(&status).into_iter().collect::<Vec<_>>(),
        ["channel", "purpose"]
    );
}
