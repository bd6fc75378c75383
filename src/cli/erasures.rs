//! `erasures`: what was erased, and the release of tombstones.

use std::process::ExitCode;

use clap::Subcommand;

use super::client::{answered, pages};
use super::output;
use super::query::QueryArgs;
use crate::grpc::v1;

/// List erasures; take statements about their records again
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile erasures list
  customer-profile erasures list --output json             ListErasuresResponse
  customer-profile erasures release erasures/5f0c… --note 'signed up again'")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List erasures, newest first, released ones too
    List {
        /// Maximum number of erasures
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
        #[command(flatten)]
        query: QueryArgs,
    },
    /// Take statements about the erased records again; nothing comes back by itself
    Release {
        /// Name of the erasure: erasures/ID
        name: String,
        /// The person who asks for it; kept with the receipt
        #[arg(
            long,
            value_name = "NAME",
            default_value = "",
            hide_default_value = true
        )]
        actor: String,
        /// The reason, without naming the customer; kept with the receipt
        #[arg(
            long,
            value_name = "TEXT",
            default_value = "",
            hide_default_value = true
        )]
        note: String,
        #[command(flatten)]
        query: QueryArgs,
    },
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List { limit, query } => list(limit, &query).await,
        Command::Release {
            name,
            actor,
            note,
            query,
        } => {
            let note = Some(v1::DecisionNote { actor, note });
            release(v1::ReleaseErasureRequest { name, note }, &query).await
        }
    }
}

async fn list(limit: u32, query: &QueryArgs) -> anyhow::Result<ExitCode> {
    let client = query.connect().await?;
    let (erasures, next_page_token) = pages(limit, async |page_size, page_token| {
        let request = v1::ListErasuresRequest {
            page_size,
            page_token,
        };
        let request = client.request(request)?;
        let answer = answered(client.privacy().list_erasures(request).await)?;
        Ok((answer.erasures, answer.next_page_token))
    })
    .await?;
    let answer = v1::ListErasuresResponse {
        erasures,
        next_page_token,
    };
    query.print("ListErasuresResponse", &answer, |answer| Ok(shown(answer)))
}

async fn release(
    request: v1::ReleaseErasureRequest,
    query: &QueryArgs,
) -> anyhow::Result<ExitCode> {
    let client = query.connect().await?;
    let request = client.request(request)?;
    let answer = answered(client.privacy().release_erasure(request).await)?;
    query.print("ReleaseErasureResponse", &answer, |answer| {
        let name = answer.erasure.as_ref().map(|erasure| erasure.name.as_str());
        Ok(format!(
            "{} is released: statements about its records are taken again",
            name.unwrap_or_default()
        ))
    })
}

fn shown(answer: &v1::ListErasuresResponse) -> String {
    if answer.erasures.is_empty() {
        return "nobody was erased".to_owned();
    }
    let mut table = output::table(&["time (utc)", "erasure", "records", "by", "why", "released"]);
    for erasure in &answer.erasures {
        let time =
            |time: Option<&prost_types::Timestamp>| time.map(output::time).unwrap_or_default();
        let note = erasure.note.clone().unwrap_or_default();
        table.add_row([
            time(erasure.erase_time.as_ref()),
            erasure.name.clone(),
            erasure.record_count.to_string(),
            output::plain(&note.actor),
            output::plain(&note.note),
            time(erasure.release_time.as_ref()),
        ]);
    }
    output::page(&table, &answer.next_page_token)
}

/// The places of an erasure as a table.
pub(super) fn places(erasure: &v1::Erasure) -> String {
    let mut table = output::table(&["place", "entries"]);
    for place in &erasure.places {
        table.add_row([place.place.clone(), place.count.to_string()]);
    }
    output::lines(&table)
}
