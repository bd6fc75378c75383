//! Who is who and why, as callers are told.

mod lists;
mod told;

use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::{self, pair_side};
use customer_profile::store::Store;
use customer_profile::store::memory::MemoryStore;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::support::service::{Service, by_name, record, upsert};
use told::{explained, pair_told};

/// A model in which bounds are soon reached.
const MODEL: &str = "
max_records_per_profile: 5
matching: { max_people: 3 }
identifiers:
  card: { priority: 1, unique: true, belongs_to: person }
  email: { priority: 2, normalize: email, max_per_profile: 2 }
  phone: { priority: 3, normalize: e164, default_region: US }
traits:
  given_name: { keep: most_frequent, match: given_name }
  family_name: { keep: most_frequent, match: family_name }
  birth_date: { keep: source_trust, match: birth_date }
  city: { match: city }
  topics: { keep: union }
sources:
  web: { trust: 70 }
  pos: { trust: 40 }
  loyalty: { trust: 90 }
";

async fn start() -> Service {
    start_on(Arc::new(MemoryStore::new())).await
}

async fn start_on(store: Arc<dyn Store>) -> Service {
    Service::start_by(store, ModelFile::parse(MODEL).expect("a model")).await
}

const ANN: &[(&str, &str)] = &[
    ("given_name", "Ann"),
    ("family_name", "Featherstone"),
    ("birth_date", "1980-02-03"),
    ("city", "Salem"),
];
const BOB: &[(&str, &str)] = &[
    ("given_name", "Bob"),
    ("family_name", "Featherstone"),
    ("birth_date", "1955-11-30"),
    ("city", "Salem"),
];

/// Ann, whom three systems know, one of them twice, and her father; the names of their profiles.
async fn family(service: &Service) -> (String, String) {
    let answer = service
        .say(vec![
            upsert(("web", "1"), &[("email", "ann@example.org")], ANN, 1),
            upsert(
                ("pos", "7"),
                &[("email", "Ann@Example.org"), ("phone", "212 555 1142")],
                &[
                    ("given_name", "Annie"),
                    ("family_name", "Featherstone"),
                    ("city", "Salem"),
                    ("topics", "tea"),
                ],
                1,
            ),
            upsert(
                ("pos", "8"),
                &[("email", "ann@example.org")],
                &[("topics", "jam")],
                1,
            ),
            upsert(("loyalty", "9"), &[("card", "17")], ANN, 1),
            upsert(("web", "2"), &[("phone", "+1 212 555 1142")], BOB, 1),
        ])
        .await;
    let names: Vec<String> = answer
        .results
        .into_iter()
        .map(|result| result.profile)
        .collect();
    assert!(
        names[..4].iter().all(|name| *name == names[0]),
        "one person"
    );
    assert_ne!(names[0], names[4], "and another");
    (names[0].clone(), names[4].clone())
}

async fn explain(service: &Service, name: &str) -> v1::ExplainProfileResponse {
    let request = v1::ExplainProfileRequest {
        name: name.to_owned(),
    };
    service
        .identity()
        .explain_profile(request)
        .await
        .expect("an explanation")
        .into_inner()
}

fn of_profile(name: &str) -> v1::PairSide {
    v1::PairSide {
        side: Some(pair_side::Side::Profile(name.to_owned())),
    }
}

fn of_record(source: &str, key: &str) -> v1::PairSide {
    v1::PairSide {
        side: Some(pair_side::Side::Record(record(source, key))),
    }
}

async fn pair(
    service: &Service,
    left: v1::PairSide,
    right: v1::PairSide,
) -> v1::ExplainPairResponse {
    let request = v1::ExplainPairRequest {
        left: Some(left),
        right: Some(right),
    };
    service
        .identity()
        .explain_pair(request)
        .await
        .expect("an explanation")
        .into_inner()
}

#[tokio::test]
async fn each_record_tells_what_ties_it_and_each_trait_who_won() {
    let service = start().await;
    let (ann, bob) = family(&service).await;
    let told = explain(&service, &ann).await;
    assert_eq!(
        (told.name.as_str(), told.model_version, told.at_bound),
        (ann.as_str(), 1, false)
    );
    let read = v1::GetProfileRequest {
        key: Some(by_name(&ann)),
        ..Default::default()
    };
    let read = service
        .profiles()
        .get_profile(read)
        .await
        .expect("a profile")
        .into_inner();
    assert_eq!(told.revision, read.profile.expect("a profile").revision);
    let names = [(ann.as_str(), "ann"), (bob.as_str(), "bob")];
    insta::assert_snapshot!(explained(&told, &names));
}

#[tokio::test]
async fn a_merged_name_explains_the_survivor_and_a_full_profile_says_so() {
    let service = start().await;
    let person =
        |key: &str, email: &str, version| upsert(("web", key), &[("email", email)], &[], version);
    let older = service
        .say(vec![person("1", "ann@x.org", 1)])
        .await
        .results
        .remove(0)
        .profile;
    let younger = service
        .say(vec![person("2", "bea@x.org", 1)])
        .await
        .results
        .remove(0)
        .profile;
    service
        .say(vec![
            person("2", "ann@x.org", 2),
            person("3", "ann@x.org", 1),
        ])
        .await;
    let told = explain(&service, &younger).await;
    assert_eq!(
        (told.name.as_str(), told.records.len(), told.at_bound),
        (older.as_str(), 3, false)
    );
    service
        .say(vec![
            person("4", "ann@x.org", 1),
            person("5", "ann@x.org", 1),
            person("6", "ann@x.org", 1),
        ])
        .await;
    let told = explain(&service, &older).await;
    assert_eq!((told.records.len(), told.at_bound), (5, true));
    let sixth = &told.refused_links[0];
    let said = (
        sixth.right.clone(),
        sixth.reason.as_str(),
        sixth.weight_bits,
        sixth.refused_by.as_str(),
    );
    assert_eq!(
        said,
        (
            Some(record("web", "6")),
            "shared:email",
            0.0,
            "cluster_bound"
        )
    );
}

#[tokio::test]
async fn a_pair_of_one_person_is_told_with_the_way_between_them() {
    let service = start().await;
    let (ann, _) = family(&service).await;
    let told = pair(&service, of_record("pos", "8"), of_record("loyalty", "9")).await;
    insta::assert_snapshot!(pair_told(&told));
    let within = pair(&service, of_profile(&ann), of_profile(&ann)).await;
    assert!(within.same_profile);
    assert_eq!(
        (within.left_record, within.right_record),
        (Some(record("loyalty", "9")), Some(record("web", "1")))
    );
}

#[tokio::test]
async fn a_pair_of_two_people_is_told_with_what_keeps_them_apart() {
    let service = start().await;
    let (ann, bob) = family(&service).await;
    insta::assert_snapshot!(pair_told(
        &pair(&service, of_profile(&ann), of_profile(&bob)).await
    ));
    let stranger = upsert(
        ("web", "3"),
        &[],
        &[("given_name", "Carl"), ("birth_date", "1980-02-04")],
        1,
    );
    service.say(vec![stranger]).await;
    insta::assert_snapshot!(pair_told(
        &pair(&service, of_record("web", "3"), of_profile(&ann)).await
    ));
}

#[tokio::test]
async fn an_identifier_of_too_many_people_is_told_as_such() {
    let service = start().await;
    let said = ["Ann", "Bob", "Carl", "Dora"]
        .iter()
        .enumerate()
        .map(|(number, given)| {
            upsert(
                ("web", &number.to_string()),
                &[("phone", "212 555 1142")],
                &[("given_name", given)],
                1,
            )
        });
    service.say(said.collect()).await;
    let told = pair(&service, of_record("web", "0"), of_record("web", "1")).await;
    let shared: Vec<(&str, &str)> = told
        .shared_by_too_many
        .iter()
        .map(|held| (held.r#type.as_str(), held.value.as_str()))
        .collect();
    assert_eq!(shared, [("phone", "+12125551142")]);
    assert!(
        !told.same_profile
            && told
                .score
                .expect("a score")
                .fields
                .iter()
                .all(|field| field.field != "phone")
    );
}

#[tokio::test]
async fn whom_nobody_knows_is_not_found_and_what_is_malformed_is_told() {
    let service = start().await;
    let (ann, _) = family(&service).await;
    let nobody = "profiles/00000000-0000-0000-0000-000000000001";
    let fails = async |left: Option<v1::PairSide>, right: Option<v1::PairSide>| -> Status {
        let request = v1::ExplainPairRequest { left, right };
        service
            .identity()
            .explain_pair(request)
            .await
            .expect_err("a failure")
    };
    let status = fails(Some(of_profile(nobody)), Some(of_profile(&ann))).await;
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(
        fails(Some(of_profile(&ann)), Some(of_record("web", "99")))
            .await
            .code(),
        Code::NotFound
    );
    let status = fails(Some(of_record("web", "2")), Some(of_record("web", "2"))).await;
    assert_eq!(
        (status.code(), named(&status)),
        (Code::InvalidArgument, "right".to_owned())
    );
    let status = fails(Some(of_record("", "2")), Some(of_profile("web/2"))).await;
    assert_eq!(
        (status.code(), named(&status)),
        (
            Code::InvalidArgument,
            "left.record.source right.profile".to_owned()
        )
    );
    let status = fails(None, Some(v1::PairSide::default())).await;
    assert_eq!(
        (status.code(), named(&status)),
        (Code::InvalidArgument, "left right".to_owned())
    );

    for (name, code) in [
        (nobody, Code::NotFound),
        ("", Code::InvalidArgument),
        ("profiles/7", Code::InvalidArgument),
    ] {
        let request = v1::ExplainProfileRequest {
            name: name.to_owned(),
        };
        assert_eq!(
            service
                .identity()
                .explain_profile(request)
                .await
                .expect_err("a failure")
                .code(),
            code
        );
        let request = v1::ListHouseholdRequest {
            name: name.to_owned(),
        };
        assert_eq!(
            service
                .identity()
                .list_household(request)
                .await
                .expect_err("a failure")
                .code(),
            code
        );
    }
}

/// The fields that a refusal names.
fn named(status: &Status) -> String {
    super::errors::fields(status)
        .into_iter()
        .collect::<Vec<_>>()
        .join(" ")
}

/// The reason of a refusal.
fn reason(status: &Status) -> String {
    status
        .get_error_details()
        .error_info()
        .map(|info| info.reason.clone())
        .unwrap_or_default()
}
