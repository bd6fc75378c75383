//! The cost of credentials and roles on a cached read.

use std::process::Command;

use crate::server::{Server, cpu_seconds};
use crate::{TURN, TURNS, client, median, report};

/// Withholds identifiers and record keys, masks a trait, and lets the rest be seen.
const ROLE: &str = "
roles:
  agent:
    traits: '*'
    masked_traits: [city]
    preferences: true
    accessibility: true
";

pub(crate) async fn roles() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let model = path("model.yaml");
    let built_in = profile_core::model::file::BUILT_IN;
    std::fs::write(&model, format!("{built_in}{ROLE}")).expect("a file");
    let model = ["--model", &*model];
    let [open, guarded] = ["open", "guarded"].map(|name| format!("sqlite://{}", path(name)));
    let first = Server::start_with(&guarded, &model).await;
    client::store_sample(&first.address).await;
    drop(first);
    let (plain, bound) = (key(&guarded, &[]), key(&guarded, &["--role", "agent"]));
    let open = Server::start_with(&open, &model).await;
    let name = client::store_sample(&open.address).await;
    let guarded = Server::start_guarded(&guarded, &model).await;
    let mut rates = [const { Vec::new() }; 3];
    let mut costs = [const { Vec::new() }; 3];
    for _ in 0..TURNS {
        for (number, server) in [&open, &guarded, &guarded].into_iter().enumerate() {
            let before = cpu_seconds(server.pid());
            let address = &server.address;
            let rate = match number {
                0 => client::read_for(address, &name, TURN).await,
                1 => client::read_with(address, &name, &plain, TURN).await,
                _ => client::read_with(address, &name, &bound, TURN).await,
            };
            costs[number].push(rate.calls_per(cpu_seconds(server.pid()) - before));
            rates[number].push(rate.per_second());
        }
    }
    let (rates, costs) = (rates.map(median), costs.map(median));
    for (number, what) in [(1, "with an API key"), (2, "with a role")] {
        let what = format!("cached GetProfile {what}, without credentials");
        report(&what, rates[number], rates[0]);
        let same = "the same per second of the server's processor time";
        report(same, costs[number], costs[0]);
    }
}

/// Makes a key.
fn key(database_url: &str, more: &[&str]) -> String {
    let made = Command::new(env!("CARGO_BIN_EXE_customer-profile"))
        .args(["key", "create", "--name", "bench", "--tenant", "default"])
        .args(["--scope", "profiles.read", "--database-url", database_url])
        .args(more)
        .output()
        .expect("a key");
    assert!(made.status.success(), "{made:?}");
    String::from_utf8(made.stdout)
        .expect("text")
        .trim()
        .to_owned()
}
