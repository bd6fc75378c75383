//! What several servers on one PostgreSQL do, measured:
//!
//! - `stale`: how long after a write was answered other servers still answered what was before it,
//!   without a token, under load;
//! - `watch`: how many bytes of the server's memory a watcher takes, and how long after a write was
//!   answered all are told;
//! - `cold`: how many reads of the database 10,000 readers of one profile make that nobody has read
//!   yet;
//! - `away`: how hot profiles are answered while the database is stopped, and frozen, and how soon
//!   all is as before.
//!
//! `cargo bench --bench replicas [-- stale|watch|cold|away]`. Servers are processes of their own,
//! as built for release.

mod away;
mod client;
mod cold;
#[path = "../../tests/it/support/postgres.rs"]
#[expect(dead_code, reason = "tests use more of it")]
mod postgres;
#[path = "../throughput/server.rs"]
#[expect(dead_code, reason = "the benchmark of throughput uses more of it")]
mod server;
mod stale;
mod watch;

use postgres::Postgres;
use server::Server;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let wanted =
        |name: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    if wanted("stale") {
        runtime.block_on(stale::measure());
    }
    if wanted("watch") {
        runtime.block_on(watch::measure());
    }
    if wanted("cold") {
        runtime.block_on(cold::measure());
    }
    if wanted("away") {
        runtime.block_on(away::measure());
    }
}

/// So many servers on a database of their own.
async fn start(servers: usize) -> (Postgres, Vec<Server>) {
    let database = Postgres::start_with(&["max_connections=200"]);
    let mut started = Vec::new();
    for _ in 0..servers {
        // More calls in work than any measurement here begins.
        let many = ["--set", "grpc.max_concurrent_requests=20000"];
        started.push(Server::start_with(&database.url(), &many).await);
    }
    (database, started)
}

/// A quantile of measured milliseconds, which are sorted by this.
fn quantile(measured: &mut [f64], quantile: f64) -> f64 {
    measured.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in a list"
    )]
    let place = (quantile * measured.len() as f64) as usize;
    measured
        .get(place.min(measured.len().saturating_sub(1)))
        .copied()
        .unwrap_or(f64::NAN)
}

fn print_quantiles(what: &str, measured: &mut [f64]) {
    let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|q| quantile(measured, q));
    let count = measured.len();
    println!("{what}: p50 {p50:.1} ms, p99 {p99:.1} ms, p99.9 {p999:.1} ms of {count}");
}
