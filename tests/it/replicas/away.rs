//! The database goes away: stopped, or frozen so that nobody is told. Hot profiles are answered, the rest fails at once, and
//! all goes on by itself when it is back.

use customer_profile::grpc::v1;
use customer_profile::grpc::v1::consistency::Requirement;
use futures::future::join_all;
use tonic::Code;
use tonic_types::StatusExt;

use super::{Desk, Replicas, version};

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
            desk.read(customer, None).await.expect("a read that makes it hot");
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
            assert_eq!(read.read_info.expect("info").source(), v1::ReadSource::Cache);
        }
        let cold = desk.read("cold", None).await.expect_err("nobody knows");
        let write = desk.write("hot1", 2).await.expect_err("cannot be written");
        let strong = desk.read("hot1", Some(Requirement::FullyConsistent(true))).await.expect_err("cannot be known");
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
        for read in join_all(names.iter().map(|name| desk.read(name, None))).await {
            assert_eq!(read.expect_err("nobody").code(), Code::NotFound);
        }
    }
    for desk in &desks {
        let read = desk.read("hot1", Some(Requirement::MaxStaleness(prost_types::Duration::default()))).await;
        let read = read.expect("a read");
        assert!(version(&read) >= 5, "{read:?}");
        assert!(!read.read_info.expect("info").stale);
    }
}

/// An answer is called stale when it is older than answers are to be.
async fn is_stale_in_the_end(desks: &[Desk]) {
    for desk in desks {
        while !desk.read("hot1", None).await.expect("a hot profile").read_info.expect("info").stale {}
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
