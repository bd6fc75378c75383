//! `history`: what was merged into a profile and split from it, and why.

use std::process::ExitCode;

use super::client::{Client, ServerArgs, pages, refused};
use super::key::{self, CustomerKey};
use super::output::{self, Format};
use crate::grpc::v1::{self, identity_change::Cause};

/// Show the merges and splits of a profile, newest first: when, why, and who made them happen
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile history email:ann@shop.com
  customer-profile history profiles/5f0c…          Also a name that was merged into another
  customer-profile history --output json           Of all customers: ListIdentityChangesResponse")]
pub(super) struct Args {
    #[arg(help = key::HELP)]
    key: Option<CustomerKey>,

    /// At most this many changes
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
    let answer = list(&client, args).await?;
    match output {
        Format::Json => output::print_json("ListIdentityChangesResponse", &answer)?,
        Format::Table => output::print(&shown(&answer))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Page after page up to the limit, as one answer.
async fn list(client: &Client, args: Args) -> anyhow::Result<v1::ListIdentityChangesResponse> {
    let profile = match args.key {
        Some(key) => client.profile_name(key).await?,
        None => String::new(),
    };
    let (changes, next_page_token) = pages(args.limit, async |page_size, page_token| {
        let request = v1::ListIdentityChangesRequest {
            profile: profile.clone(),
            page_size,
            page_token,
        };
        let answer = client
            .identity()
            .list_identity_changes(client.request(request)?)
            .await;
        let answer = answer.map_err(|status| refused(&status))?.into_inner();
        Ok((answer.changes, answer.next_page_token))
    })
    .await?;
    Ok(v1::ListIdentityChangesResponse {
        changes,
        next_page_token,
    })
}

/// Changes for people.
fn shown(answer: &v1::ListIdentityChangesResponse) -> String {
    if answer.changes.is_empty() {
        return "nothing was merged or split".to_owned();
    }
    let mut table = output::table(&["time (utc)", "what", "records", "because"]);
    for change in &answer.changes {
        let what = match change.kind() {
            v1::IdentityChangeKind::Merge => format!("{} went into {}", change.from, change.into),
            v1::IdentityChangeKind::Split | v1::IdentityChangeKind::Unspecified => {
                format!("{} split off from {}", change.into, change.from)
            }
        };
        let moved: Vec<String> = change
            .moved
            .iter()
            .map(|moved| {
                format!(
                    "{} ({})",
                    output::record(moved.record.as_ref()),
                    output::plain(&moved.reason)
                )
            })
            .collect();
        let time = change
            .change_time
            .as_ref()
            .map(output::time)
            .unwrap_or_default();
        table.add_row([
            time,
            what,
            some(&moved, change.moved_count),
            change.cause.as_ref().map(cause).unwrap_or_default(),
        ]);
    }
    let more = if answer.next_page_token.is_empty() {
        ""
    } else {
        "\n\nthere is more: see --limit"
    };
    format!("{}{more}", output::lines(&table))
}

/// The first three of some things.
fn some(all: &[String], count: i32) -> String {
    let shown = all.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    match usize::try_from(count).unwrap_or(0).saturating_sub(3) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn cause(cause: &Cause) -> String {
    let decided = |what: &str, decision: &v1::DecisionCause| {
        let v1::DecisionNote { actor, note } = decision.note.clone().unwrap_or_default();
        let said: Vec<String> = [actor, note]
            .iter()
            .filter(|said| !said.is_empty())
            .map(|said| output::plain(said))
            .collect();
        format!("{} {what}: {}", decision.decision, said.join(", "))
            .trim_end_matches(": ")
            .to_owned()
    };
    match cause {
        Cause::Statements(about) => {
            let records: Vec<String> = about
                .records
                .iter()
                .map(|record| output::record(Some(record)))
                .collect();
            format!(
                "sources spoke of {}",
                some(&records, i32::try_from(records.len()).unwrap_or(i32::MAX))
            )
        }
        Cause::Decision(decision) => decided("was made", decision),
        Cause::Withdrawal(decision) => decided("was taken back", decision),
        Cause::ModelVersion(version) => format!("model {version} came into force"),
    }
}
