//! A server that is frozen in the middle of its writes keeps nobody from writing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::join_all;

use super::{Desk, Replicas};

/// How often the server is stopped.
const ROUNDS: usize = 10;
/// Callers of the server that is stopped.
const CALLERS: usize = 16;

/// Writes new customers until the flag is set.
async fn write_on(desk: Desk, caller: String, ends: Arc<AtomicBool>) {
    let mut count = 0;
    while !ends.load(Ordering::Relaxed) {
        let written = desk.write(&format!("{caller}-{count}"), 1).await;
        written.expect("a write");
        count += 1;
    }
}

/// How many connections of servers are in a state.
fn count(replicas: &Replicas, state: &str) -> String {
    let count = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' \
         AND pid <> pg_backend_pid() AND {state}"
    );
    replicas.database.sql(&count).trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_frozen_while_it_writes_holds_no_lock() {
    let replicas = Replicas::start().await;
    let desks = replicas.desks();
    for round in 0..ROUNDS {
        let ends = Arc::new(AtomicBool::new(false));
        let callers = (0..CALLERS).map(|caller| {
            let name = format!("busy{round}-{caller}");
            tokio::spawn(write_on(desks[0].clone(), name, ends.clone()))
        });
        let callers: Vec<_> = callers.collect();
        for number in 0..round {
            let among = desks[0].write(&format!("among{round}-{number}"), 1).await;
            among.expect("a write");
        }
        replicas.servers[0].signal("STOP");
        // The database goes on with the statement that it has.
        while count(&replicas, "state = 'active' AND query LIKE '%INTO tenant%'") != "0" {
            tokio::task::yield_now().await;
        }
        assert_eq!(count(&replicas, "state LIKE 'idle in transaction%'"), "0");
        let free = desks[1].write(&format!("free{round}"), 1).await;
        free.expect("written while the other server is frozen");
        replicas.servers[0].signal("CONT");
        ends.store(true, Ordering::Relaxed);
        for caller in join_all(callers).await {
            caller.expect("a caller");
        }
    }
}
