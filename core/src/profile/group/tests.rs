use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::model::Model;
use crate::profile::survive::{explain_traits, fold_traits};
use crate::records::{Draft, DraftRecord, Record, RecordKey, Statement, Timestamp, Value};

const NOW: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);

fn model(keep: &str) -> Model {
    let yaml = format!(
        "
traits: {{ street: , postcode: , city: , country: , billing_street: , billing_city: }}
sources: {{ crm: {{ trust: 90 }}, shop: {{ trust: 50 }}, news: {{ trust: 20 }} }}
groups:
  address: {{ traits: [street, postcode, city, country], keep: {keep} }}
  billing: {{ traits: [billing_street, billing_city] }}
"
    );
    Model::parse(&yaml).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// A record of `source/key`, the age of its statement in days, and its traits.
type Said<'a> = (&'a str, i64, &'a [(&'a str, &'a str)]);

fn record(model: &Model, (name, days, traits): Said<'_>) -> Record {
    let (source, key) = name.split_once('/').unwrap_or((name, "1"));
    let traits = traits.iter();
    let draft = DraftRecord {
        traits: traits
            .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
            .collect(),
        source_time: Some(Timestamp::from_micros(
            NOW.as_micros() - days * 86_400_000_000,
        )),
        ..DraftRecord::new(RecordKey::new(source, key))
    };
    let Ok(Statement::Record(statement)) = model.check(Draft::Upsert(draft), NOW) else {
        panic!("a good statement")
    };
    let mut record = Record::new(statement.record.clone(), NOW);
    record.apply(&statement);
    record
}

/// The profile in short: `city=Kiel street=...`, in order of name.
fn folded(model: &Model, records: &[Record]) -> String {
    let one = |(name, found): (String, crate::profile::Trait)| format!("{name}={}", found.value);
    let folded = fold_traits(records, model).into_iter();
    folded.map(one).collect::<Vec<_>>().join(" ")
}

fn survives(keep: &str, said: &[Said<'_>]) -> String {
    let model = model(keep);
    let records: Vec<Record> = said.iter().map(|said| record(&model, *said)).collect();
    folded(&model, &records)
}

const DRESDEN: &[(&str, &str)] = &[
    ("street", "Neuer Weg 22"),
    ("postcode", "01067"),
    ("city", "Dresden"),
    ("country", "DE"),
];
const KIEL: &[(&str, &str)] = &[
    ("street", "Hafenstr. 3"),
    ("postcode", "24103"),
    ("city", "Kiel"),
];

const DRESDEN_WHOLE: &str = "city=Dresden country=DE postcode=01067 street=Neuer Weg 22";
const KIEL_WHOLE: &str = "city=Kiel postcode=24103 street=Hafenstr. 3";

#[test]
fn an_address_is_that_of_one_record() {
    for (keep, said, expected) in [
        // A value that one record lacks is not taken from another.
        (
            "most_recent",
            [("crm", 9, DRESDEN), ("shop", 1, KIEL)].as_slice(),
            KIEL_WHOLE,
        ),
        (
            "source_trust",
            &[("crm", 9, DRESDEN), ("shop", 1, KIEL)],
            DRESDEN_WHOLE,
        ),
        (
            "oldest",
            &[("crm", 9, DRESDEN), ("shop", 1, KIEL)],
            DRESDEN_WHOLE,
        ),
        (
            "longest",
            &[("crm", 9, DRESDEN), ("shop", 1, KIEL)],
            DRESDEN_WHOLE,
        ),
        (
            "most_frequent",
            &[
                ("crm", 1, DRESDEN),
                ("shop/1", 8, KIEL),
                ("shop/2", 9, KIEL),
            ],
            KIEL_WHOLE,
        ),
    ] {
        assert_eq!(survives(keep, said), expected, "{keep}");
    }
}

#[test]
fn a_record_that_knows_a_part_takes_no_address_away() {
    for (keep, said, expected) in [
        // A record that knows only a part does not take the rest away.
        (
            "most_recent",
            [("crm", 9, DRESDEN), ("news", 1, &[("country", "FR")])].as_slice(),
            DRESDEN_WHOLE,
        ),
        (
            "most_recent",
            &[
                ("crm", 9, DRESDEN),
                ("news", 1, &[("postcode", "99999"), ("city", "Erfurt")]),
            ],
            DRESDEN_WHOLE,
        ),
        // Where nobody knows a street, who knows the postal code leads.
        (
            "most_recent",
            &[
                ("shop", 9, &[("postcode", "24103"), ("city", "Kiel")]),
                ("news", 1, &[("country", "FR")]),
            ],
            "city=Kiel postcode=24103",
        ),
        // Another group is another address.
        (
            "most_recent",
            &[
                ("crm", 9, DRESDEN),
                (
                    "shop",
                    1,
                    &[("billing_street", "PO Box 7"), ("billing_city", "Bonn")],
                ),
            ],
            "billing_city=Bonn billing_street=PO Box 7 city=Dresden country=DE postcode=01067 street=Neuer Weg 22",
        ),
        // A blank value is none.
        (
            "most_recent",
            &[
                ("crm", 9, DRESDEN),
                ("shop", 1, &[("street", " "), ("city", "Kiel")]),
            ],
            DRESDEN_WHOLE,
        ),
    ] {
        assert_eq!(survives(keep, said), expected, "{keep}");
    }
}

#[test]
fn an_explanation_names_the_record_of_the_group() {
    let model = model("most_recent");
    let records = [("crm", 9, DRESDEN), ("shop", 1, KIEL)].map(|said| record(&model, said));
    let told = explain_traits(&records, &model);
    let lines: Vec<String> = told
        .iter()
        .map(|told| {
            let grouping = told.grouping.as_ref();
            let group = grouping.map(|it| format!("{} of {}", it.group, it.record.source));
            let candidates = told.candidates.iter().map(|candidate| {
                let wins = if candidate.wins { "*" } else { "" };
                format!("{}{wins}", candidate.value)
            });
            let candidates = candidates.collect::<Vec<_>>().join(", ");
            format!(
                "{} ({}): {candidates}",
                told.name,
                group.unwrap_or_default()
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    city (address of shop): Kiel*, Dresden
    country (address of shop): DE
    postcode (address of shop): 24103*, 01067
    street (address of shop): Hafenstr. 3*, Neuer Weg 22
    ");
}

#[test]
fn a_patch_of_one_part_makes_the_whole_address_recent() {
    let model = model("most_recent");
    let mut crm = record(&model, ("crm", 9, DRESDEN));
    let shop = record(&model, ("shop", 5, KIEL));
    let patch = DraftRecord {
        traits: [("street".to_owned(), Value::from("Neuer Weg 24"))].into(),
        source_time: Some(NOW),
        ..DraftRecord::new(crm.key.clone())
    };
    let Ok(Statement::Record(patch)) = model.check(Draft::Patch(patch), NOW) else {
        panic!("a good statement")
    };
    crm.apply(&patch);
    assert_eq!(
        folded(&model, &[crm, shop]),
        "city=Dresden country=DE postcode=01067 street=Neuer Weg 24"
    );
}

proptest! {
    #[test]
    fn values_of_a_group_are_of_one_record_in_every_order(
        said in proptest::collection::vec(
            (0_i64..4, proptest::array::uniform4(proptest::option::of("[ab]"))),
            1..6,
        ),
        keep in proptest::sample::select(
            vec!["most_recent", "source_trust", "most_frequent", "longest", "oldest"],
        ),
        rotation in 0_usize..6,
    ) {
        let model = model(keep);
        let names = ["street", "postcode", "city", "country"];
        let mut records: Vec<Record> = said
            .iter()
            .enumerate()
            .map(|(place, (days, values))| {
                let values = names.iter().zip(values);
                let traits: Vec<(&str, &str)> = values
                    .filter_map(|(name, value)| Some((*name, value.as_deref()?)))
                    .collect();
                let source = ["crm", "shop", "news"][place % 3];
                record(&model, (&format!("{source}/{place}"), *days, &traits))
            })
            .collect();
        let before = fold_traits(&records, &model);
        let values = |record: &Record| -> BTreeMap<String, Value> {
            let traits = record.traits();
            traits.map(|(name, value, _)| (name.to_owned(), value.clone())).collect()
        };
        let folded: BTreeMap<String, Value> = before
            .iter()
            .map(|(name, found)| (name.clone(), found.value.clone()))
            .collect();
        prop_assert!(folded.is_empty() || records.iter().any(|it| values(it) == folded));
        let count = records.len();
        records.rotate_left(rotation % count);
        prop_assert_eq!(fold_traits(&records, &model), before);
    }
}
