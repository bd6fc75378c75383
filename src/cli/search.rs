//! `search`: profiles by identifier or name.

use std::collections::BTreeMap;
use std::process::ExitCode;

use super::client::answered;
use super::output;
use super::query::QueryArgs;
use crate::grpc::v1::{self, MatchKind, found_by::Field};

/// Find customers by an identifier or by name
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile search ann@shop.com
  customer-profile search 'ann mil'     Words that begin with `ann` and with `mil`
  customer-profile search jonhson       Also words that sound alike, or differ by a typing mistake
  customer-profile search mueller --output json")]
pub(super) struct Args {
    /// Identifier of any type, or words of searchable traits or their beginnings, in any case and
    /// with or without accents
    text: String,

    /// Maximum number of hits
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(i32).range(1..=100))]
    limit: i32,

    #[command(flatten)]
    query: QueryArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.query.connect().await?;
    let request = v1::SearchProfilesRequest {
        query: args.text,
        page_size: args.limit,
        page_token: String::new(),
    };
    let answer = answered(
        client
            .profiles()
            .search_profiles(client.request(request)?)
            .await,
    )?;
    args.query
        .print("SearchProfilesResponse", &answer, |answer| {
            Ok(shown(answer))
        })
}

/// Hits as a table.
fn shown(answer: &v1::SearchProfilesResponse) -> String {
    if answer.hits.is_empty() {
        return "no matches".to_owned();
    }
    let mut table = output::table(&["profile", "records", "found by", "other traits"]);
    for hit in &answer.hits {
        let profile = hit.profile.clone().unwrap_or_default();
        let by: BTreeMap<&str, MatchKind> = hit
            .found_by
            .iter()
            .filter_map(|by| Some((name(by.field.as_ref()?), by.match_kind())))
            .collect();
        let mut traits: Vec<_> = profile
            .traits
            .iter()
            .map(|(name, found)| (name.as_str(), value(found)))
            .collect();
        traits.sort();
        let (found, other): (Vec<_>, Vec<_>) = traits
            .into_iter()
            .partition(|(name, _)| by.contains_key(name));
        let identifiers = by
            .keys()
            .filter(|name| !profile.traits.contains_key(**name))
            .map(|name| (*name).to_owned());
        let said = |(name, value): (&str, String)| {
            format!("{name}={value}{}", by.get(name).copied().map_or("", how))
        };
        let found: Vec<String> = identifiers.chain(found.into_iter().map(said)).collect();
        let other: Vec<String> = other.into_iter().map(said).collect();
        table.add_row([
            profile.name,
            profile.record_count.to_string(),
            found.join(", "),
            other.join(", "),
        ]);
    }
    output::page(&table, &answer.next_page_token)
}

fn value(found: &v1::Trait) -> String {
    found.value.as_ref().map(output::value).unwrap_or_default()
}

/// A note for a word that differs from the query.
fn how(kind: MatchKind) -> &'static str {
    match kind {
        MatchKind::Phonetic => " (sounds alike)",
        MatchKind::Typo => " (spelled differently)",
        MatchKind::Unspecified | MatchKind::Exact | MatchKind::Prefix => "",
    }
}

fn name(field: &Field) -> &str {
    match field {
        Field::IdentifierType(name) | Field::Trait(name) | Field::ObjectKind(name) => name,
    }
}
