//! A profile's explanation, for people.

use super::evidence;
use crate::cli::output;
use crate::grpc::v1;

/// A profile: its records, its traits, the links that were refused.
pub(super) fn shown(answer: &v1::ExplainProfileResponse) -> String {
    let mut parts = vec![heading(answer), records(answer), traits(answer)];
    if !answer.refused_links.is_empty() {
        parts.push(refused_links(answer));
    }
    parts.join("\n\n")
}

fn heading(answer: &v1::ExplainProfileResponse) -> String {
    let records = if answer.records.len() == 1 {
        "record"
    } else {
        "records"
    };
    let bound = if answer.at_bound {
        "\nit is as large as the model allows, and takes no more by itself"
    } else {
        ""
    };
    let count = answer.records.len();
    format!(
        "{}, revision {}, {count} {records}, by model {}{bound}",
        answer.name, answer.revision, answer.model_version
    )
}

fn records(answer: &v1::ExplainProfileResponse) -> String {
    let mut table = output::table(&["record", "belongs with", "because"]);
    for told in &answer.records {
        let (with, why) = match &told.link {
            Some(link) => (output::record(link.record.as_ref()), evidence(link)),
            None => (String::new(), "it is alone".to_owned()),
        };
        table.add_row([output::record(told.record.as_ref()), with, why]);
    }
    output::lines(&table)
}

/// The winner of each trait, below it who else said something.
fn traits(answer: &v1::ExplainProfileResponse) -> String {
    let mut table = output::table(&["trait", "", "value", "from", "trust", "said", "rule"]);
    for told in &answer.traits {
        for (place, candidate) in told.candidates.iter().enumerate() {
            let (name, rule) = if place == 0 {
                (told.name.as_str(), told.rule.as_str())
            } else {
                ("", "")
            };
            let origin = candidate.origin.as_ref();
            let said = origin.and_then(|origin| origin.source_time.or(origin.receive_time));
            table.add_row([
                name.to_owned(),
                if candidate.wins { "✓" } else { "" }.to_owned(),
                candidate
                    .value
                    .as_ref()
                    .map(output::value)
                    .unwrap_or_default(),
                output::record(origin.and_then(|origin| origin.record.as_ref())),
                candidate.trust.to_string(),
                said.as_ref().map(output::time).unwrap_or_default(),
                rule.to_owned(),
            ]);
        }
    }
    output::lines(&table)
}

fn refused_links(answer: &v1::ExplainProfileResponse) -> String {
    let mut table = output::table(&["not with", "of", "although", "because"]);
    for link in &answer.refused_links {
        let weight = if link.reason == "match" {
            format!(" {:+.1}", link.weight_bits)
        } else {
            String::new()
        };
        table.add_row([
            format!(
                "{} and {}",
                output::record(link.left.as_ref()),
                output::record(link.right.as_ref())
            ),
            link.right_profile.clone(),
            output::plain(&link.reason) + &weight,
            output::plain(&link.refused_by),
        ]);
    }
    output::lines(&table)
}
