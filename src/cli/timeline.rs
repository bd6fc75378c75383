//! `timeline`: the events of a customer.

use std::collections::BTreeMap;
use std::process::ExitCode;

use super::client::{Client, answered};
use super::key::{self, CustomerKey};
use super::output;
use super::query::QueryArgs;
use crate::grpc::v1;

/// Maximum page size of the server.
const PAGE: u32 = 500;

/// Show the events of a customer from all sources, newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile timeline email:ann@shop.com
  customer-profile timeline record:web/r000003 --type order_placed --since 2026-01-01T00:00:00Z
  customer-profile timeline email:ann@shop.com --objects          Orders, conversations, each once
  customer-profile timeline email:ann@shop.com --channel chat --channel email --text 'blue mug'
  customer-profile timeline email:ann@shop.com --counts --limit 1 How many of each type
  customer-profile timeline email:ann@shop.com --limit 5000 --output json")]
pub(super) struct Args {
    #[arg(help = key::HELP)]
    key: CustomerKey,

    /// Only events of this type; may be repeated
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,

    /// Show orders, shipments, conversations and so on, each once, instead of their events
    #[arg(long)]
    objects: bool,

    /// Only events of this channel; may be repeated
    #[arg(long = "channel", value_name = "CHANNEL")]
    channels: Vec<String>,

    /// Only events of this source; may be repeated
    #[arg(long = "source", value_name = "SOURCE")]
    sources: Vec<String>,

    /// Only events with this text in a property, in any case and with or without accents
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    text: String,

    /// Also count the events of each type
    #[arg(long)]
    counts: bool,

    /// Only events at or after this time (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = key::instant)]
    since: Option<prost_types::Timestamp>,

    /// Only events before this time (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = key::instant)]
    until: Option<prost_types::Timestamp>,

    /// As it was at this time (RFC 3339): with events that were taken back or replaced since
    #[arg(long, value_name = "TIME", value_parser = key::instant, conflicts_with_all = ["objects", "counts"])]
    as_of: Option<prost_types::Timestamp>,

    /// Maximum number of events
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,

    #[command(flatten)]
    query: QueryArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.query.connect().await?;
    let query = args.query.clone();
    let answer = pages(&client, args).await?;
    query.print("ListTimelineResponse", &answer, |answer| Ok(shown(answer)))
}

/// Page after page up to the limit, as one answer.
async fn pages(client: &Client, args: Args) -> anyhow::Result<v1::ListTimelineResponse> {
    let mut request = v1::ListTimelineRequest {
        key: Some(args.key.into()),
        types: args.types,
        start_time: args.since,
        end_time: args.until,
        view: if args.objects {
            v1::TimelineView::Objects
        } else {
            v1::TimelineView::Events
        }
        .into(),
        channels: args.channels,
        sources: args.sources,
        text: args.text,
        include_counts: args.counts,
        as_of_time: args.as_of,
        ..v1::ListTimelineRequest::default()
    };
    let (mut events, mut items, mut left) = (Vec::new(), Vec::new(), args.limit);
    let mut type_counts = None;
    loop {
        request.page_size = i32::try_from(left.min(PAGE))?;
        let mut answer = answered(
            client
                .profiles()
                .list_timeline(client.request(request.clone())?)
                .await,
        )?;
        left = left.saturating_sub(u32::try_from(answer.events.len() + answer.items.len())?);
        events.append(&mut answer.events);
        items.append(&mut answer.items);
        let type_counts = type_counts.get_or_insert(answer.type_counts);
        if left == 0 || answer.next_page_token.is_empty() {
            let type_counts = std::mem::take(type_counts);
            return Ok(v1::ListTimelineResponse {
                events,
                items,
                type_counts,
                ..answer
            });
        }
        request.page_token = answer.next_page_token;
        // Counts are of all pages.
        request.include_counts = false;
    }
}

/// A timeline as tables.
fn shown(answer: &v1::ListTimelineResponse) -> String {
    let mut parts = vec![answer.profile.clone()];
    parts.extend(counts(&answer.type_counts));
    if answer.events.is_empty() && answer.items.is_empty() {
        parts.push("no events".to_owned());
        return parts.join(if answer.type_counts.is_empty() {
            ": "
        } else {
            "\n\n"
        });
    }
    parts.push(if answer.items.is_empty() {
        events(&answer.events)
    } else {
        items(&answer.items)
    });
    if !answer.next_page_token.is_empty() {
        parts.push("there are more; raise --limit".to_owned());
    }
    parts.join("\n\n")
}

/// Events as a table.
pub(super) fn events(events: &[v1::Event]) -> String {
    let mut table = output::table(&["time (utc)", "event", "record", "id", "properties"]);
    for event in events {
        table.add_row([
            event
                .sort_time
                .as_ref()
                .map(output::time)
                .unwrap_or_default(),
            output::plain(&event.r#type),
            output::record(event.record.as_ref()),
            output::plain(&event.event_id),
            values(&event.properties),
        ]);
    }
    output::lines(&table)
}

fn items(items: &[v1::TimelineItem]) -> String {
    use v1::timeline_item::Item;
    let mut table = output::table(&["updated (utc)", "kind", "id", "status", "events", "fields"]);
    for item in items {
        match &item.item {
            Some(Item::Object(object)) => {
                let key = object.key.clone().unwrap_or_default();
                let last = object
                    .update_time
                    .as_ref()
                    .map(output::time)
                    .unwrap_or_default();
                let [kind, id, status] =
                    [&key.kind, &key.id, &object.status].map(|text| output::plain(text));
                table.add_row([
                    last,
                    kind,
                    id,
                    status,
                    object.event_count.to_string(),
                    values(&object.fields),
                ]);
            }
            Some(Item::Event(event)) => {
                let time = event
                    .sort_time
                    .as_ref()
                    .map(output::time)
                    .unwrap_or_default();
                let [kind, id] = [&event.r#type, &event.event_id].map(|text| output::plain(text));
                table.add_row([
                    time,
                    kind,
                    id,
                    String::new(),
                    String::new(),
                    values(&event.properties),
                ]);
            }
            None => {}
        }
    }
    output::lines(&table)
}

fn counts(counts: &[v1::EventTypeCount]) -> Option<String> {
    let mut table = output::table(&["type", "events"]);
    for count in counts {
        table.add_row([output::plain(&count.r#type), count.count.to_string()]);
    }
    (!counts.is_empty()).then(|| output::lines(&table))
}

/// Values by name, in one line.
pub(super) fn values(values: &BTreeMap<String, v1::Value>) -> String {
    let mut values: Vec<_> = values.iter().collect();
    values.sort_by_key(|(name, _)| *name);
    let values = values
        .into_iter()
        .map(|(name, value)| format!("{}={}", output::plain(name), output::value(value)));
    values.collect::<Vec<_>>().join(" ")
}
