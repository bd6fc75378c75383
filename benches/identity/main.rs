//! How right identity is, and what it costs: on labelled sets, through the server as users run it,
//! with one model (`model.yaml`) for all sets.
//!
//! ```sh
//! cargo bench --bench identity -- SET…            # each a folder: records.csv, truth.csv, README.md
//! cargo bench --bench identity -- --splink SET…   # beside Splink on the same sets, installed by pip
//! cargo bench --bench identity -- --scale         # what a record costs among 100,000 and among 1,000,000 people
//! ```
//!
//! For each set a new database is made, its rows are imported, and the profile of each record is
//! read back and compared with the truth: with the weights that are compiled in (`shipped`), and
//! with those that are learned, without labels, from the set itself and put in force on what is
//! stored (`trained`). Then the set is imported into another database that has the trained weights
//! from the start (`afresh`), which must come to the same partition, or the benchmark fails. All on
//! SQLite, or `--database postgres`.

mod client;
mod database;
mod measure;
mod metrics;
mod people;
#[path = "../../tests/it/support/postgres.rs"]
#[expect(dead_code, reason = "tests use more of it")]
mod postgres;
mod scale;
#[path = "../throughput/server.rs"]
mod server;
mod set;
mod splink;
mod trained;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Parser;

use client::{Client, Imported};
use database::{Database, Kind};
use measure::Figures;
use server::Server;
use set::Set;
use splink::Splink;

/// The one model of all sets.
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/identity/model.yaml");

/// How right identity is, and what it costs.
#[derive(Debug, Parser)]
struct Arguments {
    /// Labelled sets: folders with records.csv and truth.csv
    #[arg(required_unless_present = "scale")]
    sets: Vec<PathBuf>,
    /// Which database to use
    #[arg(long, value_enum, default_value = "sqlite")]
    database: Kind,
    /// Run Splink on the same sets
    #[arg(long)]
    splink: bool,
    /// Measure what a record costs among more and more people
    #[arg(long)]
    scale: bool,
    /// With --scale: how many people
    #[arg(long, value_delimiter = ',', default_value = "100000,1000000")]
    sizes: Vec<u64>,
    /// What cargo says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run(Arguments::parse()))
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let splink = if arguments.splink {
        Some(Splink::install()?)
    } else {
        None
    };
    if !arguments.sets.is_empty() {
        println!(
            "{:<26} {:<8} {:^20}  {:^20} {:>7} {:>8} {:>8} {:>9}",
            "", "", "pairwise", "B-cubed", "largest", "profiles", "seconds", "records/s"
        );
    }
    for folder in &arguments.sets {
        let set = Set::read(folder).with_context(|| format!("the set {}", folder.display()))?;
        resolve(&set, arguments.database)
            .await
            .with_context(|| set.name.clone())?;
        if let Some(splink) = &splink {
            let (clusters, took) = splink.resolve(&set)?;
            line(&set, "Splink", &set.measure(&clusters), Some(took));
        }
    }
    if arguments.scale {
        scale::run(arguments.database, &arguments.sizes).await?;
    }
    Ok(())
}

/// Imports a set into a new database and prints how right it is: with the weights that are compiled
/// in, with those that are learned from it, and when it is imported afresh with these, which must
/// come to the same.
async fn resolve(set: &Set, kind: Kind) -> anyhow::Result<()> {
    let database = Database::start(kind)?;
    let server = Server::start_with(&database.url(), &["--model", MODEL]).await;
    let client = Client::connect(&server.address).await?;
    let took = import(&client, set).await?;
    line(
        set,
        "shipped",
        &set.measure(&client.profiles(set.ids()).await?),
        Some(took),
    );

    let started = Instant::now();
    let version = client.train().await?;
    let trained = started.elapsed();
    let started = Instant::now();
    client.apply(version).await?;
    let applied = started.elapsed();
    let profiles = client.profiles(set.ids()).await?;
    line(set, "trained", &set.measure(&profiles), None);
    drop(server);

    let again = Database::start(kind)?;
    trained::begin_with(&again.url(), trained::model_of(&database.url()).await?).await?;
    let server = Server::start_with(&again.url(), &["--model", MODEL]).await;
    let client = Client::connect(&server.address).await?;
    let took = import(&client, set).await?;
    let afresh = client.profiles(set.ids()).await?;
    line(set, "afresh", &set.measure(&afresh), Some(took));
    println!(
        "{:<26} learned in {:.2} s, applied in {:.2} s",
        "",
        trained.as_secs_f64(),
        applied.as_secs_f64()
    );
    let differing = trained::differing(&profiles, &afresh);
    anyhow::ensure!(
        differing == 0,
        "imported afresh with the trained weights, {differing} records are with others"
    );
    Ok(())
}

async fn import(client: &Client, set: &Set) -> anyhow::Result<Duration> {
    let Imported {
        stored,
        refused,
        took,
    } = client.import(set.rows.iter().cloned()).await?;
    anyhow::ensure!(
        refused == 0,
        "{refused} of {} rows are refused",
        stored + refused
    );
    Ok(took)
}

fn line(set: &Set, what: &str, figures: &Figures, took: Option<Duration>) {
    let Figures {
        pairwise,
        b_cubed,
        largest,
        clusters,
    } = figures;
    let agreement =
        |of: &measure::Agreement| format!("{:.4} {:.4} {:.4}", of.precision, of.recall, of.f1());
    let seconds = took.map(|took| took.as_secs_f64());
    let shown = |figure: Option<f64>, places: usize| {
        figure
            .map(|figure| format!("{figure:.places$}"))
            .unwrap_or_default()
    };
    println!(
        "{:<26} {what:<8} {}  {} {largest:>7} {clusters:>8} {:>8} {:>9}",
        set.name,
        agreement(pairwise),
        agreement(b_cubed),
        shown(seconds, 2),
        shown(
            seconds.map(|seconds| measure::float(set.ids().len()) / seconds),
            0
        ),
    );
}

/// The median of the turns.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
