//! A clock that was far ahead for one write, or that is behind: what is told about the past, the
//! present and the log.

use std::sync::Arc;
use std::time::Duration;

use customer_profile::active_models::ModelFile;
use customer_profile::background::retention;
use customer_profile::clock::{Clock, SystemClock};
use customer_profile::config::Config;
use customer_profile::grpc::v1;
use customer_profile::store::memory::MemoryStore;
use customer_profile::store::{LogCursor, LogPosition, Store};
use customer_profile::telemetry::http::Readiness;
use profile_core::records::{Sequence, TenantId, Timestamp};
use tempfile::TempDir;

use crate::support::clock::{SetClock, instant};
use crate::support::server::TestServer;
use crate::support::service::{Service, by_record, upsert};
use crate::support::stores::{Kind, TestStore, sqlite, sqlite_options};

async fn say(service: &Service, city: &str, version: i64) {
    let statement = upsert(
        ("web", "1"),
        &[("email", "ann@shop.com")],
        &[("city", city)],
        version,
    );
    service.say(vec![statement]).await;
}

/// Where the customer lived at a time, and when that write was by its own word.
async fn city_at(service: &Service, time: &str) -> String {
    let seconds = instant(time).as_micros() / 1_000_000;
    let request = v1::GetProfileRequest {
        key: Some(by_record("web", "1")),
        view: v1::ProfileView::Full.into(),
        as_of_time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
        ..Default::default()
    };
    let answer = service.profiles().get_profile(request).await;
    let profile = answer.map(|answer| answer.into_inner().profile.expect("a profile"));
    profile.map_or_else(
        |status| format!("{:?}", status.code()),
        |profile| format!("{:?}", profile.traits["city"].value),
    )
}

async fn update_year(service: &Service) -> i64 {
    let request = v1::GetProfileRequest {
        key: Some(by_record("web", "1")),
        ..Default::default()
    };
    let profile = service
        .profiles()
        .get_profile(request)
        .await
        .expect("a profile")
        .into_inner()
        .profile;
    1970 + profile
        .expect("a profile")
        .update_time
        .expect("a time")
        .seconds
        / 31_557_600
}

async fn one_write_ten_years_ahead(store: Arc<dyn Store>) {
    let clock = Arc::new(SetClock::at("2026-11-28T12:00:00Z"));
    let service = Service::start_at(store.clone(), ModelFile::built_in(), clock.clone()).await;
    say(&service, "Boston", 1).await;
    clock.set(instant("2036-01-01T00:00:00Z"));
    say(&service, "Salem", 2).await;
    clock.set(instant("2026-11-28T12:02:00Z"));
    say(&service, "Lynn", 3).await;
    clock.set(instant("2026-11-28T12:03:00Z"));
    say(&service, "Nahant", 4).await;
    clock.set(instant("2026-11-28T13:00:00Z"));

    assert_eq!(update_year(&service).await, 2026);
    let cities = [
        ("2026-11-28T11:59:59Z", "NotFound"),
        ("2026-11-28T12:01:00Z", "Boston"),
        ("2026-11-28T12:02:30Z", "Lynn"),
        ("2026-11-28T12:59:59Z", "Nahant"),
        ("2036-01-01T00:00:00Z", "Nahant"),
    ];
    for (time, city) in cities {
        let told = city_at(&service, time).await;
        assert!(told.contains(city), "{time}: {told} instead of {city}");
    }

    // The log is whole and in order, and goes by age as a whole.
    let cursor = LogCursor {
        tenant: TenantId::default(),
        after: LogPosition::after(Sequence(0)),
    };
    let tails = store
        .read_log(std::slice::from_ref(&cursor), 100)
        .await
        .expect("the log");
    let times: Vec<_> = tails[0].entries.iter().map(|entry| entry.time).collect();
    assert!(
        times.is_sorted() && times.last() < Some(&instant("2027-01-01T00:00:00Z")),
        "{times:?}"
    );
    let bounds = Config::defaults().changes;
    retention::trim(&*store, &instant("2026-12-28T12:00:00Z"), &bounds)
        .await
        .expect("trimmed");
    assert_eq!(
        store.read_log(&[cursor], 100).await.expect("the log")[0]
            .entries
            .len(),
        1
    );
}

#[tokio::test]
async fn one_write_ten_years_ahead_does_not_poison_later_times() {
    for kind in [Kind::Memory, Kind::Sqlite, Kind::Postgres] {
        let ground = TestStore::start(kind).await;
        one_write_ten_years_ahead(ground.store.clone()).await;
    }
}

#[tokio::test]
async fn a_clock_that_is_behind_moves_no_times() {
    let clock = Arc::new(SetClock::at("2026-11-28T12:00:00Z"));
    let service = Service::start_at(
        Arc::new(MemoryStore::new()),
        ModelFile::built_in(),
        clock.clone(),
    )
    .await;
    say(&service, "Boston", 1).await;
    clock.set(instant("2026-11-28T12:10:00Z"));
    say(&service, "Salem", 2).await;
    // Set back by less than an hour; and to the time of machines whose battery is empty.
    for (time, city, version) in [
        ("2026-11-28T12:05:00Z", "Lynn", 3),
        ("1970-01-01T00:00:10Z", "Nahant", 4),
    ] {
        clock.set(instant(time));
        say(&service, city, version).await;
        let told = city_at(&service, time).await;
        assert!(
            told.contains(city),
            "the present is what the last write left: {told}"
        );
    }
    clock.set(instant("2026-11-28T13:00:00Z"));
    assert!(
        city_at(&service, "2026-11-28T12:09:00Z")
            .await
            .contains("Boston")
    );
    assert!(
        city_at(&service, "2026-11-28T12:11:00Z")
            .await
            .contains("Nahant")
    );
}

/// A clock that has just jumped.
struct Jumped(Timestamp);

impl Clock for Jumped {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn is_steady(&self, _period: Duration) -> bool {
        false
    }
}

#[tokio::test]
async fn a_clock_that_has_jumped_throws_nothing_away() {
    let store = Arc::new(MemoryStore::new());
    let clock = Arc::new(SetClock::at("2026-11-28T12:00:00Z"));
    let service = Service::start_at(store.clone(), ModelFile::built_in(), clock.clone()).await;
    for version in 1..=3 {
        say(&service, &format!("Boston {version}"), version).await;
    }
    let bounds = Config::defaults().changes;
    let later = instant("2036-01-01T00:00:00Z");
    assert_eq!(
        retention::trim(&*store, &Jumped(later), &bounds)
            .await
            .expect("nothing to do"),
        0
    );
    assert!(
        retention::trim(&*store, &later, &bounds)
            .await
            .expect("trimmed")
            > 0
    );
}

#[tokio::test]
async fn a_server_whose_clock_differs_from_the_databases_writes_nothing_and_says_so() {
    let right = SystemClock.now();
    for (micros, side) in [(3_600_000_000, "ahead of"), (-3_600_000_000, "behind")] {
        // A service closes its store when it ends.
        let ground = TestStore::start(Kind::Postgres).await;
        let clock = Arc::new(Timestamp::from_micros(right.as_micros() + micros));
        let mut service =
            Service::start_unready_by(ground.store.clone(), (ModelFile::built_in(), clock), |_| {})
                .await;
        let why = |ready: &Readiness| matches!(ready, Readiness::NotReady(why) if why.contains("database.max_clock_difference"));
        let told = service
            .ready
            .wait_for(why)
            .await
            .expect("a running server")
            .clone();
        assert!(
            matches!(&told, Readiness::NotReady(why) if why.contains(side)),
            "{told:?}"
        );
        let statements = vec![upsert(("web", "1"), &[], &[("given_name", "Ann")], 1)];
        let request = v1::IngestStatementsRequest { statements };
        let refused = service
            .ingest()
            .ingest_statements(request)
            .await
            .expect_err("nothing is written");
        assert_eq!(refused.code(), tonic::Code::Unavailable);
        assert!(refused.message().contains(side), "{refused:?}");
        let request = v1::GetProfileRequest {
            key: Some(by_record("web", "1")),
            ..Default::default()
        };
        let read = service
            .profiles()
            .get_profile(request)
            .await
            .expect_err("there is nobody");
        assert_eq!(read.code(), tonic::Code::NotFound, "reads go on");
        service.stop().await;
    }
}

/// A file has no clock of its own, but its newest write has a time.
#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_a_clock_that_is_behind_the_newest_write_is_told_at_start() {
    let dir = TempDir::with_prefix("cp-sqlite-").expect("a temporary directory");
    let clock = Arc::new(SetClock::at("2100-01-01T00:00:00Z"));
    let service =
        Service::start_at(Arc::new(sqlite(&dir).await), ModelFile::built_in(), clock).await;
    say(&service, "Boston", 1).await;
    service.stop().await;

    let server = TestServer::start_unready(&sqlite_options(&dir).url, &[]);
    let told = server.wait_for(
        "the clock is behind the newest write: it is wrong, or was when that was written",
    );
    assert!(
        told["behind_seconds"].as_i64() > Some(30 * 365 * 24 * 3_600),
        "{told}"
    );
}
