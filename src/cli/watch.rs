//! `watch`: changes of profiles as they happen.

use std::process::ExitCode;

use prost_types::FieldMask;
use tonic::Code;

use super::client::{Client, ServerArgs, refused, retry_after};
use super::key::{self, CustomerKey};
use super::output::{self, Audience, Format};
use crate::grpc;
use crate::grpc::v1::{self, ChangeKind, watch_profiles_response::Event};

/// Show changes of profiles as they happen, of all customers or of some
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile watch
  customer-profile watch email:ann@shop.com --output json
  customer-profile watch --fields segments.gold
  customer-profile watch email:ann@shop.com --resume TOKEN

A broken connection is resumed where it was. With --output json each message has its `resumeToken`.")]
pub(super) struct Args {
    #[arg(help = key::HELP)]
    keys: Vec<CustomerKey>,

    /// Continue after the message that had this token
    #[arg(
        long,
        value_name = "TOKEN",
        default_value = "",
        hide_default_value = true
    )]
    resume: String,

    /// Only changes of these fields: traits.city, segments (who enters and leaves), segments.gold
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    fields: Vec<String>,

    /// How to print the messages
    #[arg(long, value_enum, default_value_t)]
    output: Format,

    #[command(flatten)]
    server: ServerArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut request = v1::WatchProfilesRequest {
        keys: args.keys.into_iter().map(Into::into).collect(),
        resume_token: args.resume,
        read_mask: (!args.fields.is_empty()).then_some(FieldMask { paths: args.fields }),
        ..v1::WatchProfilesRequest::default()
    };
    let mut client = args.server.connect().await?;
    loop {
        let watched = follow(&client, &mut request, args.output).await;
        match watched {
            // Before the first message there is no place to go on from.
            Err(Broken::Status(status))
                if is_passing(&status) && !request.resume_token.is_empty() =>
            {
                tokio::time::sleep(retry_after(&status).unwrap_or_else(grpc::retry_delay)).await;
                if let Ok(again) = args.server.connect().await {
                    client = again;
                }
            }
            Err(Broken::Status(status)) => return Err(refused(&status)),
            Err(Broken::Output(error)) => return Err(error),
            Ok(Audience::Gone) => return Ok(ExitCode::SUCCESS),
            Ok(Audience::There) => {}
        }
    }
}

/// Why a stream ended.
enum Broken {
    Status(tonic::Status),
    Output(anyhow::Error),
}

/// Whether a stream that ended so can be taken up again.
fn is_passing(status: &tonic::Status) -> bool {
    match status.code() {
        Code::Unavailable | Code::Unknown | Code::Cancelled => true,
        Code::ResourceExhausted => retry_after(status).is_some(),
        _ => false,
    }
}

/// Shows the messages of one stream, and keeps the position after each.
async fn follow(
    client: &Client,
    request: &mut v1::WatchProfilesRequest,
    format: Format,
) -> Result<Audience, Broken> {
    let wanted = client
        .long_request(request.clone())
        .map_err(Broken::Output)?;
    let mut stream = client
        .profiles()
        .watch_profiles(wanted)
        .await
        .map_err(Broken::Status)?
        .into_inner();
    while let Some(message) = stream.message().await.map_err(Broken::Status)? {
        request.resume_token.clone_from(&message.resume_token);
        let line = match format {
            Format::Json => {
                Some(output::json("WatchProfilesResponse", &message).map_err(Broken::Output)?)
            }
            Format::Table => shown(&message),
        };
        let audience = line.map_or(Ok(Audience::There), |line| output::emit(&line));
        if audience.map_err(Broken::Output)? == Audience::Gone {
            return Ok(Audience::Gone);
        }
    }
    Ok(Audience::There)
}

/// A message in one line. `None` for a heartbeat.
fn shown(message: &v1::WatchProfilesResponse) -> Option<String> {
    match message.event.as_ref()? {
        Event::Heartbeat(_) => None,
        Event::Snapshot(snapshot) => Some(match &snapshot.profile {
            Some(profile) => format!("{}  is at revision {}", profile.name, profile.revision),
            None => format!("(no profile for key {} yet)", snapshot.key_index),
        }),
        Event::Change(change) => change.change.as_ref().map(change_shown),
    }
}

/// `entered gold; left silver`.
fn segments(change: &v1::Change) -> String {
    let named = |word: &str, has_left: bool| {
        let stays = change.segments.iter();
        let stays = stays.filter(|stay| stay.exit_time.is_some() == has_left);
        let names: Vec<&str> = stays.map(|stay| stay.segment.as_str()).collect();
        (!names.is_empty()).then(|| format!("{word} {}", names.join(", ")))
    };
    let told = named("entered", false)
        .into_iter()
        .chain(named("left", true));
    told.collect::<Vec<_>>().join("; ")
}

fn change_shown(change: &v1::Change) -> String {
    let what = match change.kind() {
        ChangeKind::Created => "created".to_owned(),
        ChangeKind::Updated => change.changed_fields.join(", "),
        ChangeKind::Merged => format!("merged into {}", change.merged_into),
        ChangeKind::Deleted => "deleted".to_owned(),
        ChangeKind::SegmentsChanged => segments(change),
        ChangeKind::Unspecified => "changed".to_owned(),
    };
    let list = |word: &str, names: &[String]| match names {
        [] => String::new(),
        names => format!("; {word} {}", names.join(", ")),
    };
    let more = [
        list("events", &change.event_types),
        list("retracted", &change.retracted_event_types),
        list("merged from", &change.merged_from),
        list("split from", &change.split_from),
        list("split into", &change.split_into),
    ];
    format!(
        "{}  r{}  {what}{}",
        change.profile,
        change.revision,
        more.concat()
    )
}
