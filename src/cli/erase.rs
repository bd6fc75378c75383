//! `erase`: forgets a customer.

use std::process::ExitCode;

use super::client::{Client, answered};
use super::erasures;
use super::key::{self, CustomerKey};
use super::query::QueryArgs;
use crate::grpc::v1;

/// Erase a customer; without --yes, show what would be erased
#[derive(Debug, clap::Args)]
#[command(after_help = "\
All records of the profile go, with their statements, events, history, consents and decisions.
Statements about them are rejected from then on. Backups, and what was exported or published, stay
as they are.

Examples:
  customer-profile erase email:ann@shop.com                        Show what would be erased
  customer-profile erase email:ann@shop.com --yes --note 'case 7'  Erase it
  customer-profile erasures list                                   What was erased")]
pub(super) struct Args {
    #[arg(help = key::HELP)]
    key: CustomerKey,

    /// Erase, instead of showing what would be erased
    #[arg(long)]
    yes: bool,

    /// The person who asks for it; kept with the receipt
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    actor: String,

    /// The reason, without naming the customer; kept with the receipt
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    note: String,

    #[command(flatten)]
    query: QueryArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.query.connect().await?;
    let (name, revision) = found(&client, args.key).await?;
    let request = v1::EraseProfileRequest {
        request_id: request_id(),
        name,
        expected_revision: revision,
        note: Some(v1::DecisionNote {
            actor: args.actor,
            note: args.note,
        }),
        validate_only: !args.yes,
    };
    let request = client.request(request)?;
    let answer = answered(client.privacy().erase_profile(request).await)?;
    args.query.print("EraseProfileResponse", &answer, |answer| {
        Ok(shown(answer, args.yes))
    })
}

/// An id of this one request.
fn request_id() -> String {
    #[expect(clippy::disallowed_methods, reason = "no other request has the id")]
    let id = uuid::Uuid::new_v4();
    id.to_string()
}

/// The name and the revision of the profile that a key leads to.
async fn found(client: &Client, key: CustomerKey) -> anyhow::Result<(String, i64)> {
    let request = v1::GetProfileRequest {
        key: Some(key.into()),
        read_mask: Some(prost_types::FieldMask {
            paths: vec!["name".to_owned(), "revision".to_owned()],
        }),
        ..v1::GetProfileRequest::default()
    };
    let answer = answered(
        client
            .profiles()
            .get_profile(client.request(request)?)
            .await,
    )?;
    let profile = answer.profile.unwrap_or_default();
    Ok((profile.name, profile.revision))
}

fn shown(answer: &v1::EraseProfileResponse, erased: bool) -> String {
    let Some(erasure) = &answer.erasure else {
        return String::new();
    };
    let places = erasures::places(erasure);
    if erased {
        format!("{} erased as {}\n\n{places}", erasure.profile, erasure.name)
    } else {
        format!(
            "{} would be erased; --yes erases it\n\n{places}",
            erasure.profile
        )
    }
}
