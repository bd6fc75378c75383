//! `demo`: a server on a throw-away database with the retail sample, which is compiled in.
//!
//! The sample's purchases and conversations end on [`NEWEST_DAY`]. They are shifted by whole days
//! so that they end yesterday: windows, surveys and segments look back from the present.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use profile_core::records::Timestamp;
use regex::bytes::{Captures, Regex};
use tokio_util::sync::CancellationToken;

use super::client::{AccessArgs, Client, DEFAULT_SERVER, refused};
use super::import::{Input, Job, Progress, Sink, run_job};
use super::process::{OnHangup, Process};
use super::{output, setup};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ConfigArgs, Setting};
use crate::grpc::v1;
use crate::telemetry::http::Readiness;

/// The sample customer: six records of four systems, joined by account and e-mail address,
/// with orders.
const SOMEBODY: &str = "jose.viana@icloud.com";

/// The last day of the sample's events.
const NEWEST_DAY: Date = jiff::civil::date(1998, 6, 30);

/// The sample: name, source, kind, content.
const SAMPLE: [(&str, &str, &str, &[u8]); 8] = [
    (
        "web.csv",
        "web",
        "customers",
        include_bytes!("../../examples/retail/web.csv"),
    ),
    (
        "pos.csv",
        "pos",
        "customers",
        include_bytes!("../../examples/retail/pos.csv"),
    ),
    (
        "loyalty.csv",
        "loyalty",
        "customers",
        include_bytes!("../../examples/retail/loyalty.csv"),
    ),
    (
        "callcentre.csv",
        "callcentre",
        "customers",
        include_bytes!("../../examples/retail/callcentre.csv"),
    ),
    (
        "newsletter.csv",
        "newsletter",
        "subscribers",
        include_bytes!("../../examples/retail/newsletter.csv"),
    ),
    (
        "orders.csv",
        "web",
        "orders",
        include_bytes!("../../examples/retail/orders.csv"),
    ),
    (
        "surveys.csv",
        "web",
        "surveys",
        include_bytes!("../../examples/retail/surveys.csv"),
    ),
    (
        "conversations.ndjson",
        "helpdesk",
        "conversations",
        include_bytes!("../../examples/retail/conversations.ndjson"),
    ),
];

/// Settings that differ from those of a server: a demo asks for no credential, logs little and
/// stops at once, and its reads wait for the import on a slow machine.
const SETTINGS: [(&str, &str); 6] = [
    ("auth.insecure", "true"),
    (
        "log.filter",
        "warn,sqlx::pool=error,customer_profile::server::access=error",
    ),
    ("grpc.lame_duck", "0s"),
    ("grpc.drain", "1s"),
    ("grpc.default_deadline", "30s"),
    ("database.acquire_timeout", "9s"),
];

/// Run a server with sample data, and show three things to try
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The data is six systems' view of some thousand synthetic people, with real purchases; see examples/retail/README.md. \
It is kept in a temporary directory, and removed at the end.

Examples:
  customer-profile demo
  customer-profile demo --grpc-address 127.0.0.1:50052 --operations-address 127.0.0.1:9465")]
pub(super) struct Args {
    /// End after the import and a check of it, instead of by Ctrl-C
    #[arg(long)]
    exit: bool,

    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let dir = tempfile::Builder::new()
        .prefix("customer-profile-demo-")
        .tempdir()
        .context("a temporary directory")?;
    let database = dir.path().join("demo.db");
    let (config, stop) = (
        configuration(args.config, &format!("sqlite://{}", database.display()))?,
        CancellationToken::new(),
    );
    let process = Process::prepare(config, OnHangup::Stop, stop.clone()).await?;
    let (address, mut ready) = (process.grpc_address()?, process.readiness());
    let mut running = tokio::spawn(process.run());
    // On a thread of its own: whoever reads what it prints may stop reading, and the server goes
    // on.
    let shown = tokio::task::spawn_blocking(move || {
        tokio::runtime::Handle::current().block_on(async {
            ready
                .wait_for(|readiness| *readiness == Readiness::Ready)
                .await?;
            show(address).await
        })
    });
    let result = tokio::select! {
        result = shown => {
            let result = result?;
            if result.is_err() || args.exit {
                stop.cancel();
            }
            running.await?.and(result)
        }
        // It was stopped, or has failed.
        result = &mut running => result?,
    };
    result?;
    dir.close().context("the temporary directory")?;
    Ok(ExitCode::SUCCESS)
}

/// The server's configuration: what the flags say goes over what a demo needs, but for the
/// database.
fn configuration(mut args: ConfigArgs, database: &str) -> anyhow::Result<Config> {
    let settings = SETTINGS.map(|(key, value)| Setting {
        key: key.to_owned(),
        value: value.to_owned(),
    });
    args.set.splice(0..0, settings);
    args.database_url = Some(database.to_owned());
    setup::config(&args)
}

/// Imports the sample, checks it, and prints what to try.
async fn show(address: SocketAddr) -> anyhow::Result<()> {
    let server = format!("http://{address}");
    let client = Client::connect(&server, &AccessArgs::default(), None).await?;
    let sink = Sink::remote(client.clone());
    output::print("importing the sample")?;
    let days = days_to_yesterday(SystemClock.now());
    for (name, source, kind, bytes) in SAMPLE {
        let input = match kind {
            "customers" | "subscribers" => Input::in_memory(name, bytes.to_vec())?,
            _ => Input::in_memory(name, shifted(bytes, days))?,
        };
        let progress = Progress::start(name, input.total_bytes());
        let (source, kind) = (source.to_owned(), kind.to_owned());
        let job = Job {
            input,
            source,
            kind,
            batch_rows: 500,
            rejects: None,
            position: None,
        };
        run_job(job, &sink, &progress).await?;
        output::print(&format!(
            "  {name}: {}{}",
            progress.finish(),
            progress.unread()
        ))?;
    }
    let name = check(&client).await?;
    let flag = if server == DEFAULT_SERVER {
        String::new()
    } else {
        format!(" --server {server}")
    };
    let program = program();
    output::print(&format!(
        "
ready: gRPC on {address}. Three things to try:

  grpcurl -plaintext -d '{{\"key\": {{\"identifier\": {{\"type\": \"email\", \"value\": \"{SOMEBODY}\"}}}}}}' \\
    {address} customer.profile.v1.ProfileService/GetProfile

  {program} timeline email:{SOMEBODY}{flag}

  {program} search '{name}'{flag}

Ctrl-C ends the server and removes its data."
    ))
}

/// How many days lie between the sample's last one and the day before `now` (UTC).
fn days_to_yesterday(now: Timestamp) -> i64 {
    let now = jiff::Timestamp::from_microsecond(now.as_micros()).unwrap_or_default();
    let today = now.to_zoned(TimeZone::UTC).date();
    i64::from((today - NEWEST_DAY).get_days()) - 1
}

/// The text with its dates (1998-06-30) moved by a number of days.
fn shifted(text: &[u8], days: i64) -> Vec<u8> {
    let later = |found: &Captures<'_>| {
        let date = std::str::from_utf8(&found[1]).unwrap_or_default();
        let later = date
            .parse::<Date>()
            .map(|date| date.checked_add(days.days()));
        let mut text = match later {
            Ok(Ok(date)) => date.to_string().into_bytes(),
            _ => found[1].to_vec(),
        };
        text.extend(&found[2]);
        text
    };
    dates().replace_all(text, later).into_owned()
}

/// A date, and what ends it.
fn dates() -> Regex {
    #[expect(clippy::expect_used, reason = "a constant")]
    Regex::new(r"\b(\d{4}-\d{2}-\d{2})(\D|$)").expect("a pattern")
}

/// The program as the reader calls it.
fn program() -> String {
    let called = std::env::args().next().unwrap_or_default();
    if called.contains('/') {
        called
    } else {
        env!("CARGO_PKG_NAME").to_owned()
    }
}

/// Checks that the sample customer is complete. Returns a search for them.
async fn check(client: &Client) -> anyhow::Result<String> {
    let identifier = v1::Identifier {
        r#type: "email".to_owned(),
        value: SOMEBODY.to_owned(),
        ..Default::default()
    };
    let key = v1::ProfileKey {
        key: Some(v1::profile_key::Key::Identifier(identifier)),
    };
    let request = v1::GetProfileRequest {
        key: Some(key),
        ..v1::GetProfileRequest::default()
    };
    let answer = client
        .profiles()
        .get_profile(client.request(request)?)
        .await
        .map_err(|status| refused(&status))?;
    let profile = answer.into_inner().profile.context("a profile")?;
    ensure!(
        profile.record_count >= 6,
        "the records of the sample customer are not in one profile"
    );
    let name = ["given_name", "family_name"].map(|name| {
        let found = profile
            .traits
            .get(name)
            .and_then(|found| found.value.as_ref());
        found
            .map(output::value)
            .unwrap_or_default()
            .to_lowercase()
            .chars()
            .take(3)
            .collect::<String>()
    });
    Ok(name.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_ends_yesterday_and_keeps_its_distances() {
        let now = Timestamp::from_micros(1_767_225_600_000_000); // 2026-01-01T00:00Z
        let days = days_to_yesterday(now);
        let text = b"id 1998-06-30 1998-06-01T16:20:00Z 1998-06-311 1998-13-01";
        assert_eq!(
            String::from_utf8_lossy(&shifted(text, days)),
            "id 2025-12-31 2025-12-02T16:20:00Z 1998-06-311 1998-13-01"
        );
    }

    #[test]
    fn nothing_in_the_sample_is_newer_than_its_last_day() {
        let events = SAMPLE
            .iter()
            .filter(|(_, _, kind, _)| !["customers", "subscribers"].contains(kind));
        let newest = events
            .flat_map(|(.., bytes)| dates().captures_iter(bytes).collect::<Vec<_>>())
            .map(|found| found[1].to_vec())
            .max();
        assert_eq!(newest, Some(NEWEST_DAY.to_string().into_bytes()));
    }
}
