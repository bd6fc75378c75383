//! Reads as of a time.

use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::{self, consistency::Requirement};
use customer_profile::store::memory::MemoryStore;
use customer_profile::store::{Activation, Changes, ModelVersion, Store};
use profile_core::records::{Sequence, TenantId};
use prost_types::Timestamp;
use tonic::Code;

use super::profiles::string;
use crate::support::service::{Service, by_identifier, by_name, by_record, upsert};

async fn now(service: &Service, key: v1::ProfileKey) -> v1::Profile {
    let request = v1::GetProfileRequest {
        key: Some(key),
        view: v1::ProfileView::Full.into(),
        ..Default::default()
    };
    let answer = service
        .profiles()
        .get_profile(request)
        .await
        .expect("a profile")
        .into_inner();
    answer.profile.expect("a profile")
}

async fn as_of(
    service: &Service,
    key: v1::ProfileKey,
    time: Option<Timestamp>,
) -> Result<v1::GetProfileResponse, tonic::Status> {
    let view = v1::ProfileView::Full.into();
    let request = v1::GetProfileRequest {
        key: Some(key),
        view,
        as_of_time: time,
        ..Default::default()
    };
    Ok(service.profiles().get_profile(request).await?.into_inner())
}

fn at(seconds: i64) -> Timestamp {
    Timestamp { seconds, nanos: 0 }
}

async fn the_second_one_is_alone(service: &Service, younger: &str, alone: &v1::Profile) {
    for key in [
        by_name(younger),
        by_record("web", "2"),
        by_identifier("email", "BOB@shop.com"),
    ] {
        let answer = as_of(service, key, alone.update_time)
            .await
            .expect("the second one by itself");
        let info = answer.read_info.expect("what it is");
        assert_eq!(
            (info.as_of_time, info.source()),
            (alone.update_time, v1::ReadSource::Store)
        );
        assert_eq!(
            (answer.profile.as_ref(), answer.merged_from.as_str()),
            (Some(alone), "")
        );
    }
}

async fn both_are_one(service: &Service, older: &str, younger: &str, merged: &v1::Profile) {
    for key in [
        by_name(older),
        by_record("web", "2"),
        by_identifier("email", "amy@shop.com"),
    ] {
        let answer = as_of(service, key, merged.update_time)
            .await
            .expect("both in one");
        assert_eq!(
            (answer.profile.as_ref(), answer.merged_from.as_str()),
            (Some(merged), "")
        );
    }
    let redirected = as_of(service, by_name(younger), merged.update_time)
        .await
        .expect("both in one");
    assert_eq!(
        (redirected.profile.as_ref(), redirected.merged_from),
        (Some(merged), younger.to_owned())
    );
}

#[tokio::test]
async fn each_state_of_a_customer_can_be_read_again_by_every_key() {
    let service = Service::start().await;
    let person = |key, email: &str, city: &str, version| {
        upsert(
            ("web", key),
            &[("email", email)],
            &[("city", city)],
            version,
        )
    };
    let older = service
        .say(vec![person("1", "amy@shop.com", "Boston", 1)])
        .await
        .results
        .remove(0)
        .profile;
    let younger = service
        .say(vec![person("2", "bob@shop.com", "Salem", 1)])
        .await
        .results
        .remove(0)
        .profile;
    let alone = now(&service, by_name(&younger)).await;
    service
        .say(vec![person("2", "amy@shop.com", "Salem", 2)])
        .await;
    let merged = now(&service, by_name(&older)).await;
    service
        .say(vec![person("2", "cy@shop.com", "Lynn", 3)])
        .await;

    the_second_one_is_alone(&service, &younger, &alone).await;
    both_are_one(&service, &older, &younger, &merged).await;
    // Nobody has it any more then: it finds who had it.
    let former = as_of(
        &service,
        by_identifier("email", "bob@shop.com"),
        merged.update_time,
    )
    .await
    .expect("its former holder");
    assert_eq!(former.profile.expect("a profile").name, older);
    let to_come = as_of(&service, by_name(&younger), Some(at(4_000_000_000)))
        .await
        .expect("as now");
    assert_eq!(
        to_come.profile,
        Some(now(&service, by_name(&younger)).await)
    );
    let before_all = as_of(&service, by_name(&younger), Some(at(0)))
        .await
        .expect_err("nobody yet");
    assert_eq!(before_all.code(), Code::NotFound);
}

#[tokio::test]
async fn the_past_is_answered_by_the_model_of_then() {
    let store = Arc::new(MemoryStore::new());
    let service = Service::start_with(store.clone(), |_| {}).await;
    let said = |key, name: &str| {
        upsert(
            ("web", key),
            &[("email", "ann@shop.com")],
            &[("given_name", name)],
            1,
        )
    };
    service
        .say(vec![
            said("1", "Ann"),
            said("2", "Ann"),
            said("3", "Annabella"),
        ])
        .await;
    let by_frequency = now(&service, by_record("web", "1")).await;
    assert_eq!(string(&by_frequency, "given_name"), "Ann");

    let file = ModelFile::built_in().text.replacen(
        "given_name: { keep: most_frequent",
        "given_name: { keep: longest",
        1,
    );
    let tenant = TenantId::default();
    let turn = store.begin(&tenant).await.expect("a turn");
    let (time, version) = (turn.not_before(), turn.model_version() + 1);
    let (weights, note) = Default::default();
    let changes = Changes {
        models: vec![ModelVersion {
            version,
            file,
            weights,
            create_time: time,
            note,
        }],
        activation: Some(Activation {
            version,
            sequence: Sequence(turn.sequence().0),
            time,
        }),
        ..Changes::default()
    };
    let after = profile_core::records::Timestamp::from_micros(time.as_micros() + 1);
    turn.commit(after, &changes).await.expect("a commit");

    let consistency = Some(v1::Consistency {
        requirement: Some(Requirement::FullyConsistent(true)),
    });
    let request = v1::GetProfileRequest {
        key: Some(by_record("web", "1")),
        consistency,
        ..Default::default()
    };
    let present = service
        .profiles()
        .get_profile(request)
        .await
        .expect("a profile")
        .into_inner()
        .profile;
    assert_eq!(
        string(&present.expect("a profile"), "given_name"),
        "Annabella"
    );
    let answer = as_of(&service, by_record("web", "1"), by_frequency.update_time)
        .await
        .expect("a profile");
    assert_eq!(answer.profile, Some(by_frequency));
}

#[tokio::test]
async fn what_makes_no_sense_with_the_past_is_refused() {
    let service = Service::start().await;
    let requirement = Some(Requirement::FullyConsistent(true));
    let request = v1::GetProfileRequest {
        key: Some(by_record("web", "1")),
        consistency: Some(v1::Consistency { requirement }),
        as_of_time: Some(Timestamp {
            seconds: i64::MIN,
            nanos: -1,
        }),
        ..Default::default()
    };
    let status = service
        .profiles()
        .get_profile(request)
        .await
        .expect_err("a failure");
    assert_eq!(status.code(), Code::InvalidArgument);
    let named = super::errors::fields(&status);
    assert_eq!(
        named,
        ["as_of_time", "consistency"].map(str::to_owned).into()
    );
}

const SHOP: &str = "
computed:
  orders: { count: order_placed }
  recent: { count: order_placed, window: 7d }
segments: { repeats: { when: computed.orders >= 2 } }
sources:
  shop:
    records: { people: { key: id } }
    events: { orders: { type: order_placed, id: number, time: at, record: id, properties: { order_id: number, total: decimal(total) } } }
";

/// Counts and objects as they were then, also on days without a write.
#[tokio::test]
async fn what_was_counted_is_answered_as_of_a_time() {
    let instant = crate::support::clock::instant;
    let clock = Arc::new(crate::support::clock::SetClock::at("2026-11-01T12:00:00Z"));
    let model = ModelFile::parse(SHOP).expect("a model");
    let service = Service::start_at(Arc::new(MemoryStore::new()), model, clock.clone()).await;
    let person = serde_json::json!({"id": "1"});
    service.say_payloads("shop", "people", &[person]).await;
    for (number, day) in [(1, "02"), (2, "03")] {
        let at = format!("2026-11-{day}T12:00:00Z");
        clock.set(instant(&at));
        let order = serde_json::json!({"id": "1", "number": number, "total": "10.00", "at": at});
        service.say_payloads("shop", "orders", &[order]).await;
    }
    let corrected = v1::Statement {
        kind: Some(v1::statement::Kind::RetractEvent(v1::RetractEvent {
            source: "shop".to_owned(),
            event_id: "2".to_owned(),
            ..Default::default()
        })),
    };
    clock.set(instant("2026-11-04T12:00:00Z"));
    service.say(vec![corrected]).await;
    clock.set(instant("2026-12-01T12:00:00Z"));
    let mut told = Vec::new();
    for day in ["01", "02", "03", "04", "20"] {
        let time = at(instant(&format!("2026-11-{day}T18:00:00Z")).as_micros() / 1_000_000);
        let key = by_record("shop", "1");
        let found = as_of(&service, key.clone(), Some(time))
            .await
            .expect("a profile");
        let profile = found.profile.expect("a profile");
        let count = |name: &str| match profile.computed[name]
            .value
            .as_ref()
            .and_then(|it| it.kind.clone())
        {
            Some(v1::value::Kind::Int64Value(count)) => count,
            other => panic!("{other:?}"),
        };
        let request = v1::GetObjectRequest {
            object: Some(v1::ObjectKey {
                kind: "order".to_owned(),
                id: "2".to_owned(),
            }),
            key: Some(key),
            as_of_time: Some(time),
            ..Default::default()
        };
        let object = service.profiles().get_object(request).await;
        let object = object.map_or("no order 2", |_| "order 2");
        let segments = profile.segments.join(",");
        told.push(format!(
            "{day}: {} {} [{segments}] {object}",
            count("orders"),
            count("recent")
        ));
    }
    assert_eq!(
        told,
        [
            "01: 0 0 [] no order 2",
            "02: 1 1 [] no order 2",
            "03: 2 2 [repeats] order 2",
            "04: 1 1 [] no order 2",
            "20: 1 0 [] no order 2"
        ]
    );
    service.stop().await;
}
