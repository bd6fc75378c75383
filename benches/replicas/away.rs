//! The database goes away for a while, under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;

use crate::client::Desk;
use crate::postgres::Postgres;
use crate::{print_quantiles, quantile};

/// How long it is away, and how long it is measured before.
const AWAY: Duration = Duration::from_mins(1);
const BEFORE: Duration = Duration::from_secs(10);
/// How many readers of how many hot profiles there are.
const READERS: usize = 16;
const HOT: usize = 200;

pub(crate) async fn measure() {
    for (what, begin, end) in [
        (
            "stopped",
            Postgres::stop as fn(&mut Postgres),
            Postgres::start_again as fn(&mut Postgres),
        ),
        ("frozen", Postgres::freeze, Postgres::thaw),
    ] {
        let (mut database, servers) = crate::start(1).await;
        let desk = Desk::new(&servers[0].address);
        for customer in 0..HOT {
            desk.write(&format!("h{customer}"), 1)
                .await
                .expect("a write");
            desk.read(&format!("h{customer}")).await.expect("a read");
        }
        let mut normal = read_for(&desk, BEFORE).await;
        assert_eq!(normal.failed, 0, "reads fail while the database is there");
        begin(&mut database);
        let mut away = read_for(&desk, AWAY).await;
        println!(
            "{what} for {AWAY:?}: {} hot reads answered, {} failed",
            away.took.len(),
            away.failed
        );
        print_quantiles("  before", &mut normal.took);
        print_quantiles("  away  ", &mut away.took);
        println!(
            "  p99 {:.2} of the normal",
            quantile(&mut away.took, 0.99) / quantile(&mut normal.took, 0.99)
        );
        end(&mut database);
        let at = Instant::now();
        while desk.write("h0", 2).await.is_err() {}
        let written = at.elapsed();
        let cold: Vec<String> = (0..100).map(|number| format!("cold{number}")).collect();
        let is_unavailable = |status: &tonic::Status| status.code() == tonic::Code::Unavailable;
        while join_all(cold.iter().map(|customer| desk.read(customer)))
            .await
            .iter()
            .any(|read| read.as_ref().err().is_some_and(is_unavailable))
        {}
        println!(
            "  back: a write after {written:?}, a hundred cold reads at once after {:?}",
            at.elapsed()
        );
    }
}

#[derive(Default)]
struct Measured {
    took: Vec<f64>,
    failed: u64,
}

async fn read_for(desk: &Desk, time: Duration) -> Measured {
    let over = Arc::new(AtomicBool::new(false));
    let readers = (0..READERS).map(|reader| {
        let (desk, over) = (desk.clone(), over.clone());
        tokio::spawn(async move {
            let mut measured = Measured::default();
            for number in reader.. {
                if over.load(Ordering::SeqCst) {
                    break;
                }
                let at = Instant::now();
                match desk.read(&format!("h{}", number % HOT)).await {
                    Ok(_) => measured.took.push(at.elapsed().as_secs_f64() * 1e3),
                    Err(_) => measured.failed += 1,
                }
            }
            measured
        })
    });
    let readers: Vec<_> = readers.collect();
    tokio::time::sleep(time).await;
    over.store(true, Ordering::SeqCst);
    let mut all = Measured::default();
    for reader in readers {
        let measured = reader.await.expect("a reader");
        all.took.extend(measured.took);
        all.failed += measured.failed;
    }
    all
}
