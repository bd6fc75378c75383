//! The explanation of a pair as tables.

use super::{chance, evidence};
use crate::cli::output;
use crate::grpc::v1;

/// Width of the longest bar, in characters.
const BAR: f64 = 20.0;

/// Two records: whether they are one profile, the links between them, and the evidence by field.
pub(super) fn shown(answer: &v1::ExplainPairResponse) -> String {
    let (left, right) = (
        output::record(answer.left_record.as_ref()),
        output::record(answer.right_record.as_ref()),
    );
    let mut parts = vec![heading(answer, &left, &right)];
    if !answer.path.is_empty() {
        parts.push(path(answer, &left));
    }
    if let Some(score) = answer
        .score
        .as_ref()
        .filter(|score| !score.fields.is_empty())
    {
        parts.push(chart(score));
    }
    parts.push(sum(answer));
    parts.join("\n\n")
}

fn heading(answer: &v1::ExplainPairResponse, left: &str, right: &str) -> String {
    let verdict = if answer.same_profile {
        "are one profile"
    } else {
        "are two profiles"
    };
    let apart = match output::plain(&answer.refused_by) {
        rule if rule.is_empty() => rule,
        rule => format!("; kept apart by {rule}"),
    };
    let common = answer.shared_by_too_many.iter().map(|held| {
        let (kind, value) = (output::plain(&held.r#type), output::plain(&held.value));
        format!("both have the {kind} {value}, which too many people share for it to be evidence")
    });
    let lines = std::iter::once(format!("{left} and {right} {verdict}{apart}")).chain(common);
    lines.collect::<Vec<_>>().join("\n")
}

/// The links from one record to the other.
fn path(answer: &v1::ExplainPairResponse, left: &str) -> String {
    let mut table = output::table(&["record", "linked to", "evidence"]);
    let mut from = left.to_owned();
    for link in &answer.path {
        let to = output::record(link.record.as_ref());
        table.add_row([from, to.clone(), evidence(link)]);
        from = to;
    }
    output::lines(&table)
}

/// Field by field, with a bar for the evidence: `#` for one person, `-` against.
fn chart(score: &v1::MatchScore) -> String {
    let most = score
        .fields
        .iter()
        .map(|field| field.weight_bits.abs())
        .fold(1.0, f64::max);
    let mut table = output::table(&[
        "field",
        "agreement",
        "first value",
        "second value",
        "bits",
        "",
    ]);
    for field in &score.fields {
        table.add_row([
            output::plain(&field.field),
            output::plain(&field.level),
            output::plain(&field.left),
            output::plain(&field.right),
            format!("{:+.1}", field.weight_bits),
            bar(field.weight_bits / most),
        ]);
    }
    output::lines(&table)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and the longest bar"
)]
fn bar(share: f64) -> String {
    if share < 0.0 { "-" } else { "#" }.repeat((share.abs().min(1.0) * BAR).round() as usize)
}

fn sum(answer: &v1::ExplainPairResponse) -> String {
    let Some(score) = &answer.score else {
        return String::new();
    };
    let verdict = match score.verdict() {
        v1::MatchVerdict::Link => "a link",
        v1::MatchVerdict::Household => "a household",
        v1::MatchVerdict::Review => "to be reviewed",
        v1::MatchVerdict::Different | v1::MatchVerdict::Unspecified => "no link",
    };
    let missing = if answer.missing_bits > 0.0 {
        format!("; {:.1} bits below a link", answer.missing_bits)
    } else {
        String::new()
    };
    let veto = if score.veto.is_empty() {
        String::new()
    } else {
        format!("; vetoed by {}", output::plain(&score.veto))
    };
    let doubted = if score.evidence_bits - score.weight_bits > 0.05 {
        format!(
            "; {:+.1} bits in all, but no date of birth or number of the person agrees",
            score.evidence_bits
        )
    } else {
        String::new()
    };
    format!(
        "total, with the prior: {}, {verdict}{missing}{doubted}{veto}",
        chance(score)
    )
}
