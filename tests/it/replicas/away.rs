//! The database goes away: stopped, or frozen so that nobody is told. Hot profiles are answered,
//! the rest fails at once, and all goes on by itself when it is back.

use std::path::Path;
use std::time::Duration;

use customer_profile::grpc::v1;
use customer_profile::grpc::v1::consistency::Requirement;
use customer_profile::grpc::v1::model_service_client::ModelServiceClient;
use futures::future::{join, join_all};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, TransactionTrait};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{Desk, Replicas, version};
use crate::support::program;

/// More than a server has connections.
const CALLERS: usize = 40;

/// What takes the database away, and what brings it back.
#[derive(Clone, Copy)]
enum Outage {
    /// Its processes end.
    Stopped,
    /// Its processes stand still.
    Frozen,
    /// The network swallows everything; connections of before lead nowhere for good.
    CutOff,
}

impl Outage {
    fn begin(self, replicas: &mut Replicas) {
        match self {
            Self::Stopped => replicas.database.stop(),
            Self::Frozen => replicas.database.freeze(),
            Self::CutOff => replicas.network.take_away(),
        }
    }

    fn end(self, replicas: &mut Replicas) {
        match self {
            Self::Stopped => replicas.database.start_again(),
            Self::Frozen => replicas.database.thaw(),
            Self::CutOff => replicas.network.bring_back(),
        }
    }
}

async fn write_until_it_works(desk: &Desk, customer: &str, version: i64) {
    while let Err(status) = desk.write(customer, version).await {
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    }
}

async fn goes_through(outage: Outage) {
    let mut replicas = Replicas::start().await;
    let desks = replicas.desks();
    let customers: Vec<String> = (0..CALLERS).map(|number| format!("hot{number}")).collect();
    for customer in &customers {
        desks[0].write(customer, 1).await.expect("a write");
    }
    for desk in &desks {
        for customer in &customers {
            desk.read(customer, None)
                .await
                .expect("a read that makes it hot");
        }
    }
    outage.begin(&mut replicas);

    // Each server notices by itself.
    for server in &replicas.servers {
        server.wait_for("the database is away; what is cached is still answered");
    }
    for desk in &desks {
        for read in join_all(customers.iter().map(|customer| desk.read(customer, None))).await {
            let read = read.expect("a hot profile is answered");
            assert_eq!(version(&read), 1);
            assert_eq!(
                read.read_info.expect("info").source(),
                v1::ReadSource::Cache
            );
        }
        let cold = desk.read("cold", None).await.expect_err("nobody knows");
        let write = desk.write("hot1", 2).await.expect_err("cannot be written");
        let strong = desk
            .read("hot1", Some(Requirement::FullyConsistent(true)))
            .await
            .expect_err("cannot be known");
        for status in [cold, write, strong] {
            assert_eq!(status.code(), Code::Unavailable, "{status:?}");
            assert!(status.get_details_retry_info().is_some(), "{status:?}");
        }
    }
    is_stale_in_the_end(&desks).await;

    outage.end(&mut replicas);
    for server in &replicas.servers {
        server.wait_for("the database is back");
    }
    for (number, desk) in desks.iter().enumerate() {
        write_until_it_works(desk, "hot1", 3 + i64::try_from(number).expect("small")).await;
        // As many at once as there are connections, and more: none is lost.
        let names: Vec<String> = (0..CALLERS).map(|caller| format!("cold{caller}")).collect();
        let strong = || Some(Requirement::MaxStaleness(prost_types::Duration::default()));
        for read in join_all(names.iter().map(|name| until_there(desk, name, None))).await {
            assert_eq!(read.expect_err("nobody").code(), Code::NotFound);
        }
        let read = until_there(desk, "hot1", strong()).await.expect("a read");
        assert!(
            version(&read) >= 3 + i64::try_from(number).expect("small"),
            "{read:?}"
        );
        assert!(!read.read_info.expect("info").stale);
    }
}

/// Reads until the database answers: one that has just come back may be too busy for a moment.
async fn until_there(
    desk: &Desk,
    customer: &str,
    requirement: Option<Requirement>,
) -> Result<v1::GetProfileResponse, Status> {
    loop {
        match desk.read(customer, requirement.clone()).await {
            Err(status) if status.code() == Code::Unavailable => {}
            answer => return answer,
        }
    }
}

/// An answer is called stale when it is older than answers are to be.
async fn is_stale_in_the_end(desks: &[Desk]) {
    for desk in desks {
        while !desk
            .read("hot1", None)
            .await
            .expect("a hot profile")
            .read_info
            .expect("info")
            .stale
        {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_stopped_is_bridged() {
    goes_through(Outage::Stopped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_frozen_is_bridged() {
    goes_through(Outage::Frozen).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_cut_off_is_bridged() {
    goes_through(Outage::CutOff).await;
}

/// Longer than an answer may be late, and shorter than a call waits for a connection.
const FAR: Duration = Duration::from_millis(1_300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_whose_connections_take_long_is_used_and_comes_back() {
    let mut replicas = Replicas::start().await;
    let desks = replicas.desks();
    replicas.network.connect_in(FAR);
    // Also by a program that has one try.
    program::run(
        Path::new("/"),
        ["migrate", "--database-url", &replicas.network.url()],
    )
    .ok();
    Outage::CutOff.begin(&mut replicas);
    for server in &replicas.servers {
        server.wait_for("the database is away; what is cached is still answered");
    }
    Outage::CutOff.end(&mut replicas);
    for (server, desk) in replicas.servers.iter().zip(&desks) {
        server.wait_for("the database is back");
        write_until_it_works(desk, "far", 1).await;
        let read = until_there(desk, "far", None).await.expect("a read");
        assert_eq!(version(&read), 1);
    }
    // They are not away again as soon as they are back.
    for server in &replicas.servers {
        assert!(!server.has_said("the database is away; what is cached is still answered"));
    }
}

const MODEL: &str = "identifiers: { email: { priority: 1 } }\ntraits: { city: { keep: longest } }\nsources: { web: { trust: 1 } }\n";

/// A model is asked about or put in force, to the end.
async fn to_the_end<T>(
    answers: Result<tonic::Response<tonic::Streaming<T>>, Status>,
) -> Result<(), Status> {
    let mut stream = answers?.into_inner();
    while stream.message().await?.is_some() {}
    Ok(())
}

async fn plan_and_apply(server: &str) -> [Result<(), Status>; 2] {
    let channel = tonic::transport::Endpoint::from_shared(server.to_owned())
        .expect("an address")
        .connect_lazy();
    let (mut planning, mut applying) = (
        ModelServiceClient::new(channel.clone()),
        ModelServiceClient::new(channel),
    );
    let content = v1::model_candidate::Content::File(MODEL.to_owned());
    let candidate = Some(v1::ModelCandidate {
        content: Some(content),
        weights: None,
    });
    let plan = v1::PlanModelRequest {
        candidate: candidate.clone(),
    };
    let apply = v1::ApplyModelRequest {
        candidate,
        ..Default::default()
    };
    let plan = async { to_the_end(planning.plan_model(plan).await).await };
    let apply = async { to_the_end(applying.apply_model(apply).await).await };
    join(plan, apply).await.into()
}

/// How many statements wait for a lock.
async fn waiting(database: &DatabaseConnection) -> usize {
    let asked = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let asked = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, asked);
    database
        .query_all_raw(asked)
        .await
        .expect("an answer")
        .len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_is_planned_or_applied_is_refused_at_once_when_the_database_goes() {
    let mut replicas = Replicas::start().await;
    replicas.desks()[0].write("ann", 1).await.expect("a write");
    let address = replicas.servers[0].address.clone();
    let database = Database::connect(replicas.database.url())
        .await
        .expect("a connection");
    let lock = database.begin().await.expect("a transaction");
    lock.execute_unprepared("LOCK TABLE record IN ACCESS EXCLUSIVE MODE")
        .await
        .expect("a lock");
    let asked = tokio::spawn(async move { plan_and_apply(&address).await });
    // Both are in the middle of it: their transactions are open, and records are what they wait
    // for.
    while waiting(&database).await < 2 {}
    replicas.database.freeze();
    for refused in asked.await.expect("answers") {
        let status = refused.expect_err("refused");
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        assert!(status.get_details_retry_info().is_some(), "{status:?}");
    }
    replicas.database.thaw();
    lock.rollback().await.expect("the lock is given back");
    let server = &replicas.servers[0];
    server.wait_for("the database is back");
    // Nothing of it is left, neither the turn nor the model; and now it works.
    loop {
        let [planned, applied] = plan_and_apply(&server.address).await;
        match planned.and(applied) {
            Ok(()) => break,
            Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status:?}"),
        }
    }
    write_until_it_works(&replicas.desks()[1], "ann", 2).await;
}
