//! A server that is frozen in the middle of its writes keeps nobody from writing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::join_all;

use super::{Desk, Replicas, is_passing};

/// How often the server is stopped.
const ROUNDS: usize = 10;
/// Callers of the server that is stopped.
const CALLERS: usize = 16;

/// Writes new customers until the flag is set. A server that was frozen for long ends its
/// connections: then a client tries again.
async fn write_on(desk: Desk, caller: String, ends: Arc<AtomicBool>) {
    let mut count = 0;
    while !ends.load(Ordering::Relaxed) {
        match desk.write(&format!("{caller}-{count}"), 1).await {
            Ok(_) => count += 1,
            Err(status) => assert!(is_passing(&status), "{status:?}"),
        }
    }
}

/// Waits until no connection is in a state. One of a server that is frozen stays in its state.
async fn wait_for_none(replicas: &Replicas, state: &str) {
    while count(replicas, state) != "0" {
        tokio::task::yield_now().await;
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
            assert!(among.as_ref().err().is_none_or(is_passing), "{among:?}");
        }
        replicas.servers[0].signal("STOP");
        // The database goes on with the statement that it has.
        wait_for_none(
            &replicas,
            "state = 'active' AND query ~ '(INTO|UPDATE) tenant'",
        )
        .await;
        // Whoever reads may be within a transaction; whoever has written or locked a row has a
        // number.
        let locks = "state LIKE 'idle in transaction%' AND backend_xid IS NOT NULL";
        wait_for_none(&replicas, locks).await;
        let free = desks[1].write(&format!("free{round}"), 1).await;
        free.expect("written while the other server is frozen");
        replicas.servers[0].signal("CONT");
        ends.store(true, Ordering::Relaxed);
        for caller in join_all(callers).await {
            caller.expect("a caller");
        }
    }
}
