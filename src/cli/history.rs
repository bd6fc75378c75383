//! `history`: merges and splits of profiles, and their causes.

use std::process::ExitCode;

use super::client::{Client, answered, pages};
use super::key::{self, CustomerKey};
use super::output;
use super::query::QueryArgs;
use crate::grpc::v1::{self, identity_change::Cause};

/// List merges and splits of a profile, newest first, with their causes
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile history email:ann@shop.com
  customer-profile history profiles/5f0c…          Also a name that was merged into another
  customer-profile history --output json           Of all customers: ListIdentityChangesResponse")]
pub(super) struct Args {
    #[arg(help = key::HELP)]
    key: Option<CustomerKey>,

    /// Maximum number of changes
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,

    #[command(flatten)]
    query: QueryArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.query.connect().await?;
    let query = args.query.clone();
    let answer = list(&client, args).await?;
    query.print("ListIdentityChangesResponse", &answer, |answer| {
        Ok(shown(answer))
    })
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
        let answer = answered(
            client
                .identity()
                .list_identity_changes(client.request(request)?)
                .await,
        )?;
        Ok((answer.changes, answer.next_page_token))
    })
    .await?;
    Ok(v1::ListIdentityChangesResponse {
        changes,
        next_page_token,
    })
}

/// Changes as a table.
fn shown(answer: &v1::ListIdentityChangesResponse) -> String {
    if answer.changes.is_empty() {
        return "no merges or splits".to_owned();
    }
    let mut table = output::table(&["time (utc)", "change", "records", "cause"]);
    for change in &answer.changes {
        let what = match change.kind() {
            v1::IdentityChangeKind::Merge => format!("{} merged into {}", change.from, change.into),
            v1::IdentityChangeKind::Split | v1::IdentityChangeKind::Unspecified => {
                format!("{} split from {}", change.into, change.from)
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
    output::page(&table, &answer.next_page_token)
}

/// The first three items, and the number of the others.
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
                "statements about {}",
                some(&records, i32::try_from(records.len()).unwrap_or(i32::MAX))
            )
        }
        Cause::Decision(decision) => decided("made", decision),
        Cause::Withdrawal(decision) => decided("withdrawn", decision),
        Cause::ModelVersion(version) => format!("model version {version} activated"),
        Cause::Erasure(erasure) => format!("{erasure} of another customer"),
    }
}
