//! How fast, as ratios measured in one run on one machine:
//!
//! - cached `GetProfile` against a bare tonic server that answers the same bytes;
//! - cached `CheckContactPermission`, and `GetProfile` for a purpose, against `GetProfile` for
//!   none, of a customer with preferences and consents;
//! - cached `GetProfile` with an API key, and with one that has a role which masks and withholds,
//!   against a server that asks for none;
//! - cached `GetContext` against cached `GetProfile`, of a customer with orders; the first page of
//!   a timeline of 100,000 events against that of one of ten; and, while 32 callers write, how long
//!   it takes from sending an event until it is counted in what is read;
//! - durable ingest at 32 callers, one statement a call, and in batches of 200, and of events of
//!   known customers, against single-row upserts by `pgbench` at 32 clients on the same PostgreSQL;
//! - the first on SQLite against plain one-row transactions on the same file system;
//! - `import` against `COPY` of the same bytes, and against inserts of 500 rows on SQLite.
//!
//! `cargo bench --bench throughput [-- reads|purposes|roles|journey|postgres|sqlite|imports]`.
//! Servers are processes of their own, as built for release; durability is on everywhere.
//! Contenders take turns, so that a slow minute of the machine slows both. Figures of one machine:
//! only the ratios travel.

mod bare;
mod client;
mod databases;
mod journey;
#[path = "../identity/people/mod.rs"]
mod people;
#[path = "../../tests/it/support/postgres.rs"]
#[expect(dead_code, reason = "tests use more of it")]
mod postgres;
mod roles;
#[expect(dead_code, reason = "the benchmark of identity uses more of it")]
mod server;
mod writes;

use std::time::Duration;

use client::Asked;
use server::Server;

/// How long each contender runs in each turn.
const TURN: Duration = Duration::from_secs(4);
/// How many turns each contender has.
const TURNS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    if let Some(position) = arguments.iter().position(|argument| argument == "--bare") {
        return runtime.block_on(bare::serve(&arguments[position + 1]));
    }
    let wanted = |name: &str| {
        let named = arguments[1..]
            .iter()
            .filter(|argument| !argument.starts_with("--"))
            .count()
            > 0;
        !named || arguments.iter().any(|argument| argument == name)
    };
    println!("{:<58} {:>10} {:>10} {:>7}", "", "this", "other", "ratio");
    if wanted("reads") {
        runtime.block_on(reads());
    }
    if wanted("purposes") {
        runtime.block_on(purposes());
    }
    if wanted("roles") {
        runtime.block_on(roles::roles());
    }
    if wanted("journey") {
        runtime.block_on(journey());
    }
    if wanted("postgres") {
        runtime.block_on(writes::postgres());
    }
    if wanted("sqlite") {
        runtime.block_on(writes::sqlite());
    }
    if wanted("imports") {
        runtime.block_on(writes::imports());
    }
}

fn report(what: &str, this: f64, other: f64) {
    println!(
        "{what:<58} {this:>8.0}/s {other:>8.0}/s {:>7.2}",
        this / other
    );
}

/// The median of each contender's turns.
fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

async fn reads() {
    let file = tempfile::tempdir().expect("a directory");
    let server = Server::start_with(
        &format!("sqlite://{}", file.path().join("db").display()),
        &[],
    )
    .await;
    let name = client::store_sample(&server.address).await;
    let answer = client::get(&server.address, &name).await;
    let bare = bare::start(&answer).await;
    let (mut this, mut other, mut this_cpu, mut other_cpu) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        for (address, pid, rates, costs) in [
            (&server.address, server.pid(), &mut this, &mut this_cpu),
            (&bare.address, bare.pid(), &mut other, &mut other_cpu),
        ] {
            let before = server::cpu_seconds(pid);
            let rate = client::read_for(address, &name, TURN).await;
            costs.push(rate.calls_per(server::cpu_seconds(pid) - before));
            rates.push(rate.per_second());
        }
    }
    report(
        "cached GetProfile, bare tonic server",
        median(this),
        median(other),
    );
    report(
        "the same per second of the server's processor time",
        median(this_cpu),
        median(other_cpu),
    );
}

async fn purposes() {
    let file = tempfile::tempdir().expect("a directory");
    let server = Server::start_with(
        &format!("sqlite://{}", file.path().join("db").display()),
        &[],
    )
    .await;
    let name = client::store_sample(&server.address).await;
    client::say_how_to_treat(&server.address).await;
    let asked = [
        Asked::Profile(""),
        Asked::Profile("service"),
        Asked::Profile("newsletter"),
        Asked::Permission,
    ];
    let (mut rates, mut costs) = (asked.map(|_| Vec::new()), asked.map(|_| Vec::new()));
    for _ in 0..TURNS {
        for (number, asked) in asked.iter().enumerate() {
            let before = server::cpu_seconds(server.pid());
            let rate = client::ask_for(&server.address, &name, *asked, TURN).await;
            costs[number].push(rate.calls_per(server::cpu_seconds(server.pid()) - before));
            rates[number].push(rate.per_second());
        }
    }
    let (rates, costs) = (rates.map(median), costs.map(median));
    for (number, what) in [
        (1, "GetProfile for service"),
        (2, "GetProfile for newsletter"),
        (3, "CheckContactPermission"),
    ] {
        report(
            &format!("cached {what}, for no purpose"),
            rates[number],
            rates[0],
        );
        report(
            "the same per second of the server's processor time",
            costs[number],
            costs[0],
        );
    }
}

async fn journey() {
    use journey::Asked;
    let database = postgres::Postgres::start_with(&["fsync=on"]);
    let server = Server::start_with(&database.url(), &[]).await;
    let few = journey::orders(&server.address, "few", 10).await;
    let many = journey::orders(&server.address, "many", 100_000).await;
    let asked = [
        (&few, Asked::Profile),
        (&few, Asked::Context { text: false }),
        (&few, Asked::Context { text: true }),
        (&few, Asked::Timeline),
        (&many, Asked::Timeline),
    ];
    let mut rates = asked.map(|_| Vec::new());
    for _ in 0..TURNS {
        for (number, (name, asked)) in asked.iter().enumerate() {
            rates[number].push(
                journey::ask_for(&server.address, name, *asked, TURN)
                    .await
                    .per_second(),
            );
        }
    }
    let rates = rates.map(median);
    report("cached GetContext, cached GetProfile", rates[1], rates[0]);
    report(
        "cached GetContext with its text, cached GetProfile",
        rates[2],
        rates[0],
    );
    report("first page of 100,000 events, of ten", rates[4], rates[3]);
    let load = client::ingest_for(&server.address, 0, TURN * 3);
    let (took, load) = tokio::join!(
        journey::counted_after(&server.address, "counted", 200),
        load
    );
    let at = |part: usize| took[(took.len() - 1) * part / 100].as_secs_f64() * 1e3;
    println!(
        "an event is counted after {:.1} ms (median), {:.1} ms (99 of 100), {:.1} ms (all), while {:.0} statements/s are written",
        at(50),
        at(99),
        at(100),
        load.per_second()
    );
}
