//! Plans, results and mistakes of a model as text.

use crate::cli::output;
use crate::grpc::v1;

/// The result of applying a model.
pub(super) fn result(result: &v1::ApplyModelResult) -> String {
    let plan = result.plan.clone().unwrap_or_default();
    if plan.unchanged {
        return format!(
            "version {} has the same content and stays active",
            result.version
        );
    }
    format!(
        "version {} is active\n{}",
        result.version,
        differences(&plan)
    )
}

/// The mistakes of a model file, one a line.
pub(super) fn mistakes(mistakes: &v1::ModelMistakes) -> String {
    let v1::ModelMistakes {
        mistakes,
        mistake_count,
    } = mistakes;
    let line = |mistake: &v1::ModelMistake| {
        let v1::ModelMistake {
            line,
            column,
            path,
            description,
        } = mistake;
        let path = if path.is_empty() {
            String::new()
        } else {
            format!("{}: ", output::plain(path))
        };
        format!("\n  {line}:{column}: {path}{}", output::plain(description))
    };
    let lines: String = mistakes.iter().map(line).collect();
    let left_out = mistake_count.saturating_sub(i64::try_from(mistakes.len()).unwrap_or(i64::MAX));
    let more = if left_out > 0 {
        format!("\n  and {left_out} more")
    } else {
        String::new()
    };
    let counted = if *mistake_count == 1 {
        "1 mistake".to_owned()
    } else {
        format!("{mistake_count} mistakes")
    };
    format!("the model has {counted}:{lines}{more}")
}

/// The changes that a model would make.
pub(super) fn plan(plan: &v1::ModelPlan) -> String {
    if plan.unchanged {
        return format!(
            "no change: the active version {} has the same content",
            plan.base_version
        );
    }
    format!(
        "compared with the active version {}; nothing is changed yet\n{}",
        plan.base_version,
        differences(plan)
    )
}

fn differences(plan: &v1::ModelPlan) -> String {
    let counts = [
        ("profiles before", plan.profile_count_before),
        ("profiles after", plan.profile_count_after),
        ("profiles merged", plan.merged_profile_count),
        ("profiles split off", plan.split_profile_count),
        ("profiles deleted", plan.deleted_profile_count),
        ("profiles changed", plan.changed_profile_count),
        ("records", plan.record_count),
        ("records moved", plan.moved_record_count),
        ("identifiers changed", plan.changed_identifier_count),
        ("statements refused", plan.refused_statement_count),
        ("statements accepted again", plan.accepted_statement_count),
        ("search words added", plan.added_term_count),
        ("search words removed", plan.removed_term_count),
    ];
    let mut table = output::table(&["what", "count"]);
    for (what, count) in counts {
        table.add_row([what.to_owned(), count.to_string()]);
    }
    let mut parts = vec![output::lines(&table)];
    parts.extend(moves("merges", &plan.merges));
    parts.extend(moves("splits", &plan.splits));
    parts.extend(changes(&plan.changes));
    parts.extend(identifiers(&plan.identifier_changes));
    parts.extend(refusals(&plan.refusals));
    parts.extend(largest(&plan.largest));
    parts.join("\n\n")
}

fn moves(title: &str, moves: &[v1::ProfileMove]) -> Option<String> {
    let mut table = output::table(&[title, "into", "records", "example", "reason"]);
    for moved in moves {
        let such = moved.records.first();
        let record = such
            .map(|moved| output::record(moved.record.as_ref()))
            .unwrap_or_default();
        let reason = such
            .map(|moved| output::plain(&moved.reason))
            .unwrap_or_default();
        table.add_row([
            moved.from.clone(),
            moved.into.clone(),
            moved.record_count.to_string(),
            record,
            reason,
        ]);
    }
    (!moves.is_empty()).then(|| output::lines(&table))
}

fn changes(changes: &[v1::ProfileChange]) -> Option<String> {
    let mut table = output::table(&["changed profile", "trait", "before", "after"]);
    let shown = |value: &Option<v1::Value>| value.as_ref().map(output::value).unwrap_or_default();
    for change in changes {
        for of_trait in &change.traits {
            let name = output::plain(&of_trait.name);
            table.add_row([
                change.profile.clone(),
                name,
                shown(&of_trait.before),
                shown(&of_trait.after),
            ]);
        }
        if change.traits.is_empty() {
            table.add_row([change.profile.as_str(), "(identifiers)", "", ""]);
        }
    }
    (!changes.is_empty()).then(|| output::lines(&table))
}

fn identifiers(changes: &[v1::IdentifierChange]) -> Option<String> {
    let mut table = output::table(&["identifiers of", "type", "before", "after"]);
    for change in changes {
        let [before, after] =
            [&change.before, &change.after].map(|values| output::plain(&values.join(", ")));
        table.add_row([
            output::record(change.record.as_ref()),
            output::plain(&change.r#type),
            before,
            after,
        ]);
    }
    (!changes.is_empty()).then(|| output::lines(&table))
}

fn refusals(refusals: &[v1::RefusedStatement]) -> Option<String> {
    let mut table = output::table(&["refused statement of", "reason"]);
    for refusal in refusals {
        table.add_row([
            output::record(refusal.record.as_ref()),
            output::plain(&refusal.description),
        ]);
    }
    (!refusals.is_empty()).then(|| output::lines(&table))
}

fn largest(sizes: &[v1::ProfileSize]) -> Option<String> {
    let mut table = output::table(&["largest profiles", "records", "before"]);
    for size in sizes {
        table.add_row([
            size.profile.clone(),
            size.record_count.to_string(),
            size.record_count_before.to_string(),
        ]);
    }
    (!sizes.is_empty()).then(|| output::lines(&table))
}
