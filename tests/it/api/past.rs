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
    // What events add up to, and what follows from it, is of the present alone.
    v1::Profile {
        computed: std::collections::HashMap::default(),
        segments: Vec::new(),
        ..answer.profile.expect("a profile")
    }
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
    let gone = as_of(
        &service,
        by_identifier("email", "bob@shop.com"),
        merged.update_time,
    )
    .await
    .expect_err("nobody then");
    assert_eq!(gone.code(), Code::NotFound);
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
