//! `segment`: segments of the model and their members.

use std::process::ExitCode;

use clap::Subcommand;

use super::client::answered;
use super::output;
use super::query::QueryArgs;
use crate::grpc::v1;

/// List segments and their members, and try a condition
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile segment list
  customer-profile segment members repeat_customers
  customer-profile segment preview 'computed.orders >= 2'")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(ListArgs),
    Members(MembersArgs),
    Preview(PreviewArgs),
}

/// List the segments of the model, with the number of their members
#[derive(Debug, clap::Args)]
struct ListArgs {
    #[command(flatten)]
    query: QueryArgs,
}

/// List the members of a segment, with the time at which they entered
#[derive(Debug, clap::Args)]
struct MembersArgs {
    /// Name of the segment in the model
    segment: String,

    /// Maximum number of members; default: all
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,

    #[command(flatten)]
    query: QueryArgs,
}

/// Count the customers that a condition holds for, and list some of them; changes nothing
#[derive(Debug, clap::Args)]
struct PreviewArgs {
    /// Condition in CEL over `traits`, `computed` and `preferences`
    condition: String,

    #[command(flatten)]
    query: QueryArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List(args) => list(args).await,
        Command::Members(args) => members(args).await,
        Command::Preview(args) => preview(args).await,
    }
}

async fn list(args: ListArgs) -> anyhow::Result<ExitCode> {
    let client = args.query.connect().await?;
    let answer = answered(
        client
            .segments()
            .list_segments(client.request(v1::ListSegmentsRequest {})?)
            .await,
    )?;
    args.query
        .print("ListSegmentsResponse", &answer, |answer| Ok(listed(answer)))
}

fn listed(answer: &v1::ListSegmentsResponse) -> String {
    let mut table = output::table(&["segment", "members", "condition", ""]);
    for segment in &answer.segments {
        let count = segment.member_count.to_string();
        table.add_row([
            &segment.segment,
            &count,
            &segment.condition,
            &segment.description,
        ]);
    }
    format!(
        "{}{}",
        output::lines(&table),
        partial(answer.completeness())
    )
}

async fn members(args: MembersArgs) -> anyhow::Result<ExitCode> {
    let client = args.query.connect().await?;
    let mut all = v1::ListMembersResponse::default();
    let mut request = v1::ListMembersRequest {
        segment: args.segment,
        page_size: 1_000,
        ..Default::default()
    };
    loop {
        let page = answered(
            client
                .segments()
                .list_members(client.request(request.clone())?)
                .await,
        )?;
        all.completeness = page.completeness;
        all.members.extend(page.members);
        let enough = args.limit.is_some_and(|limit| all.members.len() >= limit);
        request.page_token = page.next_page_token;
        if enough || request.page_token.is_empty() {
            break;
        }
    }
    all.members.truncate(args.limit.unwrap_or(usize::MAX));
    args.query
        .print("ListMembersResponse", &all, |all| Ok(members_shown(all)))
}

fn members_shown(all: &v1::ListMembersResponse) -> String {
    let mut table = output::table(&["profile", "since"]);
    for member in &all.members {
        let since = member
            .enter_time
            .as_ref()
            .map(output::time)
            .unwrap_or_default();
        table.add_row([&member.profile, &since]);
    }
    format!("{}{}", output::lines(&table), partial(all.completeness()))
}

async fn preview(args: PreviewArgs) -> anyhow::Result<ExitCode> {
    let client = args.query.connect().await?;
    let request = v1::PreviewSegmentRequest {
        condition: args.condition,
        ..Default::default()
    };
    let answer = answered(
        client
            .segments()
            .preview_segment(client.request(request)?)
            .await,
    )?;
    args.query
        .print("PreviewSegmentResponse", &answer, |answer| {
            Ok(previewed(answer))
        })
}

fn previewed(answer: &v1::PreviewSegmentResponse) -> String {
    let more = if answer.more_profiles {
        ", and there are more"
    } else {
        ""
    };
    let head = format!(
        "{} of {} customers{more}",
        answer.member_count, answer.profile_count
    );
    let undecided = answer.undecided_reasons.iter().map(|why| {
        let (count, reason) = (why.profile_count, output::plain(&why.reason));
        format!("undecided for {count}: {reason}")
    });
    [vec![head], undecided.collect(), answer.samples.clone()]
        .concat()
        .join("\n")
}

/// A note for segments that are not complete yet.
fn partial(completeness: v1::Completeness) -> &'static str {
    match completeness {
        v1::Completeness::Partial => {
            "\n\npartial: not all customers have been evaluated under the new model yet"
        }
        v1::Completeness::Complete | v1::Completeness::Unspecified => "",
    }
}
