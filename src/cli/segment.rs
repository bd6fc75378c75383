//! `segment`: who is in which segment.

use std::process::ExitCode;

use clap::Subcommand;

use super::client::{Client, ServerArgs, refused};
use super::output::{self, Format};
use crate::grpc::v1;

/// Who is in which segment of the model, and who would be
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
    /// How to print the answer
    #[arg(long, value_enum, default_value_t)]
    output: Format,

    #[command(flatten)]
    server: ServerArgs,
}

/// List the members of a segment, and since when they are in it
#[derive(Debug, clap::Args)]
struct MembersArgs {
    /// Which segment of the model
    segment: String,

    /// At most so many; all if not given
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,

    /// How to print the answer
    #[arg(long, value_enum, default_value_t)]
    output: Format,

    #[command(flatten)]
    server: ServerArgs,
}

/// Tell how many customers a condition would hold of, and some of them; nothing is changed
#[derive(Debug, clap::Args)]
struct PreviewArgs {
    /// The condition: CEL over `traits`, `computed` and `preferences`
    condition: String,

    /// How to print the answer
    #[arg(long, value_enum, default_value_t)]
    output: Format,

    #[command(flatten)]
    server: ServerArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List(args) => list(args).await,
        Command::Members(args) => members(args).await,
        Command::Preview(args) => preview(args).await,
    }
    .map(|()| ExitCode::SUCCESS)
}

async fn list(args: ListArgs) -> anyhow::Result<()> {
    let client = Client::connect(&args.server.server, &args.server.tenant.tenant).await?;
    let answer = client
        .segments()
        .list_segments(client.request(v1::ListSegmentsRequest {})?)
        .await;
    let answer = answer.map_err(|status| refused(&status))?.into_inner();
    if args.output == Format::Json {
        return output::print_json("ListSegmentsResponse", &answer);
    }
    let mut table = output::table(&["segment", "members", "when", ""]);
    for segment in &answer.segments {
        let count = segment.member_count.to_string();
        table.add_row([
            &segment.segment,
            &count,
            &segment.condition,
            &segment.description,
        ]);
    }
    output::print(&format!(
        "{}{}",
        output::lines(&table),
        so_far(answer.completeness())
    ))
}

async fn members(args: MembersArgs) -> anyhow::Result<()> {
    let client = Client::connect(&args.server.server, &args.server.tenant.tenant).await?;
    let mut all = v1::ListMembersResponse::default();
    let mut request = v1::ListMembersRequest {
        segment: args.segment,
        page_size: 1_000,
        ..Default::default()
    };
    loop {
        let page = client
            .segments()
            .list_members(client.request(request.clone())?)
            .await;
        let page = page.map_err(|status| refused(&status))?.into_inner();
        all.completeness = page.completeness;
        all.members.extend(page.members);
        let enough = args.limit.is_some_and(|limit| all.members.len() >= limit);
        request.page_token = page.next_page_token;
        if enough || request.page_token.is_empty() {
            break;
        }
    }
    all.members.truncate(args.limit.unwrap_or(usize::MAX));
    if args.output == Format::Json {
        return output::print_json("ListMembersResponse", &all);
    }
    let mut table = output::table(&["profile", "since"]);
    for member in &all.members {
        let since = member
            .enter_time
            .as_ref()
            .map(output::time)
            .unwrap_or_default();
        table.add_row([&member.profile, &since]);
    }
    output::print(&format!(
        "{}{}",
        output::lines(&table),
        so_far(all.completeness())
    ))
}

async fn preview(args: PreviewArgs) -> anyhow::Result<()> {
    let client = Client::connect(&args.server.server, &args.server.tenant.tenant).await?;
    let request = v1::PreviewSegmentRequest {
        condition: args.condition,
        ..Default::default()
    };
    let answer = client
        .segments()
        .preview_segment(client.request(request)?)
        .await;
    let answer = answer.map_err(|status| refused(&status))?.into_inner();
    if args.output == Format::Json {
        return output::print_json("PreviewSegmentResponse", &answer);
    }
    let more = if answer.more_profiles {
        ", and there are more"
    } else {
        ""
    };
    let head = format!(
        "{} of {} customers{more}",
        answer.member_count, answer.profile_count
    );
    output::print(&[vec![head], answer.samples].concat().join("\n"))
}

/// A note where not all was gone through.
fn so_far(completeness: v1::Completeness) -> &'static str {
    match completeness {
        v1::Completeness::Partial => {
            "\n\nso far: the model is new, and not all customers were gone through yet"
        }
        v1::Completeness::Complete | v1::Completeness::Unspecified => "",
    }
}
