//! `waiting`: the events that wait for their customer.

use std::process::ExitCode;

use super::client::{answered, pages};
use super::output;
use super::query::QueryArgs;
use crate::grpc::v1;

/// List the events that wait for their customer: nobody's events name their order or parcel yet
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile waiting
  customer-profile waiting --source carrier --limit 1000
  customer-profile waiting --output json")]
pub(super) struct Args {
    /// Only events of this source
    #[arg(
        long,
        value_name = "SOURCE",
        default_value = "",
        hide_default_value = true
    )]
    source: String,

    /// Maximum number of events
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,

    #[command(flatten)]
    query: QueryArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.query.connect().await?;
    let (events, next_page_token) = pages(args.limit, async |page_size, page_token| {
        let request = v1::ListWaitingEventsRequest {
            source: args.source.clone(),
            page_size,
            page_token,
        };
        let request = client.request(request)?;
        let answer = answered(client.ingest().list_waiting_events(request).await)?;
        Ok((answer.events, answer.next_page_token))
    })
    .await?;
    let answer = v1::ListWaitingEventsResponse {
        events,
        next_page_token,
    };
    args.query
        .print("ListWaitingEventsResponse", &answer, |answer| {
            Ok(shown(answer))
        })
}

fn shown(answer: &v1::ListWaitingEventsResponse) -> String {
    if answer.events.is_empty() {
        return "no event waits for its customer".to_owned();
    }
    let mut table = output::table(&["source", "time (utc)", "event", "id", "waits for"]);
    for event in &answer.events {
        let objects = event.object.iter().chain(&event.related_objects);
        let sought = objects.filter(|object| event.attach.contains(&object.kind));
        let sought: Vec<String> = sought
            .map(|object| {
                format!(
                    "{} {}",
                    output::plain(&object.kind),
                    output::plain(&object.id)
                )
            })
            .collect();
        table.add_row([
            output::plain(&event.source),
            event
                .sort_time
                .as_ref()
                .map(output::time)
                .unwrap_or_default(),
            output::plain(&event.r#type),
            output::plain(&event.event_id),
            sought.join(", "),
        ]);
    }
    output::page(&table, &answer.next_page_token)
}
