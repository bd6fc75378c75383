//! `timeline`: what happened with a customer.

use std::process::ExitCode;

use super::client::{Client, ServerArgs, refused};
use super::key::{self, CustomerKey};
use super::output::{self, Format};
use crate::grpc::v1;

/// The most events that one answer of the server holds.
const PAGE: u32 = 500;

/// Show what happened with a customer over all sources, newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile timeline email:ann@shop.com
  customer-profile timeline record:web/r000003 --type order_placed --since 1998-01-01T00:00:00Z
  customer-profile timeline email:ann@shop.com --limit 5000 --output json")]
pub(super) struct Args {
    #[arg(help = key::HELP)]
    key: CustomerKey,

    /// Only events of this type; may be repeated
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,

    /// Only events at or after this time (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = key::instant)]
    since: Option<prost_types::Timestamp>,

    /// Only events before this time (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = key::instant)]
    until: Option<prost_types::Timestamp>,

    /// At most this many events
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,

    /// How to print the answer
    #[arg(long, value_enum, default_value_t)]
    output: Format,

    #[command(flatten)]
    server: ServerArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = Client::connect(&args.server.server, &args.server.tenant.tenant).await?;
    let output = args.output;
    let answer = pages(&client, args).await?;
    match output {
        Format::Json => output::print_json("ListTimelineResponse", &answer)?,
        Format::Table => output::print(&shown(&answer))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Page after page up to the limit, as one answer.
async fn pages(client: &Client, args: Args) -> anyhow::Result<v1::ListTimelineResponse> {
    let mut request = v1::ListTimelineRequest {
        key: Some(args.key.into()),
        types: args.types,
        start_time: args.since,
        end_time: args.until,
        ..v1::ListTimelineRequest::default()
    };
    let (mut events, mut left) = (Vec::new(), args.limit);
    loop {
        request.page_size = i32::try_from(left.min(PAGE))?;
        let answer = client.profiles().list_timeline(client.request(request.clone())?).await;
        let mut answer = answer.map_err(|status| refused(&status))?.into_inner();
        left = left.saturating_sub(u32::try_from(answer.events.len())?);
        events.append(&mut answer.events);
        if left == 0 || answer.next_page_token.is_empty() {
            return Ok(v1::ListTimelineResponse { events, ..answer });
        }
        request.page_token = answer.next_page_token;
    }
}

/// A timeline for people.
fn shown(answer: &v1::ListTimelineResponse) -> String {
    if answer.events.is_empty() {
        return format!("{}: no events", answer.profile);
    }
    let mut table = output::table(&["time (utc)", "event", "record", "id", "properties"]);
    for event in &answer.events {
        let mut properties: Vec<_> = event.properties.iter().collect();
        properties.sort_by_key(|(name, _)| *name);
        let properties = properties.into_iter().map(|(name, value)| format!("{name}={}", output::value(value)));
        table.add_row([
            event.sort_time.as_ref().map(output::time).unwrap_or_default(),
            output::plain(&event.r#type),
            output::record(event.record.as_ref()),
            output::plain(&event.event_id),
            properties.collect::<Vec<_>>().join(" "),
        ]);
    }
    let more = if answer.next_page_token.is_empty() { "" } else { "\n\nthere is more: see --limit" };
    format!("{}\n\n{}{more}", answer.profile, output::lines(&table))
}
