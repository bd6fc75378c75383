//! Many watchers of one server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use customer_profile::grpc::v1::{WatchProfilesRequest, watch_profiles_response::Event};
use tokio::sync::mpsc;

use crate::client::{Desk, key};
use crate::print_quantiles;

/// How many clients watch, over how many connections.
const WATCHERS: usize = 10_000;
const CONNECTIONS: usize = 100;
/// How many customers they watch, each as many.
const CUSTOMERS: usize = 1_000;
/// How many writes are made.
const WRITES: i64 = 200;

pub(crate) async fn measure() {
    let (_database, servers) = crate::start(2).await;
    let (here, there) = (Desk::new(&servers[0].address), &servers[1]);
    for customer in 0..CUSTOMERS {
        here.write(&format!("w{customer}"), 1)
            .await
            .expect("a write");
    }
    let before = resident(there.pid());
    let begun = Arc::<AtomicU64>::default();
    let (told, mut heard) = mpsc::unbounded_channel();
    for connection in 0..CONNECTIONS {
        let desk = Desk::new(&there.address);
        for number in 0..WATCHERS / CONNECTIONS {
            let (mut profiles, told, begun) = (desk.profiles.clone(), told.clone(), begun.clone());
            let customer = (connection * (WATCHERS / CONNECTIONS) + number) % CUSTOMERS;
            let request = WatchProfilesRequest {
                keys: vec![key(&format!("w{customer}"))],
                ..Default::default()
            };
            tokio::spawn(async move {
                let mut stream = profiles
                    .watch_profiles(request)
                    .await
                    .expect("a watch")
                    .into_inner();
                // At the end the server goes.
                while let Ok(Some(message)) = stream.message().await {
                    match message.event.expect("something") {
                        Event::Snapshot(_) => drop(begun.fetch_add(1, Ordering::SeqCst)),
                        Event::Change(_) => drop(told.send(Instant::now())),
                        Event::Heartbeat(_) => {}
                    }
                }
            });
        }
    }
    while begun.load(Ordering::SeqCst) < WATCHERS as u64 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let after = resident(there.pid());
    println!(
        "{WATCHERS} watchers: the server grew from {} to {} MB",
        before / 1_000_000,
        after / 1_000_000
    );
    let mut late: Vec<f64> = Vec::new();
    for version in 0..WRITES {
        let customer = usize::try_from(version).expect("small") % CUSTOMERS;
        here.write(&format!("w{customer}"), 2 + version)
            .await
            .expect("a write");
        let at = Instant::now();
        for _ in 0..WATCHERS / CUSTOMERS {
            let heard = heard.recv().await.expect("a change");
            late.push(heard.saturating_duration_since(at).as_secs_f64() * 1e3);
        }
    }
    print_quantiles("a write through another server is told after", &mut late);
}

/// The memory of a process, in bytes (Linux: `/proc/PID/statm`, pages of 4 KiB).
fn resident(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).expect("a running process");
    text.split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok())
        .expect("a number")
        * 4096
}
