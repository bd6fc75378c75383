//! Explanations in short, for snapshots: every field, without what differs from run to run;
//! evidence in whole bits.

use std::fmt::Write;

use customer_profile::grpc::v1::{self, match_link::Evidence, value::Kind};

/// An explanation; profiles go by the given names.
pub(super) fn explained(told: &v1::ExplainProfileResponse, names: &[(&str, &str)]) -> String {
    let known = |name: &str| {
        names
            .iter()
            .find(|(known, _)| *known == name)
            .map_or("?", |(_, short)| *short)
    };
    let mut text = String::new();
    for told in &told.records {
        let link = told.link.as_ref().map(link).unwrap_or_default();
        writeln!(text, "{} {link}", key(told.record.as_ref())).expect("a text");
    }
    for told in &told.traits {
        writeln!(text, "{} by {}", told.name, told.rule).expect("a text");
        for one in &told.candidates {
            let origin = one.origin.as_ref().expect("an origin");
            assert!(origin.receive_time.is_some());
            let wins = if one.wins { " wins" } else { "" };
            let value = one.value.as_ref().map(value).unwrap_or_default();
            writeln!(
                text,
                "  {value} {} trust {}{wins}",
                key(origin.record.as_ref()),
                one.trust
            )
            .expect("a text");
        }
    }
    for refused in &told.refused_links {
        let v1::RefusedLink {
            left,
            right,
            right_profile,
            reason,
            weight_bits,
            refused_by,
        } = refused;
        let (left, right, profile) = (
            key(left.as_ref()),
            key(right.as_ref()),
            known(right_profile),
        );
        writeln!(
            text,
            "refused {left} {right} of {profile}: {reason} {weight_bits:.0} {refused_by}"
        )
        .expect("a text");
    }
    text
}

/// A pair of records.
pub(super) fn pair_told(told: &v1::ExplainPairResponse) -> String {
    let v1::ExplainPairResponse {
        same_profile,
        path,
        left_record,
        right_record,
        score: compared,
        ..
    } = told;
    let mut text = format!("same profile: {same_profile}\n");
    let mut at = key(left_record.as_ref());
    for step in path {
        writeln!(text, "{at} {}", link(step)).expect("a text");
        at = key(step.record.as_ref());
    }
    writeln!(
        text,
        "{} beside {}",
        key(left_record.as_ref()),
        key(right_record.as_ref())
    )
    .expect("a text");
    writeln!(text, "{}", compared.as_ref().map(score).unwrap_or_default()).expect("a text");
    write!(
        text,
        "missing {:.0} refused by `{}`",
        told.missing_bits, told.refused_by
    )
    .expect("a text");
    text
}

fn link(link: &v1::MatchLink) -> String {
    let evidence = match link.evidence.as_ref().expect("evidence") {
        Evidence::SharedIdentifier(shared) => {
            format!("shared {} {:?}", shared.r#type, shared.values)
        }
        Evidence::Score(compared) => score(compared),
        Evidence::Decision(name) => name.clone(),
    };
    format!("with {}: {evidence}", key(link.record.as_ref()))
}

/// A comparison.
pub(super) fn score(compared: &v1::MatchScore) -> String {
    let odds = compared.probability / (1.0 - compared.probability);
    assert!(
        (odds.log2() - compared.weight_bits).abs() < 0.001,
        "{compared:?}"
    );
    let mut text = format!(
        "{:.0} {:.2} {:?}",
        compared.weight_bits,
        compared.probability,
        compared.verdict()
    );
    if !compared.veto.is_empty() {
        write!(text, " veto {}", compared.veto).expect("a text");
    }
    for field in &compared.fields {
        let v1::FieldComparison {
            field,
            level,
            left,
            right,
            weight_bits,
        } = field;
        write!(
            text,
            "\n    {field} {level} {left} | {right} {weight_bits:.0}"
        )
        .expect("a text");
    }
    text
}

pub(super) fn key(key: Option<&v1::RecordKey>) -> String {
    let key = key.expect("a record");
    format!("{}/{}", key.source, key.key)
}

fn value(value: &v1::Value) -> String {
    match &value.kind {
        Some(Kind::StringValue(text)) => text.clone(),
        other => format!("{other:?}"),
    }
}
