//! `publish`: the state of publications, and their dead letters.

use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;

use super::client::{ServerArgs, answered, pages};
use super::output;
use super::query::QueryArgs;
use crate::grpc::v1;

/// Show the state of publications; replay dead letters
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The section `publish` of the model declares publications.

Examples:
  customer-profile publish status                       Position and lag of each publication
  customer-profile publish dead-letters crm             Changes that were not delivered, and why
  customer-profile publish dead-letters crm --output json
  customer-profile publish replay crm --all             Publish them again
  customer-profile publish replay crm default/17/0      Only this event
  customer-profile publish reset crm                    Continue at the end of the change log")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the position, the lag and the last error of each publication
    Status {
        #[command(flatten)]
        query: QueryArgs,
    },
    /// List the changes that a publication could not deliver
    DeadLetters {
        /// Name of the publication in the model
        publication: String,
        /// Maximum number of dead letters
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
        #[command(flatten)]
        query: QueryArgs,
    },
    /// Have dead letters told again, once each: those that are taken are gone, the others stay
    Replay {
        /// Name of the publication in the model
        publication: String,
        /// Which, by the ids of their events, as `dead-letters` tells them
        #[arg(value_name = "EVENT")]
        events: Vec<String>,
        /// All of them
        #[arg(long, conflicts_with = "events")]
        all: bool,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Continue at the end of the change log; changes that are not published yet never are
    Reset {
        /// Name of the publication in the model
        publication: String,
        #[command(flatten)]
        server: ServerArgs,
    },
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Status { query } => return status(&query).await,
        Command::DeadLetters {
            publication,
            limit,
            query,
        } => return dead_letters(&publication, limit, &query).await,
        Command::Replay {
            publication,
            events,
            all,
            server,
        } => {
            if events.is_empty() && !all {
                bail!("name the events to publish again, or give --all");
            }
            replay(publication, events, all, &server).await?;
        }
        Command::Reset {
            publication,
            server,
        } => reset(publication, &server).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn status(query: &QueryArgs) -> anyhow::Result<ExitCode> {
    let client = query.connect().await?;
    let answer = answered(
        client
            .publishing()
            .list_publications(client.request(v1::ListPublicationsRequest {})?)
            .await,
    )?;
    query.print("ListPublicationsResponse", &answer, |answer| {
        Ok(shown(&answer.publications))
    })
}

/// Publications for people.
fn shown(publications: &[v1::PublicationStatus]) -> String {
    if publications.is_empty() {
        return "the active model has no publications".to_owned();
    }
    let header = [
        "publication",
        "to",
        "position",
        "behind",
        "since",
        "dead letters",
        "owner",
        "last error",
    ];
    let mut table = output::table(&header);
    for one in publications {
        let since = one
            .lag
            .as_ref()
            .map(|lag| format!("{} s", lag.seconds))
            .unwrap_or_default();
        let tries = if one.failure_count > 0 {
            format!(" ({} attempts)", one.failure_count)
        } else {
            String::new()
        };
        table.add_row([
            one.publication.clone(),
            one.address.clone(),
            format!("{} of {}", one.position, one.head),
            format!("{} writes", one.lag_writes),
            since,
            one.dead_letter_count.to_string(),
            if one.owner.is_empty() {
                "none".to_owned()
            } else {
                output::plain(&one.owner)
            },
            format!("{}{tries}", output::plain(&one.last_error)),
        ]);
    }
    output::lines(&table)
}

async fn dead_letters(
    publication: &str,
    limit: u32,
    query: &QueryArgs,
) -> anyhow::Result<ExitCode> {
    let client = query.connect().await?;
    let (dead_letters, next_page_token) = pages(limit, async |page_size, page_token| {
        let publication = publication.to_owned();
        let request = v1::ListDeadLettersRequest {
            publication,
            page_size,
            page_token,
        };
        let answer = answered(
            client
                .publishing()
                .list_dead_letters(client.request(request)?)
                .await,
        )?;
        Ok((answer.dead_letters, answer.next_page_token))
    })
    .await?;
    let answer = v1::ListDeadLettersResponse {
        dead_letters,
        next_page_token,
    };
    query.print("ListDeadLettersResponse", &answer, |answer| {
        Ok(dead_letters_shown(answer))
    })
}

fn dead_letters_shown(answer: &v1::ListDeadLettersResponse) -> String {
    if answer.dead_letters.is_empty() {
        return "no dead letters".to_owned();
    }
    let mut table = output::table(&["event", "since (utc)", "attempts", "reason", ""]);
    for letter in &answer.dead_letters {
        table.add_row([
            letter.event_id.clone(),
            letter
                .create_time
                .as_ref()
                .map(output::time)
                .unwrap_or_default(),
            letter.attempt_count.to_string(),
            output::plain(&letter.reason),
            if letter.replaying {
                "to be published again".to_owned()
            } else {
                String::new()
            },
        ]);
    }
    output::page(&table, &answer.next_page_token)
}

async fn replay(
    publication: String,
    event_ids: Vec<String>,
    all: bool,
    server: &ServerArgs,
) -> anyhow::Result<()> {
    let client = server.connect().await?;
    let request = v1::ReplayDeadLettersRequest {
        publication,
        event_ids,
        all,
    };
    let answer = answered(
        client
            .publishing()
            .replay_dead_letters(client.request(request)?)
            .await,
    )?;
    output::print(&format!("{} to be published again", answer.replayed_count))
}

async fn reset(publication: String, server: &ServerArgs) -> anyhow::Result<()> {
    let client = server.connect().await?;
    let request = v1::ResetPublicationRequest { publication };
    let answer = answered(
        client
            .publishing()
            .reset_publication(client.request(request)?)
            .await,
    )?;
    output::print(&format!("continues after write {}", answer.position))
}
