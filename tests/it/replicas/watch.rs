//! A watch that is broken off at any place, on any server, tells each change once and in order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use customer_profile::grpc::v1::{WatchProfilesRequest, watch_profiles_response::Event};
use tokio::sync::Mutex;

use super::{Desk, Replicas, is_passing, throw, version};
use crate::support::scale;
use crate::support::server::TestServer;

/// How often the client goes to another server; the full form multiplies it.
const RECONNECTS: u32 = 100;
/// How many customers change.
const CUSTOMERS: i64 = 10;

/// Writes until it is told to stop; what fails is said again. Answers with the last version of each
/// customer.
async fn write(desks: Arc<Mutex<Vec<Desk>>>, over: Arc<AtomicBool>) -> i64 {
    let mut dice = 7;
    let mut last = 0;
    while !over.load(Ordering::SeqCst) {
        last += 1;
        for customer in 0..CUSTOMERS {
            loop {
                let desk = desks.lock().await[throw(&mut dice, super::SERVERS)].clone();
                match desk.write(&format!("w{customer}"), last).await {
                    Ok(_) => break,
                    Err(status) => assert!(is_passing(&status), "{status:?}"),
                }
            }
        }
    }
    last
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_change_is_told_once_and_in_order_whatever_breaks() {
    let mut replicas = Replicas::start().await;
    let desks = Arc::new(Mutex::new(replicas.desks()));
    let over = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn(write(desks.clone(), over.clone()));

    let (mut dice, mut token, mut told) = (1, String::new(), 0);
    let mut revisions: BTreeMap<String, i64> = BTreeMap::new();
    let reconnects = RECONNECTS * scale();
    let mut last = None;
    for round in 0.. {
        if round == reconnects / 3 {
            // One server is killed, and another takes its place.
            replicas.servers.remove(1).kill();
            let server = TestServer::start(&replicas.network.url());
            desks.lock().await[1] = Desk::new(&server.address);
            replicas.servers.insert(1, server);
        }
        if round == reconnects * 2 / 3 {
            replicas.database.stop();
            replicas.database.start_again();
        }
        if round == reconnects {
            over.store(true, Ordering::SeqCst);
        }
        if over.load(Ordering::SeqCst) && writing.is_finished() && last.is_none() {
            last = Some(final_revisions(&desks).await);
        }
        if last.as_ref().is_some_and(|last| *last == revisions) {
            break;
        }
        let desk = desks.lock().await[throw(&mut dice, super::SERVERS)].clone();
        let request = WatchProfilesRequest {
            resume_token: token.clone(),
            ..Default::default()
        };
        let mut stream = match desk.profiles.clone().watch_profiles(request).await {
            Ok(stream) => stream.into_inner(),
            Err(status) if is_passing(&status) => continue,
            Err(status) => panic!("{status:?}"),
        };
        let messages = 1 + throw(&mut dice, 20);
        for _ in 0..messages {
            let message = match stream.message().await {
                Ok(Some(message)) => message,
                Ok(None) => break,
                Err(status) if is_passing(&status) => break,
                Err(status) => panic!("{status:?}"),
            };
            token = message.resume_token;
            if let Some(Event::Change(change)) = message.event {
                let change = change.change.expect("a change");
                let known = revisions
                    .insert(change.profile.clone(), change.revision)
                    .unwrap_or(0);
                // The first change may be from before the watch began.
                let first = known == 0 && told < CUSTOMERS;
                assert!(
                    first || known == change.old_revision,
                    "after r{known} comes {change:?}"
                );
                told += 1;
            }
            if last.as_ref().is_some_and(|last| *last == revisions) {
                break;
            }
        }
    }
    let written = writing.await.expect("the writer");
    println!(
        "{told} changes over {reconnects} connections, of {} writes: each once, in order",
        written * CUSTOMERS
    );
    assert!(written > 1);
}

/// The revision of each customer's profile, when nobody writes any more.
async fn final_revisions(desks: &Mutex<Vec<Desk>>) -> BTreeMap<String, i64> {
    let mut found = BTreeMap::new();
    let desk = desks.lock().await[0].clone();
    for customer in 0..CUSTOMERS {
        let strong = customer_profile::grpc::v1::consistency::Requirement::FullyConsistent(true);
        // This server may not have found the database again yet.
        let read = loop {
            match desk
                .read(&format!("w{customer}"), Some(strong.clone()))
                .await
            {
                Ok(read) => break read,
                Err(status) => assert!(is_passing(&status), "{status:?}"),
            }
        };
        assert!(version(&read) > 0);
        let profile = read.profile.expect("a profile");
        found.insert(profile.name, profile.revision);
    }
    found
}
