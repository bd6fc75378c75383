//! How late other servers are, without a token, under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;

use crate::client::Desk;
use crate::print_quantiles;

/// How many writes are watched for.
const WRITES: i64 = 1_000;
/// What else goes on: callers who write other customers, and readers of all, on every server.
const BUSY_WRITERS: usize = 4;
const BUSY_READERS: usize = 8;
/// How often it is looked whether a write is seen.
const LOOK: Duration = Duration::from_micros(500);
/// How long each of them rests between two calls, so that the processors are busy and not
/// exhausted.
const REST: Duration = Duration::from_millis(2);

pub(crate) async fn measure() {
    let (_database, servers) = crate::start(3).await;
    let desks: Vec<Desk> = servers
        .iter()
        .map(|server| Desk::new(&server.address))
        .collect();
    desks[0].write("ann", 1).await.expect("a write");
    let over = Arc::new(AtomicBool::new(false));
    let (written, read) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
    let mut busy = Vec::new();
    for (number, desk) in desks.iter().cycle().take(BUSY_WRITERS).cloned().enumerate() {
        let (over, written) = (over.clone(), written.clone());
        busy.push(tokio::spawn(async move {
            for version in 1.. {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                desk.write(&format!("b{number}-{}", version % 50), version)
                    .await
                    .expect("a write");
                written.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(REST).await;
            }
        }));
    }
    for desk in desks.iter().cycle().take(BUSY_READERS) {
        let (desk, over, read) = (desk.clone(), over.clone(), read.clone());
        busy.push(tokio::spawn(async move {
            while !over.load(Ordering::SeqCst) {
                desk.read("ann").await.expect("a read");
                read.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(REST).await;
            }
        }));
    }
    let started = Instant::now();
    let mut late: Vec<f64> = Vec::new();
    for version in 2..WRITES + 2 {
        desks[0].write("ann", version).await.expect("a write");
        let at = Instant::now();
        // Both others, each until it is right.
        let seen = desks[1..].iter().map(async |desk| {
            while desk.read("ann").await.expect("a read") < version {
                tokio::time::sleep(LOOK).await;
            }
            at.elapsed().as_secs_f64() * 1e3
        });
        late.extend(join_all(seen).await);
    }
    over.store(true, Ordering::SeqCst);
    for task in busy {
        task.await.expect("a caller");
    }
    let seconds = started.elapsed().as_secs().max(1);
    let (written, read) = (
        written.load(Ordering::SeqCst) / seconds,
        read.load(Ordering::SeqCst) / seconds,
    );
    println!("beside {written} other writes and {read} reads a second:");
    print_quantiles("a write is seen on another server after", &mut late);
}
