//! The explanation of a profile as tables.

use super::evidence;
use crate::cli::output;
use crate::grpc::v1;

/// A profile: its records, its traits, the links that were refused.
pub(super) fn shown(answer: &v1::ExplainProfileResponse) -> String {
    let mut parts = vec![heading(answer), records(answer)];
    parts.extend(notes(answer));
    parts.push(traits(answer));
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
        "\nit has the maximum size of the model; no more records are linked automatically"
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
    let mut table = output::table(&["record", "linked to", "evidence"]);
    for explained in &answer.records {
        let (with, why) = match &explained.link {
            Some(link) => (output::record(link.record.as_ref()), evidence(link)),
            None => (String::new(), "only record".to_owned()),
        };
        table.add_row([output::record(explained.record.as_ref()), with, why]);
    }
    output::lines(&table)
}

/// The values of the records that are stored and not used.
fn notes(answer: &v1::ExplainProfileResponse) -> Option<String> {
    let mut table = output::table(&["record", "not used", "reason"]);
    for explained in &answer.records {
        let record = output::record(explained.record.as_ref());
        for note in &explained.notes {
            let (field, why) = (output::plain(&note.field), output::plain(&note.description));
            table.add_row([record.clone(), field, why]);
        }
        if let Some(former) = &explained.former_holder {
            let until = former.until_time.as_ref().map(output::time);
            let why = format!(
                "of a former holder of the key, until {}",
                until.unwrap_or_default()
            );
            let events = format!("{} events", former.event_count);
            table.add_row([record.clone(), events, why]);
        }
        if explained.omitted_note_count > 0 {
            let more = format!("{} more values", explained.omitted_note_count);
            table.add_row([record, more, String::new()]);
        }
    }
    (table.row_count() > 0).then(|| output::lines(&table))
}

/// The winner of each trait, and the other candidates below it.
fn traits(answer: &v1::ExplainProfileResponse) -> String {
    let mut table = output::table(&["trait", "", "value", "from", "trust", "time (utc)", "rule"]);
    for explained in &answer.traits {
        for (place, candidate) in explained.candidates.iter().enumerate() {
            let (name, rule) = if place == 0 {
                (explained.name.as_str(), rule(explained))
            } else {
                ("", String::new())
            };
            let origin = candidate.origin.as_ref();
            let time = origin.and_then(|origin| origin.source_time.or(origin.receive_time));
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
                time.as_ref().map(output::time).unwrap_or_default(),
                rule,
            ]);
        }
    }
    output::lines(&table)
}

/// The rule that chose. Of a trait in a group also the record that the group comes from.
fn rule(explained: &v1::TraitExplanation) -> String {
    let rule = output::plain(&explained.rule);
    match &explained.group_record {
        None => rule,
        Some(record) => {
            let group = output::plain(&explained.group);
            format!("{rule}, {group} of {}", output::record(Some(record)))
        }
    }
}

fn refused_links(answer: &v1::ExplainProfileResponse) -> String {
    let mut table = output::table(&["refused link", "other profile", "evidence", "refused by"]);
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
