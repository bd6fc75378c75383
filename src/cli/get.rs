//! `get`: one profile.

use std::process::ExitCode;

use super::client::answered;
use super::key::{self, CustomerKey};
use super::output;
use super::preferences;
use super::query::QueryArgs;
use crate::grpc::v1::{self, consistency::Requirement};

/// Show the profile of a customer, with the source of each field
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile get email:ann@shop.com
  customer-profile get phone:'(212) 555-1142'         In any spelling
  customer-profile get record:web/r000003 --full      By a source's record; with all records
  customer-profile get email:ann@shop.com --as-of 2026-11-01T10:00:00Z
  customer-profile get profiles/5f0c… --output json   GetProfileResponse, in Protobuf's JSON")]
pub(super) struct Args {
    #[arg(help = key::HELP)]
    key: CustomerKey,

    /// Also show the records, and why each belongs to the profile
    #[arg(long)]
    full: bool,

    /// Read from the store, bypassing every cache
    #[arg(long)]
    fresh: bool,

    /// Read the profile as of this time (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = key::instant, conflicts_with = "fresh")]
    as_of: Option<prost_types::Timestamp>,

    /// Purpose of the read: only fields that it may see, and a list of those withheld
    #[arg(long)]
    purpose: Option<String>,

    #[command(flatten)]
    query: QueryArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.query.connect().await?;
    let view = if args.full {
        v1::ProfileView::Full
    } else {
        v1::ProfileView::Basic
    };
    let consistency = args.fresh.then_some(v1::Consistency {
        requirement: Some(Requirement::FullyConsistent(true)),
    });
    let request = v1::GetProfileRequest {
        key: Some(args.key.into()),
        view: view.into(),
        consistency,
        as_of_time: args.as_of,
        purpose: args.purpose.unwrap_or_default(),
        ..Default::default()
    };
    let answer = answered(
        client
            .profiles()
            .get_profile(client.request(request)?)
            .await,
    )?;
    args.query.print("GetProfileResponse", &answer, shown)
}

/// A profile as tables.
fn shown(answer: &v1::GetProfileResponse) -> anyhow::Result<String> {
    let Some(profile) = &answer.profile else {
        return Ok(String::new());
    };
    let mut parts = vec![heading(profile, answer)];
    // Accessibility needs come before all else.
    parts.extend(preferences::needs(profile.accessibility.as_ref(), &[])?);
    parts.extend(preferences::wishes(profile.preferences.as_ref(), &[])?);
    parts.extend([traits(profile), identifiers(profile)]);
    parts.extend(derived(profile));
    if !profile.records.is_empty() {
        parts.push(records(profile));
    }
    parts.extend(preferences::withheld(&answer.withheld));
    Ok(parts.join("\n\n"))
}

fn heading(profile: &v1::Profile, answer: &v1::GetProfileResponse) -> String {
    let info = answer.read_info.as_ref();
    let origin = match (
        info.and_then(|info| info.as_of_time.as_ref()),
        info.map(v1::ReadInfo::source),
    ) {
        (Some(time), _) => format!(", as of the write at {}", output::time(time)),
        (None, Some(v1::ReadSource::Cache)) => ", from the cache".to_owned(),
        (None, Some(v1::ReadSource::Store)) => ", from the store".to_owned(),
        (None, Some(v1::ReadSource::Unspecified) | None) => String::new(),
    };
    let merged = match answer.merged_from.as_str() {
        "" => String::new(),
        old => format!("\n{old} was merged into it"),
    };
    let records = if profile.record_count == 1 {
        "record"
    } else {
        "records"
    };
    format!(
        "{}, revision {}, {} {records}{origin}{merged}",
        profile.name, profile.revision, profile.record_count
    )
}

fn traits(profile: &v1::Profile) -> String {
    let mut table = output::table(&["trait", "value", "from"]);
    let mut traits: Vec<_> = profile.traits.iter().collect();
    traits.sort_by_key(|(name, _)| *name);
    for (name, found) in traits {
        let value = found.value.as_ref().map(output::value).unwrap_or_default();
        let origins: Vec<String> = found
            .origins
            .iter()
            .map(|origin| output::record(origin.record.as_ref()))
            .collect();
        table.add_row([name.clone(), value, origins.join(", ")]);
    }
    output::lines(&table)
}

/// Computed traits and segments.
fn derived(profile: &v1::Profile) -> Option<String> {
    let mut parts = Vec::new();
    if !profile.computed.is_empty() {
        let mut table = output::table(&["computed", "value", ""]);
        let mut computed: Vec<_> = profile.computed.iter().collect();
        computed.sort_by_key(|(name, _)| *name);
        for (name, found) in computed {
            let value = found.value.as_ref().map(output::value).unwrap_or_default();
            let partial = found.completeness() == v1::Completeness::Partial;
            let note = if partial {
                "partial"
            } else if found.approximate {
                "approximate"
            } else {
                ""
            };
            table.add_row([name.as_str(), &value, note]);
        }
        parts.push(output::lines(&table));
    }
    if !profile.segments.is_empty() {
        parts.push(format!("segments: {}", profile.segments.join(", ")));
    }
    if !profile.undecided_segments.is_empty() {
        let names = profile.undecided_segments.join(", ");
        parts.push(format!(
            "undecided segments, whose condition exceeds its budget: {names}"
        ));
    }
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

fn identifiers(profile: &v1::Profile) -> String {
    let mut table = output::table(&["identifier", "value", "written as", "from", ""]);
    for held in &profile.identifiers {
        let identifier = held.identifier.clone().unwrap_or_default();
        let origin = held
            .origin
            .as_ref()
            .and_then(|origin| origin.record.as_ref());
        let note = if held.linkable { "" } else { "not linkable" };
        table.add_row([
            identifier.r#type.as_str(),
            &output::plain(&identifier.value),
            &output::plain(&identifier.original_value),
            &output::record(origin),
            note,
        ]);
    }
    output::lines(&table)
}

fn records(profile: &v1::Profile) -> String {
    let mut table = output::table(&["record", "reason", "received", "traits"]);
    for record in &profile.records {
        let mut traits: Vec<_> = record.traits.iter().collect();
        traits.sort_by_key(|(name, _)| *name);
        let values: Vec<String> = traits
            .into_iter()
            .map(|(name, said)| format!("{name}={}", output::value(said)))
            .collect();
        let received = record
            .receive_time
            .as_ref()
            .map(output::time)
            .unwrap_or_default();
        let key = output::record(record.record.as_ref());
        table.add_row([
            key,
            output::plain(&record.membership_reason),
            received,
            values.join(", "),
        ]);
    }
    output::lines(&table)
}
