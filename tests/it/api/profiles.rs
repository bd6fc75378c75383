//! Reads: profiles, batches, timelines, searches, and how fresh they are.

use std::collections::BTreeSet;
use std::sync::Arc;

use customer_profile::grpc::v1::{
    self, ProfileView, ReadSource, consistency::Requirement, statement::Kind,
};
use customer_profile::store::memory::MemoryStore;
use tonic::{Code, Request};

use crate::support::service::{
    Service, by_identifier, by_name, by_record, event, record, statement, text, upsert,
};

/// One person in three systems: the shop and the till share a telephone, the till and the card an
/// e-mail address.
async fn ann(service: &Service) -> String {
    let answer = service
        .say(vec![
            upsert(
                ("web", "1"),
                &[("phone", "(212) 555-1142")],
                &[("given_name", "Ann"), ("city", "Boston")],
                1,
            ),
            upsert(
                ("pos", "7"),
                &[("phone", "+1 212 555 1142"), ("email", "Ann.Lee@Gmail.com")],
                &[("given_name", "Ann"), ("family_name", "Lee")],
                1,
            ),
            upsert(
                ("loyalty", "9"),
                &[("email", "annlee+card@gmail.com")],
                &[("given_name", "Anna")],
                1,
            ),
        ])
        .await;
    let names: BTreeSet<&str> = answer
        .results
        .iter()
        .map(|result| result.profile.as_str())
        .collect();
    assert_eq!(names.len(), 1, "one person: {answer:?}");
    answer.results[0].profile.clone()
}

async fn get(service: &Service, key: v1::ProfileKey, view: ProfileView) -> v1::GetProfileResponse {
    let request = v1::GetProfileRequest {
        key: Some(key),
        view: view.into(),
        ..Default::default()
    };
    service
        .profiles()
        .get_profile(request)
        .await
        .expect("a profile")
        .into_inner()
}

pub(super) fn string(profile: &v1::Profile, name: &str) -> String {
    match profile.traits[name]
        .value
        .clone()
        .and_then(|value| value.kind)
    {
        Some(v1::value::Kind::StringValue(text)) => text,
        other => panic!("{name} is {other:?}"),
    }
}

#[tokio::test]
async fn three_systems_make_one_profile_and_each_trait_says_who_said_it() {
    let service = Service::start().await;
    let name = ann(&service).await;
    for key in [
        by_name(&name),
        by_identifier("email", " ANN.LEE@gmail.com "),
        by_record("web", "1"),
    ] {
        let answer = get(&service, key, ProfileView::Full).await;
        let profile = answer.profile.expect("a profile");
        assert_eq!(profile.name, name);
        // Two of three records say Ann, and the rule is the most frequent.
        assert_eq!(string(&profile, "given_name"), "Ann");
        let origin = &profile.traits["family_name"].origins[0];
        assert_eq!(origin.record, Some(record("pos", "7")));
        assert!(origin.receive_time.is_some());
        assert_eq!(profile.record_count, 3);
        let reasons: Vec<&str> = profile
            .records
            .iter()
            .map(|record| record.membership_reason.as_str())
            .collect();
        assert_eq!(reasons, ["shared:email", "shared:email", "shared:phone"]);
        let info = answer.read_info.expect("how fresh it is");
        assert_eq!(info.revision, profile.revision);
    }
}

#[tokio::test]
async fn the_second_read_comes_from_the_cache_until_a_write() {
    let service = Service::start().await;
    let name = ann(&service).await;
    let source = async || {
        let answer = get(&service, by_name(&name), ProfileView::Basic).await;
        let info = answer.read_info.expect("how fresh it is");
        (
            info.source(),
            info.revision,
            answer.profile.expect("a profile"),
        )
    };
    assert_eq!(source().await.0, ReadSource::Store);
    let (from, before, _) = source().await;
    assert_eq!(from, ReadSource::Cache);
    service
        .say(vec![upsert(
            ("web", "1"),
            &[("phone", "2125551142")],
            &[("city", "Salem")],
            2,
        )])
        .await;
    let (from, after, profile) = source().await;
    assert_eq!(
        from,
        ReadSource::Store,
        "a write through this server is seen at once"
    );
    assert!(after > before);
    assert_eq!(string(&profile, "city"), "Salem");
}

#[tokio::test]
async fn the_store_is_asked_when_the_cache_is_not_known_to_have_seen_enough() {
    let service = Service::start().await;
    let name = ann(&service).await;
    get(&service, by_name(&name), ProfileView::Basic).await;
    let other = service.say(vec![upsert(("web", "2"), &[], &[], 1)]).await;
    let read = async |requirement| {
        let consistency = Some(v1::Consistency {
            requirement: Some(requirement),
        });
        let request = v1::GetProfileRequest {
            key: Some(by_name(&name)),
            consistency,
            ..Default::default()
        };
        service
            .profiles()
            .get_profile(request)
            .await
            .expect("a profile")
            .into_inner()
            .read_info
            .expect("info")
            .source()
    };
    // Nobody else writes to this database, so what is cached has seen every write that did not make
    // it old.
    assert_eq!(
        read(Requirement::AtLeastAsFresh(other.read_token)).await,
        ReadSource::Cache
    );
    assert_eq!(
        read(Requirement::MaxStaleness(prost_types::Duration::default())).await,
        ReadSource::Cache
    );
    assert_eq!(
        read(Requirement::FullyConsistent(true)).await,
        ReadSource::Store
    );
    assert_eq!(
        read(Requirement::MinimizeLatency(true)).await,
        ReadSource::Cache
    );
}

#[tokio::test]
async fn absence_is_cached_and_forgotten_when_somebody_comes() {
    let service = Service::start().await;
    let by_email = || v1::GetProfileRequest {
        key: Some(by_identifier("email", "new@example.com")),
        ..Default::default()
    };
    for _ in 0..2 {
        let status = service
            .profiles()
            .get_profile(by_email())
            .await
            .expect_err("nobody");
        assert_eq!(status.code(), Code::NotFound);
    }
    let said = service
        .say(vec![upsert(
            ("web", "1"),
            &[("email", "new@example.com")],
            &[],
            1,
        )])
        .await;
    let found = service
        .profiles()
        .get_profile(by_email())
        .await
        .expect("somebody")
        .into_inner();
    assert_eq!(
        found.profile.expect("a profile").name,
        said.results[0].profile
    );
}

#[tokio::test]
async fn a_merge_redirects_and_a_split_gives_the_id_back() {
    let service = Service::start().await;
    let person =
        |key, email: &str, version| upsert(("web", key), &[("email", email)], &[], version);
    let older = service
        .say(vec![person("1", "amy@shop.com", 1)])
        .await
        .results
        .remove(0)
        .profile;
    let younger = service
        .say(vec![person("2", "bob@shop.com", 1)])
        .await
        .results
        .remove(0)
        .profile;
    let before = get(&service, by_name(&younger), ProfileView::Basic)
        .await
        .profile
        .expect("a profile")
        .revision;

    service.say(vec![person("2", "amy@shop.com", 2)]).await;
    let merged = get(&service, by_name(&younger), ProfileView::Basic).await;
    let profile = merged.profile.expect("the surviving profile");
    assert_eq!(
        (profile.name.as_str(), merged.merged_from.as_str()),
        (older.as_str(), younger.as_str())
    );
    assert_eq!(profile.record_count, 2);
    assert!(profile.revision > before, "revisions grow across merges");

    service.say(vec![person("2", "bob@shop.com", 3)]).await;
    let restored = get(&service, by_name(&younger), ProfileView::Basic).await;
    assert_eq!(restored.merged_from, "");
    let restored = restored.profile.expect("a profile of its own again");
    assert_eq!(restored.name, younger);
    assert!(restored.revision > profile.revision, "and across splits");
    assert_eq!(
        get(&service, by_name(&older), ProfileView::Basic)
            .await
            .profile
            .expect("a profile")
            .record_count,
        1
    );
}

#[tokio::test]
async fn a_deleted_customer_is_gone_and_comes_back_under_the_old_name() {
    let service = Service::start().await;
    let person = |version| upsert(("web", "1"), &[("email", "amy@shop.com")], &[], version);
    let name = service.say(vec![person(1)]).await.results.remove(0).profile;
    let delete = v1::DeleteRecord {
        record: Some(record("web", "1")),
        version: 2,
        source_time: None,
    };
    let answer = service
        .say(vec![statement(Kind::DeleteRecord(delete))])
        .await;
    assert_eq!(answer.results[0].profile, "");
    let request = v1::GetProfileRequest {
        key: Some(by_name(&name)),
        ..Default::default()
    };
    assert_eq!(
        service
            .profiles()
            .get_profile(request)
            .await
            .expect_err("gone")
            .code(),
        Code::NotFound
    );
    assert_eq!(
        service.say(vec![person(1)]).await.results[0].outcome(),
        v1::StatementOutcome::Duplicate
    );
    assert_eq!(service.say(vec![person(3)]).await.results[0].profile, name);
}

#[tokio::test]
async fn a_deleted_record_with_events_leaves_the_name_to_the_living_customer() {
    let service = Service::start().await;
    let shopper = upsert(("web", "1"), &[("email", "amy@shop.com")], &[], 1);
    let said = service
        .say(vec![shopper, event(("web", "1"), "e", "order_placed", 0)])
        .await;
    let name = said.results[0].profile.clone();
    let card = upsert(("loyalty", "9"), &[("email", "amy@shop.com")], &[], 1);
    assert_eq!(service.say(vec![card]).await.results[0].profile, name);
    let delete = v1::DeleteRecord {
        record: Some(record("web", "1")),
        version: 2,
        source_time: None,
    };
    let shell = service
        .say(vec![statement(Kind::DeleteRecord(delete))])
        .await
        .results
        .remove(0)
        .profile;
    assert_ne!(shell, name, "the events are on a timeline of their own");
    let kept = get(&service, by_record("loyalty", "9"), ProfileView::Basic)
        .await
        .profile
        .expect("a profile");
    assert_eq!((kept.name, kept.record_count), (name, 1));
}

#[tokio::test]
async fn a_mask_and_a_view_cut_the_answer() {
    let service = Service::start().await;
    let name = ann(&service).await;
    let request = v1::GetProfileRequest {
        key: Some(by_name(&name)),
        view: ProfileView::Full.into(),
        read_mask: Some(prost_types::FieldMask {
            paths: vec!["traits.city".into(), "records".into()],
        }),
        ..Default::default()
    };
    let profile = service
        .profiles()
        .get_profile(request)
        .await
        .expect("a profile")
        .into_inner()
        .profile
        .expect("it");
    assert_eq!(profile.traits.keys().collect::<Vec<_>>(), ["city"]);
    assert_eq!((profile.records.len(), profile.identifiers.len()), (3, 0));
    assert!(!profile.name.is_empty() && profile.revision > 0 && profile.create_time.is_none());
    let basic = get(&service, by_name(&name), ProfileView::Unspecified)
        .await
        .profile
        .expect("a profile");
    assert!(basic.records.is_empty() && basic.identifiers.len() == 2);
}

#[tokio::test]
async fn a_batch_answers_each_key_by_itself_in_order() {
    let service = Service::start().await;
    let name = ann(&service).await;
    let keys = [
        by_name(&name),
        by_identifier("email", "nobody@shop.com"),
        by_name("nonsense"),
        by_identifier("phone", "212-555-1142"),
        by_identifier("fax", "1"),
        by_record("loyalty", "9"),
        by_name(&name),
    ];
    for _ in 0..2 {
        let keys = keys.to_vec();
        let request = v1::BatchGetProfilesRequest {
            keys,
            ..Default::default()
        };
        let answer = service
            .profiles()
            .batch_get_profiles(request)
            .await
            .expect("results")
            .into_inner();
        let codes: Vec<i32> = answer
            .results
            .iter()
            .map(|r| r.status.as_ref().expect("a status").code)
            .collect();
        assert_eq!(codes, [0, 5, 3, 0, 3, 0, 0]);
        for index in [0, 3, 5, 6] {
            assert_eq!(
                answer.results[index]
                    .profile
                    .as_ref()
                    .expect("a profile")
                    .name,
                name
            );
        }
        let details = &answer.results[1].status.as_ref().expect("a status").details;
        assert_eq!(
            details[0].type_url,
            "type.googleapis.com/google.rpc.ErrorInfo"
        );
    }
}

async fn page(service: &Service, request: v1::ListTimelineRequest) -> v1::ListTimelineResponse {
    service
        .profiles()
        .list_timeline(request)
        .await
        .expect("a page")
        .into_inner()
}

#[tokio::test]
async fn a_timeline_has_all_sources_newest_first_and_its_cursor_survives_a_merge() {
    let service = Service::start().await;
    let shop = |n: i64| event(("web", "1"), &format!("s{n}"), "order_placed", 10 * n);
    let desk = |n: i64| event(("helpdesk", "x"), &format!("d{n}"), "call", 10 * n + 5);
    let shopper = upsert(("web", "1"), &[("email", "amy@shop.com")], &[], 1);
    let caller = upsert(("helpdesk", "x"), &[("email", "amy@shop.com")], &[], 1);
    service
        .say(
            (0..5)
                .map(shop)
                .chain([shopper])
                .chain((0..5).map(desk))
                .collect(),
        )
        .await;

    let request = |page_token: String| v1::ListTimelineRequest {
        key: Some(by_record("web", "1")),
        page_size: 2,
        page_token,
        ..Default::default()
    };
    let first = page(&service, request(String::new())).await;
    assert_eq!(ids(&first), ["s4", "s3"]);
    // The caller turns out to be the shopper while the agent reads.
    service.say(vec![caller]).await;
    let second = page(&service, request(first.next_page_token)).await;
    assert_eq!(
        ids(&second),
        ["d2", "s2"],
        "older events of both, none twice"
    );
    let mut token = second.next_page_token;
    let mut rest = Vec::new();
    while !token.is_empty() {
        let next = page(&service, request(token)).await;
        rest.extend(ids(&next));
        token = next.next_page_token;
    }
    assert_eq!(rest, ["d1", "s1", "d0", "s0"]);

    let calls = v1::ListTimelineRequest {
        key: Some(by_record("web", "1")),
        types: vec!["call".to_owned()],
        start_time: event_time(5),
        end_time: event_time(35),
        ..Default::default()
    };
    assert_eq!(
        ids(&page(&service, calls).await),
        ["d2", "d1", "d0"],
        "start is within, end is not"
    );
}

fn event_time(seconds: i64) -> Option<prost_types::Timestamp> {
    match event(("web", "1"), "x", "call", seconds).kind {
        Some(Kind::RecordEvent(said)) => said.event?.event_time,
        _ => None,
    }
}

fn ids(page: &v1::ListTimelineResponse) -> Vec<String> {
    page.events
        .iter()
        .map(|event| event.event_id.clone())
        .collect()
}

#[tokio::test]
async fn an_event_before_its_record_waits_on_a_timeline_of_its_own() {
    let service = Service::start().await;
    let answer = service
        .say(vec![event(("web", "1"), "e", "order_placed", 0)])
        .await;
    let alone = answer.results[0].profile.clone();
    assert!(!alone.is_empty());
    let said = service
        .say(vec![upsert(
            ("web", "1"),
            &[("email", "amy@shop.com")],
            &[],
            1,
        )])
        .await;
    assert_eq!(said.results[0].profile, alone);
    let request = v1::ListTimelineRequest {
        key: Some(by_identifier("email", "amy@shop.com")),
        ..Default::default()
    };
    assert_eq!(ids(&page(&service, request).await), ["e"]);
}

#[tokio::test]
async fn a_clock_that_is_wrong_does_not_lead_the_timeline_and_its_word_is_kept() {
    let service = Service::start().await;
    let day = 86_400;
    service
        .say(vec![
            event(("web", "1"), "future", "call", 400_000 * day),
            event(("web", "1"), "now", "call", 0),
        ])
        .await;
    let request = v1::ListTimelineRequest {
        key: Some(by_record("web", "1")),
        ..Default::default()
    };
    let events = page(&service, request).await.events;
    let future = events
        .iter()
        .find(|event| event.event_id == "future")
        .expect("the event");
    assert_eq!(future.event_time, event_time(400_000 * day));
    assert_eq!(future.sort_time, future.receive_time);
}

/// The names of the profiles that a search finds, each with what it was found by.
async fn found_by(service: &Service, query: &str) -> Vec<(String, String)> {
    let request = v1::SearchProfilesRequest {
        query: query.to_owned(),
        ..Default::default()
    };
    let answer = service
        .profiles()
        .search_profiles(request)
        .await
        .expect("hits")
        .into_inner();
    let found = |hit: &v1::SearchHit| {
        let by =
            hit.found_by
                .iter()
                .map(|by| match by.field.clone().expect("what it was found by") {
                    v1::found_by::Field::IdentifierType(kind) => format!("id:{kind}"),
                    v1::found_by::Field::ObjectKind(kind) => format!("object:{kind}"),
                    v1::found_by::Field::Trait(name) => name,
                });
        by.collect::<Vec<_>>().join(" ")
    };
    let hits = answer.hits.iter();
    assert!(
        answer
            .hits
            .iter()
            .all(|hit| hit.read_info.as_ref().is_some_and(|info| info.revision > 0))
    );
    hits.map(|hit| {
        (
            hit.profile.as_ref().expect("a profile").name.clone(),
            found(hit),
        )
    })
    .collect::<Vec<_>>()
}

#[tokio::test]
async fn a_search_finds_identifiers_and_name_prefixes_and_says_which() {
    let service = Service::start().await;
    let name = ann(&service).await;
    service
        .say(vec![upsert(
            ("web", "50"),
            &[],
            &[("given_name", "Zoë"), ("family_name", "Ångström-Lee")],
            1,
        )])
        .await;
    let search = async |query: &str| found_by(&service, query).await;
    assert_eq!(
        search("212.555.1142").await,
        [(name.clone(), "id:phone".to_owned())]
    );
    assert_eq!(
        search("ann lee").await,
        [(name.clone(), "family_name given_name".to_owned())]
    );
    assert_eq!(search("angst").await[0].1, "family_name");
    assert_eq!(search("LEE").await.len(), 2);
    service
        .say(vec![super::events::saying(
            "e",
            "order_placed",
            &[("order_id", super::events::number(1001))],
        )])
        .await;
    assert_eq!(
        search("1001").await,
        [(name.clone(), "object:order".to_owned())]
    );
    assert_eq!(search("ann angstrom").await, []);
    let one = v1::SearchProfilesRequest {
        query: "lee".to_owned(),
        page_size: 1,
        ..Default::default()
    };
    let first = service
        .profiles()
        .search_profiles(one.clone())
        .await
        .expect("hits")
        .into_inner();
    let next = v1::SearchProfilesRequest {
        page_token: first.next_page_token,
        ..one
    };
    let second = service
        .profiles()
        .search_profiles(next)
        .await
        .expect("hits")
        .into_inner();
    assert_ne!(first.hits[0].profile, second.hits[0].profile);
    assert_eq!(
        (second.hits.len(), second.next_page_token.as_str()),
        (1, "")
    );
}

#[tokio::test]
async fn a_search_lists_the_surest_first_over_all_pages_and_says_how_each_was_found() {
    let service = Service::start().await;
    let people = [
        ("1", "Jonathan", "Katharyn"),
        ("2", "Catherine", "Olsson"),
        ("3", "Catherina", "Berg"),
        ("4", "Xatherine", "Lind"),
        ("5", "Catherines", "Holm"),
        ("6", "Ulla", "Ek"),
    ];
    let said = |(key, given, family): (&str, &str, &str)| {
        upsert(
            ("web", key),
            &[],
            &[("given_name", given), ("family_name", family)],
            1,
        )
    };
    service.say(people.map(said).to_vec()).await;
    let mut request = v1::SearchProfilesRequest {
        query: "catherine".to_owned(),
        page_size: 2,
        ..Default::default()
    };
    let mut found = Vec::new();
    loop {
        let page = service
            .profiles()
            .search_profiles(request.clone())
            .await
            .expect("hits")
            .into_inner();
        for hit in page.hits {
            let family = hit.profile.expect("a profile").traits["family_name"]
                .value
                .clone()
                .expect("a value");
            let Some(v1::value::Kind::StringValue(family)) = family.kind else {
                panic!("{family:?}")
            };
            let by = hit
                .found_by
                .iter()
                .map(|by| by.match_kind().as_str_name()["MATCH_KIND_".len()..].to_owned());
            found.push((family, by.collect::<Vec<_>>().join(" ")));
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|(name, by)| (name.as_str(), by.as_str()))
        .collect();
    assert_eq!(found[..2], [("Olsson", "EXACT"), ("Holm", "PREFIX")]);
    let mut alike = found[2..4].to_vec();
    alike.sort_unstable();
    assert_eq!(alike, [("Berg", "PHONETIC"), ("Katharyn", "PHONETIC")]);
    assert_eq!(found[4..], [("Lind", "TYPO")]);
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_a_late_one_takes_its_place() {
    let service = Service::start().await;
    let patch = |version, city: &str, clear: &[&str]| {
        statement(Kind::PatchRecord(v1::PatchRecord {
            record: Some(record("web", "1")),
            traits: [("city".to_owned(), text(city))].into(),
            clear_traits: clear.iter().map(|&name| name.to_owned()).collect(),
            version,
            ..Default::default()
        }))
    };
    let whole = upsert(
        ("web", "1"),
        &[("email", "amy@shop.com")],
        &[("given_name", "Ann"), ("state", "MA")],
        1,
    );
    service
        .say(vec![
            patch(5, "Salem", &["state"]),
            patch(3, "Boston", &[]),
            whole,
        ])
        .await;
    let profile = get(
        &service,
        by_identifier("email", "amy@shop.com"),
        ProfileView::Basic,
    )
    .await
    .profile
    .expect("it");
    assert_eq!(string(&profile, "city"), "Salem");
    assert_eq!(string(&profile, "given_name"), "Ann");
    assert!(!profile.traits.contains_key("state"));
}

#[tokio::test]
async fn messages_may_be_compressed_both_ways() {
    let service = Service::start_with(Arc::new(MemoryStore::new()), |config| {
        config.grpc.compress_answers = true;
    })
    .await;
    let name = ann(&service).await;
    let request = v1::GetProfileRequest {
        key: Some(by_name(&name)),
        ..Default::default()
    };
    let gzip = tonic::codec::CompressionEncoding::Gzip;
    let mut client = service
        .profiles()
        .send_compressed(gzip)
        .accept_compressed(gzip);
    let answer = client.get_profile(request).await.expect("a profile");
    assert_eq!(
        answer
            .metadata()
            .get("grpc-encoding")
            .expect("compressed")
            .as_bytes(),
        b"gzip"
    );
    assert_eq!(answer.into_inner().profile.expect("a profile").name, name);
}

#[tokio::test]
async fn tenants_do_not_see_each_other() {
    let service = Service::start().await;
    let name = ann(&service).await;
    let as_other = |message| {
        let mut request = Request::new(message);
        request
            .metadata_mut()
            .insert("x-tenant", "other".parse().expect("a value"));
        request
    };
    for key in [
        by_name(&name),
        by_identifier("email", "annlee@gmail.com"),
        by_record("web", "1"),
    ] {
        // Cached for one tenant, and still not there for the other.
        get(&service, key.clone(), ProfileView::Basic).await;
        let request = as_other(v1::GetProfileRequest {
            key: Some(key),
            ..Default::default()
        });
        assert_eq!(
            service
                .profiles()
                .get_profile(request)
                .await
                .expect_err("nobody")
                .code(),
            Code::NotFound
        );
    }
    let mut search = Request::new(v1::SearchProfilesRequest {
        query: "ann".to_owned(),
        ..Default::default()
    });
    search
        .metadata_mut()
        .insert("x-tenant", "other".parse().expect("a value"));
    assert_eq!(
        service
            .profiles()
            .search_profiles(search)
            .await
            .expect("hits")
            .into_inner()
            .hits
            .len(),
        0
    );
}
