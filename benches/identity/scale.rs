//! Whether the cost of a record grows with the number of profiles.
//!
//! One database grows to each size in turn; at each, further records of the same people's kind are
//! resolved, and timed. Some of them are about people who are there already, as in life. The median
//! of the turns counts. How right they are is told too: among a million, names alone say little,
//! and some of these records have no more to say.

use std::collections::HashMap;
use std::path::Path;

use crate::client::Client;
use crate::database::{Database, Kind};
use crate::measure::{Agreement, share};
use crate::people::{self, Lists};
use crate::server::{self, Server};
use crate::{MODEL, metrics};

/// Records resolved at each size: turns of so many.
const TURNS: usize = 3;
const FURTHER: u64 = 10_000;

/// Where the rows have got to.
struct Source {
    lists: Lists,
    next: u64,
    people: u64,
}

impl Source {
    fn rows(&mut self, count: u64) -> impl Iterator<Item = serde_json::Value> {
        let numbers = self.next..self.next + count;
        self.next += count;
        numbers.map(|number| {
            self.people += u64::from(people::person_of(number) == number);
            people::row(number, &self.lists)
        })
    }

    /// How right the company of the latest rows is: of the records that are with them, and of those
    /// that should be.
    async fn company(&self, client: &Client) -> anyhow::Result<Agreement> {
        let latest: Vec<u64> = (self.next - FURTHER..self.next).collect();
        let keys: Vec<String> = latest.iter().map(|number| people::key(*number)).collect();
        let mut wanted: HashMap<u64, usize> = latest
            .iter()
            .map(|number| (people::person_of(*number), 0))
            .collect();
        let mut person_of: HashMap<String, u64> = HashMap::new();
        for number in 0..self.next {
            let person = people::person_of(number);
            if let Some(count) = wanted.get_mut(&person) {
                *count += 1;
                person_of.insert(people::key(number), person);
            }
        }
        let (mut right, mut together, mut all) = (0, 0, 0);
        for (key, company) in keys.iter().zip(client.companies(&keys).await?) {
            let person = person_of[key];
            let same = |other: &&String| person_of.get(*other) == Some(&person);
            right += company
                .iter()
                .filter(same)
                .filter(|other| *other != key)
                .count();
            together += company.len().saturating_sub(1);
            all += wanted[&person] - 1;
        }
        Ok(Agreement {
            precision: share(right, together),
            recall: share(right, all),
        })
    }
}

/// Grows a database to each of the sizes and prints what a record costs there.
pub(crate) async fn run(kind: Kind, sizes: &[u64]) -> anyhow::Result<()> {
    let database = Database::start(kind)?;
    let server = Server::start_with(&database.url(), &["--model", MODEL]).await;
    let client = Client::connect(&server.address).await?;
    let mut source = Source {
        lists: Lists::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/retail/web.csv"))?,
        next: 0,
        people: 0,
    };
    println!(
        "\n{:>10} {:>10} {:>12} {:>6} {:>14} {:>6}",
        "people", "records", "µs a record", "ratio", "µs of server", "ratio"
    );
    let mut first = None;
    for size in sizes {
        while source.people < *size {
            let missing = (size - source.people).min(50_000);
            let refused = client.import(source.rows(missing)).await?.refused;
            anyhow::ensure!(refused == 0, "{refused} rows are refused");
        }
        let (people, records) = (source.people, source.next);
        let before = metrics::counters(&server).await?;
        let (wall, cpu) = turns(&client, &server, &mut source).await?;
        let after = metrics::counters(&server).await?;
        let (first_wall, first_cpu) = *first.get_or_insert((wall, cpu));
        let (wall_ratio, cpu_ratio) = (wall / first_wall, cpu / first_cpu);
        println!(
            "{people:>10} {records:>10} {wall:>12.0} {wall_ratio:>6.2} {cpu:>14.0} {cpu_ratio:>6.2}"
        );
        metrics::print_growth(&before, &after, TURNS as u64 * FURTHER);
        let Agreement { precision, recall } = source.company(&client).await?;
        println!(
            "{:>24} pairs of the latest: precision {precision:.4}, recall {recall:.4}",
            ""
        );
    }
    Ok(())
}

/// Microseconds a record, by the clock and of the server's processor time.
async fn turns(
    client: &Client,
    server: &Server,
    source: &mut Source,
) -> anyhow::Result<(f64, f64)> {
    let (mut walls, mut cpus) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let cpu = server::cpu_seconds(server.pid());
        let rows: Vec<_> = source.rows(FURTHER).collect();
        let took = client.import(rows.into_iter()).await?.took;
        let micros = |seconds: f64| seconds * 1e6 / 10_000.0;
        walls.push(micros(took.as_secs_f64()));
        cpus.push(micros(server::cpu_seconds(server.pid()) - cpu));
    }
    Ok((crate::median(walls), crate::median(cpus)))
}
