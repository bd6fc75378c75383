//! Spot checks of cached answers find what changes behind the servers' backs.

use sea_orm::{ConnectionTrait, Database};

use super::{Replicas, version};

/// More than the hits of which one is checked.
const READS: usize = 2_500;

/// The figure of a server.
fn figure(replicas: &Replicas, outcome: &str) -> u64 {
    let (_, figures) = replicas.servers[0].http("/metrics");
    let name = format!("customer_profile_cache_spot_checks_total{{outcome=\"{outcome}\"}} ");
    figures
        .lines()
        .find_map(|line| line.strip_prefix(&name)?.parse().ok())
        .expect("a figure")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hit_in_a_thousand_is_compared_with_the_database() {
    // A server that is kept from reading the log for a while would read the row anew: then nothing
    // would be wrong.
    let replicas = Replicas::start_with(&["--set", "cache.max_staleness=1h"]).await;
    let desk = &replicas.desks()[0];
    desk.write("ann", 1).await.expect("a write");
    for _ in 0..READS {
        desk.read("ann", None).await.expect("a read");
    }
    while figure(&replicas, "consistent") == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(figure(&replicas, "inconsistent"), 0);

    // What no writer does: a row changes, and the log does not tell.
    let database = Database::connect(replicas.database.url())
        .await
        .expect("a connection");
    let changed = database
        .execute_unprepared("UPDATE record SET body = replace(body, '\"1\"', '\"2\"')")
        .await;
    assert_eq!(changed.expect("an update").rows_affected(), 1);
    for _ in 0..READS {
        assert_eq!(version(&desk.read("ann", None).await.expect("a read")), 1);
    }
    while figure(&replicas, "inconsistent") == 0 {
        tokio::task::yield_now().await;
    }
}
