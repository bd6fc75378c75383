//! `preferences`: accessibility needs, preferences and consents of a customer.

use std::process::ExitCode;

use super::client::answered;
use super::key::{self, CustomerKey};
use super::output;
use super::query::QueryArgs;
use crate::grpc::v1;

/// Show a customer's accessibility needs, preferences and consents, each with its source
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile preferences email:ann@shop.com
  customer-profile preferences email:ann@shop.com --purpose newsletter   What that purpose may see")]
pub(super) struct Args {
    #[arg(help = key::HELP)]
    key: CustomerKey,

    /// Purpose of the read: only fields that it may see, and a list of those withheld
    #[arg(long)]
    purpose: Option<String>,

    #[command(flatten)]
    query: QueryArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.query.connect().await?;
    let request = v1::GetPreferencesRequest {
        key: Some(args.key.into()),
        purpose: args.purpose.unwrap_or_default(),
        ..Default::default()
    };
    let answer = answered(
        client
            .preferences()
            .get_preferences(client.request(request)?)
            .await,
    )?;
    args.query.print("GetPreferencesResponse", &answer, shown)
}

fn shown(answer: &v1::GetPreferencesResponse) -> anyhow::Result<String> {
    let mut parts = vec![answer.profile.clone()];
    parts.extend(needs(answer.accessibility.as_ref(), &answer.origins)?);
    parts.extend(wishes(answer.preferences.as_ref(), &answer.origins)?);
    if !answer.consents.is_empty() {
        parts.push(consents(&answer.consents));
    }
    parts.extend(withheld(&answer.withheld));
    if parts.len() == 1 {
        parts.push("no preferences or consents".to_owned());
    }
    Ok(parts.join("\n\n"))
}

/// Accessibility needs, with their sources where these are known. `None` if there are none.
pub(super) fn needs(
    said: Option<&v1::Accessibility>,
    origins: &[v1::PreferenceOrigin],
) -> anyhow::Result<Option<String>> {
    let Some(said) = said else { return Ok(None) };
    Ok(Some(listed(
        "needs",
        output::fields("Accessibility", said)?,
        "accessibility.",
        origins,
    )))
}

/// Preferences. `None` if there are none.
pub(super) fn wishes(
    said: Option<&v1::Preferences>,
    origins: &[v1::PreferenceOrigin],
) -> anyhow::Result<Option<String>> {
    let Some(said) = said else { return Ok(None) };
    Ok(Some(listed(
        "prefers",
        output::fields("Preferences", said)?,
        "",
        origins,
    )))
}

fn listed(
    title: &str,
    fields: Vec<(String, String)>,
    prefix: &str,
    origins: &[v1::PreferenceOrigin],
) -> String {
    let mut table = if origins.is_empty() {
        output::table(&[title, ""])
    } else {
        output::table(&[title, "", "from"])
    };
    for (name, value) in fields {
        let field = format!("{prefix}{name}");
        let said = origins
            .iter()
            .filter(|origin| origin.field == field)
            .flat_map(|origin| &origin.origins);
        let said: Vec<String> = said
            .map(|origin| output::record(origin.record.as_ref()))
            .collect();
        let mut row = vec![name, value];
        if !origins.is_empty() {
            row.push(said.join(", "));
        }
        table.add_row(row);
    }
    output::lines(&table)
}

fn consents(consents: &[v1::EffectiveConsent]) -> String {
    let mut table = output::table(&[
        "purpose",
        "contact point",
        "status",
        "since",
        "until",
        "from",
    ]);
    for found in consents {
        let point = found
            .contact_point
            .as_ref()
            .map(|point| output::plain(&point.value));
        let said = found.consent.as_ref();
        let time =
            |time: Option<&prost_types::Timestamp>| time.map(output::time).unwrap_or_default();
        let status = found
            .status()
            .as_str_name()
            .trim_start_matches("CONSENT_STATUS_")
            .to_lowercase();
        let record = output::record(
            found
                .origin
                .as_ref()
                .and_then(|origin| origin.record.as_ref()),
        );
        table.add_row([
            found.purpose.clone(),
            point.unwrap_or_else(|| "all".to_owned()),
            status,
            time(said.and_then(|said| said.effective_time.as_ref())),
            time(said.and_then(|said| said.expire_time.as_ref())),
            record,
        ]);
    }
    output::lines(&table)
}

/// Fields that the purpose may not see. `None` if it may see all.
pub(super) fn withheld(withheld: &[v1::Withheld]) -> Option<String> {
    let mut table = output::table(&["withheld", "rule"]);
    for found in withheld {
        table.add_row([&found.field, &found.rule]);
    }
    (!withheld.is_empty()).then(|| output::lines(&table))
}
