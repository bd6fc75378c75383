//! What others write has a budget: expressions, patterns, models; and what one tenant's may not do
//! to the others.

use std::sync::Arc;
use std::time::Duration;

use customer_profile::active_models::ModelFile;
use customer_profile::compute;
use customer_profile::grpc::v1;
use customer_profile::store::memory::MemoryStore;
use customer_profile::store::sql::SqlStore;
use customer_profile::store::{Activation, Changes, ModelVersion, Store};
use profile_core::records::{TenantId, Timestamp};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;
use tempfile::TempDir;
use tonic::Code;

use crate::support::postgres::Postgres;
use crate::support::program::say;
use crate::support::server::TestServer;
use crate::support::service::{Service, by_record};
use crate::support::stores::{Kind, TestStore};

const MODEL: &str = "
identifiers: { customer_id: { priority: 1, belongs_to: person } }
traits: { tier: , text: }
computed: { orders: { count: order_placed } }
segments: { gold: { when: traits.tier == 'gold' } }
experience: {}
sources:
  shop:
    records:
      customers: { key: id, identifiers: { customer_id: id }, traits: { tier: tier, text: text } }
    events:
      orders: { type: order_placed, id: number, time: at, record: customer }
";

async fn service(customers: u32) -> Service {
    let model = ModelFile::parse(MODEL).expect("a model");
    let service = Service::start_by(Arc::new(MemoryStore::new()), model).await;
    let customer =
        |number| json!({"id": format!("c{number}"), "tier": "gold", "text": "x".repeat(1_000)});
    let customers: Vec<_> = (0..customers).map(customer).collect();
    service.say_payloads("shop", "customers", &customers).await;
    service
}

async fn preview(
    service: &Service,
    condition: &str,
) -> Result<v1::PreviewSegmentResponse, tonic::Status> {
    let request = v1::PreviewSegmentRequest {
        condition: condition.to_owned(),
        ..Default::default()
    };
    service
        .segments()
        .preview_segment(request)
        .await
        .map(tonic::Response::into_inner)
}

/// Loops in loops, each of ten turns.
fn nested(depth: usize) -> String {
    let around = |inner, level| format!("[1,2,3,4,5,6,7,8,9,0].all(x{level}, {inner})");
    (0..depth).rev().fold("true".to_owned(), around)
}

#[tokio::test]
async fn a_hostile_condition_is_refused_and_says_what_it_goes_over() {
    let service = service(3).await;
    let grown = |count: usize| format!("traits.text{} == ''", ".replace('x', 'xx')".repeat(count));
    for (condition, expected) in [
        (
            format!("1{} == 1", " + 1".repeat(980)),
            "at most 100 are allowed",
        ),
        (
            format!("{}true{}", "[".repeat(2_000), "]".repeat(2_000)),
            "recursion limit",
        ),
        ("!!(!!!!!!(!!!!(((((!!(!!(!!!!((".repeat(100), "condition"),
        (nested(20), "more than 50000 steps over an empty payload"),
        (format!("traits.tier == 'gold' && {}", nested(20)), "steps"),
        (
            format!("(traits.tier == 'gold' && {}) || true", nested(20)),
            "steps",
        ),
        (grown(30), "budget of 8388608 bytes"),
        (
            "traits.text.matches('(x{50}){3000}')".to_owned(),
            "too large",
        ),
    ] {
        let status = preview(&service, &condition)
            .await
            .expect_err(condition.get(..40).unwrap_or(&condition));
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        assert!(
            status.message().contains("condition") && status.message().contains(expected),
            "{status:?}"
        );
    }
    assert_eq!(
        preview(&service, &grown(3))
            .await
            .expect("an answer")
            .profile_count,
        3
    );
    service.stop().await;
}

/// What guards a condition is tried with what is declared, so only those pay for it of whom the
/// guard holds.
#[tokio::test]
async fn a_stored_condition_that_goes_over_its_budget_is_told_as_undecided() {
    let unguarded = MODEL.replace("traits.tier == 'gold'", &format!("\"{}\"", nested(7)));
    let mistakes = ModelFile::parse(&unguarded).expect_err("too costly for everybody");
    assert!(
        mistakes[0].to_string().contains("more than 50000 steps"),
        "{mistakes:?}"
    );

    let guarded = MODEL.replace(
        "traits.tier == 'gold'",
        &format!("\"traits.tier == 'gold' && {}\"", nested(7)),
    );
    let model = ModelFile::parse(&guarded).expect("nobody pays for it yet");
    let service = Service::start_by(Arc::new(MemoryStore::new()), model).await;
    let customer = |id: &str, tier| json!({"id": id, "tier": tier, "text": "x"});
    service
        .say_payloads(
            "shop",
            "customers",
            &[customer("a", "gold"), customer("b", "silver")],
        )
        .await;
    for (id, undecided) in [("a", vec!["gold".to_owned()]), ("b", Vec::new())] {
        let request = v1::GetProfileRequest {
            key: Some(by_record("shop", id)),
            ..Default::default()
        };
        let profile = service
            .profiles()
            .get_profile(request)
            .await
            .expect("a profile")
            .into_inner()
            .profile;
        let profile = profile.expect("a profile");
        assert_eq!(
            (profile.segments, profile.undecided_segments),
            (Vec::new(), undecided.clone()),
            "{id}"
        );

        let (keys, segments) = (vec![by_record("shop", id)], vec!["gold".to_owned()]);
        let request = v1::CheckMembershipRequest {
            keys,
            segments,
            ..Default::default()
        };
        let results = service
            .segments()
            .check_membership(request)
            .await
            .expect("results")
            .into_inner()
            .results;
        assert_eq!(
            (&results[0].segments, &results[0].undecided_segments),
            (&Vec::new(), &undecided),
            "{id}"
        );
    }
    service.stop().await;
}

/// Whoever was a member stays one while it cannot be decided: nobody leaves for a condition that
/// was not evaluated.
#[tokio::test]
async fn a_member_of_whom_it_cannot_be_decided_any_more_stays_in_the_index() {
    let condition = format!(
        "\"traits.tier == 'gold' || (traits.tier == 'black' && {})\"",
        nested(7)
    );
    let model =
        ModelFile::parse(&MODEL.replace("traits.tier == 'gold'", &condition)).expect("a model");
    let service = Service::start_by(Arc::new(MemoryStore::new()), model).await;
    for (tier, members) in [("gold", 1), ("black", 1), ("silver", 0)] {
        service
            .say_payloads(
                "shop",
                "customers",
                &[json!({"id": "a", "tier": tier, "text": tier})],
            )
            .await;
        let request = v1::ListMembersRequest {
            segment: "gold".to_owned(),
            ..Default::default()
        };
        let page = service
            .segments()
            .list_members(request)
            .await
            .expect("a page")
            .into_inner();
        assert_eq!(page.members.len(), members, "{tier}");
    }
    service.stop().await;
}

/// The runtime of this test has one thread: an expression on it would leave nothing for the reads.
#[tokio::test]
async fn reads_are_answered_while_expressions_are_evaluated_and_they_end_with_their_callers() {
    let service = Arc::new(service(200).await);
    let heavy = format!("traits.tier == 'gold' && {}", nested(4));
    let previews: Vec<_> = (0..10)
        .map(|_| {
            let (service, heavy) = (service.clone(), heavy.clone());
            tokio::spawn(async move { preview(&service, &heavy).await })
        })
        .collect();
    tokio::task::yield_now().await;
    for number in 0..5 {
        let request = v1::GetProfileRequest {
            key: Some(by_record("shop", &format!("c{number}"))),
            ..Default::default()
        };
        service
            .profiles()
            .get_profile(request)
            .await
            .expect("a profile");
    }
    assert!(
        previews.iter().all(|preview| !preview.is_finished()),
        "the reads waited for the expressions"
    );
    for preview in &previews {
        preview.abort();
    }
    // It stands behind them, and they end where they are.
    assert_eq!(
        preview(&service, "traits.tier == 'gold'")
            .await
            .expect("an answer")
            .member_count,
        200
    );
}

/// An expression of CEL, of any sense or none.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("traits.text".to_owned()),
        Just("traits.tier".to_owned()),
        Just("computed".to_owned()),
        Just("traits".to_owned()),
        Just("[1, 2, 3, 4, 5, 6, 7, 8, 9]".to_owned()),
        Just("'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'".to_owned()),
        Just("9223372036854775807".to_owned()),
        Just("'(x{9}){9}'".to_owned()),
        Just("true".to_owned()),
        Just("x".to_owned()),
    ];
    leaf.prop_recursive(12, 200, 4, |inner| {
        let two = (inner.clone(), inner.clone());
        let three = (inner.clone(), inner.clone(), inner.clone());
        prop_oneof![
            (two.clone(), "[-+*/%<>]|==|&&|[|][|]|in")
                .prop_map(|((a, b), operator)| format!("({a}) {operator} ({b})")),
            (two.clone(), "map|filter|all|exists|exists_one")
                .prop_map(|((a, b), call)| format!("({a}).{call}(x, {b})")),
            (
                two.clone(),
                "join|split|matches|indexOf|lastIndexOf|contains|format"
            )
                .prop_map(|((a, b), call)| format!("({a}).{call}({b})")),
            three
                .clone()
                .prop_map(|(a, b, c)| format!("({a}).replace({b}, {c})")),
            three
                .clone()
                .prop_map(|(a, b, c)| format!("({a}) ? ({b}) : ({c})")),
            three.prop_map(|(a, b, c)| format!("[{a}, {b}, {c}]")),
            (inner.clone(), "!|-").prop_map(|(a, operator)| format!("{operator}({a})")),
            (inner.clone(), "string|size|upper|int|type|optional.of")
                .prop_map(|(a, call)| format!("{call}({a})")),
            (inner.clone(), 1..20_usize)
                .prop_map(|(a, count)| format!("{a}{}", ".replace('a', 'aaa')".repeat(count))),
            (inner, 1..30_usize).prop_map(|(a, count)| vec![format!("({a})"); count].join(" + ")),
        ]
    })
}

#[tokio::test]
async fn whatever_is_written_is_answered_or_refused_and_the_server_answers_meanwhile() {
    let service = service(3).await;
    let mut runner = TestRunner::deterministic();
    let count = std::env::var("CUSTOMER_PROFILE_TEST_SCALE")
        .ok()
        .and_then(|scale| scale.parse().ok())
        .unwrap_or(1);
    for _ in 0..500 * count {
        let expression = expressions()
            .new_tree(&mut runner)
            .expect("an expression")
            .current();
        let condition = format!("({expression}) == 1");
        // A condition beyond the length that is taken is refused for that alone.
        let condition = &condition[..condition.floor_char_boundary(4_096)];
        let answer =
            tokio::time::timeout(Duration::from_mins(1), preview(&service, condition)).await;
        let answer = answer.unwrap_or_else(|_| panic!("no answer: {condition}"));
        assert!(
            answer
                .as_ref()
                .map_or_else(tonic::Status::code, |_| Code::Ok)
                != Code::Internal,
            "{answer:?}"
        );
        let request = v1::GetProfileRequest {
            key: Some(by_record("shop", "c1")),
            ..Default::default()
        };
        service
            .profiles()
            .get_profile(request)
            .await
            .expect("a profile");
    }
    service.stop().await;
}

/// Puts a model in force as no server would: whatever it says.
async fn force(store: &dyn Store, tenant: &TenantId, version: i64, file: &str) {
    let tx = store.begin(tenant).await.expect("a turn");
    let time = Timestamp::from_micros(1_000_000 + version).max(tx.not_before());
    let model = ModelVersion {
        version,
        file: file.to_owned(),
        weights: String::new(),
        create_time: time,
        note: String::new(),
    };
    let activation = Some(Activation {
        version,
        sequence: tx.sequence(),
        time,
    });
    tx.commit(
        time,
        &Changes {
            models: vec![model],
            activation,
            ..Changes::default()
        },
    )
    .await
    .expect("a commit");
}

/// A condition that no server may evaluate.
fn hostile() -> String {
    MODEL.replace("traits.tier == 'gold'", &format!("\"{}\"", nested(30)))
}

async fn one_broken_tenant(kind: Kind) {
    let test = TestStore::start(kind).await;
    let (broken, good) = (
        TenantId::new("broken").expect("a name"),
        TenantId::default(),
    );
    force(&*test.store, &broken, 1, &hostile()).await;
    force(&*test.store, &good, 1, MODEL).await;
    let service = Service::start_with(test.store.clone(), |config| {
        config.computed.check_interval = Duration::from_millis(20);
        config.experience.refresh_interval = Duration::from_millis(20);
    })
    .await;
    service
        .say_payloads("shop", "customers", &[json!({"id": "c1", "tier": "gold"})])
        .await;
    let order = json!({"number": "1", "customer": "c1", "at": "2026-01-01T00:00:00Z"});
    service.say_payloads("shop", "orders", &[order]).await;
    let done = async {
        loop {
            let built =
                test.store.count_members(&good).await.expect("a read") == [("gold".to_owned(), 1)];
            let measured = test
                .store
                .statistics(&good)
                .await
                .expect("a read")
                .is_some();
            let counted = test
                .store
                .snapshot(&good)
                .await
                .expect("a read")
                .recount_progress()
                .await
                .expect("a read");
            if built && measured && counted.is_some_and(|progress| progress.done) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), done)
        .await
        .expect("the passes reach the tenant after the broken one");

    let mut request = tonic::Request::new(v1::GetProfileRequest {
        key: Some(by_record("shop", "c1")),
        ..Default::default()
    });
    request
        .metadata_mut()
        .insert("x-tenant", "broken".parse().expect("a name"));
    let status = service
        .profiles()
        .get_profile(request)
        .await
        .expect_err("its model cannot be used");
    assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    assert!(
        status.message().contains("version 1") && status.message().contains("segments.gold"),
        "{status:?}"
    );
    service.stop().await;
}

#[tokio::test]
async fn a_tenant_whose_model_cannot_be_used_stops_no_pass_memory() {
    one_broken_tenant(Kind::Memory).await;
}

#[tokio::test]
async fn a_tenant_whose_model_cannot_be_used_stops_no_pass_sqlite() {
    one_broken_tenant(Kind::Sqlite).await;
}

#[tokio::test]
async fn a_tenant_whose_model_cannot_be_used_stops_no_pass_postgres() {
    one_broken_tenant(Kind::Postgres).await;
}

/// The program on a database whose model in force no server can use.
fn the_way_out(url: &str, server_may_run: bool) {
    let dir = TempDir::with_prefix("cp-activate-").expect("a directory");
    let say = |line: &str| say(dir.path(), line);
    let server = TestServer::start(url);
    assert_eq!(server.http("/readyz").0, 200);
    let get = |at: &str| say(&format!("get record:shop/c1 --server {at}"));
    let told = get(&server.address).failed(1);
    assert!(
        told.contains("version 2 of the model is in force and cannot be used"),
        "{told}"
    );
    let running = if server_may_run {
        Some(server)
    } else {
        let told = say(&format!("model activate 1 --database-url {url}")).failed(1);
        assert!(
            told.contains("another process is using this database"),
            "{told}"
        );
        assert!(server.stop().success());
        None
    };
    let told = say(&format!("model activate 9 --database-url {url}")).failed(1);
    assert!(told.contains("the model has no version 9"), "{told}");
    let told = say(&format!("model activate 2 --database-url {url}")).failed(1);
    assert!(
        told.contains("version 2") && told.contains("segments.gold"),
        "{told}"
    );
    let told = say(&format!(
        "model activate 1 --expect-version 1 --database-url {url}"
    ))
    .failed(1);
    assert!(
        told.contains("version 2 of the model is in force, not 1"),
        "{told}"
    );
    let told = say(&format!(
        "model activate 1 --expect-version 2 --database-url {url}"
    ))
    .ok();
    assert!(
        told.starts_with("version 3 is active, with the content of version 1"),
        "{told}"
    );
    let server = running.unwrap_or_else(|| TestServer::start(url));
    let found = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        get(&server.address).code == Some(0)
    });
    assert!(found, "the server never knew of it");
    assert!(server.stop().success());
}

/// A server closes its store, so the model is put in force by another one.
async fn one_customer_and_a_broken_model(open: impl AsyncFn() -> SqlStore) {
    let store: Arc<dyn Store> = Arc::new(open().await);
    let service = Service::start_by(store.clone(), ModelFile::parse(MODEL).expect("a model")).await;
    service
        .say_payloads("shop", "customers", &[json!({"id": "c1", "tier": "gold"})])
        .await;
    service.stop().await;
    drop(store);
    let store = open().await;
    force(&store, &TenantId::default(), 2, &hostile()).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_version_is_put_in_force_without_a_server_sqlite() {
    let dir = TempDir::with_prefix("cp-activate-").expect("a directory");
    let options = crate::support::stores::sqlite_options(&dir);
    one_customer_and_a_broken_model(async || crate::support::stores::sqlite(&dir).await).await;
    tokio::task::block_in_place(|| the_way_out(&options.url, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_version_is_put_in_force_beside_a_server_postgres() {
    let server = Postgres::start();
    one_customer_and_a_broken_model(async || crate::support::stores::postgres(&server).await).await;
    tokio::task::block_in_place(|| the_way_out(&server.url(), true));
}

#[tokio::test]
async fn as_many_computations_wait_as_may_and_the_rest_is_refused() {
    let waiting: Vec<_> = (0..=2 * compute::MAX_WAITING)
        .map(|_| {
            tokio::spawn(compute::run(compute::Class::Call, None, || {
                std::thread::sleep(Duration::from_millis(2));
            }))
        })
        .collect();
    let mut refused = 0;
    for job in waiting {
        refused += usize::from(job.await.expect("ends") == Err(compute::Error::Full));
    }
    assert!(refused > 0, "none was refused");
}
