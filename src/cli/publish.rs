//! `publish`: how publishing goes, and what to do when it does not.

use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;

use super::client::{Client, ServerArgs, pages, refused};
use super::output::{self, Format};
use crate::grpc::v1;

/// See how publishing to other systems goes; tell again what was given up
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What is published is said by the section `publish` of the model.

Examples:
  customer-profile publish status                       How far each publication is
  customer-profile publish dead-letters crm             What was given up, and why
  customer-profile publish dead-letters crm --output json
  customer-profile publish replay crm --all             Tell it again
  customer-profile publish replay crm default/17/0      Only this one
  customer-profile publish reset crm                    Go on from the end of the change log")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell of each publication how far it is, how far it is behind, and what is wrong
    Status {
        /// How to print the answer
        #[arg(long, value_enum, default_value_t)]
        output: Format,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List the changes that a publication has given up
    DeadLetters {
        /// The publication, by its name in the model
        publication: String,
        /// At most this many
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
        /// How to print the answer
        #[arg(long, value_enum, default_value_t)]
        output: Format,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Have dead letters told again, once each: those that are taken are gone, the others stay
    Replay {
        /// The publication, by its name in the model
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
    /// Go on from the end of the change log; what was not told by now is never told
    Reset {
        /// The publication, by its name in the model
        publication: String,
        #[command(flatten)]
        server: ServerArgs,
    },
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Status { output, server } => status(output, &server).await?,
        Command::DeadLetters {
            publication,
            limit,
            output,
            server,
        } => {
            dead_letters(&publication, limit, output, &server).await?;
        }
        Command::Replay {
            publication,
            events,
            all,
            server,
        } => {
            if events.is_empty() && !all {
                bail!("name the events to tell again, or say --all");
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

async fn status(format: Format, server: &ServerArgs) -> anyhow::Result<()> {
    let client = Client::connect(&server.server, &server.tenant.tenant).await?;
    let answer = client
        .publishing()
        .list_publications(client.request(v1::ListPublicationsRequest {})?)
        .await;
    let answer = answer.map_err(|status| refused(&status))?.into_inner();
    match format {
        Format::Json => output::print_json("ListPublicationsResponse", &answer),
        Format::Table => output::print(&shown(&answer.publications)),
    }
}

/// Publications for people.
fn shown(publications: &[v1::PublicationStatus]) -> String {
    if publications.is_empty() {
        return "the model in force has no publications".to_owned();
    }
    let header = [
        "publication",
        "to",
        "position",
        "behind",
        "since",
        "dead letters",
        "worked at by",
        "what is wrong",
    ];
    let mut table = output::table(&header);
    for one in publications {
        let since = one
            .lag
            .as_ref()
            .map(|lag| format!("{} s", lag.seconds))
            .unwrap_or_default();
        let tries = if one.failure_count > 0 {
            format!(" (tried {} times)", one.failure_count)
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
                "nobody".to_owned()
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
    format: Format,
    server: &ServerArgs,
) -> anyhow::Result<()> {
    let client = Client::connect(&server.server, &server.tenant.tenant).await?;
    let (dead_letters, next_page_token) = pages(limit, async |page_size, page_token| {
        let publication = publication.to_owned();
        let request = v1::ListDeadLettersRequest {
            publication,
            page_size,
            page_token,
        };
        let answer = client
            .publishing()
            .list_dead_letters(client.request(request)?)
            .await;
        let answer = answer.map_err(|status| refused(&status))?.into_inner();
        Ok((answer.dead_letters, answer.next_page_token))
    })
    .await?;
    if format == Format::Json {
        let answer = v1::ListDeadLettersResponse {
            dead_letters,
            next_page_token,
        };
        return output::print_json("ListDeadLettersResponse", &answer);
    }
    if dead_letters.is_empty() {
        return output::print("nothing was given up");
    }
    let mut table = output::table(&["event", "given up (utc)", "tries", "because", ""]);
    for letter in &dead_letters {
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
                "to be told again".to_owned()
            } else {
                String::new()
            },
        ]);
    }
    let more = if next_page_token.is_empty() {
        ""
    } else {
        "\n\nthere is more: see --limit"
    };
    output::print(&format!("{}{more}", output::lines(&table)))
}

async fn replay(
    publication: String,
    event_ids: Vec<String>,
    all: bool,
    server: &ServerArgs,
) -> anyhow::Result<()> {
    let client = Client::connect(&server.server, &server.tenant.tenant).await?;
    let request = v1::ReplayDeadLettersRequest {
        publication,
        event_ids,
        all,
    };
    let answer = client
        .publishing()
        .replay_dead_letters(client.request(request)?)
        .await;
    let answer = answer.map_err(|status| refused(&status))?.into_inner();
    output::print(&format!("{} will be told again", answer.replayed_count))
}

async fn reset(publication: String, server: &ServerArgs) -> anyhow::Result<()> {
    let client = Client::connect(&server.server, &server.tenant.tenant).await?;
    let request = v1::ResetPublicationRequest { publication };
    let answer = client
        .publishing()
        .reset_publication(client.request(request)?)
        .await;
    let answer = answer.map_err(|status| refused(&status))?.into_inner();
    output::print(&format!("goes on after write {}", answer.position))
}
