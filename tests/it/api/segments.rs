//! Segments: who is in them, since when, and who would be.

use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::{self, Completeness};
use customer_profile::store::Store;
use customer_profile::store::memory::MemoryStore;
use serde_json::json;
use tonic::Code;

use crate::support::clock::{SetClock, instant};
use crate::support::service::{Service, by_identifier};
use crate::support::stores::{Kind, TestStore};

const MODEL: &str = "
identifiers:
  customer_id: { priority: 1, belongs_to: person }
  email: { priority: 2, normalize: email }
traits: { tier: }
computed:
  orders_7d: { count: order_placed, window: 7d }
  orders: { count: order_placed }
segments:
  active: { when: computed.orders_7d > 0, description: Ordered in the last week. }
  gold: { when: traits.tier == 'gold' }
  loyal: { when: computed.orders >= 3 || traits.tier == 'gold' }
purposes:
  mail: { consent: not_needed, segments: [gold] }
  news: { consent: opt_in, segments: '*' }
sources:
  shop:
    records:
      customers: { key: id, identifiers: { customer_id: id, email: mail }, traits: { tier: tier } }
    events:
      orders: { type: order_placed, id: number, time: at, record: customer }
";

async fn start(store: Arc<dyn Store>, clock: Arc<SetClock>) -> Service {
    Service::start_at(store, ModelFile::parse(MODEL).expect("a model"), clock).await
}

async fn customers(service: &Service, numbers: std::ops::Range<u32>, tier: &str) {
    let customers: Vec<_> = numbers
        .map(|number| json!({"id": format!("c{number}"), "tier": tier}))
        .collect();
    service.say_payloads("shop", "customers", &customers).await;
}

async fn order(service: &Service, number: &str, customer: &str, at: &str) {
    service
        .say_payloads(
            "shop",
            "orders",
            &[json!({"number": number, "customer": customer, "at": at})],
        )
        .await;
}

/// The members of a segment with the times since when, in any order, page by page.
async fn members(service: &Service, segment: &str, page_size: i32) -> Vec<(String, i64)> {
    let mut request = v1::ListMembersRequest {
        segment: segment.into(),
        page_size,
        ..Default::default()
    };
    let mut members = Vec::new();
    loop {
        let page = service
            .segments()
            .list_members(request.clone())
            .await
            .expect("a page")
            .into_inner();
        assert_eq!(page.completeness(), Completeness::Complete);
        members.extend(
            page.members
                .into_iter()
                .map(|m| (m.profile, m.enter_time.expect("a time").seconds)),
        );
        if page.next_page_token.is_empty() {
            return members;
        }
        request.page_token = page.next_page_token;
    }
}

async fn name(service: &Service, customer: &str) -> String {
    let key = Some(by_identifier("customer_id", customer));
    let request = v1::GetProfileRequest {
        key,
        ..Default::default()
    };
    service
        .profiles()
        .get_profile(request)
        .await
        .expect("a profile")
        .into_inner()
        .profile
        .expect("a profile")
        .name
}

fn seconds(text: &str) -> i64 {
    instant(text).as_micros() / 1_000_000
}

#[tokio::test]
async fn members_are_listed_and_counted_as_of_now_with_the_moment_since_when() {
    for kind in [Kind::Memory, Kind::Sqlite, Kind::Postgres] {
        let ground = TestStore::start(kind).await;
        let clock = Arc::new(SetClock::at("2026-11-01T12:00:00Z"));
        let service = start(ground.store.clone(), clock.clone()).await;
        customers(&service, 0..5, "gold").await;
        customers(&service, 5..8, "green").await;
        order(&service, "1", "c6", "2026-11-01T09:00:00Z").await;
        assert_eq!(members(&service, "gold", 2).await.len(), 5);
        assert_eq!(
            members(&service, "active", 0).await,
            [(name(&service, "c6").await, seconds("2026-11-01T12:00:00Z"))]
        );

        // Time passes, nobody writes: the order is seven days old at the end of the 8th.
        clock.set(instant("2026-11-08T23:59:59Z"));
        assert_eq!(members(&service, "active", 0).await.len(), 1);
        clock.set(instant("2026-11-20T00:00:00Z"));
        assert!(members(&service, "active", 0).await.is_empty());
        let key = Some(by_identifier("customer_id", "c6"));
        let told = service
            .segments()
            .list_memberships(v1::ListMembershipsRequest { key })
            .await;
        let told = told.expect("memberships").into_inner().memberships;
        let [active] = told.as_slice() else {
            panic!("one: {told:?}")
        };
        let left = active.exit_time.expect("has left").seconds;
        assert_eq!(
            (active.segment.as_str(), left),
            ("active", seconds("2026-11-09T00:00:00Z")),
            "at the moment it changed"
        );

        // Back again, and one who leaves by what a source says.
        order(&service, "2", "c6", "2026-11-19T09:00:00Z").await;
        customers(&service, 0..1, "green").await;
        assert_eq!(
            members(&service, "active", 0).await[0].1,
            seconds("2026-11-20T00:00:00Z")
        );
        let listed = service
            .segments()
            .list_segments(v1::ListSegmentsRequest {})
            .await
            .expect("segments")
            .into_inner();
        let counts: Vec<(&str, i64)> = listed
            .segments
            .iter()
            .map(|s| (s.segment.as_str(), s.member_count))
            .collect();
        assert_eq!(counts, [("active", 1), ("gold", 4), ("loyal", 4)]);
        assert_eq!(listed.segments[0].description, "Ordered in the last week.");
        service.stop().await;
    }
}

#[tokio::test]
async fn a_merged_profile_is_a_member_once_and_a_split_one_twice() {
    let service = start(
        Arc::new(MemoryStore::new()),
        Arc::new(SetClock::at("2026-11-01T12:00:00Z")),
    )
    .await;
    customers(&service, 0..2, "gold").await;
    assert_eq!(members(&service, "gold", 0).await.len(), 2);
    let (target, source) = (name(&service, "c0").await, name(&service, "c1").await);
    let merge = v1::MergeProfilesRequest {
        target: target.clone(),
        sources: vec![source],
        note: Some(v1::DecisionNote {
            actor: "ann".into(),
            ..Default::default()
        }),
        request_id: "m".into(),
        ..Default::default()
    };
    service
        .identity()
        .merge_profiles(merge)
        .await
        .expect("merged");
    let merged = members(&service, "gold", 0).await;
    assert_eq!(merged.len(), 1);
    let split = v1::SplitProfileRequest {
        name: merged[0].0.clone(),
        records: vec![v1::RecordKey {
            source: "shop".into(),
            key: "c1".into(),
        }],
        note: Some(v1::DecisionNote {
            actor: "ann".into(),
            ..Default::default()
        }),
        request_id: "s".into(),
        ..Default::default()
    };
    service
        .identity()
        .split_profile(split)
        .await
        .expect("split");
    assert_eq!(members(&service, "gold", 0).await.len(), 2);
}

fn check(keys: &[&str], segments: &[&str], purpose: &str) -> v1::CheckMembershipRequest {
    v1::CheckMembershipRequest {
        keys: keys
            .iter()
            .map(|id| by_identifier("customer_id", id))
            .collect(),
        segments: segments.iter().map(|name| (*name).to_owned()).collect(),
        purpose: purpose.to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn membership_of_many_is_told_at_once_and_each_failure_by_itself() {
    let service = start(
        Arc::new(MemoryStore::new()),
        Arc::new(SetClock::at("2026-11-01T12:00:00Z")),
    )
    .await;
    customers(&service, 0..250, "gold").await;
    customers(&service, 250..499, "green").await;
    order(&service, "1", "c3", "2026-11-01T09:00:00Z").await;
    let ids: Vec<String> = (0..500).map(|number| format!("c{number}")).collect();
    let keys: Vec<&str> = ids.iter().map(String::as_str).collect();
    let answer = service
        .segments()
        .check_membership(check(&keys, &["loyal", "active"], ""))
        .await;
    let results = answer.expect("an answer").into_inner().results;
    assert_eq!(results.len(), 500);
    assert_eq!(results[3].segments, ["loyal", "active"]);
    assert_eq!(results[0].segments, ["loyal"]);
    assert!(
        results[400].segments.is_empty()
            && results[400].status.as_ref().expect("a status").code == 0
    );
    assert_eq!(
        results[499].status.as_ref().expect("a status").code,
        i32::from(Code::NotFound)
    );

    // A purpose sees what it lists, of whom it may see anything.
    let refused = service
        .segments()
        .check_membership(check(&["c1"], &["gold", "loyal"], "mail"))
        .await;
    let refused = refused.expect_err("refused");
    assert_eq!(
        refused.message(),
        "segments[1]: the model does not list it for purpose mail"
    );
    let told = service
        .segments()
        .check_membership(check(&["c1"], &["gold"], "news"))
        .await;
    let told = told.expect("an answer").into_inner().results.remove(0);
    assert!(told.segments.is_empty());
    assert_eq!(told.withheld.expect("withheld").field, "*");
    let unknown = service
        .segments()
        .check_membership(check(&[], &["silver", ""], ""))
        .await
        .expect_err("refused");
    insta::assert_snapshot!(unknown.message(), @"keys: is required; segments[0]: the model declares no segment `silver`; it has: active, gold, loyal; segments[1]: is required");
}

#[tokio::test]
async fn a_new_definition_is_tried_before_it_is_applied() {
    let service = start(
        Arc::new(MemoryStore::new()),
        Arc::new(SetClock::at("2026-11-01T12:00:00Z")),
    )
    .await;
    customers(&service, 0..12, "green").await;
    order(&service, "1", "c3", "2026-11-01T09:00:00Z").await;
    let preview = |condition: &str, max_profiles| {
        let request = v1::PreviewSegmentRequest {
            condition: condition.to_owned(),
            max_profiles,
            max_samples: 3,
        };
        let mut client = service.segments();
        async move {
            client
                .preview_segment(request)
                .await
                .map(tonic::Response::into_inner)
        }
    };
    let told = preview("traits.tier == 'green' && computed.orders == 0", 0)
        .await
        .expect("a preview");
    assert_eq!(
        (
            told.member_count,
            told.profile_count,
            told.samples.len(),
            told.more_profiles
        ),
        (11, 12, 3, false)
    );
    let told = preview("computed.orders > 0", 5).await.expect("a preview");
    assert_eq!((told.profile_count, told.more_profiles), (5, true));
    let told = preview("traits.tier >= 18", 0).await.expect("a preview");
    let why = told.undecided_reasons.first().expect("a reason");
    assert_eq!(
        (told.member_count, told.undecided_count, why.profile_count),
        (0, 12, 12)
    );
    insta::assert_snapshot!(why.reason, @"`>=` does not take text and number: write decimal(…) around the text");
    let mut wrong = Vec::new();
    for condition in [
        "",
        "traits.teir == 'x'",
        "computed.orders >",
        "preferences.accessibility.large_print",
        "now > 1",
    ] {
        wrong.push(
            preview(condition, 0)
                .await
                .expect_err("refused")
                .message()
                .to_owned(),
        );
    }
    insta::assert_snapshot!(wrong.join("\n"), @r"
    condition: is required
    condition: at character 7, the model declares no trait `teir`; did you mean `tier`?
    condition: is not CEL: at character 18, mismatched input '<EOF>'
    condition: speaks of accessibility needs: nobody is chosen by what they need
    condition: a condition has no subject `now`; there are: computed, experience, preferences, traits
    ");
}

/// The stays of a customer: `loyal 09:00-`, in order.
async fn stays(service: &Service, customer: &str) -> Vec<String> {
    let key = Some(by_identifier("customer_id", customer));
    let asked = v1::ListMembershipsRequest { key };
    let told = service.segments().list_memberships(asked).await;
    let told = told.expect("memberships").into_inner();
    assert_eq!(told.completeness(), Completeness::Complete);
    let hour = |time: Option<prost_types::Timestamp>| {
        time.map_or(String::new(), |time| {
            let minutes = time.seconds.rem_euclid(86_400) / 60;
            format!("{:02}:{:02}", minutes / 60, minutes % 60)
        })
    };
    let stay = |stay: v1::SegmentMembership| {
        format!(
            "{} {}-{}",
            stay.segment,
            hour(stay.enter_time),
            hour(stay.exit_time)
        )
    };
    told.memberships.into_iter().map(stay).collect()
}

async fn merge(service: &Service, target: &str, source: &str) -> String {
    let request = v1::MergeProfilesRequest {
        target: target.to_owned(),
        sources: vec![source.to_owned()],
        note: Some(v1::DecisionNote {
            actor: "ann".into(),
            ..Default::default()
        }),
        request_id: format!("merge {target} {source}"),
        ..Default::default()
    };
    let merged = service.identity().merge_profiles(request).await;
    let merged = merged.expect("merged").into_inner();
    let outcome = merged.outcomes.into_iter().next();
    outcome.expect("an outcome").decision
}

async fn withdraw(service: &Service, decision: String) {
    let request = v1::WithdrawDecisionRequest {
        request_id: format!("withdraw {decision}"),
        name: decision,
        note: Some(v1::DecisionNote {
            actor: "ann".into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let withdrawn = service.identity().withdraw_decision(request).await;
    withdrawn.expect("withdrawn");
}

/// The merge makes a customer of 2 + 2 orders loyal; and two who are of another tier than the one
/// with whom they are merged.
#[tokio::test]
async fn a_merge_that_is_taken_back_leaves_no_trace() {
    for (kind, is_looked_at) in [
        (Kind::Memory, true),
        (Kind::Memory, false),
        (Kind::Sqlite, true),
        (Kind::Postgres, true),
    ] {
        let ground = TestStore::start(kind).await;
        let clock = Arc::new(SetClock::at("2026-11-01T09:00:00Z"));
        let service = start(ground.store.clone(), clock.clone()).await;
        assert!(members(&service, "loyal", 0).await.is_empty());
        customers(&service, 0..2, "green").await;
        customers(&service, 2..3, "gold").await;
        // The index is built by the model that the first write put in force.
        members(&service, "loyal", 0).await;
        for number in 0..4 {
            let customer = format!("c{}", number % 2);
            order(
                &service,
                &number.to_string(),
                &customer,
                "2026-11-01T08:00:00Z",
            )
            .await;
        }
        let looked = async |service: &Service| {
            if is_looked_at {
                members(service, "loyal", 0).await;
            }
        };
        looked(&service).await;
        clock.set(instant("2026-11-01T10:00:00Z"));
        let (c0, c1) = (name(&service, "c0").await, name(&service, "c1").await);
        let c2 = name(&service, "c2").await;
        let by_orders = merge(&service, &c0, &c1).await;
        looked(&service).await;
        clock.set(instant("2026-11-01T11:00:00Z"));
        let with_gold = merge(&service, &c0, &c2).await;
        looked(&service).await;
        clock.set(instant("2026-11-01T12:00:00Z"));
        withdraw(&service, with_gold).await;
        looked(&service).await;
        clock.set(instant("2026-11-01T13:00:00Z"));
        withdraw(&service, by_orders).await;
        let case = format!("{kind:?} {is_looked_at}");
        for customer in ["c0", "c1"] {
            assert_eq!(
                stays(&service, customer).await,
                ["active 09:00-"],
                "{case}: {customer} never was loyal"
            );
        }
        assert_eq!(
            stays(&service, "c2").await,
            ["gold 09:00-", "loyal 09:00-"],
            "{case}: always was"
        );
        service.stop().await;
    }
}

/// Several writes between two looks: each stay has the times of the writes that began and ended it.
#[tokio::test]
async fn times_are_those_of_the_writes_however_late_they_are_noticed() {
    for kind in [Kind::Memory, Kind::Sqlite, Kind::Postgres] {
        let ground = TestStore::start(kind).await;
        let clock = Arc::new(SetClock::at("2026-11-01T09:00:00Z"));
        let service = start(ground.store.clone(), clock.clone()).await;
        customers(&service, 0..1, "green").await;
        assert!(members(&service, "gold", 0).await.is_empty());
        for (hour, tier) in [(10, "gold"), (11, "green"), (12, "gold"), (13, "silver")] {
            clock.set(instant(&format!("2026-11-01T{hour}:00:00Z")));
            customers(&service, 0..1, tier).await;
        }
        clock.set(instant("2026-11-01T14:00:00Z"));
        for number in 1..=4 {
            clock.set(instant(&format!("2026-11-01T{}:00:00Z", 14 + number)));
            order(&service, &number.to_string(), "c0", "2026-11-01T08:00:00Z").await;
        }
        clock.set(instant("2026-11-01T20:00:00Z"));
        assert_eq!(
            stays(&service, "c0").await,
            [
                "active 15:00-",
                "gold 10:00-11:00",
                "gold 12:00-13:00",
                "loyal 10:00-11:00",
                "loyal 12:00-13:00",
                "loyal 17:00-"
            ],
            "{kind:?}"
        );
        service.stop().await;
    }
}

/// A window ends before the next write: the stay ended when the window did.
#[tokio::test]
async fn what_time_changed_before_a_write_was_before_it() {
    let clock = Arc::new(SetClock::at("2026-11-01T12:00:00Z"));
    let service = start(Arc::new(MemoryStore::new()), clock.clone()).await;
    customers(&service, 0..1, "green").await;
    order(&service, "1", "c0", "2026-11-01T09:00:00Z").await;
    assert_eq!(stays(&service, "c0").await, ["active 12:00-"]);
    clock.set(instant("2026-11-20T15:00:00Z"));
    order(&service, "2", "c0", "2026-11-20T14:00:00Z").await;
    let told = stays(&service, "c0").await;
    assert_eq!(told, ["active 12:00-00:00", "active 15:00-"]);
}

#[tokio::test]
async fn who_enters_and_who_leaves_is_told_to_watchers() {
    use super::watch::Watcher;
    let clock = Arc::new(SetClock::at("2026-11-01T12:00:00Z"));
    let service = start(Arc::new(MemoryStore::new()), clock.clone()).await;
    let mask = |path: &str| {
        Some(prost_types::FieldMask {
            paths: vec![path.to_owned()],
        })
    };
    let watch = |path: &str| v1::WatchProfilesRequest {
        read_mask: mask(path),
        ..Default::default()
    };
    let mut all = Watcher::begin(&service, watch("segments"))
        .await
        .expect("a watch");
    let mut gold = Watcher::begin(&service, watch("segments.gold"))
        .await
        .expect("a watch");
    assert_eq!(all.next().await, "heartbeat");
    assert_eq!(gold.next().await, "heartbeat");
    customers(&service, 0..1, "gold").await;
    members(&service, "gold", 0).await;
    order(&service, "1", "c0", "2026-11-01T09:00:00Z").await;
    members(&service, "gold", 0).await;
    customers(&service, 0..1, "green").await;
    members(&service, "gold", 0).await;
    members(&service, "gold", 0).await;
    // Nobody wrote; a window ended.
    clock.set(instant("2026-11-20T00:00:00Z"));
    members(&service, "active", 0).await;
    let mut told = Vec::new();
    for _ in 0..5 {
        let line = all.next().await;
        told.push(
            line.split_once(' ')
                .map_or(line.clone(), |(_, rest)| rest.to_owned()),
        );
    }
    assert_eq!(
        told,
        [
            "r0-1 created []",
            "r1-1 segments.gold,segments.loyal []",
            "r1-1 segments.active []",
            "r2-2 segments.gold,segments.loyal []",
            "r2-2 segments.active []"
        ]
    );
    let mut told = Vec::new();
    for _ in 0..3 {
        let line = gold.next().await;
        told.push(
            line.split_once(' ')
                .map_or(line.clone(), |(_, rest)| rest.to_owned()),
        );
    }
    let of_gold = [
        "r0-1 created []",
        "r1-1 segments.gold,segments.loyal []",
        "r2-2 segments.gold,segments.loyal []",
    ];
    assert_eq!(told, of_gold);
}
